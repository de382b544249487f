/**
 * TCP connections, and those of Unix sockets. A pending socket of undici's belongs to nobody: it lives on behind a passed limit
 * or an abort, and takes a place in the pool. Here whoever asked for a connection owns all that is pending for it.
 */
// The default imports, read at the time of the call: instrumentation and tests replace functions there.
import dns from "node:dns"
import net from "node:net"
import type { Lookup } from "../config/TransportOptions.js"
import { markNotSent, notSentError } from "../shared/errors.js"
import {
  type Address,
  type AddressFailure,
  allAddressesFailed,
  interleave,
  ipLiteral,
  parseLookup
} from "./addresses.js"
import type { Abort, ConnectListener } from "./connecting.js"

export type Destination = { readonly host: string; readonly port: number } | { readonly path: string }

export interface TcpOptions {
  /** In place of `dns.lookup`. */
  readonly lookup?: Lookup | undefined
  /** After how many milliseconds of silence TCP asks whether the other side is still there. */
  readonly tcpKeepAlive: number
  /** RFC 8305, 5: how long an address has until the next one gets its turn beside it (250 ms). */
  readonly attemptDelay?: number | undefined
}

/**
 * A connection to the first address that takes one (RFC 8305). There is no limit: the owner's abort is one for all addresses.
 * The socket comes without a listener, and nothing of it has been read.
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

/** What `dns.lookup` is called with. Its order is what the process is set to: the resolver's own, by default. */
const lookupOptions = { all: true } as const

const systemLookup: Lookup = (host, options, callback) => dns.lookup(host, options, callback)

/** What the system takes: seconds, and on Linux no more than these. */
const keepAliveRange = { min: 1_000, max: 32_767_000 }

/** Node's resolvers say themselves what failed. Another one may fail with whatever befell it, or find nothing. */
const lookupError = (host: string, cause: unknown): Error => {
  if (cause instanceof Error && "syscall" in cause && /^(getaddrinfo|query)/.test(String(cause.syscall)))
    return cause
  const why = cause instanceof Error ? cause.message : "it has no address"
  const code = cause instanceof Error && "code" in cause ? cause.code : "ENOTFOUND"
  return Object.assign(new Error(`${host} did not resolve: ${why}`, { cause }), {
    code,
    syscall: "getaddrinfo",
    hostname: host
  })
}

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
  private isOver = false

  constructor(destination: Destination, options: TcpOptions, listener: ConnectListener<net.Socket>) {
    this.destination = destination
    this.options = options
    this.listener = listener
  }

  readonly abort: Abort = () => {
    if (this.isOver) return
    this.settle()
    for (const socket of this.sockets) socket.destroy()
  }

  start(): void {
    const { destination } = this
    if ("path" in destination) return this.attempt({ path: destination.path }, (cause) => this.fail(cause))
    const { host, port } = destination
    if (!(Number.isInteger(port) && port > 0 && port < 65_536)) {
      return this.failLater(notSentError(`${port} is no port to connect to`, "ERR_SOCKET_BAD_PORT"))
    }
    // Node takes an empty name for this machine's.
    if (host === "") return this.failLater(notSentError("there is no host to connect to", "ERR_INVALID_URL"))
    const literal = ipLiteral(host)
    if (literal === undefined) return this.lookUp(host)
    this.addresses = [literal]
    this.startNext()
  }

  private lookUp(host: string): void {
    const { lookup = systemLookup } = this.options
    let isAsync = false
    try {
      lookup(host, lookupOptions, (error, found) => {
        // Nothing ends a lookup of the system's: what it finds after an abort goes nowhere.
        if (isAsync) this.onLookup(host, error, found)
        else process.nextTick(() => this.onLookup(host, error, found))
      })
    } catch (cause) {
      this.failLater(lookupError(host, cause))
    }
    isAsync = true
  }

  private onLookup(host: string, error: Error | null, found: unknown): void {
    if (this.isOver || this.addresses.length > 0) return
    if (error !== null && error !== undefined) return this.fail(lookupError(host, error))
    this.addresses = interleave(parseLookup(found))
    if (this.addresses.length === 0) return this.fail(lookupError(host, undefined))
    this.startNext()
  }

  /** The next address gets its turn, beside those that have had theirs. */
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

  /** The system's own error names the one address that was asked for. */
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
    this.settle()
    this.listener.failed(markNotSent(cause))
  }

  private failLater(cause: Error): void {
    process.nextTick(() => this.fail(cause))
  }
}
