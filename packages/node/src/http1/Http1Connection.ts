/**
 * An HTTP/1.1 connection: undici's `Client`, with its parser and writer, on a socket that the pool has connected.
 * undici's own pooling and connecting stay unused.
 */
import { channel } from "node:diagnostics_channel"
import type { Socket } from "node:net"
import { setImmediate } from "node:timers"
import { type buildConnector, Client, type Dispatcher } from "undici"
import type { Connection, ConnectionOwner } from "../exchange/Connection.js"
import type { Exchange } from "../exchange/Exchange.js"
import { codedError, codeOf } from "../shared/errors.js"
import { deferWriteErrors } from "./deferWriteErrors.js"
import { Intake } from "./Intake.js"
import { ResponseHeads } from "./ResponseHeads.js"
import { withoutEnvironment } from "./withoutEnvironment.js"

export interface Http1Options {
  /** Maximum number of concurrent requests. */
  readonly pipelining: number
  /** Milliseconds that an idle connection is kept, and the maximum if the server asks for longer. */
  readonly keepAlive: number
  readonly maxKeepAlive: number
}

const closedError = (): Error => codedError("the connection was closed", "ECONNRESET")

/** Codes of a request that found its connection closed. With any other code undici refused the request as invalid. */
const closedCodes: ReadonlySet<unknown> = new Set([
  "ECONNRESET",
  "UND_ERR_SOCKET",
  "UND_ERR_CLOSED",
  "UND_ERR_DESTROYED"
])

const overError = codedError("the exchange is over", "UND_ERR_ABORTED")

/** Connections whose last exchange ended in this turn of the event loop. */
let finished: Array<Http1Connection> = []

const releaseFinished = (): void => {
  const connections = finished
  finished = []
  for (const connection of connections) connection.release()
}

export class Http1Connection implements Connection {
  readonly protocol = "http/1.1"
  readonly responseHeads: ResponseHeads | undefined
  readonly intake: Intake
  hasServed = false
  /** Why the socket died, unless it closed cleanly. */
  failure: Error | undefined
  private runningCount = 0
  private endingCount = 0
  private isGone = false
  private firstUseTimer: NodeJS.Timeout | undefined
  private readonly client: Client
  private readonly socket: Socket
  private readonly options: Http1Options
  private readonly owner: ConnectionOwner

  /** `authority` is the default `host` header. */
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
    // Where requests are pipelined, the next head may begin in the midst of a chunk.
    this.responseHeads = options.pipelining === 1 ? new ResponseHeads() : undefined
    this.intake = new Intake(socket, this.responseHeads)
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
      // undici throws for a request that it considers invalid.
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

  /**
   * An exchange has ended. Its slot becomes free in the next turn, because undici may still close the socket in this
   * one.
   */
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
      // The response arrived before the whole request was written; the next request would wait for the rest.
      this.endingCount++
      this.socket.once("drain", () => this.release())
    } else this.owner.onFree(this)
  }

  /**
   * undici takes the socket one turn after the first request. A second call means that it wants to reconnect, which is
   * the pool's task.
   */
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

  /**
   * Until the first request, undici does not watch the socket. It closes here if the peer closes it or if no request
   * comes.
   */
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
    // Node keeps a socket open after a damaged TLS record, and undici waits for its end.
    this.socket.destroy()
  }

  /** Data or the end before the first request: the connection is unusable. */
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

/** What listens to the heads of undici's responses, and may keep its arrays. */
const observed = channel("undici:request:headers")

/**
 * Moves the headers to an array of our own. A parser of undici keeps an empty array for the next response, so V8
 * takes these arrays for long-lived ones, and would keep all they hold until a major GC.
 */
const taken = (rawHeaders: Array<Buffer>): ReadonlyArray<Buffer> => {
  if (observed.hasSubscribers) return rawHeaders
  const own = rawHeaders.slice()
  rawHeaders.length = 0
  return own
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

  onHeaders(status: number, rawHeaders: Array<Buffer>): boolean {
    if (status >= 200) this.exchange.onResponse(status, taken(rawHeaders), resuming(this))
    return true
  }

  /** undici itself never pauses. */
  onData(chunk: Buffer): boolean {
    const { intake } = this.connection
    // The exchange may resume before `onData` returns.
    intake.hold(this)
    if (this.exchange.onData(chunk)) intake.leave(this)
    return true
  }

  resume(): void {
    this.connection.intake.resume(this)
  }

  onComplete(): void {
    const { failure } = this.connection
    this.finish()
    // undici treats a reset as the end of a body that is delimited by the end of the connection. Such a body is
    // incomplete (RFC 9112, 8).
    if (failure === undefined) this.exchange.onComplete()
    else this.exchange.onBroken(failure)
  }

  onError(cause: Error): void {
    this.finish()
    if (this.isWritten) this.exchange.onBroken(cause)
    else if (closedCodes.has(codeOf(cause))) this.exchange.onBroken(cause, "not-written")
    else this.exchange.onNotSent(cause)
  }

  private finish(): void {
    this.connection.intake.leave(this)
    this.connection.finish()
  }
}

/** Not a field: see `Http2Stream`. */
const resuming = (handler: DispatchHandler) => (): void => handler.resume()
