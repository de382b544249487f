/** Secrets as programs pass them: a `Redacted`, or a plain string. */
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { Problem, scalarText } from "../shared/invalid.js"
import * as Result from "../shared/result.js"

/** The trimmed text of a secret, or a reason that names the argument and shows nothing of its value. */
export const secretText = (name: string, value: unknown): Result.Result<string, string> => {
  if (typeof value !== "string" && !Redacted.isRedacted(value)) {
    return Result.fail(`${name} must be a Redacted or a string, and is ${kindOf(value)}`)
  }
  const text = scalarText(value)
  return text instanceof Problem ? Result.fail(`${name} ${text.reason}`) : Result.succeed(text)
}

/** The kind of a value, without its content. */
export const kindOf = (value: unknown): string => {
  if (value === undefined || value === null) return String(value)
  if (Predicate.isPromiseLike(value)) return "a promise: await it, or use Credentials.from"
  if (Array.isArray(value)) return "an array"
  return typeof value === "object" ? "an object" : `a ${typeof value}`
}
