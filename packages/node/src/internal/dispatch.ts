/** Exchanges on a dispatcher of undici's that somebody else has made. */
import type { Dispatcher } from "undici"
import type { Exchange, Sender } from "./exchange.js"

/** Tells requests on new connections from those on kept ones. */
interface Sockets {
  readonly areNew: () => boolean
}

const watched = new WeakMap<Dispatcher, Sockets>()

/**
 * A dispatcher says that a connection is established right before it writes the first request on it, in the same turn: what is
 * written at any other time goes over a connection that has served before. One that never says so (a `ProxyAgent` of
 * undici's) counts as new.
 */
const socketsOf = (dispatcher: Dispatcher): Sockets => {
  const known = watched.get(dispatcher)
  if (known !== undefined) return known
  let fresh = true
  dispatcher.on("connect", () => {
    fresh = true
    queueMicrotask(() => {
      fresh = false
    })
  })
  const sockets: Sockets = { areNew: () => fresh }
  watched.set(dispatcher, sockets)
  return sockets
}

/** Sends over a dispatcher. */
export const make = (dispatcher: Dispatcher): Sender => {
  const sockets = socketsOf(dispatcher)
  return {
    send: (exchange) => {
      const handler = new Handler(exchange, sockets)
      try {
        dispatcher.dispatch(exchange.outgoing, handler)
      } catch (cause) {
        handler.failed(cause)
      }
    }
  }
}

const over = new Error("the exchange is over")

class Handler implements Dispatcher.DispatchHandler {
  private isBegun = false
  private readonly exchange: Exchange
  private readonly sockets: Sockets

  constructor(exchange: Exchange, sockets: Sockets) {
    this.exchange = exchange
    this.sockets = sockets
  }

  onConnect(abort: (reason?: Error) => void): void {
    this.isBegun = true
    if (!this.exchange.begun(abort, !this.sockets.areNew())) abort(over)
  }

  onHeaders(status: number, rawHeaders: Array<Buffer>, resume: () => void): boolean {
    if (status >= 200) this.exchange.responded(status, rawHeaders, resume)
    return true
  }

  onData(chunk: Buffer): boolean {
    return this.exchange.received(chunk)
  }

  onComplete(): void {
    this.exchange.completed()
  }

  onError(cause: Error): void {
    this.failed(cause)
  }

  failed(cause: unknown): void {
    if (this.isBegun) this.exchange.broke(cause)
    else this.exchange.unreachable(cause)
  }
}
