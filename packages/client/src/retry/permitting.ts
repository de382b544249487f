/** What the loop knows of a client's own limits: an attempt may have to wait for its permit. */
import type * as Clock from "effect/Clock"
import type * as Effect from "effect/Effect"
import type * as Fibers from "../effect/fibers.js"
import type * as ApiError from "../errors/ApiError.js"

/** What lets attempts go. */
export interface Permits<in C> {
  /** Takes the permit of an attempt; `undefined` if the attempt may begin at once. */
  readonly take: (call: C, clock: Clock.Clock) => Waiting | undefined
  /** Gives back what the attempt has: it was interrupted before it began. */
  readonly leave: (call: C) => void
  /** The attempt has its permit and begins, unless it is refused all the same. */
  readonly enter?: ((call: C, fiber: Fibers.AnyFiber) => Refusal | undefined) | undefined
  /**
   * The attempt has ended with this error, or without one. It keeps its permit if its response is still being read. One without
   * an error that is no success was interrupted, or ended with a defect.
   */
  readonly ended: (call: C, error: ApiError.ApiError | undefined, isHeld: boolean, isSuccess: boolean) => void
}

/** An attempt that waits for its permit. */
export interface Waiting {
  /** Ends with the permit, or by itself at the call's deadline. */
  readonly queued: Effect.Effect<void, Refusal>
  /** Takes it without a wait: a call inside an attempt may be what the others wait for. */
  readonly forced: Effect.Effect<void, Refusal>
}

/** Why there is no permit: the deadline of the call has passed, or an error. */
export type Refusal = "expired" | Unpermitted

/** `stoppedBy` ends the call. Without it, the call waits or ends as if the server had refused it. */
export interface Unpermitted {
  readonly error: ApiError.ApiError
  readonly stoppedBy?: ApiError.StoppedBy | undefined
}
