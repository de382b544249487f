/**
 * Connects to TCP and Unix sockets. undici does not abort a pending socket: it outlives a timeout or an abort and still
 * occupies the pool. Here the caller that requested a connection owns every pending socket of it.
 */
// A default import, read at call time: instrumentation and tests replace its functions.
import net from "node:net"
import type { Lookup } from "../config/TransportOptions.js"
import { markNotSent, notSentError } from "../shared/errors.js"
import { type Address, type AddressFailure, allAddressesFailed, interleave, ipLiteral } from "./addresses.js"
import type { Abort, ConnectListener } from "./connecting.js"
import { resolve } from "./resolve.js"

export type Destination = { readonly host: string; readonly port: number } | { readonly path: string }

export interface TcpOptions {
  /** Default: `dns.lookup`. */
  readonly lookup?: Lookup | undefined
  /** Milliseconds of silence before TCP probes the peer. */
  readonly tcpKeepAlive: number
  /** Milliseconds an address has before the next one is tried in parallel (RFC 8305, 5). Default: 250. */
  readonly attemptDelay?: number | undefined
}

/**
 * Connects to the first address that accepts (RFC 8305). It sets no timeout: one abort covers all addresses. The socket
 * has no listeners, and nothing has been read from it.
 */
export const tcp = (
  destination: Destination,
  options: TcpOptions,
  listener: ConnectListener<net.Socket>
): Abort => {
  const race = new AddressRace(destination, options, listener)
  race.start()
  return race.abort
}

/** The system rounds to seconds, and Linux has this maximum. */
const keepAliveRange = { min: 1_000, max: 32_767_000 }

class AddressRace {
  private readonly destination: Destination
  private readonly options: TcpOptions
  private readonly listener: ConnectListener<net.Socket>
  private readonly sockets: Array<net.Socket> = []
  private readonly failures: Array<AddressFailure | undefined> = []
  private addresses: ReadonlyArray<Address> = []
  private started = 0
  private failedCount = 0
  private timer: NodeJS.Timeout | undefined
  private abortLookup: Abort = () => undefined
  private isOver = false

  constructor(destination: Destination, options: TcpOptions, listener: ConnectListener<net.Socket>) {
    this.destination = destination
    this.options = options
    this.listener = listener
  }

  readonly abort: Abort = () => {
    if (this.isOver) return
    this.settle()
    this.abortLookup()
    for (const socket of this.sockets) socket.destroy()
  }

  start(): void {
    const { destination } = this
    if ("path" in destination) return this.attempt({ path: destination.path }, (cause) => this.fail(cause))
    const { host, port } = destination
    if (!(Number.isInteger(port) && port > 0 && port < 65_536)) {
      return this.failLater(notSentError(`${port} is not a valid port`, "ERR_SOCKET_BAD_PORT"))
    }
    // Node would connect to localhost for an empty name.
    if (host === "") return this.failLater(notSentError("the URL has no host", "ERR_INVALID_URL"))
    const literal = ipLiteral(host)
    if (literal === undefined) return this.lookUp(host)
    this.addresses = [literal]
    this.startNext()
  }

  private lookUp(host: string): void {
    this.abortLookup = resolve(host, this.options.lookup, {
      found: (addresses) => {
        this.addresses = interleave(addresses)
        this.startNext()
      },
      failed: (cause) => this.fail(cause)
    })
  }

  /** Starts the next address, in parallel with those already pending. */
  private startNext(): void {
    clearTimeout(this.timer)
    const index = this.started
    const address = this.addresses[index]
    if (address === undefined || "path" in this.destination) return
    const { port } = this.destination
    this.started++
    if (this.started < this.addresses.length) {
      this.timer = setTimeout(() => this.startNext(), this.options.attemptDelay ?? 250)
    }
    this.attempt({ host: address.address, port }, (cause) => this.onAttemptFailed(index, address, cause))
  }

  private onAttemptFailed(index: number, address: Address, cause: Error): void {
    this.failures[index] = { ...address, cause }
    this.failedCount++
    if (this.failedCount === this.addresses.length) this.fail(this.reason(cause))
    else if (index === this.started - 1) this.startNext()
  }

  /** For an IP literal the system's error already names the address. */
  private reason(cause: Error): Error {
    const { destination } = this
    if ("path" in destination || ipLiteral(destination.host) !== undefined) return cause
    return allAddressesFailed(
      destination.host,
      destination.port,
      this.failures.filter((failure) => failure !== undefined)
    )
  }

  private attempt(to: net.NetConnectOpts, onFailed: (cause: Error) => void): void {
    const { tcpKeepAlive } = this.options
    let socket: net.Socket
    try {
      socket = net.connect({
        ...to,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: Math.min(Math.max(tcpKeepAlive, keepAliveRange.min), keepAliveRange.max)
      })
    } catch (cause) {
      return process.nextTick(() => {
        if (!this.isOver) onFailed(markNotSent(cause))
      })
    }
    this.sockets.push(socket)
    const onError = (cause: Error): void => {
      if (!this.isOver) onFailed(cause)
    }
    socket.on("error", onError)
    socket.once("connect", () => {
      if (this.isOver) return
      socket.off("error", onError)
      this.settle()
      for (const other of this.sockets) if (other !== socket) other.destroy()
      this.listener.connected(socket)
    })
  }

  private settle(): void {
    this.isOver = true
    clearTimeout(this.timer)
  }

  private fail(cause: Error): void {
    if (this.isOver) return
    // No attempt stays pending, whatever has failed.
    this.abort()
    this.listener.failed(markNotSent(cause))
  }

  private failLater(cause: Error): void {
    process.nextTick(() => this.fail(cause))
  }
}
