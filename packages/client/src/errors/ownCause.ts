/** Keeps what the program's own code failed with as the `cause` of an error, so that the program can look at it. */
import * as Predicate from "effect/Predicate"
import { isPlatformError } from "../effect/typeIds.js"

/** Deep enough for every library, and finite for a chain that loops. */
const maxDepth = 8

/**
 * The cause as a field of an error. It is left out if it is a primitive, which the message quotes already, if a
 * platform error is in it, or if its text shows a secret: loggers print causes whole.
 */
export const ownCause = (cause: unknown, redact: (text: string) => string): { readonly cause?: unknown } => {
  if (!Predicate.isObject(cause)) return {}
  let current: unknown = cause
  for (let depth = 0; depth < maxDepth && Predicate.isObject(current); depth++) {
    const text = textOf(current)
    if (isPlatformError(current) || redact(text) !== text) return {}
    current = "cause" in current ? current.cause : undefined
  }
  return { cause }
}

/** What a logger would print: the message, and the strings in its fields. */
const textOf = (value: object): string => {
  try {
    const message = "message" in value ? value.message : undefined
    const stack = "stack" in value ? value.stack : undefined
    return [message, stack, ...Object.values(value)].filter(Predicate.isString).join("\n")
  } catch {
    // A getter throws, so nobody can print it.
    return ""
  }
}
