/**
 * The attempt loop, the only owner of retries. It decides which errors are retried (the table), when (the schedule), and whether
 * at all (budget, deadline, replayability, a loop around this one). It knows no request, no telemetry and no transport.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { constVoid, identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Fibers from "../effect/fibers.js"
import * as Monotonic from "../effect/monotonic.js"
import * as Once from "../effect/once.js"
import { Steps } from "../effect/steps.js"
import * as TimeLimits from "../effect/timeLimits.js"
import * as ApiError from "../errors/ApiError.js"
import * as Ledger from "../errors/Ledger.js"
import type { Client, Ended, Leftovers, Retried } from "./AttemptsContract.js"
import * as Decisions from "./decisions.js"
import type { Refusal } from "./permitting.js"
import { type Attempt, type Restore, type Settle, settled } from "./settling.js"

export type { Client, Leftovers, Observer, Retried } from "./AttemptsContract.js"
export { failAfterResponse } from "./afterResponse.js"
export type { Permits, Refusal, Unpermitted, Waiting } from "./permitting.js"
export { type Attempt, type Restore, type Settle, settled } from "./settling.js"

/** True inside an attempt: a call made there (a token fetch, a middleware) must not multiply this loop's attempts. */
const insideAttempt = /*#__PURE__*/ Fibers.makeMark("@effect-api/client/Attempts/insideAttempt")

/**
 * Runs work of an attempt that runs code from outside this library, inside `uninterruptibleMask`: calls made there know that a
 * loop is around them.
 */
export const marked: Fibers.Mark["within"] = insideAttempt.within

/** An attempt that runs code from outside this library. */
export const guarded = <A, R>(
  attempt: Effect.Effect<A, ApiError.ApiError, R>,
  isOpen = false
): Attempt<A, R> => ({
  run: (restore, settle) => settled(marked(attempt, restore), settle),
  isPunctual: false,
  isOpen
})

const none: Leftovers<unknown> = {}

/**
 * Runs a call's attempts under its deadline. The error that ends them carries the ledger and why nothing more was tried.
 */
export const run = <C extends Retried, A extends { readonly status: number }, R>(
  call: C,
  client: Client<C>,
  attempt: Attempt<A, R>,
  leftovers: Leftovers<A> = none
): Effect.Effect<A, ApiError.ApiError, R> => {
  const loop = new AttemptLoop(call, client, attempt, leftovers)
  return attempt.isPunctual ? loop.drive : loop.limited(loop.drive)
}

/** The same, and what follows the attempts, under no limit of theirs. `fiber` is the one that runs it. */
export const runOn = <C extends Retried, A extends { readonly status: number }, R, B>(
  fiber: Fibers.AnyFiber,
  call: C,
  client: Client<C>,
  attempt: Attempt<A, R>,
  leftovers: Leftovers<A>,
  onward: (value: A) => Effect.Effect<B, ApiError.ApiError>
): Effect.Effect<B, ApiError.ApiError, R> => {
  const loop = new AttemptLoop(call, client, attempt, leftovers)
  return attempt.isPunctual
    ? masked(loop, new Onward(loop, onward), fiber)
    : Effect.flatMap(loop.limited(loop.drive), onward)
}

const deliveries: ReadonlyArray<ApiError.Delivery> = ["not-sent", "rejected", "maybe-applied"]

class AttemptLoop<C extends Retried, A extends { readonly status: number }, R> implements Ending<A, A, R> {
  private readonly call: C
  private readonly client: Client<C>
  private readonly attempt: Attempt<A, R>
  private readonly leftovers: Leftovers<A>
  private isLimited = false
  private steps: Steps<ApiError.ApiError> | undefined
  /** What the last retry took from the budget, and from which account. A success gives it back. */
  private paid = 0
  private payer = ""
  private refreshed = false
  /** The worst that the attempts may have done: the last error knows nothing of the attempts before it. */
  private delivery: ApiError.Delivery = "not-sent"
  private startedAt: number
  private took = 0
  private inFlight = false
  /** The error of an attempt that has ended and has no line yet: what decides is still running. */
  private undecided: ApiError.ApiError | undefined
  private clock: Clock.Clock = Monotonic.systemClock
  private restore: Restore = identity
  private ended: Ended = constVoid

