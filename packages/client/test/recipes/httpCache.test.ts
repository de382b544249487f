import { HttpClient, HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient, ApiRequest, Credentials, EventStream } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Exit, Fiber, Layer, Redacted, Schema, Stream, TestClock } from "effect"
import { advancing } from "../fixtures/advancing.js"
import { cached, layer, memoryStore } from "./httpCache.js"

const url = "https://api.test/todos/1"

const date = new Date(0).toUTCString()

/** A cache over a script. */
const over = (script: MockTransport.Script) =>
  Effect.map(MockTransport.make(script), (transport) => {
    const store = memoryStore()
    const client = cached(store)(transport.client)
    const get = (headers: Record<string, string> = {}, path = "") =>
      client.execute(HttpClientRequest.get(`${url}${path}`, { headers })).pipe(
        Effect.flatMap((response) =>
          Effect.map(response.text, (text) => ({
            status: response.status,
            text,
            headers: response.headers
          }))
        )
      )
    return { transport, store, client, get }
  })

const fresh = { headers: { "cache-control": "max-age=60", date } }

describe("a response", () => {
  it.effect("is fresh for its max-age by the Clock, with its age, and fetched anew after it", () =>
    Effect.gen(function* () {
      const { get, transport } = yield* over([MockTransport.text("1", fresh), MockTransport.text("2", fresh)])
      expect((yield* get()).text).toBe("1")
      yield* TestClock.adjust("59 seconds")
      const hit = yield* get()
      expect([hit.text, hit.headers["age"]]).toEqual(["1", "59"])
      yield* TestClock.adjust("2 seconds")
      expect((yield* get()).text).toBe("2")
      expect(yield* transport.requestCount).toBe(2)
    })
  )

  const validators = [
    ["etag", { etag: '"a"' }, "if-none-match", '"a"'],
    ["last-modified", { "last-modified": date }, "if-modified-since", date]
  ] as const
  for (const [name, validator, condition, value] of validators) {
    it.effect(`with ${name} is revalidated when it is stale, and a 304 makes it fresh`, () =>
      Effect.gen(function* () {
        const headers = { ...fresh.headers, ...validator }
        const { get, transport } = yield* over([
          MockTransport.text("1", { headers }),
          MockTransport.empty(304, { headers }),
          MockTransport.text("2", { headers: { ...headers, etag: '"b"' } })
        ])
        yield* get()
        yield* TestClock.adjust("61 seconds")
        expect(yield* get()).toMatchObject({ status: 200, text: "1" })
        expect((yield* get()).text).toBe("1")
        const requests = yield* transport.requests
        expect(requests.map(({ headers }) => headers[condition])).toEqual([undefined, value])
        yield* TestClock.adjust("61 seconds")
        expect((yield* get()).text).toBe("2")
      })
    )
  }

  const unstored: ReadonlyArray<readonly [string, Record<string, string>, Record<string, string>]> = [
    ["no-store in the response", { "cache-control": "no-store, max-age=60" }, {}],
    ["no-store in the request", { "cache-control": "max-age=60" }, { "cache-control": "no-store" }],
    ["private, to a request without credentials", { "cache-control": "private, max-age=60" }, {}],
    ["neither an age nor a validator", {}, {}],
    ["a cookie", { "cache-control": "max-age=60", "set-cookie": "a=1" }, {}],
    ["vary: *", { "cache-control": "max-age=60", vary: "*" }, {}],
    ["a range asked for", { "cache-control": "max-age=60" }, { range: "bytes=0-1" }]
  ]
  for (const [name, headers, sent] of unstored) {
    it.effect(`with ${name} is not stored`, () =>
      Effect.gen(function* () {
        const { get } = yield* over([
          MockTransport.text("1", { headers }),
          MockTransport.text("2", { headers })
        ])
        expect([(yield* get(sent)).text, (yield* get(sent)).text]).toEqual(["1", "2"])
      })
    )
  }

  it.effect("with vary serves requests with the same headers", () =>
    Effect.gen(function* () {
      const headers = { ...fresh.headers, vary: "Accept-Language" }
      const { get, transport } = yield* over((request) =>
        MockTransport.text(request.headers["accept-language"] ?? "none", { headers })
      )
      const read = (language: string) => Effect.map(get({ "accept-language": language }), ({ text }) => text)
      expect(yield* Effect.all([read("de"), read("fr"), read("de"), read("fr")])).toEqual([
        "de",
        "fr",
        "de",
        "fr"
      ])
      expect(yield* transport.requestCount).toBe(2)
    })
  )

  it.effect("ends with a request that changes the resource, unless that fails", () =>
    Effect.gen(function* () {
      const { client, get, transport } = yield* over((request, index) =>
        request.method === "PUT"
          ? MockTransport.empty(index === 1 ? 500 : 204)
          : MockTransport.text(String(index), fresh)
      )
      const put = client.execute(HttpClientRequest.put(url))
      yield* get()
      yield* put
      expect((yield* get()).text).toBe("0")
      yield* put
      expect((yield* get()).text).toBe("3")
      expect(yield* transport.requestCount).toBe(4)
    })
  )

  it.effect("of any status and bytes is stored as it is", () =>
    Effect.gen(function* () {
      const bytes = new Uint8Array([0, 255, 254])
      const { client, transport } = yield* over([MockTransport.bytes(bytes, { ...fresh, status: 404 })])
      for (let count = 0; count < 2; count++) {
        const response = yield* client.get(url)
        expect([response.status, ...new Uint8Array(yield* response.arrayBuffer)]).toEqual([404, ...bytes])
      }
      expect(yield* transport.requestCount).toBe(1)
    })
  )
})

