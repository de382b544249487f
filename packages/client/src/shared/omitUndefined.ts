type Defined<A> = { [K in keyof A]?: A[K] & ({} | null) }

/** The options without those that are `undefined`, so that an `undefined` does not hide a default. */
export const omitUndefined = <A extends object>(options: A): Defined<A> => {
  const result: Defined<A> = {}
  for (const key in options) {
    if (!Object.hasOwn(options, key)) continue
    const value = options[key]
    if (value !== undefined) result[key] = value
  }
  return result
}
