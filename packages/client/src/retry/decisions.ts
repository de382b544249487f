/** Whether and when a call is retried: plain functions of a policy and an error. */
import * as Duration from "effect/Duration"
import * as ApiError from "../errors/ApiError.js"
import type { Promised } from "../wire/methods.js"

/** The part of a policy for waits without a hint. */
export interface Backoff {
  readonly initialMillis: number
  readonly maxMillis: number
  readonly jitter: number
  /** How many times longer each wait is than the one before (2). */
  readonly factor?: number
}

/**
 * The shortest wait that a server can set where it is asked again and again, in milliseconds: by `retry:` of a stream, and by
 * `retry-after` of a polling. WHATWG HTML (9.2.3) leaves the wait to the client; a zero would make it ask in a busy loop.
 */
export const minWaitMillis = 100

/** The part of a policy for waits that a server asks for. */
interface Hints {
  readonly maxRetryAfterMillis: number
  readonly onLongRetryAfter: "fail" | "backoff"
}

/**
 * The backoff before a retry: `min(initial x factor^n, max) x (1 - jitter x random)`. `retry` counts from 0, and `random`
 * is in [0, 1). Jitter only shortens a wait, so the cap holds.
 */
export const backoffMillis = (
  { factor = 2, initialMillis, jitter, maxMillis }: Backoff,
  retry: number,
  random: number
): number =>
  // 2 ** 1024 is infinite, and infinity times a delay of zero would be NaN.
  Math.min(initialMillis * factor ** Math.min(retry, 1023), maxMillis) * (1 - jitter * random)

/**
 * What to do about a server's hint: wait that long, end the call because the hint is above `maxRetryAfter`, or back
 * off as usual without a hint that counts.
 */
export const hint = (policy: Hints, error: ApiError.ApiError): number | "backoff" | "too-long" => {
  if (!("retryAfter" in error) || error.retryAfter === undefined) return "backoff"
  const millis = Duration.toMillis(error.retryAfter)
  if (millis <= policy.maxRetryAfterMillis) return millis
  return policy.onLongRetryAfter === "backoff" ? "backoff" : "too-long"
}

/** Whether the server asked for this retry by a hint that the wait honours. Such a retry is free. */
export const isAskedFor = (policy: Hints, error: ApiError.ApiError, waitMillis: number): boolean => {
  const hinted = hint(policy, error)
  // The wait is a difference of two times, so it may be slightly short.
  return typeof hinted === "number" && hinted > 0 && waitMillis > hinted - 1
}

/** The part of a policy for which errors are retried. */
interface Retryable {
  readonly retryable?: ((error: ApiError.ApiError) => boolean | undefined) | undefined
}

/** What the program decides of an error. Its function may throw: then it decides nothing. */
const ownDecision = ({ retryable }: Retryable, error: ApiError.ApiError): boolean | undefined => {
  if (retryable === undefined || isFinal(error)) return undefined
  try {
    const decided: unknown = retryable(error)
    return typeof decided === "boolean" ? decided : undefined
  } catch {
    return undefined
  }
}

/** Whether a call has no time left. */
export const isDeadline = (error: ApiError.ApiError): boolean =>
  error._tag === "TimeoutError" && error.phase === "total"

/** A request that cannot be sent, and a call that has no time left, have no other attempt. */
const isFinal = (error: ApiError.ApiError): boolean =>
  error._tag === "InvalidRequestError" || isDeadline(error)

/** Whether another attempt may help: the program decides first, then the error, then the table. */
export const isRetryable = (policy: Retryable, error: ApiError.ApiError): boolean =>
  ownDecision(policy, error) ?? ApiError.isRetryable(error)

/**
 * Whether an error may be retried at all: the program decides first, then the error, then `retryUnsafe` for a request that is
 * idempotent neither by its method (RFC 9110, 9.2.2) nor by a key.
 */
export const allows = (
  policy: Retryable & { readonly retryUnsafe: "always" | "when-safe" | "never" },
  error: ApiError.ApiError,
  request: { readonly promised: Promised; readonly idempotencyKey: string | undefined }
): boolean => {
  if (!isRetryable(policy, error)) return false
  if (policy.retryUnsafe === "always" || request.idempotencyKey !== undefined) return true
  if (request.promised !== "nothing") return true
  return policy.retryUnsafe === "when-safe" && error.delivery !== "maybe-applied"
}
