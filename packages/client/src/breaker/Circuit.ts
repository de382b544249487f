/**
 * The circuit of one origin and key: plain state that its caller moves with the time.
 *
 * Times are milliseconds of a monotonic clock, but for `since`, which is in milliseconds since the epoch.
 */
import type * as ApiError from "../errors/ApiError.js"
import { backoffMillis } from "../retry/decisions.js"
import { Outcomes } from "./Outcomes.js"

/** The settings of a circuit. */
export interface Settings {
  readonly consecutiveFailures: number
  readonly failureRate: number
  readonly minimumCalls: number
  readonly windowMillis: number
  readonly openMillis: number
  readonly maxOpenMillis: number
  readonly jitter: number
  readonly probes: number
}

/** The place of an attempt that finds out whether the server is well again. */
export class Probe {
  readonly circuit: Circuit
  readonly round: number
  isOver = false

  constructor(circuit: Circuit, round: number) {
    this.circuit = circuit
    this.round = round
  }
}

/** How a server failed, and for how long it asks to be left alone, in milliseconds. */
export interface Failure {
  readonly error: ApiError.ApiError | undefined
  readonly hint: number
  /** The time of the program's clock. */
  readonly wall: number
}

export class Circuit {
  /** How the server failed last. */
  lastFailure: ApiError.ApiError | undefined
  /** When the circuit opened, after it had been closed. */
  since = 0
  /** Runs once, when the circuit is closed or forgotten. */
  onClosed: (() => void) | undefined
  private state: "closed" | "open" | "half-open" = "closed"
  private readonly settings: Settings
  private outcomes: Outcomes
  private inARow = 0
  /** How often it has opened without being well for long, and for how long the last time. */
  private openings = 0
  private wait = 0
  /** The wait that the server has asked for: jitter does not shorten that. */
  private least = 0
  private isExact = true
  /** When it was closed last. What began before that belongs to the outage. */
  private closedAt = Number.NEGATIVE_INFINITY
  private probeAt = 0
  /** The probes since it is half open. Those of earlier rounds are ignored. */
  private round = 0
  private inFlight = 0
  private succeeded = 0

  constructor(settings: Settings) {
    this.settings = settings
    this.outcomes = new Outcomes(settings.windowMillis)
  }

  get isClosed(): boolean {
    return this.state === "closed"
  }

  get isHalfOpen(): boolean {
    return this.state === "half-open"
  }

  /** Whether it knows nothing that a new one would not. */
  isIdle(now: number): boolean {
    return (
      this.isClosed &&
      this.inARow === 0 &&
      now - this.closedAt >= this.wait &&
      this.outcomes.count(now).failed === 0
    )
  }

  /** How long until an attempt may go, in milliseconds; 0 if it may go now. */
  delay(now: number): number {
    if (this.isClosed || (this.isHalfOpen && this.inFlight < this.places)) return 0
    return Math.max(0, this.probeAt - now)
  }

  /** Admits a probe; `undefined` if the circuit is closed. The caller has seen that there is no delay. */
  enter(now: number): Probe | undefined {
    if (this.isClosed) return undefined
    if (!this.isHalfOpen) {
      this.state = "half-open"
      this.round++
      this.inFlight = 0
      this.succeeded = 0
    }
    this.inFlight++
    // A probe that hangs must not keep the others out for ever.
    this.probeAt = now + this.wait
    return new Probe(this, this.round)
  }

  /** Whether the wait for the next probe is still without jitter. */
  get isUnjittered(): boolean {
    return !this.isExact
  }

  /** Shortens the wait by the share that `random`, in [0, 1), gives. */
  shorten(random: number): void {
    if (this.isExact) return
    this.isExact = true
    this.probeAt -= Math.min(this.wait * this.settings.jitter * random, this.wait - this.least)
  }

  /** An attempt that was no probe has succeeded. */
  succeed(begunAt: number, now: number): void {
    if (!this.isClosed || begunAt < this.closedAt) return
    this.inARow = 0
    this.outcomes.add(false, now)
  }

  /** An attempt that was no probe has failed. True if the circuit opens. */
  fail(failure: Failure, begunAt: number, now: number): boolean {
    if (!this.isClosed || begunAt < this.closedAt) return false
    const { consecutiveFailures, failureRate, minimumCalls } = this.settings
    this.inARow++
    this.outcomes.add(true, now)
    this.lastFailure = failure.error
    const { all, failed } = this.outcomes.count(now)
    if (this.inARow < consecutiveFailures && !(all >= minimumCalls && failed >= failureRate * all))
      return false
    // It was well for as long as it had been open: this is another outage.
    if (now - this.closedAt >= this.wait) this.openings = 0
    this.since = failure.wall
    this.open(failure, now)
    return true
  }

  /** A probe has shown that the server is well. */
  probeSucceeded(probe: Probe, now: number): void {
    if (!this.leave(probe)) return
    this.succeeded++
    if (this.succeeded >= this.settings.probes) this.close(now)
  }

  probeFailed(probe: Probe, failure: Failure, now: number): void {
    if (!this.leave(probe)) return
    this.lastFailure = failure.error
    this.open(failure, now)
  }

  /** Gives the place of a probe back. False if it was given back before, or is ignored. */
  leave(probe: Probe): boolean {
    if (probe.isOver) return false
    probe.isOver = true
    if (!this.isHalfOpen || probe.round !== this.round) return false
    this.inFlight--
    return true
  }

  /** It is closed, or forgotten. */
  release(): void {
    this.onClosed?.()
    this.onClosed = undefined
  }

  private get places(): number {
    return this.succeeded === 0 ? 1 : this.settings.probes - this.succeeded
  }

  private open({ hint }: Failure, now: number): void {
    const { maxOpenMillis, openMillis } = this.settings
    const backoff = { initialMillis: openMillis, maxMillis: maxOpenMillis, jitter: 0 }
    this.state = "open"
    this.least = Math.min(hint, maxOpenMillis)
    this.wait = Math.max(backoffMillis(backoff, this.openings, 0), this.least)
    this.openings++
    this.isExact = this.least === this.wait
    this.probeAt = now + this.wait
  }

  private close(now: number): void {
    this.state = "closed"
    this.closedAt = now
    this.inARow = 0
    this.outcomes = new Outcomes(this.settings.windowMillis)
    this.release()
  }
}
