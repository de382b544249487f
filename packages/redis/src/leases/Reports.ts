/** What Redis is to hear with the next question: what requests used, and what responses reported. */
import type { SharedLimits } from "@effect-api/client"
import type { Seen } from "./messages.js"

/** A server that names new limits without end is not followed. */
const mostLimits = 20

/** Collects reports until a question takes them along. */
export class Reports {
  /** The units of the limits that a server has reported. */
  readonly units: Array<string> = []
  private corrections = new Map<string, number>()
  /** With the time of each reset. */
  private observed = new Map<string, { readonly seen: Omit<Seen, "resetMicros">; readonly resetAt: number }>()
  private readonly names = new Set<string>()

  get isEmpty(): boolean {
    return this.corrections.size === 0 && this.observed.size === 0
  }

  /** A request has used so much more of a unit, or less. */
  correct(unit: string, difference: number): void {
    this.corrections.set(unit, (this.corrections.get(unit) ?? 0) + difference)
  }

  observe(limits: ReadonlyArray<SharedLimits.Observed>, now: number): void {
    for (const { limit, name, remaining, resetMillis, unit } of limits) {
      if (resetMillis === undefined || !Number.isFinite(resetMillis)) continue
      if (!this.names.has(name) && this.names.size >= mostLimits) continue
      this.names.add(name)
      if (!this.units.includes(unit)) this.units.push(unit)
      const seen = { name, unit, limit: limit ?? remaining, remaining }
      this.observed.set(name, { seen, resetAt: now + resetMillis })
    }
  }

  /** Takes all of it, but the limits that are reset by now: a closed gate keeps reports for long. */
  take(now: number): {
    readonly corrections: Record<string, number>
    readonly observed: ReadonlyArray<Seen>
  } {
    const current = [...this.observed.values()].filter(({ resetAt }) => resetAt > now)
    const taken = {
      corrections: Object.fromEntries(this.corrections),
      observed: current.map(({ resetAt, seen }) => ({
        ...seen,
        resetMicros: Math.ceil((resetAt - now) * 1000)
      }))
    }
    this.corrections = new Map()
    this.observed = new Map()
    return taken
  }
}
