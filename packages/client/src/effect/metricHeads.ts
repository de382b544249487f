/**
 * Metrics whose tags are part of their key: tags that are added to a metric later cost a key and its hash on every update. This
 * module hides keys and labels, and how a metric is updated without an effect.
 */
import * as FiberRef from "effect/FiberRef"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import * as MetricLabel from "effect/MetricLabel"
import { byTags, type Tag } from "../shared/byTags.js"
import type { AnyFiber } from "./fibers.js"

export type Counter = Metric.Metric.Counter<number>
export type Histogram = Metric.Metric.Histogram<number>
export type Gauge = Metric.Metric.Gauge<number>

/** The tags that a fiber adds to every metric. */
export type Labels = ReadonlyArray<MetricLabel.MetricLabel>

export const labelsOf = (fiber: AnyFiber): Labels => fiber.getFiberRef(FiberRef.currentMetricLabels)

/** A metric that takes numbers, under tags of its own. */
export interface Series {
  unsafeUpdate(value: number, labels: Labels): void
}

export const update = (series: Series, value: number, labels: Labels): void =>
  series.unsafeUpdate(value, labels)

/** A series of a gauge. */
export interface GaugeSeries extends Series {
  unsafeValue(labels: Labels): { readonly value: number }
}

/** Sets a gauge to a value, unless it has a higher one. */
export const raise = (series: GaugeSeries, value: number, labels: Labels): void => {
  if (series.unsafeValue(labels).value < value) series.unsafeUpdate(value, labels)
}

/** A metric, and its series by tags. */
export interface Head<out M, out S = Series> {
  readonly metric: M
  readonly series: (tags: ReadonlyArray<Tag>) => S
}

export const counter = (name: string, description: string, incremental = false): Head<Counter> => {
  const key = incremental
    ? MetricKey.counter(name, { description, incremental: true })
    : MetricKey.counter(name, { description })
  return {
    metric: Metric.fromMetricKey(key),
    series: byTags((tags) => Metric.fromMetricKey(MetricKey.taggedWithLabels(key, labelsFrom(tags))))
  }
}

export const gauge = (name: string, description: string): Head<Gauge, GaugeSeries> => {
  const key = MetricKey.gauge(name, { description })
  return {
    metric: Metric.fromMetricKey(key),
    series: byTags((tags) => Metric.fromMetricKey(MetricKey.taggedWithLabels(key, labelsFrom(tags))))
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
    series: byTags((tags) => Metric.fromMetricKey(MetricKey.taggedWithLabels(key, labelsFrom(tags))))
  }
}

const labelsFrom = (tags: ReadonlyArray<Tag>): Labels =>
  tags.map(([name, value]) => MetricLabel.make(name, value))
