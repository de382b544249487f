/** The headers that report when a rate limit is full again. */
import type * as RetryOptions from "./RetryOptions.js"

/**
 * The names of a server's headers, in lower case.
 *
 * @since 3.1.0
 * @category models
 */
export interface RateLimitHeaders {
  /** When requests are allowed again (`ratelimit-reset`). */
  readonly reset: string
  /** How many requests are left (`ratelimit-remaining`). The reset counts where none is; without this it always counts. */
  readonly remaining?: string | undefined
}

/**
 * Makes a `retry.retryAfter` from the headers of a rate limit. Without names it reads the fields of the IETF draft
 * (draft-ietf-httpapi-ratelimit-headers): `ratelimit: "default";r=0;t=30`, or `ratelimit-remaining` and
 * `ratelimit-reset`.
 *
 * A reset is seconds to wait (`30`), seconds or milliseconds since the epoch (`1767225600`), a duration (`1m30s`,
 * `6ms`), or an RFC 3339 timestamp (`2026-01-01T00:00:00Z`). Any other value is ignored.
 *
 * @example
 * ```ts
 * import { ApiClient, RetryAfter } from "@effect-api/client"
 *
 * // GitHub sends 403 for a rate limit, with its reset in seconds since the epoch.
 * export const Live = ApiClient.layer({
 *   baseUrl: "https://api.github.com",
 *   retry: {
 *     retryable: (error) => (error._tag === "PermissionDeniedError" ? error.retryAfter !== undefined : undefined),
 *     retryAfter: RetryAfter.rateLimit({ reset: "x-ratelimit-reset", remaining: "x-ratelimit-remaining" })
 *   }
 * })
 * ```
 * The function returns milliseconds.
 *
 * @since 3.1.0
 * @category constructors
 */
export const rateLimit = (
  names?: RateLimitHeaders
): ((...args: Parameters<RetryOptions.RetryAfter>) => number | undefined) => {
  const { remaining, reset } = names ?? { reset: "ratelimit-reset", remaining: "ratelimit-remaining" }
  return (headers, nowMillis) => {
    const field = names === undefined ? headers.ratelimit : undefined
    const listed = field === undefined ? undefined : longestOf(field)
    if (listed !== undefined) return listed
    const left = remaining === undefined ? undefined : headers[remaining]
    if (left !== undefined && !(Number(left) <= 0)) return undefined
    return waitOf(headers[reset]?.trim() ?? "", nowMillis)
  }
}

const item = /;\s*([rt])=(\d+)/g

/** The longest wait of the policies that have nothing left. */
const longestOf = (field: string): number | undefined => {
  const waits = field.split(",").flatMap((policy) => {
    const { r, t } = Object.fromEntries(
      Array.from(policy.matchAll(item), ([, name = "", value]) => [name, Number(value)])
    )
    return r === 0 && t !== undefined ? [t * 1000] : []
  })
  return waits.length === 0 ? undefined : Math.max(...waits)
}

const decimal = /^\d+(?:\.\d+)?$/
const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const parts = /(\d+(?:\.\d+)?)(ms|[smhd])/g
const duration = /^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i

/** Nobody waits for thirty years: a larger number is a moment. */
const firstMoment = 1e9
const firstMillis = 1e12

/** How long until the reset that a value names, in milliseconds. */
export const waitOf = (text: string, now: number): number | undefined => {
  if (decimal.test(text)) {
    const number = Number(text)
    if (number >= firstMillis) return number - now
    return number >= firstMoment ? number * 1000 - now : number * 1000
  }
  if (duration.test(text)) {
    return Array.from(
      text.matchAll(parts),
      ([, count, unit = ""]) => Number(count) * (units[unit] ?? 0)
    ).reduce((sum, millis) => sum + millis, 0)
  }
  return timestamp.test(text) ? Date.parse(text) - now : undefined
}
