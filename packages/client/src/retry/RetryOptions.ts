/** The options of retries. */
import type * as Duration from "effect/Duration"
import type * as ApiError from "../errors/ApiError.js"
import { toMillis } from "../shared/duration.js"
import { type InvalidInput, invalid } from "../shared/invalid.js"
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
  /** The share by which random jitter may shorten a backoff, 0 to 1 (0.25). */
  readonly jitter?: number | undefined
  /** The longest wait that a server may ask for (60 s). */
  readonly maxRetryAfter?: Duration.DurationInput | undefined
  /**
   * When a server asks for longer: `"fail"` ends the call with the error (default), `"backoff"` waits as without a
   * hint.
   */
  readonly onLongRetryAfter?: "fail" | "backoff" | undefined
  /**
   * Whether to retry POST, PATCH and every other method that is not idempotent (RFC 9110, 9.2.2) without an idempotency
   * key: `"always"` (default), `"never"`, or `"when-safe"`, only if the error's `delivery` is `not-sent` or `rejected`.
   */
  readonly retryUnsafe?: "always" | "when-safe" | "never" | undefined
  /** Inside another client's retry loop: make one attempt (`"once"`, default), or retry as well (`"retry"`). */
  readonly nested?: "once" | "retry" | undefined
  /**
   * Decides whether an error may be retried, before the server (`x-should-retry`) and the table do; `undefined` leaves
   * it to them. `retryUnsafe`, the count and all limits still apply. A function that throws leaves it to them, too.
   */
  readonly retryable?: ((error: ApiError.ApiError) => boolean | undefined) | undefined
  /**
   * Reads from the headers of an error how long the server asks to wait; `undefined` leaves it to `retry-after-ms` and
   * `retry-after`. `now` is in milliseconds since the epoch. `RetryAfter.rateLimit` makes one for rate limits.
   */
  readonly retryAfter?: RetryAfter | undefined
  /**
   * `false` for no budget, or its numbers. Each origin, key (`RateLimit`) and credentials have a budget of their own.
   * `withOptions` and requests share their client's budgets.
   */
  readonly budget?: false | BudgetOptions | undefined
}

/**
 * Reads from headers, whose names are lower-case, how long a server asks to wait.
 *
 * @since 3.1.0
 * @category models
 */
export type RetryAfter = (
  headers: Readonly<Record<string, string>>,
  nowMillis: number
) => Duration.DurationInput | undefined

/**
 * The numbers of a retry budget, in tokens. A retry that the server asked for (`retry-after`, `retry-after-ms`) is
 * free.
 *
 * @since 0.1.0
 * @category models
 */
export interface BudgetOptions {
  /** The size of the bucket, which starts full (500). */
  readonly capacity?: number | undefined
  /** The cost of a retry (5). */
  readonly retryCost?: number | undefined
  /** The cost of a retry after a timeout (10). */
  readonly timeoutCost?: number | undefined
  /** The refund of a success (1). After a retry the refund is at least what the retry cost. */
  readonly successRefund?: number | undefined
}

const amount = /*#__PURE__*/ Settings.kind((value) => typeof value === "number", "must be a number")

const ranged =
  (test: (value: number) => boolean, reason: string): Settings.Check =>
  (value) =>
    amount(value) ?? (test(Number(value)) ? undefined : invalid("", reason))

const tokens = /*#__PURE__*/ ranged((value) => value >= 0, "must be a number that is not negative")

const budgetShape = { capacity: tokens, retryCost: tokens, timeoutCost: tokens, successRefund: tokens }

const isBudget = /*#__PURE__*/ Settings.fields(budgetShape)

const delay = /*#__PURE__*/ Settings.kind(
  (value) => toMillis(value) >= 0,
  "must be a duration that is not negative"
)

/** What options and policies have alike: functions, which a policy may lack, and the rest. */
const functions = { retryable: Settings.callback, retryAfter: Settings.callback }

const alike = {
  maxRetries: ranged(
    (value) => value >= 0 && (Number.isInteger(value) || value === Number.POSITIVE_INFINITY),
    "must be a whole number that is not negative"
  ),
  jitter: ranged((value) => value >= 0 && value <= 1, "must be between 0 and 1"),
  onLongRetryAfter: Settings.word(["fail", "backoff"]),
  retryUnsafe: Settings.word(["always", "when-safe", "never"]),
  nested: Settings.word(["once", "retry"]),
  budget: (value: unknown) => (value === false ? undefined : isBudget(value))
}

const shape = {
  ...alike,
  ...functions,
  initialDelay: delay,
  maxDelay: delay,
  maxRetryAfter: delay
} satisfies { readonly [K in keyof Options]-?: Settings.Check }

/** The first setting that is unknown, or has a wrong value. */
export const problem: (options: object) => InvalidInput | undefined = /*#__PURE__*/ Settings.checker(shape)

const millis = /*#__PURE__*/ ranged(
  (value) => value >= 0,
  "must be a number of milliseconds that is not negative"
)

/** What every policy has. */
const ofPolicy = { ...alike, initialMillis: millis, maxMillis: millis, maxRetryAfterMillis: millis }

const checkPolicy = /*#__PURE__*/ Settings.checker({ ...ofPolicy, ...functions })

/** What is wrong with a policy. A program may copy one and change its fields, which no constructor checks. */
export const problemOfPolicy = (policy: Readonly<{ budget: unknown }>): InvalidInput | undefined => {
  const problem = checkPolicy(policy) ?? lacking(policy, ofPolicy)
  if (problem !== undefined || !Settings.isRecord(policy.budget)) return problem
  const inBudget = lacking(policy.budget, budgetShape)
  return inBudget && Settings.within("budget", inBudget)
}

const lacking = (value: object, shape: Settings.Shape): InvalidInput | undefined => {
  const name = Object.keys(shape).find((name) => Reflect.get(value, name) === undefined)
  return name === undefined ? undefined : invalid(name, "is missing")
}
