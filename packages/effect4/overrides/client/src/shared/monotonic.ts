/**
 * Monotonic time: somebody may set the wall clock, and that must not expire a limit. The nanoseconds of Effect 4's own time follow
 * the wall clock.
 */
import type * as Clock from "effect/Clock"

/** Milliseconds since an arbitrary moment, by the program's `Clock`, and so by a test's. */
export const now = (clock: Clock.Clock): number => {
  const nanos = clock.monotonicTimeNanosUnsafe()
  // A number may not hold so many nanoseconds: rounding would lose the part below a millisecond.
  return Number(nanos / million) + Number(nanos % million) / 1e6
}

const million = BigInt(1_000_000)

/** The moment after this many milliseconds. */
export const deadline = (clock: Clock.Clock, millis: number): number =>
  millis === Number.POSITIVE_INFINITY ? millis : now(clock) + millis

/** Nanoseconds since an arbitrary moment: cheaper, if only a duration is needed. */
export const nanos = (clock: Clock.Clock): bigint => clock.monotonicTimeNanosUnsafe()

/** Whole milliseconds since {@link nanos}. */
export const since = (clock: Clock.Clock, start: bigint): number =>
  Math.round(Number(clock.monotonicTimeNanosUnsafe() - start) / 1e6)

/** A moment before any other. */
export const never = BigInt(0)
