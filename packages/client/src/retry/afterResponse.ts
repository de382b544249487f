/** The end of a call that fails after its attempts have succeeded. */
import * as Effect from "effect/Effect"
import * as Monotonic from "../effect/monotonic.js"
import * as ApiError from "../errors/ApiError.js"
import * as Ledger from "../errors/Ledger.js"
import type { Retried } from "./AttemptsContract.js"
import * as Decisions from "./decisions.js"

/**
 * Fails a call whose last attempt had succeeded. A body or a stream that breaks while its reader reads it comes too late for a
 * retry.
 */
export const failAfterResponse = (
  call: Retried,
  error: ApiError.ApiError,
  stoppedBy: ApiError.StoppedBy = stopReason(error)
): Effect.Effect<never, ApiError.ApiError> =>
  Effect.clockWith((clock) => {
    const last = call.attempts.at(-1)
    const took = Monotonic.since(clock, call.begunAt)
    const line = Ledger.line(last?.startedAt ?? call.startedAt, took, error._tag, last?.status)
    // A new ledger: whoever holds the response has one that ends with a success.
    call.attempts = [...call.attempts.slice(0, -1), line]
    return Effect.fail(
      ApiError.update(error, { attempts: call.attempts, stoppedBy, delivery: "maybe-applied" })
    )
  })

const stopReason = (error: ApiError.ApiError): ApiError.StoppedBy => {
  if (Decisions.isDeadline(error)) return "deadline"
  return ApiError.isRetryable(error) ? "not-replayable" : "not-retryable"
}
