import { ApiConfig, ApiError, FetchTransport, type PromiseClient } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect } from "effect"
import { afterEach, describe, expect, it, vi } from "vitest"
import { AnthropicPromise, Messages } from "../../src/index.js"
import { key, params, scriptedPromises, sse } from "../fixtures/client.js"
import { wire } from "../fixtures/messageEvents.js"
import { batch, failure, file, message, model } from "../fixtures/responses.js"

afterEach(() => vi.unstubAllEnvs())

const ok = MockTransport.json(message, { headers: { "request-id": "req_1" } })

const hello = sse(
  wire([
    { start: { type: "text", text: "" }, deltas: [{ type: "text_delta", text: "Hello" }], end: {} }
  ]) as Parameters<typeof sse>[0]
)

const collect = async <A>(values: AsyncIterable<A>): Promise<ReadonlyArray<A>> => {
  const all: Array<A> = []
  for await (const value of values) all.push(value)
  return all
}

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.unreachable("it must reject"),
    (error) => error
  )

describe("make", () => {
  it("1.1 accepts plain strings, and reads other settings from the environment", async () => {
    vi.stubEnv("ANTHROPIC_API_KEY", "env-key")
    vi.stubEnv("ANTHROPIC_BASE_URL", "https://gateway.example/")
    const { anthropic, requests } = scriptedPromises([ok, ok], { apiKey: undefined })
    await anthropic.messages.create(params)
    await scriptedPromises([ok]).anthropic.messages.create(params)
    expect(requests()[0]?.url).toBe("https://gateway.example/v1/messages")
    expect(requests()[0]?.headers["authorization"]).toBe("Bearer env-key")
  })

  const environment: Required<PromiseClient.Environment> = {
    transport: FetchTransport.layer,
    logger: console,
    logLevel: "warn",
    openTelemetry: false
  }

  it.each(Object.entries(environment))("1.1 takes %s, as the promise client does", async (name, value) => {
    const anthropic = AnthropicPromise.make({ apiKey: "k", [name]: value })
    await anthropic.withOptions({ betas: ["b"] }).close()
    await anthropic.close()
  })

  it.each(["logger", "logLevel", "openTelemetry"])("1.2 throws for another kind of %s", (name) => {
    expect(() => AnthropicPromise.make({ apiKey: "k", [name]: 5 })).toThrow(ApiConfig.InvalidConfigError)
  })

  it("1.2 throws without credentials", () => {
    vi.stubEnv("ANTHROPIC_API_KEY", "")
    vi.stubEnv("ANTHROPIC_AUTH_TOKEN", "")
    expect(() => AnthropicPromise.make()).toThrow(ApiConfig.InvalidConfigError)
    expect(() => AnthropicPromise.make()).toThrow("apiKey is missing")
    expect(() => AnthropicPromise.make({ apiKey: "a", retry: { maxRetries: -1 } })).toThrow(
      "retry.maxRetries"
    )
  })
})

