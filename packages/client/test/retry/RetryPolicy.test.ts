import { describe, expect, it } from "@effect/vitest"
import { ApiError, ApiRequest, Middleware, RetryPolicy } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Duration, Effect, Schedule, TestClock } from "effect"
import * as Decisions from "../../src/retry/decisions.js"
import { drawing } from "../fixtures/random.js"
import { withoutDelay } from "../fixtures/requests.js"
import { countRequests, errors, list, ok, play, playError, status, withoutJitter } from "../fixtures/retry.js"
import backoff from "../vectors/backoff.json" with { type: "json" }
import retryAfter from "../vectors/retry-after.json" with { type: "json" }

const seconds = (n: number): number => n * 1000

/** A schedule with these waits. */
const waiting = (...waits: readonly [Duration.DurationInput, ...ReadonlyArray<Duration.DurationInput>]) =>
  Schedule.addDelay(Schedule.recurs(waits.length), (count) => waits[count] ?? waits[0])

describe("which errors are retried", () => {
  const retriedStatuses = new Set([408, 409, 429])
  const statuses = Array.from({ length: 200 }, (_, index) => 400 + index)

  it.effect("6.1 retries 408, 409, 429 and 5xx, and no other status from 400 to 599", () =>
    Effect.forEach(statuses, (code) =>
      Effect.gen(function* () {
        const sent = yield* countRequests([status(code), ok])
        expect([code, sent]).toEqual([code, retriedStatuses.has(code) || code >= 500 ? 2 : 1])
      })
    )
  )

  it.effect.each([
    { header: "true", retried: true },
    { header: "false", retried: false }
  ])("6.1 x-should-retry: $header takes precedence over every status", ({ header, retried }) =>
    Effect.forEach(statuses, (code) =>
      Effect.gen(function* () {
        const sent = yield* countRequests([status(code, { "x-should-retry": header }), ok])
        expect([code, sent]).toEqual([code, retried ? 2 : 1])
      })
    )
  )

  it.effect.each(["TRUE", "False", "yes", "1", "0", ""])(
    "6.1 any other x-should-retry is ignored: %j",
    (word) =>
      Effect.gen(function* () {
        const header = { "x-should-retry": word }
        expect(yield* countRequests([status(503, header), ok])).toBe(2)
        expect(yield* countRequests([status(404, header), ok])).toBe(1)
      })
  )

  it.each(Object.values(errors))("6.1 Middleware.retryable marks a copy of $_tag as retryable", (error) => {
    const marked = Middleware.retryable(error)
    // A request that cannot be sent is never retried.
    expect(ApiError.isRetryable(marked)).toBe(error._tag !== "InvalidRequestError")
    expect(error.shouldRetry).toBeUndefined()
  })

  it.effect("6.1 a rejected certificate is not retried", () =>
    Effect.gen(function* () {
      const script = [MockTransport.connectionError({ code: "CERT_HAS_EXPIRED", as: "fetch" }), ok]
      const { error, times } = yield* playError(script)
      expect(error).toMatchObject({ _tag: "ConnectionError", kind: "tls", stoppedBy: "not-retryable" })
      expect(times).toEqual([0])
    })
  )

  it.effect("6.1 an error that a middleware marks is retried", () =>
    Effect.gen(function* () {
      let calls = 0
      const failFirst: Middleware.Middleware = (request, next) =>
        Effect.filterOrFail(
          next(request),
          () => ++calls > 1,
          () => Middleware.retryable(errors.NotFoundError)
        )
      const { ended, times } = yield* play([ok, ok], { middleware: [failFirst], retry: withoutJitter })
      expect(times).toEqual([0, 500])
      expect(ended).toMatchObject({ _tag: "Right", right: { value: "ok" } })
    })
  )

  it.effect("6.1 an unmarked error from a middleware is not retried", () =>
    Effect.gen(function* () {
      const reject: Middleware.Middleware = () => Effect.fail(errors.NotFoundError)
      const { error, times } = yield* playError([], { middleware: [reject] })
      expect(error).toMatchObject({ _tag: "NotFoundError", stoppedBy: "not-retryable" })
      expect(times).toEqual([])
    })
  )

  it.effect("6.1 a response that does not fit its schema is not retried", () =>
    Effect.gen(function* () {
      const cut = MockTransport.text("{", { headers: { "content-type": "application/json" } })
      const { error, times } = yield* playError([cut])
      expect(error).toMatchObject({ _tag: "ResponseValidationError", stoppedBy: "not-retryable" })
      expect(times).toEqual([0])
    })
  )
})

