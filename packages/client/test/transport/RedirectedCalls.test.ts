import { HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import {
  ApiClient,
  ApiRequest,
  Credentials,
  EventStream,
  type Middleware,
  PlatformHeaders,
  ResponseDecoder
} from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Chunk, Effect, Redacted, Schema, Stream } from "effect"
import { allSeries } from "../fixtures/metrics.js"
import { recorder } from "../fixtures/recorder.js"
import { scripted, withoutDelay } from "../fixtures/requests.js"
import { issueTokens, play, playError, settle, status, tokens } from "../fixtures/retry.js"

const to = (location: string, code = 303) => MockTransport.empty(code, { headers: { location } })
const ok = MockTransport.json("there")
const order = ApiRequest.post("/orders", { body: { a: 1 } })
const whenSafe = { retry: { ...withoutDelay, retryUnsafe: "when-safe" } } as const

/** The method and path of each request. */
const lines = (requests: ReadonlyArray<MockTransport.MockRequest>) =>
  requests.map(({ method, url }) => `${method} ${new URL(url).pathname}`)

/** Responds by method and path, with a count of the requests for each. */
const routes =
  (
    handlers: Readonly<
      Record<string, (count: number, request: MockTransport.MockRequest) => MockTransport.MockStep>
    >
  ): MockTransport.Script =>
  (request) => {
    const line = `${request.method} ${new URL(request.url).pathname}`
    const count = counts.get(handlers)?.get(line) ?? 0
    counts.set(handlers, new Map(counts.get(handlers)).set(line, count + 1))
    return handlers[line]?.(count, request) ?? MockTransport.empty(404)
  }
const counts = new WeakMap<object, Map<string, number>>()

