/**
 * One exchange of a `fetch` that need not honour its signal: mocks, wrappers and polyfills may not. Whatever is waited for is
 * left as the exchange is aborted, and what of a body is there or still comes is cancelled.
 */
import { isBytes, notBytes } from "../shared/bytes.js"
import { ExchangeTimer } from "./ExchangeTimer.js"

export class Fetching {
  readonly timer: ExchangeTimer
  readonly signal: AbortSignal
  private readonly controller = new AbortController()
  private response: Promise<Response> = never
  private body: ReadableStream<Uint8Array> | undefined
  private reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  /** Reads the body of a fetch that has no streams, as React Native's: it comes in one piece. */
  private whole: (() => Promise<ArrayBuffer>) | undefined
  /** Rejects what is waited for now. */
  private leave: ((cause: unknown) => void) | undefined
  private ended: { readonly cause: unknown } | undefined

  constructor() {
    this.signal = this.controller.signal
    // The limit that passed, which the abort that follows would hide.
    this.timer = new ExchangeTimer((cause) => this.end(cause))
  }

  /** Sends; once. */
  begin(send: () => Promise<Response>): void {
    this.response = promised(send).then((response) => {
      this.body = response.body ?? undefined
      if (response.body === undefined) this.whole = () => response.arrayBuffer()
      // One that comes after the abort has nobody to read it.
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
   * The next chunk, `undefined` at the end. Told by functions: a promise more for every chunk is most of what a body in chunks of a
   * few bytes costs.
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

  readonly abort = (): void => this.end(new DOMException("The exchange was aborted", "AbortError"))

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

  /** Tells one of the two, once. */
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

/** What throws at once is a rejection too. */
const promised = async <A>(start: () => Promise<A>): Promise<A> => start()
