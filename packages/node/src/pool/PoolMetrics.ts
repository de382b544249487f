/**
 * What a transport measures of its pools. Names are OpenTelemetry's for HTTP clients, and .NET's for the time in a queue:
 * https://opentelemetry.io/docs/specs/semconv/http/
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"
import { openConnectionsKey, timeInQueueKey } from "./metricSeries.js"

/**
 * How long requests waited for a connection, in seconds (`s`): for one to become free, or to be established. A request that had
 * one at once is not counted. By `server.address` and `server.port`, of the proxy where it takes whole URLs.
 *
 * @since 0.1.0
 * @category metrics
 */
export const timeInQueue: Metric.Metric.Histogram<number> = /*#__PURE__*/ Metric.fromMetricKey(timeInQueueKey)

/**
 * Connections that are open, idle ones among them, by `server.address`, `server.port` and `network.protocol.version` (`1.1` or
 * `2`).
 *
 * @since 0.1.0
 * @category metrics
 */
export const openConnections: Metric.Metric.Counter<number> =
  /*#__PURE__*/ Metric.fromMetricKey(openConnectionsKey)
