/** Distinguishes objects from other values, and plain objects (names and values) from all other objects. */
import * as Predicate from "effect/Predicate"

/** Whether a value has properties to read: any object, a list too, but no function. */
export const isObject = (value: unknown): value is Record<PropertyKey, unknown> =>
  typeof value === "object" && value !== null

/** An object of another realm has another `Object.prototype`, whose own prototype is also null. */
export const isPlainObject = (value: unknown): value is Record<string, unknown> => {
  if (!Predicate.isRecord(value)) return false
  const prototype: object | null = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
