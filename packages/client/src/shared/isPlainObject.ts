/** Objects that are nothing but names and values. */
import * as Predicate from "effect/Predicate"

/** Those of another realm have another `Object.prototype`, but it too has no prototype of its own. */
export const isPlainObject = (value: unknown): value is Record<string, unknown> => {
  if (!Predicate.isRecord(value)) return false
  const prototype: object | null = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
