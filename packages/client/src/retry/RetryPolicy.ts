/**
 * Retries in three parts: which errors (a pure table), when (a `Schedule` that honours the server), and a budget that
 * keeps a client from overloading a server that is down.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import type * as Schedule from "effect/Schedule"
import { makeSchedule } from "../effect/steps.js"
import type * as ApiError from "../errors/ApiError.js"
import { toMillis } from "../shared/duration.js"
import type { InvalidInput } from "../shared/invalid.js"
import { omitUndefined } from "../shared/omitUndefined.js"
import * as Decisions from "./decisions.js"
import { type Options, type RetryAfter, problem as unfitIn } from "./RetryOptions.js"

export type { BudgetOptions, Options, RetryAfter } from "./RetryOptions.js"

/**
 * {@link Options} with every default applied; delays in milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetryPolicy {
  readonly [TypeId]: typeof TypeId
  readonly maxRetries: number
  readonly initialMillis: number
  readonly maxMillis: number
  readonly jitter: number
  readonly maxRetryAfterMillis: number
  readonly onLongRetryAfter: "fail" | "backoff"
  readonly retryUnsafe: "always" | "when-safe" | "never"
  readonly nested: "once" | "retry"
  readonly retryable: ((error: ApiError.ApiError) => boolean | undefined) | undefined
  readonly retryAfter: RetryAfter | undefined
  readonly budget: false | typeof defaultBudget
  /** The first setting that is unknown, or of the wrong kind. */
  readonly unfit?: InvalidInput | undefined
}

/**
 * The policy, which classifies errors and counts retries, and the schedule, which decides when.
 *
 * @since 0.1.0
 * @category models
 */
export interface Resolved {
  readonly policy: RetryPolicy
  readonly schedule: Schedule.Schedule<unknown, ApiError.ApiError>
}

/**
 * The forms in which a user gives retries.
 *
 * @since 0.1.0
 * @category models
 */
export type Retry = Options | RetryPolicy | Schedule.Schedule<unknown, ApiError.ApiError> | Resolved

const defaultBudget = { capacity: 500, retryCost: 5, timeoutCost: 10, successRefund: 1 }

/**
 * Type id of {@link RetryPolicy}.
 *
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/RetryPolicy")

const defaults: RetryPolicy = {
  [TypeId]: TypeId,
  maxRetries: 2,
  initialMillis: 500,
  maxMillis: 8_000,
  jitter: 0.25,
  maxRetryAfterMillis: 60_000,
  onLongRetryAfter: "fail",
  retryUnsafe: "always",
  nested: "once",
  retryable: undefined,
  retryAfter: undefined,
  budget: defaultBudget
}

/**
 * Makes a policy from the defaults and the given options. An invalid option is reported when a client is built with
 * the policy.
 *
 * @example
 * ```ts
 * import { RetryPolicy } from "@effect-api/client"
 * import { Schedule } from "effect"
 *
 * const policy = RetryPolicy.make({ maxRetries: 5, maxDelay: "20 seconds" })
 * // The schedule is a value: change it and pass it as `retry`.
 * const schedule = RetryPolicy.schedule(policy).pipe(Schedule.upTo("1 minute"))
 * ```
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): RetryPolicy => override(defaults, options)

/**
 * The same policy with other options.
 *
 * @since 0.1.0
 * @category combinators
 */
export const override = (self: RetryPolicy, options: Options): RetryPolicy => {
  const millis = (input: Duration.DurationInput | undefined, otherwise: number): number =>
    input === undefined ? otherwise : toMillis(input)
  const unfit = self.unfit ?? unfitIn(options)
  if (unfit !== undefined) return { ...self, unfit }
  return {
    [TypeId]: TypeId,
    maxRetries: options.maxRetries ?? self.maxRetries,
    initialMillis: millis(options.initialDelay, self.initialMillis),
    maxMillis: millis(options.maxDelay, self.maxMillis),
    jitter: options.jitter ?? self.jitter,
    maxRetryAfterMillis: millis(options.maxRetryAfter, self.maxRetryAfterMillis),
    onLongRetryAfter: options.onLongRetryAfter ?? self.onLongRetryAfter,
    retryUnsafe: options.retryUnsafe ?? self.retryUnsafe,
    nested: options.nested ?? self.nested,
    retryable: options.retryable ?? self.retryable,
    retryAfter: options.retryAfter ?? self.retryAfter,
    budget:
      options.budget === false
        ? false
        : options.budget === undefined
          ? self.budget
          : { ...(self.budget || defaultBudget), ...omitUndefined(options.budget ?? {}) }
  }
}

/**
 * No retries.
 *
 * @since 0.1.0
 * @category constructors
 */
export const none: RetryPolicy = /*#__PURE__*/ make({ maxRetries: 0 })

/**
 * Whether a value is a {@link RetryPolicy}.
 *
 * @internal
 */
export const isRetryPolicy = (u: unknown): u is RetryPolicy => Predicate.hasProperty(u, TypeId)

/**
 * When to retry, as a `Schedule` over the errors. It never waits less than the server asked, nor more than the cap
 * without a hint. It is done after `maxRetries`, or at a hint above `maxRetryAfter`. Its output is the wait.
 *
 * @since 0.1.0
 * @category schedules
 */
export const schedule = (policy: RetryPolicy): Schedule.Schedule<Duration.Duration, ApiError.ApiError> =>
  makeSchedule((error: ApiError.ApiError, retry) => {
    const hinted = Decisions.hint(policy, error)
    if (retry >= policy.maxRetries || hinted === "too-long") return undefined
    return typeof hinted === "number"
      ? Effect.succeed(hinted)
      : Effect.map(Random.next, (random) => Decisions.backoffMillis(policy, retry, random))
  })
