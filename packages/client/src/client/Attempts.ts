/**
 * The attempt loop, the only owner of retries: which errors (the table), when (the schedule), and whether at all (budget,
 * deadline, replayability, a loop around this one).
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as GlobalValue from "effect/GlobalValue"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleIntervals from "effect/ScheduleIntervals"
import type * as Credentials from "../credentials/Credentials.js"
import * as ApiError from "../errors/ApiError.js"
import * as Call from "../request/Call.js"
import * as TransportError from "../request/TransportError.js"
import * as RetryPolicy from "../retry/RetryPolicy.js"
import * as Monotonic from "../shared/monotonic.js"
import * as Metrics from "../telemetry/Metrics.js"
import * as Telemetry from "../telemetry/Telemetry.js"
import * as AttemptDeadline from "../transport/AttemptDeadline.js"

/** Makes a part of what stands in an uninterruptible region as interruptible as what is around it. */
export type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** One attempt, to be run inside of `uninterruptibleMask`. */
export type Attempt<A, R = never> = (restore: Restore) => Effect.Effect<A, ApiError.ApiError, R>

/** True inside an attempt: a call made there (a token fetch, a middleware) must not multiply this loop's attempts. */
const insideAttempt = GlobalValue.globalValue("@effect-api/client/Attempts/insideAttempt", () =>
  FiberRef.unsafeMake(false)
)

/** An attempt that runs code of somebody else's: a client that is used there is within this loop. */
export const guarded =
  <A, R>(attempt: Effect.Effect<A, ApiError.ApiError, R>): Attempt<A, R> =>
  (restore) =>
    restore(Effect.locally(attempt, insideAttempt, true))

/**
 * Runs a call's attempts under its deadline. The error that ends them carries the ledger and says why nothing more was tried.
 * `discard` lets go of a failed attempt's answer before the next, `abandon` of one that came as the deadline passed.
 */
export const run = <A, R>(
  call: Call.Call,
  client: Client,
  attempt: Attempt<A, R>,
  statusOf: (answer: A) => number,
  discard: Effect.Effect<void> = Effect.void,
  abandon?: (answer: A) => void
): Effect.Effect<A, ApiError.ApiError, R> => {
  const loop = new AttemptLoop(call, client, attempt, statusOf, discard)
  // A stream that is resumed comes here again with a part of its time gone.
  return AttemptDeadline.withinDeadline(
    call,
    loop.drive,
    Effect.suspend(() => loop.expired()),
    abandon
  )
}

/** What the attempts of all calls of a client share. */
export interface Client {
  readonly budget: RetryPolicy.Budget
  readonly credentials: Credentials.Resolver
}

const deliveries: ReadonlyArray<ApiError.Delivery> = ["not-sent", "rejected", "maybe-applied"]

const noClock = Clock.make()

class AttemptLoop<A, R> {
  private readonly call: Call.Call
  private readonly client: Client
  private readonly attempt: Attempt<A, R>
  private readonly statusOf: (answer: A) => number
  private readonly discard: Effect.Effect<void>
  private schedule: unknown
  /** What the last retry took from the budget: given back if it succeeds. */
  private paid = 0
  private refreshed = false
  /** The worst of what the attempts may have done: the last one says nothing of those before it. */
  private delivery: ApiError.Delivery = "not-sent"
  private startedAt: number
  private took = 0
  private inFlight = false
  private clock: Clock.Clock = noClock
  private restore: Restore = (effect) => effect
  private measured: Metrics.Measured = () => undefined

  constructor(
    call: Call.Call,
    client: Client,
    attempt: Attempt<A, R>,
    statusOf: (answer: A) => number,
    discard: Effect.Effect<void>
  ) {
    this.call = call
    this.client = client
    this.attempt = attempt
    this.statusOf = statusOf
    this.discard = discard
    this.schedule = call.retry.schedule.initial
    this.startedAt = call.startedAt
  }

