/** Monotonic time: somebody may set the wall clock, and that must not expire a limit. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"

/** The system's clock. */
export const systemClock: Clock.Clock = /*#__PURE__*/ Context.get(DefaultServices.liveServices, Clock.Clock)

/** Whether a clock is the system's, which no test moves. */
export const isSystem = (clock: Clock.Clock): boolean => clock === systemClock

/** Milliseconds since an arbitrary moment, by the program's `Clock`, and so by a test's. */
export const now = (clock: Clock.Clock): number => {
  // The same time without a `BigInt`: a call asks for it several times.
  if (isSystem(clock)) return performance.now()
  const nanos = clock.unsafeCurrentTimeNanos()
  // A number cannot hold the nanoseconds since the epoch: rounding would lose the part below a millisecond.
  return Number(nanos / million) + Number(nanos % million) / 1e6
}

const million = BigInt(1_000_000)

/** The moment after this many milliseconds. */
export const deadline = (clock: Clock.Clock, millis: number): number =>
  millis === Number.POSITIVE_INFINITY ? millis : now(clock) + millis

/** Whole milliseconds since a moment. */
export const since = (clock: Clock.Clock, start: number): number => Math.round(now(clock) - start)
