import {
  ApiError,
  ApiRequest,
  CircuitBreaker,
  Credentials,
  EventStream,
  Middleware,
  Pagination,
  Polling,
  PromiseClient,
  RateLimit
} from "@effect-api/client"
import { SyncClient } from "@effect-api/node"
import { Effect, Redacted, Schema, Stream } from "effect"
import { describe, expect, it } from "vitest"
import { baseUrl, blocking, log, thrown } from "../fixtures/blocked.js"

const client = blocking()

const A = Schema.Struct({ a: Schema.Number })
const Event = Schema.Struct({ n: Schema.Number })

const events = (n: number, rest = "") =>
  ApiRequest.get(`/events?n=${n}${rest}`, { events: EventStream.make({ event: Event, terminal: "[DONE]" }) })

/** Waits on the server's thread: the test's own is blocked. */
const untilLeft = (pathname: string): boolean => {
  for (let tries = 0; tries < 200; tries++) if (log(client).left.includes(pathname)) return true
  return false
}

describe("calls", () => {
  it("return values", () => {
    expect(client.get("/x", { success: A })).toEqual({ a: 1 })
    expect(client.execute(ApiRequest.get("/x", { success: A }))).toEqual({ a: 1 })
    expect(client.head("/x")).toBeUndefined()
  })

  it.each(["post", "put", "patch", "del"] as const)("%s sends a body", (verb) => {
    const method = verb === "del" ? "DELETE" : verb.toUpperCase()
    expect(client[verb]("/echo", { body: { a: 1 } })).toMatchObject({ method, length: 7 })
  })

  it("return what came around a value", () => {
    const response = client.executeWithResponse(ApiRequest.get("/flaky/1?n=2", { success: A }))
    expect(response).toMatchObject({ status: 200, value: { a: 1 } })
    expect(response.attempts.map(({ tag }) => tag)).toEqual([
      "ServiceUnavailableError",
      "ServiceUnavailableError",
      undefined
    ])
  })

  it("wait between attempts", () => {
    const slow = client.withOptions({ retry: { initialDelay: 120, jitter: 0 } })
    const begun = performance.now()
    expect(slow.get("/flaky/2?n=1")).toEqual({ a: 1 })
    expect(performance.now() - begun).toBeGreaterThan(100)
  })

  it("wait for the client's own limits", () => {
    const limited = client.withOptions({
      rateLimit: RateLimit.make({ concurrency: 1, quotas: { requests: { limit: 1, window: 60 } } })
    })
    const begun = performance.now()
    for (let call = 0; call < 3; call++) expect(limited.get("/x")).toEqual({ a: 1 })
    expect(Array.from(limited.stream(events(2)))).toEqual([{ n: 0 }, { n: 1 }])
    expect(limited.get("/x")).toEqual({ a: 1 })
    expect(performance.now() - begun).toBeGreaterThan(200)
  })

  it("fail at once while the server is down", () => {
    const guarded = client.withOptions({
      circuitBreaker: CircuitBreaker.make({ consecutiveFailures: 1, openFor: "1 hour" }),
      retry: { maxRetries: 0 }
    })
    expect(thrown(() => guarded.get("/status?n=503"))).toBeInstanceOf(ApiError.ServiceUnavailableError)
    expect(thrown(() => guarded.get("/x"))).toMatchObject({ _tag: "CircuitOpenError", delivery: "not-sent" })
    expect(thrown(() => Array.from(guarded.stream(events(2))))).toMatchObject({ _tag: "CircuitOpenError" })
  })

  it("throw the error itself, with the caller's frames", () => {
    const error = thrown(function theCaller() {
      client.get("/status?n=404")
    })
    expect(error).toBeInstanceOf(ApiError.NotFoundError)
    expect(error).toMatchObject({
      status: 404,
      requestId: "r1",
      delivery: "rejected",
      message: "404 status 404"
    })
    expect(error).toHaveProperty("stack", expect.stringContaining("theCaller"))
  })

  it("throw an own failure that is plain data as an error", () => {
    const failure = { 402: Schema.Struct({ error: Schema.Struct({ message: Schema.String }) }) }
    const error = thrown(() => client.get("/status?n=402", { failure }))
    expect(error).toBeInstanceOf(PromiseClient.FailureError)
    expect(error).toMatchObject({ status: 402, failure: { error: { message: "status 402" } } })
  })

  const limits = [
    ["response", { response: 150 }],
    ["total", { total: 150 }]
  ] as const
  it.each(limits)("7.3 the %s timeout ends a call and closes its socket", (phase, timeouts) => {
    const impatient = client.withOptions({ timeouts, retry: { maxRetries: 0 } })
    expect(thrown(() => impatient.get(`/never/${phase}`))).toMatchObject({ _tag: "TimeoutError", phase })
    expect(untilLeft(`/never/${phase}`)).toBe(true)
  })

  it("7.3 an error keeps its kind, code and delivery between the threads", () => {
    const once = client.withOptions({ retry: { maxRetries: 0 } })
    expect(thrown(() => once.get("/reset"))).toMatchObject({
      _tag: "ConnectionError",
      kind: "reset",
      code: "ECONNRESET",
      delivery: "maybe-applied"
    })
    expect(thrown(() => once.withOptions({ baseUrl: "http://127.0.0.1:1" }).get("/"))).toMatchObject({
      _tag: "ConnectionError",
      kind: "refused",
      code: "ECONNREFUSED",
      delivery: "not-sent"
    })
  })

  it("9.1 no error shows a secret", () => {
    const secret = "canary-5f1d"
    const error = thrown(() =>
      blocking({ credentials: Credentials.bearer(Redacted.make(secret)) }).get("/status?n=401")
    )
    expect(error).toMatchObject({ _tag: "AuthenticationError" })
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain(secret)
  })
})

