/**
 * A connection of HTTP/1.1: undici's `Client`, its parser and its writer, on a socket that was connected by us. What undici does
 * with pools and connecting is left out.
 */
import type { Socket } from "node:net"
import { setImmediate } from "node:timers"
import { type buildConnector, Client, type Dispatcher } from "undici"
import type { Connection, ConnectionOwner } from "../exchange/Connection.js"
import type { Exchange } from "../exchange/Exchange.js"
import { codedError, codeOf } from "../shared/errors.js"
import { deferWriteErrors } from "./deferWriteErrors.js"
import { ResponseHeads } from "./ResponseHeads.js"
import { withoutEnvironment } from "./withoutEnvironment.js"

export interface Http1Options {
  /** How many requests may be on their way at a time. */
  readonly pipelining: number
  /** How long it is kept idle, in milliseconds, and up to how long where the server says so. */
  readonly keepAlive: number
  readonly maxKeepAlive: number
}

const closedError = (): Error => codedError("the connection was closed", "ECONNRESET")

/** How a request fails that finds its connection closed. Else undici refuses to send it as it was written. */
const closedCodes: ReadonlySet<unknown> = new Set([
  "ECONNRESET",
  "UND_ERR_SOCKET",
  "UND_ERR_CLOSED",
  "UND_ERR_DESTROYED"
])

const overError = codedError("the exchange is over", "UND_ERR_ABORTED")

/** Connections whose last exchange has ended in this turn of the loop. */
let finished: Array<Http1Connection> = []

const releaseFinished = (): void => {
  const connections = finished
  finished = []
  for (const connection of connections) connection.release()
}

export class Http1Connection implements Connection {
  readonly protocol = "http/1.1"
  readonly responseHeads: ResponseHeads | undefined
  hasServed = false
  /** How the socket died, where it did not end well. */
  failure: Error | undefined
  private runningCount = 0
  private endingCount = 0
  private isGone = false
  private firstUseTimer: NodeJS.Timeout | undefined
  private readonly client: Client
  private readonly socket: Socket
  private readonly options: Http1Options
  private readonly owner: ConnectionOwner

  /** `authority` is for the `host` header, where an exchange has none of its own. */
  constructor(socket: Socket, authority: string, options: Http1Options, owner: ConnectionOwner) {
    this.socket = socket
    this.options = options
    this.owner = owner
    this.client = new Client(`http://${authority}`, {
      connect: (_: unknown, done: buildConnector.Callback) => this.handOverOnce(done),
      pipelining: options.pipelining,
      keepAliveTimeout: options.keepAlive,
      keepAliveMaxTimeout: options.maxKeepAlive,
      headersTimeout: 0,
      bodyTimeout: 0
    })
    this.client.on("disconnect", this.onClosed)
    if (options.pipelining === 1) this.responseHeads = filterHeads(socket)
    deferWriteErrors(socket)
    this.watchUntilFirst()
  }

  get freeSlots(): number {
    return this.isGone ? 0 : this.options.pipelining - this.runningCount - this.endingCount
  }

  send(exchange: Exchange): void {
    this.runningCount++
    const handler = new DispatchHandler(this, exchange)
    try {
      this.client.dispatch(exchange.outgoing, handler)
    } catch (cause) {
      // undici refuses what cannot be sent as it was written.
      this.finish()
      exchange.onNotSent(cause)
    }
  }

  close(): void {
    if (this.isGone) return
    if (this.firstUseTimer !== undefined && this.runningCount === 0) return this.destroy()
    this.markGone()
    this.client.close().catch(ignore)
  }

  destroy(): void {
    this.markGone()
    this.client.destroy().catch(ignore)
    this.socket.destroy()
  }

  /** An exchange has ended, well or not: its place is free behind this turn, in which undici may still close the socket. */
  finish(): void {
    this.runningCount--
    this.endingCount++
    if (finished.push(this) === 1) setImmediate(releaseFinished)
  }