  /** The next attempt, and those that follow. To be run once. */
  get drive(): Effect.Effect<A, ApiError.ApiError, R> {
    return masked(this)
  }

  start(
    fiber: Fiber.RuntimeFiber<unknown, unknown>,
    restore: Restore
  ): Effect.Effect<A, ApiError.ApiError, R> {
    this.restore = restore
    this.clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
    this.startedAt = this.clock.unsafeCurrentTimeMillis()
    this.call.begunAt = Monotonic.nanos(this.clock)
    this.inFlight = true
    Call.restart(this.call)
    this.measured = Metrics.attempting(this.call, fiber)
    const onSuccess = (answer: A): Effect.Effect<A> => this.succeeded(answer)
    const onFailure = (cause: Cause.Cause<ApiError.ApiError>): Effect.Effect<A, ApiError.ApiError, R> =>
      this.failed(cause)
    return Effect.matchCauseEffect(this.attempt(restore), { onFailure, onSuccess })
  }

  private end(status: number | undefined, tag: string | undefined): void {
    this.took = Monotonic.since(this.clock, this.call.begunAt)
    this.measured(this.took, status, tag)
  }

  private succeeded(answer: A): Effect.Effect<A> {
    const status = this.statusOf(answer)
    this.end(status, undefined)
    this.inFlight = false
    Call.record(this.call, Call.attempt(this.startedAt, this.took, undefined, status))
    this.client.budget.giveBack(this.paid)
    return Effect.succeed(answer)
  }

  private failed(cause: Cause.Cause<ApiError.ApiError>): Effect.Effect<A, ApiError.ApiError, R> {
    const failed = Cause.failureOrCause(cause)
    if (Either.isRight(failed)) {
      this.end(undefined, "interrupted")
      return Effect.failCause(failed.right)
    }
    const error = failed.left
    const status = statusOf(error)
    this.end(status, Call.isNamed(this.call, status) ? undefined : error._tag)
    this.inFlight = false
    return this.restore(this.decide(this.clock.unsafeCurrentTimeMillis(), error))
  }

  /** Whether there is another attempt, and when. */
  private decide(now: number, error: ApiError.ApiError): Effect.Effect<A, ApiError.ApiError, R> {
    const { call } = this
    if (
      error._tag === "AuthenticationError" &&
      !this.refreshed &&
      this.refresh() &&
      call.encoded.replayable
    ) {
      this.refreshed = true
      return this.again(error, 0, Effect.void)
    }
    const { policy, schedule } = call.retry
    const { idempotencyKey, method, replayable } = call.encoded
    // A redirect that was not followed: a server has acted on the request, and only a GET may come after that.
    if (call.redirected?.processed === true && method !== "GET") return this.stop(error, "not-retryable")
    if (!RetryPolicy.allows(policy, error, { method, idempotencyKey }))
      return this.stop(error, isDeadline(error) ? "deadline" : "not-retryable")
    if (!replayable) return this.stop(error, "not-replayable")
    return Effect.flatMap(FiberRef.get(insideAttempt), (nested) => {
      if (nested && policy.nested === "once") return this.stop(error, "nested")
      return Effect.flatMap(schedule.step(now, error, this.schedule), ([next, , decision]) => {
        if (ScheduleDecision.isDone(decision)) {
          return this.stop(error, RetryPolicy.hint(policy, error) === "too-long" ? "retry-after" : "attempts")
        }
        const delay = Math.max(0, ScheduleIntervals.start(decision.intervals) - now)
        if (Monotonic.now(this.clock) + delay >= call.deadline) return this.stop(error, "deadline")
        const free = policy.budget === false || RetryPolicy.isAskedFor(policy, error, delay)
        const paid = free ? 0 : this.client.budget.take(error)
        if (paid === undefined) return this.stop(error, "budget")
        this.schedule = next
        this.paid = paid
        const told = Telemetry.retrying(call, error, delay)
        return this.again(error, delay, Effect.zipRight(told, Effect.sleep(delay)))
      })
    })
  }