describe("bodies", () => {
  const sum = (bytes: number, byte: number): number => (bytes * byte) % 65_521
  const piece = new Uint8Array(100_000).fill(3)

  it("bytes are sent as they are, and stay with the caller", () => {
    expect(client.post("/echo", { bytes: piece })).toMatchObject({ length: 100_000, sum: sum(100_000, 3) })
    expect(piece.length).toBe(100_000)
  })

  it.each([
    [
      "a generator function",
      function* () {
        for (let count = 0; count < 30; count++) yield piece
      }
    ],
    ["a Stream", Stream.range(1, 30).pipe(Stream.map(() => piece))]
  ])("%s is sent while it is produced", (_, bodyStream) => {
    expect(client.post("/echo", { bodyStream })).toMatchObject({
      length: 3_000_000,
      sum: sum(3_000_000, 3)
    })
  })

  it("a form with files is sent", () => {
    const multipart = { name: "n", file: new File([piece], "f.bin") }
    expect(client.post("/echo", { multipart })).toMatchObject({
      type: expect.stringMatching(/^multipart\/form-data; boundary=/),
      length: expect.any(Number)
    })
  })

  it("progress is reported, and may call the client", () => {
    const reports: Array<unknown> = []
    client.post("/echo", { bytes: piece, onUpload: ({ bytes }) => reports.push([bytes, client.get("/x")]) })
    expect(reports).toEqual([
      [65_536, { a: 1 }],
      [100_000, { a: 1 }]
    ])
  })
})

describe("what only an event loop can do", () => {
  it("5.1 asynchronous credentials fail the call with a reason", () => {
    const credentials = Credentials.from(async () => "token")
    expect(thrown(() => blocking({ credentials }).get("/x"))).toMatchObject({
      _tag: "CredentialsError",
      message: expect.stringContaining("is asynchronous")
    })
    expect(blocking({ credentials: Credentials.from(() => "token") }).get("/x")).toEqual({ a: 1 })
  })

  it("an asynchronous source fails with its field, and nothing is sent", () => {
    const bodyStream = async function* () {
      yield new Uint8Array(1)
    }
    expect(thrown(() => client.post("/echo", { bodyStream }))).toMatchObject({
      _tag: "InvalidRequestError",
      field: "bodyStream",
      reason: expect.stringContaining("is asynchronous"),
      delivery: "not-sent"
    })
  })

  it("a middleware in async code fails with a reason", () => {
    const middleware = [Middleware.fromAsync((request, next) => next(request))]
    expect(thrown(() => client.withOptions({ middleware }).get("/x"))).toMatchObject({
      _tag: "InvalidRequestError",
      field: "middleware",
      reason: expect.stringContaining("is asynchronous")
    })
  })

  it("an asynchronous schema fails with a reason", () => {
    const success = {
      "~standard": { version: 1, vendor: "x", validate: async (value: unknown) => ({ value }) }
    } as const
    expect(thrown(() => client.get("/x", { success }))).toMatchObject({
      _tag: "ResponseValidationError",
      reason: expect.stringContaining("is asynchronous")
    })
  })

  it.each([
    ["credentials", { credentials: Credentials.effect(Effect.promise(async () => Redacted.make("token"))) }],
    [
      "middleware",
      {
        middleware: [
          (request: never, next: (request: never) => never) =>
            Effect.flatMap(
              Effect.promise(() => Promise.resolve()),
              () => next(request)
            )
        ]
      }
    ]
  ])("a promise within %s fails the call at once", (_, options) => {
    const error = thrown(() => client.withOptions(options as never).get("/x"))
    expect(error).toBeInstanceOf(SyncClient.AsyncWorkError)
    expect(client.get("/x")).toEqual({ a: 1 })
  })
})

