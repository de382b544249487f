import { describe, expect } from "@effect/vitest"
import type { RetryPolicy } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Duration, Effect, Either, FastCheck as fc } from "effect"
import { holds } from "../fixtures/properties.js"
import { scripted } from "../fixtures/requests.js"
import { list, ok, play, settle, status } from "../fixtures/retry.js"

/** One attempt of a script: how it fails, and the server's hint. */
interface Failure {
  readonly kind: "status" | "reset" | "timeout" | "silent" | "refused"
  readonly code: number
  /** In milliseconds; `undefined` without a hint. */
  readonly hint: number | undefined
  readonly unit: "ms" | "seconds"
}

const retriedStatuses = [408, 409, 429, 500, 502, 503, 504, 529]

const failure: fc.Arbitrary<Failure> = fc.record({
  kind: fc.constantFrom("status", "status", "status", "reset", "timeout", "silent", "refused"),
  code: fc.constantFrom(...retriedStatuses, 400, 404),
  hint: fc.option(fc.integer({ min: 1, max: 70_000 }), { nil: undefined }),
  unit: fc.constantFrom("ms", "seconds")
})

const policy: fc.Arbitrary<RetryPolicy.Options> = fc.record({
  maxRetries: fc.integer({ min: 0, max: 5 }),
  initialDelay: fc.integer({ min: 0, max: 3000 }),
  maxDelay: fc.integer({ min: 0, max: 10_000 }),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  onLongRetryAfter: fc.constantFrom("fail", "backoff"),
  budget: fc.constantFrom<RetryPolicy.Options["budget"]>(false, { capacity: 20 })
})

const headers = ({ hint, unit }: Failure): Record<string, string> =>
  hint === undefined
    ? {}
    : unit === "ms"
      ? { "retry-after-ms": String(hint) }
      : { "retry-after": String(hint / 1000) }

const step = (failure: Failure): MockTransport.MockStep => {
  switch (failure.kind) {
    case "status":
      return status(failure.code, headers(failure))
    case "reset":
      return MockTransport.connectionError({ code: "ECONNRESET" })
    case "refused":
      return MockTransport.connectionError({ code: "ECONNREFUSED", as: "fetch" })
    case "timeout":
      return MockTransport.never
    case "silent":
      return MockTransport.stream(["1", { delay: Infinity }], { headers: headers(failure) })
  }
}

const limitMillis = 1000

/** Runs a call over a mix of failures that ends with a success. */
const callOver = (failures: ReadonlyArray<Failure>, retry: RetryPolicy.Options) =>
  Effect.map(
    play(
      [...failures.map(step), MockTransport.forever(ok)],
      { retry, timeouts: { response: limitMillis, idle: limitMillis } },
      list,
      "10 minutes"
    ),
    ({ ended, times }) => {
      if (Either.isRight(ended)) return { times, attempts: ended.right.attempts, stoppedBy: undefined }
      return { times, attempts: ended.left.attempts, stoppedBy: ended.left.stoppedBy }
    }
  )

type Played = Effect.Effect.Success<ReturnType<typeof callOver>>

/** The hint that a client honours for a failure, in milliseconds. */
const honoured = (failure: Failure | undefined): number | undefined =>
  failure?.kind === "status" && failure.hint !== undefined && failure.hint <= 60_000
    ? failure.hint
    : undefined

const tooLong = (failure: Failure | undefined): boolean =>
  failure?.kind === "status" && failure.hint !== undefined && failure.hint > 60_000

const mayBeRetried = (failure: Failure): boolean =>
  failure.kind !== "status" || retriedStatuses.includes(failure.code)

/** The waits of a ledger, each with the failure before it. */
const waits = ({ attempts }: Played, failures: ReadonlyArray<Failure>) =>
  attempts.flatMap(({ delay }, index) =>
    delay === undefined ? [] : [{ delay: Duration.toMillis(delay), failure: failures[index] }]
  )

/** Times are sums of floating point numbers. */
const slack = 0.001

const runs = 40

const property = (
  name: string,
  check: (played: Played, failures: ReadonlyArray<Failure>, retry: RetryPolicy.Options) => void
): void =>
  holds(
    name,
    { failures: fc.array(failure, { maxLength: 6 }), retry: policy },
    ({ failures, retry }) =>
      Effect.map(callOver(failures, retry), (played) => check(played, failures, retry)),
    runs
  )

