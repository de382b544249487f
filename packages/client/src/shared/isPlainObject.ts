/** Tells plain objects (names and values) from all other objects. */
import * as Predicate from "effect/Predicate"

/** An object of another realm has another `Object.prototype`, whose own prototype is also null. */
export const isPlainObject = (value: unknown): value is Record<string, unknown> => {
  if (!Predicate.isRecord(value)) return false
  const prototype: object | null = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
