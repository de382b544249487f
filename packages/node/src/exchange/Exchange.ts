/** One exchange, whatever it is sent over: its limits, what is sent again for free, and when it is over. */
import { NativeTransport } from "@effect-api/client"
import { coded, codeOf, established, refusedByProxy, unsent } from "../shared/errors.js"
import { longestTimer } from "../shared/timers.js"
import type { Outgoing } from "./OutgoingRequest.js"

/** Sends exchanges: it calls {@link Exchange.begun} as one goes out, or {@link Exchange.unreachable}. */
export interface Sender {
  readonly send: (exchange: Exchange) => void
  /** The origin has said that it takes this request over HTTP/1.1 alone (RFC 9113, 7: HTTP_1_1_REQUIRED). */
  readonly requireHttp1?: (origin: string) => void
}

/** The place of an exchange that waits for a connection. */
export interface Turn {
  /** The exchange is over: nobody waits here any more. */
  readonly leave: (passed: boolean) => void
  /** What to say where the limit for connecting passes. */
  readonly passed: () => Error
}

/**
 * What the peer did with a request that broke. `nothing`: no byte of it was written, nor read from its body. `refused`: the peer
 * says that it has not acted on it. Else anything may have happened.
 */
export type Sent = "nothing" | "refused"

/** Header names and values in turn, as they came. */
export type RawHeaders = ReadonlyArray<Buffer | string>

const passed = (code: string): Error => coded("a limit has passed", code)

const aborted = coded("the exchange was aborted", "UND_ERR_ABORTED")

const notConnected = (): Error =>
  coded("the connection was not established in time", "UND_ERR_CONNECT_TIMEOUT")

/** How a socket dies; a limit that passes and a response that is no HTTP come from one that lives. */
const deaths: ReadonlySet<unknown> = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"])

/** A peer that refuses again and again is the retry policy's business. */
const maxReplays = 5

const nothing = (): void => undefined

/** Statuses that end at the empty line, whatever their headers say (RFC 9112, 6.3), and one that has no content (RFC 9110, 15.3.6). */
export const endsAtHead = (status: number): boolean => status === 204 || status === 205 || status === 304

