/** Where what was made is kept. */
interface Known<in K, in out V> {
  readonly get: (key: K) => V | undefined
  readonly set: (key: K, made: V) => unknown
}

/** A function that makes each thing once; for an object that may go, `known` is a `WeakMap`. */
export const memo =
  <K, V>(known: Known<K, V>, make: (key: K) => V): ((key: K) => V) =>
  (key) => {
    const found = known.get(key)
    if (found !== undefined) return found
    const made = make(key)
    known.set(key, made)
    return made
  }