describe("a POST that a redirect turned into a GET", () => {
  it.effect.each([301, 302, 303])("6.12 after %d the GET is retried, not the POST", (code) =>
    Effect.gen(function* () {
      const script = routes({
        "POST /v1/orders": () => to("/jobs/1", code),
        "GET /jobs/1": (count) => (count < 2 ? status(count === 0 ? 429 : 503) : ok)
      })
      const { ended, requests } = yield* play(script, whenSafe, order, 0)
      expect(lines(requests)).toEqual(["POST /v1/orders", ...Array(3).fill("GET /jobs/1")])
      expect(ended).toMatchObject({ right: { value: "there" } })
      // Each attempt is one line of the ledger, whatever its hops.
      expect(ended).toMatchObject({
        right: { attempts: [{ status: 429 }, { status: 503 }, { status: 200 }] }
      })
    })
  )

  it.effect.each(["always", "when-safe", "never"] as const)(
    "6.12 retryUnsafe %s applies to the GET",
    (retryUnsafe) =>
      Effect.gen(function* () {
        const { requests } = yield* play(
          [to("/jobs/1"), status(503), ok],
          { retry: { ...withoutDelay, retryUnsafe } },
          order,
          0
        )
        expect(lines(requests)).toEqual(["POST /v1/orders", "GET /jobs/1", "GET /jobs/1"])
      })
  )

  it.effect.each([
    ["PUT", 303],
    ["PATCH", 303],
    ["DELETE", 303]
  ] as const)("6.12 the same holds after a %s", ([method, code]) =>
    Effect.gen(function* () {
      const verbs = { PUT: ApiRequest.put, PATCH: ApiRequest.patch, DELETE: ApiRequest.del }
      const request = verbs[method]("/orders", { body: 1 })
      const { requests } = yield* play(
        [to("/jobs/1", code), status(503), ok],
        { retry: withoutDelay },
        request,
        0
      )
      expect(lines(requests)).toEqual([`${method} /v1/orders`, "GET /jobs/1", "GET /jobs/1"])
    })
  )

  it.effect("6.12 a retry repeats the last hop", () =>
    Effect.gen(function* () {
      const script = [to("/jobs/1"), to("/jobs/2", 302), status(503), ok]
      const { requests } = yield* play(script, whenSafe, order, 0)
      expect(lines(requests)).toEqual(["POST /v1/orders", "GET /jobs/1", "GET /jobs/2", "GET /jobs/2"])
    })
  )

  it.effect("6.12 a retry has only the redirects that the call has left", () =>
    Effect.gen(function* () {
      const script = [to("/1"), to("/2", 302), status(503), to("/3", 302), status(503), to("/4", 302)]
      const { error, requests } = yield* playError(script, { redirects: 3, retry: withoutDelay }, order, 0)
      expect(lines(requests)).toEqual([
        "POST /v1/orders",
        ...["GET /1", "GET /2", "GET /2", "GET /3", "GET /3"]
      ])
      expect(error).toMatchObject({
        _tag: "UnexpectedStatusError",
        message: "302 redirect not followed: more than 3",
        delivery: "maybe-applied"
      })
    })
  )

  it.effect("6.12 a retried GET follows a redirect relative to its own URL", () =>
    Effect.gen(function* () {
      const script = [to("/a/b"), status(503), to("c", 302), ok]
      const { requests } = yield* play(script, { retry: withoutDelay }, order, 0)
      expect(lines(requests)).toEqual(["POST /v1/orders", "GET /a/b", "GET /a/b", "GET /a/c"])
    })
  )

  it.effect("8.1 after a 307 the retry starts with the POST again", () =>
    Effect.gen(function* () {
      const script = [to("/other", 307), status(429), to("/other", 307), ok]
      const { requests } = yield* play(script, whenSafe, order, 0)
      const both = ["POST /v1/orders", "POST /other"]
      expect(lines(requests)).toEqual([...both, ...both])
    })
  )

  it.effect("6.12 after a 303 the body is not needed again", () =>
    Effect.gen(function* () {
      const once = ApiRequest.post("/orders", { bodyStream: Stream.make(new Uint8Array([1])) })
      const script = [to("/jobs/1"), to("/jobs/2", 302), status(503), ok]
      const { ended, requests } = yield* play(script, { retry: withoutDelay }, once, 0)
      expect(lines(requests)).toEqual(["POST /v1/orders", "GET /jobs/1", "GET /jobs/2", "GET /jobs/2"])
      expect(ended).toMatchObject({ right: { value: "there" } })
    })
  )

  it.effect("4.4 the GET does not carry the POST's idempotency key", () =>
    Effect.gen(function* () {
      const options = { idempotency: { header: "x-key" }, retry: withoutDelay }
      const { requests } = yield* play([to("/jobs/1"), status(503), ok], options, order, 0)
      expect(requests.map(({ headers }) => headers["x-key"] !== undefined)).toEqual([true, false, false])
      const named = ApiRequest.post("/orders", { body: 1, idempotencyKey: "mine" })
      const { requests: own } = yield* play([to("/jobs/1"), ok], {}, named, 0)
      expect(own.map(({ headers }) => headers["idempotency-key"])).toEqual(["mine", undefined])
    })
  )

  it.effect("8.1 the GET does not carry headers that describe the body", () =>
    Effect.gen(function* () {
      const headers = { "content-language": "de", digest: "x", "x-kept": "1" }
      const request = ApiRequest.post("/orders", { body: 1, headers })
      const { requests } = yield* play([to("/jobs/1"), ok], {}, request, 0)
      const names = Object.keys(requests[1]?.headers ?? {})
      expect(names.filter((name) => /^content-|^digest$/.test(name))).toEqual([])
      expect(names).toContain("x-kept")
    })
  )
})

