/**
 * A `Stream` for plain async code. One loop takes chunks as they arrive; `break`, `return`, an error or a signal
 * closes it.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as ApiClient from "../ApiClient.js"
import type * as ApiRequest from "../request/ApiRequest.js"
import type * as ResponseDecoder from "../response/ResponseDecoder.js"
import { type InvalidInput, invalid } from "../shared/invalid.js"
import { onceCollected } from "../shared/onceCollected.js"
import * as Streaming from "../stream/Streaming.js"
import { isSignal } from "./abortSignal.js"
import { addCallerFrames, placeOf } from "./callerFrames.js"

/**
 * Values to iterate over with `for await`, or to read as a web stream. Each loop runs the request anew.
 *
 * @since 0.1.0
 * @category models
 */
export interface AsyncStream<out A> extends AsyncIterable<A> {
  readonly [Symbol.asyncIterator]: () => AsyncIterator<A, undefined, undefined>
  /** The values as a web stream; cancelling it closes the connection. */
  readonly toReadableStream: () => ReadableStream<A>
}

/** Runs effects that need the client, each to a promise. Closing the client ends whatever is still open. */
export interface Runner {
  readonly run: <A>(
    effect: Effect.Effect<A, unknown, ApiClient.ApiClient>,
    signal: AbortSignal | undefined
  ) => Promise<A>
  /**
   * Runs one step of a longer operation. It calls exactly one of the two callbacks, and returns a function that
   * interrupts the step.
   */
  readonly start: <A>(
    effect: Effect.Effect<A, unknown, ApiClient.ApiClient>,
    done: (value: A) => void,
    failed: (error: unknown) => void
  ) => () => void
  /** Calls `end` when the signal aborts, or at once if it already has. The returned function stops listening. */
  readonly onAbort: (signal: AbortSignal | undefined, end: () => void) => () => void
  /** A scope that closes with the client at the latest. */
  readonly fork: Effect.Effect<Scope.CloseableScope>
  /**
   * Calls `end` with the reason when the signal aborts or the client closes, or at once if either has happened. The
   * returned function stops listening.
   */
  readonly onEnd: (signal: AbortSignal | undefined, end: (reason: unknown) => void) => () => void
  readonly release: (scope: Scope.CloseableScope) => Promise<void>
}

/** A request, or another description of what to send. */
export interface Described {
  readonly problem: InvalidInput | undefined
}

/**
 * The request of a call with options of its own. An option that belongs in the request, such as `timeout`, turns it
 * into one that fails before it is sent.
 */
export const checked = <A extends Described>(request: A, options: object): A => {
  const name = Object.keys(options).find((name) => name !== "signal")
  if (name !== undefined) return changed(request, { problem: invalid(name, besideRequest) })
  const signal: unknown = Reflect.get(options, "signal")
  return signal === undefined || signal === null || isSignal(signal)
    ? request
    : changed(request, { problem: invalid("signal", "must be an AbortSignal") })
}

const besideRequest = "is unknown: a call takes signal, and its request timeouts, retry, headers and all else"

/**
 * A request that returns its body open: the call's signal and the client's end close that body, whether anyone reads
 * it or not. A reader then fails with the reason.
 */
export const ending = <A, E>(
  runner: Pick<Runner, "onEnd">,
  request: ApiRequest.ApiRequest<A, E>,
  signal: AbortSignal | undefined
): ApiRequest.ApiRequest<A, E> => {
  const { open } = request.success
  if (open === undefined) return request
  return changed(request, {
    success: changed(request.success, {
      open: (arriving: ResponseDecoder.Arriving) => {
        let ended: { readonly reason: unknown } | undefined
        const unlisten = runner.onEnd(signal, (reason) => {
          ended = { reason }
          arriving.leave()
        })
        const chunks = Stream.ensuring(arriving.chunks, Effect.sync(unlisten))
        // For a body that is dropped unread.
        onceCollected?.register(chunks, unlisten)
        return open({
          ...arriving,
          chunks,
          // The types know no other error of a body: the reader rejects with what it dies of.
          failAfterResponse: (error) =>
            ended === undefined ? arriving.failAfterResponse(error) : Effect.die(ended.reason)
        })
      }
    })
  })
}

const changed = <A extends object>(value: A, changes: object): A =>
  Object.assign(Object.create(Object.getPrototypeOf(value)), value, changes)