describe("messages", () => {
  it("8.1 create and countTokens resolve to the response", async () => {
    const { anthropic, requests } = scriptedPromises([ok, MockTransport.json({ input_tokens: 3 })])
    expect(await anthropic.messages.create(params, { betas: ["a"] })).toEqual(message)
    expect(await anthropic.messages.countTokens(params)).toEqual({ input_tokens: 3 })
    expect(requests()[0]?.headers).toMatchObject({ authorization: `Bearer ${key}`, "anthropic-beta": "a" })
  })

  it("8.1 client runs the request, with its response", async () => {
    const { anthropic } = scriptedPromises([ok])
    const response = await anthropic.client.executeWithResponse(Messages.create(params))
    expect(response).toMatchObject({ value: message, requestId: "req_1" })
  })

  it("7.1 reject with the typed error", async () => {
    const { anthropic } = scriptedPromises([MockTransport.json(failure("not_found_error"), { status: 404 })])
    const error = await rejection(anthropic.messages.create(params))
    expect(error).toBeInstanceOf(ApiError.NotFoundError)
  })

  it("6.1 reject a long message, unless the client has a timeout", async () => {
    const long = { ...params, max_tokens: 100_000 }
    const { anthropic, requests } = scriptedPromises([ok])
    expect(await rejection(anthropic.messages.create(long))).toBeInstanceOf(ApiError.InvalidRequestError)
    await anthropic.withOptions({ timeouts: { response: "1 hour" } }).messages.create(long)
    expect(requests()).toHaveLength(1)
  })

  it("10 stream is consumed as in Anthropic's SDK: events, text, the final message", async () => {
    const { anthropic, requests } = scriptedPromises([hello, hello, hello])
    const stream = anthropic.messages.stream(params)
    expect((await collect(stream)).map(({ type }) => type)).toEqual([
      "message_start",
      "content_block_start",
      "content_block_delta",
      "content_block_stop",
      "message_delta",
      "message_stop"
    ])
    expect((await stream.finalMessage()).content).toEqual([{ type: "text", text: "Hello" }])
    expect(await collect(anthropic.messages.stream(params).textDeltas())).toEqual(["Hello"])
    expect(await anthropic.messages.stream(params).finalText()).toBe("Hello")
    expect(requests()).toHaveLength(3)
  })

  it("10.7 leaving a stream aborts it", async () => {
    const { anthropic, transport } = scriptedPromises([
      MockTransport.stream(
        [`event: message_start\ndata: ${JSON.stringify(wire([])[0])}\n\n`, { delay: Infinity }],
        {
          headers: { "content-type": "text/event-stream" }
        }
      )
    ])
    for await (const event of anthropic.messages.stream(params)) {
      expect(event.type).toBe("message_start")
      break
    }
    expect(await Effect.runPromise(transport.awaitInterrupted(1))).toBe(1)
  })

  it.each(["create", "stream"] as const)("a signal aborts %s", async (method) => {
    const { anthropic, transport } = scriptedPromises([MockTransport.never])
    const controller = new AbortController()
    const options = { signal: controller.signal }
    const outcome = rejection(
      method === "create"
        ? anthropic.messages.create(params, options)
        : anthropic.messages.stream(params, options).finalMessage()
    )
    await Effect.runPromise(transport.awaitRequests(1))
    controller.abort()
    expect(await outcome).toMatchObject({ name: "AbortError" })
    expect(await Effect.runPromise(transport.awaitInterrupted(1))).toBe(1)
  })
})

