/** The connections of one route: the queue for them, the attempts to open more, and the free ones. */
import { setImmediate } from "node:timers"
import type { Abort, ConnectListener } from "../connect/connecting.js"
import type { Connection, ConnectionOwner } from "../exchange/Connection.js"
import type { Exchange, Sender } from "../exchange/Exchange.js"
import { ConnectAttempt, type Established, Waiter } from "./waiting.js"

export interface PoolOptions {
  /** Maximum number of connections, pending ones included. */
  readonly connections: number
  /** Milliseconds to wait for a free connection. By default the exchange's connect timeout covers the wait. */
  readonly acquireMillis: number | undefined
  /** Whether the first connection reveals which protocol the peer speaks. */
  readonly mayMultiplex: boolean
  /** The peer's name in error messages. */
  readonly name: string
  /** Opens a connection. */
  readonly connect: (pool: Pool, listener: ConnectListener<Established>) => Abort
  readonly metrics: PoolSeries
  /** The pool has neither connections, attempts nor waiting exchanges. */
  readonly onEmpty: (pool: Pool) => void
}

/** The series of one pool. */
export interface PoolSeries {
  /** Records how long a request waited, in milliseconds. */
  readonly recordWait: (millis: number) => void
  /** Counts a connection as opened (1) or closed (-1). */
  readonly countConnection: (protocol: "http/1.1" | "h2", change: number) => void
}

/** The series for a host and port. */
export type SeriesOf = (address: string, port: number) => PoolSeries

/** For pools whose metrics nobody can read. */
export const uncounted: SeriesOf = () => ({ recordWait: ignore, countConnection: ignore })

const ignore = (): void => undefined

export class Pool implements Sender, ConnectionOwner {
  private waiting: Array<Waiter> = []
  private waitingCount = 0
  private readonly connections = new Set<Connection>()
  /** Connections that accept no new exchanges and close after their current ones. */
  private readonly closing = new Set<Connection>()
  /** Connections with free slots, the most recently used last, so that unused ones reach their idle timeout. */
  private readonly free: Array<Connection> = []
  private readonly attempts = new Set<ConnectAttempt>()
  private protocol: Connection["protocol"] | undefined
  mayMultiplex: boolean
  maxStreams?: number
  private isExpanding = false
  private isClosing = false
  readonly options: PoolOptions

  constructor(options: PoolOptions) {
    this.options = options
    this.mayMultiplex = options.mayMultiplex
    this.protocol = options.mayMultiplex ? undefined : "http/1.1"
  }

  /** From now on only HTTP/1.1 is offered to the peer. */
  requireHttp1(): void {
    this.mayMultiplex = false
    this.protocol = "http/1.1"
    for (const connection of this.connections) if (connection.protocol === "h2") connection.close()
  }

  get size(): number {
    return this.connections.size
  }

  get isEmpty(): boolean {
    const { attempts, connections, closing } = this
    return connections.size + closing.size + attempts.size + this.waitingCount === 0
  }

  send(exchange: Exchange): void {
    let connection = this.free[this.free.length - 1]
    // A connection that has just died reports it only in the next turn.
    while (connection?.freeSlots === 0) {
      this.free.pop()
      connection = this.free[this.free.length - 1]
    }
    if (connection === undefined || exchange.needsNewConnection) return this.enqueue(exchange)
    connection.send(exchange)
    if (connection.freeSlots === 0) this.removeFree(connection)
  }

  private removeFree(connection: Connection): void {
    const at = this.free.lastIndexOf(connection)
    if (at >= 0) this.free.splice(at, 1)
  }

  private enqueue(exchange: Exchange): void {
    const waiter = new Waiter(this, exchange)
    this.waiting.push(waiter)
    this.waitingCount++
    exchange.queueAt(waiter)
    this.expandSoon()
  }

  /**
   * Runs in the next turn: a connection may become free in this one, through the exchange whose end caused this call.
   */
  private expandSoon(): void {
    if (this.isExpanding) return
    this.isExpanding = true
    setImmediate(expand, this)
  }

  expand(): void {
    this.isExpanding = false
    const { acquireMillis } = this.options
    for (const waiter of this.waiting) {
      if (waiter.isOver) continue
      // Most waiters are served before this turn and need no timeout.
      if (waiter.waitingSince === 0) {
        waiter.waitingSince = performance.now()
        waiter.exchange.limitConnecting(acquireMillis ?? waiter.exchange.outgoing.timeouts.connect)
      }
      if (waiter.attempt === undefined && this.attempts.size < this.maxAttempts) this.startAttempt(waiter)
    }
  }

  /**
   * Maximum number of pending connections. The first one reveals the protocol, and over HTTP/2 one serves many
   * exchanges.
   */
  private get maxAttempts(): number {
    const slots = this.options.connections - this.connections.size
    return Math.min(slots, this.protocol === "http/1.1" ? this.waitingCount : Math.min(this.waitingCount, 1))
  }

  private startAttempt(waiter: Waiter): void {
    const attempt = new ConnectAttempt(this, waiter)
    this.attempts.add(attempt)
    const { exchange } = waiter
    if (this.options.acquireMillis !== undefined) exchange.limitConnecting(exchange.outgoing.timeouts.connect)
    attempt.abort = this.options.connect(this, attempt)
  }

