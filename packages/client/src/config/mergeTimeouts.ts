/** The limits of a call, laid over those of its client. */
import { toMillis } from "../shared/duration.js"
import { type InvalidInput, invalid } from "../shared/invalid.js"
import * as Result from "../shared/result.js"
import type * as Timeouts from "./Timeouts.js"

/** The limits with some of them set anew. Fails where one is not a duration above zero. */
export const mergeTimeouts = (
  self: Timeouts.Timeouts,
  options: Timeouts.Options | undefined
): Result.Result<Timeouts.Timeouts, InvalidInput> => {
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

const names = ["connect", "response", "idle", "total"] as const