describe("the other resources", () => {
  it("11.5 waits for a batch", async () => {
    const ended = { ...batch, processing_status: "ended" }
    const script = [batch, ended, batch, ended].map((body) => MockTransport.json(body))
    const { anthropic, requests } = scriptedPromises(script)
    const { batches } = anthropic.messages
    const options = { initialDelay: "1 millis", timeout: "1 minute" } as const
    expect(await batches.untilEnded(batch.id, options)).toEqual(ended)
    expect(await collect(batches.watch(batch.id, options))).toEqual([batch, ended])
    expect(requests()).toHaveLength(4)
    const signal = AbortSignal.abort("enough")
    await expect(batches.untilEnded(batch.id, { signal })).rejects.toBe("enough")
  })

  it("8.4 batches", async () => {
    const { anthropic, requests } = scriptedPromises([
      MockTransport.json(batch),
      MockTransport.json(batch),
      MockTransport.json({ data: [batch], has_more: false }),
      MockTransport.json(batch),
      MockTransport.stream([JSON.stringify({ custom_id: "a", result: { type: "expired" } })]),
      MockTransport.json({ id: batch.id, type: "message_batch_deleted" })
    ])
    const { batches } = anthropic.messages
    expect(await batches.create({ requests: [{ custom_id: "a", params }] })).toEqual(batch)
    expect(await batches.retrieve(batch.id)).toEqual(batch)
    expect(await collect(batches.list())).toEqual([batch])
    expect(await batches.cancel(batch.id)).toEqual(batch)
    expect(await collect(batches.results(batch.id))).toEqual([
      { custom_id: "a", result: { type: "expired" } }
    ])
    expect(await batches.del(batch.id)).toMatchObject({ id: batch.id })
    expect(requests()).toHaveLength(6)
  })

  it("8.4 models", async () => {
    const { anthropic } = scriptedPromises([
      MockTransport.json(model),
      MockTransport.json({ data: [model], has_more: true, last_id: "a" }),
      MockTransport.json({ data: [model], has_more: false })
    ])
    expect(await anthropic.models.retrieve("a")).toEqual(model)
    expect(await collect(anthropic.models.list({ limit: 1 }))).toEqual([model, model])
  })

  it("8.4 files, whose content is a Response", async () => {
    const { anthropic, requests } = scriptedPromises([
      MockTransport.json(file),
      MockTransport.json(file),
      MockTransport.json({ data: [file] }),
      MockTransport.stream(["hel", "lo"], { headers: { "content-type": "text/plain" } }),
      MockTransport.json({ id: file.id })
    ])
    const upload = new File(["hello"], "notes.txt", { type: "text/plain" })
    expect(await anthropic.files.upload({ file: upload })).toEqual(file)
    expect(await anthropic.files.retrieve(file.id)).toEqual(file)
    expect(await collect(anthropic.files.list())).toEqual([file])
    const content = await anthropic.files.download(file.id)
    expect(content.headers.get("content-type")).toBe("text/plain")
    expect(await content.text()).toBe("hello")
    expect(await anthropic.files.del(file.id)).toEqual({ id: file.id })
    expect(requests().map(({ headers }) => headers["anthropic-beta"])).toEqual(
      Array(5).fill("files-api-2025-04-14")
    )
  })

  it("8.4 a download excludes the headers of the connection, so that a server can forward it", async () => {
    const headers = {
      "content-type": "text/plain",
      "content-length": "5",
      connection: "close, X-Hop",
      "keep-alive": "timeout=5",
      "x-hop": "1",
      etag: '"1"'
    }
    const { anthropic } = scriptedPromises([MockTransport.stream(["hello"], { headers })])
    const content = await anthropic.files.download(file.id)
    expect(Object.fromEntries(content.headers)).toEqual({
      "content-type": "text/plain",
      "content-length": "5",
      etag: '"1"'
    })
    expect(await content.text()).toBe("hello")
  })

  it("a signal aborts a download in progress", async () => {
    const { anthropic, transport } = scriptedPromises([MockTransport.stream(["hel", { delay: Infinity }])])
    const controller = new AbortController()
    const content = await anthropic.files.download(file.id, { signal: controller.signal })
    const outcome = rejection(content.text())
    controller.abort()
    expect(await outcome).toMatchObject({ name: "AbortError" })
    expect(await Effect.runPromise(transport.awaitInterrupted(1))).toBe(1)
  })
})

describe("close", () => {
  it("aborts calls in flight", async () => {
    const { anthropic, transport } = scriptedPromises([MockTransport.never])
    const outcome = rejection(anthropic.messages.create(params))
    await Effect.runPromise(transport.awaitRequests(1))
    await anthropic.close()
    expect(await outcome).toMatchObject({ name: "AbortError" })
    expect(await rejection(anthropic.models.retrieve("a"))).toMatchObject({ message: "the client is closed" })
  })

  it("runs at the end of `await using`", async () => {
    const { anthropic } = scriptedPromises([ok])
    await anthropic[Symbol.asyncDispose]()
    expect(await rejection(anthropic.messages.create(params))).toBeInstanceOf(Error)
  })
})