describe("errors after the redirect", () => {
  const unresolved = MockTransport.connectionError({ code: "ENOTFOUND" })

  it.effect.each([
    ["404", status(404), "NotFoundError"],
    ["401", status(401), "AuthenticationError"],
    ["429", MockTransport.forever(status(429)), "RateLimitError"],
    ["dns", MockTransport.forever(unresolved), "ConnectionError"],
    [
      "refused",
      MockTransport.forever(MockTransport.connectionError({ code: "ECONNREFUSED" })),
      "ConnectionError"
    ],
    ["certificate", MockTransport.connectionError({ code: "CERT_HAS_EXPIRED" }), "ConnectionError"],
    [
      "connect",
      MockTransport.forever(MockTransport.connectionError({ code: "UND_ERR_CONNECT_TIMEOUT" })),
      "TimeoutError"
    ],
    ["a rejected redirect", to("http://api.test/plain"), "UnexpectedStatusError"],
    [
      "invalid JSON",
      MockTransport.text("<html>", { headers: { "content-type": "application/json" } }),
      "ResponseValidationError"
    ]
  ] as const)("6.12 %s is maybe-applied", ([_name, step, tag]) =>
    Effect.gen(function* () {
      const { error, requests } = yield* playError([to("/jobs/1"), step], { retry: withoutDelay }, order, 0)
      expect(error).toMatchObject({ _tag: tag, delivery: "maybe-applied", request: { method: "GET" } })
      expect(error.request.url).toBe("https://api.test/jobs/1")
      expect(lines(requests).filter((line) => line.startsWith("POST"))).toHaveLength(1)
    })
  )

  const onGet =
    (fail: Middleware.Middleware): Middleware.Middleware =>
    (request, next) =>
      request.method === "GET" ? fail(request, next) : next(request)

  it.effect("6.12 a middleware's own error is maybe-applied", () =>
    Effect.gen(function* () {
      const { client: other } = yield* scripted([unresolved], { retry: { maxRetries: 0 } })
      const error = yield* Effect.flip(other.get("/x"))
      expect(error.delivery).toBe("not-sent")
      const middleware = [onGet(() => Effect.fail(error))]
      const { error: clientSpans } = yield* playError(
        [to("/jobs/1")],
        { middleware, retry: { maxRetries: 0 } },
        order,
        0
      )
      expect(clientSpans).toMatchObject({ _tag: "ConnectionError", kind: "dns", delivery: "maybe-applied" })
    })
  )

  it.effect("6.12 a request that a middleware made invalid is maybe-applied", () =>
    Effect.gen(function* () {
      const unfit: Middleware.Middleware = (request, next) =>
        next(HttpClientRequest.bodyUnsafeJson(HttpClientRequest.setUrl(request, "no url"), 1))
      const { error } = yield* playError([to("/jobs/1")], { middleware: [onGet(unfit)] }, order, 0)
      expect(error.delivery).toBe("maybe-applied")
    })
  )

  it.effect("6.12 failing credentials are maybe-applied", () =>
    Effect.gen(function* () {
      let fetched = 0
      const credentials = Credentials.cached({
        fetch: Effect.suspend(() =>
          fetched++ === 0
            ? Effect.succeed({ token: Redacted.make("first"), expiresIn: 0 })
            : Effect.fail(new Error("gone"))
        )
      })
      const { error } = yield* playError([to("/jobs/1")], { credentials, retry: { maxRetries: 0 } }, order, 0)
      expect(error).toMatchObject({ _tag: "CredentialsError", delivery: "maybe-applied" })
    })
  )

  it.effect("6.5 an error at the deadline is maybe-applied", () =>
    Effect.gen(function* () {
      const options = {
        timeouts: { total: "10 seconds" },
        retry: { initialDelay: "20 seconds", maxDelay: "1 minute" }
      } as const
      const { error } = yield* playError([to("/jobs/1"), unresolved], options, order)
      expect(error).toMatchObject({
        _tag: "ConnectionError",
        stoppedBy: "deadline",
        delivery: "maybe-applied"
      })
    })
  )

  it.effect("6.4 an error without budget is maybe-applied", () =>
    Effect.gen(function* () {
      const retry = { ...withoutDelay, budget: { capacity: 1 } }
      const { error } = yield* playError([to("/jobs/1"), unresolved], { retry }, order, 0)
      expect(error).toMatchObject({ stoppedBy: "budget", delivery: "maybe-applied" })
    })
  )

  it.effect.each([
    [303, "POST", "maybe-applied"],
    [302, "POST", "maybe-applied"],
    [301, "POST", "maybe-applied"],
    [303, "PUT", "maybe-applied"],
    [302, "PUT", "rejected"],
    [307, "POST", "rejected"],
    [308, "POST", "rejected"],
    [303, "GET", "rejected"]
  ] as const)("6.12 a %d of a %s that is not followed is %s", ([code, method, delivery]) =>
    Effect.gen(function* () {
      const request = { GET: ApiRequest.get("/orders"), PUT: ApiRequest.put("/orders"), POST: order }[method]
      // x-should-retry does not repeat a request that the server has acted on.
      const step = MockTransport.empty(code, { headers: { location: "/x", "x-should-retry": "true" } })
      const script = MockTransport.forever(step)
      const { error, requests } = yield* playError(
        [script],
        { redirects: 0, retry: withoutDelay },
        request,
        0
      )
      expect(error).toMatchObject({ _tag: "UnexpectedStatusError", delivery })
      expect(requests).toHaveLength(delivery === "maybe-applied" ? 1 : 3)
      const bare = yield* playError([MockTransport.empty(code)], { retry: withoutDelay }, request, 0)
      expect(bare.error.delivery).toBe(delivery)
    })
  )

  it.effect("6.11 a call has the worst delivery of its attempts", () =>
    Effect.gen(function* () {
      const reset = MockTransport.connectionError({ code: "ECONNRESET" })
      const play = (script: MockTransport.Script) =>
        playError(script, { retry: { ...withoutDelay, maxRetries: 1 } }, order, 0)
      expect((yield* play([reset, unresolved])).error.delivery).toBe("maybe-applied")
      expect((yield* play([status(429), unresolved])).error.delivery).toBe("rejected")
      expect((yield* play([unresolved, unresolved])).error.delivery).toBe("not-sent")
    })
  )
})

