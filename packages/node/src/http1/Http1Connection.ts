/**
 * A connection of HTTP/1.1: undici's `Client`, its parser and its writer, on a socket that was connected by us. What undici does
 * with pools and connecting is left out.
 */
import type { Socket } from "node:net"
import { setImmediate } from "node:timers"
import { type buildConnector, Client, type Dispatcher } from "undici"
import type { Connection, Owner } from "../exchange/Connection.js"
import type { Exchange } from "../exchange/Exchange.js"
import { coded, codeOf } from "../shared/errors.js"
import { holdLateWrites } from "./deferWriteErrors.js"
import { Heads } from "./ResponseHeads.js"
import { withoutVariables } from "./withoutEnvironment.js"

export interface Http1Options {
  /** How many requests may be on their way at a time. */
  readonly pipelining: number
  /** How long it is kept idle, in milliseconds, and up to how long where the server says so. */
  readonly keepAlive: number
  readonly maxKeepAlive: number
}

const closed = (): Error => coded("the connection was closed", "ECONNRESET")

/** How a request fails that finds its connection closed. Else undici refuses to send it as it was written. */
const closings: ReadonlySet<unknown> = new Set([
  "ECONNRESET",
  "UND_ERR_SOCKET",
  "UND_ERR_CLOSED",
  "UND_ERR_DESTROYED"
])

const isOver = coded("the exchange is over", "UND_ERR_ABORTED")

/** Connections whose last exchange has ended in this turn of the loop. */
let finished: Array<Http1> = []

const release = (): void => {
  const released = finished
  finished = []
  for (const connection of released) connection.release()
}

export class Http1 implements Connection {
  readonly protocol = "http/1.1"
  readonly heads: Heads | undefined
  hasServed = false
  /** How the socket died, where it did not end well. */
  failure: Error | undefined
  private running = 0
  private ended = 0
  private isGone = false
  private idle: NodeJS.Timeout | undefined
  private readonly client: Client
  private readonly socket: Socket
  private readonly options: Http1Options
  private readonly owner: Owner

  /** `authority` is for the `host` header, where an exchange has none of its own. */
  constructor(socket: Socket, authority: string, options: Http1Options, owner: Owner) {
    this.socket = socket
    this.options = options
    this.owner = owner
    this.client = new Client(`http://${authority}`, {
      connect: (_: unknown, done: buildConnector.Callback) => this.hand(done),
      pipelining: options.pipelining,
      keepAliveTimeout: options.keepAlive,
      keepAliveMaxTimeout: options.maxKeepAlive,
      headersTimeout: 0,
      bodyTimeout: 0
    })
    this.client.on("disconnect", this.gone)
    if (options.pipelining === 1) this.heads = watchHeads(socket)
    holdLateWrites(socket)
    this.waitForFirst()
  }

  get room(): number {
    return this.isGone ? 0 : this.options.pipelining - this.running - this.ended
  }

  send(exchange: Exchange): void {
    this.running++
    const handler = new Handler(this, exchange)
    try {
      this.client.dispatch(exchange.outgoing, handler)
    } catch (cause) {
      // undici refuses what cannot be sent as it was written.
      this.finish()
      exchange.unreachable(cause)
    }
  }

  close(): void {
    if (this.isGone) return
    if (this.idle !== undefined && this.running === 0) return this.destroy()
    this.leave()
    this.client.close().catch(ignore)
  }

  destroy(): void {
    this.leave()
    this.client.destroy().catch(ignore)
    this.socket.destroy()
  }

  /** An exchange has ended, well or not: its place is free behind this turn, in which undici may still close the socket. */
  finish(): void {
    this.running--
    this.ended++
    if (finished.push(this) === 1) setImmediate(release)
  }

  release(): void {
    this.ended--
    if (this.isGone) return
    if (this.socket.destroyed) this.gone()
    else if (this.socket.writableNeedDrain) {
      // The response came before the whole request was written: the next one would wait behind it.
      this.ended++
      this.socket.once("drain", () => this.release())
    } else this.owner.hasRoom(this)
  }

  /** undici takes the socket with the first request, and not before its own turn is over: a second time there is none. */
  private hand(done: buildConnector.Callback): void {
    queueMicrotask(() => {
      if (this.hasServed || this.socket.destroyed) {
        this.gone()
        done(closed(), null)
      } else {
        this.begin()
        withoutVariables(() => done(null, this.socket))
      }
    })
  }

  /** Until then it is ours to see that it dies, or that nobody comes. */
  private waitForFirst(): void {
    this.idle = setTimeout(() => this.destroy(), this.options.keepAlive)
    this.idle.unref()
    this.socket.unref()
    this.socket.on("readable", this.unasked).on("close", this.gone).on("error", this.failed)
  }

  private begin(): void {
    clearTimeout(this.idle)
    this.idle = undefined
    this.socket.ref()
    this.socket.off("readable", this.unasked).off("close", this.gone)
  }

  private readonly failed = (cause: Error): void => {
    this.failure = cause
    // Node leaves a socket open whose records of TLS are damaged, and undici waits for its end.
    this.socket.destroy()
  }

  /** Bytes, or the end, before a request was sent: it serves nobody. */
  private readonly unasked = (): void => this.destroy()

  private readonly gone = (): void => {
    if (this.isGone) return
    this.leave()
    setImmediate(told, this)
  }

  private leave(): void {
    this.isGone = true
    clearTimeout(this.idle)
    this.idle = undefined
  }

  tell(): void {
    this.owner.gone(this)
  }
}

const told = (connection: Http1): void => connection.tell()

const ignore = (): void => undefined

/** undici reads its socket by `read`: every byte goes through here. */
const watchHeads = (socket: Socket): Heads => {
  const heads = new Heads()
  const { read } = socket
  socket.read = function (this: Socket, size?: number) {
    const chunk: unknown = read.call(this, size)
    return chunk instanceof Buffer ? heads.pass(chunk) : chunk
  }
  return heads
}

class Handler implements Dispatcher.DispatchHandler {
  private isWritten = false
  private readonly connection: Http1
  private readonly exchange: Exchange

  constructor(connection: Http1, exchange: Exchange) {
    this.connection = connection
    this.exchange = exchange
  }

  onConnect(abort: (reason?: Error) => void): void {
    const { connection } = this
    this.isWritten = true
    const reused = connection.hasServed
    connection.hasServed = true
    connection.heads?.expect()
    if (!this.exchange.begun(abort, reused)) abort(isOver)
  }

  onHeaders(status: number, rawHeaders: Array<Buffer>, resume: () => void): boolean {
    if (status >= 200) this.exchange.responded(status, rawHeaders, resume)
    return true
  }

  onData(chunk: Buffer): boolean {
    return this.exchange.received(chunk)
  }

  onComplete(): void {
    const { failure } = this.connection
    this.connection.finish()
    // undici takes a reset for the end of a body that goes to the end of its connection (RFC 9112, 8: it is incomplete).
    if (failure === undefined) this.exchange.completed()
    else this.exchange.broke(failure)
  }

  onError(cause: Error): void {
    this.connection.finish()
    if (this.isWritten) this.exchange.broke(cause)
    else if (closings.has(codeOf(cause))) this.exchange.broke(cause, "nothing")
    else this.exchange.unreachable(cause)
  }
}
