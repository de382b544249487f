/**
 * What a client counts and measures. Names are OpenTelemetry's for HTTP clients:
 * https://opentelemetry.io/docs/specs/semconv/http/
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import { metricOf } from "../effect/metricHeads.js"
import type * as Call from "../request/Call.js"
import { Bounded } from "../shared/memo.js"
import { knownMethod, serverOf } from "./servers.js"

/** The unit is a tag of this name, as `@effect/opentelemetry` reads it. */
const unit = (name: string): readonly [name: string, value: string] => ["unit", name]

const durationKey = MetricKey.histogram(
  "http.client.request.duration",
  MetricBoundaries.fromIterable([0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]),
  "Duration of HTTP client requests, in seconds"
)

const activeKey = MetricKey.counter("http.client.active_requests", {
  description: "Number of active HTTP requests"
})

const retriesKey = MetricKey.counter("http.client.retries", {
  description: "Number of retried HTTP requests",
  incremental: true
})

/**
 * How long an attempt took, in seconds, by method, server, status and error. A status that the request's `failure` names is no
 * error. Only the first 400 servers of a program have series of their own; to all others `server.address` is `other`.
 *
 * @since 0.1.0
 * @category metrics
 */
export const requestDuration: Metric.Metric.Histogram<number> =
  /*#__PURE__*/ Metric.fromMetricKey(durationKey)

/**
 * Attempts on their way right now.
 *
 * @since 0.1.0
 * @category metrics
 */
export const activeRequests: Metric.Metric.Counter<number> = /*#__PURE__*/ Metric.fromMetricKey(activeKey)

/**
 * Retries, by the error that caused them.
 *
 * @since 0.1.0
 * @category metrics
 */
export const retries: Metric.Metric.Counter<number> = /*#__PURE__*/ Metric.fromMetricKey(retriesKey)

/**
 * Responses and events that did not fit their schema and were handed on, because validation is lenient.
 *
 * @since 0.1.0
 * @category metrics
 */
export const misfits: Metric.Metric.Counter<number> = /*#__PURE__*/ Metric.counter(
  "http.client.lenient_misfits",
  {
    description: "Number of responses and events that do not fit their schema",
    incremental: true
  }
)

/**
 * Counts a retry by the tag of the error that caused it.
 *
 * @since 0.1.0
 * @category metrics
 */
export const retried = (tag: string): Effect.Effect<void> =>
  Metric.increment(metricOf(retriesKey, [["error.type", tag]]))

/**
 * Events that streams have handed out.
 *
 * @since 0.1.0
 * @category metrics
 */
export const streamEvents: Metric.Metric.Counter<number> = /*#__PURE__*/ Metric.counter(
  "http.client.stream.events",
  {
    description: "Number of events handed out by streams",
    incremental: true
  }
)

/**
 * Counts events handed out.
 *
 * @since 0.1.0
 * @category metrics
 */
export const streamed = (count: number): Effect.Effect<void> =>
  Effect.withFiberRuntime((fiber) => {
    streamEvents.unsafeUpdate(count, fiber.getFiberRef(FiberRef.currentMetricLabels))
    return Effect.void
  })

/** The metrics of the attempts with one server by one method. */
interface Instruments {
  readonly active: Metric.Metric.Counter<number>
  readonly durations: Bounded<string, Metric.Metric.Histogram<number>>
  readonly where: ReadonlyArray<readonly [name: string, value: string]>
}

/** Of each server: Effect's registry of metrics forgets nothing, and a series takes some kilobytes. */
const servers = new Map<string, Map<string, Instruments>>()

const maxServers = 400

const instrumentsOf = ({ encoded: { method, origin } }: Call.Call): Instruments => {
  const server = servers.has(origin) || servers.size < maxServers ? origin : other
  let ofServer = servers.get(server)
  if (ofServer === undefined) {
    ofServer = new Map()
    servers.set(server, ofServer)
  }
  const known = ofServer.get(method)
  if (known !== undefined) return known
  const name = knownMethod(method)
  const made = ofServer.get(name) ?? makeInstruments(name, server)
  ofServer.set(name, made)
  return made
}

/** The name of what has none of its own. */
const other = "other"

const makeInstruments = (method: string, server: string): Instruments => {
  const where = [["http.request.method", method], ...whereOf(server)] as const
  return {
    active: metricOf(activeKey, [unit("{request}"), ...where]),
    durations: new Bounded(100),
    where: [unit("s"), ...where]
  }
}

const whereOf = (server: string): ReadonlyArray<readonly [name: string, value: string]> => {
  if (server === other) return [["server.address", other]]
  const { address, port } = serverOf(server)
  return [
    ["server.address", address],
    ["server.port", String(port)]
  ]
}

/**
 * Tells the metrics that an attempt has ended: how long it took, in milliseconds, its status and its error.
 *
 * @since 0.1.0
 * @category models
 */
export type Measured = (millis: number, status: number | undefined, tag: string | undefined) => void

/**
 * Counts an attempt as on its way. Whoever asks calls what it gives back when the attempt has ended, however it did.
 *
 * @since 0.1.0
 * @category metrics
 */
export const attempting = (call: Call.Call, fiber: Fiber.RuntimeFiber<unknown, unknown>): Measured => {
  const labels = fiber.getFiberRef(FiberRef.currentMetricLabels)
  const { active, durations, where } = instrumentsOf(call)
  active.unsafeUpdate(1, labels)
  return (millis, status, tag) => {
    active.unsafeUpdate(-1, labels)
    const id = `${status ?? ""} ${tag ?? ""}`
    let duration = durations.get(id)
    if (duration === undefined) {
      const tags = [...where]
      if (status !== undefined) tags.push(["http.response.status_code", String(status)])
      if (tag !== undefined) tags.push(["error.type", tag])
      duration = metricOf(durationKey, tags)
      durations.set(id, duration)
    }
    duration.unsafeUpdate(millis / 1000, labels)
  }
}
