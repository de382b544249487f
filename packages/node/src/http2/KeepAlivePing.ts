/** Whether the other side of a session is there: one that has died says nothing, and TCP takes a quarter of an hour to see it. */
import type { ClientHttp2Session } from "node:http2"
import { setImmediate } from "node:timers"
import { codedError } from "../shared/errors.js"

/** The longest that a PING is waited for, in milliseconds. */
const maxWaitMillis = 10_000

const pingTimeoutError = (): Error =>
  codedError("the server has said nothing, and has not answered a PING", "ERR_HTTP2_PING_TIMEOUT")

export class KeepAlivePing {
  /** How many times anything has come on a stream. What Node takes no more (a broken protocol) does not count. */
  activity = 0
  private activityBefore = 0
  private isRunning = false
  private silentHalves = 0
  private deadline: NodeJS.Timeout | undefined
  private readonly timer: NodeJS.Timeout
  private readonly halfMillis: number
  private readonly session: ClientHttp2Session
  private readonly onDead: (cause: Error) => void

  /** `silence` is how many milliseconds of it call for a PING. The session holds the process, not its timers. */
  constructor(session: ClientHttp2Session, silence: number, onDead: (cause: Error) => void) {
    this.session = session
    this.halfMillis = silence / 2
    this.onDead = onDead
    this.timer = setTimeout(() => this.tick(), this.halfMillis)
    this.timer.unref()
  }

  /** Exchanges run. */
  start(): void {
    this.isRunning = true
    this.activityBefore = this.activity
    this.silentHalves = 0
    this.timer.refresh()
  }

  /** None does. */
  stop(): void {
    this.isRunning = false
    this.onAcknowledged()
  }

  /** The session is over. */
  end(): void {
    this.stop()
    clearTimeout(this.timer)
  }

  private tick(): void {
    if (!this.isRunning) return
    this.silentHalves = this.activity === this.activityBefore ? this.silentHalves + 1 : 0
    this.activityBefore = this.activity
    if (this.silentHalves === 2) this.sendPing()
    this.timer.refresh()
  }

  private sendPing(): void {
    this.silentHalves = 0
    if (this.session.destroyed || this.deadline !== undefined) return
    // Behind a loop that stood still, what has come in the meantime is read first.
    this.deadline = setTimeout(
      () => setImmediate(() => this.onDeadline()),
      Math.min(this.halfMillis, maxWaitMillis)
    )
    this.deadline.unref()
    this.session.ping((cause) => {
      if (cause === null) this.onAcknowledged()
    })
  }

  private onAcknowledged(): void {
    clearTimeout(this.deadline)
    this.deadline = undefined
  }

  private onDeadline(): void {
    if (this.deadline === undefined) return
    this.deadline = undefined
    // Behind much that is on its way, a PING's acknowledgement takes its time.
    if (this.activity === this.activityBefore) this.onDead(pingTimeoutError())
  }
}
