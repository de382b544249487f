/**
 * Sources of streamed bytes: web streams, async iterables such as Node's, Effect streams, and functions that make
 * one.
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import { awaitable } from "../effect/awaits.js"
import * as Pulls from "../effect/pulls.js"

/** Bytes that are produced while they are sent. A source can be read once. */
export type ByteSource =
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Stream.Stream<Uint8Array, unknown>

/** A source, or a function that makes a new one for every attempt: a generator function, for one. */
export type BodyStream = ByteSource | (() => ByteSource | Iterable<Uint8Array>)

/** Whether a value is a source of bytes, or a function that may make one. */
export const isBodyStream = (u: unknown): u is BodyStream =>
  typeof u === "function" ||
  u instanceof ReadableStream ||
  isStream(u) ||
  Predicate.hasProperty(u, Symbol.asyncIterator)

/** `Option` and other data of Effect also carry the stream's type id, as they carry the effect's. */
const isStream = (u: unknown): u is Stream.Stream<Uint8Array, unknown> =>
  Predicate.hasProperty(u, Stream.StreamTypeId) && !Effect.isEffect(u)

/** A source as a `Stream`. A function is called for a new source each time the stream runs. */
export const toStream = (source: BodyStream): Stream.Stream<Uint8Array, unknown> =>
  typeof source === "function"
    ? Stream.unwrap(Effect.map(attempted(source), sourceStream))
    : sourceStream(source)

const sourceStream = (source: ByteSource | Iterable<Uint8Array>): Stream.Stream<Uint8Array, unknown> => {
  if (isStream(source)) return source
  if (source instanceof ReadableStream) {
    return reading(() => {
      const reader = source.getReader()
      return { next: () => reader.read(), leave: () => reader.cancel() }
    })
  }
  if (!Predicate.hasProperty(source, Symbol.asyncIterator)) {
    if (isIterable(source)) return iterated(source)
    return Stream.fail(new TypeError("a body's function must return a stream of bytes"))
  }
  return reading(() => {
    const iterator = source[Symbol.asyncIterator]()
    return { next: () => iterator.next(), leave: async () => iterator.return?.() }
  })
}

const isIterable = (u: unknown): u is Iterable<Uint8Array> =>
  Predicate.isObject(u) && !(u instanceof Uint8Array) && Predicate.hasProperty(u, Symbol.iterator)

/** An iterator that is left early gets to know it: a generator may hold an open file. */
const iterated = (source: Iterable<Uint8Array>): Stream.Stream<Uint8Array, unknown> =>
  Stream.unwrapScoped(
    Effect.map(
      Effect.acquireRelease(
        attempted(() => source[Symbol.iterator]()),
        (iterator) =>
          Effect.catchAll(
            attempted(() => iterator.return?.()),
            () => Effect.void
          )
      ),
      (iterator) =>
        Pulls.repeated(
          Effect.flatMap(
            Effect.try({ try: () => iterator.next(), catch: Pulls.failure }),
            ({ done, value }): Pulls.Pull<Uint8Array> =>
              done === true ? Pulls.over : Effect.succeed(Pulls.one(value))
          )
        )
    )
  )

interface ByteReader {
  readonly next: () => Promise<{ readonly done?: boolean; readonly value?: unknown }>
  readonly leave: () => Promise<unknown>
}

/**
 * The platform's own conversions await the source when the reader stops early. A generator that waits for its next
 * chunk ends only once it has it, and would delay an interruption; a broken source would fail a second time.
 */
const reading = (open: () => ByteReader): Stream.Stream<Uint8Array, unknown> =>
  Stream.unwrapScoped(
    Effect.map(
      Effect.acquireRelease(Effect.zipRight(awaitable("this source"), attempted(open)), ({ leave }) =>
        Effect.sync(() => void leave().catch(() => undefined))
      ),
      ({ next }) =>
        Pulls.repeated(
          Effect.flatMap(Effect.tryPromise({ try: next, catch: Pulls.failure }), ({ done, value }) =>
            // The watched source checks that chunks are bytes, for all sources alike.
            done === true ? Pulls.over : Effect.succeed(Pulls.one(value as Uint8Array))
          )
        )
    )
  )

const attempted = <A>(evaluate: () => A): Effect.Effect<A, unknown> =>
  Effect.try({ try: evaluate, catch: (cause) => cause })