describe("the wait before a retry", () => {
  const now = Date.parse(retryAfter.now)

  it.effect.each(retryAfter.cases)("6.2 honours the server's hint: %j", (vector) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const { ended, times } = yield* play([status(503, vector.headers as never), ok], {
        retry: withoutJitter
      })
      if (vector.exceedsLimit === true) {
        expect(times).toEqual([0])
        expect(ended).toMatchObject({
          left: {
            _tag: "ServiceUnavailableError",
            stoppedBy: "retry-after",
            retryAfter: Duration.seconds(vector.hintSeconds),
            attempts: [{ status: 503, delay: undefined }]
          }
        })
      } else {
        expect(times).toEqual([0, vector.hintSeconds === null ? 500 : seconds(vector.hintSeconds)])
        expect(ended).toMatchObject({ right: { value: "ok" } })
      }
    })
  )

  it.effect.each(retryAfter.cases)(
    '6.2 with onLongRetryAfter: "backoff", a hint above the limit is ignored: %j',
    (vector) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(now)
        const retry = { ...withoutJitter, onLongRetryAfter: "backoff" } as const
        const { times } = yield* play([status(429, vector.headers as never), ok], { retry })
        const counts = vector.hintSeconds !== null && vector.exceedsLimit !== true
        expect(times).toEqual([0, counts ? seconds(vector.hintSeconds) : 500])
      })
  )

  it.effect.each([
    { hint: "59.999", limit: "60 seconds", times: [0, 59_999] },
    { hint: "60", limit: "60 seconds", times: [0, 60_000] },
    { hint: "60.001", limit: "60 seconds", times: [0] },
    { hint: "1", limit: 0, times: [0] },
    { hint: "300", limit: "5 minutes", times: [0, 300_000] },
    { hint: "604800", limit: "60 seconds", times: [0] }
  ] as const)("6.2 a hint of $hint s with a limit of $limit", ({ hint, limit, times }) =>
    Effect.gen(function* () {
      const played = yield* play([status(429, { "retry-after": hint }), ok], {
        retry: { maxRetryAfter: limit }
      })
      expect(played.times).toEqual(times)
    })
  )

  it.effect("6.2 a hint sets one wait only, and the backoff continues to grow", () =>
    Effect.gen(function* () {
      const hinted = status(429, { "retry-after": "20" })
      const script = [status(500), hinted, status(500), ok]
      const { times } = yield* play(script, { retry: { ...withoutJitter, maxRetries: 3 } })
      expect(times).toEqual([0, 500, 20_500, 22_500])
    })
  )

  it.effect("6.2 a hint above maxDelay or below the backoff is honoured", () =>
    Effect.gen(function* () {
      const script = [status(503, { "retry-after": "30" }), status(503, { "retry-after-ms": "1" }), ok]
      expect((yield* play(script, { retry: withoutJitter })).times).toEqual([0, 30_000, 30_001])
    })
  )

  const timed = backoff.cases.filter(({ retry }) => retry < 10)

  it.effect.each([
    { u: 0, bound: "max" },
    { u: 1 - Number.EPSILON, bound: "min" }
  ] as const)("6.2 doubles up to the limit, and jitter shortens it: U = $u", ({ bound, u }) =>
    Effect.gen(function* () {
      const retry = { maxRetries: timed.length }
      const { times } = yield* drawing(u)(play([MockTransport.forever(status(500))], { retry }))
      const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0))
      expect(gaps).toHaveLength(timed.length)
      timed.forEach((vector, index) => expect(gaps[index]).toBeCloseTo(seconds(vector[bound]), 6))
    })
  )

  it.each(backoff.cases)("6.2 the backoff of retry $retry is within its bounds", ({ max, min, retry }) => {
    const policy = RetryPolicy.make()
    for (const u of [0, 0.1, 0.5, 0.9, 1 - Number.EPSILON]) {
      const delay = Decisions.backoffMillis(policy, retry, u) / 1000
      expect(delay).toBeLessThanOrEqual(max)
      expect(delay).toBeGreaterThanOrEqual(min)
    }
  })

  it.each([0, 1, 1023, 1024, 1100, 1e9])("6.2 an initialDelay of zero stays zero at retry %d", (retry) => {
    expect(Decisions.backoffMillis(RetryPolicy.make(withoutDelay), retry, 0.5)).toBe(0)
  })
})

