/** A store of results. */
interface Known<in K, in out V> {
  readonly get: (key: K) => V | undefined
  readonly set: (key: K, made: V) => unknown
}

/** A map of limited size that drops its oldest entry: for keys that a server or a user chooses. */
export class Bounded<K, V> implements Known<K, V> {
  private readonly known = new Map<K, V>()
  private readonly limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  get(key: K): V | undefined {
    return this.known.get(key)
  }

  set(key: K, made: V): void {
    const { known, limit } = this
    const [oldest] = known.keys()
    if (oldest !== undefined && known.size >= limit && !known.has(key)) known.delete(oldest)
    known.set(key, made)
  }
}

/** A function that computes each result once. For keys that may be collected, `known` is a `WeakMap`. */
export const memo =
  <K, V>(known: Known<K, V>, make: (key: K) => V): ((key: K) => V) =>
  (key) => {
    const found = known.get(key)
    if (found !== undefined) return found
    const made = make(key)
    known.set(key, made)
    return made
  }
