/** Where the caller of a promise stands: what an Effect fails with was made in a fiber, which knows nothing of it. */
import * as Predicate from "effect/Predicate"

/** V8 and who follows it. */
const { captureStackTrace } = Error as {
  readonly captureStackTrace?: (target: object, hidden: unknown) => void
}

/** Errors may be shared by several who wait: the first of them is shown. */
const shown = new WeakSet<object>()

/**
 * Adds the async functions that wait for a promise to the stack of the error it rejects with: to be called in a `catch` behind
 * an `await`, where V8 knows them. It costs nothing before. Only errors with a tag are changed, those of a call: what else a
 * promise may reject with, such as the reason of a signal, belongs to others.
 */
export const addCallerFrames = <E>(error: E): E => {
  if (!isTagged(error) || shown.has(error)) return error
  // The first is who caught it.
  const frames = framesAbove(addCallerFrames)().slice(1)
  if (append(error, frames)) shown.add(error)
  return error
}

/** The place that something is made at, to be shown by the errors that come of it. V8 writes its text when it is read. */
export const placeOf = (made: unknown): (<E>(error: E) => E) => {
  const frames = framesAbove(made)
  return (error) => {
    if (isTagged(error)) append(error, frames())
    return error
  }
}

const framesAbove = (callee: unknown): (() => ReadonlyArray<string>) => {
  const place: { readonly stack?: string } = {}
  captureStackTrace?.(place, callee)
  return () =>
    (place.stack ?? "")
      .split("\n")
      .filter((line) => /^\s+at /.test(line) && !line.includes("processTicksAndRejections"))
}

const isTagged = (error: unknown): error is Error & { readonly _tag: unknown } =>
  error instanceof Error && Predicate.hasProperty(error, "_tag")

const append = (error: Error, frames: ReadonlyArray<string>): boolean => {
  if (frames.length === 0) return false
  try {
    error.stack = [error.stack ?? String(error), ...frames].join("\n")
    return true
  } catch {
    // It is frozen.
    return false
  }
}
