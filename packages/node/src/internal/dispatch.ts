/**
 * One exchange on undici's dispatcher. Its `dispatch` with a handler costs half of what `request` does, which builds a
 * `Readable` for every body.
 */
import { Cookies, Headers } from "@effect/platform"
import type { NativeTransport, Timeouts } from "@effect-api/client"
import { Option, Stream } from "effect"
import type { Dispatcher } from "undici"

export type Body = string | Uint8Array | AsyncIterable<Uint8Array> | null

/** What goes to the dispatcher, ready but for the handler. */
export interface Outgoing {
  readonly options: Dispatcher.DispatchOptions
  /** A second try does no harm: the method is idempotent and the body can be sent again. */
  readonly repeatable: boolean
  /** Every connection that there may be is taken: the request waits for its turn, not for a connection to stand. */
  readonly isQueued: () => boolean
}

const coded = (message: string, code: string): Error => Object.assign(new Error(message), { code })

/** A failure before there was a connection to write to; the system's own say that themselves. */
const unsent = (cause: unknown): unknown =>
  cause instanceof Error && "code" in cause && !("syscall" in cause)
    ? Object.assign(new Error(cause.message, { cause }), { code: cause.code, syscall: "connect" })
    : cause

const limitOf = (millis: number): number => (Number.isFinite(millis) ? Math.ceil(millis) : 0)

/** undici's own timers keep these two; what is endless is zero there. */
export const timersOf = (
  timeouts: Timeouts.Timeouts
): { readonly headersTimeout: number; readonly bodyTimeout: number } => ({
  headersTimeout: limitOf(timeouts.response),
  bodyTimeout: limitOf(timeouts.idle)
})

/** What an exchange tells whoever has started it. */
export interface Listener {
  readonly onHead: (exchange: Exchange) => void
  /** `false` asks for a pause, until {@link Exchange.resume}. */
  readonly onChunk: (chunk: Uint8Array) => boolean
  readonly onEnd: () => void
  readonly onError: (cause: unknown) => void
}

/** Tells requests on new connections from those on kept ones. */
export interface Sockets {
  readonly areNew: () => boolean
}

const watched = new WeakMap<Dispatcher, Sockets>()

/**
 * A dispatcher says that a connection stands right before it writes the first request on it, in the same turn: what is
 * written at any other time goes over a connection that has served before. One that never says so (a `ProxyAgent` of
 * undici's) counts as new.
 */
export const socketsOf = (dispatcher: Dispatcher): Sockets => {
  const known = watched.get(dispatcher)
  if (known !== undefined) return known
  let fresh = true
  dispatcher.on("connect", () => {
    fresh = true
    queueMicrotask(() => {
      fresh = false
    })
  })
  const sockets: Sockets = { areNew: () => fresh }
  watched.set(dispatcher, sockets)
  return sockets
}

/** How a socket dies; a limit that passes and an answer that is no HTTP come from one that lives. */
const deaths: ReadonlySet<unknown> = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"])

/** The handler of one exchange. */
export class Exchange implements Dispatcher.DispatchHandler {
  status = 0
  rawHeaders: ReadonlyArray<Buffer> = []
  resume: () => void = () => undefined
  private connected = false
  private reused = false
  private tried = false
  private over = false
  private reason: Error | undefined
  private abortDispatch: ((reason?: Error) => void) | undefined
  private connecting: NodeJS.Timeout | undefined
  private readonly dispatcher: Dispatcher
  private readonly sockets: Sockets
  private readonly outgoing: Outgoing
  private readonly connectLimit: number
  private readonly listener: Listener

  constructor(dispatcher: Dispatcher, outgoing: Outgoing, connectLimit: number, listener: Listener) {
    this.dispatcher = dispatcher
    this.sockets = socketsOf(dispatcher)
    this.outgoing = outgoing
    this.connectLimit = connectLimit
    this.listener = listener
  }

  start(): void {
    try {
      this.dispatcher.dispatch(this.outgoing.options, this)
    } catch (cause) {
      return this.fail(cause)
    }
    if (!this.connected && !this.over) this.awaitConnection()
  }

  get isConnected(): boolean {
    return this.connected
  }

  private awaitConnection(): void {
    if (!Number.isFinite(this.connectLimit)) return
    this.connecting = setTimeout(
      () => {
        if (this.outgoing.isQueued()) this.awaitConnection()
        else this.abort(coded("the connection did not come to stand", "UND_ERR_CONNECT_TIMEOUT"))
      },
      Math.min(this.connectLimit, 2_147_483_647)
    )
  }

  abort(reason: Error = coded("the exchange was aborted", "UND_ERR_ABORTED")): void {
    if (this.over) return
    this.reason = reason
    this.abortDispatch?.(reason)
    // A request that is still queued cannot be taken back: it is aborted when its turn comes, and is over for us.
    this.fail(reason)
  }

  onConnect(abort: (reason?: Error) => void): void {
    clearTimeout(this.connecting)
    this.connected = true
    this.reused = !this.sockets.areNew()
    this.abortDispatch = abort
    if (this.reason !== undefined) abort(this.reason)
  }

  onHeaders(status: number, rawHeaders: Array<Buffer>, resume: () => void): boolean {
    if (status < 200) return true
    this.status = status
    this.rawHeaders = rawHeaders
    this.resume = resume
    this.listener.onHead(this)
    return true
  }

  onData(chunk: Buffer): boolean {
    return this.over || this.listener.onChunk(chunk)
  }

  onComplete(): void {
    if (this.over) return
    this.over = true
    this.listener.onEnd()
  }

  onError(cause: Error): void {
    if (this.over) return
    if (this.isStale(cause)) {
      this.tried = true
      this.connected = false
      return this.start()
    }
    this.fail(cause)
  }

  /**
   * A kept-alive socket that the server closed while the request was on its way (RFC 9112, 9.3.1): nothing of an answer has
   * come, and a second try on another socket does no harm.
   */
  private isStale(cause: Error): boolean {
    return (
      this.reused &&
      !this.tried &&
      this.status === 0 &&
      this.reason === undefined &&
      this.outgoing.repeatable &&
      "code" in cause &&
      deaths.has(cause.code)
    )
  }

  private fail(cause: unknown): void {
    if (this.over) return
    this.over = true
    clearTimeout(this.connecting)
    this.listener.onError(this.reason ?? (this.connected || this.tried ? cause : unsent(cause)))
  }
}

/** Header names and values as they came, put into a record when somebody looks. */
const recordOf = (raw: ReadonlyArray<Buffer>): Record<string, string> => {
  const record: Record<string, string> = {}
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = String(raw[index]?.toString("latin1")).toLowerCase()
    const value = String(raw[index + 1]?.toString("latin1"))
    const known = record[name]
    record[name] = known === undefined ? value : `${known}, ${value}`
  }
  return record
}

/** A response as the client reads it; its headers are parsed when they are asked for. */
export const sourceOf = (
  status: number,
  raw: ReadonlyArray<Buffer>,
  chunks: NativeTransport.Source["chunks"] = Stream.empty
): NativeTransport.Source => {
  let headers: Headers.Headers | undefined
  return {
    status,
    get headers() {
      headers ??= Headers.unsafeFromRecord(recordOf(raw))
      return headers
    },
    get cookies() {
      const values: Array<string> = []
      for (let index = 0; index + 1 < raw.length; index += 2) {
        if (raw[index]?.toString("latin1").toLowerCase() === "set-cookie")
          values.push(String(raw[index + 1]?.toString("latin1")))
      }
      return Cookies.fromSetCookie(values)
    },
    remoteAddress: Option.none(),
    chunks
  }
}
