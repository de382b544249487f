/** The requests of one key under limits of the program: how many at once, how many may wait, and quotas. */
import * as Limiter from "../limits/Limiter.js"
import type { OfKey, Quotas } from "../limits/Quotas.js"
import type { Costs, Observed } from "../limits/SharedLimits.js"

/** The settings of a limiter. `quotas` makes what counts the requests of one key. */
export interface Settings {
  readonly concurrency: number
  readonly maxQueue: number
  readonly quotas: ((requests: OfKey) => Quotas) | undefined
}

/** Lets the requests of one key go, in the order in which they came, within the limits. */
export class QuotaLimiter extends Limiter.Limiter {
  private readonly settings: Settings
  private readonly quotas: Quotas | undefined
  /** Whether a response has come: the first one reports the server's limits. */
  private isHeard: boolean

  constructor(settings: Settings, key: string) {
    super()
    this.settings = settings
    this.quotas = settings.quotas?.(this.ofKey(key))
    this.isHeard = this.quotas?.learns !== true
    if (!this.isHeard) this.pace = 1
  }

  override join(permit: Limiter.Permit): number | undefined {
    const { length } = this.queue
    return length >= this.settings.maxQueue ? length : super.join(permit)
  }

  override close(millis: number, most: number, now: number): number {
    const longer = super.close(millis, most, now)
    this.quotas?.close(millis, most)
    return longer
  }

  override responded(permit: Limiter.Permit, isWelcome: boolean, now: number): void {
    if (!permit.hasResponse && permit.state === "taken") this.isHeard = true
    super.responded(permit, isWelcome, now)
  }

  override isIdle(now: number): boolean {
    return super.isIdle(now) && (this.quotas === undefined || this.quotas.isEmpty(now))
  }

  override end(): void {
    this.quotas?.end()
  }

  override admit(permit: Limiter.Permit, now: number): void {
    permit.taken = this.quotas?.take(permit.costs, now)
    super.admit(permit, now)
  }

  /** Corrects the estimate of a permit to what its request has used. Later numbers replace earlier ones. */
  settle({ taken }: Limiter.Permit, used: Costs): void {
    if (taken === undefined) return
    taken.settle(used)
    this.wakeFirst()
  }

  /** Whether the headers of a response are worth a look. */
  isDue(now: number): boolean {
    return this.quotas?.isDue(now) === true
  }

  /** Takes the limits that the response of a permit reports, and returns them. */
  learn(
    { hasResponse }: Limiter.Permit,
    headers: Readonly<Record<string, string>>,
    now: number,
    wallMillis: number
  ): ReadonlyArray<Observed> {
    const isLast = this.withoutResponse === (hasResponse ? 0 : 1)
    return this.quotas?.learn(headers, isLast, now, wallMillis) ?? []
  }

  protected override exactDelay(permit: Limiter.Permit, now: number): number {
    const { quotas, withoutResponse } = this
    if (now >= this.opensAt && this.inFlight >= this.settings.concurrency) return Number.POSITIVE_INFINITY
    const paced = super.exactDelay(permit, now)
    if (paced !== 0 || quotas === undefined) return paced
    const { costs, maxHeld } = permit
    const held = quotas.heldFor(costs, now, withoutResponse === 0, maxHeld)
    if (held === 0) return quotas.wait(costs, now)
    // The server's reset may be rounded: the first request after it finds out.
    if (this.pace === Number.POSITIVE_INFINITY && held !== this.pace) {
      this.pace = 1
      this.pacedSince = now + held
    }
    return held
  }

  protected override allowed(now: number): number {
    return this.isHeard ? super.allowed(now) : this.pace
  }

  protected override untilMore(now: number): number {
    return this.isHeard ? super.untilMore(now) : Number.POSITIVE_INFINITY
  }

  /** What a counter knows of these requests. */
  private ofKey(key: string): OfKey {
    return {
      key,
      waiting: (most) => {
        const free = this.settings.concurrency - this.inFlight
        return this.queue.slice(0, Math.max(0, Math.min(most, free))).map(({ costs }) => costs)
      },
      changed: () => this.wakeFirst(),
      closed: (millis, most, now) => this.shut(millis, most, now)
    }
  }
}
