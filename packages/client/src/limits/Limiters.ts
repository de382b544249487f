/** The limiters of a client's requests, one for each origin and key. */
import { type InvalidInput, invalid } from "../shared/invalid.js"
import { Limiter } from "./Limiter.js"
import type { Parts, Subject } from "./limiting.js"
import type { Costs } from "./SharedLimits.js"

/** Idle limiters are forgotten once there are more than this. */
const manyLimiters = 1000

/** Finds the limiter of a request. */
export class Limiters {
  readonly parts: Parts
  /** Whether every request needs a permit. Otherwise one does only where a server has asked for a wait. */
  private readonly counts: boolean
  private readonly known = new Map<string, Limiter>()
  private sweepAt = manyLimiters

  constructor(parts: Parts, counts: boolean) {
    this.parts = parts
    this.counts = counts
  }

  /** Whether nothing forbids any request. */
  get isQuiet(): boolean {
    return !this.counts && this.known.size === 0
  }

  /** The limiter of a key at an origin, where it may forbid a request. */
  find(origin: string, key: string, now: () => number): Limiter | undefined {
    const id = idOf(origin, key)
    const found = this.known.get(id)
    if (found === undefined) return this.counts ? this.make(id, now()) : undefined
    if (this.counts || !found.isIdle(now())) return found
    this.forget(id, found)
    return undefined
  }

  /** The limiter of a key at an origin. */
  get(origin: string, key: string, now: number): Limiter {
    const id = idOf(origin, key)
    return this.known.get(id) ?? this.make(id, now)
  }

  private make(id: string, now: number): Limiter {
    const { known, parts } = this
    if (known.size >= this.sweepAt) {
      for (const [id, limiter] of known) if (limiter.isIdle(now)) this.forget(id, limiter)
      this.sweepAt = Math.max(manyLimiters, 2 * known.size)
    }
    const made = new Limiter(parts, id)
    known.set(id, made)
    return made
  }

  private forget(id: string, limiter: Limiter): void {
    this.known.delete(id)
    limiter.quotas?.end()
  }

  /** The key of a request, or why it has none. */
  keyOf(subject: Subject): string | InvalidInput {
    const { key } = this.parts
    if (key === undefined) return ""
    try {
      const found: unknown = key(subject)
      return typeof found === "string" ? found : invalid("rateLimit.key", "must return a string")
    } catch (cause) {
      return { ...invalid("rateLimit.key", "threw an error"), cause }
    }
  }

  /** What a request costs, or why that is not known. */
  costsOf(subject: Subject): { readonly costs: Costs } | InvalidInput {
    const { cost } = this.parts
    if (cost === undefined) return noCosts
    try {
      const costs = cost(subject)
      return areCosts(costs)
        ? { costs }
        : invalid("rateLimit.cost", "must return numbers that are not negative")
    } catch (cause) {
      return { ...invalid("rateLimit.cost", "threw an error"), cause }
    }
  }

  /** What a request has used by its response. A function that throws leaves the estimate. */
  usageOf(value: unknown): Costs | undefined {
    try {
      const used = this.parts.usage?.(value)
      return areCosts(used) ? used : undefined
    } catch {
      return undefined
    }
  }
}

/** An origin has no space in it. */
export const idOf = (origin: string, key: string): string => `${origin} ${key}`

const noCosts: { readonly costs: Costs } = { costs: {} }

const areCosts = (costs: unknown): costs is Costs =>
  typeof costs === "object" &&
  costs !== null &&
  Object.values(costs).every(
    (cost) => typeof cost === "number" && cost >= 0 && cost < Number.POSITIVE_INFINITY
  )
