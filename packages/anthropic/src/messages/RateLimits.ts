/**
 * What is left of the rate limits, as the headers of every answer tell it: https://docs.anthropic.com/en/api/rate-limits
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Option from "effect/Option"

/** A limit: how much of it there is, how much is left, and when it is whole again. @since 0.1.0 @category models */
export interface RateLimit {
  readonly limit: number | undefined
  readonly remaining: number | undefined
  readonly reset: DateTime.Utc | undefined
}

/**
 * The limits by what they count, each `undefined` where the answer does not tell of it. `tokens` is the one of the limits on
 * tokens that is the closest. `retryAfter` is the hint of an error.
 *
 * @since 0.1.0
 * @category models
 */
export interface RateLimits {
  /** Requests, of any size. */
  readonly requests: RateLimit | undefined
  /** Input and output tokens together, by the limit that is tightest now. */
  readonly tokens: RateLimit | undefined
  /** Input tokens. */
  readonly inputTokens: RateLimit | undefined
  /** Output tokens. */
  readonly outputTokens: RateLimit | undefined
  /** How long the server asks to wait. */
  readonly retryAfter: Duration.Duration | undefined
}

/**
 * The limits that an `ApiResponse` or a status error tells of.
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
 *   Effect.catchTag("RateLimitError", (error) => Effect.log(`whole again at ${RateLimits.from(error).requests?.reset}`))
 * )
 * ```
 * @since 0.1.0
 * @category accessors
 */
export const from = (answer: {
  readonly headers: Readonly<Record<string, string>>
  readonly retryAfter?: Duration.Duration | undefined
}): RateLimits => {
  const limit = (what: string): RateLimit | undefined => {
    const header = (name: string) => answer.headers[`anthropic-ratelimit-${what}-${name}`]
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
    retryAfter: answer.retryAfter
  }
}

const toNumber = (text: string | undefined): number | undefined =>
  text === undefined || !/^\d+$/.test(text) ? undefined : Number(text)
