/** The metric series of pools, by server. */
import * as Heads from "../effect/metricHeads.js"
import type { PoolSeries, SeriesOf } from "./Pool.js"

export const timeInQueue: Heads.Head<Heads.Histogram> = /*#__PURE__*/ Heads.histogram(
  "http.client.request.time_in_queue",
  "Time that requests wait for a connection, in seconds",
  [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
)

export const openConnections: Heads.Head<Heads.Counter> = /*#__PURE__*/ Heads.counter(
  "http.client.open_connections",
  "Number of connections that are open"
)

/** Effect's metric registry never forgets a series, so servers above this number share one. */
const maxServers = 400

const pools = new Map<string, PoolSeries>()

const other = "other"

/** The series for a host and port. Only the first 400 servers of a program have their own. */
export const seriesOf: SeriesOf = (address, port) => {
  const isKnown = pools.size < maxServers || pools.has(`${address}:${port}`)
  const name = isKnown ? `${address}:${port}` : other
  const known = pools.get(name)
  if (known !== undefined) return known
  const made = makeSeries(
    isKnown
      ? [
          ["server.address", address],
          ["server.port", String(port)]
        ]
      : [["server.address", other]]
  )
  pools.set(name, made)
  return made
}

const makeSeries = (where: ReadonlyArray<Heads.Tag>): PoolSeries => {
  const record = timeInQueue.series([...where, ["unit", "s"]])
  const countOf = (version: string): Heads.Update =>
    openConnections.series([...where, ["network.protocol.version", version], ["unit", "{connection}"]])
  const counts = { "http/1.1": countOf("1.1"), h2: countOf("2") }
  return {
    recordWait: (millis) => record(millis / 1000),
    countConnection: (protocol, change) => counts[protocol](change)
  }
}
