/** The client's own limits, through a client and a scripted server on the test clock. */
import { HttpClient, HttpClientResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import {
  ApiClient,
  type ApiConfig,
  ApiError,
  ApiRequest,
  EventStream,
  RateLimit,
  ResponseDecoder
} from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { type Duration, Effect, Either, Fiber, Layer, Schema, Stream, TestClock } from "effect"
import * as Fibers from "../../src/effect/fibers.js"
import { countsOf, labelled, metricsOf } from "../fixtures/metrics.js"
import { baseUrl, clientOn, scripted } from "../fixtures/requests.js"
import { withoutJitter } from "../fixtures/retry.js"
import { yieldingAt } from "../fixtures/schedulers.js"

const list = ApiRequest.get("/todos")
const ok = MockTransport.json("ok")
const busy = (seconds: number, delay: Duration.DurationInput = 0) =>
  MockTransport.json({ error: "busy" }, { status: 429, headers: { "retry-after": String(seconds) }, delay })

const calls = (count: number, request: ApiRequest.ApiRequest<unknown> = list) =>
  Array.from({ length: count }, () => request)

/** Runs calls side by side while the test clock advances, and returns how they ended and when each request was sent. */
const play = (
  script: MockTransport.Script,
  options: Partial<ApiConfig.Options>,
  requests: ReadonlyArray<ApiRequest.ApiRequest<unknown>>,
  seconds: number
) =>
  Effect.gen(function* () {
    const { client, transport } = yield* scripted(script, options)
    const fiber = yield* Effect.fork(
      Effect.forEach(requests, (request) => Effect.either(client.execute(request)), {
        concurrency: "unbounded"
      })
    )
    yield* TestClock.adjust(`${seconds} seconds`)
    const ended = yield* Fiber.join(fiber)
    const sent = yield* transport.requests
    return {
      ended,
      times: sent.map(({ at }) => at),
      failed: ended.flatMap((each) =>
        Either.match(each, {
          onLeft: (error) => [error],
          onRight: () => []
        })
      )
    }
  })

/** The most requests in any window of so many milliseconds. */
const mostIn = (times: ReadonlyArray<number>, millis: number, cost = 1): number =>
  Math.max(...times.map((at) => times.filter((other) => other >= at && other < at + millis).length)) * cost

/** A server with a fixed window of requests, which reports it or not. */
const counting = (
  limit: number,
  millis: number,
  report: (remaining: number, resetMillis: number, at: number) => Record<string, string>
) => {
  let window = -1
  let used = 0
  const refused: Array<number> = []
  const script: MockTransport.Script = ({ at }) => {
    if (Math.floor(at / millis) !== window) {
      window = Math.floor(at / millis)
      used = 0
    }
    const headers = () => report(Math.max(0, limit - used), (window + 1) * millis - at, at)
    if (used >= limit) {
      refused.push(at)
      return MockTransport.json({}, { status: 429, headers: headers() })
    }
    used++
    return MockTransport.json("ok", { headers: headers() })
  }
  return { refused, script }
}

const minute = 60_000

describe("concurrency", () => {
  it.effect("6.20 has at most so many requests in flight, and the others go in their order", () =>
    Effect.gen(function* () {
      let most = 0
      let open = 0
      const { client, transport } = yield* scripted(
        () => {
          most = Math.max(most, ++open)
          return MockTransport.json("ok", { delay: "1 second" })
        },
        { rateLimit: RateLimit.make({ concurrency: 3 }) }
      )
      const fiber = yield* Effect.fork(
        Effect.forEach(
          Array.from({ length: 10 }, (_, index) => index),
          (index) =>
            Effect.tap(client.execute(ApiRequest.get("/{index}", { path: { index } })), () =>
              Effect.sync(() => open--)
            ),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("4 seconds")
      yield* Fiber.join(fiber)
      expect(most).toBe(3)
      const requests = yield* transport.requests
      expect(requests.map(({ url }) => new URL(url).pathname)).toEqual(
        Array.from({ length: 10 }, (_, index) => `/v1/${index}`)
      )
    })
  )

  it.effect("6.20 whoever is interrupted at any step of the way to a place leaves it", () =>
    Effect.gen(function* () {
      for (let step = 1; step <= 150; step++) {
        const { client, transport } = yield* scripted(() => MockTransport.json("ok", { delay: "1 second" }), {
          rateLimit: RateLimit.make({ concurrency: 1 })
        })
        const before = yield* Effect.fork(client.execute(list))
        yield* transport.awaitRequests(1)
        let slow: Fiber.RuntimeFiber<unknown, unknown> | undefined
        const scheduler = yieldingAt(step, () => slow && Fibers.interrupt(slow))
        slow = yield* Effect.fork(Effect.withScheduler(client.execute(list), scheduler))
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.join(before)
        yield* Fiber.await(slow)
        const after = yield* Effect.fork(client.execute(list))
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.join(after)).toBe("ok")
      }
    })
  )

  it.effect("6.20 a higher priority goes first", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(() => MockTransport.json("ok", { delay: "1 second" }), {
        rateLimit: RateLimit.make({ concurrency: 1 })
      })
      const fiber = yield* Effect.fork(
        Effect.forEach(
          [0, 0, 5, -1, 5, 9],
          (priority, index) => client.execute(ApiRequest.get("/{index}", { path: { index }, priority })),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("7 seconds")
      yield* Fiber.join(fiber)
      const requests = yield* transport.requests
      expect(requests.map(({ url }) => new URL(url).pathname.at(-1))).toEqual(["0", "5", "2", "4", "1", "3"])
    })
  )

  it.effect("6.20 a full queue fails at once with its length and limit, and sends nothing", () =>
    Effect.gen(function* () {
      const { failed, times } = yield* play(
        () => MockTransport.json("ok", { delay: "1 second" }),
        { rateLimit: RateLimit.make({ concurrency: 1, maxQueue: 2 }) },
        calls(4),
        5
      )
      expect(times).toHaveLength(3)
      expect(failed).toEqual([
        expect.objectContaining({
          _tag: "QueueFullError",
          length: 2,
          limit: 2,
          attempts: [],
          delivery: "not-sent",
          stoppedBy: "not-retryable"
        })
      ])
    })
  )

  it.effect("6.20 whoever is interrupted leaves the queue, or gives the place in flight back", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(
        (_request, index) => (index === 0 ? MockTransport.never : ok),
        { rateLimit: RateLimit.make({ concurrency: 1, maxQueue: 2 }) }
      )
      const first = yield* Effect.fork(client.execute(list))
      yield* TestClock.adjust("1 second")
      const second = yield* Effect.fork(client.execute(list))
      const third = yield* Effect.fork(client.execute(list))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(second)
      const fourth = yield* Effect.fork(client.execute(list))
      yield* TestClock.adjust("1 second")
      expect(yield* transport.requestCount).toBe(1)
      yield* Fiber.interrupt(first)
      expect(yield* Fiber.join(third)).toBe("ok")
      expect(yield* Fiber.join(fourth)).toBe("ok")
      expect(yield* client.execute(list)).toBe("ok")
    })
  )

  it.effect.each(["interruptible", "uninterruptible"] as const)(
    "6.20 the wait counts towards timeouts.total, in an %s region, and an expired call sends nothing",
    (region) =>
      Effect.gen(function* () {
        const { client, transport } = yield* scripted(() => MockTransport.never, {
          rateLimit: RateLimit.make({ concurrency: 1 }),
          retry: { maxRetries: 0 }
        })
        const first = yield* Effect.fork(client.execute(list))
        yield* TestClock.adjust("1 second")
        const waiting = client.execute(ApiRequest.get("/todos", { timeouts: { total: "5 seconds" } }))
        const second = yield* Effect.fork(
          Effect.either(region === "interruptible" ? waiting : Effect.uninterruptible(waiting))
        )
        yield* TestClock.adjust("5 seconds")
        expect(Either.flip(yield* Fiber.join(second))).toMatchObject({
          right: {
            _tag: "TimeoutError",
            phase: "total",
            attempts: [],
            delivery: "not-sent",
            stoppedBy: "deadline"
          }
        })
        yield* Fiber.interrupt(first)
        expect(yield* transport.requestCount).toBe(1)
      })
  )

  const events = ApiRequest.get("/events", { events: EventStream.make({ event: Schema.Number }) })
  const ticking = MockTransport.stream(["data: 1\n\n", { delay: "1 minute" }, "data: 2\n\n"], {
    headers: { "content-type": "text/event-stream" }
  })

  it.effect("6.20 a stream is in flight until it is closed", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(({ url }) => (url.endsWith("/events") ? ticking : ok), {
        rateLimit: RateLimit.make({ concurrency: 1 })
      })
      const reading = yield* Effect.fork(Stream.runDrain(client.stream(events)))
      yield* TestClock.adjust("1 second")
      const second = yield* Effect.fork(client.execute(list))
      yield* TestClock.adjust("10 seconds")
      expect(yield* transport.requestCount).toBe(1)
      yield* Fiber.interrupt(reading)
      expect(yield* Fiber.join(second)).toBe("ok")
    })
  )

  it.effect("6.20 the body that a plain HttpClient returns is in flight until it is read", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make(() => ok)
      const layer = ApiClient.layerHttpClient.pipe(
        Layer.provide(ApiClient.layer({ baseUrl, rateLimit: RateLimit.make({ concurrency: 1 }) })),
        Layer.provide(Layer.succeed(HttpClient.HttpClient, transport.client))
      )
      yield* Effect.gen(function* () {
        const client = yield* HttpClient.HttpClient
        const first = yield* client.get("/todos")
        const second = yield* Effect.fork(Effect.flatMap(client.get("/todos"), ({ json }) => json))
        yield* TestClock.adjust("1 second")
        expect(yield* transport.requestCount).toBe(1)
        expect(yield* first.json).toBe("ok")
        expect(yield* Fiber.join(second)).toBe("ok")
        const third = yield* client.get("/todos")
        expect(yield* third.json).toBe("ok")
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("6.20 a response that a middleware makes gives its place back", () =>
    Effect.gen(function* () {
      const client = yield* clientOn((yield* MockTransport.make([])).client, {
        rateLimit: RateLimit.make({ concurrency: 1 }),
        middleware: [(request) => Effect.succeed(HttpClientResponse.fromWeb(request, new Response("1")))]
      })
      const raw = ApiRequest.get("/todos", { success: ResponseDecoder.bytes })
      for (const request of [raw, raw, list, list]) yield* client.execute(request)
      expect(yield* client.execute(list)).toBe("1")
    })
  )

  it.effect("12.2 the metrics count who waits, and for how long, whatever ends the wait", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted(() => MockTransport.json("ok", { delay: "2 seconds" }), {
        rateLimit: RateLimit.make({ concurrency: 1 })
      })
      const call = client.execute(list).pipe(labelled("waits"))
      const fibers = yield* Effect.forEach(calls(3), () => Effect.fork(call))
      yield* TestClock.adjust("1 second")
      expect(countsOf("http.client.waiting_requests", "waits")).toEqual([2])
      yield* Effect.forEach(fibers.slice(2), Fiber.interrupt)
      expect(countsOf("http.client.waiting_requests", "waits")).toEqual([1])
      yield* TestClock.adjust("10 seconds")
      expect(countsOf("http.client.waiting_requests", "waits")).toEqual([0])
      const found = metricsOf("http.client.wait.duration", "waits")
      expect(found.map(({ count, sum }) => ({ count, sum }))).toEqual([{ count: 2, sum: 3 }])
      expect(found[0]?.tags).toMatchObject({ unit: "s", "server.address": "api.test" })
    })
  )

  it.effect("6.20 a call inside an attempt does not wait for the attempt", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(() => ok, {
        rateLimit: RateLimit.make({ concurrency: 1 })
      })
      const outer = client.withOptions({
        middleware: [(request, next) => Effect.zipRight(Effect.orDie(client.execute(list)), next(request))]
      })
      expect(yield* outer.execute(list)).toBe("ok")
      expect(yield* transport.requestCount).toBe(2)
    })
  )

  it.effect("6.20 a call inside an attempt needs a usable key as any other", () =>
    Effect.gen(function* () {
      let key: unknown = "a"
      const make: (options: never) => RateLimit.RateLimit = RateLimit.make
      const { client, transport } = yield* scripted(() => ok, {
        rateLimit: make({ concurrency: 1, key: () => key } as never)
      })
      const inner = Effect.suspend(() => {
        key = 5
        return Effect.flip(client.execute(list))
      })
      const outer = client.withOptions({
        middleware: [(request, next) => Effect.zipRight(Effect.orDie(inner), next(request))]
      })
      expect(yield* outer.execute(list)).toBe("ok")
      expect(yield* transport.requestCount).toBe(1)
    })
  )

  it.effect("6.20 requests of other keys, origins and credentials do not wait", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(() => MockTransport.never, {
        rateLimit: RateLimit.make({ concurrency: 1, key: ({ template }) => template })
      })
      const fibers = yield* Effect.forEach(
        [list, list, ApiRequest.get("/other"), ApiRequest.atUrl(list, "https://elsewhere.test/todos")],
        (request) => Effect.fork(client.execute(request))
      )
      yield* TestClock.adjust("1 second")
      expect(yield* transport.requestCount).toBe(3)
      yield* Fiber.interruptAll(fibers)
    })
  )
})

