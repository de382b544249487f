import { HttpBody, HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import {
  ApiClient,
  type ApiError,
  ApiRequest,
  Credentials,
  type Middleware,
  RateLimit,
  RetryPolicy,
  Signing
} from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Duration, Effect, Either, Redacted, Schedule, Stream, TestClock } from "effect"
import * as RetryBudget from "../../src/retry/RetryBudget.js"
import { endOf } from "../fixtures/exits.js"
import { clientOn, scripted, withoutDelay } from "../fixtures/requests.js"
import { countRequests, list, ok, play, playError, settle, status, withoutJitter } from "../fixtures/retry.js"

const outage = [MockTransport.forever(status(503))]

const stoppedBy = (error: ApiError.ApiError) => error.stoppedBy

/** The ledger in milliseconds, relative to the first attempt. */
const lines = (attempts: ReadonlyArray<ApiError.Attempt>) =>
  attempts.map(({ delay, duration, startedAt, status, tag }) => ({
    at: startedAt - (attempts[0]?.startedAt ?? 0),
    took: Duration.toMillis(duration),
    outcome: tag ?? status,
    ...(delay === undefined ? {} : { delay: Duration.toMillis(delay) })
  }))

describe("the retry budget", () => {
  const calls = (client: ApiClient.ApiClient, count: number, concurrency: number) =>
    Effect.forEach(Array.from({ length: count }), () => Effect.flip(client.execute(list)), { concurrency })

  it.effect.each([1, 50])(
    "6.4 1,000 calls to a failing server, %d at once, send 100 retries",
    (concurrency) =>
      Effect.gen(function* () {
        const { client, transport } = yield* scripted(outage, { retry: withoutDelay })
        const errors = yield* calls(client, 1000, concurrency)
        // 500 tokens pay for 100 retries.
        expect(yield* transport.requestCount).toBe(1100)
        const spent = errors.filter((error) => error.stoppedBy === "budget")
        expect(spent.length).toBeGreaterThanOrEqual(900)
        expect(errors.every((error) => ["budget", "attempts"].includes(error.stoppedBy))).toBe(true)
        expect(spent[0]).toMatchObject({ _tag: "ServiceUnavailableError", status: 503, message: "503 no" })
      })
  )

  it.effect.each([
    { name: "another capacity", budget: { capacity: 50 }, sent: 110 },
    { name: "another price", budget: { retryCost: 50 }, sent: 110 },
    { name: "an empty budget", budget: { capacity: 0 }, sent: 100 },
    { name: "free retries", budget: { capacity: 0, retryCost: 0 }, sent: 300 },
    { name: "no budget", budget: false, sent: 300 }
  ] as const)("6.4 100 calls to a failing server with $name send $sent requests", ({ budget, sent }) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(outage, { retry: { ...withoutDelay, budget } })
      yield* calls(client, 100, 1)
      expect(yield* transport.requestCount).toBe(sent)
    })
  )

  it.effect.each([
    { name: "429 with retry-after", step: status(429, { "retry-after": "1" }), free: true },
    { name: "429 with retry-after-ms", step: status(429, { "retry-after-ms": "1000" }), free: true },
    { name: "429 with a fractional retry-after", step: status(429, { "retry-after": "0.3337" }), free: true },
    { name: "503 with retry-after", step: status(503, { "retry-after": "1" }), free: true },
    {
      name: "400 with x-should-retry and a hint",
      step: status(400, { "retry-after": "1", "x-should-retry": "true" }),
      free: true
    },
    {
      name: "400 with x-should-retry and no hint",
      step: status(400, { "x-should-retry": "true" }),
      free: false
    },
    { name: "429 without a hint", step: status(429), free: false },
    { name: "429 with a hint of zero", step: status(429, { "retry-after": "0" }), free: false },
    { name: "429 with an invalid hint", step: status(429, { "retry-after": "soon" }), free: false }
  ])("6.13 a retry that honours the server's hint is free: $name", ({ free, step }) =>
    Effect.gen(function* () {
      const second: MockTransport.Script = ({ index }) => (index < 200 ? step : ok)
      const { client } = yield* scripted(second)
      const all = Effect.all(
        Array.from({ length: 200 }, () => Effect.either(client.execute(list))),
        { concurrency: "unbounded" }
      )
      const ended = Either.getOrThrow(yield* settle(all))
      const spent = ended.filter((call) => Either.isLeft(call) && call.left.stoppedBy === "budget")
      expect(spent.length).toBe(free ? 0 : 100)
    })
  )

  it.effect("6.13 a schedule that waits less than the hint pays for its retries", () =>
    Effect.gen(function* () {
      const hinted = [MockTransport.forever(status(429, { "retry-after": "10" }))]
      const sooner = Schedule.intersect(Schedule.recurs(3), Schedule.spaced("1 second"))
      const { error } = yield* playError(hinted, { retry: sooner })
      expect(error.stoppedBy).toBe("attempts")
      const { client } = yield* scripted(hinted, { retry: { budget: { capacity: 0 } } })
      const hasty = ApiRequest.get("/todos", { retry: sooner })
      expect(yield* settle(client.execute(hasty))).toMatchObject({ left: { stoppedBy: "budget" } })
      const patient = ApiRequest.get("/todos", {
        retry: Schedule.intersect(Schedule.recurs(1), Schedule.spaced("11 seconds"))
      })
      expect(yield* settle(client.execute(patient))).toMatchObject({ left: { stoppedBy: "attempts" } })
    })
  )

  it.effect("6.4 a client, its withOptions clients and its HttpClient share one budget", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(outage, {
        retry: { ...withoutDelay, budget: { capacity: 10 } }
      })
      expect(stoppedBy(yield* Effect.flip(client.execute(list)))).toBe("attempts")
      const other = client.withOptions({ headers: { "x-team": "search" } })
      expect(stoppedBy(yield* Effect.flip(other.execute(list)))).toBe("budget")
      expect((yield* ApiClient.httpClient(client).get("/todos")).status).toBe(503)
      expect(yield* transport.requestCount).toBe(3 + 1 + 1)
    })
  )

  it.effect("6.4 a success returns one token, a retried success the cost of its retry", () =>
    Effect.gen(function* () {
      const script: Array<number> = []
      const { client, transport } = yield* scripted(() => status(script.shift() ?? 200), {
        retry: { ...withoutDelay, maxRetries: 1, budget: { capacity: 5 } }
      })
      const callWith = (...statuses: Array<number>) =>
        Effect.gen(function* () {
          const before = yield* transport.requestCount
          script.push(...statuses)
          const ended = yield* Effect.either(client.execute(list))
          script.length = 0
          return [
            (yield* transport.requestCount) - before,
            Either.match(ended, { onLeft: stoppedBy, onRight: () => "ok" })
          ]
        })
      for (const _ of [1, 2, 3]) expect(yield* callWith(503, 200)).toEqual([2, "ok"])
      expect(yield* callWith(503, 503)).toEqual([2, "attempts"])
      expect(yield* callWith(503, 503)).toEqual([1, "budget"])
      for (const _ of [1, 2, 3, 4]) expect(yield* callWith(200)).toEqual([1, "ok"])
      expect(yield* callWith(503, 503)).toEqual([1, "budget"])
      expect(yield* callWith(200)).toEqual([1, "ok"])
      expect(yield* callWith(503, 200)).toEqual([2, "ok"])
      // The refunds stop at the capacity.
      for (const _ of Array.from({ length: 20 })) yield* callWith(200)
      expect(yield* callWith(503, 503)).toEqual([2, "attempts"])
      expect(yield* callWith(503, 503)).toEqual([1, "budget"])
    })
  )

  it.effect.each([
    { name: "timeouts", step: MockTransport.never, sent: 2 },
    { name: "statuses", step: status(503), sent: 4 },
    { name: "resets", step: MockTransport.connectionError({ code: "ECONNRESET" }), sent: 4 }
  ])("6.4 15 tokens pay for retries after $name", ({ sent, step }) =>
    Effect.gen(function* () {
      const { error, times } = yield* playError([MockTransport.forever(step)], {
        timeouts: { response: "1 second" },
        retry: { maxRetries: 9, budget: { capacity: 15 } }
      })
      expect(times).toHaveLength(sent)
      expect(error.stoppedBy).toBe("budget")
    })
  )

  it.effect("6.4 the budget also limits an endless schedule", () =>
    Effect.gen(function* () {
      const { error, times } = yield* playError(outage, { retry: Schedule.forever }, list, 0)
      expect(times).toHaveLength(101)
      expect(error.stoppedBy).toBe("budget")
    })
  )

  it("6.4 a budget takes, refuses and returns tokens", () => {
    const error = { _tag: "RateLimitError" } as ApiError.RateLimitError
    const budget = new RetryBudget.RetryBudget(RetryPolicy.make({ budget: { capacity: 12 } }).budget)
    expect(budget.take("a", error)).toBe(5)
    expect(budget.take("a", { _tag: "TimeoutError" } as ApiError.TimeoutError)).toBeUndefined()
    expect([budget.tokens("a"), budget.tokens("b")]).toEqual([7, 12])
    budget.giveBack("a", 5)
    budget.giveBack("b", 5)
    budget.giveBack("a", 0)
    expect([budget.tokens("a"), budget.tokens("b")]).toEqual([12, 12])
    expect(budget.take("a", { _tag: "TimeoutError" } as ApiError.TimeoutError)).toBe(10)
    expect(new RetryBudget.RetryBudget(false).take("a", error)).toBe(0)
  })

  it("6.4 a budget forgets full buckets, and keeps at most a thousand others, those used last", () => {
    const error = { _tag: "RateLimitError" } as ApiError.RateLimitError
    const budget = new RetryBudget.RetryBudget(RetryPolicy.make().budget)
    expect(budget.isFull).toBe(true)
    for (let index = 0; index < 10_000; index++) {
      budget.take("busy", error)
      budget.giveBack("busy", 4)
      budget.take(`origin ${index}`, error)
    }
    const kept = Array.from({ length: 10_000 }, (_, index) => budget.tokens(`origin ${index}`))
    expect(kept.filter((tokens) => tokens < 500)).toHaveLength(999)
    expect(budget.tokens("busy")).toBeLessThan(10)
    for (let index = 0; index < 10_000; index++) budget.giveBack(`origin ${index}`, 5)
    budget.giveBack("busy", 500)
    expect(budget.isFull).toBe(true)
  })

  it.effect("6.4 a dead origin, or a key of it, takes no retries from the others", () =>
    Effect.gen(function* () {
      const dead = (url: string) => new URL(url).host === "dead.test" || url.endsWith("/dead")
      let flaky = 0
      const { client, transport } = yield* scripted(
        ({ url }) => status(dead(url) || ++flaky % 2 === 1 ? 503 : 200),
        {
          rateLimit: RateLimit.make({ key: ({ template }) => template }),
          retry: { ...withoutDelay, maxRetries: 1, budget: { capacity: 10 } }
        }
      )
      for (const request of [ApiRequest.atUrl(list, "https://dead.test/todos"), ApiRequest.get("/dead")]) {
        const ended = yield* Effect.forEach([1, 2, 3], () => Effect.either(client.execute(request)))
        expect(ended.map(Either.match({ onLeft: stoppedBy, onRight: () => "ok" }))).toEqual([
          "attempts",
          "attempts",
          "budget"
        ])
        expect(yield* client.execute(list)).toEqual({ error: { message: "no" } })
      }
      expect(yield* transport.requestCount).toBe(2 * (5 + 2))
    })
  )
})

