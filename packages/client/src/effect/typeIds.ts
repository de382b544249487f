/**
 * How values of Effect are recognised without importing the modules that make them. This module hides their type ids and their
 * tags.
 */
import * as Equal from "effect/Equal"
import * as Predicate from "effect/Predicate"

const platformError = Symbol.for("@effect/platform/HttpClientError")

/** Whether a value is a failure of the platform, which holds a request with its credentials. */
export const isPlatformError = (value: object): boolean => platformError in value

/** The rejection that `Effect.tryPromise` wrapped in an error without words of its own; any other failure as it is. */
export const rejectionOf = (failure: unknown): unknown =>
  Predicate.isTagged(failure, "UnknownException") ? Reflect.get(failure, "error") : failure

/**
 * Whether a value is one of Effect's that is no data: a stream, a layer, a schedule. Plain data of Effect has the marks of
 * equality alone.
 */
export const isEffects = (value: object): boolean => {
  for (let at: object | null = value; at !== null; at = Object.getPrototypeOf(at)) {
    for (const { description = "" } of Object.getOwnPropertySymbols(at)) {
      if (/^effect\/(?!Equal$|Hash$|PrimaryKey$|Schema\/)/.test(description)) return true
    }
  }
  return false
}

/** Whether a value that is no plain object is data of Effect, and so has all of its content in its properties. */
export const isRecordOfEffect = (value: object): boolean => Equal.symbol in value