describe("quotas", () => {
  it.effect.each([
    {
      name: "declared",
      rateLimit: { quotas: { requests: { limit: 50, window: "1 minute" } } },
      report: () => ({})
    },
    {
      name: "learned",
      rateLimit: { learn: true },
      report: (remaining: number, reset: number) => ({
        "x-ratelimit-limit": "50",
        "x-ratelimit-remaining": String(remaining),
        "x-ratelimit-reset": `${reset}ms`
      })
    },
    {
      name: "learned from the fields of the draft",
      rateLimit: { learn: true },
      report: (remaining: number, reset: number) => ({
        "ratelimit-policy": '"default";q=50;w=60',
        ratelimit: `"default";r=${remaining};t=${Math.ceil(reset / 1000)}`
      })
    }
  ] as const)(
    "6.21 a limit of 50 a minute that is $name is kept by 1,000 calls, without an idle window",
    ({ rateLimit, report }) =>
      Effect.gen(function* () {
        const { refused, script } = counting(50, minute, report)
        const { failed, times } = yield* play(
          script,
          { rateLimit: RateLimit.make(rateLimit) },
          calls(1000),
          21 * 60
        )
        expect(failed).toEqual([])
        expect(refused).toEqual([])
        const windows = Array.from(
          { length: 19 },
          (_, index) => times.filter((at) => at >= index * minute && at < (index + 1) * minute).length
        )
        expect(Math.min(...windows)).toBe(50)
        expect(Math.max(...windows)).toBe(50)
      })
  )

  it.effect("6.21 a limit of 10,000 tokens a minute is kept by 1,000 calls of 190", () =>
    Effect.gen(function* () {
      const rateLimit = RateLimit.make({
        quotas: { tokens: { limit: 10_000, window: "1 minute" } },
        cost: () => ({ tokens: 190 })
      })
      const { times } = yield* play(() => ok, { rateLimit }, calls(1000), 21 * 60)
      expect(times).toHaveLength(1000)
      expect(mostIn(times, minute, 190)).toBe(52 * 190)
    })
  )

  const both = {
    requests: { limit: 50, window: "1 minute" },
    tokens: { limit: 10_000, window: "1 minute" }
  } as const

  it.effect.each([
    { name: "declared", tokens: 190, rateLimit: { quotas: both } },
    { name: "declared", tokens: 400, rateLimit: { quotas: both } },
    { name: "learned", tokens: 190, rateLimit: { learn: true } },
    { name: "learned", tokens: 400, rateLimit: { learn: true } }
  ])(
    "6.21 50 requests and 10,000 tokens a minute that are $name are kept by 1,000 calls of $tokens tokens",
    ({ rateLimit, tokens }) =>
      Effect.gen(function* () {
        let window = -1
        let used = 0
        let refused = 0
        const { failed, times } = yield* play(
          ({ at }) => {
            if (Math.floor(at / minute) !== window) {
              window = Math.floor(at / minute)
              used = 0
            }
            used++
            if (used > 50 || used * tokens > 10_000) refused++
            const reset = `${((window + 1) * minute - at) / 1000}s`
            return MockTransport.json("ok", {
              headers: {
                "x-ratelimit-limit-requests": "50",
                "x-ratelimit-remaining-requests": String(50 - used),
                "x-ratelimit-reset-requests": reset,
                "x-ratelimit-limit-tokens": "10000",
                "x-ratelimit-remaining-tokens": String(10_000 - used * tokens),
                "x-ratelimit-reset-tokens": reset
              }
            })
          },
          { rateLimit: RateLimit.make({ ...rateLimit, cost: () => ({ tokens }) }) },
          calls(1000),
          41 * 60
        )
        expect(failed).toEqual([])
        expect(refused).toBe(0)
        const each = Math.min(50, Math.floor(10_000 / tokens))
        const full = Math.floor(1000 / each)
        const windows = Array.from(
          { length: full },
          (_, index) => times.filter((at) => at >= index * minute && at < (index + 1) * minute).length
        )
        expect(windows).toEqual(Array.from({ length: full }, () => each))
      })
  )

  it.effect("6.21 the response's usage replaces the estimate", () =>
    Effect.gen(function* () {
      const rateLimit = RateLimit.make({
        quotas: { tokens: { limit: 1000, window: "1 minute" } },
        cost: () => ({ tokens: 500 }),
        usage: (value) => (value === "ok" ? { tokens: 100 } : undefined)
      })
      const { times } = yield* play(() => ok, { rateLimit }, calls(7), 61)
      expect(times).toEqual([0, 0, 0, 0, 0, 0, minute])
    })
  )

  it.effect("6.21 the usage in an event of a stream replaces the estimate, and the last one counts", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(
        () =>
          MockTransport.stream(["data: 400\n\n", "data: 700\n\n"], {
            headers: { "content-type": "text/event-stream" }
          }),
        {
          rateLimit: RateLimit.make({
            quotas: { tokens: { limit: 1000, window: "1 minute" } },
            cost: () => ({ tokens: 350 }),
            usage: (event) => (typeof event === "number" ? { tokens: event } : undefined)
          })
        }
      )
      const events = ApiRequest.get("/events", { events: EventStream.make({ event: Schema.Number }) })
      yield* Stream.runDrain(client.stream(events))
      const second = yield* Effect.fork(Stream.runDrain(client.stream(events)))
      yield* TestClock.adjust("59 seconds")
      expect(yield* transport.requestCount).toBe(1)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(second)
      expect(yield* transport.requestCount).toBe(2)
    })
  )

  it.effect("6.21 an attempt that is not sent costs nothing", () =>
    Effect.gen(function* () {
      const refused = MockTransport.connectionError({ code: "ECONNREFUSED" })
      const { failed, times } = yield* play(
        (_request, index) => (index < 5 ? refused : ok),
        {
          rateLimit: RateLimit.make({ quotas: { requests: { limit: 2, window: "1 hour" } } }),
          retry: { ...withoutJitter, maxRetries: 9, budget: false }
        },
        calls(1),
        60
      )
      expect(failed).toEqual([])
      expect(times).toHaveLength(6)
    })
  )
})

