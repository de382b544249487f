/** The declared quotas of one key, counted in this process. */
import { costIn } from "./LearnedLimits.js"
import type { Costs, Counter, Quota, Taken } from "./SharedLimits.js"
import { type Entry, SlidingWindow } from "./SlidingWindow.js"

/** Counts by sliding windows. */
export class Windows implements Counter {
  readonly windows: ReadonlyArray<{ readonly unit: string; readonly window: SlidingWindow }>

  constructor(quotas: ReadonlyArray<Quota>) {
    this.windows = quotas.map(({ limit, millis, unit }) => ({
      unit,
      window: new SlidingWindow(limit, millis)
    }))
  }

  wait(costs: Costs, now: number): number {
    let wait = 0
    for (const { unit, window } of this.windows) wait = Math.max(wait, window.wait(costIn(costs, unit), now))
    return wait
  }

  take(costs: Costs, now: number): Taken {
    return new Entries(
      this.windows,
      costs,
      this.windows.map(({ unit, window }) => window.take(costIn(costs, unit), now))
    )
  }

  isEmpty(now: number): boolean {
    return this.windows.every(({ window }) => window.isEmpty(now))
  }
}

/** What one request took of each window. */
class Entries implements Taken {
  private readonly windows: Windows["windows"]
  private readonly costs: Costs
  private readonly entries: ReadonlyArray<Entry>

  constructor(windows: Windows["windows"], costs: Costs, entries: ReadonlyArray<Entry>) {
    this.windows = windows
    this.costs = costs
    this.entries = entries
  }

  correct(unit: string, difference: number): void {
    for (const [index, { unit: counted, window }] of this.windows.entries()) {
      const entry = this.entries[index]
      if (counted === unit && entry !== undefined) window.correct(entry, difference)
    }
  }

  giveBack(): void {
    for (const { unit } of this.windows) this.correct(unit, -costIn(this.costs, unit))
  }
}
