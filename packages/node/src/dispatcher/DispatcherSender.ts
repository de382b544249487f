/**
 * Sends exchanges over a dispatcher that the program has made. The handler is that of undici 8, which undici 7 accepts
 * as well.
 */
import type { Dispatcher } from "../config/TransportOptions.js"
import type { Exchange, Sender } from "../exchange/Exchange.js"

/** Distinguishes requests on new connections from those on kept-alive ones. */
interface ConnectionTracker {
  readonly areNew: () => boolean
}

const trackers = new WeakMap<Dispatcher, ConnectionTracker>()

/**
 * A dispatcher emits `connect` in the turn in which it writes the first request on a connection. Every other request
 * goes over a connection that has served before. If a dispatcher never emits it (such as undici's `ProxyAgent`), all
 * connections count as new.
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

/** Throws if the argument cannot dispatch: Bun's module for `undici` has such classes. */
export const dispatcherSender = (dispatcher: Dispatcher): Sender => {
  if (typeof dispatcher.dispatch !== "function") {
    throw new TypeError(
      "a dispatcher must have a `dispatch` method, which Bun's lack: use FetchTransport of @effect-api/client"
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

/** The part of undici's controller that is used. */
interface Controller {
  readonly abort: (reason: Error) => void
  readonly pause: () => void
  readonly resume: () => void
}

/** Names and values in turn. The controller's `rawHeaders` are unsuitable: they lack the changes of interceptors. */
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

  /** An interceptor that retries or follows redirects calls this more than once. */
  onRequestStart(controller: Controller): void {
    this.isSent = true
    const abort = (reason: Error): void => controller.abort(reason)
    if (!this.exchange.onSend(abort, !this.tracker.areNew())) controller.abort(overError)
  }

  onResponseStart(controller: Controller, status: number, headers: Headers): void {
    if (status >= 200) this.exchange.onResponse(status, pairsOf(headers), () => controller.resume())
  }

  /** undici 7 ends the process if the server closes the connection during a pause. */
  onResponseData(controller: Controller, chunk: Buffer): void {
    const wantsMore = this.exchange.onData(chunk)
    if (!wantsMore && !this.exchange.isWhole) controller.pause()
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