describe("credentials", () => {
  it.effect("have a part of the cache each, also for private responses, and stay out of the store", () =>
    Effect.gen(function* () {
      const headers = { "cache-control": "private, max-age=60", date, vary: "authorization, x-tenant" }
      const { get, store, transport } = yield* over((request, index) =>
        MockTransport.text(`${request.headers["authorization"] ?? request.headers["x-tenant"]} ${index}`, {
          headers
        })
      )
      const read = (headers: Record<string, string>) => Effect.map(get(headers), ({ text }) => text)
      const [ann, bob, tenant] = [
        { authorization: "ann-token" },
        { authorization: "bob-token" },
        { "x-tenant": "c" }
      ]
      const texts = yield* Effect.forEach([ann, bob, tenant, ann, bob, tenant], read)
      expect(texts).toEqual(["ann-token 0", "bob-token 1", "c 2", "ann-token 0", "bob-token 1", "c 2"])
      expect(yield* transport.requestCount).toBe(3)
      const kept = (yield* store.get(url)).map((entry) => ({ ...entry, body: "" }))
      expect(JSON.stringify(kept)).not.toMatch(/-token/)
    })
  )

  it.effect("do not share a flight", () =>
    Effect.gen(function* () {
      const { get, transport } = yield* over((request) =>
        MockTransport.text(request.headers["authorization"] ?? "", { ...fresh, delay: 1000 })
      )
      const all = Effect.forEach(["a", "b", "a"], (authorization) => get({ authorization }), {
        concurrency: "unbounded"
      })
      const fiber = yield* Effect.fork(all)
      yield* transport.awaitRequests(2)
      yield* TestClock.adjust("1 second")
      expect((yield* Fiber.join(fiber)).map(({ text }) => text)).toEqual(["a", "b", "a"])
    })
  )
})

