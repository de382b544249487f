/** The connections of one route: who waits for one, who opens one, and which is free. */
import { setImmediate } from "node:timers"
import type { Abort, ConnectListener } from "../connect/connecting.js"
import type { Connection, ConnectionOwner } from "../exchange/Connection.js"
import type { Exchange, Sender } from "../exchange/Exchange.js"
import type { PoolSeries } from "./metricSeries.js"
import { ConnectAttempt, type Established, Waiter } from "./waiting.js"

export interface PoolOptions {
  /** The most connections, those on their way among them. */
  readonly connections: number
  /** The limit for waiting until one is free, in milliseconds; without it the exchange's own for connecting counts. */
  readonly acquireMillis: number | undefined
  /** Whether what the peer speaks shows when the first connection is established. */
  readonly mayMultiplex: boolean
  /** Where it leads to, for messages. */
  readonly name: string
  /** Establishes one. */
  readonly connect: (pool: Pool, listener: ConnectListener<Established>) => Abort
  readonly metrics: PoolSeries
  /** Nothing is left in it. */
  readonly onEmpty: (pool: Pool) => void
}

export class Pool implements Sender, ConnectionOwner {
  private waiting: Array<Waiter> = []
  private waitingCount = 0
  private readonly connections = new Set<Connection>()
  /** Those that take no more, and end with what is under way. */
  private readonly closing = new Set<Connection>()
  /** Those with room, the one used last at the end: the others get old, and close. */
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

  /** From now on the peer is offered HTTP/1.1 alone. */
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
    // One that has just died tells so in a turn of its own.
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

  /** Behind this turn: in it a connection may become free, by the very exchange whose end began this one. */
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
      // Most are served before this turn, and need no limit.
      if (waiter.waitingSince === 0) {
        waiter.waitingSince = performance.now()
        waiter.exchange.limitConnecting(acquireMillis ?? waiter.exchange.outgoing.timeouts.connect)
      }
      if (waiter.attempt === undefined && this.attempts.size < this.maxAttempts) this.startAttempt(waiter)
    }
  }

  /** How many connections may be on their way. One tells what the peer speaks; over HTTP/2 one is enough for many. */
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
    // With nothing else that could serve them, all who wait have seen it fail.
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
    // Nobody comes any more.
    if (this.isClosing) this.abortSpareAttempts()
    if (connection.freeSlots > 0) {
      if (this.isClosing) connection.close()
      else if (!this.free.includes(connection)) this.free.push(connection)
    } else this.removeFree(connection)
  }

  /** Who has waited longest, of those that it may serve. */
  private nextWaiter(connection: Connection): Waiter | undefined {
    const { connections, metrics } = this.options
    const isKept =
      connection.protocol === "http/1.1" && connection.hasServed && this.connections.size < connections
    for (let at = 0; at < this.waiting.length; at++) {
      const waiter = this.waiting[at]
      if (waiter === undefined || waiter.isOver) continue
      // One is on its way for it, or will be.
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
    // What is to come next may speak something else.
    if (this.connections.size === 0 && this.mayMultiplex) this.protocol = undefined
    if (this.waitingCount > 0) this.expandSoon()
  }

  /** The waiter is served or over. Its attempt goes on for who comes next, for as long as it would have waited. */
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

  /** More are on their way than there are who wait: those that were made for nobody else. */
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

  /** The waiter is given up: so is an attempt too many, and one that has taken too long for it. */
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

  /** Takes no more than what is in it, and closes what nobody uses. */
  close(): void {
    this.isClosing = true
    for (const connection of this.free.splice(0)) connection.close()
    this.abortSpareAttempts()
    this.checkEmpty()
  }

  /** Ends everything now. */
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