  release(): void {
    this.endingCount--
    if (this.isGone) return
    if (this.socket.destroyed) this.onClosed()
    else if (this.socket.writableNeedDrain) {
      // The response came before the whole request was written: the next one would wait behind it.
      this.endingCount++
      this.socket.once("drain", () => this.release())
    } else this.owner.onFree(this)
  }

  /** undici takes the socket with the first request, and not before its own turn is over: a second time there is none. */
  private handOverOnce(done: buildConnector.Callback): void {
    queueMicrotask(() => {
      if (this.hasServed || this.socket.destroyed) {
        this.onClosed()
        done(closedError(), null)
      } else {
        this.stopWatching()
        withoutEnvironment(() => done(null, this.socket))
      }
    })
  }

  /** Until then it is ours to see that it dies, or that nobody comes. */
  private watchUntilFirst(): void {
    this.firstUseTimer = setTimeout(() => this.destroy(), this.options.keepAlive)
    this.firstUseTimer.unref()
    this.socket.unref()
    this.socket.on("readable", this.onUnsolicited).on("close", this.onClosed).on("error", this.onSocketError)
  }

  private stopWatching(): void {
    clearTimeout(this.firstUseTimer)
    this.firstUseTimer = undefined
    this.socket.ref()
    this.socket.off("readable", this.onUnsolicited).off("close", this.onClosed)
  }

  private readonly onSocketError = (cause: Error): void => {
    this.failure = cause
    // Node leaves a socket open whose records of TLS are damaged, and undici waits for its end.
    this.socket.destroy()
  }

  /** Bytes, or the end, before a request was sent: it serves nobody. */
  private readonly onUnsolicited = (): void => this.destroy()

  private readonly onClosed = (): void => {
    if (this.isGone) return
    this.markGone()
    setImmediate(notifyOwner, this)
  }

  private markGone(): void {
    this.isGone = true
    clearTimeout(this.firstUseTimer)
    this.firstUseTimer = undefined
  }

  notifyOwner(): void {
    this.owner.onGone(this)
  }
}

const notifyOwner = (connection: Http1Connection): void => connection.notifyOwner()

const ignore = (): void => undefined

/** undici reads its socket by `read`: every byte goes through here. */
const filterHeads = (socket: Socket): ResponseHeads => {
  const heads = new ResponseHeads()
  const { read } = socket
  socket.read = function (this: Socket, size?: number) {
    const chunk: unknown = read.call(this, size)
    return chunk instanceof Buffer ? heads.filter(chunk) : chunk
  }
  return heads
}

class DispatchHandler implements Dispatcher.DispatchHandler {
  private isWritten = false
  private readonly connection: Http1Connection
  private readonly exchange: Exchange

  constructor(connection: Http1Connection, exchange: Exchange) {
    this.connection = connection
    this.exchange = exchange
  }

  onConnect(abort: (reason?: Error) => void): void {
    const { connection } = this
    this.isWritten = true
    const isReused = connection.hasServed
    connection.hasServed = true
    connection.responseHeads?.expectHead()
    if (!this.exchange.onSend(abort, isReused)) abort(overError)
  }

  onHeaders(status: number, rawHeaders: Array<Buffer>, resume: () => void): boolean {
    if (status >= 200) this.exchange.onResponse(status, rawHeaders, resume)
    return true
  }

  onData(chunk: Buffer): boolean {
    return this.exchange.onData(chunk)
  }

  onComplete(): void {
    const { failure } = this.connection
    this.connection.finish()
    // undici takes a reset for the end of a body that goes to the end of its connection (RFC 9112, 8: it is incomplete).
    if (failure === undefined) this.exchange.onComplete()
    else this.exchange.onBroken(failure)
  }

  onError(cause: Error): void {
    this.connection.finish()
    if (this.isWritten) this.exchange.onBroken(cause)
    else if (closedCodes.has(codeOf(cause))) this.exchange.onBroken(cause, "not-written")
    else this.exchange.onNotSent(cause)
  }
}