describe("retry schedules", () => {
  const down = [MockTransport.forever(status(503))]
  const policy = RetryPolicy.make({ ...withoutJitter, maxRetries: 5 })
  const own = RetryPolicy.schedule(policy)

  it.effect.each([
    { name: "unchanged", retry: own, times: [0, 500, 1500, 3500, 7500, 15_500] },
    { name: "limited in time", retry: Schedule.upTo(own, "2 seconds"), times: [0, 500, 1500, 3500] },
    { name: "with fewer steps", retry: Schedule.intersect(own, Schedule.recurs(1)), times: [0, 500] },
    {
      name: "slowed down",
      retry: Schedule.modifyDelay(own, (_, delay) => Duration.times(delay, 2)),
      times: [0, 1000, 3000, 7000, 15_000, 31_000]
    },
    {
      name: "followed by another schedule",
      retry: Schedule.andThen(
        RetryPolicy.schedule(RetryPolicy.make({ ...withoutJitter, maxRetries: 1 })),
        Schedule.intersect(Schedule.spaced("1 minute"), Schedule.recurs(2))
      ),
      times: [0, 500, 60_500, 120_500]
    },
    {
      name: "while the error matches",
      retry: Schedule.whileInput(own, (error) => error._tag !== "ServiceUnavailableError"),
      times: [0]
    }
  ])("6.3 the policy's schedule can be changed: $name", ({ retry, times }) =>
    Effect.gen(function* () {
      const played = yield* playError(down, { retry })
      expect(played.times).toEqual(times)
      expect(played.error.stoppedBy).toBe("attempts")
    })
  )

  it.effect.each([
    { name: "recurs", retry: Schedule.recurs(3), times: [0, 0, 0, 0] },
    { name: "stop", retry: Schedule.stop, times: [0] },
    {
      name: "spaced up to",
      retry: Schedule.upTo(Schedule.spaced("1 second"), "2500 millis"),
      times: [0, 1000, 2000, 3000]
    },
    {
      name: "exponential",
      retry: Schedule.intersect(Schedule.exponential("100 millis"), Schedule.recurs(3)),
      times: [0, 100, 300, 700]
    },
    { name: "delays", retry: waiting("3 seconds", "1 second"), times: [0, 3000, 4000] }
  ])("6.3 another schedule replaces it: $name", ({ retry, times }) =>
    Effect.gen(function* () {
      const played = yield* playError(down, { retry })
      expect(played.times).toEqual(times)
      expect(played.error.stoppedBy).toBe("attempts")
    })
  )

  it.effect("6.3 another schedule sets the waits, and the table still decides which errors are retried", () =>
    Effect.gen(function* () {
      const retry = Schedule.recurs(3)
      expect((yield* playError([status(404)], { retry })).error.stoppedBy).toBe("not-retryable")
      const hinted = [status(503, { "retry-after": "20" }), ok]
      expect((yield* play(hinted, { retry: waiting("1 second") })).times).toEqual([0, 1000])
    })
  )

  it.effect("6.3 a changed schedule of a policy still stops at a hint above the limit", () =>
    Effect.gen(function* () {
      const script = [status(429, { "retry-after": "61" })]
      const { error } = yield* playError(script, { retry: Schedule.upTo(own, "1 hour") })
      expect(error.stoppedBy).toBe("retry-after")
    })
  )

  it.effect("6.3 a schedule starts again with each call", () =>
    Effect.gen(function* () {
      const retry = RetryPolicy.schedule(RetryPolicy.make({ ...withoutJitter, maxRetries: 1 }))
      for (const _ of [1, 2]) expect((yield* play(down, { retry })).times).toEqual([0, 500])
    })
  )

  it.effect.each([
    { name: "none", retry: RetryPolicy.none, times: [0] },
    { name: "options", retry: { ...withoutJitter, maxRetries: 3 }, times: [0, 500, 1500, 3500] },
    {
      name: "a policy",
      retry: RetryPolicy.make({ ...withoutJitter, maxDelay: "500 millis" }),
      times: [0, 500, 1000]
    },
    { name: "a schedule", retry: waiting("7 seconds"), times: [0, 7000] }
  ])("6.3 a request's retry replaces the client's schedule: $name", ({ retry, times }) =>
    Effect.gen(function* () {
      const played = yield* play(down, { retry: Schedule.recurs(9) }, ApiRequest.get("/todos", { retry }))
      expect(played.times).toEqual(times)
    })
  )

  it.effect("6.3 a request with invalid retry options is not sent", () =>
    Effect.gen(function* () {
      const { error, times } = yield* playError(
        [],
        {},
        ApiRequest.get("/todos", { retry: { maxRetries: -1 } })
      )
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field: "retry.maxRetries" })
      expect(times).toEqual([])
    })
  )
})

