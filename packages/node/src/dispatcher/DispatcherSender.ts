/** Exchanges on a dispatcher of undici's that somebody else has made: undici 8 has one kind of handler, and 7 takes it too. */
import type { Dispatcher } from "../config/TransportOptions.js"
import type { Exchange, Sender } from "../exchange/Exchange.js"

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
  dispatcher.on?.("connect", () => {
    fresh = true
    queueMicrotask(() => {
      fresh = false
    })
  })
  const sockets: Sockets = { areNew: () => fresh }
  watched.set(dispatcher, sockets)
  return sockets
}

/** Sends over a dispatcher. Throws where it is none: Bun's module for `undici` has classes of these names that cannot send. */
export const make = (dispatcher: Dispatcher): Sender => {
  if (typeof dispatcher.dispatch !== "function") {
    throw new TypeError(
      "a dispatcher must have `dispatch`; Bun's have not: use FetchTransport of @effect-api/client"
    )
  }
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

type Headers = Readonly<Record<string, unknown>>

/** What of undici's controller is asked. */
interface Controller {
  readonly abort: (reason: Error) => void
  readonly pause: () => void
  readonly resume: () => void
}

/**
 * Names and values in turn. What stands beside them as it came, `rawHeaders` of the controller, is not what an interceptor
 * has made of them.
 */
const pairsOf = (headers: Headers): ReadonlyArray<string> => {
  const pairs: Array<string> = []
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (Array.isArray(value)) for (const one of value) pairs.push(name, String(one))
    else if (value !== undefined) pairs.push(name, String(value))
  }
  return pairs
}

const over = new Error("the exchange is over")

class Handler {
  private isBegun = false
  private readonly exchange: Exchange
  private readonly sockets: Sockets

  constructor(exchange: Exchange, sockets: Sockets) {
    this.exchange = exchange
    this.sockets = sockets
  }

  /** An interceptor that retries or follows redirects begins more than once. */
  onRequestStart(controller: Controller): void {
    this.isBegun = true
    const abort = (reason: Error): void => controller.abort(reason)
    if (!this.exchange.begun(abort, !this.sockets.areNew())) controller.abort(over)
  }

  onResponseStart(controller: Controller, status: number, headers: Headers): void {
    if (status >= 200) this.exchange.responded(status, pairsOf(headers), () => controller.resume())
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (!this.exchange.received(chunk)) controller.pause()
  }

  onResponseEnd(): void {
    this.exchange.completed()
  }

  onResponseError(_controller: unknown, cause: Error): void {
    this.failed(cause)
  }

  failed(cause: unknown): void {
    if (this.isBegun) this.exchange.broke(cause)
    else this.exchange.unreachable(cause)
  }
}
