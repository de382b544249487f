/**
 * Metrics of connection pools, named as in OpenTelemetry's HTTP client conventions and, for the time in the queue, as
 * in .NET: https://opentelemetry.io/docs/specs/semconv/http/
 *
 * @since 0.1.0
 */
import type { Counter, Histogram } from "../effect/metricHeads.js"
import * as MetricSeries from "./metricSeries.js"

/**
 * How long requests waited for a connection to become free or to be established, in seconds (`s`). A request that had
 * one at once is not counted. Labels: `server.address` and `server.port`, those of the proxy if plain http goes through
 * one.
 *
 * @since 0.1.0
 * @category metrics
 */
export const timeInQueue: Histogram = MetricSeries.timeInQueue.metric

/**
 * Number of open connections, idle ones included. Labels: `server.address`, `server.port` and
 * `network.protocol.version` (`1.1` or `2`).
 *
 * @since 0.1.0
 * @category metrics
 */
export const openConnections: Counter = MetricSeries.openConnections.metric