describe("delivery", () => {
  const deliveries: Record<ApiError.Delivery, MockTransport.MockStep> = {
    "not-sent": MockTransport.connectionError({ code: "ECONNREFUSED" }),
    rejected: status(429),
    "maybe-applied": status(503)
  }
  const requests = {
    GET: list,
    PUT: ApiRequest.put("/todos", { body: 1 }),
    DELETE: ApiRequest.del("/todos"),
    POST: ApiRequest.post("/todos", { body: 1 }),
    PATCH: ApiRequest.patch("/todos", { body: 1 }),
    "POST with a key": ApiRequest.post("/todos", { body: 1, idempotencyKey: "key" }),
    "PATCH with a key": ApiRequest.patch("/todos", { body: 1, idempotencyKey: "key" })
  }
  const unsafe = new Set(["POST", "PATCH"])
  const cases = (["always", "when-safe", "never"] as const).flatMap((retryUnsafe) =>
    Object.entries(requests).flatMap(([name, request]) =>
      Object.entries(deliveries).map(([delivery, step]) => ({
        retryUnsafe,
        name,
        request,
        delivery,
        step,
        retried:
          !unsafe.has(name) ||
          retryUnsafe === "always" ||
          (retryUnsafe === "when-safe" && delivery !== "maybe-applied")
      }))
    )
  )

  it.effect.each(cases)(
    "6.11 retryUnsafe: $retryUnsafe, $name, delivery: $delivery",
    ({ delivery, request, retried, retryUnsafe, step }) =>
      Effect.gen(function* () {
        const { ended, times } = yield* play(
          [step, ok],
          { retry: { ...withoutDelay, retryUnsafe } },
          request,
          0
        )
        expect(times).toHaveLength(retried ? 2 : 1)
        if (!retried) expect(ended).toMatchObject({ left: { delivery, stoppedBy: "not-retryable" } })
      })
  )

  it.effect("6.11 the client's idempotency keys make POST safe", () =>
    Effect.gen(function* () {
      const options = {
        idempotency: { header: "Idempotency-Key" },
        retry: { ...withoutDelay, retryUnsafe: "never" as const }
      }
      const { requests: sent } = yield* play([status(503), ok], options, requests.POST)
      const keys = sent.map(({ headers }) => headers["idempotency-key"])
      expect(keys).toHaveLength(2)
      expect(new Set(keys).size).toBe(1)
    })
  )

  const expected: ReadonlyArray<readonly [ApiError.Delivery, MockTransport.MockStep]> = [
    ...[400, 401, 403, 404, 408, 409, 413, 418, 422, 429, 529].map(
      (code) => ["rejected", status(code)] as const
    ),
    ...[500, 501, 502, 503, 504, 520].map((code) => ["maybe-applied", status(code)] as const),
    ...["ENOTFOUND", "ECONNREFUSED", "CERT_HAS_EXPIRED", "UND_ERR_CONNECT_TIMEOUT"].map(
      (code) => ["not-sent", MockTransport.connectionError({ code })] as const
    ),
    ...["ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "EWHATEVER", "UND_ERR_HEADERS_TIMEOUT"].map(
      (code) => ["maybe-applied", MockTransport.connectionError({ code })] as const
    )
  ]

  it.effect("6.11 every failure has its delivery", () =>
    Effect.forEach(expected, ([delivery, step]) =>
      Effect.gen(function* () {
        const { error } = yield* playError([step], { retry: RetryPolicy.none }, list, 0)
        expect([error.message, error.delivery]).toEqual([error.message, delivery])
      })
    )
  )
})
