/** The options without those that are `undefined`, so that an `undefined` does not hide a default. */
export const omitUndefined = <A extends object>(
  options: A
): { [K in keyof A]?: Exclude<A[K], undefined> } => {
  const result: { [K in keyof A]?: Exclude<A[K], undefined> } = {}
  for (const key of Object.keys(options) as Array<keyof A>) {
    const value = options[key]
    if (value !== undefined) result[key] = value as Exclude<A[keyof A], undefined>
  }
  return result
}
