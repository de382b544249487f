/** The limits that a server reports, kept from one response to the next. */
import type { Costs, Observed } from "./SharedLimits.js"

/** The cost of a request that names none: one request. */
export const costIn = (costs: Costs, unit: string): number => costs[unit] ?? (unit === "requests" ? 1 : 0)

/**
 * One limit. `available` is what is left of it: what the server reported, less what was sent since. `resetAt` is when the
 * server has all of it again; `undefined` until a response reports it.
 */
class Learned {
  readonly unit: string
  limit: number | undefined
  available: number
  resetAt: number | undefined
  /** The most that the server had left, for one that names no limit. */
  private most: number

  constructor({ limit, remaining, unit }: Observed) {
    this.unit = unit
    this.limit = limit
    this.available = remaining
    this.most = remaining
  }

  /**
   * Takes what a response reports. `isLast`: nothing was sent that the server may not have counted, so its number is
   * exact. Otherwise it is an upper bound.
   */
  observe({ limit, remaining, resetMillis }: Observed, isLast: boolean, now: number): void {
    this.limit = limit ?? this.limit
    this.most = Math.max(this.most, remaining)
    this.available = isLast ? remaining : Math.min(this.available, remaining)
    if (resetMillis === undefined) return
    const resetAt = now + resetMillis
    this.resetAt = isLast || this.resetAt === undefined ? resetAt : Math.max(this.resetAt, resetAt)
  }

  /** How long until a request of this cost fits. Whatever the limit, some request must find out what is left. */
  wait(cost: number, now: number, isIdle: boolean): number {
    if (this.resetAt !== undefined && now >= this.resetAt) this.refill()
    const needed = Math.min(cost, this.limit ?? this.most)
    if (this.available >= needed && this.available > 0) return 0
    if (this.resetAt !== undefined) return this.resetAt - now
    return isIdle ? 0 : Number.POSITIVE_INFINITY
  }

  /** Whether less than half is left. */
  get isLow(): boolean {
    return this.available < (this.limit ?? this.most) / 2
  }

  private refill(): void {
    this.available = this.limit ?? this.most
    this.resetAt = undefined
  }
}

/** Where plenty is left, a response in this many milliseconds is enough. */
const observedEvery = 100

/** A client that knows nothing keeps nothing, and a server that names new limits without end is not followed. */
const maxLimits = 20

/** The limits of one key. */
export class LearnedLimits {
  private readonly known = new Map<string, Learned>()
  private observedAt = Number.NEGATIVE_INFINITY

  /** Whether some limit is not full again yet. */
  isCurrent(now: number): boolean {
    for (const { resetAt } of this.known.values()) if (resetAt !== undefined && now < resetAt) return true
    return false
  }

  /** Whether the next response is worth a look: headers of every response are dear. */
  isDue(now: number): boolean {
    if (now - this.observedAt >= observedEvery) return true
    for (const limit of this.known.values()) if (limit.isLow) return true
    return false
  }

  observe(limits: ReadonlyArray<Observed>, isLast: boolean, now: number): void {
    this.observedAt = now
    for (const seen of limits) {
      let learned = this.known.get(seen.name)
      if (learned === undefined) {
        if (this.known.size >= maxLimits) continue
        learned = new Learned(seen)
        this.known.set(seen.name, learned)
      }
      learned.observe(seen, isLast, now)
    }
  }

  /** How long until a request fits all of them. A wait above `most` is not for the client to decide: the server will. */
  wait(costs: Costs, now: number, isIdle: boolean, most: number): number {
    let wait = 0
    for (const limit of this.known.values()) {
      const millis = limit.wait(costIn(costs, limit.unit), now, isIdle)
      if (millis <= most || millis === Number.POSITIVE_INFINITY) wait = Math.max(wait, millis)
    }
    return wait
  }

  take(costs: Costs): void {
    for (const limit of this.known.values()) limit.available -= costIn(costs, limit.unit)
  }

  /** Gives back what a request did not use. */
  correct(unit: string, difference: number): void {
    for (const limit of this.known.values()) if (limit.unit === unit) limit.available -= difference
  }
}
