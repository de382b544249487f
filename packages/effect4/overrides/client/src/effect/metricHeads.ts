/**
 * Metrics whose tags are their own: tags that are added to a metric later cost a merge of tags on every update. This module
 * hides keys and attributes, and how a metric is updated without an effect.
 */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import { byTags, type Tag } from "../shared/byTags.js"
import type { AnyFiber } from "./fibers.js"

export type Counter = Metric.Counter<number>
export type Histogram = Metric.Histogram<number>
export type Gauge = Metric.Gauge<number>

/** The tags that a fiber adds to every metric: they are in its context. */
export type Labels = Context.Context<never>

export const labelsOf = (fiber: AnyFiber): Labels => fiber.context

/** A metric that takes numbers, under tags of its own. */
export interface Series {
  updateUnsafe(value: number, labels: Labels): void
}

export const update = (series: Series, value: number, labels: Labels): void =>
  series.updateUnsafe(value, labels)

/** A series of a gauge. */
export interface GaugeSeries extends Series {
  valueUnsafe(labels: Labels): { readonly value: number }
}

/** Sets a gauge to a value, unless it has a higher one. */
export const raise = (series: GaugeSeries, value: number, labels: Labels): void => {
  if (series.valueUnsafe(labels).value < value) series.updateUnsafe(value, labels)
}

/** A metric, and its series by tags. */
export interface Head<out M, out S = Series> {
  readonly metric: M
  readonly series: (tags: ReadonlyArray<Tag>) => S
}

export const counter = (name: string, description: string, incremental = false): Head<Counter> => {
  const options = { description, incremental }
  return {
    metric: Metric.counter(name, options),
    series: byTags((tags) => Metric.counter(name, { ...options, attributes: Object.fromEntries(tags) }))
  }
}

export const gauge = (name: string, description: string): Head<Gauge, GaugeSeries> => ({
  metric: Metric.gauge(name, { description }),
  series: byTags((tags) => Metric.gauge(name, { description, attributes: Object.fromEntries(tags) }))
})

export const histogram = (
  name: string,
  description: string,
  boundaries: ReadonlyArray<number>
): Head<Histogram> => {
  const options = { description, boundaries }
  return {
    metric: Metric.histogram(name, options),
    series: byTags((tags) => Metric.histogram(name, { ...options, attributes: Object.fromEntries(tags) }))
  }
}
