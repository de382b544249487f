/** What is sent: a request as undici's dispatcher takes it, and what else is on its way to the same origin. */
import type { Timeouts } from "@effect-api/client"
import type { Dispatcher } from "undici"

/** undici's timers tick every half second, and cost nothing: a limit that is short beside that is kept here. */
const fine = 5_000

export const isFine = (millis: number): boolean => millis < fine

const coarseLimitOf = (millis: number): number =>
  isFine(millis) || !Number.isFinite(millis) ? 0 : Math.ceil(millis)

/** What goes to the dispatcher, ready but for the handler. */
export class Outgoing implements Dispatcher.DispatchOptions {
  readonly origin: string
  readonly path: string
  readonly method: Dispatcher.HttpMethod
  headers: Array<string>
  body: NonNullable<Dispatcher.DispatchOptions["body"]> | null
  /** undici's own timers keep these two; what is endless, or kept here, is zero there. */
  readonly headersTimeout: number
  readonly bodyTimeout: number
  readonly timeouts: Timeouts.Timeouts
  /** What is on its way to the same origin. */
  readonly others: Origin

  constructor(
    origin: string,
    path: string,
    method: Dispatcher.HttpMethod,
    headers: Array<string>,
    body: NonNullable<Dispatcher.DispatchOptions["body"]> | null,
    timeouts: Timeouts.Timeouts,
    others: Origin
  ) {
    this.origin = origin
    this.path = path
    this.method = method
    this.headers = headers
    this.body = body
    this.timeouts = timeouts
    this.headersTimeout = coarseLimitOf(timeouts.response)
    this.bodyTimeout = coarseLimitOf(timeouts.idle)
    this.others = others
  }

  /** Lets go of what will not be sent again. */
  release(): void {
    this.headers = nothingToSend
    this.body = null
  }

  /** A second try does no harm: the method is idempotent and the body can be sent again. */
  get isRepeatable(): boolean {
    const { body, method } = this
    return idempotent.has(method) && (body === null || typeof body === "string" || body instanceof Uint8Array)
  }
}

const nothingToSend: Array<string> = []

/** RFC 9110, 9.2.2. */
const idempotent: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"])

/**
 * How many exchanges there are with one origin. Numbers, and no `Set` of them: one that changes all the time makes a new table
 * every few dozen times, each old table leads to the next, and so V8's quick collections let go of none, nor of what is in
 * them.
 */
export class Origin {
  private underWay = 0
  private connected = 0
  private readonly connections: number

  constructor(connections: number) {
    this.connections = connections
  }

  get isIdle(): boolean {
    return this.underWay === 0
  }

  /** Every connection that there may be is taken: who comes now waits for a turn, not for a connection to stand. */
  get isTaken(): boolean {
    return this.connected >= this.connections
  }

  enter(): void {
    this.underWay++
  }

  connect(): void {
    this.connected++
  }

  disconnect(): void {
    this.connected--
  }

  leave(): void {
    this.underWay--
  }
}
