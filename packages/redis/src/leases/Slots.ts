/** The times that Redis has reserved for this process. */

/** A reserved time. */
export interface Slot {
  /** From when a request may go. */
  readonly from: number
  /** A request that goes later would bunch with those of other processes. */
  readonly until: number
  /** What is reserved, by what is counted. */
  readonly costs: ReadonlyArray<number>
  readonly grant: number
}

/** A time from before a limit was known has nothing of it. */
const covers = (slot: Slot, costs: ReadonlyArray<number>): boolean =>
  costs.every((cost, index) => cost <= (slot.costs[index] ?? 0))

/** Reserved times, the first first. */
export class Slots {
  private slots: Array<Slot> = []

  get length(): number {
    return this.slots.length
  }

  /** When the last one begins, or before all time. */
  get end(): number {
    return this.slots.at(-1)?.from ?? Number.NEGATIVE_INFINITY
  }

  add(slots: ReadonlyArray<Slot>): void {
    for (const slot of slots) this.putBack(slot)
  }

  clear(): void {
    this.slots = []
  }

  /** Forgets those that are too late: a slow reply may have brought one that ends before an earlier one does. */
  expire(now: number): void {
    if (this.slots.some(({ until }) => until < now))
      this.slots = this.slots.filter(({ until }) => until >= now)
  }

  /** The first that a request of these costs fits. */
  find(costs: ReadonlyArray<number>): Slot | undefined {
    return this.slots.find((slot) => covers(slot, costs))
  }

  /** The same, taken. */
  take(costs: ReadonlyArray<number>): Slot | undefined {
    const index = this.slots.findIndex((slot) => covers(slot, costs))
    return index < 0 ? undefined : this.slots.splice(index, 1)[0]
  }

  /** Another request can use it. */
  putBack(slot: Slot): void {
    let place = this.slots.length
    // Most come in order: the search from the end finds the place at once.
    while (place > 0 && (this.slots[place - 1]?.from ?? 0) > slot.from) place--
    this.slots.splice(place, 0, slot)
  }

  /** Takes those at the end that are of this grant, and returns what they had reserved. */
  release(grant: number): ReadonlyArray<number> | undefined {
    let kept = this.slots.length
    while (kept > 0 && this.slots[kept - 1]?.grant === grant) kept--
    const released = this.slots.splice(kept)
    if (released[0] === undefined) return undefined
    return released[0].costs.map((_, index) =>
      released.reduce((sum, { costs }) => sum + (costs[index] ?? 0), 0)
    )
  }
}
