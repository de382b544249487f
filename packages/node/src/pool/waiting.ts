/** Exchanges that wait for a connection, and the pending connections for them. */
import type { Socket } from "node:net"
import type { Abort, ConnectListener } from "../connect/connecting.js"
import type { Connection } from "../exchange/Connection.js"
import type { Exchange, QueuePlace } from "../exchange/Exchange.js"
import { codedError } from "../shared/errors.js"
import { maxTimerMillis } from "../shared/timers.js"

/** A connection and its socket, which have the same lifetime. */
export interface Established {
  readonly connection: Connection
  readonly socket: Socket
}

/** The part of a pool that both classes use. */
interface WaitingPool {
  /** Number of its connections. */
  readonly size: number
  readonly options: { readonly acquireMillis: number | undefined; readonly name: string }
  readonly onAbandoned: (waiter: Waiter, isExpired: boolean) => void
  readonly onConnected: (attempt: ConnectAttempt, established: Established) => void
  readonly onConnectFailed: (attempt: ConnectAttempt, cause: Error) => void
}

export class Waiter implements QueuePlace {
  /** Start of the wait; 0 if it has lasted less than a turn. */
  waitingSince = 0
  isOver = false
  attempt: ConnectAttempt | undefined
  readonly exchange: Exchange
  private readonly pool: WaitingPool

  constructor(pool: WaitingPool, exchange: Exchange) {
    this.pool = pool
    this.exchange = exchange
  }

  leave(isExpired: boolean): void {
    if (!this.isOver) this.pool.onAbandoned(this, isExpired)
  }

  timeoutError(): Error {
    const { acquireMillis, name } = this.pool.options
    const { size } = this.pool
    if (this.attempt !== undefined || (acquireMillis === undefined && size === 0)) {
      return codedError(`no connection to ${name} was established in time`, "UND_ERR_CONNECT_TIMEOUT")
    }
    const limit = acquireMillis ?? this.exchange.outgoing.timeouts.connect
    const message = `no connection to ${name} became free within ${limit} ms (${size} in use)`
    return Object.assign(codedError(message, "ERR_NO_FREE_CONNECTION"), { limit })
  }
}

/** A pending connection, for one waiter or, once detached, for any. */
export class ConnectAttempt implements ConnectListener<Established> {
  waiter: Waiter | undefined
  abort: Abort = () => undefined
  private timer: NodeJS.Timeout | undefined
  private readonly pool: WaitingPool

  constructor(pool: WaitingPool, waiter: Waiter) {
    this.pool = pool
    this.waiter = waiter
    waiter.attempt = this
  }

  /** Detaches the attempt from its waiter and gives it a timeout of its own. */
  detach(millis: number, onExpired: () => void): void {
    this.waiter = undefined
    if (Number.isFinite(millis)) this.timer = setTimeout(onExpired, Math.min(millis, maxTimerMillis))
  }

  end(): void {
    clearTimeout(this.timer)
    if (this.waiter !== undefined) this.waiter.attempt = undefined
    this.waiter = undefined
  }

  readonly connected = (established: Established): void => this.pool.onConnected(this, established)

  readonly failed = (cause: Error): void => this.pool.onConnectFailed(this, cause)
}