describe("any mix of failures", () => {
  property(
    "6.1 never exceeds the allowed attempts, and stops at a failure that must not be retried",
    (played, failures, retry) => {
      const final = failures.findIndex((failure) => !mayBeRetried(failure))
      const needed = final === -1 ? failures.length + 1 : final + 1
      expect(played.times.length).toBeLessThanOrEqual(Math.min((retry.maxRetries ?? 2) + 1, needed))
      expect(played.attempts).toHaveLength(played.times.length)
    }
  )

  property("6.2 no wait without a hint exceeds maxDelay", (played, failures, { maxDelay }) => {
    for (const { delay, failure } of waits(played, failures)) {
      if (honoured(failure) === undefined) expect(delay).toBeLessThanOrEqual(Number(maxDelay) + slack)
    }
  })

  property("6.2 a wait with a hint is exactly the hint", (played, failures) => {
    for (const { delay, failure } of waits(played, failures)) {
      const hint = honoured(failure)
      if (hint !== undefined) expect(Math.abs(delay - hint)).toBeLessThan(slack)
    }
  })

  property(
    '6.2 nothing is sent after a hint above the limit, except with onLongRetryAfter: "backoff"',
    (played, failures, retry) => {
      if (retry.onLongRetryAfter === "backoff") {
        expect(played.stoppedBy).not.toBe("retry-after")
      } else {
        for (const { failure } of waits(played, failures)) expect(tooLong(failure)).toBe(false)
      }
    }
  )

  property("6.6 the ledger has the time of every attempt and wait", ({ attempts, times }) => {
    attempts.forEach(({ delay, duration, startedAt }, index) => {
      expect(startedAt).toBeCloseTo(times[index] ?? Number.NaN, 3)
      const next = times[index + 1]
      if (next === undefined) expect(delay).toBeUndefined()
      else {
        const gap = next - startedAt - Duration.toMillis(duration)
        expect(delay === undefined ? undefined : Duration.toMillis(delay)).toBeCloseTo(gap, 3)
      }
    })
  })

  property("6.6 a call succeeds or has the matching stoppedBy", (played, failures, retry) => {
    const last = failures[played.attempts.length - 1]
    switch (played.stoppedBy) {
      case undefined:
        expect(last).toBeUndefined()
        break
      case "not-retryable":
        expect(last && mayBeRetried(last)).toBe(false)
        break
      case "attempts":
        expect(played.attempts).toHaveLength((retry.maxRetries ?? 2) + 1)
        break
      case "retry-after":
        expect(tooLong(last)).toBe(true)
        break
      default:
        expect(played.stoppedBy).toBe("budget")
        expect(retry.budget).not.toBe(false)
    }
  })
})

describe("any load", () => {
  const load = fc.record({
    calls: fc.integer({ min: 1, max: 60 }),
    concurrency: fc.integer({ min: 1, max: 20 }),
    capacity: fc.integer({ min: 0, max: 100 }),
    retryCost: fc.integer({ min: 1, max: 20 }),
    maxRetries: fc.integer({ min: 0, max: 5 })
  })

  holds(
    "6.4 retries never exceed what the budget pays for",
    { load, codes: fc.array(fc.constantFrom(...retriedStatuses), { minLength: 1, maxLength: 10 }) },
    ({ codes, load: { calls, capacity, concurrency, maxRetries, retryCost } }) =>
      Effect.gen(function* () {
        const { client, transport } = yield* scripted(
          (_, index) => status(codes[index % codes.length] ?? 503),
          { retry: { maxRetries, initialDelay: 0, budget: { capacity, retryCost } } }
        )
        const call = Effect.flip(client.execute(list))
        const errors = yield* Effect.all(
          Array.from({ length: calls }, () => call),
          { concurrency }
        )
        const paid = Math.floor(capacity / retryCost)
        expect(yield* transport.requestCount).toBe(calls + Math.min(paid, calls * maxRetries))
        for (const error of errors) expect(["attempts", "budget"]).toContain(error.stoppedBy)
      }),
    runs
  )

  holds(
    "6.13 the budget never refuses a retry that honours a hint",
    {
      load,
      hinted: fc.array(failure, { minLength: 1, maxLength: 6 }).map((failures) =>
        failures.map(({ code, hint, unit }): Failure => {
          return { kind: "status", code, hint: hint === undefined ? 1 : Math.min(hint, 60_000), unit }
        })
      )
    },
    ({ hinted, load: { calls, maxRetries } }) =>
      Effect.gen(function* () {
        const { client } = yield* scripted((_, index) => step(hinted[index % hinted.length] as Failure), {
          retry: { maxRetries, budget: { capacity: 0 } }
        })
        const all = Effect.all(
          // Each call is many sleeps, and every sleep costs a test clock real time.
          Array.from({ length: Math.ceil(calls / 4) }, () => Effect.flip(client.execute(list))),
          { concurrency: "unbounded" }
        )
        const errors = Either.getOrThrow(yield* settle(all, "10 minutes"))
        for (const { stoppedBy } of errors) expect(["attempts", "not-retryable"]).toContain(stoppedBy)
      }),
    10
  )

  holds(
    "6.4 refunds never pay for more retries than the successes are worth",
    { load, succeeds: fc.array(fc.boolean(), { minLength: 1, maxLength: 100 }) },
    ({ succeeds, load: { calls, capacity, concurrency, maxRetries, retryCost } }) =>
      Effect.gen(function* () {
        const { client, transport } = yield* scripted(
          (_, index) => (succeeds[index % succeeds.length] === true ? ok : status(503)),
          { retry: { maxRetries, initialDelay: 0, budget: { capacity, retryCost } } }
        )
        const ended = yield* Effect.all(
          Array.from({ length: calls }, () => Effect.either(client.execute(list))),
          { concurrency }
        )
        const successes = ended.filter((call) => call._tag === "Right").length
        const retries = (yield* transport.requestCount) - calls
        expect(retries * retryCost).toBeLessThanOrEqual(capacity + successes * Math.max(1, retryCost))
        expect(retries).toBeLessThanOrEqual(calls * maxRetries)
      }),
    runs
  )
})
