/** One exchange over any connection: its timeouts, its free replays, and its end. */
import type { NativeTransport } from "@effect-api/client"
import { Defect } from "@effect-api/client/TransportParts"
import {
  codedError,
  codeOf,
  explainTlsError,
  markNotSent,
  proxyStatusError,
  replayError
} from "../shared/errors.js"
import { maxTimerMillis } from "../shared/timers.js"
import type { OutgoingRequest } from "./OutgoingRequest.js"

/** Sends exchanges. It calls {@link Exchange.onSend} when the request goes out, or {@link Exchange.onNotSent}. */
export interface Sender {
  readonly send: (exchange: Exchange) => void
  /** The origin accepts this request only over HTTP/1.1 (RFC 9113, 7: HTTP_1_1_REQUIRED). */
  readonly requireHttp1?: (origin: string) => void
}

/** The place of an exchange in a queue for connections. */
export interface QueuePlace {
  /** The exchange no longer waits. */
  readonly leave: (isExpired: boolean) => void
  /** The error if the connect timeout expires. */
  readonly timeoutError: () => Error
}

/**
 * Why a failed request was certainly not processed. `not-written`: no byte was written, nor read from its body.
 * `refused`: the peer reports that it did not process the request.
 */
export type Unprocessed = "not-written" | "refused"

/** Header names and values in turn, as received. */
export type RawHeaders = ReadonlyArray<Buffer | string>

const limitError = (code: string): Error => codedError("a timeout expired", code)

const abortedError = codedError("the exchange was aborted", "UND_ERR_ABORTED")

const connectTimeoutError = (): Error =>
  codedError("the connection was not established in time", "UND_ERR_CONNECT_TIMEOUT")

/** Codes of a dead socket. A timeout or an invalid response comes from a live one. */
const closedSocketCodes: ReadonlySet<unknown> = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"])

/** Beyond this, repeated refusals are left to the retry policy. */
const maxReplays = 5

const noop = (): void => undefined

/**
 * Statuses that end at the empty line regardless of their headers (RFC 9112, 6.3), and 205, which has no content (RFC
 * 9110, 15.3.6).
 */
export const isBodiless = (status: number): boolean => status === 204 || status === 205 || status === 304

/** Whether the headers declare a body anyway. */
const declaresBody = (raw: RawHeaders): boolean => {
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = String(raw[index]).toLowerCase()
    if (name === "transfer-encoding" || (name === "content-length" && Number(raw[index + 1]) !== 0))
      return true
  }
  return false
}

/** A connection calls the `on` methods, which never throw; subclasses implement the `handle` methods. */
export abstract class Exchange {
  status = 0
  rawHeaders: RawHeaders = []
  readonly outgoing: OutgoingRequest
  private resume: () => void = noop
  private isSent = false
  private isReused = false
  private replays = 0
  /** An earlier try may have reached the peer, so a later one cannot claim that nothing was sent. */
  private mayBeProcessed = false
  /** A kept-alive connection died under it, and others from the same time may be dead too. */
  needsNewConnection = false
  private isOver = false
  private abortConnection: ((reason: Error) => void) | undefined
  private place: QueuePlace | undefined
  private limitTimer: NodeJS.Timeout | undefined
  private limitMillis = 0
  private onExpired: () => void = noop
  private hasLimit = false
  private isIdleLimited = false
  private isPaused = false
  private readonly sender: Sender

  constructor(sender: Sender, outgoing: OutgoingRequest) {
    this.sender = sender
    this.outgoing = outgoing
  }

  /** The head of the response has arrived. */
  protected abstract handleHead(): void
  /** `false` requests a pause until {@link resumeReading}. */
  protected abstract handleChunk(bytes: Buffer): boolean
  protected abstract handleEnd(): void
  /** The exchange failed or was aborted. */
  protected abstract handleFailure(cause: unknown): void

  /** Starts the exchange and returns a function that aborts it at any stage. */
  start(): NativeTransport.Abort {
    this.send()
    return () => this.abort(abortedError)
  }

  /** It keeps its body, up to a limit: a connection that cannot safely pause need not. */
  get isWhole(): boolean {
    return false
  }

  /** The request is being replayed for free. */
  get isReplay(): boolean {
    return this.replays > 0
  }

  private send(): void {
    this.isSent = false
    this.sender.send(this)
    if (!this.isSent && !this.isOver && !this.hasLimit) this.limitConnecting(this.outgoing.timeouts.connect)
  }

  /** The request waits for a connection. The queue sets the timeout. */
  queueAt(place: QueuePlace): void {
    this.place = place
  }

  limitConnecting(millis: number): void {
    this.startLimit(millis, () => {
      const { place } = this
      const reason = place?.timeoutError() ?? connectTimeoutError()
      this.place = undefined
      place?.leave(true)
      this.failWith(this.markUnlessProcessed(reason))
    })
  }

  /**
   * The request is being sent; `abort` ends it on its connection. Returns `false` if the exchange is over and must not
   * be sent. `isReused`: the connection has served before.
   */
  onSend(abort: (reason: Error) => void, isReused: boolean): boolean {
    if (this.isOver) return false
    this.place = undefined
    this.isSent = true
    this.isReused = isReused
    this.abortConnection = abort
    this.startLimit(this.outgoing.timeouts.response, () =>
      this.failWith(limitError("UND_ERR_HEADERS_TIMEOUT"))
    )
    return true
  }

