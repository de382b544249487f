/** The forms in which a client and a request take their retries, and how they merge. */
import * as Schedule from "effect/Schedule"
import { type InvalidInput, invalid } from "../shared/invalid.js"
import * as Result from "../shared/result.js"
import * as Settings from "../shared/settings.js"
import { problemOfPolicy } from "./RetryOptions.js"
import type { Resolved, Retry } from "./RetryPolicy.js"
import * as RetryPolicy from "./RetryPolicy.js"

const ofPolicy = (policy: RetryPolicy.RetryPolicy): Resolved => ({
  policy,
  schedule: RetryPolicy.schedule(policy)
})

/** The default retries. */
export const defaults: Resolved = /*#__PURE__*/ ofPolicy(/*#__PURE__*/ RetryPolicy.make())

/** Whether a value may be retries in any form. */
export const isRetry = (u: unknown): u is Retry => Settings.isRecord(u) || Schedule.isSchedule(u)

const isSchedule = (retry: Retry): retry is Resolved["schedule"] => Schedule.isSchedule(retry)

const isResolved = (retry: Retry): retry is Resolved =>
  "policy" in retry && RetryPolicy.isRetryPolicy(retry.policy)

/** Whether retries are single settings, which merge field by field. */
export const isOptions = (retry: Retry): retry is RetryPolicy.Options =>
  !isResolved(retry) && !isSchedule(retry) && !RetryPolicy.isRetryPolicy(retry)

/**
 * Merges retries over others. Options merge with the policy, a schedule replaces the schedule, and a policy replaces
 * both.
 */
export const lay = (base: Resolved, retry: Retry): Resolved => {
  if (isResolved(retry)) return retry
  if (isSchedule(retry)) return { ...base, schedule: retry }
  return ofPolicy(RetryPolicy.isRetryPolicy(retry) ? retry : RetryPolicy.override(base.policy, retry))
}

/** Rejects values that are no retries. {@link resolve} checks single options. */
export const check: Settings.Check = (retry) =>
  isRetry(retry) ? undefined : invalid("", "must be an object of retry settings, a RetryPolicy or a Schedule")

/** Retries in the form that the client uses, from any form. Fails with the invalid setting. */
export const resolve = (
  retry: Retry | undefined,
  base: Resolved = defaults
): Result.Result<Resolved, InvalidInput> => {
  if (retry === undefined) return Result.succeed(base)
  const resolved = lay(base, retry)
  const { policy, schedule } = resolved
  const problem =
    policy.unfit ??
    (isOptions(retry) ? undefined : problemOfPolicy(policy)) ??
    (Schedule.isSchedule(schedule) ? undefined : invalid("schedule", "must be a Schedule"))
  return problem === undefined
    ? Result.succeed(resolved)
    : Result.fail(invalid(problem.field === "" ? "retry" : `retry.${problem.field}`, problem.reason))
}
