/** Detects a dead peer by PING: TCP alone takes a quarter of an hour to notice one. */
import type { ClientHttp2Session } from "node:http2"
import type { Socket } from "node:net"
import { setImmediate } from "node:timers"
import { codedError } from "../shared/errors.js"
import { unwrittenBytes } from "./unwrittenBytes.js"

/** Maximum wait for an acknowledgement or for progress, in milliseconds. */
const maxWaitMillis = 10_000

/** Bytes that may delay a PING which is sent behind them. */
const largeUpload = 65_536

const pingTimeoutError = (): Error =>
  codedError("the server sent nothing and did not acknowledge a PING", "ERR_HTTP2_PING_TIMEOUT")

export class KeepAlivePing {
  /** Count of events on streams. */
  activity = 0
  private activityBefore = 0
  private isRunning = false
  private silentHalves = 0
  private writtenBefore = 0
  private bytesRead = 0
  private unwritten = 0
  private deadline: NodeJS.Timeout | undefined
  private readonly timer: NodeJS.Timeout
  private readonly halfMillis: number
  private readonly session: ClientHttp2Session
  private readonly socket: Socket
  private readonly onDead: (cause: Error) => void

  /** Sends a PING after `silence` milliseconds. Its timers do not keep the process alive. */
  constructor(session: ClientHttp2Session, socket: Socket, silence: number, onDead: (cause: Error) => void) {
    this.session = session
    this.socket = socket
    this.halfMillis = silence / 2
    this.onDead = onDead
    this.timer = setTimeout(() => this.tick(), this.halfMillis)
    this.timer.unref()
  }

  /** Exchanges are in flight. */
  start(): void {
    this.isRunning = true
    this.writtenBefore = this.socket.bytesWritten
    this.hasProgressed()
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
    this.silentHalves = this.isSilent() ? this.silentHalves + 1 : 0
    this.activityBefore = this.activity
    if (this.silentHalves === 2) this.sendPing()
    this.timer.refresh()
  }

  /** Behind a large upload a PING is late, so it is sent only once the upload makes no progress. */
  private isSilent(): boolean {
    if (this.activity !== this.activityBefore) return false
    if (this.deadline !== undefined) return true
    return this.socket.bytesWritten - this.writtenBefore < largeUpload || !this.hasProgressed()
  }

  private sendPing(): void {
    this.silentHalves = 0
    if (this.session.destroyed || this.deadline !== undefined) return
    this.hasProgressed()
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
    // Behind much data, the PING or its acknowledgement is late.
    if (this.hasProgressed()) return void this.deadline.refresh()
    this.deadline = undefined
    this.onDead(pingTimeoutError())
  }

  /**
   * Whether the peer has sent or taken bytes since the last call. During a long write, Node holds a PING back and reads
   * nothing. It also stops reading at a protocol error, so rejected input is no progress.
   */
  private hasProgressed(): boolean {
    const { bytesRead, unwritten } = this
    this.bytesRead = this.socket.bytesRead
    this.unwritten = unwrittenBytes(this.socket)
    // The kernel takes the first bytes even for a dead peer. Those that wait leave only if the peer takes some.
    return this.bytesRead !== bytesRead || (unwritten > 0 && this.unwritten !== unwritten)
  }
}
