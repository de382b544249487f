/** TLS over a connected socket, to the server directly or through a proxy. */
import net from "node:net"
import type { Duplex } from "node:stream"
import nodeTls, { type SecureContext, type TLSSocket } from "node:tls"
import { markNotSent, notSentError, opensslReason } from "../shared/errors.js"
import { stripBrackets } from "./addresses.js"
import type { Abort, ConnectListener } from "./connecting.js"

export interface TlsOptions {
  /** The host that the certificate must match, also sent as server name (SNI). */
  readonly host: string
  /** Overrides `host` for both. */
  readonly servername?: string | undefined
  readonly context: SecureContext
  readonly verify: boolean
  readonly alpn: ReadonlyArray<"h2" | "http/1.1">
  /**
   * A session to resume, from the same host, context and `verify`: on resumption the server sends no certificate, so
   * none is verified.
   */
  readonly session?: Buffer | undefined
  /**
   * Called for each session from the server. Over TLS 1.3 sessions arrive after the handshake, so this is the one
   * listener that stays.
   */
  readonly onSession?: ((session: Buffer) => void) | undefined
}

/** Starts TLS over a socket. An abort or a failure destroys that socket too. Every failure is marked as not sent. */
export const tls = (socket: Duplex, options: TlsOptions, listener: ConnectListener<TLSSocket>): Abort => {
  const handshake = new TlsHandshake(socket, listener)
  handshake.start(options)
  return handshake.abort
}

/** RFC 6066, 3: a name without its trailing dot. An address loses its zone, which no certificate contains. */
const peerName = ({ host, servername }: TlsOptions): string =>
  stripBrackets(servername ?? host)
    .replace(/%.*$/, "")
    .replace(/\.$/, "")

class TlsHandshake {
  private readonly socket: Duplex
  private readonly listener: ConnectListener<TLSSocket>
  private secure: TLSSocket | undefined
  private isOver = false

  constructor(socket: Duplex, listener: ConnectListener<TLSSocket>) {
    this.socket = socket
    this.listener = listener
  }

  readonly abort: Abort = () => {
    if (this.isOver) return
    this.isOver = true
    this.destroy()
  }

  start(options: TlsOptions): void {
    const { destroyed, readableEnded, writable } = this.socket
    // Node would wrap a half-closed socket and hang.
    if (destroyed || readableEnded || !writable) return this.failLater(closedEarly())
    try {
      this.connect(options)
    } catch (cause) {
      this.failLater(cause)
    }
  }

  private connect(options: TlsOptions): void {
    const { alpn, context, onSession, session, verify } = options
    const name = peerName(options)
    const secure = nodeTls.connect({
      socket: this.socket,
      host: name,
      // RFC 6066, 3: an address is not a valid server name.
      ...(net.isIP(name) === 0 ? { servername: name } : {}),
      secureContext: context,
      rejectUnauthorized: verify,
      ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
      ...(session === undefined ? {} : { session })
    })
    this.secure = secure
    if (onSession !== undefined) secure.on("session", onSession)
    this.socket.on("error", this.onError)
    secure.on("error", this.onError)
    secure.on("close", this.onClose)
    secure.once("secureConnect", this.onSecure)
  }

  private readonly onError = (cause: Error): void => this.fail(explain(cause))

  private readonly onClose = (): void => this.fail(closedEarly())

  private readonly onSecure = (): void => {
    const { secure } = this
    if (this.isOver || secure === undefined) return
    this.isOver = true
    this.socket.off("error", this.onError)
    secure.off("error", this.onError)
    secure.off("close", this.onClose)
    this.listener.connected(secure)
  }

  private fail(cause: unknown): void {
    if (this.isOver) return
    this.abort()
    this.listener.failed(markNotSent(cause))
  }

  private failLater(cause: unknown): void {
    process.nextTick(() => this.fail(cause))
  }

  private destroy(): void {
    this.secure?.destroy()
    this.socket.destroy()
  }
}

const closedEarly = (): Error =>
  notSentError("the connection was closed before TLS was established", "ECONNRESET")

/** OpenSSL's reasons for bytes that are not a TLS record, such as a plain http response, which begins with `HTTP`. */
const notTlsReason = /^(wrong version number|packet length too long|data length too long|bad record type)$/

const explain = (cause: Error): Error => {
  const reason = opensslReason(cause)
  if (reason === undefined || !("code" in cause)) return cause
  const what = notTlsReason.test(reason)
    ? "the server's response is not TLS, perhaps it is plain http"
    : "the handshake failed"
  return Object.assign(new Error(`${what} (${reason})`, { cause }), { code: cause.code })
}
