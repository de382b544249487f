/**
 * Streams as their pulls: an effect that returns the next chunk, and fails with `None` at the end. The bodies of all
 * requests pass through here, so a program without streams bundles these few lines and no combinators of `Stream`.
 */
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Collector } from "../shared/bytes.js"

/** Waits for the next chunk. */
export type Pull<A, E, R = never> = Effect.Effect<Chunk.Chunk<A>, Option.Option<E>, R>

/** The same stream with each pull changed. */
export const onPull = <A, E, R, B, E2, R2>(
  stream: Stream.Stream<A, E, R>,
  change: (pull: Pull<A, E, R>) => Pull<B, E2, R2>
): Stream.Stream<B, E2, R | R2> => Stream.fromPull(Effect.map(Stream.toPull(stream), change))

/** Each value as a chunk of its own; every run starts at the first. */
export const each = <A>(values: () => Iterable<A>): Stream.Stream<A> =>
  Stream.suspend(() => {
    const iterator = values()[Symbol.iterator]()
    return Stream.repeatEffectOption(
      Effect.suspend(() => {
        const next = iterator.next()
        return next.done === true ? Effect.fail(Option.none()) : Effect.succeed(next.value)
      })
    )
  })

/** A body as far as it was read. */
export interface Collected {
  readonly bytes: Uint8Array
  readonly complete: boolean
}

/** Reads bytes to their end, or until there are more than a limit. Reports every pull that returned bytes. */
export const collect = <E>(
  pull: Pull<Uint8Array, E>,
  cap: number,
  onPulled: () => void
): Effect.Effect<Collected, E> =>
  Effect.suspend(() => {
    const collector = new Collector()
    const loop: Effect.Effect<Collected, E> = Effect.matchEffect(pull, {
      onFailure: Option.match({ onNone: () => ended, onSome: Effect.fail }),
      onSuccess: (pulled) => {
        onPulled()
        for (const chunk of pulled) collector.add(chunk)
        return collector.size <= cap ? loop : ended
      }
    })
    const ended = Effect.sync(() => ({ bytes: collector.concat(cap), complete: collector.size <= cap }))
    return loop
  })
