/**
 * One exchange of a `fetch` that need not honour its signal: mocks, wrappers and polyfills may not. Whatever is waited for is
 * left as the exchange is aborted, and what of a body is there or still comes is cancelled.
 */
import { Watch } from "./watch.js"

export class Fetching {
  readonly watch: Watch
  readonly signal: AbortSignal
  private readonly controller = new AbortController()
  private response: Promise<Response> = never
  private body: ReadableStream<Uint8Array> | undefined
  private reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  /** Rejects what is waited for now. */
  private leave: ((cause: unknown) => void) | undefined
  private ended: { readonly cause: unknown } | undefined

  constructor() {
    this.signal = this.controller.signal
    // The limit that passed, which the abort that follows would hide.
    this.watch = new Watch((cause) => this.end(cause))
  }

  /** Sends; once. */
  begin(send: () => Promise<Response>): void {
    this.response = promised(send).then((response) => {
      this.body = response.body ?? undefined
      // One that comes after the abort has nobody to read it.
      if (this.ended !== undefined) this.cancel()
      return response
    })
    this.response.catch(ignored)
  }

  /** The head of the response. */
  head(): Promise<Response> {
    return this.wait(this.response)
  }

  /** The next chunk; `undefined` at the end. */
  async read(): Promise<Uint8Array | undefined> {
    if (this.ended !== undefined) throw this.ended.cause
    this.reader ??= this.body?.getReader()
    if (this.reader === undefined) return undefined
    const { done, value } = await this.wait(this.reader.read())
    if (!done) return value
    this.watch.stop()
    this.body = undefined
    this.reader = undefined
    return undefined
  }

  readonly abort = (): void => this.end(new DOMException("The exchange was aborted", "AbortError"))

  private end(cause: unknown): void {
    this.watch.stop()
    if (this.ended !== undefined) return
    this.ended = { cause }
    this.controller.abort()
    this.leave?.(cause)
    this.cancel()
  }

  private cancel(): void {
    const { body, reader } = this
    promised(async () => (reader === undefined ? body?.cancel() : reader.cancel())).catch(ignored)
  }

  private wait<A>(promise: Promise<A>): Promise<A> {
    return new Promise((resolve, reject) => {
      if (this.ended !== undefined) {
        promise.catch(ignored)
        return reject(this.ended.cause)
      }
      this.leave = reject
      promise.then(
        (value) => {
          this.leave = undefined
          resolve(value)
        },
        (cause: unknown) => {
          this.leave = undefined
          reject(this.ended === undefined ? cause : this.ended.cause)
        }
      )
    })
  }
}

const never = new Promise<never>(() => {})

const ignored = (): void => undefined

/** What throws at once is a rejection too. */
const promised = async <A>(start: () => Promise<A>): Promise<A> => start()
