/** Runs an async function on each item, so many at a time. After a failure it begins no more items. */
export const inParallel = async <A, B>(
  items: ReadonlyArray<A>,
  concurrency: number,
  run: (item: A, index: number) => Promise<B>
): Promise<ReadonlyArray<B>> => {
  const results: Array<B> = []
  // A loop that fails closes the generator, which ends the loops of the others.
  const queue = (function* () {
    yield* items.entries()
  })()
  const work = async () => {
    for (const [index, item] of queue) results[index] = await run(item, index)
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  return results
}
