/**
 * Streams as their pulls: an effect that waits for the next values. This module hides what a pull returns and how it ends. The
 * bodies of all requests pass through here, so a program without streams bundles these few lines and no combinators of `Stream`.
 */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** Values that came together, at least one. */
export type Values<A> = Chunk.Chunk<A>

/**
 * Waits for the next values of a stream, at least one. Fails with `Some` of an error, and with `None` at the end.
 *
 * @since 0.1.0
 * @category models
 */
export type Pull<A, E = never, R = never> = Effect.Effect<Chunk.Chunk<A>, Option.Option<E>, R>

/** There are no more values. */
export const over: Pull<never> = /*#__PURE__*/ Effect.fail(/*#__PURE__*/ Option.none())

/** What a pull fails with for an error. */
export const failure = <E>(error: E): Option.Option<E> => Option.some(error)

export const fail = <E>(error: E): Pull<never, E> => Effect.fail(failure(error))

export const failSync = <E>(error: () => E): Pull<never, E> => Effect.failSync(() => failure(error()))

export const one = <A>(value: A): Values<A> => Chunk.of(value)

class Backing<out A> {
  readonly _tag = "IArray"
  readonly array: ReadonlyArray<A>

  constructor(array: ReadonlyArray<A>) {
    this.array = array
  }
}

const sample: Chunk.Chunk<number> = /*#__PURE__*/ Chunk.make(1, 2)

const likeSample = <A>(array: ReadonlyArray<A>): Values<A> => {
  const chunk = Object.create(Object.getPrototypeOf(sample))
  chunk.backing = new Backing(array)
  chunk.length = array.length
  chunk.depth = 0
  chunk.left = chunk.right = Chunk.empty()
  return chunk
}

/** Whether a `Chunk` is still made of what `likeSample` makes it of. */
const isLike: boolean = /*#__PURE__*/ (() =>
  JSON.stringify({ ...sample }) === JSON.stringify({ ...likeSample([1, 2]) }))()

/**
 * The values of an array with at least one, which nobody changes any more.
 *
 * `Chunk.unsafeFromArray` makes an object by a literal. V8 soon allocates those in old space, where each keeps its values until a
 * full collection: then a stream of events takes twice the time.
 */
export const valuesOf = <A>(array: ReadonlyArray<A>): Values<A> =>
  isLike ? likeSample(array) : Chunk.unsafeFromArray(array)

export const toArray = <A>(values: Values<A>): ReadonlyArray<A> => Chunk.toReadonlyArray(values)

/** Whether all values pass a test. */
export const areAll = <A, B extends A>(
  values: Values<A>,
  test: (value: A) => value is B
): values is Values<B> => {
  for (const value of values) if (!test(value)) return false
  return true
}

/** What follows a pull. */
export interface Handlers<in A, in E, out B, out E2, out R> {
  readonly onSuccess: (values: Values<A>) => Effect.Effect<B, E2, R>
  readonly onFailure: (error: E) => Effect.Effect<B, E2, R>
  readonly onEnd: () => Effect.Effect<B, E2, R>
}

export const match = <A, E, R, B, E2, R2>(
  pull: Pull<A, E, R>,
  { onEnd, onFailure, onSuccess }: Handlers<A, E, B, E2, R2>
): Effect.Effect<B, E2, R | R2> =>
  Effect.matchEffect(pull, {
    onFailure: (why) => (Option.isSome(why) ? onFailure(why.value) : onEnd()),
    onSuccess
  })

/** The same for defects too: `onFailure` takes what a pull died of. Interruptions pass. */
export const matchDefects = <A, R, B, E2, R2>(
  pull: Pull<A, unknown, R>,
  { onEnd, onFailure, onSuccess }: Handlers<A, unknown, B, E2, R2>
): Effect.Effect<B, E2, R | R2> =>
  Effect.matchCauseEffect(pull, {
    onSuccess,
    onFailure: (cause): Effect.Effect<B, E2, R2> => {
      const failed = Cause.failureOrCause(cause)
      if (Either.isLeft(failed)) return Option.isSome(failed.left) ? onFailure(failed.left.value) : onEnd()
      return Cause.isInterruptedOnly(cause) ? Effect.failCause(failed.right) : onFailure(Cause.squash(cause))
    }
  })

/** The same pull with each value changed. */
export const map = <A, E, R, B>(pull: Pull<A, E, R>, change: (value: A) => B): Pull<B, E, R> =>
  Effect.map(pull, Chunk.map(change))

/** The same pull with its error changed. `atEnd` may give an error for its end. */
export const mapError = <A, E, R, E2>(
  pull: Pull<A, E, R>,
  change: (error: E) => E2,
  atEnd?: () => E2 | undefined
): Pull<A, E2, R> =>
  Effect.mapError(pull, (why) =>
    Option.isSome(why) ? Option.some(change(why.value)) : Option.fromNullable(atEnd?.())
  )

/** Opens a stream until a scope closes. */
export const open = <A, E, R>(
  stream: Stream.Stream<A, E, R>,
  scope: Scope.Scope
): Effect.Effect<Pull<A, E, R>, never, R> => Scope.extend(Stream.toPull(stream), scope)

/** The same stream with each pull changed. */
export const onPull = <A, E, R, B, E2, R2>(
  stream: Stream.Stream<A, E, R>,
  change: (pull: Pull<A, E, R>) => Pull<B, E2, R2>
): Stream.Stream<B, E2, R | R2> => fromPull(Effect.map(Stream.toPull(stream), change))

/** A stream of pulls, opened for each of its runs and closed with it. */
export const fromPull = <A, E, R, R2>(
  open: Effect.Effect<Pull<A, E, R>, never, R2>
): Stream.Stream<A, E, R | Exclude<R2, Scope.Scope>> => Stream.fromPull(open)

/** A stream of one pull, again and again until its end. */
export const repeated = <A, E, R>(pull: Pull<A, E, R>): Stream.Stream<A, E, R> =>
  Stream.repeatEffectChunkOption(pull)

/** Each value as a chunk of its own; every run starts at the first. */
export const each = <A>(values: () => Iterable<A>): Stream.Stream<A> =>
  Stream.suspend(() => {
    const iterator = values()[Symbol.iterator]()
    return repeated(
      Effect.suspend((): Pull<A> => {
        const next = iterator.next()
        return next.done === true ? over : Effect.succeed(one(next.value))
      })
    )
  })

/** The streams of values, one after another. */
export const joined = <A, B, E, R>(
  values: () => Iterable<A>,
  toStream: (value: A) => Stream.Stream<B, E, R>
): Stream.Stream<B, E, R> => Stream.flatMap(each(values), toStream)
