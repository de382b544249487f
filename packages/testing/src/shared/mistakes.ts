/** What errors tell of mistakes in a test. */
import { Duration } from "effect"

/** A short text of a value. */
export const shown = (u: unknown): string => {
  if (typeof u === "string") return JSON.stringify(u)
  if (typeof u === "function") return "a function"
  if (typeof u !== "object" || u === null) return String(u)
  if (Array.isArray(u)) return "an array"
  const keys = Object.keys(u).slice(0, 4)
  return keys.length > 0 ? `an object with ${keys.join(", ")}` : "an object"
}

/** Decodes a duration. An error names the option. */
export const duration = (option: string, input: Duration.DurationInput): Duration.Duration => {
  try {
    return Duration.decode(input)
  } catch {
    throw new Error(
      `${option}: ${shown(input)} is no duration. Use milliseconds, or a text such as "5 millis"`
    )
  }
}
