/**
 * Work that is dropped as soon as it begins. V8 makes a function that is assigned to a property in old space, and Effect 3 assigns
 * such functions in its masks, in `async` and in channels: what they refer to survives until a major GC, with all that it holds.
 */
import * as Effect from "effect/Effect"

type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** The same effect, for a single run. */
export const once = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  let left: Effect.Effect<A, E, R> | undefined = effect
  return Effect.suspend(() => {
    const begun = left ?? again
    left = undefined
    return begun
  })
}

/** `Effect.uninterruptibleMask` for a single run. */
export const maskedOnce = <A, E, R>(
  run: (restore: Restore) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  let left: typeof run | undefined = run
  return Effect.uninterruptibleMask((restore) => {
    const begun = left
    left = undefined
    return begun === undefined ? again : begun(restore)
  })
}

/** `Effect.uninterruptibleMask`. */
export const masked = <A, E, R>(run: (restore: Restore) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => maskedOnce(run))

const again: Effect.Effect<never> = /*#__PURE__*/ Effect.dieMessage("this runs once")
