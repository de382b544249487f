import { HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import {
  ApiRequest,
  Compression,
  Credentials,
  EventStream,
  type Middleware,
  Pagination,
  Signing
} from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Clock, Data, Effect, Exit, Fiber, Redacted, Schema, Stream, TestClock } from "effect"
import { canaries, leaks, observe } from "../fixtures/canary.js"
import { drain } from "../fixtures/pages.js"
import { baseUrl, scripted, withoutDelay } from "../fixtures/requests.js"
import { list, ok, play, playError, status, withoutJitter } from "../fixtures/retry.js"

/** Signs with the time, and keeps what it saw. */
const recording = () => {
  const seen: Array<Signing.SigningRequest> = []
  const credentials = Signing.credentials((request) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      seen.push(request)
      return { "X-Signed-At": now, "x-signature": `signature-${seen.length}` }
    })
  )
  return { seen, credentials }
}

const signatures = (requests: ReadonlyArray<MockTransport.MockRequest>) =>
  requests.map(({ headers }) => headers["x-signature"])

const text = (bytes: Uint8Array | undefined) =>
  bytes === undefined ? undefined : new TextDecoder().decode(bytes)

describe("credentials that sign", () => {
  it.effect("4.6 see method, URL and headers as they are sent, after the middleware", () =>
    Effect.gen(function* () {
      const { credentials, seen } = recording()
      const adds: Middleware.Middleware = (request, next) =>
        next(
          request.pipe(
            HttpClientRequest.setHeader("x-middleware", "1"),
            HttpClientRequest.setUrlParam("added", "it's")
          )
        )
      const { client, transport } = yield* scripted([ok], { credentials, middleware: [adds] })
      yield* client.execute(
        ApiRequest.put("/todos/{id}", { path: { id: "a b" }, query: { q: "é" }, body: { a: 1 } })
      )
      const [sent] = yield* transport.requests
      expect(seen).toHaveLength(1)
      expect(seen[0]).toMatchObject({ method: "PUT", url: sent?.url })
      expect(seen[0]?.url).toBe(`${baseUrl}/todos/a%20b?q=%C3%A9&added=it%27s`)
      expect(sent?.headers).toEqual({
        ...seen[0]?.headers,
        "x-signature": "signature-1",
        "x-signed-at": "0"
      })
      expect(seen[0]?.headers).toMatchObject({ "content-type": "application/json", "x-middleware": "1" })
      expect(text(seen[0]?.body)).toBe('{"a":1}')
    })
  )

  it.effect.each([
    { name: "no body", options: {}, body: "" },
    { name: "JSON", options: { body: { a: "é" } }, body: '{"a":"é"}' },
    { name: "a form", options: { form: { a: "b c" } }, body: "a=b%20c" },
    { name: "text", options: { text: "hello" }, body: "hello" },
    { name: "bytes", options: { bytes: new Uint8Array([104, 105]) }, body: "hi" },
    { name: "bytes with progress", options: { text: "hi", onUpload: () => undefined }, body: "hi" },
    { name: "a stream", options: { bodyStream: Stream.make(new Uint8Array([1])) }, body: undefined }
  ])("4.6 see the bytes of $name", ({ body, options }) =>
    Effect.gen(function* () {
      const { credentials, seen } = recording()
      const { client } = yield* scripted([ok], { credentials })
      yield* client.execute(ApiRequest.post("/todos", options))
      expect(text(seen[0]?.body)).toBe(body)
    })
  )

  it.effect("4.6 see the compressed bytes, and are asked again for a body that is sent without", () =>
    Effect.gen(function* () {
      const { credentials, seen } = recording()
      const { client, transport } = yield* scripted([status(415), ok], {
        credentials,
        compression: Compression.gzip({ minBytes: 0 })
      })
      yield* client.execute(ApiRequest.post("/todos", { text: "a".repeat(1000) }))
      const requests = yield* transport.requests
      expect(requests.map(({ headers }) => headers["content-encoding"])).toEqual(["gzip", undefined])
      expect(seen.map(({ body }) => body)).toEqual(requests.map(({ body }) => body))
      expect(signatures(requests)).toEqual(["signature-1", "signature-2"])
    })
  )

  it.effect("4.6 sign every attempt anew, with a new date", () =>
    Effect.gen(function* () {
      const { credentials } = recording()
      const { requests } = yield* play([status(503), status(503), ok], { credentials, retry: withoutJitter })
      expect(requests.map(({ headers }) => headers["x-signed-at"])).toEqual(["0", "500", "1500"])
      expect(signatures(requests)).toEqual(["signature-1", "signature-2", "signature-3"])
    })
  )

  it.effect("4.6 sign every hop to a trusted origin for its URL, and none to another", () =>
    Effect.gen(function* () {
      const { credentials, seen } = recording()
      const locations = [`${baseUrl}/b`, "https://trusted.test/c", "https://other.test/d", `${baseUrl}/e`]
      const { client, transport } = yield* scripted(
        ({ index }) => {
          const location = locations[index]
          return location === undefined ? ok : MockTransport.empty(302, { headers: { location } })
        },
        { credentials, trustedOrigins: ["https://trusted.test"] }
      )
      yield* client.execute(ApiRequest.get("/a"))
      expect(seen.map(({ url }) => url)).toEqual([`${baseUrl}/a`, ...locations.slice(0, 2)])
      expect(signatures(yield* transport.requests)).toEqual([
        "signature-1",
        "signature-2",
        "signature-3",
        undefined,
        undefined
      ])
    })
  )

  it.effect("4.6 sign nothing that middleware sends to another origin", () =>
    Effect.gen(function* () {
      const { credentials } = recording()
      const elsewhere: Middleware.Middleware = (request, next) =>
        next(HttpClientRequest.setUrl(request, "https://other.test/x"))
      const { requests } = yield* play([ok], { credentials, middleware: [elsewhere] }, list, 0)
      expect(signatures(requests)).toEqual([undefined])
    })
  )

  it.effect("4.6 sign again what middleware sends again, and nothing that it responds to itself", () =>
    Effect.gen(function* () {
      const { credentials } = recording()
      const twice: Middleware.Middleware = (request, next) =>
        Effect.flatMap(next(request), () => next(request))
      const { requests } = yield* play([ok, ok], { credentials, middleware: [twice] }, list, 0)
      expect(signatures(requests)).toEqual(["signature-1", "signature-2"])
    })
  )

  it.effect("4.6 sign the attempts of a stream, and every page", () =>
    Effect.gen(function* () {
      const { credentials } = recording()
      const event = MockTransport.stream(['data: {"n":1}\n\n', "data: [DONE]\n\n"], {
        headers: { "content-type": "text/event-stream" }
      })
      const streaming = yield* scripted([status(503), event], { credentials, retry: withoutDelay })
      const events = EventStream.make({ event: Schema.Struct({ n: Schema.Number }), terminal: "[DONE]" })
      yield* Stream.runDrain(streaming.client.stream(ApiRequest.post("/e", { events })))
      expect(signatures(yield* streaming.transport.requests)).toEqual(["signature-1", "signature-2"])

      const paged = yield* scripted(
        ({ index }) =>
          MockTransport.json([index], {
            headers: index < 2 ? { link: `<${baseUrl}/list?p=${index}>; rel="next"` } : {}
          }),
        { credentials }
      )
      const request = ApiRequest.get("/list", {
        success: Schema.Array(Schema.Number),
        pagination: Pagination.linkHeader({ items: (page: ReadonlyArray<number>) => page })
      })
      yield* drain(paged.client.items(request))
      expect(signatures(yield* paged.transport.requests)).toEqual([
        "signature-3",
        "signature-4",
        "signature-5"
      ])
    })
  )

  it.effect("4.6 work wherever credentials do: of a request, of an effect, of a fetched token", () =>
    Effect.gen(function* () {
      const sign = (key: Redacted.Redacted) =>
        Signing.credentials(() =>
          Effect.succeed({ "x-signature": Redacted.make(`by ${Redacted.value(key)}`) })
        )
      const key = Redacted.make("s3cret")
      const { client, transport } = yield* scripted([MockTransport.forever(ok)])
      for (const credentials of [
        sign(key),
        Credentials.firstOf([Credentials.none, sign(key)]),
        Credentials.effect(Effect.succeed(sign(key)), { invalidate: Effect.void }),
        Credentials.cached({ fetch: Effect.succeed(key), as: sign })
      ]) {
        yield* client.execute(ApiRequest.override(list, { credentials }))
      }
      expect(signatures(yield* transport.requests)).toEqual(Array(4).fill("by s3cret"))
    })
  )

  it.effect("4.1 the headers of a signature precede all others", () =>
    Effect.gen(function* () {
      const credentials = Signing.credentials(() => Effect.succeed({ Authorization: "signed", "x-a": "2" }))
      const { requests } = yield* play(
        [ok],
        { credentials, headers: { authorization: "own", "x-a": "1" } },
        ApiRequest.override(list, { headers: { "x-a": "3" } }),
        0
      )
      expect(requests[0]?.headers).toMatchObject({ authorization: "signed", "x-a": "2" })
    })
  )

  it.effect("4.6 may add to the headers that it got, which are a copy", () =>
    Effect.gen(function* () {
      const credentials = Signing.credentials(({ headers }) =>
        Effect.succeed(Object.assign(headers, { "x-s": "1" }))
      )
      const { requests } = yield* play(
        [ok],
        { credentials },
        ApiRequest.override(list, { headers: { "x-own": "2" } }),
        0
      )
      expect(requests[0]?.headers).toMatchObject({ "x-s": "1", "x-own": "2" })
    })
  )

  class NoKey extends Data.TaggedError("NoKey") {}

  const failing: ReadonlyArray<readonly [name: string, sign: () => unknown, reason: RegExp]> = [
    ["fails", () => Effect.fail(new NoKey()), /^no credentials: NoKey$/],
    [
      "throws",
      () => {
        throw new Error("broken")
      },
      /^no credentials: broken$/
    ],
    ["rejects", () => Promise.reject(new Error("no key")), /^no credentials: no key$/],
    ["resolves to nothing", async () => undefined, /must give headers, and gave undefined/],
    ["returns nothing", () => undefined, /must give headers, and gave undefined/],
    [
      "gives headers that cannot be read",
      () =>
        Effect.succeed({
          get "x-s"() {
            throw new Error("no")
          }
        }),
      /signature could not be read/
    ],
    ["gives no headers", () => Effect.succeed(1), /must give headers, and gave a number/],
    [
      "gives a bad value",
      () => Effect.succeed({ "x-s": "a\r\nb" }),
      /signature\.x-s must not contain CR, LF/
    ],
    ["gives a bad name", () => Effect.succeed({ "x s": "a" }), /signature\.x s must be a header name/],
    [
      "gives a header of the connection",
      () => Effect.succeed({ "transfer-encoding": "chunked" }),
      /transfer-encoding belongs to the connection/
    ],
    [
      "changes the length",
      () => Effect.succeed({ "content-length": "99" }),
      /the signature's headers\.content-length must be the length of the body/
    ]
  ]

  it.effect.each(failing)(
    "4.6 a signer that %s is a CredentialsError, and nothing is sent",
    ([_name, sign, reason]) =>
      Effect.gen(function* () {
        const credentials = Reflect.apply(Signing.credentials, undefined, [sign])
        const { error, requests } = yield* playError([], { credentials }, list, 0)
        expect(error).toMatchObject({
          _tag: "CredentialsError",
          delivery: "not-sent",
          stoppedBy: "not-retryable"
        })
        expect(error.message).toMatch(reason)
        expect(requests).toEqual([])
      })
  )

  it.effect("1.2 a signer that is no function is a CredentialsError", () =>
    Effect.gen(function* () {
      const credentials = Reflect.apply(Signing.credentials, undefined, ["secret"])
      const { error } = yield* playError([], { credentials }, list, 0)
      expect(error.message).toBe("no credentials: what signs must be a function, and is a string")
    })
  )

  it.effect.each([
    ["as text", canaries.token("k")],
    ["redacted", Redacted.make(canaries.token("k"))]
  ] as const)(
    "12.4 a signature and a key given %s show nowhere, wherever the server sends it back",
    ([, key]) =>
      Effect.gen(function* () {
        const credentials = Signing.credentials(
          () =>
            Effect.succeed({
              authorization: `Scheme Credential=me, Signature=${canaries.token("s")}`,
              "x-proof": canaries.token("p"),
              "content-type": "text/plain"
            }),
          { secrets: [key] }
        )
        const echo = MockTransport.response(({ headers }) => {
          const { authorization = "" } = headers
          return new Response(
            JSON.stringify({
              error: { message: `${authorization.split("Signature=")[1]} of ${canaries.token("k")}` },
              headers
            }),
            { status: 403, headers: { "x-echo": headers["x-proof"] ?? "" } }
          )
        })
        const { client } = yield* scripted([status(503), echo], { credentials })
        const { evidence, exit } = yield* observe(client.execute(ApiRequest.post("/todos", { text: "hi" })))
        expect(Exit.isFailure(exit)).toBe(true)
        expect(leaks(evidence)).toEqual([])
        // A header that was there before, or that every text may contain, is none of its secrets.
        expect(evidence.some(([, text]) => text.includes("api.test"))).toBe(true)
      })
  )

  it.effect("6.7 a call of a signer makes a single attempt, under the deadline of the outer call", () =>
    Effect.gen(function* () {
      const service = yield* scripted([MockTransport.forever(status(503))], { retry: withoutDelay })
      const credentials = Signing.credentials(() => Effect.as(service.client.get("/sign"), {}))
      const { ended } = yield* play([], { credentials, retry: { maxRetries: 0 } }, list, 0)
      expect(ended).toMatchObject({ left: { _tag: "CredentialsError" } })
      expect(yield* service.transport.requestCount).toBe(1)

      const { client } = yield* scripted([], {
        credentials: Signing.credentials(() => Effect.never),
        timeouts: { total: "1 second" }
      })
      const call = yield* Effect.fork(Effect.flip(client.execute(list)))
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(call)).toMatchObject({ _tag: "TimeoutError", phase: "total" })
    })
  )

  it.effect("4.6 many attempts keep the latest signatures alone", () =>
    Effect.gen(function* () {
      const { credentials } = recording()
      const { client, transport } = yield* scripted([MockTransport.forever(status(503))], {
        credentials,
        retry: { ...withoutDelay, maxRetries: 200, budget: false }
      })
      const error = yield* Effect.flip(client.execute(list))
      expect(error).toMatchObject({ _tag: "ServiceUnavailableError" })
      expect(yield* transport.requestCount).toBe(201)
    })
  )
})
