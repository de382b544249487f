/**
 * One exchange on undici's dispatcher. Its `dispatch` with a handler costs half of what `request` does, which builds a
 * `Readable` for every body.
 */
import { Cookies, Headers } from "@effect/platform"
import type { NativeTransport, Timeouts } from "@effect-api/client"
import { Option, Stream } from "effect"
import type { Dispatcher } from "undici"

/** What goes to the dispatcher, ready but for the handler. */
export class Outgoing implements Dispatcher.DispatchOptions {
  readonly origin: string
  readonly path: string
  readonly method: Dispatcher.HttpMethod
  readonly headers: Array<string>
  readonly body: NonNullable<Dispatcher.DispatchOptions["body"]> | null
  readonly reset?: boolean
  /** undici's own timers keep these two; what is endless is zero there. */
  readonly headersTimeout: number
  readonly bodyTimeout: number
  /** What is on its way to the same origin. */
  readonly others: Origin
  /** In milliseconds, `Infinity` for none. */
  readonly connectLimit: number

  constructor(
    origin: string,
    path: string,
    method: Dispatcher.HttpMethod,
    headers: Array<string>,
    body: NonNullable<Dispatcher.DispatchOptions["body"]> | null,
    timeouts: Timeouts.Timeouts,
    others: Origin,
    reset: boolean
  ) {
    this.origin = origin
    this.path = path
    this.method = method
    this.headers = headers
    this.body = body
    if (reset) this.reset = true
    this.headersTimeout = limitOf(timeouts.response)
    this.bodyTimeout = limitOf(timeouts.idle)
    this.others = others
    this.connectLimit = timeouts.connect
  }

  /** A second try does no harm: the method is idempotent and the body can be sent again. */
  get isRepeatable(): boolean {
    const { body, method } = this
    return idempotent.has(method) && (body === null || typeof body === "string" || body instanceof Uint8Array)
  }
}

/** RFC 9110, 9.2.2. */
const idempotent: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"])

/** The exchanges with one origin. */
export class Origin {
  private readonly underWay = new Set<Exchange>()
  private readonly connections: number

  constructor(connections: number) {
    this.connections = connections
  }

  get size(): number {
    return this.underWay.size
  }

  /** Every connection that there may be is taken: who comes now waits for a turn, not for a connection to stand. */
  isTaken(): boolean {
    let taken = 0
    for (const exchange of this.underWay) if (exchange.isConnected) taken++
    return taken >= this.connections
  }

  enter(exchange: Exchange): void {
    this.underWay.add(exchange)
  }

  leave(exchange: Exchange): void {
    this.underWay.delete(exchange)
  }
}

const coded = (message: string, code: string): Error => Object.assign(new Error(message), { code })

/** A failure before there was a connection to write to; the system's own say that themselves. */
const unsent = (cause: unknown): unknown =>
  cause instanceof Error && "code" in cause && !("syscall" in cause)
    ? Object.assign(new Error(cause.message, { cause }), { code: cause.code, syscall: "connect" })
    : cause

const limitOf = (millis: number): number => (Number.isFinite(millis) ? Math.ceil(millis) : 0)

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

const nothing = (): void => undefined

/** The handler of one exchange: what comes of it is for those who extend it. */
export abstract class Exchange implements Dispatcher.DispatchHandler {
  status = 0
  rawHeaders: ReadonlyArray<Buffer> = []
  resume: () => void = nothing
  private connected = false
  private reused = false
  private tried = false
  private over = false
  private reason: Error | undefined
  private abortDispatch: ((reason?: Error) => void) | undefined
  private timer: NodeJS.Timeout | undefined
  private readonly dispatcher: Dispatcher
  private readonly sockets: Sockets
  protected readonly outgoing: Outgoing

  constructor(dispatcher: Dispatcher, outgoing: Outgoing) {
    this.dispatcher = dispatcher
    this.sockets = socketsOf(dispatcher)
    this.outgoing = outgoing
  }

  /** The head of the answer is there. */
  protected abstract head(): void
  /** `false` asks for a pause, until {@link resume}. */
  protected abstract chunk(bytes: Buffer): boolean
  protected abstract end(): void
  /** It failed, or was aborted. */
  protected abstract failed(cause: unknown): void

