/**
 * Streams from and to simpler things. This module hides channels, and the combinators of `Stream` whose lists have another type
 * in another version of Effect.
 */
import * as Arr from "effect/Array"
import * as Channel from "effect/Channel"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Pulls from "./pulls.js"

/** Waits for the next values; `undefined` at the end. */
export type Next<A, E, R = never> = Effect.Effect<ReadonlyArray<A> | undefined, E, R>

/** A stream of what is opened in a scope for each of its runs. */
export const fromNext = <A, E>(
  open: (scope: Scope.Scope) => Effect.Effect<Next<A, E>, E>
): Stream.Stream<A, E> =>
  Stream.fromChannel(Channel.fromTransform((_upstream, scope) => Effect.map(open(scope), emitting)))

const emitting = <A, E>(next: Next<A, E>): Pulls.Pull<A, E> => {
  const pull: Pulls.Pull<A, E> = Effect.flatMap(next, (values) => {
    if (values === undefined) return Pulls.over
    return Arr.isReadonlyArrayNonEmpty(values) ? Effect.succeed(values) : pull
  })
  return pull
}

/** Opens a stream until a scope closes. */
export const toNext = <A, E, R>(
  stream: Stream.Stream<A, E, R>,
  scope: Scope.Scope
): Effect.Effect<Next<A, E, R>, never, R> =>
  Effect.map(Pulls.open(stream, scope), (pull) =>
    Pulls.match(pull, {
      onEnd: (): Next<A, E> => Effect.succeed(undefined),
      onFailure: (error) => Effect.fail(error),
      onSuccess: (values) => Effect.succeed(values)
    })
  )

/** Makes values of the pieces of one run. */
export interface Decoder<in I, out A, out E> {
  readonly feed: (piece: I) => ReadonlyArray<A>
  /** There are no more pieces. */
  readonly end: () => ReadonlyArray<A>
  /** Why nothing follows the values of the last piece. */
  readonly failure: E | undefined
}

/** Decodes a stream. What the pieces of a chunk give is one chunk: one effect per value costs more than decoding it. */
export const decoded = <I, A, E, E2, R>(
  stream: Stream.Stream<I, E, R>,
  makeDecoder: () => Decoder<I, A, E2>
): Stream.Stream<A, E | E2, R> => Pulls.onPull(stream, (pull) => decoding(pull, makeDecoder()))

const decoding = <I, A, E, E2, R>(
  pieces: Pulls.Pull<I, E, R>,
  decoder: Decoder<I, A, E2>
): Pulls.Pull<A, E | E2, R> => {
  const write = (values: ReadonlyArray<A>, next: Pulls.Pull<A, E | E2, R>): Pulls.Pull<A, E | E2, R> => {
    const after = decoder.failure === undefined ? next : Effect.fail(decoder.failure)
    if (!Arr.isReadonlyArrayNonEmpty(values)) return after
    onward = after
    return Effect.succeed(values)
  }
  const read: Pulls.Pull<A, E | E2, R> = Pulls.match(pieces, {
    onSuccess: (chunk) => write(feedAll(decoder, chunk), read),
    onFailure: (error) => Effect.fail(error),
    onEnd: () => write(decoder.end(), Pulls.over)
  })
  /** What follows the values that were returned last. */
  let onward = read
  return Effect.suspend(() => onward)
}

/** `flatMap` would copy the values; a piece usually comes alone, and avoids that. */
const feedAll = <I, A>(decoder: Decoder<I, A, unknown>, pieces: Pulls.Values<I>): ReadonlyArray<A> =>
  pieces.length === 1 ? decoder.feed(pieces[0]) : pieces.flatMap((piece) => decoder.feed(piece))

/** A stream of values, each from what the step before it leaves to do, until nothing is left. */
export const paginate = <S, A, E, R>(
  first: S,
  step: (state: S) => Effect.Effect<readonly [A, Option.Option<S>], E, R>
): Stream.Stream<A, E, R> =>
  Stream.paginate(first, (state) => Effect.map(step(state), ([value, next]) => [[value], next] as const))

/** The elements of lists, those of one list as one chunk. */
export const flattened = <A, E, R>(lists: Stream.Stream<ReadonlyArray<A>, E, R>): Stream.Stream<A, E, R> =>
  Stream.flattenArray(Stream.filter(lists, (list) => Arr.isReadonlyArrayNonEmpty(list)))
