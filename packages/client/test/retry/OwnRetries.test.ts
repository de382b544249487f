import { describe, expect, it } from "@effect/vitest"
import { type ApiConfig, ApiRequest, RetryAfter, RetryPolicy } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Duration, Effect, Fiber, TestClock } from "effect"
import { scripted, withoutDelay } from "../fixtures/requests.js"

const get = ApiRequest.get("/x")

const count = (
  step: MockTransport.MockStep,
  retry: RetryPolicy.Retry,
  request: ApiRequest.ApiRequest<unknown> = get
) =>
  Effect.gen(function* () {
    const { client, transport } = yield* scripted([MockTransport.forever(step)], { retry: withoutDelay })
    const error = yield* Effect.flip(client.execute(ApiRequest.override(request, { retry })))
    return [yield* transport.requestCount, error.stoppedBy]
  })

const status = (code: number, headers: Readonly<Record<string, string>> = {}) =>
  MockTransport.empty(code, { headers })
const refused = MockTransport.connectionError({ code: "ECONNREFUSED" })

describe("retry.retryable", () => {
  it.effect.each([
    ["retries what the table does not", status(403), { retryable: () => true }, 3, "attempts"],
    ["ends what the table retries", status(503), { retryable: () => false }, 1, "not-retryable"],
    ["ends a failed connection", refused, { retryable: () => false }, 1, "not-retryable"],
    ["leaves the rest to the table", status(503), { retryable: () => undefined }, 3, "attempts"],
    ["leaves the rest to the table", status(404), { retryable: () => undefined }, 1, "not-retryable"],
    [
      "comes before the server",
      status(503, { "x-should-retry": "false" }),
      { retryable: () => true },
      3,
      "attempts"
    ],
    [
      "comes before the server",
      status(503, { "x-should-retry": "true" }),
      { retryable: () => false },
      1,
      "not-retryable"
    ],
    [
      "that throws decides nothing",
      status(503),
      {
        retryable: () => {
          throw new Error("no")
        }
      },
      3,
      "attempts"
    ],
    [
      "that returns no boolean decides nothing",
      status(404),
      { retryable: () => "yes" as never },
      1,
      "not-retryable"
    ]
  ] as ReadonlyArray<readonly [string, MockTransport.MockStep, RetryPolicy.Options, number, string]>)(
    "6.18 %s",
    ([, step, retry, attempts, stoppedBy]) =>
      Effect.gen(function* () {
        expect(yield* count(step, retry)).toEqual([attempts, stoppedBy])
      })
  )

  it.effect.each([
    ["retryUnsafe", { retryUnsafe: "never" }, ApiRequest.post("/x"), 1],
    ["the count", { maxRetries: 1 }, get, 2],
    ["the budget", { budget: { capacity: 1 } }, get, 3]
  ] as ReadonlyArray<readonly [string, RetryPolicy.Options, ApiRequest.ApiRequest<unknown>, number]>)(
    "6.18 %s still applies",
    ([, retry, request, attempts]) =>
      Effect.gen(function* () {
        const [attempted] = yield* count(status(403), { retryable: () => true, ...retry }, request)
        expect(attempted).toBe(attempts)
      })
  )

  it.effect("6.18 an invalid request and a call out of time are never retried", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([MockTransport.never], {
        retry: { ...withoutDelay, retryable: () => true },
        timeouts: { total: "1 second" }
      })
      const invalid = yield* Effect.flip(client.get("/x", { headers: { "x-a": "\n" } }))
      expect(invalid).toMatchObject({ _tag: "InvalidRequestError", stoppedBy: "not-retryable" })
      const fiber = yield* Effect.fork(Effect.flip(client.execute(get)))
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(fiber)).toMatchObject({ _tag: "TimeoutError", stoppedBy: "deadline" })
      expect(yield* transport.requestCount).toBe(1)
    })
  )

  it.effect("6.18 sees the error, and merges with the client's other retries", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const { client } = yield* scripted([MockTransport.forever(status(403))], {
        retry: {
          ...withoutDelay,
          maxRetries: 1,
          retryable: (error) => {
            seen.push(error._tag)
            return true
          }
        }
      })
      yield* Effect.flip(client.get("/x", { retry: { jitter: 0 } }))
      expect(seen).toEqual(["PermissionDeniedError", "PermissionDeniedError"])
    })
  )

  it.effect.each([
    [{ retryable: true }, "retry.retryable"],
    [{ retryAfter: "1 second" }, "retry.retryAfter"]
  ])("1.5 %j is refused", ([retry, field]) =>
    Effect.gen(function* () {
      const { client } = yield* scripted([])
      const error = yield* Effect.flip(client.get("/x", { retry: retry as never }))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field, reason: "must be a function" })
    })
  )

  it("6.18 is a part of a policy", () => {
    const retryable = () => true
    expect(RetryPolicy.override(RetryPolicy.make({ retryable }), { maxRetries: 1 }).retryable).toBe(retryable)
  })
})

