/** Metrics with their tags. */
import * as Metric from "effect/Metric"
import * as MetricKey from "effect/MetricKey"
import type * as MetricKeyType from "effect/MetricKeyType"
import * as MetricLabel from "effect/MetricLabel"

const tagged = new Map<string, unknown>()

/** Effect's registry of metrics forgets nothing: above this many combinations all others are one, as in OpenTelemetry's SDKs. */
const maxSeries = 2000

const overflow = [["otel.metric.overflow", "true"]] as const

/**
 * A metric with all its tags in the key: tags added to a metric make a key, and its hash, anew on every update. Made once
 * per combination, of which a program has few.
 */
export const metricOf = <Type extends MetricKeyType.MetricKeyType.Untyped>(
  key: MetricKey.MetricKey<Type>,
  tags: ReadonlyArray<readonly [name: string, value: string]>
): Metric.Metric<
  Type,
  MetricKeyType.MetricKeyType.InType<Type>,
  MetricKeyType.MetricKeyType.OutType<Type>
> => {
  let id = key.name
  for (const [name, value] of tags) id += `;${name}=${value}`
  const known = tagged.get(id)
  // The name in the id gives the type of its key: see the heads.
  if (known !== undefined) return known as ReturnType<typeof metricOf<Type>>
  if (tagged.size >= maxSeries && tags !== overflow) return metricOf(key, overflow)
  const labels = tags.map(([name, value]) => MetricLabel.make(name, value))
  const made = Metric.fromMetricKey(MetricKey.taggedWithLabels(key, labels))
  tagged.set(id, made)
  return made
}
