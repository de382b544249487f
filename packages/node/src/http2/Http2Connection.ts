/** An HTTP/2 connection: a `node:http2` session on a socket that the pool has connected. */
import { type ClientHttp2Session, connect, type Settings } from "node:http2"
import type { Socket } from "node:net"
import { setImmediate } from "node:timers"
import type { Connection, ConnectionOwner } from "../exchange/Connection.js"
import type { Exchange } from "../exchange/Exchange.js"
import { codedError } from "../shared/errors.js"
import { maxTimerMillis } from "../shared/timers.js"
import { aborting, Http2Stream, type StreamHost } from "./Http2Stream.js"
import { KeepAlivePing } from "./KeepAlivePing.js"
import { maxHeaderBytes, type OriginParts, originParts } from "./requestHeaders.js"
import { disconnectedError, type Goaway } from "./streamErrors.js"

export interface Http2Options {
  /** Milliseconds that an idle session is kept. */
  readonly keepAlive: number
  /** Milliseconds of silence with exchanges in flight before a PING is sent. */
  readonly pingAfter: number
}

/** Used until the peer's SETTINGS arrive. 100 is the recommended minimum (RFC 9113, 6.5.2). */
const initialMaxStreams = 100

/** Maximum number of concurrent exchanges, even if the peer allows more. */
const maxStreamsCap = 1000

/** Half a million below the number of stream identifiers (RFC 9113, 5.1.1). A new connection starts again at 1. */
const maxRequests = 2 ** 30 - 2 ** 19

/**
 * Window of one stream: 160 Mbit/s at 50 ms. A stream with a slower reader buffers at most this much, so 100 of them
 * buffer 100 MiB.
 */
const streamWindow = 1024 * 1024

/** Window of the whole connection. Node reopens it as bytes arrive, so a paused stream does not block the others. */
const connectionWindow = 16 * 1024 * 1024

const sessionOptions = {
  settings: { enablePush: false, initialWindowSize: streamWindow, maxHeaderListSize: 65_536 },
  // In MB. Node counts the data in flight in both directions, and rejects response headers above the limit.
  maxSessionMemory: 2048,
  maxHeaderListPairs: 2048,
  // Node's default of 64 KiB would end the session; the server should decide what is too large.
  maxSendHeaderBlockLength: 2 * maxHeaderBytes,
  peerMaxConcurrentStreams: initialMaxStreams
}

/** ORIGIN entries are unused; their number is limited. */
const maxOrigins = 100

/** Milliseconds for the peer to close its end of a socket after the last stream. */
const lingerMillis = 500

const ignore = (): void => undefined

export const http2Connection = (socket: Socket, options: Http2Options, owner: ConnectionOwner): Connection =>
  new Http2Connection(socket, options, owner)

class Http2Connection implements Connection, StreamHost {
  readonly protocol = "h2"
  goaway: Goaway | undefined
  failure: unknown
  maxHeaderBytes = maxHeaderBytes
  private requestCount = 0
  private originCount = 0
  private readonly streams: Array<Http2Stream> = []
  private maxStreams: number
  hasServed = false
  private isGone = false
  private isNotifying = false
  private originCache: OriginParts | undefined
  private lingerTimer: NodeJS.Timeout | undefined
  private readonly idleTimer: NodeJS.Timeout
  private readonly ping: KeepAlivePing
  private readonly session: ClientHttp2Session
  private readonly closeSession: () => void
  private readonly socket: Socket
  private readonly owner: ConnectionOwner

  constructor(socket: Socket, options: Http2Options, owner: ConnectionOwner) {
    this.socket = socket
    this.owner = owner
    this.maxStreams = owner.maxStreams ?? initialMaxStreams
    // Each request carries its own scheme and authority.
    this.session = connect("http://localhost", { ...sessionOptions, createConnection: () => socket })
    this.session
      .on("goaway", (code, lastStreamId) => this.onGoaway({ code, lastStreamId }))
      .on("remoteSettings", (settings) => this.onSettings(settings))
      .on("error", (cause) => this.onError(cause))
      .on("close", () => this.onClose())
      // Node ends a stream whose frame could not be sent only if there is a listener.
      .on("frameError", ignore)
      .on("origin", (origins) => this.onOrigins(origins.length))
      // Server push is rejected (RFC 9113, 8.4).
      .on("stream", (pushed) => pushed.on("error", ignore).close())
    // Node closes a session at GOAWAY and then sends no PING, so a peer that died afterwards would go unnoticed.
    this.closeSession = this.session.close.bind(this.session)
    this.session.close = ignore
    this.session.setLocalWindowSize(connectionWindow)
    this.session.unref()
    const silence = Math.min(options.pingAfter, maxTimerMillis)
    this.ping = new KeepAlivePing(this.session, socket, silence, (cause) => this.destroyWith(cause))
    this.idleTimer = setTimeout(() => this.onIdle(), Math.min(options.keepAlive, maxTimerMillis))
    this.idleTimer.unref()
  }

