/** What a client can be told of its retries. */
import type * as Duration from "effect/Duration"
import type { InvalidInput } from "../shared/invalid.js"
import * as Settings from "../shared/settings.js"

/**
 * How a client retries. Durations are any `DurationInput`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Attempts after the first (2). */
  readonly maxRetries?: number | undefined
  /** The first backoff (500 ms): retry `n` waits `min(initialDelay x 2^n, maxDelay)`, `n` counted from 0. */
  readonly initialDelay?: Duration.DurationInput | undefined
  /** The longest backoff (8 s). */
  readonly maxDelay?: Duration.DurationInput | undefined
  /** By how much of it random jitter may shorten a backoff, 0 to 1 (0.25). */
  readonly jitter?: number | undefined
  /** The longest wait that a server may ask for (60 s). */
  readonly maxRetryAfter?: Duration.DurationInput | undefined
  /** When a server asks for longer: the call ends with the error (`"fail"`, default), or waits as without a hint (`"backoff"`). */
  readonly onLongRetryAfter?: "fail" | "backoff" | undefined
  /**
   * Whether POST and PATCH without an idempotency key are retried: `"always"` (default), `"when-safe"` (only where the error's
   * `delivery` is `not-sent` or `rejected`), `"never"`.
   */
  readonly retryUnsafe?: "always" | "when-safe" | "never" | undefined
  /** What a call does inside another client's retry loop: one attempt (`"once"`, default) or its own retries (`"retry"`). */
  readonly nested?: "once" | "retry" | undefined
  /** `false` for none, or its numbers; see `RetryPolicy.Budget`. A client has one budget, which `withOptions` and requests share. */
  readonly budget?: false | BudgetOptions | undefined
}

/**
 * The numbers of a retry budget, in tokens. A retry that the server asked for with a hint (`retry-after`, `retry-after-ms`)
 * takes nothing.
 *
 * @since 0.1.0
 * @category models
 */
export interface BudgetOptions {
  /** What the bucket holds when it is full, as it is at first (500). */
  readonly capacity?: number | undefined
  /** What a retry takes (5). */
  readonly retryCost?: number | undefined
  /** What a retry after a timeout takes (10). */
  readonly timeoutCost?: number | undefined
  /** What a success gives back (1); one that was retried gives back what its retries took. */
  readonly successRefund?: number | undefined
}

const amount = /*#__PURE__*/ Settings.kind((value) => typeof value === "number", "must be a number")

const isBudget = /*#__PURE__*/ Settings.fields({
  capacity: amount,
  retryCost: amount,
  timeoutCost: amount,
  successRefund: amount
})

/** Ranges and words are looked at in `RetryPolicy.problem`. */
const shape = {
  maxRetries: amount,
  initialDelay: Settings.any,
  maxDelay: Settings.any,
  jitter: amount,
  maxRetryAfter: Settings.any,
  onLongRetryAfter: Settings.any,
  retryUnsafe: Settings.any,
  nested: Settings.any,
  budget: (value) => (value === false ? undefined : isBudget(value))
} satisfies { readonly [K in keyof Options]-?: Settings.Check }

/** The first setting that is unknown, or of the wrong kind. */
export const problem: (options: object) => InvalidInput | undefined = /*#__PURE__*/ Settings.checker(shape)