describe("a 429 with a retry-after", () => {
  const refusing =
    (millis: number, seconds: number): MockTransport.Script =>
    ({ at }) =>
      at < millis ? busy(seconds, "10 millis") : ok

  it.effect("6.23 makes all calls wait: of 200, at most 5 are refused again, and all succeed", () =>
    Effect.gen(function* () {
      const { failed, times } = yield* play(refusing(1000, 1), { retry: withoutJitter }, calls(200), 30)
      expect(failed).toEqual([])
      expect(times.filter((at) => at > 0 && at < 1000).length).toBeLessThanOrEqual(5)
      expect(times.filter((at) => at === 0)).toHaveLength(200)
    })
  )

  it.effect("6.23 new calls wait until then, and go on at a growing pace", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(
        ({ at }) => (at < 1000 ? busy(2) : MockTransport.json("ok", { delay: "1 hour" })),
        {}
      )
      const first = yield* Effect.fork(client.execute(list))
      yield* TestClock.adjust("1 second")
      const others = yield* Effect.forEach(calls(20), (request) => Effect.fork(client.execute(request)))
      const counts: Array<number> = []
      for (const millis of [999, 1, 250, 250, 250, 250]) {
        yield* TestClock.adjust(millis)
        counts.push(yield* transport.requestCount)
      }
      expect(counts).toEqual([1, 2, 3, 5, 9, 17])
      yield* Fiber.interruptAll([first, ...others])
    })
  )

  it.effect.each([
    { name: "above maxRetryAfter", options: {}, seconds: 61, stoppedBy: "retry-after" },
    {
      name: "beyond the deadline",
      options: { timeouts: { total: "10 seconds" } },
      seconds: 20,
      stoppedBy: "deadline"
    },
    { name: "without retries", options: { retry: { maxRetries: 0 } }, seconds: 2, stoppedBy: "attempts" }
  ] as const)("6.23 a wait $name fails at once: nothing is sent", ({ options, seconds, stoppedBy }) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([busy(seconds), MockTransport.forever(ok)], options)
      const first = yield* Effect.flip(client.execute(list))
      expect(first).toMatchObject({ _tag: "RateLimitError", stoppedBy, delivery: "rejected" })
      const second = yield* Effect.flip(client.execute(list))
      expect(second).toMatchObject({
        _tag: "RateLimitError",
        status: 429,
        attempts: [],
        stoppedBy,
        delivery: "not-sent",
        retryAfterMillis: seconds * 1000
      })
      expect(yield* transport.requestCount).toBe(1)
      // However long the server asks for, the client tries again after a minute.
      yield* TestClock.adjust("61 seconds")
      expect(yield* client.execute(list)).toBe("ok")
    })
  )

  it.effect("6.23 a short wait follows a long one that the client has waited for", () =>
    Effect.gen(function* () {
      const script = [busy(3600), ok, busy(2), MockTransport.forever(ok)]
      const { client, transport } = yield* scripted(script, { retry: { jitter: 0 } })
      yield* Effect.flip(client.execute(list))
      yield* TestClock.adjust("61 seconds")
      yield* client.execute(list)
      const third = yield* Effect.fork(client.execute(list))
      yield* TestClock.adjust("500 millis")
      const fourth = yield* Effect.fork(client.execute(list))
      yield* TestClock.adjust("1500 millis")
      expect(yield* Fiber.join(third)).toBe("ok")
      expect(yield* Fiber.join(fourth)).toBe("ok")
      expect(yield* transport.requestCount).toBe(5)
    })
  )

  it.effect.each([
    { name: "rateLimit is false", options: { rateLimit: false }, request: list },
    { name: "another origin", options: {}, request: ApiRequest.atUrl(list, "https://elsewhere.test/todos") },
    {
      name: "a hint that the policy ignores",
      options: { retry: { maxRetryAfter: "1 second", onLongRetryAfter: "backoff", maxRetries: 0 } },
      request: list
    }
  ] as const)("6.23 does not hold calls back: $name", ({ options, request }) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([busy(30), MockTransport.forever(ok)], options)
      const first = yield* Effect.fork(client.execute(list))
      yield* TestClock.adjust("10 millis")
      expect(yield* client.execute(request)).toBe("ok")
      expect(yield* transport.requestCount).toBe(2)
      yield* Fiber.interrupt(first)
    })
  )

  it.effect("6.23 clients of withOptions wait as well", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([busy(30), MockTransport.forever(ok)], {})
      const other = client.withOptions({ headers: { "x-a": "b" } })
      const first = yield* Effect.fork(client.execute(list))
      yield* TestClock.adjust("10 millis")
      const second = yield* Effect.fork(other.execute(list))
      yield* TestClock.adjust("20 seconds")
      expect(yield* transport.requestCount).toBe(1)
      yield* TestClock.adjust("11 seconds")
      expect(yield* Fiber.join(second)).toBe("ok")
      expect(yield* Fiber.join(first)).toBe("ok")
    })
  )
})

