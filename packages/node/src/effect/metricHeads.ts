/**
 * Metrics whose tags are part of their key: tags that are added to a metric later cost a key and its hash on every update. This
 * module hides keys and labels, and how a metric is updated without an effect.
 */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import * as MetricLabel from "effect/MetricLabel"

export type Counter = Metric.Metric.Counter<number>
export type Histogram = Metric.Metric.Histogram<number>

export type Tag = readonly [name: string, value: string]

/** Updates a metric under tags of its own. */
export type Update = (value: number) => void

/** A metric, and its series by tags. */
export interface Head<out M> {
  readonly metric: M
  readonly series: (tags: ReadonlyArray<Tag>) => Update
}

const labelsOf = (tags: ReadonlyArray<Tag>): ReadonlyArray<MetricLabel.MetricLabel> =>
  tags.map(([name, value]) => MetricLabel.make(name, value))

export const counter = (name: string, description: string): Head<Counter> => {
  const key = MetricKey.counter(name, { description })
  return {
    metric: Metric.fromMetricKey(key),
    series: (tags) => {
      const series = Metric.fromMetricKey(MetricKey.taggedWithLabels(key, labelsOf(tags)))
      return (value) => series.unsafeUpdate(value, [])
    }
  }
}

export const histogram = (
  name: string,
  description: string,
  boundaries: ReadonlyArray<number>
): Head<Histogram> => {
  const key = MetricKey.histogram(name, MetricBoundaries.fromIterable(boundaries), description)
  return {
    metric: Metric.fromMetricKey(key),
    series: (tags) => {
      const series = Metric.fromMetricKey(MetricKey.taggedWithLabels(key, labelsOf(tags)))
      return (value) => series.unsafeUpdate(value, [])
    }
  }
}