  constructor(call: C, client: Client<C>, attempt: Attempt<A, R>, leftovers: Leftovers<A>) {
    this.call = call
    this.client = client
    this.attempt = attempt
    this.leftovers = leftovers
    this.startedAt = call.startedAt
  }

  /** A part of the loop under the deadline. A resumed stream comes here again with a part of its time gone. */
  limited(part: Effect.Effect<A, ApiError.ApiError, R>): Effect.Effect<A, ApiError.ApiError, R> {
    if (this.isLimited) return part
    this.isLimited = true
    return TimeLimits.withinDeadline(
      this.call,
      part,
      Effect.suspend(() => this.expired()),
      this.leftovers.abandon
    )
  }

  /** The next attempt and those that follow. Runs once. */
  get drive(): Effect.Effect<A, ApiError.ApiError, R> {
    return masked(this, this)
  }

  start<B>(
    fiber: Fibers.AnyFiber,
    restore: Restore,
    ending: Ending<A, B, R>
  ): Effect.Effect<B, ApiError.ApiError, R> {
    const { call, client } = this
    this.restore = restore
    this.clock = Fibers.clockOf(fiber)
    if (!this.isLimited && TimeLimits.millisLeft(call, this.clock) <= 0) return this.expired()
    client.restart(call)
    const waiting = client.permits?.take(call, this.clock)
    if (waiting === undefined) return this.begin(fiber, ending)
    const { forced, queued } = waiting
    const permitted = Effect.flatMap(insideAttempt.isSet, (nested) => (nested ? forced : queued))
    // An interruption may come after the permit, and before the attempt has it.
    const kept = Effect.onInterrupt(restore(permitted), () => Effect.sync(() => client.permits?.leave(call)))
    return Effect.matchEffect(kept, {
      onFailure: (refusal) => ending.resumed(this.refused(refusal)),
      onSuccess: () => this.begin(fiber, ending)
    })
  }

  /** The attempt was never made: it has no line in the ledger. */
  private refused(refusal: Refusal): Effect.Effect<A, ApiError.ApiError, R> {
    if (refusal === "expired") return this.expired()
    const { error, stoppedBy } = refusal
    if (stoppedBy !== undefined) return Effect.fail(this.closed(error, stoppedBy))
    const unsent = (): Effect.Effect<A, ApiError.ApiError, R> =>
      Decisions.isRetryable(this.call.retry.policy, error)
        ? this.schedule(this.clock.unsafeCurrentTimeMillis(), error, false)
        : Effect.fail(this.closed(error, "not-retryable"))
    return this.limited(this.restore(Effect.suspend(unsent)))
  }

  private begin<B>(fiber: Fibers.AnyFiber, ending: Ending<A, B, R>): Effect.Effect<B, ApiError.ApiError, R> {
    const { attempt, call, client, restore } = this
    const refusal = client.permits?.enter?.(call, fiber)
    if (refusal !== undefined) return ending.resumed(this.refused(refusal))
    this.startedAt = this.clock.unsafeCurrentTimeMillis()
    call.begunAt = Monotonic.now(this.clock)
    call.isUnsent = false
    this.inFlight = true
    this.ended = client.observer.attempting(call, fiber)
    return attempt.run(restore, ending)
  }

  restored<B, E>(effect: Effect.Effect<B, E>): Effect.Effect<B, E> {
    return this.restore(effect)
  }

  private end(status: number | undefined, tag: string | undefined, error?: ApiError.ApiError): void {
    const { attempt, call, client } = this
    this.took = Monotonic.since(this.clock, call.begunAt)
    this.ended(this.took, status, tag)
    const isSuccess = tag === undefined
    client.permits?.ended(call, error, isSuccess && attempt.isOpen === true, isSuccess)
  }

  resumed(rest: Effect.Effect<A, ApiError.ApiError, R>): Effect.Effect<A, ApiError.ApiError, R> {
    return rest
  }

