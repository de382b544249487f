/**
 * Metrics whose tags are part of their key: tags that are added to a metric later cost a key on every update. This module hides
 * attributes, and how a metric is updated without an effect.
 */
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"

export type Counter = Metric.Counter<number>
export type Histogram = Metric.Histogram<number>

export type Tag = readonly [name: string, value: string]

/** Updates a metric under tags of its own. */
export type Update = (value: number) => void

/** A metric, and its series by tags. */
export interface Head<out M> {
  readonly metric: M
  readonly series: (tags: ReadonlyArray<Tag>) => Update
}

/** Without a fiber: the attributes and the registry that a program gives to its fibers do not count. */
const noContext = Context.empty()

const updateOf =
  (series: Metric.Metric<number, unknown>): Update =>
  (value) =>
    series.updateUnsafe(value, noContext)

export const counter = (name: string, description: string): Head<Counter> => ({
  metric: Metric.counter(name, { description }),
  series: (tags) => updateOf(Metric.counter(name, { description, attributes: Object.fromEntries(tags) }))
})

export const histogram = (
  name: string,
  description: string,
  boundaries: ReadonlyArray<number>
): Head<Histogram> => {
  const options = { description, boundaries: Metric.boundariesFromIterable(boundaries) }
  return {
    metric: Metric.histogram(name, options),
    series: (tags) => updateOf(Metric.histogram(name, { ...options, attributes: Object.fromEntries(tags) }))
  }
}
