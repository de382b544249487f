/**
 * Streams value by value, without an effect for each value. This module hides channels and pulls, and the combinators of
 * `Stream` whose lists have another type in another version of Effect.
 */
import * as Channel from "effect/Channel"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
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
  Stream.suspend(() => {
    const pick = makePick()
    type Reading = Channel.Channel<Chunk.Chunk<B>, Chunk.Chunk<A>, E | E2, E, void, unknown>
    const step = (chunk: Chunk.Chunk<A>): Reading => {
      const values: Array<B> = []
      let next: Reading = reading
      for (const value of chunk) {
        const failure = pick(value, values)
        if (failure !== undefined) {
          next = Channel.fail(failure)
          break
        }
      }
      if (values.length === 0) return next
      return Channel.flatMap(Channel.write(Chunk.unsafeFromArray(values)), () => next)
    }
    const reading: Reading = Channel.readWithCause({
      onInput: step,
      onFailure: Channel.failCause,
      onDone: () => Channel.void
    })
    return Stream.pipeThroughChannel(stream, reading)
  })

/** Waits for the next values; `undefined` at the end. */
export type Next<A, E> = Effect.Effect<ReadonlyArray<A> | undefined, E>

/** Opens a stream until a scope closes. */
export const toNext = <A, E>(stream: Stream.Stream<A, E>, scope: Scope.Scope): Effect.Effect<Next<A, E>> =>
  Effect.map(Scope.extend(Stream.toPull(stream), scope), (pull) =>
    Effect.matchEffect(pull, {
      onSuccess: (chunk): Next<A, E> => Effect.succeed(Chunk.toReadonlyArray(chunk)),
      onFailure: Option.match({ onNone: () => Effect.succeed(undefined), onSome: Effect.fail<E> })
    })
  )

/** A stream of values, each with the state for the one after it, until there is none. */
export const unfold = <S, A, E, R>(
  first: S,
  step: (state: S) => Effect.Effect<readonly [A, S] | undefined, E, R>
): Stream.Stream<A, E, R> =>
  Stream.unfoldEffect(first, (state) => Effect.map(step(state), Option.fromNullable))
