/**
 * A quota over a sliding window: whatever happens, no window of this length holds more than the limit. That keeps a
 * client within fixed windows, sliding windows and token buckets of the same numbers alike.
 */

/** What one request took. `from` is when the entry began, `at` when its last request was counted. */
interface Entry {
  readonly from: number
  at: number
  cost: number
}

/** More entries than that share: an entry then covers this fraction of the window, counted from its end. */
const maxEntries = 512

/** Counts the costs of the requests of a window. Times are milliseconds of a monotonic clock. */
export class SlidingWindow {
  readonly limit: number
  private readonly millis: number
  private entries: Array<Entry> = []
  private used = 0

  constructor(limit: number, millis: number) {
    this.limit = limit
    this.millis = millis
  }

  /** How long until a request of this cost fits, in milliseconds. One above the limit waits for an empty window. */
  wait(cost: number, now: number): number {
    this.expire(now)
    const room = this.limit - Math.min(cost, this.limit)
    let used = this.used
    if (used <= room) return 0
    for (const entry of this.entries) {
      used -= entry.cost
      if (used <= room) return entry.at + this.millis - now
    }
    return 0
  }

  /** Counts a request. The entry that it returns can be corrected while it counts. */
  take(cost: number, now: number): Entry {
    this.used += cost
    const last = this.entries.at(-1)
    if (last !== undefined && (last.at === now || now - last.from < this.resolution)) {
      last.at = now
      last.cost += cost
      return last
    }
    const entry = { from: now, at: now, cost }
    this.entries.push(entry)
    return entry
  }

  /** Corrects what a request took, unless its window has passed. */
  correct(entry: Entry, difference: number): void {
    if (!this.entries.includes(entry)) return
    entry.cost += difference
    this.used += difference
  }

  /** Whether nothing counts any more. */
  isEmpty(now: number): boolean {
    this.expire(now)
    return this.entries.length === 0
  }

  private get resolution(): number {
    return this.entries.length < maxEntries ? 0 : this.millis / maxEntries
  }

  private expire(now: number): void {
    const { entries, millis } = this
    let gone = 0
    for (const entry of entries) {
      if (entry.at + millis > now) break
      this.used -= entry.cost
      gone++
    }
    if (gone === 0) return
    // In one step, or the next: the sum of many fractions drifts.
    entries.splice(0, gone)
    if (entries.length === 0) this.used = 0
  }
}

export type { Entry }
