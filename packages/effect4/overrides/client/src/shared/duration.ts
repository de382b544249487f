/** Reads durations as users write them, without the clamping that hides a mistake. */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { isPlainObject } from "./isPlainObject.js"

/**
 * Milliseconds of a duration input, `Infinity` for an endless one, NaN for anything else. `Duration` turns NaN into zero, and
 * a zero timeout is a different mistake: so numbers are checked first.
 */
export const toMillis = (input: unknown): number => {
  if (typeof input === "number") return input
  if (typeof input === "bigint" && input < 0n) return Number(input) / 1e6
  if (typeof input === "string" && input.trim().startsWith("-"))
    return -Math.abs(toMillis(input.trim().slice(1)))
  if (Array.isArray(input) && input.some((part) => typeof part !== "number" || !(part >= 0)))
    return Number.NaN
  if (!isInput(input)) return Number.NaN
  return Option.match(Duration.fromInput(input), { onNone: () => Number.NaN, onSome: Duration.toMillis })
}

/** `Duration` takes an object without any of its units for zero: a `Date`, a misspelt unit. */
const isInput = (input: unknown): input is Duration.Input =>
  typeof input !== "object" || Array.isArray(input) || Duration.isDuration(input) || isUnits(input)

const units: ReadonlySet<string> = new Set([
  "weeks",
  "days",
  "hours",
  "minutes",
  "seconds",
  "milliseconds",
  "microseconds",
  "nanoseconds"
])

const isUnits = (input: unknown): input is Duration.DurationObject => {
  if (!isPlainObject(input)) return false
  const amounts = Object.entries(input).filter(([, amount]) => amount !== undefined)
  return (
    amounts.length > 0 &&
    amounts.every(([unit, amount]) => units.has(unit) && typeof amount === "number" && !Number.isNaN(amount))
  )
}
