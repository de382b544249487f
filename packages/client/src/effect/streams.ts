/**
 * Streams from and to simpler things. This module hides channels, and the combinators of `Stream` whose lists have another type
 * in another version of Effect.
 */
import * as Channel from "effect/Channel"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Pulls from "./pulls.js"

/** Waits for the next values; `undefined` at the end. */
export type Next<A, E, R = never> = Effect.Effect<ReadonlyArray<A> | undefined, E, R>

/** A stream of what is opened in a scope for each of its runs. `Stream.fromPull` costs twice as much per chunk. */
export const fromNext = <A, E>(
  open: (scope: Scope.Scope) => Effect.Effect<Next<A, E>, E>
): Stream.Stream<A, E> =>
  Stream.fromChannel(
    // `Channel.acquireUseRelease` keeps in a reference what a variable holds as well.
    Channel.suspend(() => {
      const run = new Run(open)
      const pulled = Channel.fromEffect(Effect.suspend(() => run.next))
      const loop: Emitting<A, E> = Channel.flatMap(pulled, (values) =>
        values === undefined
          ? Channel.void
          : Channel.flatMap(Channel.write(Pulls.valuesOf(values)), () => loop)
      )
      return Channel.ensuringWith(loop, (exit) => run.close(exit))
    })
  )

type Emitting<A, E> = Channel.Channel<Chunk.Chunk<A>, unknown, E, unknown, void, unknown>

/** One run of a stream. It drops everything at its end: what channels keep until a major GC leads here (see `once`). */
class Run<A, E> {
  next: Next<A, E>
  private scope: Scope.CloseableScope | undefined

  constructor(open: (scope: Scope.Scope) => Effect.Effect<Next<A, E>, E>) {
    this.next = Effect.flatMap(Scope.make(), (scope) => {
      this.scope = scope
      return Effect.flatMap(open(scope), (next) => {
        this.next = next
        return next
      })
    })
  }

  close(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    const { scope } = this
    this.scope = undefined
    this.next = ended
    return scope === undefined ? Effect.void : Scope.close(scope, exit)
  }
}

const ended: Effect.Effect<undefined> = /*#__PURE__*/ Effect.succeed(undefined)

/** Opens a stream until a scope closes. */
export const toNext = <A, E, R>(
  stream: Stream.Stream<A, E, R>,
  scope: Scope.Scope
): Effect.Effect<Next<A, E, R>, never, R> =>
  Effect.map(Pulls.open(stream, scope), (pull) =>
    Pulls.match(pull, {
      onEnd: (): Next<A, E> => Effect.succeed(undefined),
      onFailure: (error) => Effect.fail(error),
      onSuccess: (values) => Effect.succeed(Pulls.toArray(values))
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

type Decoding<I, A, E, E2> = Channel.Channel<Chunk.Chunk<A>, Chunk.Chunk<I>, E | E2, E, void, unknown>

/** Decodes a stream. What the pieces of a chunk give is one chunk: one effect per value costs more than decoding it. */
export const decoded = <I, A, E, E2, R>(
  stream: Stream.Stream<I, E, R>,
  makeDecoder: () => Decoder<I, A, E2>
): Stream.Stream<A, E | E2, R> =>
  Stream.suspend(() => Stream.pipeThroughChannel(stream, decoding<I, A, E, E2>(makeDecoder())))

const decoding = <I, A, E, E2>(decoder: Decoder<I, A, E2>): Decoding<I, A, E, E2> => {
  const write = (values: ReadonlyArray<A>, next: Decoding<I, A, E, E2>): Decoding<I, A, E, E2> => {
    const after = decoder.failure === undefined ? next : Channel.fail(decoder.failure)
    if (values.length === 0) return after
    return Channel.flatMap(Channel.write(Pulls.valuesOf(values)), () => after)
  }
  const read: Decoding<I, A, E, E2> = Channel.readWithCause({
    onInput: (chunk: Chunk.Chunk<I>) => write(feedAll(decoder, chunk), read),
    onFailure: Channel.failCause,
    onDone: () => write(decoder.end(), Channel.void)
  })
  return read
}

/** `flatMap` would copy the values; a piece usually comes alone in its `Chunk`, and avoids that. */
const feedAll = <I, A>(decoder: Decoder<I, A, unknown>, chunk: Chunk.Chunk<I>): ReadonlyArray<A> =>
  chunk.length === 1
    ? decoder.feed(Chunk.unsafeHead(chunk))
    : Chunk.toReadonlyArray(chunk).flatMap((piece) => decoder.feed(piece))

/** A stream of values, each from what the step before it leaves to do, until nothing is left. */
export const paginate = <S, A, E, R>(
  first: S,
  step: (state: S) => Effect.Effect<readonly [A, Option.Option<S>], E, R>
): Stream.Stream<A, E, R> => Stream.paginateEffect(first, step)

/** The elements of lists, those of one list as one chunk. */
export const flattened = <A, E, R>(lists: Stream.Stream<ReadonlyArray<A>, E, R>): Stream.Stream<A, E, R> =>
  Stream.flattenChunks(Stream.map(lists, Chunk.unsafeFromArray))
