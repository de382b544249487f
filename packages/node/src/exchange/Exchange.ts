/** One exchange, whatever it is sent over: its limits, what is sent again for free, and when it is over. */
import { NativeTransport } from "@effect-api/client"
import { codedError, codeOf, explainTlsError, markNotSent, proxyStatusError } from "../shared/errors.js"
import { maxTimerMillis } from "../shared/timers.js"
import type { OutgoingRequest } from "./OutgoingRequest.js"

/** Sends exchanges: it calls {@link Exchange.onSend} as one goes out, or {@link Exchange.onNotSent}. */
export interface Sender {
  readonly send: (exchange: Exchange) => void
  /** The origin has said that it takes this request over HTTP/1.1 alone (RFC 9113, 7: HTTP_1_1_REQUIRED). */
  readonly requireHttp1?: (origin: string) => void
}

/** The place of an exchange that waits for a connection. */
export interface QueuePlace {
  /** The exchange is over: nobody waits here any more. */
  readonly leave: (isExpired: boolean) => void
  /** What to say where the limit for connecting passes. */
  readonly timeoutError: () => Error
}

/**
 * What the peer did with a request that broke. `nothing`: no byte of it was written, nor read from its body. `refused`: the peer
 * says that it has not acted on it. Else anything may have happened.
 */
export type Unprocessed = "not-written" | "refused"

/** Header names and values in turn, as they came. */
export type RawHeaders = ReadonlyArray<Buffer | string>

const limitError = (code: string): Error => codedError("a limit has passed", code)

const abortedError = codedError("the exchange was aborted", "UND_ERR_ABORTED")

const connectTimeoutError = (): Error =>
  codedError("the connection was not established in time", "UND_ERR_CONNECT_TIMEOUT")

/** How a socket dies; a limit that passes and a response that is no HTTP come from one that lives. */
const closedSocketCodes: ReadonlySet<unknown> = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"])

/** A peer that refuses again and again is the retry policy's business. */
const maxReplays = 5

const noop = (): void => undefined

/** Statuses that end at the empty line, whatever their headers say (RFC 9112, 6.3), and one that has no content (RFC 9110, 15.3.6). */
export const isBodiless = (status: number): boolean => status === 204 || status === 205 || status === 304

/** Whether the headers announce a body all the same. */
const declaresBody = (raw: RawHeaders): boolean => {
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = String(raw[index]).toLowerCase()
    if (name === "transfer-encoding" || (name === "content-length" && Number(raw[index + 1]) !== 0))
      return true
  }
  return false
}

/** What a connection tells; what comes of it is for those who extend it. None of its methods throws. */
export abstract class Exchange {
  status = 0
  rawHeaders: RawHeaders = []
  readonly outgoing: OutgoingRequest
  private resume: () => void = noop
  private isSent = false
  private isReused = false
  private replays = 0
  /** An earlier try may have reached the peer: a later one that does not cannot say that nothing was sent. */
  private mayBeProcessed = false
  /** A kept connection has died under it: those that were kept beside that one may have died too. */
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

  /** The head of the response is there. */
  protected abstract handleHead(): void
  /** `false` asks for a pause, until {@link resumeReading}. */
  protected abstract handleChunk(bytes: Buffer): boolean
  protected abstract handleEnd(): void
  /** It failed, or was aborted. */
  protected abstract handleFailure(cause: unknown): void

  /** Sends it; what comes back ends it, whatever it is doing. */
  start(): NativeTransport.Abort {
    this.send()
    return () => this.abort(abortedError)
  }

  /** It was sent before, and is sent again for free. */
  get isReplay(): boolean {
    return this.replays > 0
  }

  private send(): void {
    this.isSent = false
    this.sender.send(this)
    if (!this.isSent && !this.isOver && !this.hasLimit) this.limitConnecting(this.outgoing.timeouts.connect)
  }

  /** It waits for a connection: whoever makes it wait sets the limit. */
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
   * The request goes out now; `abort` ends it where it runs. `false`: it is over, and is not to be sent. `reused` says that the
   * connection has served before.
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

  /** Headers of a status of 200 and above: interim responses begin no limit anew (RFC 9110, 15.2). */
  onResponse(status: number, rawHeaders: RawHeaders, resume: () => void): void {
    if (this.isOver) return
    // As through a tunnel: the proxy has handed nothing on.
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

  /** A part of the body. `false` asks for a pause, until `resume` is called. */
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

  /** The end of the response. */
  onComplete(): void {
    if (this.isOver) return
    this.settle()
    try {
      this.handleEnd()
    } catch (defect) {
      this.handleFailure(new NativeTransport.Defect(defect))
    }
  }

  onBroken(cause: unknown, unprocessed?: Unprocessed): void {
    if (this.isOver) return
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

  /** There is no connection to send it over. */
  onNotSent(cause: unknown): void {
    if (this.isOver) return
    this.settle()
    this.handleFailure(this.markUnlessProcessed(cause))
  }

  private markUnlessProcessed<E>(cause: E): E | Error {
    return this.mayBeProcessed ? cause : markNotSent(cause)
  }

  /**
   * What is sent again at once, uncounted: what the peer says that it has not acted on, and a request on a kept connection that
   * the server closed while it was on its way (RFC 9112, 9.3.1; RFC 9113, 8.7).
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

  /** Somebody begins to read: what was kept until then is over. */
  protected startReading(): void {
    if (!this.isOver) this.limitIdle()
  }

  private limitIdle(): void {
    // A reader that is slow is not a server that is silent.
    this.startLimit(this.outgoing.timeouts.idle, () =>
      this.isPaused ? this.limitTimer?.refresh() : this.failWith(limitError("UND_ERR_BODY_TIMEOUT"))
    )
    this.isIdleLimited = true
  }

  protected failWith(reason: unknown): void {
    this.abort(reason instanceof Error ? reason : abortedError)
    this.handleFailure(reason)
  }

  /** Goes on behind a pause. */
  protected resumeReading(): void {
    this.isPaused = false
    if (this.isIdleLimited) this.limitTimer?.refresh()
    this.resume()
  }

  /** The one limit that is kept, at a time. Most exchanges need one timer: two limits are alike by default. */
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

  /** For the timer alone. */
  onLimitTimer(): void {
    this.onExpired()
  }

  /** No limit runs, though its timer may. */
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

  /** Ends the exchange, without a word. */
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

  /** Code of ours has thrown: no failure of the connection's. */
  private failWithDefect(defect: unknown): void {
    if (this.isOver) return
    const { abortConnection } = this
    this.settle()
    this.handleFailure(new NativeTransport.Defect(defect))
    abortConnection?.(abortedError)
  }
}

const onTimer = (exchange: Exchange): void => exchange.onLimitTimer()