  /** Sends it; what comes back ends it, whatever it is doing. */
  begin(): NativeTransport.Abort {
    this.outgoing.others.enter(this)
    this.start()
    return () => this.stop(coded("the exchange was aborted", "UND_ERR_ABORTED"))
  }

  private start(): void {
    try {
      this.dispatcher.dispatch(this.outgoing, this)
    } catch (cause) {
      return this.fail(cause)
    }
    if (!this.connected && !this.over) this.awaitConnection()
  }

  get isConnected(): boolean {
    return this.connected
  }

  private awaitConnection(): void {
    const { connectLimit } = this.outgoing
    if (!Number.isFinite(connectLimit)) return
    this.expect(connectLimit, () => {
      if (this.outgoing.others.isTaken()) return this.awaitConnection()
      const reason = coded("the connection did not come to stand", "UND_ERR_CONNECT_TIMEOUT")
      this.stop(reason)
      this.failed(unsent(reason))
    })
  }

  /** The one limit that is kept here, at a time. */
  protected expect(millis: number, onPassed: () => void): void {
    this.timer = setTimeout(onPassed, Math.min(millis, 2_147_483_647))
  }

  /** Ends the exchange, without a word. */
  protected stop(reason: Error): void {
    if (this.over) return
    this.settle()
    this.reason = reason
    this.abortDispatch?.(reason)
  }

  private settle(): void {
    this.over = true
    if (this.timer !== undefined) clearTimeout(this.timer)
    this.outgoing.others.leave(this)
  }

  onConnect(abort: (reason?: Error) => void): void {
    if (this.timer !== undefined) clearTimeout(this.timer)
    this.connected = true
    this.reused = !this.sockets.areNew()
    this.abortDispatch = abort
    // What was queued when it ended is taken back as its turn comes.
    if (this.reason !== undefined) abort(this.reason)
  }

  onHeaders(status: number, rawHeaders: Array<Buffer>, resume: () => void): boolean {
    if (status < 200 || this.over) return true
    this.status = status
    this.rawHeaders = rawHeaders
    this.resume = resume
    this.head()
    return true
  }

  onData(chunk: Buffer): boolean {
    return this.over || this.chunk(chunk)
  }

  onComplete(): void {
    if (this.over) return
    this.settle()
    this.end()
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
      this.outgoing.isRepeatable &&
      "code" in cause &&
      deaths.has(cause.code)
    )
  }

  private fail(cause: unknown): void {
    if (this.over) return
    this.settle()
    this.failed(this.connected || this.tried ? cause : unsent(cause))
  }
}

const none = Option.none()

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

/** The first value of a header as it came, without parsing the others; `name` in lower case. */
export const rawHeader = (raw: ReadonlyArray<Buffer>, name: string): string | undefined => {
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const key = raw[index]
    if (key?.length === name.length && key.toString("latin1").toLowerCase() === name)
      return raw[index + 1]?.toString("latin1")
  }
  return undefined
}

/** A response as the client reads it; its headers are parsed when they are asked for. */
export class Answer implements NativeTransport.Source {
  readonly status: number
  readonly remoteAddress: NativeTransport.Source["remoteAddress"] = none
  readonly chunks: NativeTransport.Source["chunks"]
  private readonly raw: ReadonlyArray<Buffer>
  private parsed: Headers.Headers | undefined

  constructor(
    status: number,
    raw: ReadonlyArray<Buffer>,
    chunks: NativeTransport.Source["chunks"] = Stream.empty
  ) {
    this.status = status
    this.raw = raw
    this.chunks = chunks
  }

  get headers(): Headers.Headers {
    this.parsed ??= Headers.unsafeFromRecord(recordOf(this.raw))
    return this.parsed
  }

  get encoding(): string | undefined {
    return rawHeader(this.raw, "content-encoding") === undefined
      ? undefined
      : this.headers["content-encoding"]
  }

  get cookies(): Cookies.Cookies {
    const values: Array<string> = []
    for (let index = 0; index + 1 < this.raw.length; index += 2) {
      if (this.raw[index]?.toString("latin1").toLowerCase() === "set-cookie")
        values.push(String(this.raw[index + 1]?.toString("latin1")))
    }
    return Cookies.fromSetCookie(values)
  }
}