  private again(
    error: ApiError.ApiError,
    delay: number,
    wait: Effect.Effect<void>
  ): Effect.Effect<A, ApiError.ApiError, R> {
    this.record(error, delay)
    return this.discard.pipe(Effect.zipRight(wait), Effect.zipRight(this.drive))
  }

  private stop(
    error: ApiError.ApiError,
    stoppedBy: ApiError.StoppedBy
  ): Effect.Effect<never, ApiError.ApiError> {
    this.record(error)
    return Effect.fail(this.closed(error, stoppedBy))
  }

  /** The deadline has come: an attempt that was on its way is a line of the ledger. */
  expired(): Effect.Effect<never, ApiError.ApiError> {
    const { call, clock } = this
    const error = TransportError.timeout(call, "total", call.timeouts.total)
    if (this.inFlight) {
      this.took = Monotonic.since(clock, call.begunAt)
      this.record(error)
    }
    return Effect.fail(this.closed(error, "deadline"))
  }

  private closed(error: ApiError.ApiError, stoppedBy: ApiError.StoppedBy): ApiError.ApiError {
    const { attempts } = this.call
    return ApiError.update(error, { attempts: [...attempts], stoppedBy, delivery: this.delivered(error) })
  }

  private delivered(error: ApiError.ApiError): ApiError.Delivery {
    const delivery = Call.deliveryOf(this.call, error.delivery)
    return deliveries.indexOf(delivery) > deliveries.indexOf(this.delivery) ? delivery : this.delivery
  }

  private record(error: ApiError.ApiError, delay?: number): void {
    this.delivery = this.delivered(error)
    Call.record(this.call, Call.attempt(this.startedAt, this.took, error._tag, statusOf(error), delay))
  }

  /** Drops refused credentials and says whether there is hope of better ones. */
  private refresh(): boolean {
    const { credentials } = this.client
    const refused = this.call.encoded.trusted ? this.call.usedCredentials.at(-1) : undefined
    return refused !== undefined && credentials.invalidate?.(refused) === true
  }
}

/** Runs a loop once. It is let go at once: what a mask refers to stays until a full collection (see NativeTransport). */
const masked = <A, R>(self: AttemptLoop<A, R>): Effect.Effect<A, ApiError.ApiError, R> => {
  let loop: AttemptLoop<A, R> | undefined = self
  return Effect.uninterruptibleMask((restore) =>
    Effect.withFiberRuntime((fiber) => {
      const begun = loop
      loop = undefined
      return begun === undefined
        ? Effect.dieMessage("a loop of attempts runs once")
        : begun.start(fiber, restore)
    })
  )
}

const statusOf = (error: ApiError.ApiError): number | undefined =>
  "status" in error ? error.status : undefined

/**
 * Fails a call whose last attempt had ended well: a body or a stream that breaks in its reader's hands is too late to be asked
 * for again.
 */
export const failAfterResponse = (
  call: Call.Call,
  error: ApiError.ApiError,
  stoppedBy: ApiError.StoppedBy = stopReason(error)
): Effect.Effect<never, ApiError.ApiError> =>
  Effect.clockWith((clock) => {
    const last = call.attempts.at(-1)
    const took = Monotonic.since(clock, call.begunAt)
    const line = Call.attempt(last?.startedAt ?? call.startedAt, took, error._tag, last?.status)
    // A ledger of its own: whoever has the answer holds one that ends with a success.
    call.attempts = [...call.attempts.slice(0, -1), line]
    return Effect.fail(
      ApiError.update(error, { attempts: call.attempts, stoppedBy, delivery: "maybe-applied" })
    )
  })

const isDeadline = (error: ApiError.ApiError): boolean =>
  error._tag === "TimeoutError" && error.phase === "total"

const stopReason = (error: ApiError.ApiError): ApiError.StoppedBy => {
  if (isDeadline(error)) return "deadline"
  return ApiError.isRetryable(error) ? "not-replayable" : "not-retryable"
}
