/**
 * Work that may be done already, as most work of a request is: its result is used at once, without a step of a fiber.
 * An `Exit` is an Effect, in Effect 3 and in Effect 4. This module hides how an `Exit` holds its error.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Result from "../shared/result.js"

/** A value or an expected error. Defects and interruptions are left to a fiber. */
export type Sync<A, E> = Exit.Success<A, never> | SyncFailure<E>

interface SyncFailure<E> extends Exit.Failure<never, E> {
  readonly cause: Cause.Fail<E>
}

export const isSync = <A, E>(effect: Effect.Effect<A, E>): effect is Sync<A, E> =>
  Exit.isExit(effect) && (effect._tag === "Success" || effect.cause._tag === "Fail")

export const fromResult = <A, E>(result: Result.Result<A, E>): Exit.Exit<A, E> =>
  result.ok ? Exit.succeed(result.value) : Exit.fail(result.error)

/** Converts an `Either` of a program or of another library. */
export const fromEither = <A, E>(either: Either.Either<A, E>): Exit.Exit<A, E> =>
  Either.isRight(either) ? Exit.succeed(either.right) : Exit.fail(either.left)

/** The expected error of work that is done; `undefined` if there is none. */
export const errorOf = <A, E>(effect: Effect.Effect<A, E>): E | undefined =>
  isSync(effect) && effect._tag === "Failure" ? effect.cause.error : undefined

/** Handles either case, without a step of a fiber. */
export const match = <A, E, B>(
  done: Sync<A, E>,
  onFailure: (error: E) => B,
  onSuccess: (value: A) => B
): B => (done._tag === "Success" ? onSuccess(done.value) : onFailure(done.cause.error))

export const flatMap = <A, E, B, E2>(
  effect: Effect.Effect<A, E>,
  next: (value: A) => Effect.Effect<B, E2>
): Effect.Effect<B, E | E2> => {
  if (!isSync(effect)) return Effect.flatMap(effect, next)
  return effect._tag === "Success" ? next(effect.value) : effect
}

export const map = <A, E, B>(effect: Effect.Effect<A, E>, change: (value: A) => B): Effect.Effect<B, E> => {
  if (!isSync(effect)) return Effect.map(effect, change)
  return effect._tag === "Success" ? Exit.succeed(change(effect.value)) : effect
}

export const mapError = <A, E, E2>(
  effect: Effect.Effect<A, E>,
  change: (error: E) => E2
): Effect.Effect<A, E2> => {
  if (!isSync(effect)) return Effect.mapError(effect, change)
  return effect._tag === "Success" ? effect : Exit.fail(change(effect.cause.error))
}

/** The result of work, as a value. */
export const outcome = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<Result.Result<A, E>> =>
  Effect.matchEffect(effect, {
    onFailure: (error) => Exit.succeed(Result.fail(error)),
    onSuccess: (value) => Exit.succeed(Result.succeed(value))
  })

/** The value that a program's own code returns at once; `undefined` if it fails, throws, or is asynchronous. */
export const settled = <A>(run: () => Effect.Effect<A, unknown>): A | undefined => {
  try {
    const effect = run()
    return isSync(effect) && effect._tag === "Success" ? effect.value : undefined
  } catch {
    return undefined
  }
}
