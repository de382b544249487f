/** The quotas of one key: those that the program declares, and those that the server reports. */
import { type Costs, costIn, LearnedLimits } from "./LearnedLimits.js"
import { type Entry, SlidingWindow } from "./SlidingWindow.js"
import * as ServerLimits from "./serverLimits.js"

/** A declared quota: the most of a unit in any window of so many milliseconds. */
export interface Quota {
  readonly unit: string
  readonly limit: number
  readonly millis: number
}

/** What one request has taken. */
export interface Taken {
  readonly costs: Costs
  readonly entries: ReadonlyArray<Entry>
}

/** Counts what the requests of one key cost. */
export class Quotas {
  private readonly windows: ReadonlyArray<{ readonly unit: string; readonly window: SlidingWindow }>
  private readonly learned: LearnedLimits | undefined

  constructor(quotas: ReadonlyArray<Quota>, learns: boolean) {
    this.windows = quotas.map(({ limit, millis, unit }) => ({
      unit,
      window: new SlidingWindow(limit, millis)
    }))
    this.learned = learns ? new LearnedLimits() : undefined
  }

  /** Whether it learns the limits of the server. */
  get learns(): boolean {
    return this.learned !== undefined
  }

  /** Whether the headers of a response are worth a look. */
  isDue(now: number): boolean {
    return this.learned?.isDue(now) === true
  }

  /** How long until a request fits the declared quotas, in milliseconds. */
  wait(costs: Costs, now: number): number {
    let wait = 0
    for (const { unit, window } of this.windows) wait = Math.max(wait, window.wait(costIn(costs, unit), now))
    return wait
  }

  /** How long until it fits the limits of the server. `most` is how long the client may wait on the server's word. */
  heldFor(costs: Costs, now: number, isIdle: boolean, most: number): number {
    return this.learned === undefined ? 0 : this.learned.wait(costs, now, isIdle, most)
  }

  take(costs: Costs, now: number): Taken {
    this.learned?.take(costs)
    return { costs, entries: this.windows.map(({ unit, window }) => window.take(costIn(costs, unit), now)) }
  }

  /** Takes the headers of a response. `isLast`: nothing else is in flight. `wallMillis` is for dates in them. */
  learn(headers: Readonly<Record<string, string>>, isLast: boolean, now: number, wallMillis: number): void {
    this.learned?.observe(ServerLimits.parse(headers, wallMillis), isLast, now)
  }

  /** Corrects what a request took to what it used. */
  settle(taken: Taken, used: Costs): void {
    for (const unit of new Set([...Object.keys(taken.costs), ...Object.keys(used)])) {
      const difference = (used[unit] ?? costIn(taken.costs, unit)) - costIn(taken.costs, unit)
      if (difference === 0 || !Number.isFinite(difference)) continue
      this.learned?.correct(unit, difference)
      for (const [index, quota] of this.windows.entries()) {
        const entry = taken.entries[index]
        if (quota.unit === unit && entry !== undefined) quota.window.correct(entry, difference)
      }
    }
  }

  /** Gives all of it back: the request was never sent. */
  giveBack(taken: Taken): void {
    const units = ["requests", ...Object.keys(taken.costs)]
    this.settle(taken, Object.fromEntries(units.map((unit) => [unit, 0])))
  }

  /** Whether nothing is counted, so that the key can be forgotten. */
  isEmpty(now: number): boolean {
    return this.learned?.isCurrent(now) !== true && this.windows.every(({ window }) => window.isEmpty(now))
  }
}
