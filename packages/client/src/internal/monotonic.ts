/** Time that goes forward only, for how long something has lasted: the wall clock is set anew while programs run. */
import type * as Clock from "effect/Clock"

/** Milliseconds since some moment. */
export const monotonicMillis = (clock: Clock.Clock): number => Number(clock.unsafeCurrentTimeNanos()) / 1e6
