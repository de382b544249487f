import { describe, expect, it } from "@effect/vitest"
import { ApiClient, ApiRequest, Compression, NativeTransport, PromiseClient } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect } from "effect"
import { scripted, sent, withoutDelay } from "../fixtures/requests.js"
import { ok, play, playError, status } from "../fixtures/retry.js"

const text = (method: string) => ApiRequest.make(method)("/x", { body: { a: 1 } })

/** The IANA HTTP Method Registry of September 2025, but CONNECT, `*` and the two of HTTP/2's preface. */
const registry = {
  safe: ["GET", "HEAD", "OPTIONS", "PROPFIND", "QUERY", "REPORT", "SEARCH"],
  idempotent: (
    "ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT COPY DELETE LABEL LINK MERGE MKACTIVITY MKCALENDAR MKCOL " +
    "MKREDIRECTREF MKWORKSPACE MOVE ORDERPATCH PROPPATCH PUT REBIND UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE " +
    "UPDATEREDIRECTREF VERSION-CONTROL"
  ).split(" "),
  nothing: ["LOCK", "PATCH", "POST"]
} as const

const unregistered = ["PURGE", "BREW", "get-list", "X!#$%&'*+-.^_`|~9", "MKX", "UPUT", "GETS", "put-it"]

describe("a method", () => {
  it.effect.each(["QUERY", "OPTIONS", "PROPFIND", "PURGE", "get-list", "X!#$%&'*+-.^_`|~9"])(
    "2.5 %s is sent as it is written, with a body",
    (method) =>
      Effect.gen(function* () {
        const request = yield* sent(text(method))
        expect([request.method, request.text]).toEqual([method, '{"a":1}'])
      })
  )

  it.effect.each([
    "",
    " ",
    "GET ",
    "A B",
    "GET\r\nx: y",
    "GÉT",
    "GET/",
    "\0",
    "CONNECT",
    "connect",
    "TRACE",
    "Track",
    "get",
    "Query",
    "pATCH",
    undefined as never,
    null as never,
    7 as never
  ])("2.5 %j fails when it runs, and nothing is sent", (method) =>
    Effect.gen(function* () {
      const { error, requests } = yield* playError([ok], {}, text(method), 0)
      expect(error).toMatchObject({
        _tag: "InvalidRequestError",
        field: "method",
        delivery: "not-sent",
        request: { method: "(invalid)" }
      })
      expect(requests).toEqual([])
    })
  )

  it.effect.each([...registry.safe, ...registry.idempotent])(
    "2.6 %s is idempotent: it is retried with retryUnsafe never",
    (method) =>
      Effect.gen(function* () {
        expect(NativeTransport.isIdempotent(method)).toBe(true)
        const options = { retry: { ...withoutDelay, retryUnsafe: "never" } } as const
        expect((yield* play([status(503), ok], options, text(method), 0)).requests).toHaveLength(2)
      })
  )

  it.effect.each([...registry.nothing, ...unregistered])(
    "2.6 %s may do more when it is sent twice: it is not retried with retryUnsafe never",
    (method) =>
      Effect.gen(function* () {
        expect(NativeTransport.isIdempotent(method)).toBe(false)
        const options = { retry: { ...withoutDelay, retryUnsafe: "never" } } as const
        const { error, requests } = yield* playError([status(503), ok], options, text(method), 0)
        expect([error.stoppedBy, requests.length]).toEqual(["not-retryable", 1])
      })
  )

  it.effect.each([
    ...registry.safe.map((method) => [method, false] as const),
    ...[...registry.idempotent, ...registry.nothing, ...unregistered].map((method) => [method, true] as const)
  ])("4.4 %s is sent with an idempotency key of the client: %s", ([method, isKeyed]) =>
    Effect.gen(function* () {
      const { headers } = yield* sent(text(method), { idempotency: { header: "idempotency-key" } })
      expect("idempotency-key" in headers).toBe(isKeyed)
    })
  )

  it.effect("4.4 a key of the request is sent with any method", () =>
    Effect.gen(function* () {
      const request = ApiRequest.make("QUERY")("/x", { idempotencyKey: "k" })
      expect((yield* sent(request)).headers["idempotency-key"]).toBe("k")
    })
  )
})

describe("every way in", () => {
  it("2.5 a promise client sends any method, compressed if it is set up so", async () => {
    const seen: Array<readonly [method: string, encoding: string | undefined]> = []
    await using client = PromiseClient.make({
      baseUrl: "https://api.test",
      compression: Compression.gzip({ minBytes: 1 }),
      transport: MockTransport.layer(({ headers, method }) => {
        seen.push([method, headers["content-encoding"]])
        return ok
      })
    })
    const query = ApiRequest.make("QUERY")
    expect(await client.execute(query("/x", { text: "a".repeat(100) }))).toBe("ok")
    expect(await client.execute(query("/x", { text: "a".repeat(100), compression: false }))).toBe("ok")
    expect(seen).toEqual([
      ["QUERY", "gzip"],
      ["QUERY", undefined]
    ])
  })

  it.effect("2.5 the accessor sends any method with the client of the environment", () =>
    Effect.gen(function* () {
      const found = yield* ApiClient.execute(ApiRequest.make("REPORT")("/{+path}", { path: { path: "a/b" } }))
      expect(found).toBe("ok")
    }).pipe(
      Effect.provide(ApiClient.layer({ baseUrl: "https://api.test" })),
      Effect.provide(MockTransport.layer([ok]))
    )
  )
})

describe("a redirect", () => {
  it.effect.each([
    [301, "QUERY"],
    [302, "QUERY"],
    [307, "QUERY"],
    [308, "QUERY"],
    [303, "GET"]
  ] as const)("8.1 a %i of a QUERY is followed with %s (RFC 10008, 2.5)", ([code, method]) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([
        MockTransport.empty(code, { headers: { location: "/there" } }),
        ok
      ])
      yield* client.execute(text("QUERY"))
      const [, followed] = yield* transport.requests
      expect([followed?.method, followed?.text]).toEqual([method, method === "GET" ? "" : '{"a":1}'])
    })
  )
})
