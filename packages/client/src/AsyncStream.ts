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
  const iterate = (): AsyncIterator<A, undefined, undefined> => iterator(runner, Stream.unwrap(stream), signal)
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

const iterator = <A>(
  runner: Runner,
  stream: Stream.Stream<A, unknown, ApiClient.ApiClient>,
  signal: AbortSignal | undefined
): AsyncIterator<A, undefined, undefined> => {
  /** Ends the pull that is on its way when the loop is left or the caller's signal aborts. */
  const leaving = new AbortController()
  let scope: Scope.CloseableScope | undefined
  let pull: Effect.Effect<Chunk.Chunk<A>, Option.Option<unknown>, ApiClient.ApiClient> | undefined
  let values: ReadonlyArray<A> = []
  let position = 0
  let state: "new" | "open" | "left" | "over" = "new"
  let turn: Promise<unknown> = Promise.resolve()

  const open = Effect.flatMap(Scope.fork(runner.scope, ExecutionStrategy.sequential), (forked) => {
    scope = forked
    return Scope.extend(Stream.toPull(stream), forked)
  })
  const close = (): Promise<void> => {
    const closing = scope
    scope = undefined
    signal?.removeEventListener("abort", onAbort)
    return closing === undefined ? Promise.resolve() : runner.release(closing)
  }
  const onAbort = (): void => {
    leaving.abort(signal?.reason)
    // At once, and not at the next step of a loop that may be busy: the connection is of no use any more.
    void close()
  }

  const take = (): IteratorResult<A, undefined> => ({ done: false, value: values[position++] as A })

  const fill = async (): Promise<IteratorResult<A, undefined>> => {
    if (state === "new") {
      state = "open"
      if (signal?.aborted === true) onAbort()
      else signal?.addEventListener("abort", onAbort, { once: true })
    }
    while (state === "open") {
      if (position < values.length) return take()
      try {
        pull ??= await runner.run(open, leaving.signal)
        const chunk = await runner.run(settle(pull), leaving.signal)
        values = Option.match(chunk, { onNone: () => [], onSome: Chunk.toReadonlyArray })
        position = 0
        if (Option.isNone(chunk)) state = "over"
      } catch (error) {
        // Left while a step was on its way: that step is over, as the loop is.
        const left = (state as string) === "left"
        state = "over"
        await close()
        if (!left) throw error
      }
    }
    await close()
    return done
  }

  return {
    next: () => {
      if (position < values.length && !leaving.signal.aborted) return Promise.resolve(take())
      // Calls that overlap take turns, as those of an async generator do.
      const next = turn.then(fill, fill)
      turn = next
      return next
    },
    return: async () => {
      state = "left"
      leaving.abort()
      await close()
      return done
    }
  }
}

/** The end of a stream is no failure: `None`. */
const settle = <A, R>(
  pull: Effect.Effect<Chunk.Chunk<A>, Option.Option<unknown>, R>
): Effect.Effect<Option.Option<Chunk.Chunk<A>>, unknown, R> =>
  Effect.matchEffect(pull, {
    onFailure: Option.match({ onNone: () => Effect.succeed(Option.none()), onSome: Effect.fail }),
    onSuccess: (chunk) => Effect.succeed(Option.some(chunk))
  })