describe("the total timeout", () => {
  const total = "10 seconds" as const
  const never = MockTransport.never

  it.effect.each([
    { hint: "9", times: [0, 9000] },
    { hint: "9.999", times: [0, 9999] },
    { hint: "10", times: [0] },
    { hint: "59", times: [0] }
  ])("6.5 a wait of $hint s that would exceed `total` does not begin", ({ hint, times }) =>
    Effect.gen(function* () {
      const script = [status(429, { "retry-after": hint }), ok]
      const played = yield* play(script, { timeouts: { total } })
      expect(played.times).toEqual(times)
      if (times.length === 1) {
        expect(played.ended).toMatchObject({
          left: { _tag: "RateLimitError", stoppedBy: "deadline", attempts: [{ status: 429 }] }
        })
      }
    })
  )

  const silent = MockTransport.stream(["a", { delay: Infinity }])

  it.effect.each([
    { name: "before its headers", step: never },
    { name: "inside its body", step: silent },
    {
      name: "inside the body of an error",
      step: MockTransport.stream(["a", { delay: Infinity }], { status: 503 })
    }
  ])("6.5 an attempt that hangs $name is aborted", ({ name, step }) =>
    Effect.gen(function* () {
      const timeouts = { total: "2 seconds", idle: Infinity, response: Infinity } as const
      const { error, transport } = yield* playError([status(500), step], { timeouts, retry: withoutJitter })
      expect(error, name).toMatchObject({
        _tag: "TimeoutError",
        phase: "total",
        limit: Duration.seconds(2),
        stoppedBy: "deadline",
        delivery: "maybe-applied"
      })
      expect(lines(error.attempts)).toEqual([
        { at: 0, took: 0, outcome: "InternalServerError", delay: 500 },
        { at: 500, took: 1500, outcome: "TimeoutError" }
      ])
      expect(yield* transport.interrupted).toBe(1)
    })
  )

  it.effect("6.5 covers attempts and waits together", () =>
    Effect.gen(function* () {
      const timeouts = { total, response: "4 seconds" } as const
      const { error, times } = yield* playError([never, never, never], { timeouts, retry: withoutJitter })
      expect(times).toEqual([0, 4500, 9500])
      expect(lines(error.attempts)).toEqual([
        { at: 0, took: 4000, outcome: "TimeoutError", delay: 500 },
        { at: 4500, took: 4000, outcome: "TimeoutError", delay: 1000 },
        { at: 9500, took: 500, outcome: "TimeoutError" }
      ])
      expect(error).toMatchObject({ phase: "total", stoppedBy: "deadline" })
    })
  )

  /** Credentials that are there once, and then never again. */
  const once = () => {
    let asked = 0
    const key = Effect.succeed(Redacted.make("key"))
    return Credentials.effect(Effect.suspend(() => (asked++ === 0 ? key : Effect.never)))
  }
  const signing = () => Signing.credentials(() => Effect.never)

  it.effect.each([
    { what: "credentials", credentials: () => Credentials.effect(Effect.never), delivery: "not-sent" },
    { what: "a signature", credentials: signing, delivery: "not-sent" },
    { what: "credentials after a 429", credentials: once, script: [status(429)], delivery: "rejected" },
    { what: "credentials after a 503", credentials: once, script: [status(503)], delivery: "maybe-applied" },
    {
      what: "a response to a signed request",
      credentials: () => Signing.credentials(() => Effect.succeed({ "x-signature": "a" })),
      script: [never],
      delivery: "maybe-applied"
    },
    {
      what: "a signature, in a middleware that may send on its own",
      credentials: signing,
      middleware: [(request, next) => next(request)],
      delivery: "maybe-applied"
    }
  ] satisfies ReadonlyArray<{
    readonly what: string
    readonly credentials: () => Credentials.Credentials
    readonly middleware?: ReadonlyArray<Middleware.Middleware>
    readonly script?: ReadonlyArray<MockTransport.MockStep>
    readonly delivery: ApiError.Delivery
  }>)(
    "6.5 covers a wait for $what, and what was sent is $delivery",
    ({ credentials, delivery, middleware = [], script = [] }) =>
      Effect.gen(function* () {
        const options = { credentials: credentials(), middleware, retry: withoutDelay, timeouts: { total } }
        const { error, times } = yield* playError(script, options)
        expect(error).toMatchObject({ _tag: "TimeoutError", phase: "total", delivery })
        expect(times).toHaveLength(script.length)
      })
  )

  it.effect("6.5 does not affect a response in time", () =>
    Effect.gen(function* () {
      const { ended } = yield* play([MockTransport.json(1, { delay: "9999 millis" })], {
        timeouts: { total }
      })
      expect(ended).toMatchObject({ right: { value: 1 } })
    })
  )

  it.effect.each([
    { own: "1 second", cut: 1000 },
    { own: "20 seconds", cut: 20_000 }
  ] as const)("6.5 a request's own total of $own replaces the client's", ({ cut, own }) =>
    Effect.gen(function* () {
      const request = ApiRequest.get("/todos", { timeouts: { total: own } })
      const { error } = yield* playError([never], { timeouts: { total } }, request)
      expect(lines(error.attempts)).toEqual([{ at: 0, took: cut, outcome: "TimeoutError" }])
    })
  )
})

