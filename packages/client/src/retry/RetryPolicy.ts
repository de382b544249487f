/**
 * Retries in three parts: which errors (a pure table), when (a `Schedule` that honours the server), and a budget that
 * keeps a client from piling onto a server that is down.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleInterval from "effect/ScheduleInterval"
import * as ApiError from "../errors/ApiError.js"
import { toMillis } from "../shared/duration.js"
import { type InvalidInput, invalid } from "../shared/invalid.js"
import { omitUndefined } from "../shared/omitUndefined.js"
import { type Options, problem as unfitIn } from "./RetryOptions.js"

export type { BudgetOptions, Options } from "./RetryOptions.js"

/**
 * {@link Options} with every default in place; delays in milliseconds.
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
  readonly budget: false | typeof defaultBudget
  /** A setting that is unknown, or of the wrong kind. */
  readonly unfit?: InvalidInput | undefined
}

/**
 * The policy that classifies and counts, and the schedule that says when.
 *
 * @since 0.1.0
 * @category models
 */
export interface Resolved {
  readonly policy: RetryPolicy
  readonly schedule: Schedule.Schedule<unknown, ApiError.ApiError>
}

/**
 * Retries as a user gives them.
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
  budget: defaultBudget
}

/**
 * A policy from the defaults and what differs from them. What is wrong with it is told when a client is built with it.
 *
 * @example
 * ```ts
 * import { RetryPolicy } from "@effect-api/client"
 * import { Schedule } from "effect"
 *
 * const policy = RetryPolicy.make({ maxRetries: 5, maxDelay: "20 seconds" })
 * // The schedule is a value: change it and give it back as `retry`.
 * const schedule = RetryPolicy.schedule(policy).pipe(Schedule.upTo("1 minute"))
 * ```
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): RetryPolicy => override(defaults, options)

/**
 * The same policy with some of it set anew.
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
 * @since 0.1.0
 * @category guards
 */
export const isRetryPolicy = (u: unknown): u is RetryPolicy => Predicate.hasProperty(u, TypeId)

const choices: ReadonlyArray<
  readonly [name: "onLongRetryAfter" | "retryUnsafe" | "nested", words: ReadonlyArray<string>]
> = [
  ["onLongRetryAfter", ["fail", "backoff"]],
  ["retryUnsafe", ["always", "when-safe", "never"]],
  ["nested", ["once", "retry"]]
]

/**
 * The first setting of a policy that makes no sense, by its name, or `undefined`.
 *
 * @since 0.1.0
 * @category validation
 */
export const problem = (policy: RetryPolicy): InvalidInput | undefined => {
  if (policy.unfit !== undefined) return policy.unfit
  const delays = {
    initialDelay: policy.initialMillis,
    maxDelay: policy.maxMillis,
    maxRetryAfter: policy.maxRetryAfterMillis
  }
  for (const [name, millis] of Object.entries(delays)) {
    if (!(millis >= 0)) return invalid(name, "must be a duration that is not negative")
  }
  if (
    !(Number.isInteger(policy.maxRetries) && policy.maxRetries >= 0) &&
    policy.maxRetries !== Number.POSITIVE_INFINITY
  ) {
    return invalid("maxRetries", "must be a whole number that is not negative")
  }
  if (!(policy.jitter >= 0 && policy.jitter <= 1)) return invalid("jitter", "must be between 0 and 1")
  for (const [name, words] of choices) {
    if (!words.includes(policy[name])) return invalid(name, `must be one of ${words.join(", ")}`)
  }
  if (policy.budget === false) return undefined
  const bad = Object.entries(policy.budget).find(([, tokens]) => !(tokens >= 0))
  return bad && invalid(`budget.${bad[0]}`, "must be a number that is not negative")
}

/**
 * The wait before a retry by backoff alone: `min(initial x 2^n, max) x (1 - jitter x random)`, `retry` counted from 0 and
 * `random` in [0, 1). Jitter only shortens, so the cap holds.
 *
 * @since 0.1.0
 * @category decisions
 */
export const backoffMillis = (policy: RetryPolicy, retry: number, random: number): number =>
  // 2 ** 1024 is infinite, and infinitely often no delay at all would be NaN.
  Math.min(policy.initialMillis * 2 ** Math.min(retry, 1023), policy.maxMillis) * (1 - policy.jitter * random)

