/**
 * Streams as their pulls: an effect that waits for the next values. This module hides what a pull returns and how it ends. The
 * bodies of all requests pass through here, so a program without streams bundles these few lines and no combinators of `Stream`.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** Values that came together, at least one. */
export type Values<A> = Arr.NonEmptyReadonlyArray<A>

/**
 * Waits for the next values of a stream, at least one. Fails with the stream's error, and with `Cause.Done` at the end.
 *
 * @since 0.1.0
 * @category models
 */
export type Pull<A, E = never, R = never> = Effect.Effect<
  Arr.NonEmptyReadonlyArray<A>,
  E | Cause.Done<void>,
  R
>

/** There are no more values. */
export const over: Pull<never> = /*#__PURE__*/ Cause.done()

/** What a pull fails with for an error. */
export const failure = <E>(error: E): E => error

export const fail: <E>(error: E) => Pull<never, E> = Effect.fail

export const failSync: <E>(error: () => E) => Pull<never, E> = Effect.failSync

export const one = <A>(value: A): Values<A> => [value]

/** The values of an array with at least one, which nobody changes any more. */
export const valuesOf = <A>(array: ReadonlyArray<A>): Values<A> => {
  if (!Arr.isReadonlyArrayNonEmpty(array)) throw new RangeError("a pull returns at least one value")
  return array
}

export const toArray = <A>(values: Values<A>): ReadonlyArray<A> => values

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
    onFailure: (why) => (Cause.isDone(why) ? onEnd() : onFailure(why)),
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
      const failed = Cause.findError(cause)
      if (Result.isSuccess(failed)) return Cause.isDone(failed.success) ? onEnd() : onFailure(failed.success)
      return Cause.hasInterruptsOnly(cause)
        ? Effect.failCause(failed.failure)
        : onFailure(Cause.squash(cause))
    }
  })

/** The same pull with each value changed. */
export const map = <A, E, R, B>(pull: Pull<A, E, R>, change: (value: A) => B): Pull<B, E, R> =>
  Effect.map(pull, (values) => Arr.map(values, change))

/** The same pull with its error changed. `atEnd` may give an error for its end. */
export const mapError = <A, E, R, E2>(
  pull: Pull<A, E, R>,
  change: (error: E) => E2,
  atEnd?: () => E2 | undefined
): Pull<A, E2, R> => Effect.mapError(pull, (why) => (Cause.isDone(why) ? (atEnd?.() ?? why) : change(why)))

/** Opens a stream until a scope closes. */
export const open = <A, E, R>(
  stream: Stream.Stream<A, E, R>,
  scope: Scope.Scope
): Effect.Effect<Pull<A, E, R>, never, R> =>
  // `Stream.toPull` would take a semaphore for every pull.
  Channel.toPullScoped(Stream.toChannel(stream), scope)

/** The same stream with each pull changed. */
export const onPull = <A, E, R, B, E2, R2>(
  stream: Stream.Stream<A, E, R>,
  change: (pull: Pull<A, E, R>) => Pull<B, E2, R2>
): Stream.Stream<B, E2, R | R2> => Stream.transformPull(stream, (pull) => Effect.succeed(change(pull)))

/** A stream of pulls, opened for each of its runs and closed with it. */
export const fromPull = <A, E, R, R2>(
  open: Effect.Effect<Pull<A, E, R>, never, R2>
): Stream.Stream<A, E, R | Exclude<R2, Scope.Scope>> =>
  // `Stream.scoped` would add two steps to every pull. Those who join streams open each in a scope of its own.
  Stream.fromChannel(Channel.fromTransform((_upstream, scope) => Scope.provide(open, scope)))

/** A stream of one pull, again and again until its end. */
export const repeated = <A, E, R>(pull: Pull<A, E, R>): Stream.Stream<A, E, R> =>
  Stream.fromPull(Effect.succeed(pull))

/** Each value as a chunk of its own; every run starts at the first. */
export const each = <A>(values: () => Iterable<A>): Stream.Stream<A> =>
  Stream.fromPull(
    Effect.sync(() => {
      const iterator = values()[Symbol.iterator]()
      return Effect.suspend((): Pull<A> => {
        const next = iterator.next()
        return next.done === true ? over : Effect.succeed(one(next.value))
      })
    })
  )

/** The streams of values, one after another. `Stream.flatMap` would bring what runs several at once. */
export const joined = <A, B, E, R>(
  values: () => Iterable<A>,
  toStream: (value: A) => Stream.Stream<B, E, R>
): Stream.Stream<B, E, R> =>
  fromPull(
    Effect.map(Effect.scope, (scope) => {
      const iterator = values()[Symbol.iterator]()
      let current: Pull<B, E, R> | undefined
      const next: Pull<B, E, R> = Effect.suspend(() => {
        if (current !== undefined) return current
        const { done, value } = iterator.next()
        if (done === true) return over
        const own = Scope.forkUnsafe(scope)
        return Effect.flatMap(open(toStream(value), own), (pull) => {
          current = match(pull, {
            onSuccess: (values) => Effect.succeed(values),
            onFailure: (error) => Effect.fail(error),
            onEnd: () => {
              current = undefined
              return Effect.andThen(Scope.close(own, Exit.void), next)
            }
          })
          return current
        })
      })
      return next
    })
  )