describe("retry.retryAfter", () => {
  const now = Date.UTC(2026, 0, 1)

  const waits = (
    headers: Readonly<Record<string, string>>,
    retryAfter: RetryPolicy.RetryAfter,
    options: Partial<ApiConfig.Options> = {}
  ) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const { client } = yield* scripted([status(429, headers), status(200)], {
        retry: { jitter: 0, retryAfter },
        ...options
      })
      const fiber = yield* Effect.fork(client.executeWithResponse(get))
      yield* TestClock.adjust("1 hour")
      const { attempts } = yield* Fiber.join(fiber)
      return attempts[0]?.delay === undefined ? undefined : Duration.toMillis(attempts[0].delay)
    })

  it.effect.each([
    ["a duration", {}, () => "3 seconds", 3000],
    ["milliseconds", {}, () => 1234, 1234],
    ["undefined leaves it to retry-after", { "retry-after": "2" }, () => undefined, 2000],
    ["the function comes before retry-after", { "retry-after": "2" }, () => "1 second", 1000],
    [
      "a function that throws decides nothing",
      { "retry-after": "2" },
      () => {
        throw new Error("no")
      },
      2000
    ],
    ["a value that is no duration decides nothing", { "retry-after": "2" }, () => "soon" as never, 2000],
    ["nothing at all backs off", {}, () => undefined, 500],
    ["a negative wait decides nothing", {}, () => -5, 500]
  ] as ReadonlyArray<readonly [string, Readonly<Record<string, string>>, RetryPolicy.RetryAfter, number]>)(
    "6.19 %s",
    ([, headers, retryAfter, millis]) =>
      Effect.gen(function* () {
        expect(yield* waits(headers, retryAfter)).toBe(millis)
      })
  )

  it.effect("6.19 a hint above maxRetryAfter ends the call, as that of a standard header does", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([status(429)], { retry: { retryAfter: () => "2 minutes" } })
      const error = yield* Effect.flip(client.execute(get))
      expect(error).toMatchObject({
        _tag: "RateLimitError",
        stoppedBy: "retry-after",
        retryAfter: Duration.minutes(2)
      })
    })
  )

  it.effect("6.19 GitHub's 403 waits for the reset, and one without a limit is not retried", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const retry: RetryPolicy.Options = {
        retryable: (error) =>
          error._tag === "PermissionDeniedError" ? error.retryAfter !== undefined : undefined,
        retryAfter: RetryAfter.rateLimit({ reset: "x-ratelimit-reset", remaining: "x-ratelimit-remaining" })
      }
      const limited = status(403, {
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": String(now / 1000 + 30)
      })
      const { client, transport } = yield* scripted(
        [
          limited,
          status(200),
          status(403, { "x-ratelimit-remaining": "10", "x-ratelimit-reset": "9999999999" })
        ],
        { retry }
      )
      const fiber = yield* Effect.fork(client.execute(get))
      yield* TestClock.adjust("29 seconds")
      expect(yield* transport.requestCount).toBe(1)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      expect(yield* transport.requestCount).toBe(2)
      expect(yield* Effect.flip(client.execute(get))).toMatchObject({
        _tag: "PermissionDeniedError",
        stoppedBy: "not-retryable"
      })
    })
  )
})

describe("RetryAfter.rateLimit", () => {
  const now = Date.UTC(2026, 0, 1)
  const github = { reset: "x-reset", remaining: "x-left" }

  it.each([
    ["seconds", { reset: "x-reset" }, { "x-reset": "30" }, 30_000],
    ["a fraction of a second", { reset: "x-reset" }, { "x-reset": "0.5" }, 500],
    ["seconds since the epoch", { reset: "x-reset" }, { "x-reset": String(now / 1000 + 60) }, 60_000],
    ["milliseconds since the epoch", { reset: "x-reset" }, { "x-reset": String(now + 1500) }, 1500],
    ["a duration", { reset: "x-reset" }, { "x-reset": "1m30s" }, 90_000],
    ["milliseconds as a duration", { reset: "x-reset" }, { "x-reset": "6ms" }, 6],
    ["a timestamp", { reset: "x-reset" }, { "x-reset": "2026-01-01T00:00:10Z" }, 10_000],
    ["a timestamp of another zone", { reset: "x-reset" }, { "x-reset": "2026-01-01T01:00:10+01:00" }, 10_000],
    ["nothing left", github, { "x-reset": "30", "x-left": "0" }, 30_000],
    ["something left", github, { "x-reset": "30", "x-left": "3" }, undefined],
    ["an unknown rest", github, { "x-reset": "30" }, 30_000],
    ["a rest that is no number", github, { "x-reset": "30", "x-left": "many" }, undefined],
    ["no header", github, {}, undefined],
    ["a word", { reset: "x-reset" }, { "x-reset": "soon" }, undefined],
    ["another form of number", { reset: "x-reset" }, { "x-reset": "0x10" }, undefined],
    ["a date of another form", { reset: "x-reset" }, { "x-reset": "May" }, undefined],
    ["the draft's field", undefined, { ratelimit: '"default";r=0;t=30' }, 30_000],
    [
      "the longest of several policies",
      undefined,
      { ratelimit: '"a";r=0;t=30, "b";r=0;t=60, "c";r=5;t=900' },
      60_000
    ],
    ["a policy with something left", undefined, { ratelimit: '"default";r=5;t=30' }, undefined],
    ["the draft's older fields", undefined, { "ratelimit-remaining": "0", "ratelimit-reset": "7" }, 7000]
  ] as const)("6.19 %s", (_, names, headers, millis) => {
    expect(RetryAfter.rateLimit(names)(headers, now)).toBe(millis)
  })
})
