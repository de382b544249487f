/** The metric series of pools, by server. */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import * as MetricLabel from "effect/MetricLabel"

export const timeInQueueKey = MetricKey.histogram(
  "http.client.request.time_in_queue",
  MetricBoundaries.fromIterable([0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]),
  "Time that requests wait for a connection, in seconds"
)

export const openConnectionsKey = MetricKey.counter("http.client.open_connections", {
  description: "Number of connections that are open"
})

/** The series of one pool. */
export interface PoolSeries {
  /** Records how long a request waited, in milliseconds. */
  readonly recordWait: (millis: number) => void
  /** Counts a connection as opened (1) or closed (-1). */
  readonly countConnection: (protocol: "http/1.1" | "h2", change: number) => void
}

/** Effect's metric registry never forgets a series, so servers above this number share one. */
const maxServers = 400

const pools = new Map<string, PoolSeries>()

const other = "other"

/** The series for a host and port. Only the first 400 servers of a program have their own. */
export const seriesOf = (address: string, port: number): PoolSeries => {
  const isKnown = pools.size < maxServers || pools.has(`${address}:${port}`)
  const name = isKnown ? `${address}:${port}` : other
  const known = pools.get(name)
  if (known !== undefined) return known
  const made = makeSeries(
    isKnown
      ? [MetricLabel.make("server.address", address), MetricLabel.make("server.port", String(port))]
      : [MetricLabel.make("server.address", other)]
  )
  pools.set(name, made)
  return made
}

const makeSeries = (where: ReadonlyArray<MetricLabel.MetricLabel>): PoolSeries => {
  const waits = Metric.fromMetricKey(
    MetricKey.taggedWithLabels(timeInQueueKey, [...where, MetricLabel.make("unit", "s")])
  )
  const countOf = (version: string): Metric.Metric.Counter<number> =>
    Metric.fromMetricKey(
      MetricKey.taggedWithLabels(openConnectionsKey, [
        ...where,
        MetricLabel.make("network.protocol.version", version),
        MetricLabel.make("unit", "{connection}")
      ])
    )
  const counts = { "http/1.1": countOf("1.1"), h2: countOf("2") }
  return {
    recordWait: (millis) => waits.unsafeUpdate(millis / 1000, []),
    countConnection: (protocol, change) => counts[protocol].unsafeUpdate(change, [])
  }
}
