/** An attempt, and what follows it: the loop's part, in the same step of the fiber as the attempt's end. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { Restore } from "../effect/fibers.js"
import type * as ApiError from "../errors/ApiError.js"

export type { Restore } from "../effect/fibers.js"

/** What follows an attempt. */
export interface Settle<in A, out B, out R = never> {
  readonly onSuccess: (value: A) => Effect.Effect<B, ApiError.ApiError, R>
  readonly onFailure: (cause: Cause.Cause<ApiError.ApiError>) => Effect.Effect<B, ApiError.ApiError, R>
}

/** Runs work, which is often done already, and what follows it. */
export const settled = <A, B, R, R2>(
  work: Effect.Effect<A, ApiError.ApiError, R>,
  settle: Settle<A, B, R2>
): Effect.Effect<B, ApiError.ApiError, R | R2> =>
  Effect.matchCauseEffect(work, {
    onSuccess: (value) => settle.onSuccess(value),
    onFailure: (cause) => settle.onFailure(cause)
  })

/** One attempt. */
export interface Attempt<out A, out R = never> {
  /** The loop runs it inside `uninterruptibleMask`, with what follows. */
  readonly run: <B, R2>(
    restore: Restore,
    settle: Settle<A, B, R2>
  ) => Effect.Effect<B, ApiError.ApiError, R | R2>
  /** Whether it ends by itself at the call's deadline, wherever it runs: the loop sets no limit around it. */
  readonly isPunctual: boolean
  /** Whether its response is still open after it: whoever closes it gives the permit back. */
  readonly isOpen?: boolean | undefined
}
