import { ApiConfig, ApiError, ApiRequest, EventStream, Pagination, PromiseClient } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Layer, Logger, Schema } from "effect"
import { afterEach, describe, expect, it, vi } from "vitest"
import { expectNoUnhandledRejection, rejection, scriptedPromises } from "../fixtures/promises.js"
import { baseUrl, getTodo, TodoMissing } from "../fixtures/requests.js"
import { list, ok, status } from "../fixtures/retry.js"

expectNoUnhandledRejection()

afterEach(() => vi.restoreAllMocks())

const events = ApiRequest.get("/events", { events: EventStream.make({ event: Schema.Number }) })
const Page = Schema.Struct({ data: Schema.Array(Schema.Number), has_more: Schema.Boolean })
const pages = ApiRequest.get("/todos", { success: Page }).pipe(
  ApiRequest.paginate(Pagination.cursor({ items: (page) => page.data }))
)

const eventStream = MockTransport.stream(["data: 1\n\n"], {
  headers: { "content-type": "text/event-stream" }
})

const drain = async (values: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of values);
}

/** Functions whose name the stack must show. */
const callers: Readonly<Record<string, (client: PromiseClient.PromiseClient) => Promise<unknown>>> = {
  execute: async function loadsOne(client) {
    return await client.execute(list)
  },
  "execute through a helper": async function loadsOne(client) {
    const through = async () => await client.execute(list)
    return await through()
  },
  executeWithResponse: async function loadsOne(client) {
    return await client.executeWithResponse(list)
  },
  stream: async function loadsOne(client) {
    for await (const _ of client.stream(events));
  },
  "one step of a stream": async function loadsOne(client) {
    return await client.stream(events)[Symbol.asyncIterator]().next()
  },
  pages: async function loadsOne(client) {
    for await (const _ of client.pages(pages));
  },
  items: async function loadsOne(client) {
    for await (const _ of client.items(pages));
  },
  "several calls at once": async function loadsOne(client) {
    return await Promise.all([client.execute(list), client.execute(list)])
  },
  "a web stream": async function loadsOne(client) {
    return await client.stream(events).toReadableStream().getReader().read()
  },
  withOptions: async function loadsOne(client) {
    return await client.withOptions({ headers: { "x-a": "1" } }).execute(list)
  }
}

describe("the stack of a failure", () => {
  it.each(Object.entries(callers))("7.1 shows the caller's line: %s", async (_, caller) => {
    for (const step of [status(404), MockTransport.connectionError({ code: "ECONNRESET" })]) {
      const { client } = scriptedPromises([MockTransport.forever(step)], { retry: { maxRetries: 0 } })
      const error = await rejection(caller(client))
      expect(ApiError.isApiError(error)).toBe(true)
      const { message, stack = "" } = error as Error
      expect(stack.match(/ loadsOne\d* /g)).toHaveLength(1)
      expect(stack.startsWith(`${(error as ApiError.ApiError)._tag}: ${message}\n`)).toBe(true)
      await client.close()
    }
  })

  it("7.5 the caller's own error is the very object, and shows the caller's line", async () => {
    const gone = MockTransport.json({ _tag: "TodoMissing", message: "eaten" }, { status: 404 })
    const { client } = scriptedPromises([gone])
    const readsTodo = async () => await client.execute(getTodo(1))
    const error = await rejection(readsTodo())
    expect(error).toBeInstanceOf(TodoMissing)
    expect((error as Error).stack).toContain(" readsTodo ")
  })

  it("7.1 an abort reason is not changed", async () => {
    const reason = Object.freeze(new Error("enough"))
    const { stack } = reason
    const { client } = scriptedPromises([MockTransport.never])
    const leaves = async () => await client.execute(list, { signal: AbortSignal.abort(reason) })
    const controller = new AbortController()
    const called = client.execute(list, { signal: controller.signal })
    controller.abort(reason)
    for (const promise of [leaves(), called]) expect(await rejection(promise)).toBe(reason)
    expect(reason.stack).toBe(stack)
  })

  it("7.1 the stack of an error that is thrown repeatedly does not grow", async () => {
    const shared = new ApiError.NotFoundError({
      message: "made once",
      request: { method: "GET", url: baseUrl },
      attempts: [],
      stoppedBy: "not-retryable",
      delivery: "rejected",
      shouldRetry: false,
      status: 404,
      headers: {},
      requestId: undefined,
      type: undefined,
      body: undefined,
      retryAfter: undefined
    })
    const client = PromiseClient.make({ baseUrl, transport: Layer.fail(shared) })
    const lengths: Array<number | undefined> = []
    for (const _ of [1, 2, 3]) {
      expect(await rejection(client.execute(list))).toBe(shared)
      lengths.push(shared.stack?.length)
    }
    expect(new Set(lengths).size).toBe(1)
  })

  it("12.4 the added frames contain no secret", async () => {
    const { client } = scriptedPromises([MockTransport.text("s3cret", { status: 401 })])
    const error = await rejection(client.execute(list))
    expect((error as Error).stack?.split("\n").slice(1).join("\n")).not.toContain("s3cret")
  })
})

