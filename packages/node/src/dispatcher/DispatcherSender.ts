/** Exchanges on a dispatcher of undici's that somebody else has made: undici 8 has one kind of handler, and 7 takes it too. */
import type { Dispatcher } from "../config/TransportOptions.js"
import type { Exchange, Sender } from "../exchange/Exchange.js"

/** Tells requests on new connections from those on kept ones. */
interface ConnectionTracker {
  readonly areNew: () => boolean
}

const trackers = new WeakMap<Dispatcher, ConnectionTracker>()

/**
 * A dispatcher says that a connection is established right before it writes the first request on it, in the same turn: what is
 * written at any other time goes over a connection that has served before. One that never says so (a `ProxyAgent` of
 * undici's) counts as new.
 */
const trackerOf = (dispatcher: Dispatcher): ConnectionTracker => {
  const known = trackers.get(dispatcher)
  if (known !== undefined) return known
  let fresh = true
  dispatcher.on?.("connect", () => {
    fresh = true
    queueMicrotask(() => {
      fresh = false
    })
  })
  const tracker: ConnectionTracker = { areNew: () => fresh }
  trackers.set(dispatcher, tracker)
  return tracker
}

/** Sends over a dispatcher. Throws where it is none: Bun's module for `undici` has classes of these names that cannot send. */
export const dispatcherSender = (dispatcher: Dispatcher): Sender => {
  if (typeof dispatcher.dispatch !== "function") {
    throw new TypeError(
      "a dispatcher must have `dispatch`; Bun's have not: use FetchTransport of @effect-api/client"
    )
  }
  const tracker = trackerOf(dispatcher)
  return {
    send: (exchange) => {
      const handler = new DispatchHandler(exchange, tracker)
      try {
        dispatcher.dispatch(exchange.outgoing, handler)
      } catch (cause) {
        handler.onFailed(cause)
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

const overError = new Error("the exchange is over")

class DispatchHandler {
  private isSent = false
  private readonly exchange: Exchange
  private readonly tracker: ConnectionTracker

  constructor(exchange: Exchange, tracker: ConnectionTracker) {
    this.exchange = exchange
    this.tracker = tracker
  }

  /** An interceptor that retries or follows redirects begins more than once. */
  onRequestStart(controller: Controller): void {
    this.isSent = true
    const abort = (reason: Error): void => controller.abort(reason)
    if (!this.exchange.onSend(abort, !this.tracker.areNew())) controller.abort(overError)
  }

  onResponseStart(controller: Controller, status: number, headers: Headers): void {
    if (status >= 200) this.exchange.onResponse(status, pairsOf(headers), () => controller.resume())
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (!this.exchange.onData(chunk)) controller.pause()
  }

  onResponseEnd(): void {
    this.exchange.onComplete()
  }

  onResponseError(_controller: unknown, cause: Error): void {
    this.onFailed(cause)
  }

  onFailed(cause: unknown): void {
    if (this.isSent) this.exchange.onBroken(cause)
    else this.exchange.onNotSent(cause)
  }
}
