/** The metrics whose tags are part of the key. */
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import type * as MetricKeyType from "effect/MetricKeyType"

export const duration: MetricKey.MetricKey<MetricKeyType.MetricKeyType.Histogram> =
  /*#__PURE__*/ MetricKey.histogram(
    "http.client.request.duration",
    /*#__PURE__*/ MetricBoundaries.fromIterable([
      0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10
    ]),
    "Duration of HTTP client requests, in seconds"
  )

export const active: MetricKey.MetricKey<MetricKeyType.MetricKeyType.Counter<number>> =
  /*#__PURE__*/ MetricKey.counter("http.client.active_requests", {
    description: "Number of active HTTP requests"
  })

export const retries: MetricKey.MetricKey<MetricKeyType.MetricKeyType.Counter<number>> =
  /*#__PURE__*/ MetricKey.counter("http.client.retries", {
    description: "Number of retried HTTP requests",
    incremental: true
  })