  /** The headers of a final response. Interim responses do not restart a timeout (RFC 9110, 15.2). */
  onResponse(status: number, rawHeaders: RawHeaders, resume: () => void): void {
    if (this.isOver) return
    // As with a tunnel: the proxy forwarded nothing.
    if (status === 407 && this.outgoing.isAbsoluteForm)
      return this.failWith(this.markUnlessProcessed(proxyStatusError(status)))
    this.status = status
    this.rawHeaders = rawHeaders
    this.resume = resume
    this.stopLimit()
    try {
      this.handleHead()
      if (this.isOver) return
      if (!isBodiless(status) || !declaresBody(rawHeaders)) {
        if (!this.hasLimit) this.limitIdle()
        return
      }
      const { abortConnection } = this
      this.settle()
      this.handleEnd()
      abortConnection?.(codedError("the response ends at its head", "UND_ERR_ABORTED"))
    } catch (defect) {
      this.failWithDefect(defect)
    }
  }

  /** A part of the body. `false` requests a pause until `resume` is called. */
  onData(chunk: Buffer): boolean {
    if (this.isOver) return true
    if (this.isIdleLimited) this.limitTimer?.refresh()
    try {
      const wantsMore = this.handleChunk(chunk)
      this.isPaused = !wantsMore
      return wantsMore
    } catch (defect) {
      this.failWithDefect(defect)
      return true
    }
  }

  /** The response is complete. */
  onComplete(): void {
    if (this.isOver) return
    this.settle()
    try {
      this.handleEnd()
    } catch (defect) {
      this.handleFailure(new Defect(defect))
    }
  }

  /** A peer that has begun to respond has processed the request, whatever it reports later. */
  onBroken(cause: unknown, reported?: Unprocessed): void {
    if (this.isOver) return
    const unprocessed = this.status === 0 ? reported : undefined
    if (unprocessed === "refused" && codeOf(cause) === "ERR_HTTP2_HTTP_1_1_REQUIRED") {
      this.sender.requireHttp1?.(this.outgoing.origin)
    }
    if (this.shouldReplay(cause, unprocessed)) {
      this.replays++
      this.clearLimitTimer()
      this.abortConnection = undefined
      return this.send()
    }
    this.settle()
    this.handleFailure(unprocessed === undefined ? explainTlsError(cause) : this.markUnlessProcessed(cause))
  }

  /** No connection could carry the request. */
  onNotSent(cause: unknown): void {
    if (this.isOver) return
    this.settle()
    this.handleFailure(this.markUnlessProcessed(cause))
  }

  private markUnlessProcessed(cause: unknown): Error {
    return this.mayBeProcessed ? replayError(cause) : markNotSent(cause)
  }

  /**
   * Whether to replay at once, uncounted: the peer did not process the request, or the server closed a kept-alive
   * connection while the request was in flight (RFC 9112, 9.3.1; RFC 9113, 8.7).
   */
  private shouldReplay(cause: unknown, unprocessed: Unprocessed | undefined): boolean {
    if (this.status !== 0 || this.replays === maxReplays) return false
    const { isReplayable, isIdempotent } = this.outgoing
    if (unprocessed === "refused") return isReplayable
    const isStale =
      unprocessed === undefined &&
      this.isReused &&
      isReplayable &&
      isIdempotent &&
      closedSocketCodes.has(codeOf(cause))
    this.mayBeProcessed ||= isStale
    this.needsNewConnection ||= isStale || unprocessed === "not-written"
    return isStale || unprocessed === "not-written"
  }

  /** A reader has started; the idle timeout replaces the earlier one. */
  protected startReading(): void {
    if (!this.isOver) this.limitIdle()
  }

  private limitIdle(): void {
    // A slow reader is not a silent server.
    this.startLimit(this.outgoing.timeouts.idle, () =>
      this.isPaused ? this.limitTimer?.refresh() : this.failWith(limitError("UND_ERR_BODY_TIMEOUT"))
    )
    this.isIdleLimited = true
  }

  protected failWith(reason: unknown): void {
    this.abort(reason instanceof Error ? reason : abortedError)
    this.handleFailure(reason)
  }

  /** Continues after a pause. */
  protected resumeReading(): void {
    this.isPaused = false
    if (this.isIdleLimited) this.limitTimer?.refresh()
    this.resume()
  }

  /** One timeout runs at a time. Two of them are equal by default, so most exchanges need a single timer. */
  protected startLimit(millis: number, onExpired: () => void): void {
    this.stopLimit()
    if (this.limitTimer === undefined || this.limitMillis !== millis) {
      this.clearLimitTimer()
      if (!Number.isFinite(millis)) return
      this.limitMillis = millis
      this.limitTimer = setTimeout(onTimer, Math.min(millis, maxTimerMillis), this)
    } else this.limitTimer.refresh()
    this.hasLimit = true
    this.onExpired = onExpired
  }

  /** Called by the timer only. */
  onLimitTimer(): void {
    this.onExpired()
  }

  /** Stops the timeout; its timer may keep running. */
  private stopLimit(): void {
    this.onExpired = noop
    this.isIdleLimited = false
    this.hasLimit = false
  }

  private clearLimitTimer(): void {
    this.stopLimit()
    if (this.limitTimer === undefined) return
    clearTimeout(this.limitTimer)
    this.limitTimer = undefined
  }

  /** Ends the exchange without notifying a subclass. */
  protected abort(reason: Error): void {
    if (this.isOver) return
    const { abortConnection, place } = this
    this.settle()
    place?.leave(false)
    abortConnection?.(reason)
  }

  private settle(): void {
    this.isOver = true
    this.place = undefined
    this.abortConnection = undefined
    this.clearLimitTimer()
  }

  /** An exception in this library is a defect, not a connection failure. */
  private failWithDefect(defect: unknown): void {
    if (this.isOver) return
    const { abortConnection } = this
    this.settle()
    this.handleFailure(new Defect(defect))
    abortConnection?.(abortedError)
  }
}

const onTimer = (exchange: Exchange): void => exchange.onLimitTimer()