  get freeSlots(): number {
    return this.isGone ? 0 : Math.max(0, this.maxStreams - this.streams.length)
  }

  /** True means that every stream of the session is ending. */
  get isDisconnected(): boolean {
    return this.session.destroyed || this.socket.destroyed
  }

  get isFull(): boolean {
    return this.streams.length >= this.maxStreams
  }

  send(exchange: Exchange): void {
    const stream = new Http2Stream(this, exchange)
    if (!exchange.onSend(aborting(stream), this.hasServed)) return
    if (this.isGone || this.isDisconnected) {
      this.markGone()
      setImmediate(reportNotSent, exchange)
      return
    }
    try {
      stream.start(this.session)
    } catch (cause) {
      exchange.onNotSent(cause)
    }
  }

  close(): void {
    this.markGone()
    this.closeWhenIdle()
  }

  destroy(): void {
    this.destroyWith(codedError("the connection was destroyed", "UND_ERR_DESTROYED"))
  }

  originParts(origin: string): OriginParts {
    // A connection usually serves one origin.
    if (this.originCache?.origin !== origin) this.originCache = originParts(origin)
    return this.originCache
  }

  onActivity(): void {
    this.ping.activity++
    this.hasServed = true
  }

  /** The session keeps the process alive only while exchanges are in flight. */
  addStream(stream: Http2Stream): void {
    stream.index = this.streams.push(stream) - 1
    if (++this.requestCount === maxRequests) this.close()
    if (this.streams.length > 1) return
    this.session.ref()
    this.ping.start()
  }

  removeStream(stream: Http2Stream): void {
    const last = this.streams.pop()
    if (last !== undefined && last !== stream) {
      last.index = stream.index
      this.streams[last.index] = last
    }
    if (this.streams.length === 0) {
      this.session.unref()
      this.ping.stop()
    }
    if (this.isGone) return this.closeWhenIdle()
    if (this.streams.length === 0) this.idleTimer.refresh()
    this.notifySoon()
  }

  /** Notifies the owner once for all streams that end in the same turn. */
  private notifySoon(): void {
    if (this.isNotifying) return
    this.isNotifying = true
    setImmediate(notifyFree, this)
  }

  notifyFree(): void {
    this.isNotifying = false
    if (this.freeSlots > 0) this.owner.onFree(this)
  }

  private markGone(): void {
    if (this.isGone) return
    this.isGone = true
    clearTimeout(this.idleTimer)
    setImmediate(notifyGone, this)
  }

  notifyGone(): void {
    this.owner.onGone(this)
  }

  private onGoaway(goaway: Goaway): void {
    this.goaway = goaway
    for (const stream of this.streams) stream.onGoaway()
    this.markGone()
    this.closeWhenIdle()
  }

  private onSettings({
    maxConcurrentStreams = maxStreamsCap,
    maxHeaderListSize = maxHeaderBytes
  }: Settings): void {
    const before = this.maxStreams
    this.maxHeaderBytes = Math.min(maxHeaderListSize, maxHeaderBytes)
    this.maxStreams = Math.min(maxConcurrentStreams, maxStreamsCap)
    // A server may set the limit to zero temporarily.
    if (this.maxStreams > 0) this.owner.maxStreams = this.maxStreams
    if (this.maxStreams > before) this.notifySoon()
  }

  /** RFC 8336: Node stores all of them, without a limit before version 26. */
  private onOrigins(count: number): void {
    this.originCount += count
    if (this.originCount > maxOrigins)
      this.destroyWith(codedError("the server names too many origins", "ERR_HTTP2_ERROR"))
  }

  private onError(cause: Error): void {
    this.failure ??= cause
    this.markGone()
  }

  private onClose(): void {
    this.markGone()
    this.ping.end()
    clearTimeout(this.lingerTimer)
  }

  private onIdle(): void {
    if (this.streams.length === 0) this.close()
  }

  /** Closes after the last stream. Node alone would wait for the peer indefinitely. */
  private closeWhenIdle(): void {
    if (this.streams.length > 0 || this.lingerTimer !== undefined) return
    this.closeSession()
    this.lingerTimer = setTimeout(() => this.destroy(), lingerMillis)
    this.lingerTimer.unref()
  }

  private destroyWith(cause: Error): void {
    this.markGone()
    this.failure ??= cause
    this.session.destroy(cause)
    // Node waits until everything is written, and a dead peer never accepts it.
    this.socket.destroy()
  }
}

const notifyFree = (connection: Http2Connection): void => connection.notifyFree()

const notifyGone = (connection: Http2Connection): void => connection.notifyGone()

const reportNotSent = (exchange: Exchange): void => exchange.onBroken(disconnectedError(), "not-written")
