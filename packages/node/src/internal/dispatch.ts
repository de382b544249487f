/**
 * One exchange on undici's dispatcher. Its `dispatch` with a handler costs half of what `request` does, which builds a
 * `Readable` for every body.
 */
import type { NativeTransport } from "@effect-api/client"
import type { Dispatcher } from "undici"
import { isFine, type Outgoing } from "./outgoing.js"

const coded = (message: string, code: string): Error => Object.assign(new Error(message), { code })

const passed = (code: string): Error => coded("a limit has passed", code)

const aborted = coded("the exchange was aborted", "UND_ERR_ABORTED")

/** A failure before there was a connection to write to; the system's own say that themselves. */
const unsent = <E>(cause: E): E | Error =>
  cause instanceof Error && "code" in cause && !("syscall" in cause)
    ? Object.assign(new Error(cause.message, { cause }), { code: cause.code, syscall: "connect" })
    : cause

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
  private isIdleKept = false
  private isPaused = false
  private connectedAt = 0
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
    this.outgoing.others.enter()
    this.start()
    return () => this.stop(aborted)
  }

  private start(): void {
    try {
      this.dispatcher.dispatch(this.outgoing, this)
    } catch (cause) {
      return this.fail(cause)
    }
    if (!this.connected && !this.over) this.awaitConnection()
  }

  private awaitConnection(): void {
    const { connect } = this.outgoing.timeouts
    if (!Number.isFinite(connect)) return
    this.expect(connect, () => {
      if (this.outgoing.others.isTaken) this.awaitConnection()
      else this.giveUp(unsent(coded("the connection did not come to stand", "UND_ERR_CONNECT_TIMEOUT")))
    })
  }

  private expectHead(): void {
    const { response } = this.outgoing.timeouts
    if (isFine(response)) this.expect(response, () => this.giveUp(passed("UND_ERR_HEADERS_TIMEOUT")))
  }

  /**
   * undici begins its limit anew with each interim response: behind the first of them what is left of it is kept here
   * (RFC 9110, 15.2: they go on for as long as the server likes).
   */
  private expectHeadAfter(): void {
    const { response } = this.outgoing.timeouts
    if (this.timer !== undefined) return
    this.expect(response - (performance.now() - this.connectedAt), () =>
      this.giveUp(passed("UND_ERR_HEADERS_TIMEOUT"))
    )
  }

  /** Somebody begins to read: what was kept until then is over. */
  protected beginBody(): void {
    if (this.over) return
    this.forget()
    this.expectBody()
  }

  private expectBody(): void {
    const { idle } = this.outgoing.timeouts
    if (!isFine(idle) || this.timer !== undefined) return
    this.isIdleKept = true
    // A reader that is slow is not a server that is silent.
    this.expect(idle, () =>
      this.isPaused ? this.timer?.refresh() : this.giveUp(passed("UND_ERR_BODY_TIMEOUT"))
    )
  }

  protected giveUp(reason: Error): void {
    this.stop(reason)
    this.failed(reason)
  }

  /** Goes on behind a pause. */
  protected goOn(): void {
    this.isPaused = false
    if (this.isIdleKept) this.timer?.refresh()
    this.resume()
  }

  /** The one limit that is kept here, at a time. */
  protected expect(millis: number, onPassed: () => void): void {
    this.forget()
    if (!Number.isFinite(millis)) return
    this.timer = setTimeout(onPassed, Math.min(millis, 2_147_483_647))
  }

  private forget(): void {
    if (this.timer === undefined) return
    clearTimeout(this.timer)
    this.timer = undefined
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
    this.forget()
    this.disconnect()
    this.outgoing.others.leave()
  }

  private disconnect(): void {
    if (this.connected) this.outgoing.others.disconnect()
    this.connected = false
  }

  onConnect(abort: (reason?: Error) => void): void {
    this.forget()
    if (!this.connected && !this.over) {
      this.connected = true
      this.outgoing.others.connect()
    }
    this.connectedAt = performance.now()
    this.reused = !this.sockets.areNew()
    this.abortDispatch = abort
    // What was queued when it ended is taken back as its turn comes.
    if (this.reason === undefined) this.expectHead()
    else abort(this.reason)
  }

  onHeaders(status: number, rawHeaders: Array<Buffer>, resume: () => void): boolean {
    if (this.over) return true
    if (status < 200) {
      this.expectHeadAfter()
      return true
    }
    this.status = status
    this.rawHeaders = rawHeaders
    this.resume = resume
    this.forget()
    this.head()
    if (!this.over) this.expectBody()
    return true
  }

  onData(chunk: Buffer): boolean {
    if (this.over) return true
    if (this.isIdleKept) this.timer?.refresh()
    const goesOn = this.chunk(chunk)
    this.isPaused = !goesOn
    return goesOn
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
      this.disconnect()
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
    const isUnsent = !this.connected && !this.tried
    this.settle()
    this.failed(isUnsent ? unsent(cause) : cause)
  }
}