/**
 * What to make of a server's hint: wait that long, end the call because it is above `maxRetryAfter`, or, as there is
 * none that counts, fall back on the backoff.
 *
 * @since 0.1.0
 * @category decisions
 */
export const hint = (policy: RetryPolicy, error: ApiError.ApiError): number | "backoff" | "too-long" => {
  if (!("retryAfter" in error) || error.retryAfter === undefined) return "backoff"
  const millis = Duration.toMillis(error.retryAfter)
  if (millis <= policy.maxRetryAfterMillis) return millis
  return policy.onLongRetryAfter === "backoff" ? "backoff" : "too-long"
}

/** Whether the server asked for a retry by a hint, which this wait honours: it is free. @since 0.1.0 @category decisions */
export const isAskedFor = (policy: RetryPolicy, error: ApiError.ApiError, waitMillis: number): boolean => {
  const hinted = hint(policy, error)
  // The wait is a difference of two times, and may be a hair short.
  return typeof hinted === "number" && hinted > 0 && waitMillis > hinted - 1
}

/**
 * When to retry, as a `Schedule` over the errors: never earlier than the server asked, never above the cap where it did
 * not ask, done after `maxRetries` or at a hint above `maxRetryAfter`. Its output is the wait.
 *
 * @since 0.1.0
 * @category schedules
 */
export const schedule = (policy: RetryPolicy): Schedule.Schedule<Duration.Duration, ApiError.ApiError> =>
  Schedule.makeWithState(0, (now, error: ApiError.ApiError, retry) => {
    const hinted = hint(policy, error)
    if (retry >= policy.maxRetries || hinted === "too-long") {
      return Effect.succeed([retry, Duration.zero, ScheduleDecision.done] as const)
    }
    const millis =
      typeof hinted === "number"
        ? Effect.succeed(hinted)
        : Effect.map(Random.next, (random) => backoffMillis(policy, retry, random))
    return Effect.map(
      millis,
      (millis) =>
        [
          retry + 1,
          Duration.millis(millis),
          ScheduleDecision.continueWith(ScheduleInterval.after(now + millis))
        ] as const
    )
  })

/**
 * Whether an error may be retried at all: the error's own word, then what `retryUnsafe` says of a request that is neither
 * idempotent by its method (RFC 9110, 9.2.2) nor by a key.
 *
 * @since 0.1.0
 * @category decisions
 */
export const allows = (
  policy: RetryPolicy,
  error: ApiError.ApiError,
  request: { readonly method: string; readonly idempotencyKey: string | undefined }
): boolean => {
  if (!ApiError.isRetryable(error)) return false
  if (policy.retryUnsafe === "always" || request.idempotencyKey !== undefined) return true
  if (request.method !== "POST" && request.method !== "PATCH") return true
  return policy.retryUnsafe === "when-safe" && error.delivery !== "maybe-applied"
}

/**
 * A bucket of tokens that retries are paid from and successes pay into. One bucket serves a client: while a server is
 * down the client soon stops sending everything several times over, and one success after another it starts again.
 *
 * @since 0.1.0
 * @category models
 */
export interface Budget {
  /** Takes what a retry after this error costs; `undefined` where the bucket has less than that. */
  readonly take: (error: ApiError.ApiError) => number | undefined
  /** A success, and what its retry had cost. */
  readonly giveBack: (cost: number) => void
  readonly tokens: () => number
}

/**
 * The budget of a policy, full.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeBudget = (policy: RetryPolicy): Budget => {
  if (policy.budget === false)
    return { take: () => 0, giveBack: () => undefined, tokens: () => Number.POSITIVE_INFINITY }
  const { capacity, retryCost, successRefund, timeoutCost } = policy.budget
  let tokens = capacity
  return {
    take: (error) => {
      const cost = error._tag === "TimeoutError" ? timeoutCost : retryCost
      if (cost > tokens) return undefined
      tokens -= cost
      return cost
    },
    giveBack: (cost) => {
      tokens = Math.min(capacity, tokens + Math.max(cost, successRefund))
    },
    tokens: () => tokens
  }
}