/** A stream that a runner executes. */
export const make = <A>(
  runner: Runner,
  stream: Effect.Effect<Stream.Stream<A, unknown>, never, ApiClient.ApiClient>,
  signal: AbortSignal | undefined
): AsyncStream<A> => {
  const iterate = (): AsyncIterator<A, undefined, undefined> => new StreamIterator(runner, stream, signal)
  return {
    [Symbol.asyncIterator]: iterate,
    toReadableStream: function toReadableStream() {
      // The stack of a later `read()` is not visible here.
      const place = placeOf(toReadableStream)
      let values: AsyncIterator<A, undefined, undefined> | undefined
      return new ReadableStream<A>(
        {
          async pull(controller) {
            values ??= iterate()
            try {
              const next = await values.next()
              if (next.done === true) controller.close()
              else controller.enqueue(next.value)
            } catch (error) {
              throw place(error)
            }
          },
          async cancel() {
            await values?.return?.()
          }
        },
        // Pull nothing until somebody reads.
        { highWaterMark: 0 }
      )
    }
  }
}

const done: IteratorResult<never, undefined> = { done: true, value: undefined }

/** The reason of steps that end because the loop was left. No caller sees it. */
const left = new Error("the loop was left")

/** A class, because thousands may wait at once: methods live on the prototype. */
class StreamIterator<A> implements AsyncIterator<A, undefined, undefined> {
  private readonly runner: Runner
  private readonly stream: Effect.Effect<Stream.Stream<A, unknown>, never, ApiClient.ApiClient>
  private readonly signal: AbortSignal | undefined
  private scope: Scope.CloseableScope | undefined
  private pull: Streaming.Pull<A, unknown> | undefined
  private values: ReadonlyArray<A> = []
  private position = 0
  private unlisten: (() => void) | undefined
  /** Why the loop ended early: it was left, or the caller's signal aborted. */
  private ending: { readonly reason: unknown } | undefined
  /** Interrupts the current step. */
  private interrupt: (() => void) | undefined
  private over = false
  private waiting = 0
  private turn: Promise<unknown> = begun

  constructor(
    runner: Runner,
    stream: Effect.Effect<Stream.Stream<A, unknown>, never, ApiClient.ApiClient>,
    signal: AbortSignal | undefined
  ) {
    this.runner = runner
    this.stream = stream
    this.signal = signal
  }

  next(): Promise<IteratorResult<A, undefined>> {
    if (this.waiting === 0 && this.position < this.values.length && this.ending === undefined) {
      return Promise.resolve(this.take())
    }
    // Overlapping calls run one after the other, as in an async generator.
    this.waiting++
    const step = () => this.step()
    const next = this.turn.then(step, step)
    this.turn = next
    return traced(next)
  }

  async return(): Promise<IteratorResult<A, undefined>> {
    this.over = true
    this.end(left)
    await this.close()
    return done
  }

  private take(): IteratorResult<A, undefined> {
    // An index within bounds: `undefined` may be a value of its own.
    return { done: false, value: this.values[this.position++] as A }
  }

  private async step(): Promise<IteratorResult<A, undefined>> {
    try {
      // Listen from the first step on, once.
      this.unlisten ??= this.runner.onAbort(this.signal, () => this.abort())
      while (!this.over) {
        if (this.ending !== undefined) throw this.ending.reason
        if (this.position < this.values.length) return this.take()
        this.values = []
        const pulled = await this.run(this.pull ?? this.open)
        this.over ||= pulled === undefined
        this.values = pulled ?? []
        this.position = 0
      }
    } catch (error) {
      this.over = true
      if (error !== left) {
        await this.close()
        throw error
      }
    } finally {
      this.waiting--
    }
    await this.close()
    return done
  }

  /** Opens the stream and pulls for the first time: both in one fiber. */
  private get open(): Effect.Effect<ReadonlyArray<A> | undefined, unknown, ApiClient.ApiClient> {
    return Effect.flatMap(this.runner.fork, (forked) => {
      this.scope = forked
      return Effect.flatMap(this.stream, (stream) =>
        Effect.flatMap(Streaming.toPull(stream, forked), (pull) => {
          this.pull = pull
          return pull
        })
      )
    })
  }

  private run<B>(effect: Effect.Effect<B, unknown, ApiClient.ApiClient>): Promise<B> {
    return new Promise((resolve, reject) => {
      this.interrupt = this.runner.start(effect, resolve, (error) =>
        reject(this.ending === undefined ? error : this.ending.reason)
      )
    })
  }

  private async close(): Promise<void> {
    const closing = this.scope
    this.scope = undefined
    this.unlisten?.()
    if (closing !== undefined) await this.runner.release(closing)
  }

  private end(reason: unknown): void {
    this.ending ??= { reason }
    this.interrupt?.()
  }

  private abort(): void {
    this.end(this.signal?.reason)
    // Close at once: the loop may be busy between steps. The next step rejects with the signal's reason.
    this.close().catch(() => {})
  }
}

const traced = async <A>(next: Promise<A>): Promise<A> => {
  try {
    return await next
  } catch (error) {
    throw addCallerFrames(error)
  }
}

const begun = Promise.resolve()
