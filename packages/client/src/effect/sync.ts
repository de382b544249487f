/** Effects that may be there already: most of what a request needs is no work to wait for. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"

/** An `Either` is an Effect: what is computed at once is used at once, without a fiber's step. */
export const isSync = <A, E>(effect: Effect.Effect<A, E>): effect is Either.Either<A, E> =>
  Either.isEither(effect)

export const flatMap = <A, E, B, E2>(
  effect: Effect.Effect<A, E>,
  next: (value: A) => Effect.Effect<B, E2>
): Effect.Effect<B, E | E2> => {
  if (!isSync(effect)) return Effect.flatMap(effect, next)
  return Either.isRight(effect) ? next(effect.right) : Either.left(effect.left)
}

export const map = <A, E, B>(effect: Effect.Effect<A, E>, change: (value: A) => B): Effect.Effect<B, E> =>
  isSync(effect) ? Either.map(effect, change) : Effect.map(effect, change)

/** What a program's own code gives at once, and without a failure. */
export const settled = <A>(run: () => Effect.Effect<A, unknown>): A | undefined => {
  try {
    const effect = run()
    return isSync(effect) ? Option.getOrUndefined(Either.getRight(effect)) : undefined
  } catch {
    return undefined
  }
}
