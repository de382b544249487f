/** What a program's own code failed with, kept as the `cause` of our error: programs ask it what went wrong. */
import * as Predicate from "effect/Predicate"

/** The platform's errors hold a request with its credentials. */
const platformError = Symbol.for("@effect/platform/HttpClientError")

/** Deep enough for every library, and a chain that loops ends. */
const maxDepth = 8

/**
 * The cause as a field for an error. It is left out where it is no more than a word, which the message says already, where a
 * platform's error is in it, and where its text shows a secret: loggers print causes whole.
 */
export const ownCause = (cause: unknown, redact: (text: string) => string): { readonly cause?: unknown } => {
  if (!Predicate.isObject(cause)) return {}
  let current: unknown = cause
  for (let depth = 0; depth < maxDepth && Predicate.isObject(current); depth++) {
    const text = textOf(current)
    if (platformError in current || redact(text) !== text) return {}
    current = "cause" in current ? current.cause : undefined
  }
  return { cause }
}

/** What a logger would print of it: its message, and the texts in its fields. */
const textOf = (value: object): string => {
  try {
    const message = "message" in value ? value.message : undefined
    const stack = "stack" in value ? value.stack : undefined
    return [message, stack, ...Object.values(value)].filter(Predicate.isString).join("\n")
  } catch {
    // A getter that throws: nobody can print it.
    return ""
  }
}
