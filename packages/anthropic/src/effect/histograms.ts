/** Histograms with tags. This module hides the boundaries of a histogram, which are another type in another version of Effect. */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"

export type Histogram = Metric.Metric.Histogram<number>

/** A histogram. `@effect/opentelemetry` reads its unit from a tag of that name. */
export const make = (
  name: string,
  unit: string,
  description: string,
  boundaries: ReadonlyArray<number>
): Histogram =>
  Metric.tagged(Metric.histogram(name, MetricBoundaries.fromIterable(boundaries), description), "unit", unit)

/** Adds a value, under tags. */
export const record = (
  histogram: Histogram,
  value: number,
  tags: Readonly<Record<string, string>>
): Effect.Effect<void> =>
  Effect.asVoid(
    Metric.update(
      Object.entries(tags).reduce((metric, [name, tag]) => Metric.tagged(metric, name, tag), histogram),
      value
    )
  )
