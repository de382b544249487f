/** Who waits for a connection, and what is on its way for whom. */
import type { Socket } from "node:net"
import type { Abort, Connecting } from "../connect/connecting.js"
import type { Connection } from "../exchange/Connection.js"
import type { Exchange, Turn } from "../exchange/Exchange.js"
import { coded } from "../shared/errors.js"
import { longestTimer } from "../shared/timers.js"

/** A connection, and the socket that it lives as long as. */
export interface Established {
  readonly connection: Connection
  readonly socket: Socket
}

/** What they need of their pool. */
interface Host {
  /** How many connections it has. */
  readonly size: number
  readonly options: { readonly acquire: number | undefined; readonly name: string }
  readonly abandoned: (waiter: Waiter, passed: boolean) => void
  readonly connected: (attempt: Attempt, established: Established) => void
  readonly failed: (attempt: Attempt, cause: Error) => void
}

export class Waiter implements Turn {
  /** When it began to wait, if not only for the end of a turn. */
  since = 0
  isOver = false
  attempt: Attempt | undefined
  readonly exchange: Exchange
  private readonly pool: Host

  constructor(pool: Host, exchange: Exchange) {
    this.pool = pool
    this.exchange = exchange
  }

  leave(passed: boolean): void {
    if (!this.isOver) this.pool.abandoned(this, passed)
  }

  passed(): Error {
    const { acquire, name } = this.pool.options
    const { size } = this.pool
    if (this.attempt !== undefined || (acquire === undefined && size === 0)) {
      return coded(`no connection to ${name} was established in time`, "UND_ERR_CONNECT_TIMEOUT")
    }
    const limit = acquire ?? this.exchange.outgoing.timeouts.connect
    const message = `no connection to ${name} became free within ${limit} ms (${size} in use)`
    return Object.assign(coded(message, "ERR_NO_FREE_CONNECTION"), { limit })
  }
}

/** A connection that is on its way, for one who waits, or for nobody in particular any more. */
export class Attempt implements Connecting<Established> {
  waiter: Waiter | undefined
  abort: Abort = () => undefined
  private timer: NodeJS.Timeout | undefined
  private readonly pool: Host

  constructor(pool: Host, waiter: Waiter) {
    this.pool = pool
    this.waiter = waiter
    waiter.attempt = this
  }

  /** Nobody waits for it in particular any more. */
  goOn(millis: number, onPassed: () => void): void {
    this.waiter = undefined
    if (Number.isFinite(millis)) this.timer = setTimeout(onPassed, Math.min(millis, longestTimer))
  }

  end(): void {
    clearTimeout(this.timer)
    if (this.waiter !== undefined) this.waiter.attempt = undefined
    this.waiter = undefined
  }

  readonly connected = (established: Established): void => this.pool.connected(this, established)

  readonly failed = (cause: Error): void => this.pool.failed(this, cause)
}
