/**
 * The attempt loop, the only owner of retries: which errors (the table), when (the schedule), and whether at all (budget,
 * deadline, replayability, a loop around this one).
 *
 * @since 0.1.0
 */
import {
  Cause,
  Clock,
  Context,
  Effect,
  Either,
  FiberRef,
  GlobalValue,
  ScheduleDecision,
  ScheduleIntervals
} from "effect"
import * as ApiError from "./ApiError.js"
import * as Call from "./Call.js"
import type * as Credentials from "./Credentials.js"
import * as RetryPolicy from "./RetryPolicy.js"
import * as Telemetry from "./Telemetry.js"
import * as TransportError from "./TransportError.js"

/**
 * Makes a part of what stands in an uninterruptible region as interruptible as what is around it.
 *
 * @since 0.1.0
 * @category models
 */
export type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/**
 * What the loop drives. `attempt` runs one attempt, inside of `uninterruptibleMask`; `refresh` drops refused credentials and says whether there is hope of
 * better ones; `discard` lets go of a failed attempt's answer before the next.
 *
 * @since 0.1.0
 * @category models
 */
export interface Loop<in out A, out R = never> {
  readonly call: Call.Call
  readonly budget: RetryPolicy.Budget
  readonly credentials: Credentials.Resolver
  readonly attempt: (restore: Restore) => Effect.Effect<A, ApiError.ApiError, R>
  readonly statusOf: (answer: A) => number
  readonly discard: Effect.Effect<void>
}

/** True inside an attempt: a call made there (a token fetch, a middleware) must not multiply this loop's attempts. */
const insideAttempt = GlobalValue.globalValue("@effect-api/client/Attempts/insideAttempt", () =>
  FiberRef.unsafeMake(false)
)

/**
 * An attempt that runs code of somebody else's: a client that is used there is within this loop.
 *
 * @since 0.1.0
 * @category combinators
 */
export const guarded =
  <A, R>(
    attempt: Effect.Effect<A, ApiError.ApiError, R>
  ): ((restore: Restore) => Effect.Effect<A, ApiError.ApiError, R>) =>
  (restore) =>
    restore(Effect.locally(attempt, insideAttempt, true))

interface State {
  schedule: unknown
  /** What the last retry took from the budget: given back if it succeeds. */
  paid: number
  refreshed: boolean
  startedAt: number
  inFlight: boolean
}

/**
 * Runs the loop under the call's deadline. The error that ends it carries the ledger and says why nothing more was tried.
 *
 * @since 0.1.0
 * @category combinators
 */
export const run = <A, R>(loop: Loop<A, R>): Effect.Effect<A, ApiError.ApiError, R> => {
  const { call } = loop
  const state: State = {
    schedule: call.retry.schedule.initial,
    paid: 0,
    refreshed: false,
    startedAt: call.startedAt,
    inFlight: false
  }
  const driven = drive(loop, state)
  const { total } = call.timeouts
  if (!Number.isFinite(total)) return driven
  return Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.timeoutTo(driven, {
      // A stream that is resumed comes here again with a part of its time gone.
      duration: Math.max(0, Call.deadline(call) - now),
      onSuccess: Effect.succeed,
      onTimeout: () =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          const error = TransportError.timeout(call, "total", total)
          if (state.inFlight) record(call, state, now, error, undefined)
          return stop(call, error, "deadline")
        })
    }).pipe(Effect.flatten)
  )
}

const drive = <A, R>(loop: Loop<A, R>, state: State): Effect.Effect<A, ApiError.ApiError, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.withFiberRuntime((fiber) => {
      const { attempts } = loop.call
      const clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
      const startedAt = clock.unsafeCurrentTimeMillis()
      state.startedAt = startedAt
      state.inFlight = true
      const measured = Telemetry.attempting(loop.call, fiber)
      return Effect.matchCauseEffect(loop.attempt(restore), {
        onFailure: (cause) => {
          const now = clock.unsafeCurrentTimeMillis()
          const failed = Cause.failureOrCause(cause)
          if (Either.isRight(failed)) {
            measured(now - startedAt, undefined, "interrupted")
            return Effect.failCause(failed.right)
          }
          const error = failed.left
          measured(now - startedAt, statusOf(error), error._tag)
          state.inFlight = false
          return restore(decide(loop, state, now, error))
        },
        onSuccess: (answer) => {
          const now = clock.unsafeCurrentTimeMillis()
          const status = loop.statusOf(answer)
          measured(now - startedAt, status, undefined)
          state.inFlight = false
          attempts.push(Call.attempt(startedAt, now, { tag: undefined, status, delay: undefined }))
          loop.budget.giveBack(state.paid)
          return Effect.succeed(answer)
        }
      })
    })
  )

const decide = <A, R>(
  loop: Loop<A, R>,
  state: State,
  now: number,
  error: ApiError.ApiError
): Effect.Effect<A, ApiError.ApiError, R> => {
  const { call } = loop
  const again = (delay: number, wait: Effect.Effect<void>): Effect.Effect<A, ApiError.ApiError, R> => {
    record(call, state, now, error, delay)
    return loop.discard.pipe(Effect.zipRight(wait), Effect.zipRight(Effect.suspend(() => drive(loop, state))))
  }
  const end = (stoppedBy: ApiError.StoppedBy): Effect.Effect<never, ApiError.ApiError> => {
    record(call, state, now, error, undefined)
    return stop(call, error, stoppedBy)
  }
  if (error._tag === "AuthenticationError" && !state.refreshed && refresh(loop) && call.encoded.replayable) {
    state.refreshed = true
    return again(0, Effect.void)
  }
  const { policy, schedule } = call.retry
  const { method } = call.encoded
  if (!RetryPolicy.allows(policy, error, { method, idempotencyKey: call.encoded.idempotencyKey })) {
    return end("not-retryable")
  }
  if (!call.encoded.replayable) return end("not-replayable")
  return Effect.flatMap(FiberRef.get(insideAttempt), (nested) => {
    if (nested && policy.nested === "once") return end("nested")
    return Effect.flatMap(schedule.step(now, error, state.schedule), ([next, , decision]) => {
      if (ScheduleDecision.isDone(decision)) {
        return end(RetryPolicy.hint(policy, error) === "too-long" ? "retry-after" : "attempts")
      }
      const delay = Math.max(0, ScheduleIntervals.start(decision.intervals) - now)
      if (now + delay >= Call.deadline(call)) return end("deadline")
      const paid = policy.budget === false ? 0 : loop.budget.take(error)
      if (paid === undefined) return end("budget")
      state.schedule = next
      state.paid = paid
      return again(delay, Effect.zipRight(Telemetry.retrying(call, error, delay), Effect.sleep(delay)))
    })
  })
}

const refresh = <A, R>(loop: Loop<A, R>): boolean => {
  const refused = loop.call.issued[loop.call.issued.length - 1]
  return refused !== undefined && loop.credentials.invalidate?.(refused) === true
}

const statusOf = (error: ApiError.ApiError): number | undefined =>
  "status" in error ? error.status : undefined

const record = (
  call: Call.Call,
  state: State,
  now: number,
  error: ApiError.ApiError,
  delay: number | undefined
): void => {
  call.attempts.push(Call.attempt(state.startedAt, now, { tag: error._tag, status: statusOf(error), delay }))
}

const stop = (
  call: Call.Call,
  error: ApiError.ApiError,
  stoppedBy: ApiError.StoppedBy
): Effect.Effect<never, ApiError.ApiError> =>
  Effect.fail(ApiError.update(error, { attempts: [...call.attempts], stoppedBy }))
