/** Keeps what the program's own code failed with as the `cause` of an error, so that the program can look at it. */
import * as Predicate from "effect/Predicate"
import { isPlatformError } from "../effect/typeIds.js"

/** Deep enough for every library, and finite for a chain that loops. */
const maxDepth = 8

/**
 * The cause as a field of an error. It is left out if it is a primitive, which the message quotes already, if a
 * platform error is in it, if its text shows a secret, since loggers print causes whole, or if it cannot be printed.
 */
export const ownCause = (cause: unknown, redact: (text: string) => string): { readonly cause?: unknown } => {
  if (!Predicate.isObject(cause)) return {}
  let current: unknown = cause
  try {
    for (let depth = 0; depth < maxDepth && Predicate.isObject(current); depth++) {
      if (isPlatformError(current)) return {}
      current = "cause" in current ? current.cause : undefined
    }
    const text = textOf(cause)
    return text === undefined || redact(text) !== text ? {} : { cause }
  } catch {
    // A getter throws, so nobody can print it.
    return {}
  }
}

/** More than a logger prints. */
const mostParts = 10_000

/** What a logger would print: messages, stacks, and the strings in the fields, however deep. `undefined`: too much to search. */
const textOf = (cause: object): string | undefined => {
  const words: Array<string> = []
  const seen = new Set<object>()
  const rest: Array<unknown> = [cause]
  while (rest.length > 0) {
    const value = rest.pop()
    if (typeof value === "string") words.push(value)
    if (!Predicate.isObject(value) || seen.has(value) || ArrayBuffer.isView(value)) continue
    seen.add(value)
    if (seen.size > mostParts) return undefined
    rest.push(...partsOf(value))
  }
  return words.join("\n")
}

const partsOf = (value: object): ReadonlyArray<unknown> => {
  const names: ReadonlyArray<string | symbol> = [
    ...Reflect.ownKeys(value),
    "message",
    "stack",
    "cause",
    "errors"
  ]
  const parts: Array<unknown> = names.flatMap((name) =>
    name in value ? [name, Reflect.get(value, name)] : []
  )
  if (value instanceof Map || value instanceof Set || value instanceof Headers) parts.push(...value)
  if (value instanceof URL || value instanceof URLSearchParams) parts.push(String(value))
  return parts
}