describe("credentials", () => {
  it.effect("6.9 a 401 of a later hop refreshes the token and repeats that hop", () =>
    Effect.gen(function* () {
      const issuer = issueTokens()
      const script = routes({
        "POST /v1/orders": () => to("/jobs/1"),
        "GET /jobs/1": (_count, { headers }) =>
          headers["authorization"] === "Bearer token-2" ? ok : status(401)
      })
      const credentials = Credentials.cached({ fetch: issuer.fetch })
      const { ended, requests } = yield* play(script, { credentials, retry: { maxRetries: 0 } }, order, 0)
      expect(ended).toMatchObject({ right: { value: "there" } })
      expect(lines(requests)).toEqual(["POST /v1/orders", "GET /jobs/1", "GET /jobs/1"])
      expect(tokens(requests)).toEqual(["token-1", "token-1", "token-2"])
    })
  )

  it.effect("6.9 a 401 of an origin without credentials keeps the token", () =>
    Effect.gen(function* () {
      const issuer = issueTokens()
      const script = [to("https://other.test/jobs/1"), status(401)]
      const { requests } = yield* play(
        script,
        { credentials: Credentials.cached({ fetch: issuer.fetch }) },
        order,
        0
      )
      expect(tokens(requests)).toEqual(["token-1", undefined])
      expect(issuer.fetched).toBe(1)
    })
  )
})

describe("middleware", () => {
  const signing: Middleware.Middleware = (request, next) =>
    next(HttpClientRequest.setHeader(request, "x-signature", `${request.method} ${request.url}`))

  it.effect("6.12 signs every hop", () =>
    Effect.gen(function* () {
      const script = [to("/jobs/1"), to("/jobs/2", 302), ok]
      const { requests } = yield* play(script, { middleware: [signing] }, order, 0)
      expect(requests.map(({ headers }) => headers["x-signature"])).toEqual([
        "POST https://api.test/v1/orders",
        "GET https://api.test/jobs/1",
        "GET https://api.test/jobs/2"
      ])
    })
  )

  it.effect("6.12 sees the response of every hop", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const watching: Middleware.Middleware = (request, next) =>
        Effect.tap(next(request), (response) => Effect.sync(() => seen.push(response.status)))
      yield* play([to("/jobs/1"), ok], { middleware: [watching] }, order, 0)
      expect(seen).toEqual([303, 200])
    })
  )

  it.effect("6.12 can respond with a redirect", () =>
    Effect.gen(function* () {
      const redirecting: Middleware.Middleware = (request, next) =>
        request.method === "POST"
          ? Effect.succeed(
              HttpClientResponse.fromWeb(
                request,
                new Response(null, { status: 303, headers: { location: "/jobs/1" } })
              )
            )
          : next(request)
      const { ended, requests } = yield* play([ok], { middleware: [redirecting] }, order, 0)
      expect(ended).toMatchObject({ right: { value: "there" } })
      expect(lines(requests)).toEqual(["GET /jobs/1"])
    })
  )

  it.effect("8.1 a location is relative to the URL that a middleware set", () =>
    Effect.gen(function* () {
      const routing: Middleware.Middleware = (request, next) =>
        next(
          HttpClientRequest.setUrl(
            request,
            request.url.replace("https://api.test", "https://gateway.test/api")
          )
        )
      const options = { credentials: Credentials.bearer(Redacted.make("token")), middleware: [routing] }
      const { requests } = yield* play([to("jobs/1"), ok], options, order, 0)
      expect(requests.map(({ url }) => url)).toEqual([
        "https://gateway.test/api/v1/orders",
        "https://gateway.test/api/v1/jobs/1"
      ])
      expect(tokens(requests)).toEqual(["token", "token"])
    })
  )
})

