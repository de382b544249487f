/** A connection of HTTP/2: a session of `node:http2` on a socket that was connected by us. */
import { type ClientHttp2Session, connect } from "node:http2"
import type { Socket } from "node:net"
import { setImmediate } from "node:timers"
import type { Connection, ConnectionOwner } from "../exchange/Connection.js"
import type { Exchange } from "../exchange/Exchange.js"
import { codedError } from "../shared/errors.js"
import { maxTimerMillis } from "../shared/timers.js"
import { Http2Stream, type StreamHost } from "./Http2Stream.js"
import { KeepAlivePing } from "./KeepAlivePing.js"
import { maxHeaderBytes, type OriginParts, originParts } from "./requestHeaders.js"
import { disconnectedError, type Goaway } from "./streamErrors.js"

export interface Http2Options {
  /** How long an idle session is kept, in milliseconds. */
  readonly keepAlive: number
  /** After how many milliseconds of silence a peer is asked whether it is there, while exchanges run. */
  readonly pingAfter: number
}

/** Until the peer has said how many streams it takes (RFC 9113, 6.5.2: 100 is the least that is recommended). */
const initialMaxStreams = 100

/** More exchanges than that share no connection, whatever the peer says. */
const maxStreamsCap = 1000

/** Half a million fewer than a connection has numbers for (RFC 9113, 5.1.1): then a new one begins at 1. */
const maxRequests = 2 ** 30 - 2 ** 19

/**
 * What one stream may have on its way: 160 Mbit/s over 50 ms. A stream whose reader is slower holds up to that much in memory,
 * and no more, so 100 of them hold 100 MiB.
 */
const streamWindow = 1024 * 1024

/** For all streams of a connection: Node opens it again as bytes come, so that no stream that is paused stops another. */
const connectionWindow = 16 * 1024 * 1024

const sessionOptions = {
  settings: { enablePush: false, initialWindowSize: streamWindow, maxHeaderListSize: 65_536 },
  // Node counts what is on its way in both directions, and refuses headers of responses where it is more: in MB.
  maxSessionMemory: 2048,
  maxHeaderListPairs: 2048,
  // Node's 64 KiB would end the session: let the server say what is too large for it.
  maxSendHeaderBlockLength: 2 * maxHeaderBytes,
  peerMaxConcurrentStreams: initialMaxStreams
}

/** Origins that a server may name: we use none of them. */
const maxOrigins = 100

/** How long the other side may take to close its end of a socket that has served. */
const lingerMillis = 500

const ignore = (): void => undefined

export const http2Connection = (socket: Socket, options: Http2Options, owner: ConnectionOwner): Connection =>
  new Http2Connection(socket, options, owner)

class Http2Connection implements Connection, StreamHost {
  readonly protocol = "h2"
  goaway: Goaway | undefined
  failure: unknown
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
    // Each request says its own scheme and authority.
    this.session = connect("http://localhost", { ...sessionOptions, createConnection: () => socket })
    this.session
      .on("goaway", (code, lastStreamId) => this.onGoaway({ code, lastStreamId }))
      .on("remoteSettings", ({ maxConcurrentStreams }) =>
        this.onSettings(maxConcurrentStreams ?? maxStreamsCap)
      )
      .on("error", (cause) => this.onError(cause))
      .on("close", () => this.onClose())
      // Only with a listener does Node end a stream whose frame could not be sent.
      .on("frameError", ignore)
      .on("origin", (origins) => this.onOrigins(origins.length))
      // No stream of the server's is wanted (RFC 9113, 8.4).
      .on("stream", (pushed) => pushed.on("error", ignore).close())
    // Node closes a session at GOAWAY, and sends no PING on it then: a peer that dies behind its goodbye would not be found.
    this.closeSession = this.session.close.bind(this.session)
    this.session.close = ignore
    this.session.setLocalWindowSize(connectionWindow)
    this.session.unref()
    this.ping = new KeepAlivePing(this.session, Math.min(options.pingAfter, maxTimerMillis), (cause) =>
      this.destroyWith(cause)
    )
    this.idleTimer = setTimeout(() => this.onIdle(), Math.min(options.keepAlive, maxTimerMillis))
    this.idleTimer.unref()
  }

  get freeSlots(): number {
    return this.isGone ? 0 : Math.max(0, this.maxStreams - this.streams.length)
  }

  /** Every stream of the session ends with it. */
  get isDisconnected(): boolean {
    return this.session.destroyed || this.socket.destroyed
  }

  get isFull(): boolean {
    return this.streams.length >= this.maxStreams
  }

  send(exchange: Exchange): void {
    const stream = new Http2Stream(this, exchange)
    if (!exchange.onSend(stream.abort, this.hasServed)) return
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
    // A connection serves one origin, as a rule.
    if (this.originCache?.origin !== origin) this.originCache = originParts(origin)
    return this.originCache
  }

  onActivity(): void {
    this.ping.activity++
    this.hasServed = true
  }

  /** A session holds the process while exchanges run, and no longer. */
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

  /** Told once for all that end in one turn. */
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

  private onSettings(maxConcurrentStreams: number): void {
    const before = this.maxStreams
    this.maxStreams = Math.min(maxConcurrentStreams, maxStreamsCap)
    // A server that takes none does so for a while.
    if (this.maxStreams > 0) this.owner.maxStreams = this.maxStreams
    if (this.maxStreams > before) this.notifySoon()
  }

  /** RFC 8336: Node keeps them all, before version 26 without an end. */
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

  /** Behind the last stream. Node would wait for the other side for ever. */
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
    // Node waits until all is written, which a peer that has died never takes.
    this.socket.destroy()
  }
}

const notifyFree = (connection: Http2Connection): void => connection.notifyFree()

const notifyGone = (connection: Http2Connection): void => connection.notifyGone()

const reportNotSent = (exchange: Exchange): void => exchange.onBroken(disconnectedError(), "not-written")
