/** A connection of HTTP/2: a session of `node:http2` on a socket that was connected by us. */
import { type ClientHttp2Session, connect } from "node:http2"
import type { Socket } from "node:net"
import { setImmediate } from "node:timers"
import type { Connection, Owner } from "../exchange/Connection.js"
import type { Exchange } from "../exchange/Exchange.js"
import { coded } from "../shared/errors.js"
import { longestTimer } from "../shared/timers.js"
import { type Host, RequestStream } from "./Http2Stream.js"
import { Pulse } from "./KeepAlivePing.js"
import { maxHead, type Target, targetOf } from "./requestHeaders.js"
import { disconnected, type Goaway } from "./streamErrors.js"

export interface Http2Options {
  /** How long an idle session is kept, in milliseconds. */
  readonly keepAlive: number
  /** After how many milliseconds of silence a peer is asked whether it is there, while exchanges run. */
  readonly ping: number
}

/** Until the peer has said how many streams it takes (RFC 9113, 6.5.2: 100 is the least that is recommended). */
const firstLimit = 100

/** More exchanges than that share no connection, whatever the peer says. */
const lastLimit = 1000

/** Half a million fewer than a connection has numbers for (RFC 9113, 5.1.1): then a new one begins at 1. */
const maxStreams = 2 ** 30 - 2 ** 19

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
  maxSendHeaderBlockLength: 2 * maxHead,
  peerMaxConcurrentStreams: firstLimit
}

/** Origins that a server may name: we use none of them. */
const maxOrigins = 100

/** How long the other side may take to close its end of a socket that has served. */
const lingerMillis = 500

const ignore = (): void => undefined

export const make = (socket: Socket, options: Http2Options, owner: Owner): Connection =>
  new Http2(socket, options, owner)

class Http2 implements Connection, Host {
  readonly protocol = "h2"
  goaway: Goaway | undefined
  failure: unknown
  private begun = 0
  private origins = 0
  private readonly streams: Array<RequestStream> = []
  private limit: number
  hasServed = false
  private isGone = false
  private isTelling = false
  private target: Target | undefined
  private lingering: NodeJS.Timeout | undefined
  private readonly idle: NodeJS.Timeout
  private readonly pulse: Pulse
  private readonly session: ClientHttp2Session
  private readonly closeSession: () => void
  private readonly socket: Socket
  private readonly owner: Owner

  constructor(socket: Socket, options: Http2Options, owner: Owner) {
    this.socket = socket
    this.owner = owner
    this.limit = owner.maxStreams ?? firstLimit
    // Each request says its own scheme and authority.
    this.session = connect("http://localhost", { ...sessionOptions, createConnection: () => socket })
    this.session
      .on("goaway", (code, lastStreamId) => this.onGoaway({ code, lastStreamId }))
      .on("remoteSettings", ({ maxConcurrentStreams }) => this.onSettings(maxConcurrentStreams ?? lastLimit))
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
    this.pulse = new Pulse(this.session, Math.min(options.ping, longestTimer), (cause) => this.end(cause))
    this.idle = setTimeout(() => this.onIdle(), Math.min(options.keepAlive, longestTimer))
    this.idle.unref()
  }

  get room(): number {
    return this.isGone ? 0 : Math.max(0, this.limit - this.streams.length)
  }

  /** Every stream of the session ends with it. */
  get isDisconnected(): boolean {
    return this.session.destroyed || this.socket.destroyed
  }

  get isFull(): boolean {
    return this.streams.length >= this.limit
  }

  send(exchange: Exchange): void {
    const stream = new RequestStream(this, exchange)
    if (!exchange.begun(stream.abort, this.hasServed)) return
    if (this.isGone || this.isDisconnected) {
      this.leaveOwner()
      setImmediate(notSent, exchange)
      return
    }
    try {
      stream.begin(this.session)
    } catch (cause) {
      exchange.unreachable(cause)
    }
  }

  close(): void {
    this.leaveOwner()
    this.finish()
  }

  destroy(): void {
    this.end(coded("the connection was destroyed", "UND_ERR_DESTROYED"))
  }

  targetOf(origin: string): Target {
    // A connection serves one origin, as a rule.
    if (this.target?.origin !== origin) this.target = targetOf(origin)
    return this.target
  }

  heard(): void {
    this.pulse.heard++
    this.hasServed = true
  }

  /** A session holds the process while exchanges run, and no longer. */
  enter(stream: RequestStream): void {
    stream.place = this.streams.push(stream) - 1
    if (++this.begun === maxStreams) this.close()
    if (this.streams.length > 1) return
    this.session.ref()
    this.pulse.start()
  }

  leave(stream: RequestStream): void {
    const last = this.streams.pop()
    if (last !== undefined && last !== stream) {
      last.place = stream.place
      this.streams[last.place] = last
    }
    if (this.streams.length === 0) {
      this.session.unref()
      this.pulse.stop()
    }
    if (this.isGone) return this.finish()
    if (this.streams.length === 0) this.idle.refresh()
    this.tell()
  }

  /** Told once for all that end in one turn. */
  private tell(): void {
    if (this.isTelling) return
    this.isTelling = true
    setImmediate(hasRoom, this)
  }

  tellRoom(): void {
    this.isTelling = false
    if (this.room > 0) this.owner.hasRoom(this)
  }

  private leaveOwner(): void {
    if (this.isGone) return
    this.isGone = true
    clearTimeout(this.idle)
    setImmediate(gone, this)
  }

  tellGone(): void {
    this.owner.gone(this)
  }

  private onGoaway(goaway: Goaway): void {
    this.goaway = goaway
    for (const stream of this.streams) stream.onGoaway()
    this.leaveOwner()
    this.finish()
  }

  private onSettings(maxConcurrentStreams: number): void {
    const before = this.limit
    this.limit = Math.min(maxConcurrentStreams, lastLimit)
    // A server that takes none does so for a while.
    if (this.limit > 0) this.owner.maxStreams = this.limit
    if (this.limit > before) this.tell()
  }

  /** RFC 8336: Node keeps them all, before version 26 without an end. */
  private onOrigins(count: number): void {
    this.origins += count
    if (this.origins > maxOrigins) this.end(coded("the server names too many origins", "ERR_HTTP2_ERROR"))
  }

  private onError(cause: Error): void {
    this.failure ??= cause
    this.leaveOwner()
  }

  private onClose(): void {
    this.leaveOwner()
    this.pulse.end()
    clearTimeout(this.lingering)
  }

  private onIdle(): void {
    if (this.streams.length === 0) this.close()
  }

  /** Behind the last stream. Node would wait for the other side for ever. */
  private finish(): void {
    if (this.streams.length > 0 || this.lingering !== undefined) return
    this.closeSession()
    this.lingering = setTimeout(() => this.destroy(), lingerMillis)
    this.lingering.unref()
  }

  private end(cause: Error): void {
    this.leaveOwner()
    this.failure ??= cause
    this.session.destroy(cause)
    // Node waits until all is written, which a peer that has died never takes.
    this.socket.destroy()
  }
}

const hasRoom = (connection: Http2): void => connection.tellRoom()

const gone = (connection: Http2): void => connection.tellGone()

const notSent = (exchange: Exchange): void => exchange.broke(disconnected(), "nothing")
