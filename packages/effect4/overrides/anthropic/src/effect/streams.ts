/**
 * Streams value by value, without an effect for each value. This module hides channels and pulls, and the combinators of
 * `Stream` whose lists have another type in another version of Effect.
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** Adds what to emit for a value to `picked`, and returns the error to fail with after it, if any. */
export type Pick<in A, B, out E> = (value: A, picked: Array<B>) => E | undefined

/**
 * Picks values of a stream, with a new `Pick` for each run. It works chunk by chunk, as an effect per value would cost more
 * than the work itself. Values picked before a failure are emitted first.
 */
export const picked = <A, B, E, E2, R>(
  stream: Stream.Stream<A, E, R>,
  makePick: () => Pick<A, B, E2>
): Stream.Stream<B, E | E2, R> =>
  Stream.transformPull(stream, (pull) =>
    Effect.sync(() => {
      const pick = makePick()
      let failure: E2 | undefined
      type Reading = Pull.Pull<Arr.NonEmptyReadonlyArray<B>, E | E2>
      const step = (chunk: ReadonlyArray<A>): Reading => {
        const values: Array<B> = []
        for (const value of chunk) {
          failure = pick(value, values)
          if (failure !== undefined) break
        }
        return Arr.isArrayNonEmpty(values) ? Effect.succeed(values) : reading
      }
      const next = Effect.flatMap(pull, step)
      const reading: Reading = Effect.suspend(() => (failure === undefined ? next : Effect.fail(failure)))
      return reading
    })
  )

/** Waits for the next values; `undefined` at the end. */
export type Next<A, E> = Effect.Effect<ReadonlyArray<A> | undefined, E>

/** Opens a stream until a scope closes. */
export const toNext = <A, E>(stream: Stream.Stream<A, E>, scope: Scope.Scope): Effect.Effect<Next<A, E>> =>
  Effect.map(
    Scope.provide(Stream.toPull(stream), scope),
    Pull.catchDone(() => Effect.succeed(undefined))
  )

/** A stream of values, each with the state for the one after it, until there is none. */
export const unfold = <S, A, E, R>(
  first: S,
  step: (state: S) => Effect.Effect<readonly [A, S] | undefined, E, R>
): Stream.Stream<A, E, R> => Stream.unfold(first, step)