  onConnected(attempt: ConnectAttempt, { connection, socket }: Established): void {
    this.endAttempt(attempt)
    if (this.mayMultiplex) this.protocol = connection.protocol
    this.connections.add(connection)
    this.options.metrics.countConnection(connection.protocol, 1)
    socket.once("close", () => this.onSocketClosed(connection))
    this.onFree(connection)
    this.expandSoon()
  }

  onConnectFailed(attempt: ConnectAttempt, cause: Error): void {
    const { waiter } = attempt
    this.endAttempt(attempt)
    // No other connection or attempt remains, so all waiting exchanges fail.
    const isLast = this.attempts.size === 0 && this.connections.size === 0
    const failing = isLast ? this.waiting : waiter === undefined ? [] : [waiter]
    for (const each of isLast ? failing.splice(0) : failing) {
      if (each.isOver) continue
      this.dequeue(each)
      each.exchange.onNotSent(cause)
    }
    this.expandSoon()
    this.checkEmpty()
  }

  private endAttempt(attempt: ConnectAttempt): void {
    this.attempts.delete(attempt)
    attempt.end()
  }

  onFree(connection: Connection): void {
    if (!this.connections.has(connection)) return
    while (this.waitingCount > 0 && connection.freeSlots > 0) {
      const waiter = this.nextWaiter(connection)
      if (waiter === undefined) break
      connection.send(waiter.exchange)
    }
    // No further exchanges arrive.
    if (this.isClosing) this.abortSpareAttempts()
    if (connection.freeSlots > 0) {
      if (this.isClosing) connection.close()
      else if (!this.free.includes(connection)) this.free.push(connection)
    } else this.removeFree(connection)
  }

  /** The longest-waiting exchange that this connection may serve. */
  private nextWaiter(connection: Connection): Waiter | undefined {
    const { connections, metrics } = this.options
    const isKept =
      connection.protocol === "http/1.1" && connection.hasServed && this.connections.size < connections
    for (let at = 0; at < this.waiting.length; at++) {
      const waiter = this.waiting[at]
      if (waiter === undefined || waiter.isOver) continue
      // A new connection for it is pending, or will be.
      if (isKept && waiter.exchange.needsNewConnection) continue
      this.waiting.splice(at, 1)
      this.dequeue(waiter)
      if (waiter.waitingSince > 0) metrics.recordWait(performance.now() - waiter.waitingSince)
      return waiter
    }
    return undefined
  }

  private onSocketClosed(connection: Connection): void {
    this.onGone(connection)
    if (!this.closing.delete(connection)) return
    this.options.metrics.countConnection(connection.protocol, -1)
    this.checkEmpty()
  }

  onGone(connection: Connection): void {
    if (!this.connections.delete(connection)) return
    this.closing.add(connection)
    this.removeFree(connection)
    // The next connection may use another protocol.
    if (this.connections.size === 0 && this.mayMultiplex) this.protocol = undefined
    if (this.waitingCount > 0) this.expandSoon()
  }

  /** The waiter is served or over. Its attempt continues for others, up to the connect timeout. */
  private dequeue(waiter: Waiter): void {
    waiter.isOver = true
    this.waitingCount--
    if (this.waiting.length > 2 * this.waitingCount + 8) {
      this.waiting = this.waiting.filter(({ isOver }) => !isOver)
    }
    const { attempt } = waiter
    waiter.attempt = undefined
    attempt?.detach(waiter.exchange.outgoing.timeouts.connect, () => this.abortAttempt(attempt))
  }

  /** Aborts attempts in excess of the waiters, if no waiter owns them. */
  private abortSpareAttempts(): void {
    for (const attempt of this.attempts) {
      if (this.attempts.size <= this.waitingCount) return
      if (attempt.waiter === undefined) this.abortAttempt(attempt)
    }
  }

  private abortAttempt(attempt: ConnectAttempt): void {
    if (!this.attempts.delete(attempt)) return
    attempt.end()
    attempt.abort()
    if (this.waitingCount > 0) this.expandSoon()
    this.checkEmpty()
  }

  /** The waiter gave up. Its attempt is aborted if it took too long, or if it is now one too many. */
  onAbandoned(waiter: Waiter, isExpired: boolean): void {
    const { attempt } = waiter
    this.dequeue(waiter)
    if (isExpired && attempt !== undefined) this.abortAttempt(attempt)
    this.abortSpareAttempts()
    if (this.waitingCount > 0) this.expandSoon()
    this.checkEmpty()
  }

  private checkEmpty(): void {
    if (this.isEmpty) this.options.onEmpty(this)
  }

  /** Finishes what is queued and in flight, and closes unused connections. */
  close(): void {
    this.isClosing = true
    for (const connection of this.free.splice(0)) connection.close()
    this.abortSpareAttempts()
    this.checkEmpty()
  }

  /** Closes everything immediately. */
  destroy(reason: () => Error): void {
    this.isClosing = true
    for (const waiter of this.waiting.splice(0)) {
      if (waiter.isOver) continue
      this.dequeue(waiter)
      waiter.exchange.onNotSent(reason())
    }
    for (const attempt of [...this.attempts]) this.abortAttempt(attempt)
    for (const connection of [...this.connections, ...this.closing]) connection.destroy()
    this.checkEmpty()
  }
}

const expand = (pool: Pool): void => pool.expand()
