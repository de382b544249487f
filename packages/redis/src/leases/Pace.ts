/** The pace of a process that has lost Redis: its share of the quotas, and never all of them. */
import type { SharedLimits } from "@effect-api/client"
import { costOf } from "./costs.js"
import type { Quota } from "./messages.js"

/** One quota, shared out. */
interface Share {
  readonly quota: Quota
  /** When the next request may go. */
  next: number
  /** The most that a request has cost. */
  largest: number
}

/** Spreads requests so that all processes together keep the quotas. Times are milliseconds. */
export class Pace {
  private readonly shares: ReadonlyArray<Share>
  private members = 1
  private outage = 0

  constructor(quotas: ReadonlyArray<Quota>) {
    this.shares = quotas.map((quota) => ({ quota, next: Number.NEGATIVE_INFINITY, largest: 1 }))
  }

  /** Begins after what was reserved before, once in an outage for all who use it. So many processes share the quotas. */
  start(outage: number, members: number, after: number): void {
    const begins = outage !== this.outage
    if (begins) this.members = members
    this.outage = outage
    for (const share of this.shares)
      share.next = Math.max(share.next, after) + (begins ? this.timeOf(share, 1) : 0)
  }

  /** How long until all that was taken is past, or until a request of these costs may go: one that costs nothing waits for nobody. */
  wait(now: number, costs?: SharedLimits.Costs): number {
    return this.shares.reduce(
      (wait, { next, quota }) =>
        costs !== undefined && costOf(costs, quota.unit) <= 0 ? wait : Math.max(wait, next - now),
      0
    )
  }

  take(costs: SharedLimits.Costs, now: number): void {
    for (const share of this.shares) {
      const cost = Math.min(costOf(costs, share.quota.unit), share.quota.limit)
      if (cost <= 0) continue
      share.largest = Math.max(share.largest, cost)
      share.next = Math.max(share.next, now) + this.timeOf(share, cost)
    }
  }

  /** A request has used so much more than its costs, or less. */
  correct(unit: string, difference: number, now: number): void {
    for (const share of this.shares)
      if (share.quota.unit === unit)
        share.next = Math.max(share.next, now) + this.timeOf(share, Math.min(difference, share.quota.limit))
  }

  /**
   * How long a cost takes of this process' share. Whole units only: eight processes share 50 as 6 each. All but the last
   * request of a window fit between its ends, so room is left for the largest.
   */
  private timeOf({ largest, quota }: Share, cost: number): number {
    const { limit, toleranceMicros, windowMicros } = quota
    const part = limit / this.members
    const share = part >= 1 ? Math.max(Math.floor(part) + 1 - largest, part / 2) : part
    return (cost * (windowMicros + toleranceMicros)) / share / 1000
  }
}