/** Whether the headers announce a body all the same. */
const announcesBody = (raw: RawHeaders): boolean => {
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
  readonly outgoing: Outgoing
  private resume: () => void = nothing
  private isBegun = false
  private isReused = false
  private replays = 0
  /** An earlier try may have reached the peer: a later one that does not cannot say that nothing was sent. */
  private mayHaveActed = false
  /** A kept connection has died under it: those that were kept beside that one may have died too. */
  needsNewConnection = false
  private over = false
  private abortConnection: ((reason: Error) => void) | undefined
  private turn: Turn | undefined
  private timer: NodeJS.Timeout | undefined
  private timerMillis = 0
  private onPassed: () => void = nothing
  private isExpecting = false
  private isIdleKept = false
  private isPaused = false
  private readonly sender: Sender

  constructor(sender: Sender, outgoing: Outgoing) {
    this.sender = sender
    this.outgoing = outgoing
  }

  /** The head of the response is there. */
  protected abstract head(): void
  /** `false` asks for a pause, until {@link goOn}. */
  protected abstract chunk(bytes: Buffer): boolean
  protected abstract end(): void
  /** It failed, or was aborted. */
  protected abstract failed(cause: unknown): void

  /** Sends it; what comes back ends it, whatever it is doing. */
  begin(): NativeTransport.Abort {
    this.start()
    return () => this.stop(aborted)
  }

  /** It was sent before, and is sent again for free. */
  get isReplay(): boolean {
    return this.replays > 0
  }

  private start(): void {
    this.isBegun = false
    this.sender.send(this)
    if (!this.isBegun && !this.over && !this.isExpecting)
      this.expectConnection(this.outgoing.timeouts.connect)
  }

  /** It waits for a connection: whoever makes it wait sets the limit. */
  waits(turn: Turn): void {
    this.turn = turn
  }

  expectConnection(millis: number): void {
    this.expect(millis, () => {
      const { turn } = this
      const reason = turn?.passed() ?? notConnected()
      this.turn = undefined
      turn?.leave(true)
      this.giveUp(this.sentBefore(reason))
    })
  }

  /**
   * The request goes out now; `abort` ends it where it runs. `false`: it is over, and is not to be sent. `reused` says that the
   * connection has served before.
   */
  begun(abort: (reason: Error) => void, reused: boolean): boolean {
    if (this.over) return false
    this.turn = undefined
    this.isBegun = true
    this.isReused = reused
    this.abortConnection = abort
    this.expect(this.outgoing.timeouts.response, () => this.giveUp(passed("UND_ERR_HEADERS_TIMEOUT")))
    return true
  }

  /** Headers of a status of 200 and above: interim responses begin no limit anew (RFC 9110, 15.2). */
  responded(status: number, rawHeaders: RawHeaders, resume: () => void): void {
    if (this.over) return
    // As through a tunnel: the proxy has handed nothing on.
    if (status === 407 && this.outgoing.isWhole) return this.giveUp(this.sentBefore(refusedByProxy(status)))
    this.status = status
    this.rawHeaders = rawHeaders
    this.resume = resume
    this.unlimited()
    try {
      this.head()
      if (this.over) return
      if (!endsAtHead(status) || !announcesBody(rawHeaders)) {
        if (!this.isExpecting) this.expectBody()
        return
      }
      const { abortConnection } = this
      this.settle()
      this.end()
      abortConnection?.(coded("the response ends at its head", "UND_ERR_ABORTED"))
    } catch (defect) {
      this.crash(defect)
    }
  }

  /** A part of the body. `false` asks for a pause, until `resume` is called. */
  received(chunk: Buffer): boolean {
    if (this.over) return true
    if (this.isIdleKept) this.timer?.refresh()
    try {
      const goesOn = this.chunk(chunk)
      this.isPaused = !goesOn
      return goesOn
    } catch (defect) {
      this.crash(defect)
      return true
    }
  }

  /** The end of the response. */
  completed(): void {
    if (this.over) return
    this.settle()
    try {
      this.end()
    } catch (defect) {
      this.failed(new NativeTransport.Defect(defect))
    }
  }

  broke(cause: unknown, sent?: Sent): void {
    if (this.over) return
    if (sent === "refused" && codeOf(cause) === "ERR_HTTP2_HTTP_1_1_REQUIRED") {
      this.sender.requireHttp1?.(this.outgoing.origin)
    }
    if (this.isReplayed(cause, sent)) {
      this.replays++
      this.forget()
      this.abortConnection = undefined
      return this.start()
    }
    this.settle()
    this.failed(sent === undefined ? established(cause) : this.sentBefore(cause))
  }

  /** There is no connection to send it over. */
  unreachable(cause: unknown): void {
    if (this.over) return
    this.settle()
    this.failed(this.sentBefore(cause))
  }

  private sentBefore<E>(cause: E): E | Error {
    return this.mayHaveActed ? cause : unsent(cause)
  }

  /**
   * What is sent again at once, uncounted: what the peer says that it has not acted on, and a request on a kept connection that
   * the server closed while it was on its way (RFC 9112, 9.3.1; RFC 9113, 8.7).
   */
  private isReplayed(cause: unknown, sent: Sent | undefined): boolean {
    if (this.status !== 0 || this.replays === maxReplays) return false
    const { canBeSentAgain, isIdempotent } = this.outgoing
    if (sent === "refused") return canBeSentAgain
    const isStale =
      sent === undefined && this.isReused && canBeSentAgain && isIdempotent && deaths.has(codeOf(cause))
    this.mayHaveActed ||= isStale
    this.needsNewConnection ||= isStale || sent === "nothing"
    return isStale || sent === "nothing"
  }

  /** Somebody begins to read: what was kept until then is over. */
  protected beginBody(): void {
    if (!this.over) this.expectBody()
  }

  private expectBody(): void {
    // A reader that is slow is not a server that is silent.
    this.expect(this.outgoing.timeouts.idle, () =>
      this.isPaused ? this.timer?.refresh() : this.giveUp(passed("UND_ERR_BODY_TIMEOUT"))
    )
    this.isIdleKept = true
  }

  protected giveUp(reason: unknown): void {
    this.stop(reason instanceof Error ? reason : aborted)
    this.failed(reason)
  }

  /** Goes on behind a pause. */
  protected goOn(): void {
    this.isPaused = false
    if (this.isIdleKept) this.timer?.refresh()
    this.resume()
  }

  /** The one limit that is kept, at a time. Most exchanges need one timer: two limits are alike by default. */
  protected expect(millis: number, onPassed: () => void): void {
    this.unlimited()
    if (this.timer === undefined || this.timerMillis !== millis) {
      this.forget()
      if (!Number.isFinite(millis)) return
      this.timerMillis = millis
      this.timer = setTimeout(onTimer, Math.min(millis, longestTimer), this)
    } else this.timer.refresh()
    this.isExpecting = true
    this.onPassed = onPassed
  }

  /** For the timer alone. */
  limitPassed(): void {
    this.onPassed()
  }

  /** No limit runs, though its timer may. */
  private unlimited(): void {
    this.onPassed = nothing
    this.isIdleKept = false
    this.isExpecting = false
  }

  private forget(): void {
    this.unlimited()
    if (this.timer === undefined) return
    clearTimeout(this.timer)
    this.timer = undefined
  }

  /** Ends the exchange, without a word. */
  protected stop(reason: Error): void {
    if (this.over) return
    const { abortConnection, turn } = this
    this.settle()
    turn?.leave(false)
    abortConnection?.(reason)
  }

  private settle(): void {
    this.over = true
    this.turn = undefined
    this.abortConnection = undefined
    this.forget()
  }

  /** Code of ours has thrown: no failure of the connection's. */
  private crash(defect: unknown): void {
    if (this.over) return
    const { abortConnection } = this
    this.settle()
    this.failed(new NativeTransport.Defect(defect))
    abortConnection?.(aborted)
  }
}

const onTimer = (exchange: Exchange): void => exchange.limitPassed()
