/** Histograms with tags. This module hides the boundaries of a histogram, which are another type in another version of Effect. */
import type * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

export type Histogram = Metric.Histogram<number>

/** A histogram. The exporters of OpenTelemetry read its unit from an attribute of that name. */
export const make = (
  name: string,
  unit: string,
  description: string,
  boundaries: ReadonlyArray<number>
): Histogram => Metric.histogram(name, { description, boundaries, attributes: { unit } })

/** Adds a value, under tags. */
export const record = (
  histogram: Histogram,
  value: number,
  tags: Readonly<Record<string, string>>
): Effect.Effect<void> => Metric.update(Metric.withAttributes(histogram, tags), value)