describe("bad options", () => {
  it.effect.each([
    ["concurrency", { concurrency: 0 }],
    ["concurrency", { concurrency: 1.5 }],
    ["maxQueue", { maxQueue: -1 }],
    ["quotas", { quotas: [] }],
    ["quotas.requests", { quotas: { requests: 5 } }],
    ["quotas.requests.limit", { quotas: { requests: { limit: 0, window: "1 second" } } }],
    ["quotas.requests.limit", { quotas: { requests: { window: "1 second" } } }],
    ["quotas.requests.window", { quotas: { requests: { limit: 1, window: "soon" } } }],
    ["quotas.requests.window", { quotas: { requests: { limit: 1 } } }],
    ["quotas.requests.window", { quotas: { requests: { limit: 1, window: Number.POSITIVE_INFINITY } } }],
    ["learn", { learn: "yes" }],
    ["cost", { cost: 5 }],
    ["key", { key: "model" }],
    ["maxqueue", { maxqueue: 5 }]
  ] as const)("1.3 %s is named: %j", ([field, options]) =>
    Effect.gen(function* () {
      const make: (options: never) => RateLimit.RateLimit = RateLimit.make
      const error = yield* Effect.flip(scripted([], { rateLimit: make(options as never) }))
      expect(error).toMatchObject({ _tag: "InvalidConfigError", key: `rateLimit.${field}` })
    })
  )

  const thrown = () => {
    throw new Error("no result")
  }
  const unusable: ReadonlyArray<readonly [field: string, options: object]> = [
    ["key", { key: () => 5 }],
    ["key", { key: thrown }],
    ["cost", { cost: () => ({ tokens: -1 }) }],
    ["cost", { cost: () => ({ tokens: Number.NaN }) }],
    ["cost", { cost: () => "much" }],
    ["cost", { cost: thrown }]
  ]

  it.effect.each(unusable)("1.3 a function without a usable result fails the call: %s", ([field, options]) =>
    Effect.gen(function* () {
      const make: (options: never) => RateLimit.RateLimit = RateLimit.make
      const { client, transport } = yield* scripted(() => ok, { rateLimit: make(options as never) })
      const error = yield* Effect.flip(client.execute(list))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field: `rateLimit.${field}`, attempts: [] })
      expect(ApiError.isRetryable(error)).toBe(false)
      expect(yield* transport.requestCount).toBe(0)
    })
  )
})