describe("the ledger", () => {
  const slow = (step: MockTransport.MockStep, millis: number) => ({ ...step, delay: Duration.millis(millis) })
  const history = [
    slow(status(503, { "retry-after": "2" }), 30),
    MockTransport.connectionError({ code: "ECONNRESET", delay: 40 }),
    MockTransport.never
  ]
  const options = { timeouts: { response: "1 second" }, retry: { ...withoutJitter, maxRetries: 3 } } as const
  const expectedLines = [
    { at: 0, took: 30, outcome: "ServiceUnavailableError", delay: 2000 },
    { at: 2030, took: 40, outcome: "ConnectionError", delay: 1000 },
    { at: 3070, took: 1000, outcome: "TimeoutError", delay: 2000 }
  ]

  it.effect("6.6 a success has a line for every attempt, its own last", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1e12)
      const { ended, times } = yield* play([...history, slow(ok, 50)], options)
      const { attempts } = Either.getOrThrow(ended)
      expect(lines(attempts)).toEqual([...expectedLines, { at: 6070, took: 50, outcome: 200 }])
      expect(attempts[0]).toMatchObject({ startedAt: 1e12, status: 503 })
      expect(times).toEqual([0, 2030, 3070, 6070])
    })
  )

  it.effect("6.6 an error has a line for every attempt, also as JSON", () =>
    Effect.gen(function* () {
      const { error } = yield* playError([...history, slow(status(429), 50)], options)
      expect(lines(error.attempts)).toEqual([
        ...expectedLines,
        { at: 6070, took: 50, outcome: "RateLimitError" }
      ])
      expect(error).toMatchObject({ stoppedBy: "attempts", attempts: [{}, {}, {}, { status: 429 }] })
      const copy = JSON.parse(JSON.stringify(error))
      expect(copy.attempts).toHaveLength(4)
      expect(copy.attempts[0]).toMatchObject({ startedAt: 0, tag: "ServiceUnavailableError", status: 503 })
    })
  )

  it.effect("6.6 a validation error has a line for every attempt", () =>
    Effect.gen(function* () {
      const request = ApiRequest.get("/todos", { retry: withoutDelay })
      const invalidJson = MockTransport.text("{", { headers: { "content-type": "application/json" } })
      const { error } = yield* playError([status(503), invalidJson], {}, request, 0)
      expect(error._tag).toBe("ResponseValidationError")
      expect(lines(error.attempts).map(({ outcome }) => outcome)).toEqual(["ServiceUnavailableError", 200])
    })
  )

  const exhausted = { ...withoutDelay, maxRetries: 1 }
  const post = ApiRequest.post("/todos", { body: 1 })

  it.effect.each<{ stopped: ApiError.StoppedBy; call: Parameters<typeof playError> }>([
    { stopped: "not-retryable", call: [[status(404)]] },
    { stopped: "not-retryable", call: [outage, { retry: { retryUnsafe: "never" } }, post] },
    { stopped: "attempts", call: [outage, { retry: exhausted }] },
    { stopped: "attempts", call: [outage, { retry: RetryPolicy.none }] },
    { stopped: "budget", call: [outage, { retry: { ...withoutDelay, budget: { capacity: 0 } } }] },
    { stopped: "deadline", call: [outage, { timeouts: { total: 1 } }] },
    { stopped: "retry-after", call: [[status(503, { "retry-after": "999" })]] }
  ])(
    "6.6 stoppedBy is the reason for not retrying: $stopped",
    ({ call: [script, options, request = list], stopped }) =>
      Effect.gen(function* () {
        expect((yield* playError(script, options, request, 0)).error.stoppedBy).toBe(stopped)
      })
  )

  it.effect("6.6 a stream body is sent once, and the call keeps the first error", () =>
    Effect.gen(function* () {
      const reset = MockTransport.connectionError({ code: "ECONNRESET" })
      const { client, transport } = yield* scripted([reset, status(503)], { retry: withoutDelay })
      const bytes = Stream.make(new Uint8Array([1]))
      const request = HttpClientRequest.setBody(HttpClientRequest.post("/todos"), HttpBody.stream(bytes))
      const error = yield* Effect.flip(ApiClient.httpClient(client).execute(request))
      expect(error.cause).toMatchObject({
        _tag: "ConnectionError",
        kind: "reset",
        stoppedBy: "not-replayable"
      })
      expect((yield* ApiClient.httpClient(client).execute(request)).status).toBe(503)
      expect(yield* transport.requestCount).toBe(2)
    })
  )
})

