/**
 * What a client counts and measures. Names are OpenTelemetry's for HTTP clients:
 * https://opentelemetry.io/docs/specs/semconv/http/
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"
import type { Counter, Gauge, Histogram } from "../effect/metricHeads.js"
import * as Heads from "./heads.js"

/** A bundler leaves out a call that nobody needs, and no access to a property. */
const metricOf = <M>({ metric }: { readonly metric: M }): M => metric

/**
 * How long an attempt took, in seconds, by method, server, status and error. A status that the request's `failure` names is no
 * error. Only the first 400 servers of a program have series of their own; all others share `server.address` `other`.
 *
 * @since 0.1.0
 * @category metrics
 */
export const requestDuration: Histogram = /*#__PURE__*/ metricOf(Heads.duration)

/**
 * Attempts that are running now.
 *
 * @since 0.1.0
 * @category metrics
 */
export const activeRequests: Counter = /*#__PURE__*/ metricOf(Heads.active)

/**
 * Attempts that wait now for limits of the client (`RateLimit`), by server.
 *
 * @since 3.3.0
 * @category metrics
 */
export const waitingRequests: Counter = /*#__PURE__*/ metricOf(Heads.waiting)

/**
 * How long attempts waited for limits of the client, in seconds, by server. An attempt that goes at once is not counted.
 *
 * @since 3.3.0
 * @category metrics
 */
export const waitDuration: Histogram = /*#__PURE__*/ metricOf(Heads.waits)

/**
 * Responses 429 that made the other calls of their key wait, by server.
 *
 * @since 3.3.0
 * @category metrics
 */
export const rateLimitRefusals: Counter = /*#__PURE__*/ metricOf(Heads.refusals)

/**
 * For how long responses 429 made keys wait, in seconds, by server. It is counted when a wait begins. Its rate is the number of
 * keys that wait, on average.
 *
 * @since 3.3.0
 * @category metrics
 */
export const rateLimitClosedTime: Counter = /*#__PURE__*/ metricOf(Heads.closedTime)

/**
 * When the last key that a 429 made wait may send again, in seconds since 1970, by server. While that is in the future, a key
 * waits.
 *
 * @since 3.3.0
 * @category metrics
 */
export const rateLimitOpenTimestamp: Gauge = /*#__PURE__*/ metricOf(Heads.opens)

/**
 * The limits that a server reports, with `learn` of `RateLimit.make`, by server and by `rate_limit.unit`. Of several keys, and
 * of several limits on one unit, it is the one with the least left. A server has at most 16 units, and all others are `other`.
 *
 * @since 3.3.0
 * @category metrics
 */
export const rateLimitLimit: Gauge = /*#__PURE__*/ metricOf(Heads.limit)

/**
 * What was left of the limit that `rateLimitLimit` shows, when the server last reported it.
 *
 * @since 3.3.0
 * @category metrics
 */
export const rateLimitRemaining: Gauge = /*#__PURE__*/ metricOf(Heads.remaining)

/**
 * When all of that limit is left again, in seconds since 1970. Once that has passed, `rateLimitRemaining` is out of date. For a limit
 * without a reset it is a minute after the response.
 *
 * @since 3.3.0
 * @category metrics
 */
export const rateLimitResetTimestamp: Gauge = /*#__PURE__*/ metricOf(Heads.resets)

/**
 * Circuits (`CircuitBreaker`) that are open or half open now, by server.
 *
 * @since 3.3.0
 * @category metrics
 */
export const openCircuits: Counter = /*#__PURE__*/ metricOf(Heads.openCircuits)

/**
 * Attempts that an open circuit (`CircuitBreaker`) has refused, by server.
 *
 * @since 3.3.0
 * @category metrics
 */
export const circuitRefusals: Counter = /*#__PURE__*/ metricOf(Heads.circuitRefusals)

/**
 * Retries, by the error that caused them.
 *
 * @since 0.1.0
 * @category metrics
 */
export const retries: Counter = /*#__PURE__*/ metricOf(Heads.retries)

/**
 * Responses and events that did not fit their schema and were passed on, because validation is lenient.
 *
 * @since 0.1.0
 * @category metrics
 */
export const misfits: Counter = /*#__PURE__*/ Metric.counter("http.client.lenient_misfits", {
  description: "Number of responses and events that do not fit their schema",
  incremental: true
})

/**
 * Events that streams have emitted.
 *
 * @since 0.1.0
 * @category metrics
 */
export const streamEvents: Counter = /*#__PURE__*/ Metric.counter("http.client.stream.events", {
  description: "Number of events handed out by streams",
  incremental: true
})