describe("loops", () => {
  it("take 2,000 events", () => {
    let sum = 0
    for (const { n } of client.stream(events(2000))) sum += n
    expect(sum).toBe((1999 * 2000) / 2)
  })

  it("send anew each time", () => {
    const stream = client.stream(events(3))
    expect([[...stream], [...stream]].map((list) => list.length)).toEqual([3, 3])
  })

  it("10.7 close the connection when they are left", () => {
    for (const { n } of client.stream(events(3, "&stall"))) if (n === 2) break
    expect(untilLeft("/events")).toBe(true)
  })

  it("may run within each other", () => {
    const pairs: Array<string> = []
    for (const outer of client.stream(events(2))) {
      for (const inner of client.stream(events(2))) pairs.push(`${outer.n}${inner.n}`)
    }
    expect(pairs).toEqual(["00", "01", "10", "11"])
  })

  it("walk pages and items", () => {
    const Page = Schema.Struct({ items: Schema.Array(Schema.Number), next: Schema.optional(Schema.Number) })
    const list = ApiRequest.get("/pages", {
      success: Page,
      pagination: Pagination.cursor({
        items: (page: typeof Page.Type) => page.items,
        hasMore: ({ next }) => next !== undefined,
        after: { param: "n", cursor: ({ next }) => next }
      })
    })
    expect([...client.pages(list)].map(({ items }) => items[0])).toEqual([0, 2, 4])
    expect([...client.items(list)]).toEqual([0, 1, 2, 3, 4, 5])
  })

  it("download in constant memory", () => {
    const bytes = 512 * 1024 * 1024
    let size = 0
    const begun = process.memoryUsage().rss
    for (const chunk of client.download(`/bytes?n=${bytes}`)) size += chunk.length
    expect(size).toBe(bytes)
    expect(process.memoryUsage().rss - begun).toBeLessThan(bytes / 2)
  })

  it("fail with the error of the call", () => {
    expect(thrown(() => [...client.download("/status?n=404")])).toBeInstanceOf(ApiError.NotFoundError)
  })
})

it("a client waits for work elsewhere", () => {
  const polls = ApiRequest.get("/flaky/3?n=0", { success: A })
  expect(client.poll(Polling.until(polls, { done: ({ a }) => a === 1 }))).toEqual({ a: 1 })
})

describe("a client", () => {
  it("throws for a setting that no other thread can have", () => {
    const transport = { lookup: () => undefined } as never
    expect(thrown(() => SyncClient.make({ baseUrl, transport }))).toMatchObject({
      _tag: "InvalidConfigError",
      key: "transport.lookup"
    })
    expect(thrown(() => SyncClient.make({ baseUrl, transport: { connections: 0 } }))).toMatchObject({
      key: "transport.connections"
    })
    expect(thrown(() => SyncClient.make({ baseUrl: "nowhere" }))).toMatchObject({ key: "baseUrl" })
  })

  it("throws once it is closed, and closes twice", () => {
    const closed = blocking()
    expect(closed.get("/x")).toEqual({ a: 1 })
    const iterator = closed.stream(events(3, "&stall"))[Symbol.iterator]()
    expect(iterator.next().value).toEqual({ n: 0 })
    closed.close()
    closed[Symbol.dispose]()
    expect(String(thrown(() => closed.get("/x")))).toBe("Error: the client is closed")
    expect(String(thrown(() => [...closed.stream(events(1))]))).toBe("Error: the client is closed")
    // What came before may still be taken.
    expect(iterator.return?.()).toEqual({ done: true, value: undefined })
  })
})
