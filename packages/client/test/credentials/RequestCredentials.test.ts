import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient, ApiRequest, Credentials, EventStream, Pagination } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Exit, Fiber, Layer, Redacted, Schedule, Schema, Scope, Stream, TestClock } from "effect"
import { canaries, leaks, observe } from "../fixtures/canary.js"
import { drain } from "../fixtures/pages.js"
import { scriptedPromises } from "../fixtures/promises.js"
import { baseUrl, clientOn, scripted, withoutDelay } from "../fixtures/requests.js"
import { issueTokens, list, ok, status, tokens } from "../fixtures/retry.js"

const bearer = (token: string) => Credentials.bearer(Redacted.make(token))

const own = bearer("own")

const as = (credentials: Credentials.Credentials) => ApiRequest.override(list, { credentials })

/** A tenant whose tokens are `name-1`, `name-2`, ... */
const tenant = (name: string) => {
  const issuer = issueTokens()
  const fetch = Effect.map(
    issuer.fetch,
    ({ token }) => `${name}-${Redacted.isRedacted(token) ? Redacted.value(token) : token}`
  )
  return { issuer, credentials: Credentials.cached({ fetch }) }
}

const always = [MockTransport.forever(ok)]

const sentBy = (requests: ReadonlyArray<MockTransport.MockRequest>) =>
  requests.map(({ headers }) => headers["authorization"])

