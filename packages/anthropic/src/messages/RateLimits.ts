/**
 * The rate limits in the headers of a response: https://docs.anthropic.com/en/api/rate-limits
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Option from "effect/Option"

/** One rate limit: its size, what remains of it, and when it resets fully. @since 0.1.0 @category models */
export interface RateLimit {
  /** The size of the limit: requests or tokens within a period. */
  readonly limit: number | undefined
  /** How much of the limit remains now. */
  readonly remaining: number | undefined
  /** When the limit is fully replenished. */
  readonly reset: DateTime.Utc | undefined
}

/**
 * The rate limits by what they count. A limit is `undefined` if the response has no headers for it.
 *
 * @since 0.1.0
 * @category models
 */
export interface RateLimits {
  /** The limit on requests. */
  readonly requests: RateLimit | undefined
  /** The most restrictive limit on tokens at the moment. */
  readonly tokens: RateLimit | undefined
  /** The limit on input tokens. */
  readonly inputTokens: RateLimit | undefined
  /** The limit on output tokens. */
  readonly outputTokens: RateLimit | undefined
  /** How long to wait before a retry, from the `retry-after` of an error. */
  readonly retryAfter: Duration.Duration | undefined
}

/**
 * Reads the rate limits of an `ApiResponse` or of a status error.
 *
 * @example
 * ```ts
 * import { Anthropic, Messages, RateLimits } from "@effect-api/anthropic"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const { client } = yield* Anthropic.Anthropic
 *   const response = yield* client.executeWithResponse(
 *     Messages.create({ model: "claude-sonnet-5-5", max_tokens: 100, messages: [{ role: "user", content: "Hi" }] })
 *   )
 *   yield* Effect.log(`${RateLimits.from(response).inputTokens?.remaining} tokens left`)
 * }).pipe(
 *   Effect.catchTag("RateLimitError", (error) => Effect.log(`limit resets at ${RateLimits.from(error).requests?.reset}`))
 * )
 * ```
 * @since 0.1.0
 * @category accessors
 */
export const from = (response: {
  readonly headers: Readonly<Record<string, string>>
  readonly retryAfter?: Duration.Duration | undefined
}): RateLimits => {
  const limit = (counted: string): RateLimit | undefined => {
    const header = (name: string) => response.headers[`anthropic-ratelimit-${counted}-${name}`]
    const limit = toNumber(header("limit"))
    const remaining = toNumber(header("remaining"))
    const reset = Option.getOrUndefined(DateTime.make(header("reset") ?? ""))
    return limit === undefined && remaining === undefined && reset === undefined
      ? undefined
      : { limit, remaining, reset: reset && DateTime.toUtc(reset) }
  }
  return {
    requests: limit("requests"),
    tokens: limit("tokens"),
    inputTokens: limit("input-tokens"),
    outputTokens: limit("output-tokens"),
    retryAfter: response.retryAfter
  }
}

const toNumber = (text: string | undefined): number | undefined =>
  text === undefined || !/^\d+$/.test(text) ? undefined : Number(text)