  onSuccess(value: A): Effect.Effect<A> {
    this.succeeded(value)
    return Effect.succeed(value)
  }

  succeeded(value: A): void {
    const { status } = value
    this.end(status, undefined)
    this.inFlight = false
    Ledger.record(this.call, Ledger.line(this.startedAt, this.took, undefined, status))
    const { budget } = this.client
    if (!budget.isFull)
      budget.giveBack(this.paid > 0 ? this.payer : this.client.accountOf(this.call), this.paid)
  }

  onFailure(cause: Cause.Cause<ApiError.ApiError>): Effect.Effect<A, ApiError.ApiError, R> {
    const failed = Cause.failureOption(cause)
    if (Option.isNone(failed)) {
      this.end(undefined, "interrupted")
      return Effect.failCause(cause)
    }
    const error = failed.value
    this.end(statusOf(error), error._tag, error)
    this.inFlight = false
    this.undecided = error
    // What decides may be the program's code, and the wait is ours.
    return this.limited(this.restore(this.decide(this.clock.unsafeCurrentTimeMillis(), error)))
  }

  /** Decides whether there is another attempt, and when. */
  private decide(now: number, error: ApiError.ApiError): Effect.Effect<A, ApiError.ApiError, R> {
    const { call, client } = this
    if (error._tag !== "AuthenticationError" || this.refreshed) return this.decideByPolicy(now, error)
    const refreshed = Effect.uninterruptibleMask((restore) => marked(client.refresh(call), restore))
    return Effect.flatMap(refreshed, (isDropped) => {
      if (!isDropped || !call.encoded.replayable) return this.decideByPolicy(now, error)
      this.refreshed = true
      return this.again(error, 0, Effect.void)
    })
  }

  private decideByPolicy(now: number, error: ApiError.ApiError): Effect.Effect<A, ApiError.ApiError, R> {
    const { call } = this
    const { idempotencyKey, method, promised, replayable } = call.encoded
    const { policy } = call.retry
    // The client did not follow a redirect after which the server has acted on the request: only a GET may come next.
    if (isProcessed(call) && method !== "GET") return this.stop(error, "not-retryable")
    if (!Decisions.allows(policy, error, { promised, idempotencyKey }))
      return this.stop(error, Decisions.isDeadline(error) ? "deadline" : "not-retryable")
    if (!replayable) return this.stop(error, "not-replayable")
    return Effect.flatMap(insideAttempt.isSet, (nested) =>
      nested && policy.nested === "once" ? this.stop(error, "nested") : this.schedule(now, error, true)
    )
  }

  /** Another attempt, if the schedule, the deadline and the budget allow it. `isSent`: the error is that of an attempt. */
  private schedule(
    now: number,
    error: ApiError.ApiError,
    isSent: boolean
  ): Effect.Effect<A, ApiError.ApiError, R> {
    const { call, client } = this
    const { policy, schedule } = call.retry
    const stop = (stoppedBy: ApiError.StoppedBy): Effect.Effect<never, ApiError.ApiError> =>
      isSent ? this.stop(error, stoppedBy) : Effect.fail(this.closed(error, stoppedBy))
    this.steps ??= new Steps(schedule)
    return Effect.flatMap(this.steps.next(now, error), (delay) => {
      if (delay === undefined)
        return stop(Decisions.hint(policy, error) === "too-long" ? "retry-after" : "attempts")
      if (Monotonic.now(this.clock) + delay >= call.deadline) return stop("deadline")
      const free = policy.budget === false || Decisions.isAskedFor(policy, error, delay)
      this.payer = free ? "" : client.accountOf(call)
      const paid = free ? 0 : client.budget.take(this.payer, error)
      if (paid === undefined) return stop("budget")
      this.paid = paid
      const waited = Effect.zipRight(client.observer.retrying(call, error, delay), Effect.sleep(delay))
      return isSent ? this.again(error, delay, waited) : Effect.zipRight(waited, this.drive)
    })
  }

  private again(
    error: ApiError.ApiError,
    delay: number,
    wait: Effect.Effect<void>
  ): Effect.Effect<A, ApiError.ApiError, R> {
    const { discard = Effect.void } = this.leftovers
    this.record(error, delay)
    return discard.pipe(Effect.zipRight(wait), Effect.zipRight(this.drive))
  }