describe("credentials of a request", () => {
  it.effect("4.5 replace the client's, in every way to make a request", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(always, {
        credentials: Credentials.header("x-api-key", Redacted.make("own"))
      })
      const options = { credentials: bearer("tenant") }
      yield* client.get("/todos", options)
      yield* client.head("/todos", options)
      yield* client.post("/todos", options)
      yield* client.put("/todos", options)
      yield* client.patch("/todos", options)
      yield* client.del("/todos", options)
      yield* client.execute(ApiRequest.get("/todos", options))
      yield* client.execute(ApiRequest.post("/todos", { ...options, body: 1 }))
      yield* ApiClient.get("/todos", options).pipe(Effect.provideService(ApiClient.ApiClient, client))
      yield* client.executeWithResponse(as(options.credentials))
      // A function of the client's settings makes a client for this one call.
      yield* client.execute(ApiRequest.get("/todos", { ...options, headers: () => ({ "x-a": "1" }) }))
      const requests = yield* transport.requests
      expect(requests).toHaveLength(11)
      expect(new Set(sentBy(requests))).toEqual(new Set(["Bearer tenant"]))
      expect(requests.filter(({ headers }) => "x-api-key" in headers)).toEqual([])
    })
  )

  it.effect("4.5 the last override counts, and undefined changes nothing", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(always, { credentials: own })
      yield* client.execute(ApiRequest.override(as(bearer("first")), { credentials: bearer("last") }))
      yield* client.execute(ApiRequest.override(as(bearer("first")), { credentials: undefined }))
      yield* client.execute(ApiRequest.override(list, { credentials: undefined }))
      expect(tokens(yield* transport.requests)).toEqual(["last", "first", "own"])
    })
  )

  it.effect("4.5 none sends none, and prepare shows none", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(always, { credentials: own })
      yield* client.execute(as(Credentials.none))
      expect(sentBy(yield* transport.requests)).toEqual([undefined])
      expect((yield* client.prepare(as(bearer("tenant")))).headers).not.toHaveProperty("authorization")
    })
  )

  it.effect("4.1 they precede the client's headers, and the request's own precede them", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(always, { headers: { authorization: "of the client" } })
      yield* client.execute(list)
      yield* client.execute(as(bearer("tenant")))
      yield* client.execute(ApiRequest.override(as(bearer("tenant")), { headers: { authorization: "mine" } }))
      yield* client.withOptions({ headers: { authorization: null } }).execute(as(bearer("tenant")))
      expect(sentBy(yield* transport.requests)).toEqual([
        "of the client",
        "Bearer tenant",
        "mine",
        "Bearer tenant"
      ])
    })
  )

  it.effect.each([
    { credentials: "secret" },
    { credentials: Redacted.make("secret") },
    { credentials: null }
  ])("1.2 a value that is no Credentials is refused by name, and nothing is sent", (options) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([])
      for (const request of [
        Reflect.apply(ApiRequest.get, undefined, ["/todos", options]),
        Reflect.apply(ApiRequest.override, undefined, [list, options])
      ]) {
        expect(yield* Effect.flip(client.execute(request))).toMatchObject({
          _tag: "InvalidRequestError",
          field: "credentials"
        })
      }
      expect(yield* transport.requestCount).toBe(0)
    })
  )

  it.effect(
    "6.9 a client fetches one token for a value, however many requests and clients of its settings",
    () =>
      Effect.gen(function* () {
        const [a, b] = [tenant("a"), tenant("b")]
        const { client, transport } = yield* scripted(always, { credentials: b.credentials })
        const other = client.withOptions({ headers: { "x-a": "1" } })
        yield* Effect.forEach(
          Array.from({ length: 1000 }, (_, index) => (index % 2 === 0 ? client : other)),
          (client) => client.execute(as(a.credentials)),
          { concurrency: 50 }
        )
        yield* client.execute(list)
        yield* client.execute(as(b.credentials))
        yield* client.withOptions({ credentials: a.credentials }).execute(list)
        expect([a.issuer.fetched, b.issuer.fetched]).toEqual([1, 1])
        expect(tokens(yield* transport.requests).slice(-4)).toEqual([
          "a-token-1",
          "b-token-1",
          "b-token-1",
          "a-token-1"
        ])
        // Another client has tokens of its own.
        const second = yield* scripted(always)
        yield* second.client.execute(as(a.credentials))
        expect(a.issuer.fetched).toBe(2)
      })
  )

  it.effect("6.9 a 401 drops the token of that tenant alone", () =>
    Effect.gen(function* () {
      const [a, b] = [tenant("a"), tenant("b")]
      const { client, transport } = yield* scripted(({ headers }) =>
        headers["authorization"] === "Bearer a-token-1" ? status(401) : ok
      )
      yield* client.execute(as(b.credentials))
      yield* client.execute(as(a.credentials))
      yield* client.execute(as(b.credentials))
      expect(tokens(yield* transport.requests)).toEqual(["b-token-1", "a-token-1", "a-token-2", "b-token-1"])
      expect([a.issuer.fetched, b.issuer.fetched]).toEqual([2, 1])
    })
  )

  it.effect("6.4 each tenant has a retry budget of its own, whatever the client", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([MockTransport.forever(status(503))], {
        retry: { ...withoutDelay, maxRetries: 1, budget: { capacity: 10, retryCost: 5 } }
      })
      const [a, b] = [bearer("a"), bearer("b")]
      const other = client.withOptions({ headers: { "x-team": "search" } })
      const calls = [
        client.execute(as(a)),
        other.execute(as(a)),
        client.execute(as(a)),
        client.withOptions({ credentials: a }).execute(list),
        client.execute(as(b)),
        client.execute(list)
      ]
      const errors = yield* Effect.forEach(calls, Effect.flip)
      const spent = ["attempts", "attempts", "budget", "budget", "attempts", "attempts"]
      expect(errors.map(({ stoppedBy }) => stoppedBy)).toEqual(spent)
      expect(yield* transport.requestCount).toBe(10)
    })
  )

  it.effect("8.1 go to trusted origins only, and anew to each hop", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(
        ({ url }) =>
          url.endsWith("/start")
            ? MockTransport.empty(302, { headers: { location: `${baseUrl}/same` } })
            : url.endsWith("/same")
              ? MockTransport.empty(302, { headers: { location: "https://other.test/" } })
              : ok,
        { credentials: own }
      )
      yield* client.execute(ApiRequest.get("/start", { credentials: bearer("tenant") }))
      yield* client.execute(ApiRequest.get("https://foreign.test/", { credentials: bearer("tenant") }))
      expect(sentBy(yield* transport.requests)).toEqual([
        "Bearer tenant",
        "Bearer tenant",
        undefined,
        undefined
      ])
    })
  )

  it.effect("10.5 apply to the attempts of a stream, and to every page", () =>
    Effect.gen(function* () {
      const event = MockTransport.stream(['data: {"n":1}\n\n', "data: [DONE]\n\n"], {
        headers: { "content-type": "text/event-stream" }
      })
      const { client, transport } = yield* scripted([status(503), event], {
        credentials: own,
        retry: withoutDelay
      })
      const events = EventStream.make({ event: Schema.Struct({ n: Schema.Number }), terminal: "[DONE]" })
      yield* Stream.runDrain(client.stream(ApiRequest.post("/e", { events, credentials: bearer("tenant") })))
      expect(tokens(yield* transport.requests)).toEqual(["tenant", "tenant"])

      const pages = yield* scripted(
        ({ index }) =>
          MockTransport.json([index], {
            headers: index < 2 ? { link: `<${baseUrl}/list?p=${index}>; rel="next"` } : {}
          }),
        { credentials: own }
      )
      const a = tenant("a")
      const request = ApiRequest.get("/list", {
        success: Schema.Array(Schema.Number),
        pagination: Pagination.linkHeader({ items: (page: ReadonlyArray<number>) => page }),
        credentials: a.credentials
      })
      yield* drain(pages.client.items(request))
      expect(tokens(yield* pages.transport.requests)).toEqual(["a-token-1", "a-token-1", "a-token-1"])
      expect(a.issuer.fetched).toBe(1)
    })
  )

  it.effect("12.4 no secret of a tenant shows, wherever the server sends it back", () =>
    Effect.gen(function* () {
      const secret = canaries.hard("t")
      const echo = MockTransport.response(
        ({ headers }) =>
          new Response(JSON.stringify({ error: { message: secret, headers } }), { status: 400 })
      )
      const { client } = yield* scripted([echo], { credentials: own })
      const header = Credentials.header("x-tenant", Redacted.make(secret))
      const { evidence, exit } = yield* observe(client.execute(as(header)))
      expect(Exit.isFailure(exit)).toBe(true)
      expect(leaks(evidence)).toEqual([])
    })
  )

  it.effect("6.9 a tenant's background fetch ends with the client", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const issuer = issueTokens({ delay: "1 minute" })
      const transport = yield* MockTransport.make(always)
      const client = yield* clientOn(transport.client).pipe(Effect.provideService(Scope.Scope, scope))
      const call = yield* Effect.fork(
        Effect.flip(client.execute(as(Credentials.cached({ fetch: issuer.fetch }))))
      )
      yield* TestClock.adjust("1 second")
      yield* Scope.close(scope, Exit.void)
      yield* Effect.repeat(Effect.yieldNow(), Schedule.recurs(20))
      expect(issuer.interrupted).toBe(1)
      expect(yield* Fiber.join(call)).toMatchObject({ _tag: "CredentialsError" })
    })
  )

  it("4.5 hold in the promise client", async () => {
    const { client, transport } = scriptedPromises(always, { credentials: own })
    const a = tenant("a")
    await client.execute(as(a.credentials))
    await client.withOptions({ headers: { "x-a": "1" } }).execute(as(a.credentials))
    await client.execute(list)
    expect(tokens(await Effect.runPromise(transport.requests))).toEqual(["a-token-1", "a-token-1", "own"])
    await client.close()
  })

  it.effect("4.5 a client with other credentials is a plain HttpClient with these", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(always, { credentials: own })
      const http = ApiClient.httpClient(client.withOptions({ credentials: bearer("tenant") }))
      yield* http.get("/todos")
      yield* HttpClient.get("/todos").pipe(
        Effect.provide(ApiClient.layerHttpClient),
        Effect.provide(Layer.succeed(ApiClient.ApiClient, client))
      )
      expect(tokens(yield* transport.requests)).toEqual(["tenant", "own"])
    })
  )
})