describe("nested calls", () => {
  /** A client that the outer client's middleware calls before every request. */
  const inner = (retry: RetryPolicy.Options) =>
    Effect.map(
      scripted(outage, { baseUrl: "https://inner.test", retry: { ...withoutDelay, ...retry } }),
      (scriptedInner) => ({
        ...scriptedInner,
        before: ((request, next) =>
          Effect.zipRight(scriptedInner.client.execute(list), next(request))) satisfies Middleware.Middleware
      })
    )

  it.effect.each([
    { nested: "once", sent: 3, stopped: "attempts" },
    { nested: undefined, sent: 3, stopped: "attempts" },
    { nested: "retry", sent: 9, stopped: "attempts" }
  ] as const)("6.7 a call inside a middleware with nested: $nested", ({ nested, sent, stopped }) =>
    Effect.gen(function* () {
      const { before, transport } = yield* inner({ nested })
      const { error, times } = yield* playError([], { middleware: [before], retry: withoutDelay }, list, 0)
      expect(yield* transport.requestCount).toBe(sent)
      expect(times).toEqual([])
      // The outer call owns the ledger and the reason.
      expect(error).toMatchObject({ _tag: "ServiceUnavailableError", stoppedBy: stopped })
      expect(error.attempts).toHaveLength(3)
    })
  )

  it.effect('6.7 the inner call stops with stoppedBy "nested"', () =>
    Effect.gen(function* () {
      const { client } = yield* inner({})
      const seen: Array<ApiError.StoppedBy> = []
      const before: Middleware.Middleware = (request, next) =>
        Effect.matchEffect(client.execute(list), {
          onFailure: (error) => {
            seen.push(error.stoppedBy)
            return next(request)
          },
          onSuccess: () => next(request)
        })
      expect(yield* countRequests([ok], { middleware: [before] })).toBe(1)
      expect(seen).toEqual(["nested"])
    })
  )

  it.effect("6.7 a fiber forked inside an attempt is nested, a call after it is not", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* inner({})
      const before: Middleware.Middleware = (request, next) =>
        Effect.zipRight(Effect.exit(Effect.all([client.execute(list)], { concurrency: 2 })), next(request))
      const { client: outer } = yield* scripted([ok, ok], { middleware: [before] })
      yield* outer.execute(list)
      expect(yield* transport.requestCount).toBe(1)
      yield* Effect.flip(client.execute(list))
      expect(yield* transport.requestCount).toBe(1 + 3)
    })
  )

  it.effect("6.7 of two stacked clients only one retries", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(outage, { retry: withoutDelay })
      const outer = yield* clientOn(ApiClient.httpClient(client), { retry: withoutDelay })
      expect(yield* Effect.flip(outer.execute(list))).toMatchObject({ status: 503, stoppedBy: "attempts" })
      expect(yield* transport.requestCount).toBe(3)
    })
  )

  it.effect("6.7 the outer call retries a token fetch that fails temporarily", () =>
    Effect.gen(function* () {
      const issuer = yield* scripted([status(503), MockTransport.json("token")], { retry: withoutDelay })
      const credentials = Credentials.effect(
        Effect.map(issuer.client.execute(list), (token) => Redacted.make(String(token)))
      )
      const { ended, requests, times } = yield* play([ok], { credentials, retry: withoutJitter })
      expect(times).toEqual([500])
      expect(requests[0]?.headers["authorization"]).toBe("Bearer token")
      expect(lines(Either.getOrThrow(ended).attempts)).toEqual([
        { at: 0, took: 0, outcome: "CredentialsError", delay: 500 },
        { at: 500, took: 0, outcome: 200 }
      ])
      expect(yield* issuer.transport.requestCount).toBe(2)
    })
  )

  it.effect("6.7 a rejected token fetch is not retried", () =>
    Effect.gen(function* () {
      const issuer = yield* scripted([MockTransport.forever(status(403))])
      const fetch = Effect.map(issuer.client.execute(list), (token) => Redacted.make(String(token)))
      for (const credentials of [Credentials.effect(fetch), Credentials.cached({ fetch })]) {
        const { error } = yield* playError([], { credentials }, list, 0)
        expect(error).toMatchObject({
          _tag: "CredentialsError",
          stoppedBy: "not-retryable",
          delivery: "not-sent"
        })
      }
      expect(yield* issuer.transport.requestCount).toBe(2)
    })
  )
})

describe("interruptions and defects", () => {
  it.effect("6.1 an interruption inside an attempt is not retried", () =>
    Effect.gen(function* () {
      let calls = 0
      const middleware: Middleware.Middleware = () =>
        Effect.zipRight(
          Effect.sync(() => calls++),
          Effect.interrupt
        )
      const { client } = yield* scripted([], { middleware: [middleware], retry: withoutDelay })
      const exit = yield* Effect.exit(settle(client.execute(list), 0))
      expect(endOf(exit)).toBe("interrupted")
      expect(calls).toBe(1)
    })
  )

  it.effect("6.1 a defect is not retried", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([MockTransport.die("bug"), ok], { retry: withoutDelay })
      const exit = yield* Effect.exit(client.execute(list))
      expect(endOf(exit)).toEqual({ defect: "bug" })
      expect(yield* transport.requestCount).toBe(1)
    })
  )
})
