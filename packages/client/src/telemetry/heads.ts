/** The metrics of calls that have tags. */
import * as Heads from "../effect/metricHeads.js"

export const duration: Heads.Head<Heads.Histogram> = /*#__PURE__*/ Heads.histogram(
  "http.client.request.duration",
  "Duration of HTTP client requests, in seconds",
  [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
)

export const active: Heads.Head<Heads.Counter> = /*#__PURE__*/ Heads.counter(
  "http.client.active_requests",
  "Number of active HTTP requests"
)

export const waiting: Heads.Head<Heads.Counter> = /*#__PURE__*/ Heads.counter(
  "http.client.waiting_requests",
  "Number of HTTP requests that wait for limits of the client"
)

export const waits: Heads.Head<Heads.Histogram> = /*#__PURE__*/ Heads.histogram(
  "http.client.wait.duration",
  "Duration of waits for limits of the client, in seconds",
  [0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
)

export const retries: Heads.Head<Heads.Counter> = /*#__PURE__*/ Heads.counter(
  "http.client.retries",
  "Number of retried HTTP requests",
  true
)

export const refusals: Heads.Head<Heads.Counter> = /*#__PURE__*/ Heads.counter(
  "http.client.rate_limit.refusals",
  "Number of responses 429 that made the calls of a key wait",
  true
)

export const closedTime: Heads.Head<Heads.Counter> = /*#__PURE__*/ Heads.counter(
  "http.client.rate_limit.closed.time",
  "Time for which responses 429 made keys wait, in seconds",
  true
)

export const opens: Heads.Head<Heads.Gauge, Heads.GaugeSeries> = /*#__PURE__*/ Heads.gauge(
  "http.client.rate_limit.open_timestamp",
  "When the last key that waits may send again, in seconds since 1970"
)

export const limit: Heads.Head<Heads.Gauge, Heads.GaugeSeries> = /*#__PURE__*/ Heads.gauge(
  "http.client.rate_limit.limit",
  "Limit that the server reported"
)

export const remaining: Heads.Head<Heads.Gauge, Heads.GaugeSeries> = /*#__PURE__*/ Heads.gauge(
  "http.client.rate_limit.remaining",
  "What is left of a limit, as the server reported it"
)

export const resets: Heads.Head<Heads.Gauge, Heads.GaugeSeries> = /*#__PURE__*/ Heads.gauge(
  "http.client.rate_limit.reset_timestamp",
  "When all of a limit is left again, in seconds since 1970"
)

export const openCircuits: Heads.Head<Heads.Counter> = /*#__PURE__*/ Heads.counter(
  "http.client.open_circuits",
  "Number of circuits that are open or half open"
)

export const circuitRefusals: Heads.Head<Heads.Counter> = /*#__PURE__*/ Heads.counter(
  "http.client.circuit.refusals",
  "Number of HTTP requests that an open circuit has refused",
  true
)
