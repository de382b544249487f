/**
 * The limits that a client keeps for a transport that does not: until the headers, then between two chunks of the body.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as ApiError from "./ApiError.js"
import type * as Call from "./Call.js"
import * as TransportError from "./TransportError.js"

/**
 * Which limit runs, and since when.
 *
 * @since 0.1.0
 * @category models
 */
export interface Watch {
  phase: "response" | "idle"
  since: number
}

/**
 * Runs an effect under the limit that a watch tells of. One sleeping fiber looks after a whole attempt: a race for the
 * headers and another for every chunk cost more than the rest of it.
 *
 * @since 0.1.0
 * @category combinators
 */
export const expiring = <A, R>(
  call: Call.Call,
  watch: Watch,
  effect: Effect.Effect<A, ApiError.ApiError, R>
): Effect.Effect<A, ApiError.ApiError, R> => {
  const look: Effect.Effect<never, ApiError.ApiError> = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const limit = call.timeouts[watch.phase]
    const left = watch.since + limit - now
    if (left <= 0) return Effect.fail(TransportError.timeout(call, watch.phase, limit))
    // An endless limit may be followed by another: the headers have none, the body may.
    return Effect.zipRight(Effect.sleep(Math.min(left, call.timeouts.idle, call.timeouts.response)), look)
  })
  return Effect.raceFirst(effect, look)
}
