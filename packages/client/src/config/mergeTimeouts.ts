/** Merges the timeouts of a request over those of its client. */
import { toMillis } from "../shared/duration.js"
import { type InvalidInput, invalid } from "../shared/invalid.js"
import * as Result from "../shared/result.js"

const names = ["connect", "response", "idle", "total"] as const

type Name = (typeof names)[number]
type Millis = Readonly<Record<Name, number>>

/** Merges timeouts over others. Fails if one is not a duration above zero. */
export const mergeTimeouts = (
  self: Millis,
  options: { readonly [K in Name]?: unknown } | undefined
): Result.Result<Millis, InvalidInput> => {
  if (options === undefined) return Result.succeed(self)
  const merged = { ...self }
  for (const name of names) {
    const input = options[name]
    if (input === undefined) continue
    const millis = toMillis(input)
    if (!(millis > 0)) return Result.fail(invalid(`timeouts.${name}`, "must be a duration above zero"))
    merged[name] = millis
  }
  return Result.succeed(merged)
}
