/** Adds the caller's frames to errors: an Effect fails inside a fiber, whose stack does not include the caller. */
import * as Predicate from "effect/Predicate"

/** V8's own API; other engines may have adopted it. */
interface Capturing {
  readonly captureStackTrace?: (target: object, hidden: unknown) => void
}

const { captureStackTrace }: ErrorConstructor & Capturing = Error

/** Several callers may share one error: it shows the first. */
const shown = new WeakSet<object>()

/**
 * Adds the async functions that await a promise to the stack of its error. Call it in a `catch` around an `await`,
 * where V8 knows them; until then it costs nothing. It changes tagged errors only: other reasons, such as a signal's,
 * are not ours to touch.
 */
export const addCallerFrames = <E>(error: E): E => {
  if (!isTagged(error) || shown.has(error)) return error
  // The first frame is the function that caught it.
  const frames = framesAbove(addCallerFrames)().slice(1)
  if (append(error, frames)) shown.add(error)
  return error
}

/**
 * Remembers where something is made, for the stack of errors that come of it. V8 formats the stack only when it is
 * read.
 */
export const placeOf = (made: unknown): (<E>(error: E) => E) => {
  const frames = framesAbove(made)
  return (error) => {
    if (isTagged(error)) append(error, frames())
    return error
  }
}

/** Frames below a microtask are no callers: Node runs some between two timers. */
const ofRuntime = /processTicksAndRejections|\(?node:internal\//

const framesAbove = (callee: unknown): (() => ReadonlyArray<string>) => {
  const place: { readonly stack?: string } = {}
  captureStackTrace?.(place, callee)
  return () => (place.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line) && !ofRuntime.test(line))
}

const isTagged = (error: unknown): error is Error & { readonly _tag: unknown } =>
  error instanceof Error && Predicate.hasProperty(error, "_tag")

const append = (error: Error, frames: ReadonlyArray<string>): boolean => {
  if (frames.length === 0) return false
  try {
    error.stack = [error.stack ?? String(error), ...frames].join("\n")
    return true
  } catch {
    // The error is frozen.
    return false
  }
}
