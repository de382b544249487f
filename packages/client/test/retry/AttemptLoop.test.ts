import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Fiber, TestClock } from "effect"
import * as ApiError from "../../src/errors/ApiError.js"
import * as Attempts from "../../src/retry/Attempts.js"
import * as RetryBudget from "../../src/retry/RetryBudget.js"
import * as RetryPolicy from "../../src/retry/RetryPolicy.js"
import * as RetrySettings from "../../src/retry/RetrySettings.js"

/** The loop needs this much of a call and no more: there is no request, transport or telemetry here. */
const callWith = (deadline = Number.POSITIVE_INFINITY): Attempts.Retried => ({
  retry: RetrySettings.lay(RetrySettings.defaults, { initialDelay: "1 second", jitter: 0 }),
  startedAt: 0,
  deadline,
  begunAt: 0,
  isUnsent: false,
  attempts: [],
  omitted: 0,
  encoded: { method: "GET", promised: "safe", idempotencyKey: undefined, replayable: true },
  redirected: undefined
})

const common: ApiError.Common = {
  message: "no luck",
  request: { method: "GET", url: "https://api.test" },
  attempts: [],
  stoppedBy: "not-retryable",
  delivery: "not-sent",
  shouldRetry: undefined
}

const reset = new ApiError.ConnectionError({ ...common, kind: "reset", code: "ECONNRESET" })
const late = new ApiError.TimeoutError({ ...common, phase: "total", limit: Duration.seconds(5) })

const observed = () => {
  const events: Array<string> = []
  const client: Attempts.Client<Attempts.Retried> = {
    budget: new RetryBudget.RetryBudget(RetryPolicy.make().budget),
    accountOf: () => "",
    restart: () => events.push("restart"),
    refresh: () => Effect.succeed(false),
    observer: {
      attempting: () => {
        events.push("attempting")
        return (_millis, status, tag) => events.push(`ended ${status ?? tag}`)
      },
      retrying: (_call, { _tag }, delay) => Effect.sync(() => events.push(`retrying ${_tag} in ${delay}`)),
      expired: () => late
    }
  }
  return { client, events }
}

describe("the attempt loop", () => {
  it.effect("restarts the call, observes each attempt, and keeps the ledger", () =>
    Effect.gen(function* () {
      const { client, events } = observed()
      const call = callWith()
      let tries = 0
      const attempt: Attempts.Attempt<{ readonly status: number }> = {
        run: (_restore, settle) =>
          Attempts.settled(
            Effect.suspend(() => (++tries === 1 ? Effect.fail(reset) : Effect.succeed({ status: 200 }))),
            settle
          ),
        isPunctual: false
      }
      const running = yield* Effect.fork(Attempts.run(call, client, attempt))
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(running)).toEqual({ status: 200 })
      expect(events).toEqual([
        "restart",
        "attempting",
        "ended ConnectionError",
        "retrying ConnectionError in 1000",
        "restart",
        "attempting",
        "ended 200"
      ])
      expect(call.attempts.map(({ status, tag }) => tag ?? status)).toEqual(["ConnectionError", 200])
    })
  )

  it.effect("fails with the observer's error at the deadline, with a line for the attempt in flight", () =>
    Effect.gen(function* () {
      const { client, events } = observed()
      const call = callWith(5000)
      const running = yield* Effect.fork(
        Effect.flip(Attempts.run(call, client, Attempts.guarded(Effect.never)))
      )
      yield* TestClock.adjust("5 seconds")
      const error = yield* Fiber.join(running)
      expect(error).toMatchObject({ _tag: "TimeoutError", stoppedBy: "deadline", message: "no luck" })
      expect(error.attempts).toHaveLength(1)
      expect(events).toContain("ended interrupted")
    })
  )

  it.effect("fails with a line for an attempt that has ended when the deadline had passed", () =>
    Effect.gen(function* () {
      const { client } = observed()
      const attempt: Attempts.Attempt<{ readonly status: number }> = {
        run: (_restore, settle) =>
          Attempts.settled(Effect.zipRight(Effect.sleep("6 seconds"), Effect.fail(reset)), settle),
        isPunctual: true
      }
      const running = yield* Effect.fork(Effect.flip(Attempts.run(callWith(5000), client, attempt)))
      yield* TestClock.adjust("6 seconds")
      const error = yield* Fiber.join(running)
      expect(error).toMatchObject({ _tag: "TimeoutError", stoppedBy: "deadline" })
      expect(error.attempts).toMatchObject([{ tag: "ConnectionError", duration: Duration.seconds(6) }])
    })
  )
})
