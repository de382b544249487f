import { describe, expect, it } from "@effect/vitest"
import {
  ApiClient,
  ApiRequest,
  Credentials,
  EventStream,
  Pagination,
  ResponseDecoder
} from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Chunk, Duration, Effect, Iterable, Redacted, Schema, Stream } from "effect"
import { clientOf } from "../fixtures/sockets.js"
import { direct } from "../fixtures/transports.js"

const ok = TestServer.json("there")
const order = ApiRequest.post("/orders", { body: { a: 1 } })

/** A response with exactly these header lines, as UTF-8. */
const rawReply = (status: number, lines: ReadonlyArray<string>, body = ""): TestServer.Reply => {
  const length = new TextEncoder().encode(body).length
  const head = [`HTTP/1.1 ${status} X`, "connection: close", ...lines, `content-length: ${length}`]
  return TestServer.raw(`${head.join("\r\n")}\r\n\r\n${body}`)
}
const json = (...lines: ReadonlyArray<string>) =>
  rawReply(200, ["content-type: application/json", ...lines], '"there"')

const lines = (requests: ReadonlyArray<TestServer.SeenRequest>) =>
  requests.map(({ method, url }) => `${method} ${url}`)

describe.each(direct)("over $name", ({ layer }) => {
  const locations: ReadonlyArray<readonly [name: string, lines: ReadonlyArray<string>, url: string]> = [
    ["raw UTF-8", ["location: /café?q=日"], "/caf%C3%A9?q=%E6%97%A5"],
    ["encoded UTF-8", ["location: /caf%C3%A9"], "/caf%C3%A9"],
    ["a repeated value", ["location: /end", "location: /end"], "/end"],
    ["a repeated value in raw UTF-8", ["location: /ü", "location: /ü"], "/%C3%BC"],
    ["a repeated value with a comma", ["location: /a, b", "location: /a, b"], "/a,%20b"],
    ["an upper-case name", ["LOCATION: /end"], "/end"]
  ]

  it.scopedLive.each(locations)("8.5 the location header with %s", ([_name, headers, url]) =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "GET /start": rawReply(302, headers), "GET /*": ok })
      const client = yield* clientOf(server)
      expect(yield* client.get("/start")).toBe("there")
      expect(lines(yield* server.requests)).toEqual(["GET /start", `GET ${url}`])
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("6.12 after a 303 the GET is retried, not the POST", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "POST /orders": TestServer.empty(303, { location: "/jobs/1" }),
        "GET /jobs/1": TestServer.sequence(TestServer.empty(429), TestServer.reset, TestServer.empty(503), ok)
      })
      const client = yield* clientOf(server, {
        retry: { initialDelay: 0, maxRetries: 5, retryUnsafe: "when-safe" }
      })
      expect(yield* client.execute(order)).toBe("there")
      expect(lines(yield* server.requests)).toEqual(["POST /orders", ...Array(4).fill("GET /jobs/1")])
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("6.12 a refused connection after a 303 is maybe-applied", () =>
    Effect.gen(function* () {
      const refusedUrl = yield* TestServer.refusedUrl
      const server = yield* TestServer.make(TestServer.empty(303, { location: `${refusedUrl}/jobs/1` }))
      const client = yield* clientOf(server)
      const error = yield* Effect.flip(client.execute(order))
      expect(error).toMatchObject({ _tag: "ConnectionError", kind: "refused", delivery: "maybe-applied" })
      expect(error.attempts).toHaveLength(3)
      expect(yield* server.requests).toHaveLength(1)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("6.12 a body that can be read only once is not needed after a 303", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "POST /start": TestServer.empty(303, { location: "/mid" }),
        "GET /mid": TestServer.empty(302, { location: "/end" }),
        "GET /end": ok
      })
      const client = yield* clientOf(server)
      const bodyStream = Stream.make(new TextEncoder().encode("x"))
      expect(yield* client.post("/start", { bodyStream })).toBe("there")
      expect(lines(yield* server.requests)).toEqual(["POST /start", "GET /mid", "GET /end"])
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive.each([301, 302, 303, 307, 308])("8.1 a %d carries no secret to another origin", (code) =>
    Effect.gen(function* () {
      const other = yield* TestServer.make(ok)
      const server = yield* TestServer.make(
        TestServer.empty(code, { location: `//127.0.0.1:${other.port}/y` })
      )
      const client = yield* clientOf(server, {
        credentials: Credentials.bearer(Redacted.make("SECRET-1")),
        headers: { "x-config": Redacted.make("SECRET-2") },
        query: { key: Redacted.make("SECRET-3") }
      })
      const headers = { cookie: "SECRET-4", "x-own": Redacted.make("SECRET-5") }
      expect(yield* client.post("/x", { body: 1, headers })).toBe("there")
      yield* ApiClient.httpClient(client).get("/x", { headers: { cookie: "SECRET-4" } })
      const seen = yield* other.requests
      expect(seen).toHaveLength(2)
      expect(JSON.stringify(seen)).not.toContain("SECRET")
      const secret = yield* Effect.either(client.post("/x", { body: { a: Redacted.make("SECRET-6") } }))
      expect(secret._tag).toBe(code < 304 ? "Right" : "Left")
      expect(JSON.stringify(yield* other.requests)).not.toContain("SECRET")
    }).pipe(Effect.provide(layer))
  )

  const pairs = [
    ["x-own", Redacted.make("SECRET-1")],
    ["x-open", "open"]
  ] as const
  /** An instance whose pairs nobody sees who does not iterate. */
  class Kept {
    readonly #pairs = pairs;
    *[Symbol.iterator]() {
      yield* this.#pairs
    }
  }
  const shapes = {
    "a record": Object.fromEntries(pairs),
    pairs,
    "a map": new Map<string, string | Redacted.Redacted>(pairs),
    "an iterable of Effect": Iterable.map(pairs, (pair) => pair),
    "an instance that keeps its pairs private": new Kept()
  }

  it.scopedLive.each(Object.entries(shapes))(
    "8.1 a secret in headers that are %s goes to no other origin, and no error shows it",
    ([, headers]) =>
      Effect.gen(function* () {
        const echo = TestServer.streaming(({ headers }) =>
          TestServer.json({ error: { message: `no: ${headers["x-own"]}` } }, { status: 400 })
        )
        const other = yield* TestServer.make(TestServer.json("there"))
        const server = yield* TestServer.make({
          "GET /moved": TestServer.empty(307, { location: `${other.url}/y` }),
          "*": echo
        })
        const ofClient = yield* clientOf(server, { headers })
        const bare = yield* clientOf(server)
        yield* ofClient.get("/moved")
        yield* ofClient.get(`${other.url}/y`)
        yield* bare.get("/moved", { headers })
        const seen = yield* other.requests
        expect(seen.map(({ headers }) => headers["x-own"])).toEqual(Array(3).fill(undefined))
        const errors = [
          yield* Effect.flip(ofClient.get("/echo")),
          yield* Effect.flip(bare.get("/echo", { headers }))
        ]
        expect((yield* server.requests).at(-1)?.headers["x-own"]).toBe("SECRET-1")
        for (const error of errors)
          expect(`${error.message} ${JSON.stringify(error)}`).not.toContain("SECRET-1")
      }).pipe(Effect.provide(layer))
  )

  it.scopedLive("8.1 streams and downloads follow redirects", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "GET /start": TestServer.empty(302, { location: "/end" }),
        "GET /end": TestServer.text("data: 1\n\n", { headers: { "content-type": "text/event-stream" } })
      })
      const client = yield* clientOf(server)
      const events = EventStream.make({ event: Schema.Number })
      const values = yield* Stream.runCollect(client.stream(ApiRequest.get("/start", { events })))
      expect(Chunk.toReadonlyArray(values)).toEqual([1])
      const bytes = yield* client.get("/start", { success: ResponseDecoder.stream() })
      expect(yield* Stream.mkString(Stream.decodeText(bytes))).toBe("data: 1\n\n")
      expect(yield* server.requests).toHaveLength(4)
    }).pipe(Effect.provide(layer))
  )

  const paged = (...headers: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "GET /start": TestServer.empty(302, { location: "/moved/here/list" }),
        "GET /moved/here/list": rawReply(200, ["content-type: application/json", ...headers], "[1]"),
        "GET /*": rawReply(200, ["content-type: application/json"], "[2]")
      })
      const client = yield* clientOf(server)
      const items = (page: ReadonlyArray<number>) => page
      const request = ApiRequest.get("/start", {
        success: Schema.Array(Schema.Number),
        pagination: Pagination.linkHeader({ items })
      })
      const values = yield* Stream.runCollect(client.items(request))
      expect(Chunk.toReadonlyArray(values)).toEqual([1, 2])
      const last = (yield* server.requests).at(-1)
      return last?.url
    }).pipe(Effect.provide(layer))

  it.scopedLive.each([
    [
      "a relative URL resolves against the URL that responded",
      ['link: <more?p=2>; rel="next"'],
      "/moved/here/more?p=2"
    ],
    ["raw UTF-8", ['link: </é?q=日>; rel="next"'], "/%C3%A9?q=%E6%97%A5"],
    [
      "in the second header line",
      ['link: </a>; rel="prev"', 'link: </b,c>; title="x, y"; REL="last Next"'],
      "/b,c"
    ],
    ["after a link with another anchor", ['link: </a>; rel=next; anchor="/o", </b>; rel=next'], "/b"]
  ] as const)("11.3 a next link: %s", ([_name, headers, url]) =>
    Effect.map(paged(...headers), (followed) => expect(followed).toBe(url))
  )

  it.scopedLive("8.5 repeated headers with the same value count once", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "GET /later": rawReply(429, ["retry-after: 7", "retry-after: 7"]),
        "GET /soon": rawReply(429, ["retry-after-ms: 70", "retry-after-ms: 70"]),
        "GET /date": rawReply(429, Array(2).fill("retry-after: Fri, 31 Dec 2100 23:59:59 GMT")),
        "GET /again": TestServer.sequence(
          rawReply(400, ["x-should-retry: true", "x-should-retry: true"]),
          ok
        ),
        "GET /id": rawReply(404, ["request-id: req_1", "request-id: req_1"]),
        "GET /json": json("content-type: application/json; charset=utf-8"),
        "GET /stream": rawReply(200, Array(2).fill("content-type: text/event-stream"), "data: 1\n\n")
      })
      const client = yield* clientOf(server, {
        retry: { initialDelay: 0, maxRetries: 0 },
        rateLimit: false
      })
      const waits = (path: string) =>
        Effect.map(Effect.flip(client.get(path)), (error) =>
          "retryAfter" in error && error.retryAfter !== undefined ? Duration.toMillis(error.retryAfter) : 0
        )
      expect([yield* waits("/later"), yield* waits("/soon")]).toEqual([7000, 70])
      expect(yield* waits("/date")).toBeGreaterThan(1e9)
      expect(yield* client.get("/again", { retry: { maxRetries: 1 } })).toBe("there")
      expect(yield* Effect.flip(client.get("/id"))).toMatchObject({ requestId: "req_1" })
      expect(yield* client.get("/json")).toBe("there")
      const events = EventStream.make({ event: Schema.Number })
      const values = yield* Stream.runCollect(client.stream(ApiRequest.get("/stream", { events })))
      expect(Chunk.toReadonlyArray(values)).toEqual([1])
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("8.5 headers may have the names of Object.prototype members", () =>
    Effect.gen(function* () {
      const names = ["constructor", "tostring", "hasownproperty", "valueof"]
      const server = yield* TestServer.make({
        "GET /x": json(...names.map((name) => `${name}: of ${name}`), "__proto__: polluted"),
        "GET /fails": rawReply(404, [...names.map((name) => `${name}: of ${name}`), "__proto__: polluted"])
      })
      const client = yield* clientOf(server)
      const headers = { constructor: "mine", toString: "mine", hasOwnProperty: "mine" } as unknown as {}
      const response = yield* client.executeWithResponse(ApiRequest.get("/x", { headers }))
      const expected = Object.fromEntries(names.map((name) => [name, `of ${name}`]))
      expect(response).toMatchObject({ value: "there", headers: expected })
      const error = yield* Effect.flip(client.get("/fails", { headers }))
      expect(error).toMatchObject({ _tag: "NotFoundError", headers: expected })
      expect(Object.hasOwn({}, "polluted")).toBe(false)
      const [first] = yield* server.requests
      expect(first?.headers).toMatchObject({ constructor: "mine", tostring: "mine", hasownproperty: "mine" })
    }).pipe(Effect.provide(layer))
  )
})
