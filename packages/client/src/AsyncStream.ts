/**
 * A `Stream` for plain async code: one loop, chunks taken as they come, closed by `break`, `return`, an error or a signal.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as ApiClient from "./ApiClient.js"
import * as Streaming from "./Streaming.js"

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
 * Runs effects that need the client, each to a promise. What is still open is closed with the client.
 *
 * @since 0.1.0
 * @category models
 */
export interface Runner {
  readonly run: <A>(
    effect: Effect.Effect<A, unknown, ApiClient.ApiClient>,
    signal: AbortSignal | undefined
  ) => Promise<A>
  /** The same for a step of something longer: one of the two is told, and what it returns interrupts it. */
  readonly start: <A>(
    effect: Effect.Effect<A, unknown, ApiClient.ApiClient>,
    done: (value: A) => void,
    failed: (error: unknown) => void
  ) => () => void
  /** Has something ended by a signal, at once if it has aborted, until what it returns is called. */
  readonly onAbort: (signal: AbortSignal | undefined, end: () => void) => () => void
  /** A scope that is closed with the client, if not before. */
  readonly fork: Effect.Effect<Scope.CloseableScope>
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
  const iterate = (): AsyncIterator<A, undefined, undefined> => iterator(runner, stream, signal)
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
  stream: Effect.Effect<Stream.Stream<A, unknown>, never, ApiClient.ApiClient>,
  signal: AbortSignal | undefined
): AsyncIterator<A, undefined, undefined> => {
  let scope: Scope.CloseableScope | undefined
  let pull: Streaming.Pull<A, unknown> | undefined
  let values: ReadonlyArray<A> = []
  let position = 0
  let started = false
  let unlisten = (): void => {}
  /** Why the loop is over, where it was left or the caller's signal has aborted. */
  let ending: { readonly reason: unknown } | undefined
  /** Ends the step that is on its way. */
  let interrupt = (): void => {}
  let over = false
  let waiting = 0
  let turn: Promise<unknown> = Promise.resolve()

  const start = (): void => {
    started = true
    unlisten = runner.onAbort(signal, abort)
  }
  const open = Effect.flatMap(runner.fork, (forked) => {
    scope = forked
    return Effect.flatMap(stream, (stream) => Streaming.toPull(stream, forked))
  })
  const run = <B>(effect: Effect.Effect<B, unknown, ApiClient.ApiClient>): Promise<B> =>
    new Promise((resolve, reject) => {
      interrupt = runner.start(effect, resolve, (error) =>
        reject(ending === undefined ? error : ending.reason)
      )
    })
  const close = async (): Promise<void> => {
    const closing = scope
    scope = undefined
    unlisten()
    if (closing !== undefined) await runner.release(closing)
  }
  const end = (reason: unknown): void => {
    ending ??= { reason }
    interrupt()
  }
  const abort = (): void => {
    end(signal?.reason)
    // At once, and not at the next step of a loop that may be busy. What the next step tells is the signal's reason.
    close().catch(() => {})
  }

  const take = (): IteratorResult<A, undefined> => ({ done: false, value: values[position++] as A })

  const step = async (): Promise<IteratorResult<A, undefined>> => {
    try {
      if (!started) start()
      while (!over) {
        if (ending !== undefined) throw ending.reason
        if (position < values.length) return take()
        values = []
        pull ??= await run(open)
        const pulled = await run(pull)
        over ||= pulled === undefined
        values = pulled ?? []
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
      if (waiting === 0 && position < values.length && ending === undefined) return Promise.resolve(take())
      // Calls that overlap take turns, as those of an async generator do.
      waiting++
      const next = turn.then(step, step)
      turn = next
      return next
    },
    return: async () => {
      over = true
      end(left)
      await close()
      return done
    }
  }
}
