/**
 * A `Stream` for plain async code: one loop, chunks taken as they come, closed by `break`, `return`, an error or a signal.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as ApiClient from "../ApiClient.js"
import type * as ApiRequest from "../request/ApiRequest.js"
import type * as ResponseDecoder from "../response/ResponseDecoder.js"
import { invalid } from "../shared/invalid.js"
import * as Streaming from "../stream/Streaming.js"
import { addCallerFrames, placeOf } from "./callerFrames.js"

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

/** Runs effects that need the client, each to a promise. What is still open is closed with the client. */
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
  /** Has a body ended by a signal or with the client, at once where that is over, until what it returns is called. */
  readonly onEnd: (signal: AbortSignal | undefined, end: () => void) => () => void
  readonly release: (scope: Scope.CloseableScope) => Promise<void>
}

/**
 * A request as it stands beside a call's own options. What belongs into the request, a `timeout` say, makes it one that
 * cannot be sent.
 */
export const checked = <A extends ApiRequest.Request>(request: A, options: object): A => {
  const name = Object.keys(options).find((name) => name !== "signal")
  return name === undefined ? request : changed(request, { problem: invalid(name, besideRequest) })
}

const besideRequest = "is unknown: a call takes signal, and its request timeouts, retry, headers and all else"

/**
 * A request whose body, where it is handed out open, ends with the call's signal and with the client, read or not.
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
        const unlisten = runner.onEnd(signal, arriving.leave)
        const chunks = Stream.ensuring(arriving.chunks, Effect.sync(unlisten))
        // Of one that nobody reads and that is dropped.
        dropped?.register(chunks, unlisten)
        return open({ ...arriving, chunks })
      }
    })
  })
}

const changed = <A extends object>(value: A, changes: object): A =>
  Object.assign(Object.create(Object.getPrototypeOf(value)), value, changes)

const dropped =
  "FinalizationRegistry" in globalThis
    ? new FinalizationRegistry<() => void>((unlisten) => unlisten())
    : undefined

/** A stream that a runner runs. */
export const make = <A>(
  runner: Runner,
  stream: Effect.Effect<Stream.Stream<A, unknown>, never, ApiClient.ApiClient>,
  signal: AbortSignal | undefined
): AsyncStream<A> => {
  const iterate = (): AsyncIterator<A, undefined, undefined> => new StreamIterator(runner, stream, signal)
  return {
    [Symbol.asyncIterator]: iterate,
    toReadableStream: function toReadableStream() {
      // Whoever reads is not to be seen from here.
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
        // Nothing is asked for that nobody reads.
        { highWaterMark: 0 }
      )
    }
  }
}

const done: IteratorResult<never, undefined> = { done: true, value: undefined }

/** The reason of what ends because the loop was left: nobody is told. */
const left = new Error("the loop was left")

/** A class, as there may be thousands that wait: what they share stands on the prototype. */
class StreamIterator<A> implements AsyncIterator<A, undefined, undefined> {
  private readonly runner: Runner
  private readonly stream: Effect.Effect<Stream.Stream<A, unknown>, never, ApiClient.ApiClient>
  private readonly signal: AbortSignal | undefined
  private scope: Scope.CloseableScope | undefined
  private pull: Streaming.Pull<A, unknown> | undefined
  private values: ReadonlyArray<A> = []
  private position = 0
  private unlisten: (() => void) | undefined
  /** Why the loop is over, where it was left or the caller's signal has aborted. */
  private ending: { readonly reason: unknown } | undefined
  /** Ends the step that is on its way. */
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
    // Calls that overlap take turns, as those of an async generator do.
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
    return { done: false, value: this.values[this.position++] as A }
  }

  private async step(): Promise<IteratorResult<A, undefined>> {
    try {
      // Listened to from here on, once.
      this.unlisten ??= this.runner.onAbort(this.signal, () => this.abort())
      while (!this.over) {
        if (this.ending !== undefined) throw this.ending.reason
        if (this.position < this.values.length) return this.take()
        this.values = []
        this.pull ??= await this.run(this.open)
        const pulled = await this.run(this.pull)
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

  private get open(): Effect.Effect<Streaming.Pull<A, unknown>, unknown, ApiClient.ApiClient> {
    return Effect.flatMap(this.runner.fork, (forked) => {
      this.scope = forked
      return Effect.flatMap(this.stream, (stream) => Streaming.toPull(stream, forked))
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
    // At once, and not at the next step of a loop that may be busy. What the next step tells is the signal's reason.
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
