/** Time that only goes on: the wall clock is set now and then, and a limit must not pass with it. */
import type * as Clock from "effect/Clock"

/** Milliseconds since some moment. They follow the program's `Clock`, and so a test's. */
export const now = (clock: Clock.Clock): number => {
  const nanos = clock.unsafeCurrentTimeNanos()
  // A number holds no nanoseconds since the epoch: the part below a millisecond would be lost in rounding.
  return Number(nanos / million) + Number(nanos % million) / 1e6
}

const million = BigInt(1_000_000)

/** When so many milliseconds will have passed. */
export const deadline = (clock: Clock.Clock, millis: number): number =>
  millis === Number.POSITIVE_INFINITY ? millis : now(clock) + millis

/** Nanoseconds since some moment: cheaper where only a duration is wanted. */
export const nanos = (clock: Clock.Clock): bigint => clock.unsafeCurrentTimeNanos()

/** Whole milliseconds since {@link nanos}. */
export const since = (clock: Clock.Clock, start: bigint): number =>
  Math.round(Number(clock.unsafeCurrentTimeNanos() - start) / 1e6)

/** Before anything began. */
export const never = BigInt(0)