/** A logger that records its calls. */
const recordingLogger = () => {
  const lines: Array<ReadonlyArray<unknown>> = []
  const to =
    (level: string) =>
    (...args: ReadonlyArray<unknown>) =>
      void lines.push([level, ...args])
  const logger: PromiseClient.Logger = {
    debug: to("debug"),
    info: to("info"),
    warn: to("warn"),
    error: to("error")
  }
  return { logger, lines }
}

const clientOver = (script: MockTransport.Script, options: Partial<PromiseClient.Options> = {}) =>
  PromiseClient.make({
    baseUrl,
    retry: { initialDelay: 0, maxRetries: 1 },
    transport: MockTransport.layer(script),
    ...options
  })

const retried = [status(503), ok]
const mismatched = ApiRequest.get("/todos", { success: Schema.Number })

describe("logging", () => {
  it("12.3 nothing is written without a logger", async () => {
    const written = ["stdout", "stderr"].map((name) =>
      vi.spyOn(process[name as "stdout"], "write").mockReturnValue(true)
    )
    const args = (["log", "info", "warn", "error", "debug"] as const).map((name) =>
      vi.spyOn(console, name).mockReturnValue(undefined)
    )
    const client = clientOver([...retried, MockTransport.json("x")], { validation: "lenient" })
    await client.execute(list)
    await client.execute(mismatched)
    await drain(clientOver([status(503), eventStream]).stream(events))
    for (const spy of [...written, ...args]) expect(spy).not.toHaveBeenCalled()
  })

  it("12.3 the logger gets retries, and mismatches that lenient validation accepts", async () => {
    const { lines, logger } = recordingLogger()
    const client = clientOver([...retried, MockTransport.json("x")], { logger, validation: "lenient" })
    await client.execute(list)
    await client.execute(mismatched)
    expect(lines).toEqual([
      ["info", "retrying GET /todos in 0: ServiceUnavailableError 503 (retry 1)"],
      ["warn", expect.stringMatching(/^the response \(200\) does not fit: .*"x"$/)]
    ])
  })

  it.each([
    ["debug", ["debug", "info", "debug"]],
    ["info", ["info"]],
    ["warn", []],
    ["error", []]
  ] as const)("12.3 logLevel %s", async (logLevel, levels) => {
    const { lines, logger } = recordingLogger()
    await clientOver(retried, { logger, logLevel }).execute(list)
    expect(lines.map(([level]) => level)).toEqual(levels)
    const fields = lines.filter(([level]) => level === "debug").map(([, , fields]) => fields)
    for (const field of fields) expect(field).toHaveProperty("http.request.headers")
  })

  it("12.3 a logger that throws does not fail the call", async () => {
    const throws = () => {
      throw new Error("the disk is full")
    }
    const logger = { debug: throws, info: throws, warn: throws, error: throws }
    expect(await clientOver(retried, { logger, logLevel: "debug" }).execute(list)).toBe("ok")
  })

  it("12.3 an Effect logger can come with the transport's layer", async () => {
    const { lines, logger } = recordingLogger()
    const received: Array<unknown> = []
    const own = Logger.make(({ message }) => void received.push(message))
    for (const [added, options] of [
      [Logger.add(own), {}],
      [Logger.replace(Logger.defaultLogger, own), {}],
      [Logger.add(own), { logger }]
    ] as const) {
      received.length = 0
      await clientOver(retried, {
        transport: Layer.merge(MockTransport.layer(retried), added),
        ...options
      }).execute(list)
      expect(received).toHaveLength(1)
    }
    expect(lines).toHaveLength(1)
  })

  it("12.3 the logger also gets what a middleware logs", async () => {
    const { lines, logger } = recordingLogger()
    const client = clientOver([ok], {
      logger,
      middleware: [(request, next) => Effect.zipRight(Effect.logError("seen", { a: 1 }), next(request))]
    })
    await client.execute(list)
    expect(lines).toEqual([["error", 'seen {"a":1}']])
  })

  it.each([
    ["logger", { logger: {} }],
    ["logger", { logger: () => undefined }],
    ["logger", { logger: { info: () => undefined } }],
    ["logLevel", { logger: console, logLevel: "verbose" }]
  ])("1.2 throws an error with the key %s", (key, options) => {
    const make = () => PromiseClient.make({ baseUrl, ...(options as object) })
    expect(make).toThrow(ApiConfig.InvalidConfigError)
    expect(make).toThrow(key)
  })
})
