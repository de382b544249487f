/** JSON for the wire: what `JSON.stringify` would drop or bend in silence is an error that names the place. */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { type InvalidInput, invalid, wiped } from "./invalid.js"

/** Deeper than any API takes, and far from the end of the stack. */
const maxDepth = 1000

interface Scan {
  readonly path: Array<string>
  readonly parents: Set<object>
  /** Whether JSON.stringify may meet a Redacted. */
  reveal: boolean
}

/** What is wrong with a value, or `undefined`; the path then leads to it. */
const scan = (self: Scan, value: unknown): string | undefined => {
  switch (typeof value) {
    case "number":
      return Number.isFinite(value) ? undefined : "must be a finite number: JSON has no NaN and no Infinity"
    case "bigint":
      return "must not be a bigint, which JSON cannot hold: send a number or a string"
    case "object":
      return value === null ? undefined : scanObject(self, value)
    default:
      return undefined
  }
}

const scanObject = (self: Scan, value: object): string | undefined => {
  if (Redacted.isRedacted(value)) {
    self.reveal = true
    const secret = unwrap(value)
    return secret === wiped ? wiped.reason : scan(self, secret)
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "must be a valid date" : undefined
  if (value instanceof Map || value instanceof Set)
    return "must be a plain object or an array, not a Map or a Set"
  if (self.parents.has(value)) return "must not refer back to itself"
  if (hasToJson(value)) {
    // It speaks for itself; JSON.stringify will ask it, and there may be a Redacted in the answer.
    self.reveal = true
    return undefined
  }
  if (self.parents.size >= maxDepth) return `must not be nested deeper than ${maxDepth} levels`
  self.parents.add(value)
  for (const key of Object.keys(value)) {
    self.path.push(key)
    const problem = scan(self, (value as Record<string, unknown>)[key])
    if (problem !== undefined) return problem
    self.path.pop()
  }
  self.parents.delete(value)
  return undefined
}

const hasToJson = (value: unknown): value is { readonly toJSON: (key: string) => unknown } =>
  Predicate.hasProperty(value, "toJSON") && typeof value.toJSON === "function"

/** What a Redacted holds, `wiped` where nothing is left. */
const unwrap = (redacted: Redacted.Redacted<unknown>): unknown => {
  let value: unknown = redacted
  try {
    while (Redacted.isRedacted(value)) value = Redacted.value(value)
  } catch {
    return wiped
  }
  return value
}

/** JSON.stringify asks `toJSON` before the replacer, and a Redacted answers with its mask: so the holder is read. */
function reveal(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const held = this[key]
  if (!Redacted.isRedacted(held)) return value
  const secret = unwrap(held)
  return hasToJson(secret) ? secret.toJSON(key) : secret
}

/** The JSON text of a value, a `Redacted` in it unwrapped; `field` names the value in the error. */
export const stringify = (value: unknown, field: string): Either.Either<string, InvalidInput> => {
  const self: Scan = { path: [field], parents: new Set(), reveal: false }
  const problem = scan(self, value)
  if (problem !== undefined) return Either.left(invalid(self.path.join("."), problem))
  try {
    const text = self.reveal ? JSON.stringify(value, reveal) : JSON.stringify(value)
    return text === undefined
      ? Either.left(invalid(field, "must be a value that JSON can hold"))
      : Either.right(text)
  } catch {
    return Either.left(invalid(field, "could not be turned into JSON: its toJSON failed"))
  }
}
