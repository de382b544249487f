/** What the attempt loop needs of a call and of a client. */
import type * as Effect from "effect/Effect"
import type * as Fibers from "../effect/fibers.js"
import type * as ApiError from "../errors/ApiError.js"
import type * as Ledger from "../errors/Ledger.js"
import type { Promised } from "../wire/methods.js"
import type { Permits } from "./permitting.js"
import type * as RetryBudget from "./RetryBudget.js"
import type * as RetryPolicy from "./RetryPolicy.js"

/**
 * The part of a call that the loop reads, and the ledger that it writes. Times are those of the monotonic clock, but for
 * `startedAt`, which is in milliseconds since the epoch.
 */
export interface Retried extends Ledger.Ledger {
  readonly retry: RetryPolicy.Resolved
  readonly startedAt: number
  readonly deadline: number
  /** When the last attempt began. */
  begunAt: number
  /** Whether the attempt waits for its credentials: nothing of it is sent. */
  isUnsent: boolean
  /** The request as it was sent last. */
  readonly encoded: {
    readonly method: string
    readonly promised: Promised
    readonly idempotencyKey: string | undefined
    readonly replayable: boolean
  }
  /** `processed` means that a redirect asked for a GET, so a server has acted on the request. */
  readonly redirected: { readonly processed: boolean } | undefined
}

/** What follows the attempts of a client's calls. */
export interface Observer<in C> {
  /** An attempt begins. The loop calls the result once the attempt has ended, however it ended. */
  readonly attempting: (call: C, fiber: Fibers.AnyFiber) => Ended
  /** Runs before the wait for another attempt. */
  readonly retrying: (call: C, error: ApiError.ApiError, delayMillis: number) => Effect.Effect<void>
  /** The error of a call whose deadline has passed. */
  readonly expired: (call: C) => ApiError.TimeoutError
}

/** Takes how long an attempt ran in milliseconds, its status, and the tag of its error. */
export type Ended = (millis: number, status: number | undefined, tag: string | undefined) => void

/** What the loops of a client share: one for all its calls. */
export interface Client<in C> {
  readonly budget: RetryBudget.RetryBudget
  /** The account of a call's retries in the budget: its origin and its key. */
  readonly accountOf: (call: C) => string
  readonly observer: Observer<C>
  /** The client's own limits, if there are any. */
  readonly permits?: Permits<C> | undefined
  /** Takes a call back to the request that an attempt starts with. */
  readonly restart: (call: C) => void
  /** Drops the credentials that the call's server has refused. True if better ones may follow. */
  readonly refresh: (call: C) => Effect.Effect<boolean>
}

export type { Permits, Refusal, Waiting } from "./permitting.js"

/** What becomes of responses that the loop does not return. */
export interface Leftovers<in A> {
  /** Runs after a failed attempt, before the wait for the next. */
  readonly discard?: Effect.Effect<void> | undefined
  /** Takes the result of an attempt that succeeded just as the deadline passed. */
  readonly abandon?: ((value: A) => void) | undefined
}
