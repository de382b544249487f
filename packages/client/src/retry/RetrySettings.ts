/** The forms in which a client and a request take their retries, laid over each other. */
import * as Either from "effect/Either"
import * as Schedule from "effect/Schedule"
import { type InvalidInput, invalid } from "../shared/invalid.js"
import * as Settings from "../shared/settings.js"
import type { Resolved, Retry } from "./RetryPolicy.js"
import * as RetryPolicy from "./RetryPolicy.js"

const ofPolicy = (policy: RetryPolicy.RetryPolicy): Resolved => ({
  policy,
  schedule: RetryPolicy.schedule(policy)
})

/** The retries of a client that sets none. */
export const defaults: Resolved = /*#__PURE__*/ ofPolicy(/*#__PURE__*/ RetryPolicy.make())

/** Whether a value can be retries in any form. */
export const isRetry = (u: unknown): u is Retry => Settings.isRecord(u) || Schedule.isSchedule(u)

const isSchedule = (retry: Retry): retry is Resolved["schedule"] => Schedule.isSchedule(retry)

const isResolved = (retry: Retry): retry is Resolved =>
  "policy" in retry && RetryPolicy.isRetryPolicy(retry.policy)

/** Whether retries are single settings, which merge field by field. */
export const isOptions = (retry: Retry): retry is RetryPolicy.Options =>
  !isResolved(retry) && !isSchedule(retry) && !RetryPolicy.isRetryPolicy(retry)

/**
 * Retries laid over others. Single settings are laid over the policy, a schedule says no more than when, and a whole policy
 * takes the place of both.
 */
export const lay = (base: Resolved, retry: Retry): Resolved => {
  if (isResolved(retry)) return retry
  if (isSchedule(retry)) return { ...base, schedule: retry }
  return ofPolicy(RetryPolicy.isRetryPolicy(retry) ? retry : RetryPolicy.override(base.policy, retry))
}

/** Finds retries that are none at all. What is wrong with single settings {@link resolve} finds. */
export const check: Settings.Check = (retry) =>
  isRetry(retry) ? undefined : invalid("", "must be an object of retry settings, a RetryPolicy or a Schedule")

/**
 * Retries in the form the client works with, from any form a user gives. Fails with the setting that is wrong.
 */
export const resolve = (
  retry: Retry | undefined,
  base: Resolved = defaults
): Either.Either<Resolved, InvalidInput> => {
  if (retry === undefined) return Either.right(base)
  const resolved = lay(base, retry)
  const problem = RetryPolicy.problem(resolved.policy)
  return problem === undefined
    ? Either.right(resolved)
    : Either.left(invalid(problem.field === "" ? "retry" : `retry.${problem.field}`, problem.reason))
}