  private stop(
    error: ApiError.ApiError,
    stoppedBy: ApiError.StoppedBy
  ): Effect.Effect<never, ApiError.ApiError> {
    this.record(error)
    return Effect.fail(this.closed(error, stoppedBy))
  }

  /** The deadline has passed. An attempt in flight, or one that waits for a decision, still gets its line in the ledger. */
  expired(): Effect.Effect<never, ApiError.ApiError> {
    const { call, client, clock } = this
    const error = client.observer.expired(call)
    // Between attempts nothing is under way: what earlier ones have done counts.
    if (!this.inFlight) {
      if (this.undecided !== undefined) this.record(this.undecided)
      return Effect.fail(this.closed(ApiError.update(error, { delivery: "not-sent" }), "deadline"))
    }
    this.took = Monotonic.since(clock, call.begunAt)
    const ended = call.isUnsent ? ApiError.update(error, { delivery: "not-sent" }) : error
    this.record(ended)
    return Effect.fail(this.closed(ended, "deadline"))
  }

  private closed(error: ApiError.ApiError, stoppedBy: ApiError.StoppedBy): ApiError.ApiError {
    const { attempts } = this.call
    return ApiError.update(error, { attempts: [...attempts], stoppedBy, delivery: this.delivered(error) })
  }

  private delivered(error: ApiError.ApiError): ApiError.Delivery {
    const delivery = isProcessed(this.call) ? "maybe-applied" : error.delivery
    return deliveries.indexOf(delivery) > deliveries.indexOf(this.delivery) ? delivery : this.delivery
  }

  private record(error: ApiError.ApiError, delay?: number): void {
    this.undecided = undefined
    this.delivery = this.delivered(error)
    Ledger.record(this.call, Ledger.line(this.startedAt, this.took, error._tag, statusOf(error), delay))
  }
}

/** What follows the first attempt, and what follows the rest of a loop. */
interface Ending<in A, out B, in out R> extends Settle<A, B, R> {
  readonly resumed: (rest: Effect.Effect<A, ApiError.ApiError, R>) => Effect.Effect<B, ApiError.ApiError, R>
}

/** Goes on with the result of a loop in the same step of the fiber if its first attempt succeeds. */
class Onward<C extends Retried, A extends { readonly status: number }, R, B> implements Ending<A, B, R> {
  private readonly loop: AttemptLoop<C, A, R>
  private readonly onward: (value: A) => Effect.Effect<B, ApiError.ApiError>

  constructor(loop: AttemptLoop<C, A, R>, onward: (value: A) => Effect.Effect<B, ApiError.ApiError>) {
    this.loop = loop
    this.onward = onward
  }

  onSuccess(value: A): Effect.Effect<B, ApiError.ApiError> {
    const { loop } = this
    loop.succeeded(value)
    const next = this.onward(value)
    return Exit.isExit(next) ? next : loop.restored(next)
  }

  onFailure(cause: Cause.Cause<ApiError.ApiError>): Effect.Effect<B, ApiError.ApiError, R> {
    return this.resumed(this.loop.onFailure(cause))
  }

  resumed(rest: Effect.Effect<A, ApiError.ApiError, R>): Effect.Effect<B, ApiError.ApiError, R> {
    return Effect.flatMap(rest, (value) => this.loop.restored(this.onward(value)))
  }
}

const masked = <C extends Retried, A extends { readonly status: number }, R, B>(
  loop: AttemptLoop<C, A, R>,
  ending: Ending<A, B, R>,
  known?: Fibers.AnyFiber
): Effect.Effect<B, ApiError.ApiError, R> =>
  Once.maskedOnce((restore) =>
    known === undefined
      ? Fibers.withFiber((fiber) => loop.start(fiber, restore, ending))
      : loop.start(known, restore, ending)
  )

const isProcessed = ({ redirected }: Retried): boolean => redirected?.processed === true

const statusOf = (error: ApiError.ApiError): number | undefined =>
  "status" in error ? error.status : undefined
