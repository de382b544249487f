/** Whether the other side of a session is there: one that has died says nothing, and TCP takes a quarter of an hour to see it. */
import type { ClientHttp2Session } from "node:http2"
import { setImmediate } from "node:timers"
import { coded } from "../shared/errors.js"

/** The longest that a PING is waited for, in milliseconds. */
const longestWait = 10_000

const unanswered = (): Error =>
  coded("the server has said nothing, and has not answered a PING", "ERR_HTTP2_PING_TIMEOUT")

export class Pulse {
  /** How many times anything has come on a stream. What Node takes no more (a broken protocol) does not count. */
  heard = 0
  private heardBefore = 0
  private isRunning = false
  private silentHalves = 0
  private deadline: NodeJS.Timeout | undefined
  private readonly timer: NodeJS.Timeout
  private readonly half: number
  private readonly session: ClientHttp2Session
  private readonly onDead: (cause: Error) => void

  /** `silence` is how many milliseconds of it call for a PING. The session holds the process, not its timers. */
  constructor(session: ClientHttp2Session, silence: number, onDead: (cause: Error) => void) {
    this.session = session
    this.half = silence / 2
    this.onDead = onDead
    this.timer = setTimeout(() => this.tick(), this.half)
    this.timer.unref()
  }

  /** Exchanges run. */
  start(): void {
    this.isRunning = true
    this.heardBefore = this.heard
    this.silentHalves = 0
    this.timer.refresh()
  }

  /** None does. */
  stop(): void {
    this.isRunning = false
    this.answered()
  }

  /** The session is over. */
  end(): void {
    this.stop()
    clearTimeout(this.timer)
  }

  private tick(): void {
    if (!this.isRunning) return
    this.silentHalves = this.heard === this.heardBefore ? this.silentHalves + 1 : 0
    this.heardBefore = this.heard
    if (this.silentHalves === 2) this.ask()
    this.timer.refresh()
  }

  private ask(): void {
    this.silentHalves = 0
    if (this.session.destroyed || this.deadline !== undefined) return
    // Behind a loop that stood still, what has come in the meantime is read first.
    this.deadline = setTimeout(() => setImmediate(() => this.giveUp()), Math.min(this.half, longestWait))
    this.deadline.unref()
    this.session.ping((cause) => {
      if (cause === null) this.answered()
    })
  }

  private answered(): void {
    clearTimeout(this.deadline)
    this.deadline = undefined
  }

  private giveUp(): void {
    if (this.deadline === undefined) return
    this.deadline = undefined
    // Behind much that is on its way, a PING's acknowledgement takes its time.
    if (this.heard === this.heardBefore) this.onDead(unanswered())
  }
}
