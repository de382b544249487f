/** Detects a dead peer by PING: TCP alone takes a quarter of an hour to notice one. */
import type { ClientHttp2Session } from "node:http2"
import { setImmediate } from "node:timers"
import { codedError } from "../shared/errors.js"

/** Maximum wait for an acknowledgement, in milliseconds. */
const maxWaitMillis = 10_000

const pingTimeoutError = (): Error =>
  codedError("the server sent nothing and did not acknowledge a PING", "ERR_HTTP2_PING_TIMEOUT")

export class KeepAlivePing {
  /** Count of events on streams. Input that Node rejects (a protocol error) does not count. */
  activity = 0
  private activityBefore = 0
  private isRunning = false
  private silentHalves = 0
  private deadline: NodeJS.Timeout | undefined
  private readonly timer: NodeJS.Timeout
  private readonly halfMillis: number
  private readonly session: ClientHttp2Session
  private readonly onDead: (cause: Error) => void

  /** Sends a PING after `silence` milliseconds. Its timers do not keep the process alive. */
  constructor(session: ClientHttp2Session, silence: number, onDead: (cause: Error) => void) {
    this.session = session
    this.halfMillis = silence / 2
    this.onDead = onDead
    this.timer = setTimeout(() => this.tick(), this.halfMillis)
    this.timer.unref()
  }

  /** Exchanges are in flight. */
  start(): void {
    this.isRunning = true
    this.activityBefore = this.activity
    this.silentHalves = 0
    this.timer.refresh()
  }

  /** No exchange is in flight. */
  stop(): void {
    this.isRunning = false
    this.onAcknowledged()
  }

  /** The session has ended. */
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
    // After a blocked event loop, input that has arrived meanwhile is read first.
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
    // With much data in flight, an acknowledgement may be late.
    if (this.activity === this.activityBefore) this.onDead(pingTimeoutError())
  }
}
