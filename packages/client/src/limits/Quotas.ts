/** The quotas of one key: those that the program declares, and those that the server reports. */
import { costIn, LearnedLimits } from "./LearnedLimits.js"
import type { Costs, Counter, Observed, Requests, Taken } from "./SharedLimits.js"
import * as ServerLimits from "./serverLimits.js"

/** The requests of one key, for what counts them. */
export type OfKey = Omit<Requests, "learns" | "quotas">

/** What one request has taken. Later numbers of what it used replace earlier ones. */
class Counted {
  private readonly taken: Taken
  private readonly learned: LearnedLimits | undefined
  private costs: Costs

  constructor(costs: Costs, taken: Taken, learned: LearnedLimits | undefined) {
    this.costs = costs
    this.taken = taken
    this.learned = learned
  }

  /** Corrects what the request took to what it used. */
  settle(used: Costs): void {
    for (const unit of Object.keys(used)) {
      const difference = (used[unit] ?? 0) - costIn(this.costs, unit)
      if (difference === 0) continue
      this.learned?.correct(unit, difference)
      this.taken.correct(unit, difference)
    }
    this.costs = { ...this.costs, ...used }
  }

  /** Gives all of it back: the request was never sent. */
  giveBack(): void {
    for (const unit of new Set(["requests", ...Object.keys(this.costs)]))
      this.learned?.correct(unit, -costIn(this.costs, unit))
    this.taken.giveBack()
  }
}

export type { Counted }

/** Counts what the requests of one key cost. */
export class Quotas {
  /** The declared quotas, here or in all processes. */
  private readonly declared: Counter
  private readonly learned: LearnedLimits | undefined

  constructor(declared: Counter, learns: boolean) {
    this.declared = declared
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
    return this.declared.wait(costs, now)
  }

  /** How long until it fits the limits of the server. `most` is how long the client may wait on the server's word. */
  heldFor(costs: Costs, now: number, isIdle: boolean, most: number): number {
    return this.learned === undefined ? 0 : this.learned.wait(costs, now, isIdle, most)
  }

  take(costs: Costs, now: number): Counted {
    this.learned?.take(costs)
    return new Counted(costs, this.declared.take(costs, now), this.learned)
  }

  /** Takes the limits in the headers of a response. `isLast`: nothing else is in flight. `wallMillis` is for dates in them. */
  learn(
    headers: Readonly<Record<string, string>>,
    isLast: boolean,
    now: number,
    wallMillis: number
  ): ReadonlyArray<Observed> {
    const observed = ServerLimits.parse(headers, wallMillis)
    this.learned?.observe(observed, isLast, now)
    this.declared.observe?.(observed, now)
    return observed
  }

  /** The server has asked for a wait; this process tries again after `most`. */
  close(millis: number, most: number): void {
    this.declared.close?.(millis, most)
  }

  /** Whether nothing is counted, so that the key can be forgotten. */
  isEmpty(now: number): boolean {
    return this.learned?.isCurrent(now) !== true && this.declared.isEmpty(now)
  }

  /** The key is forgotten. */
  end(): void {
    this.declared.end?.()
  }
}
