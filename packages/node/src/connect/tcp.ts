/**
 * TCP connections, and those of Unix sockets. A pending socket of undici's belongs to nobody: it lives on behind a passed limit
 * or an abort, and takes a place in the pool. Here whoever asked for a connection owns all that is pending for it.
 */
// The default imports, read at the time of the call: instrumentation and tests replace functions there.
import dns from "node:dns"
import net from "node:net"
import type { Lookup } from "../config/TransportOptions.js"
import { failedBefore, unsent } from "../shared/errors.js"
import * as Addresses from "./addresses.js"
import type { Abort, Connecting } from "./connecting.js"

export type { Abort, Connecting } from "./connecting.js"
export { secureContext } from "./secureContext.js"
export { tls } from "./tls.js"

export type To = { readonly host: string; readonly port: number } | { readonly path: string }

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
export const tcp = (to: To, options: TcpOptions, listener: Connecting<net.Socket>): Abort => {
  const race = new Race(to, options, listener)
  race.begin()
  return race.abort
}

/** What `dns.lookup` is called with. Its order is what the process is set to: the resolver's own, by default. */
const all = { all: true } as const

/** What the system takes: seconds, and on Linux no more than these. */
const keepAliveMillis = { min: 1_000, max: 32_767_000 }

/** Node's resolvers say themselves what failed. Another one may fail with whatever befell it, or find nothing. */
const unresolved = (host: string, cause: unknown): Error => {
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

class Race {
  private readonly to: To
  private readonly options: TcpOptions
  private readonly listener: Connecting<net.Socket>
  private readonly sockets: Array<net.Socket> = []
  private readonly failures: Array<Addresses.Failure | undefined> = []
  private addresses: ReadonlyArray<Addresses.Address> = []
  private begun = 0
  private failed = 0
  private timer: NodeJS.Timeout | undefined
  private over = false

  constructor(to: To, options: TcpOptions, listener: Connecting<net.Socket>) {
    this.to = to
    this.options = options
    this.listener = listener
  }

  readonly abort: Abort = () => {
    if (this.over) return
    this.end()
    for (const socket of this.sockets) socket.destroy()
  }

  begin(): void {
    const { to } = this
    if ("path" in to) return this.attempt({ path: to.path }, (cause) => this.fail(cause))
    const { host, port } = to
    if (!(Number.isInteger(port) && port > 0 && port < 65_536)) {
      return this.failLater(failedBefore(`${port} is no port to connect to`, "ERR_SOCKET_BAD_PORT"))
    }
    // Node takes an empty name for this machine's.
    if (host === "") return this.failLater(failedBefore("there is no host to connect to", "ERR_INVALID_URL"))
    const literal = Addresses.literal(host)
    if (literal === undefined) return this.lookUp(host)
    this.addresses = [literal]
    this.next()
  }

  private lookUp(host: string): void {
    const { lookup = dns.lookup as Lookup } = this.options
    let isAsync = false
    try {
      lookup(host, all, (error, found) => {
        // Nothing ends a lookup of the system's: what it finds after an abort goes nowhere.
        if (isAsync) this.found(host, error, found)
        else process.nextTick(() => this.found(host, error, found))
      })
    } catch (cause) {
      this.failLater(unresolved(host, cause))
    }
    isAsync = true
  }

  private found(host: string, error: Error | null, found: unknown): void {
    if (this.over || this.addresses.length > 0) return
    if (error !== null && error !== undefined) return this.fail(unresolved(host, error))
    this.addresses = Addresses.interleaved(Addresses.given(found))
    if (this.addresses.length === 0) return this.fail(unresolved(host, undefined))
    this.next()
  }

  /** The next address gets its turn, beside those that have had theirs. */
  private next(): void {
    clearTimeout(this.timer)
    const index = this.begun
    const address = this.addresses[index]
    if (address === undefined || "path" in this.to) return
    const { port } = this.to
    this.begun++
    if (this.begun < this.addresses.length) {
      this.timer = setTimeout(() => this.next(), this.options.attemptDelay ?? 250)
    }
    this.attempt({ host: address.address, port }, (cause) => this.failedAt(index, address, cause))
  }

  private failedAt(index: number, address: Addresses.Address, cause: Error): void {
    this.failures[index] = { ...address, cause }
    this.failed++
    if (this.failed === this.addresses.length) this.fail(this.reason(cause))
    else if (index === this.begun - 1) this.next()
  }

  /** The system's own error names the one address that was asked for. */
  private reason(cause: Error): Error {
    const { to } = this
    if ("path" in to || Addresses.literal(to.host) !== undefined) return cause
    return Addresses.allFailed(
      to.host,
      to.port,
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
        keepAliveInitialDelay: Math.min(Math.max(tcpKeepAlive, keepAliveMillis.min), keepAliveMillis.max)
      })
    } catch (cause) {
      return process.nextTick(() => {
        if (!this.over) onFailed(unsent(cause))
      })
    }
    this.sockets.push(socket)
    const onError = (cause: Error): void => {
      if (!this.over) onFailed(cause)
    }
    socket.on("error", onError)
    socket.once("connect", () => {
      if (this.over) return
      socket.off("error", onError)
      this.end()
      for (const other of this.sockets) if (other !== socket) other.destroy()
      this.listener.connected(socket)
    })
  }

  private end(): void {
    this.over = true
    clearTimeout(this.timer)
  }

  private fail(cause: Error): void {
    if (this.over) return
    this.end()
    this.listener.failed(unsent(cause))
  }

  private failLater(cause: Error): void {
    process.nextTick(() => this.fail(cause))
  }
}
