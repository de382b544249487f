/**
 * One exchange of a `fetch` that may ignore its signal, as mocks, wrappers and polyfills do. An abort rejects every
 * pending wait, and cancels a body that is there or still arrives.
 */
import { isBytes, notBytes } from "../shared/bytes.js"
import { ExchangeTimer } from "../transport/ExchangeTimer.js"

export class Fetching {
  readonly timer: ExchangeTimer
  readonly signal: AbortSignal
  private readonly controller = new AbortController()
  private response: Promise<Response> = never
  private body: ReadableStream<Uint8Array> | undefined
  private reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  /** Reads the body of a `fetch` without streams, such as React Native's: it arrives in one piece. */
  private whole: (() => Promise<ArrayBuffer>) | undefined
  /** Rejects the current wait. */
  private leave: ((cause: unknown) => void) | undefined
  private ended: { readonly cause: unknown } | undefined

  constructor() {
    this.signal = this.controller.signal
    // Reports the limit that passed; the abort that follows would hide it.
    this.timer = new ExchangeTimer((cause) => this.end(cause))
  }

  /** Sends the request, once. */
  begin(send: () => Promise<Response>): void {
    this.response = promised(send).then((response) => {
      this.body = response.body ?? undefined
      if (response.body === undefined) this.whole = () => response.arrayBuffer()
      // A response after the abort has no reader.
      if (this.ended !== undefined) this.cancel()
      return response
    })
    this.response.catch(ignored)
  }

  /** The head of the response. */
  head(): Promise<Response> {
    return new Promise((resolve, reject) => this.wait(this.response, resolve, reject))
  }

  /**
   * Reads the next chunk, `undefined` at the end. By callbacks: one more promise per chunk is most of the cost of a
   * body in tiny chunks.
   */
  read(onChunk: (chunk: Uint8Array | undefined) => void, onFailed: (cause: unknown) => void): void {
    try {
      this.reader ??= this.body?.getReader()
    } catch (cause) {
      return onFailed(cause)
    }
    const { whole } = this
    if (whole !== undefined && this.ended === undefined) {
      this.whole = undefined
      return this.wait(promised(whole), (buffer) => onChunk(new Uint8Array(buffer)), onFailed)
    }
    if (this.reader === undefined)
      return this.ended === undefined ? onChunk(undefined) : onFailed(this.ended.cause)
    this.wait(
      this.reader.read(),
      ({ done, value }) => {
        if (done) this.body = this.reader = undefined
        if (done || isBytes(value)) return onChunk(value)
        const cause = notBytes(value)
        this.end(cause)
        onFailed(cause)
      },
      onFailed
    )
  }

  abort(): void {
    this.end(new DOMException("The exchange was aborted", "AbortError"))
  }

  private end(cause: unknown): void {
    this.timer.stop()
    if (this.ended !== undefined) return
    this.ended = { cause }
    this.controller.abort()
    const { leave } = this
    this.leave = undefined
    leave?.(cause)
    this.cancel()
  }

  private cancel(): void {
    const { body, reader } = this
    promised(async () => (reader === undefined ? body?.cancel() : reader.cancel())).catch(ignored)
  }

  /** Calls exactly one of the callbacks, once. */
  private wait<A>(promise: Promise<A>, done: (value: A) => void, failed: (cause: unknown) => void): void {
    if (this.ended !== undefined) {
      promise.catch(ignored)
      return failed(this.ended.cause)
    }
    this.leave = failed
    promise.then(
      (value) => {
        if (this.leave !== failed) return
        this.leave = undefined
        done(value)
      },
      (cause: unknown) => {
        if (this.leave !== failed) return
        this.leave = undefined
        failed(cause)
      }
    )
  }
}

const never = new Promise<never>(() => {})

const ignored = (): void => undefined

/** Turns a synchronous exception into a rejection too. */
const promised = async <A>(start: () => Promise<A>): Promise<A> => start()

/** Not a field of the class: V8 would keep it, and with it the exchange, until a full collection. */
export const aborting = (fetching: Fetching) => (): void => fetching.abort()
