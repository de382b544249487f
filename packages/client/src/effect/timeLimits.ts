/** Time limits that hold wherever the caller runs: in a finalizer, in an `acquire`, in any other uninterruptible region. */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Monotonic from "./monotonic.js"
import { until } from "./races.js"

export { settledWithin, until } from "./races.js"

/** Runs work for at most so many milliseconds. With none left the work does not start: a finished effect would beat the timer. */
export const within = <A, E, R, A2, E2>(
  work: Effect.Effect<A, E, R>,
  millis: number,
  passed: Effect.Effect<A2, E2>,
  abandon?: (value: A) => void
): Effect.Effect<A | A2, E | E2, R> => {
  if (millis === Number.POSITIVE_INFINITY) return work
  return millis > 0 ? until(work, Effect.sleep(millis), passed, abandon) : passed
}

/** Something that must be over at a moment of the monotonic clock, in milliseconds; `Infinity` for no limit. */
export interface Limited {
  readonly deadline: number
}

/** How many milliseconds a clock has left until the deadline. */
export const millisLeft = ({ deadline }: Limited, clock: Clock.Clock): number =>
  deadline === Number.POSITIVE_INFINITY ? deadline : deadline - Monotonic.now(clock)

/** How many milliseconds are left until the deadline. */
export const left = (limited: Limited): Effect.Effect<number> =>
  Effect.clockWith((clock) => Effect.succeed(millisLeft(limited, clock)))

/** Runs work within what is left until the deadline. */
export const withinDeadline = <A, E, R, A2, E2>(
  limited: Limited,
  work: Effect.Effect<A, E, R>,
  passed: Effect.Effect<A2, E2>,
  abandon?: (value: A) => void
): Effect.Effect<A | A2, E | E2, R> =>
  limited.deadline === Number.POSITIVE_INFINITY
    ? work
    : Effect.flatMap(left(limited), (millis) => within(work, millis, passed, abandon))