describe("telemetry", () => {
  it.effect("12.1 a call has one span, with the URL and status of the last hop", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      const { client, transport } = yield* scripted(
        [to("https://edge.test:8443/jobs?token=t"), status(503), ok],
        {
          platformHeaders: PlatformHeaders.make({ packageVersion: "1.0.0", prefix: "x-app" }),
          retry: withoutDelay
        }
      )
      yield* Effect.provide(client.execute(order), layer)
      const clientSpans = spans.filter(({ kind }) => kind === "client")
      expect(clientSpans).toHaveLength(1)
      expect(Object.fromEntries(clientSpans[0]?.attributes ?? [])).toMatchObject({
        "http.request.method": "POST",
        "url.full": "https://edge.test:8443/jobs?token=<redacted>",
        "server.address": "edge.test",
        "server.port": 8443,
        "http.response.status_code": 200,
        "http.request.resend_count": 1
      })
      const requests = yield* transport.requests
      expect(requests.map(({ headers }) => headers["x-app-retry-count"])).toEqual(["0", "0", "1"])
      expect(new Set(requests.map(({ headers }) => headers["traceparent"])).size).toBe(1)
    })
  )

  it.effect("12.2 an attempt's duration counts for the server of its first hop", () =>
    Effect.gen(function* () {
      const script = [to("https://far.hops.test/x", 302), status(503), to("https://far.hops.test/x", 302), ok]
      const { client } = yield* scripted(script, { baseUrl: "https://near.hops.test", retry: withoutDelay })
      yield* client.get("/x")
      const servers = allSeries()
        .filter(({ name }) => name === "http.client.request.duration")
        .flatMap(({ tags }) => tags["server.address"] ?? [])
      expect(new Set(servers.filter((server) => server.endsWith("hops.test")))).toEqual(
        new Set(["near.hops.test"])
      )
    })
  )
})

describe("other kinds of calls", () => {
  it.effect("6.12 the HttpClient repeats the GET", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([to("/jobs/1"), status(503), ok], { retry: withoutDelay })
      const response = yield* ApiClient.httpClient(client).post("/orders")
      expect(yield* response.json).toBe("there")
      expect(response.request.url).toBe("/orders")
      expect(lines(yield* transport.requests)).toEqual(["POST /v1/orders", "GET /jobs/1", "GET /jobs/1"])
    })
  )

  it.effect("6.12 a download repeats the GET", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(
        [to("/jobs/1"), status(503), MockTransport.text("bytes")],
        {
          retry: withoutDelay
        }
      )
      const request = ApiRequest.post("/orders", { success: ResponseDecoder.stream() })
      const text = yield* Effect.flatMap(client.execute(request), (stream) =>
        Stream.runFold(Stream.decodeText(stream), "", (all, part) => all + part)
      )
      expect(text).toBe("bytes")
      expect(lines(yield* transport.requests)).toEqual(["POST /v1/orders", "GET /jobs/1", "GET /jobs/1"])
    })
  )

  const sse = (text: string) => MockTransport.text(text, { headers: { "content-type": "text/event-stream" } })
  const events = EventStream.make({ event: Schema.Number, terminal: "end" })

  it.effect("6.12 a stream repeats the GET", () =>
    Effect.gen(function* () {
      const script = [to("/jobs/1"), status(503), sse("data: 1\n\ndata: end\n\n")]
      const { client, transport } = yield* scripted(script, { retry: withoutDelay })
      const values = yield* Stream.runCollect(client.stream(ApiRequest.post("/orders", { events })))
      expect(Chunk.toReadonlyArray(values)).toEqual([1])
      expect(lines(yield* transport.requests)).toEqual(["POST /v1/orders", "GET /jobs/1", "GET /jobs/1"])
    })
  )

  it.effect("10.6 a resumed stream starts again at the original URL", () =>
    Effect.gen(function* () {
      const script = [
        to("https://edge.test/live", 302),
        sse("id: e1\ndata: 1\n\n"),
        to("https://edge.test/live", 302),
        sse("id: e2\ndata: 2\n\ndata: end\n\n")
      ]
      const { client, transport } = yield* scripted(script, { retry: withoutDelay })
      const resuming = EventStream.make({ event: Schema.Number, terminal: "end", resume: true })
      const live = client.stream(ApiRequest.get("/live", { events: resuming }))
      const values = yield* Effect.flatten(settle(Stream.runCollect(live)))
      expect(Chunk.toReadonlyArray(values)).toEqual([1, 2])
      const requests = yield* transport.requests
      expect(requests.map(({ headers, url }) => [url, headers["last-event-id"]])).toEqual([
        ["https://api.test/v1/live", undefined],
        ["https://edge.test/live", undefined],
        ["https://api.test/v1/live", "e1"],
        ["https://edge.test/live", "e1"]
      ])
    })
  )
})