describe("equal requests at once", () => {
  it.effect("share one flight", () =>
    Effect.gen(function* () {
      const { get, transport } = yield* over([MockTransport.text("1", { ...fresh, delay: 1000 })])
      const all = Effect.forEach(Array.from({ length: 50 }), () => get(), { concurrency: "unbounded" })
      const fiber = yield* Effect.fork(all)
      yield* transport.awaitRequests(1)
      yield* TestClock.adjust("1 second")
      expect(new Set((yield* Fiber.join(fiber)).map(({ text }) => text))).toEqual(new Set(["1"]))
    })
  )

  it.effect("go on if the one in flight is interrupted: the next takes its place", () =>
    Effect.gen(function* () {
      const { get, transport } = yield* over([MockTransport.never, MockTransport.text("2", fresh)])
      const first = yield* Effect.fork(get())
      yield* transport.awaitRequests(1)
      const others = yield* Effect.fork(Effect.all([get(), get()], { concurrency: "unbounded" }))
      yield* TestClock.adjust(0)
      yield* Fiber.interrupt(first)
      expect((yield* Fiber.join(others)).map(({ text }) => text)).toEqual(["2", "2"])
      expect([yield* transport.requestCount, yield* transport.interrupted]).toEqual([2, 1])
    })
  )

  it.effect("can be interrupted while they wait, and the one in flight goes on", () =>
    Effect.gen(function* () {
      const { get, transport } = yield* over([MockTransport.text("1", { ...fresh, delay: 1000 })])
      const first = yield* Effect.fork(get())
      yield* transport.awaitRequests(1)
      const second = yield* Effect.fork(get())
      yield* TestClock.adjust(0)
      expect(
        Exit.isInterrupted(yield* Fiber.interrupt(second).pipe(Effect.zipRight(Fiber.await(second))))
      ).toBe(true)
      yield* TestClock.adjust("1 second")
      expect((yield* Fiber.join(first)).text).toBe("1")
    })
  )

  it.effect("fail with it", () =>
    Effect.gen(function* () {
      const { get } = yield* over([
        MockTransport.forever(MockTransport.connectionError({ code: "ECONNREFUSED", delay: 1000 }))
      ])
      const errors = yield* advancing(
        Effect.all([Effect.flip(get()), Effect.flip(get())], { concurrency: "unbounded" })
      )
      expect(errors.map(({ cause }) => cause)).toEqual([
        expect.objectContaining({ code: "ECONNREFUSED" }),
        expect.objectContaining({ code: "ECONNREFUSED" })
      ])
    })
  )

  it.effect("are sent each if the response may not be shared", () =>
    Effect.gen(function* () {
      const { get } = yield* over((_, index) => MockTransport.text(String(index), { delay: 1000 }))
      const all = yield* advancing(Effect.all([get(), get(), get()], { concurrency: "unbounded" }))
      expect(all.map(({ text }) => text).sort()).toEqual(["0", "1", "2"])
    })
  )
})

describe("under a client", () => {
  const Live = (script: MockTransport.Script) =>
    ApiClient.layer({
      baseUrl: "https://api.test",
      credentials: Credentials.bearer(Redacted.make("token"))
    }).pipe(Layer.provideMerge(layer()), Layer.provideMerge(MockTransport.layer(script)))

  it.effect("values, retries and revalidation work together", () =>
    Effect.gen(function* () {
      const { requestCount, requests } = yield* MockTransport.MockTransport
      const todo = ApiRequest.get("/todos/1", { success: Schema.Struct({ id: Schema.Number }) })
      expect(yield* advancing(ApiClient.execute(todo))).toEqual({ id: 1 })
      expect(yield* ApiClient.execute(todo)).toEqual({ id: 1 })
      expect(yield* requestCount).toBe(2)
      yield* TestClock.adjust("61 seconds")
      expect(yield* ApiClient.execute(todo)).toEqual({ id: 1 })
      expect((yield* requests).at(-1)?.headers).toMatchObject({
        "if-none-match": '"a"',
        authorization: "Bearer token"
      })
    }).pipe(
      Effect.provide(
        Live([
          MockTransport.empty(503),
          MockTransport.json({ id: 1 }, { headers: { ...fresh.headers, etag: '"a"' } }),
          MockTransport.empty(304, { headers: { ...fresh.headers, etag: '"a"' } })
        ])
      )
    )
  )

  it.effect("a stream of events passes as it comes", () =>
    Effect.gen(function* () {
      const events = ApiRequest.get("/events", {
        events: EventStream.make({ event: Schema.Number, terminal: "none" })
      })
      const first = yield* Stream.runHead(ApiClient.stream(events))
      expect(first).toMatchObject({ _tag: "Some", value: 1 })
    }).pipe(
      Effect.provide(
        Live([
          MockTransport.stream(["data: 1\n\n", { delay: Infinity }], {
            headers: { ...fresh.headers, "content-type": "text/event-stream" }
          })
        ])
      )
    )
  )
})

it.effect("the store forgets the URLs that were used longest ago", () =>
  Effect.gen(function* () {
    const store = memoryStore(2)
    const entry = { partition: "", policy: {} as never, status: 200, body: new Uint8Array(0) }
    yield* store.set("a", [entry])
    yield* store.set("b", [entry])
    yield* store.get("a")
    yield* store.set("c", [entry])
    expect(
      yield* Effect.forEach(["a", "b", "c"], (url) => Effect.map(store.get(url), ({ length }) => length))
    ).toEqual([1, 0, 1])
  })
)

it.effect("other clients need no change", () =>
  Effect.gen(function* () {
    const read = Effect.flatMap(HttpClient.get(url), ({ text }) => text)
    expect(yield* Effect.all([read, read])).toEqual(["1", "1"])
  }).pipe(Effect.provide(Layer.provide(layer(), MockTransport.layer([MockTransport.text("1", fresh)]))))
)
