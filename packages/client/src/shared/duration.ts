/** Reads durations as users write them, without the clamping that hides a mistake. */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

/**
 * Milliseconds of a duration input, `Infinity` for an endless one, NaN for anything else. `Duration` clamps negative
 * numbers and NaN to zero, and a zero timeout is a different mistake: so the sign is checked first.
 */
export const toMillis = (input: unknown): number => {
  if (typeof input === "number") return input
  if (typeof input === "bigint" && input < 0n) return Number(input) / 1e6
  if (typeof input === "string" && input.trim().startsWith("-"))
    return -Math.abs(toMillis(input.trim().slice(1)))
  if (Array.isArray(input) && input.some((part) => typeof part !== "number" || !(part >= 0)))
    return Number.NaN
  return Option.match(Duration.decodeUnknown(input), { onNone: () => Number.NaN, onSome: Duration.toMillis })
}
