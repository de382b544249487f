/** The series of a metric, one for each combination of tags. */

export type Tag = readonly [name: string, value: string]

/** Effect's registry never forgets a series. Above this many, all others are one, as in OpenTelemetry's SDKs. */
const maxSeries = 2000

const overflow: ReadonlyArray<Tag> = [["otel.metric.overflow", "true"]]

let count = 0

/** Makes each series once: a program has few. */
export const byTags = <A>(make: (tags: ReadonlyArray<Tag>) => A): ((tags: ReadonlyArray<Tag>) => A) => {
  const known = new Map<string, A>()
  const series = (tags: ReadonlyArray<Tag>): A => {
    const id = tags.map(([name, value]) => `${name}=${value}`).join(";")
    const found = known.get(id)
    if (found !== undefined) return found
    if (count >= maxSeries && tags !== overflow) return series(overflow)
    const made = make(tags)
    known.set(id, made)
    count++
    return made
  }
  return series
}
