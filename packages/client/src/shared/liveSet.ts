/**
 * The live entries. An array rather than a `Set`: a `Set` under constant churn keeps rehashing, each retired table
 * points to the next, and minor collections retain them all with their elements.
 */
export class LiveSet<A> {
  private readonly entries: Array<Entry<A>> = []

  get size(): number {
    return this.entries.length
  }

  /** Adds a value; the returned function removes it. */
  add(value: A): () => void {
    const { entries } = this
    const entry = new Entry(value, entries.length)
    entries.push(entry)
    return () => {
      const { index } = entry
      if (entries[index] !== entry) return
      // The last entry moves into the gap.
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
