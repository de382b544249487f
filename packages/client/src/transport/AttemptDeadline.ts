/**
 * The limits of one attempt: the response headers, then every chunk of the body, then the call's deadline.
 */
import * as Effect from "effect/Effect"
import * as Monotonic from "../effect/monotonic.js"
import * as TimeLimits from "../effect/timeLimits.js"
import type * as ApiError from "../errors/ApiError.js"
import type * as Call from "../request/Call.js"
import * as TransportError from "../request/TransportError.js"

/**
 * Which limit applies, and since when by the monotonic clock. `deadline` is a moment that ends the work besides.
 */
export interface Limit {
  phase: "response" | "idle"
  since: number
  readonly deadline: number
}

/** A limit that does not run yet. */
export const makeLimit = (
  phase: Limit["phase"],
  since: number = Number.POSITIVE_INFINITY,
  deadline: number = Number.POSITIVE_INFINITY
): Limit => ({ phase, since, deadline })

/**
 * The milliseconds below which the rest of a limit is rounding. `Duration` turns a part of a nanosecond into zero, and a
 * sleep of zero repeats without end under a test clock.
 */
const resolution = 0.001

/**
 * Runs an effect under a limit that moves on. One sleeping fiber watches a whole attempt: a race for the headers and another
 * for every chunk would cost more than the attempt itself.
 */
export const expiring = <A, R>(
  call: Call.Call,
  limit: Limit,
  effect: Effect.Effect<A, ApiError.ApiError, R>
): Effect.Effect<A, ApiError.ApiError, R> => {
  const { idle, response } = call.timeouts
  if (Math.min(idle, response, limit.deadline) === Number.POSITIVE_INFINITY) return effect
  return Effect.clockWith((clock) => {
    const ends = (): number => Math.min(limit.since + call.timeouts[limit.phase], limit.deadline)
    const look: Effect.Effect<void> = Effect.suspend(() => {
      const millis = ends() - Monotonic.now(clock)
      if (millis < resolution) return Effect.void
      // An endless limit may be followed by another: the headers have none, the body may.
      return Effect.zipRight(Effect.sleep(Math.min(millis, idle, response)), look)
    })
    const passed = Effect.suspend(() => {
      const phase = ends() === limit.deadline ? "total" : limit.phase
      return Effect.fail(TransportError.timeout(call, phase, call.timeouts[phase]))
    })
    return TimeLimits.until(effect, look, passed)
  })
}
