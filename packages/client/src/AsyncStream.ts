/**
 * A `Stream` for plain async code: one loop, chunks taken as they come, closed by `break`, `return`, an error or a signal.
 *
 * @since 0.1.0
 */
import { Chunk, Effect, ExecutionStrategy, Option, Scope, Stream } from "effect"
import type * as ApiClient from "./ApiClient.js"

/**
 * What can be looped over, each loop anew, or read as a web stream.
 *
 * @since 0.1.0
 * @category models
 */
export interface AsyncStream<out A> extends AsyncIterable<A> {
  readonly [Symbol.asyncIterator]: () => AsyncIterator<A, undefined, undefined>
  /** The values as a web stream; cancelling it closes the connection. */
  readonly toReadableStream: () => ReadableStream<A>
}

/**
 * Runs effects that need the client, each to a promise. `scope` is the client's own: what is open in it is closed with it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Runner {
  readonly run: <A>(
    effect: Effect.Effect<A, unknown, ApiClient.ApiClient>,
    signal: AbortSignal | undefined
  ) => Promise<A>
  /** Has something ended by a signal, at once if it has aborted, until what it returns is called. */
  readonly onAbort: (signal: AbortSignal | undefined, end: () => void) => () => void
  readonly scope: Scope.Scope
  readonly release: (scope: Scope.CloseableScope) => Promise<void>
}

/**
 * A stream that a runner runs.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <A>(
  runner: Runner,
  stream: Effect.Effect<Stream.Stream<A, unknown>, never, ApiClient.ApiClient>,
  signal: AbortSignal | undefined
): AsyncStream<A> => {
  const iterate = (): AsyncIterator<A, undefined, undefined> =>
    iterator(runner, Stream.unwrap(stream), signal)
  return {
    [Symbol.asyncIterator]: iterate,
    toReadableStream: () => {
      let values: AsyncIterator<A, undefined, undefined> | undefined
      return new ReadableStream<A>(
        {
          async pull(controller) {
            values ??= iterate()
            const next = await values.next()
            if (next.done === true) controller.close()
            else controller.enqueue(next.value)
          },
          async cancel() {
            await values?.return?.()
          }
        },
        // Nothing is asked for that nobody reads.
        { highWaterMark: 0 }
      )
    }
  }
}

const done: IteratorResult<never, undefined> = { done: true, value: undefined }

/** The reason of what ends because the loop was left: nobody is told. */
const left = new Error("the loop was left")

const iterator = <A>(
  runner: Runner,
  stream: Stream.Stream<A, unknown, ApiClient.ApiClient>,
  signal: AbortSignal | undefined
): AsyncIterator<A, undefined, undefined> => {
  /** Ends the step that is on its way when the loop is left or the caller's signal aborts. */
  const leaving = new AbortController()
  let scope: Scope.CloseableScope | undefined
  let pull: Effect.Effect<Chunk.Chunk<A>, Option.Option<unknown>, ApiClient.ApiClient> | undefined
  let values: ReadonlyArray<A> = []
  let position = 0
  let started = false
  let unlisten = (): void => {}
  let over = false
  let waiting = 0
  let turn: Promise<unknown> = Promise.resolve()

  const start = (): void => {
    started = true
    unlisten = runner.onAbort(signal, abort)
  }
  const open = Effect.flatMap(Scope.fork(runner.scope, ExecutionStrategy.sequential), (forked) => {
    scope = forked
    return Scope.extend(Stream.toPull(stream), forked)
  })
  const close = async (): Promise<void> => {
    const closing = scope
    scope = undefined
    unlisten()
    if (closing !== undefined) await runner.release(closing)
  }
  const abort = (): void => {
    leaving.abort(signal?.reason)
    // At once, and not at the next step of a loop that may be busy. What the next step tells is the signal's reason.
    close().catch(() => {})
  }

  const take = (): IteratorResult<A, undefined> => ({ done: false, value: values[position++] as A })

  const step = async (): Promise<IteratorResult<A, undefined>> => {
    try {
      if (!started) start()
      while (!over) {
        leaving.signal.throwIfAborted()
        if (position < values.length) return take()
        pull ??= await runner.run(open, leaving.signal)
        const chunk = await runner.run(nextChunk(pull), leaving.signal)
        over ||= Option.isNone(chunk)
        values = Option.match(chunk, { onNone: () => [], onSome: Chunk.toReadonlyArray })
        position = 0
      }
    } catch (error) {
      over = true
      if (error !== left) {
        await close()
        throw error
      }
    } finally {
      waiting--
    }
    await close()
    return done
  }

  return {
    next: () => {
      if (waiting === 0 && position < values.length && !leaving.signal.aborted) return Promise.resolve(take())
      // Calls that overlap take turns, as those of an async generator do.
      waiting++
      const next = turn.then(step, step)
      turn = next
      return next
    },
    return: async () => {
      over = true
      leaving.abort(left)
      await close()
      return done
    }
  }
}

/** The end of a stream is no failure: `None`. */
const nextChunk = <A, R>(
  pull: Effect.Effect<Chunk.Chunk<A>, Option.Option<unknown>, R>
): Effect.Effect<Option.Option<Chunk.Chunk<A>>, unknown, R> =>
  Effect.matchEffect(pull, {
    onFailure: Option.match({ onNone: () => Effect.succeed(Option.none()), onSome: Effect.fail }),
    onSuccess: (chunk) => Effect.succeed(Option.some(chunk))
  })