describe("withResponse of a stream", () => {
  const streamed = () => hello

  it("8.1 resolves to the response, and the stream then reads it", async () => {
    const { anthropic, requests } = scriptedPromises([streamed()])
    const stream = anthropic.messages.stream(params)
    const response = await stream.withResponse()
    expect(response).toMatchObject({ status: 200, requestId: "req_1", stream })
    expect(response.headers["content-type"]).toContain("text/event-stream")
    expect(await stream.finalText()).toBe("Hello")
    expect((await stream.withResponse()).requestId).toBe("req_1")
    expect(requests()).toHaveLength(1)
  })

  it("8.1 rejects with the error of the API, and so does the stream", async () => {
    const { anthropic, requests } = scriptedPromises([
      MockTransport.json(failure("not_found_error"), { status: 404 })
    ])
    const stream = anthropic.messages.stream(params)
    expect(await rejection(stream.withResponse())).toBeInstanceOf(ApiError.NotFoundError)
    expect(await rejection(stream.finalMessage())).toBeInstanceOf(ApiError.NotFoundError)
    expect(requests()).toHaveLength(1)
  })

  it("8.1 must be called before the stream is read", async () => {
    const { anthropic, requests } = scriptedPromises([streamed()])
    const stream = anthropic.messages.stream(params)
    await stream.finalMessage()
    expect(await rejection(stream.withResponse())).toBeInstanceOf(TypeError)
    expect(requests()).toHaveLength(1)
  })

  it("8.1 can be closed unread", async () => {
    const { anthropic } = scriptedPromises([streamed()])
    const stream = anthropic.messages.stream(params)
    await (await stream.withResponse()).close()
    expect(await rejection(stream.finalMessage())).toBeInstanceOf(Error)
  })
})

describe("a failure", () => {
  const callers: Readonly<
    Record<string, (anthropic: AnthropicPromise.AnthropicPromise) => Promise<unknown>>
  > = {
    "messages.create": async function asksClaude({ messages }) {
      return await messages.create(params)
    },
    "a loop over a stream": async function asksClaude({ messages }) {
      for await (const _ of messages.stream(params));
    },
    textDeltas: async function asksClaude({ messages }) {
      for await (const _ of messages.stream(params).textDeltas());
    },
    finalMessage: async function asksClaude({ messages }) {
      return await messages.stream(params).finalMessage()
    },
    finalText: async function asksClaude({ messages }) {
      return await messages.stream(params).finalText()
    },
    "the last message of tools": async function asksClaude({ messages }) {
      return await messages.run(params, { tools: [] }).finalMessage()
    },
    "a loop over messages of tools": async function asksClaude({ messages }) {
      for await (const _ of messages.run(params, { tools: [] }));
    },
    "models.list": async function asksClaude({ models }) {
      for await (const _ of models.list());
    },
    "files.download": async function asksClaude({ files }) {
      return await files.download("file_1")
    },
    withOptions: async function asksClaude(anthropic) {
      return await anthropic.withOptions({ betas: ["a"] }).messages.create(params)
    }
  }

  it.each(Object.entries(callers))("7.1 has the line of the caller in its stack: %s", async (_, caller) => {
    const { anthropic } = scriptedPromises([MockTransport.json(failure("not_found_error"), { status: 404 })])
    const error = await rejection(caller(anthropic))
    expect(error).toBeInstanceOf(ApiError.NotFoundError)
    expect((error as Error).stack?.match(/ asksClaude\d* /g)).toHaveLength(1)
  })

  it("12.3 is logged by a configured logger, and not without one", async () => {
    const lines: Array<string> = []
    const to = (level: string) => (said: string) => void lines.push(`${level} ${said}`)
    const logger = { debug: to("debug"), info: to("info"), warn: to("warn"), error: to("error") }
    const write = vi.spyOn(process.stdout, "write").mockReturnValue(true)
    for (const options of [{}, { logger }]) {
      const anthropic = AnthropicPromise.make({
        apiKey: "sk-plain",
        retry: { initialDelay: 0 },
        transport: MockTransport.layer([
          MockTransport.json(failure("overloaded_error"), { status: 529 }),
          ok
        ]),
        ...options
      })
      await anthropic.messages.create(params)
    }
    expect(write).not.toHaveBeenCalled()
    write.mockRestore()
    expect(lines).toEqual(["info retrying POST /v1/messages in 0: OverloadedError 529 (retry 1)"])
    expect(() => AnthropicPromise.make({ apiKey: "k", logger: 5 as never })).toThrow("logger must have")
  })
})
