/**
 * What is there right now. An array, and no `Set`: one that changes all the time makes a new table every few dozen times, each
 * old table leads to the next, and so V8's quick collections let go of none, nor of what is in them.
 */
export class LiveSet<A> {
  private readonly entries: Array<Entry<A>> = []

  get size(): number {
    return this.entries.length
  }

  /** What it returns takes the value out again. */
  add(value: A): () => void {
    const { entries } = this
    const entry = new Entry(value, entries.length)
    entries.push(entry)
    return () => {
      const { index } = entry
      if (entries[index] !== entry) return
      // The last one takes its place.
      const last = entries.pop()
      if (last === undefined || last === entry) return
      last.index = index
      entries[index] = last
    }
  }

  values(): ReadonlyArray<A> {
    return this.entries.map(({ value }) => value)
  }
}

class Entry<A> {
  readonly value: A
  index: number

  constructor(value: A, index: number) {
    this.value = value
    this.index = index
  }
}
