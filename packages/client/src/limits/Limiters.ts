/** The limiters of a client's requests, one for each origin and key. */
import type { Limiter } from "./Limiter.js"

/** Idle limiters are forgotten once there are more than this. */
const manyLimiters = 1000

/** Finds the limiter of a request. */
export class Limiters {
  private readonly makeLimiter: (id: string) => Limiter
  /** Whether every request needs a permit. Otherwise one does only where a server has asked for a wait. */
  private readonly counts: boolean
  private readonly known = new Map<string, Limiter>()
  private sweepAt = manyLimiters

  constructor(makeLimiter: (id: string) => Limiter, counts: boolean) {
    this.makeLimiter = makeLimiter
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
    const { known } = this
    if (known.size >= this.sweepAt) {
      for (const [id, limiter] of known) if (limiter.isIdle(now)) this.forget(id, limiter)
      this.sweepAt = Math.max(manyLimiters, 2 * known.size)
    }
    const made = this.makeLimiter(id)
    known.set(id, made)
    return made
  }

  private forget(id: string, limiter: Limiter): void {
    this.known.delete(id)
    limiter.end()
  }
}

/** An origin has no space in it. */
export const idOf = (origin: string, key: string): string => `${origin} ${key}`
