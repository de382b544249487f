/** Writes the metrics of calls. */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Metric from "effect/Metric"
import { metricOf } from "../effect/metricHeads.js"
import * as Keys from "../effect/metricKeys.js"
import * as Call from "../request/Call.js"
import { Bounded } from "../shared/memo.js"
import * as Metrics from "./Metrics.js"
import { knownMethod, serverOf } from "./servers.js"

type Tag = readonly [name: string, value: string]

/** `@effect/opentelemetry` reads the unit of a metric from a tag of this name. */
const unit = (name: string): Tag => ["unit", name]

/** Counts a retry by the tag of the error that caused it. */
export const retried = (tag: string): Effect.Effect<void> =>
  Metric.increment(metricOf(Keys.retries, [["error.type", tag]]))

/** Counts events that a stream emits. */
export const streamed = (count: number): Effect.Effect<void> =>
  Effect.withFiberRuntime((fiber) => {
    Metrics.streamEvents.unsafeUpdate(count, fiber.getFiberRef(FiberRef.currentMetricLabels))
    return Effect.void
  })

/** The metrics of the attempts with one server by one method. */
interface Instruments {
  readonly active: Metric.Metric.Counter<number>
  readonly durations: Bounded<string, Metric.Metric.Histogram<number>>
  readonly where: ReadonlyArray<Tag>
}

/** By server. Effect's registry of metrics never forgets a series, and each takes some kilobytes. */
const servers = new Map<string, Map<string, Instruments>>()

const maxServers = 400

/** The name that all servers above the limit share. */
const other = "other"

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

const makeInstruments = (method: string, server: string): Instruments => {
  const where = [["http.request.method", method], ...whereOf(server)] as const
  return {
    active: metricOf(Keys.active, [unit("{request}"), ...where]),
    durations: new Bounded(100),
    where: [unit("s"), ...where]
  }
}

const whereOf = (server: string): ReadonlyArray<Tag> => {
  if (server === other) return [["server.address", other]]
  const { address, port } = serverOf(server)
  return [
    ["server.address", address],
    ["server.port", String(port)]
  ]
}

/** Measures an attempt that has ended: how long it ran in milliseconds, its status, and the tag of its error. */
export type Measure = (millis: number, status: number | undefined, error: string | undefined) => void

/** Counts an attempt as active. The result counts it as ended and measures it. */
export const attempting = (call: Call.Call, fiber: Fiber.RuntimeFiber<unknown, unknown>): Measure => {
  const labels = fiber.getFiberRef(FiberRef.currentMetricLabels)
  const { active, durations, where } = instrumentsOf(call)
  active.unsafeUpdate(1, labels)
  return (millis, status, error) => {
    active.unsafeUpdate(-1, labels)
    const tag = error === undefined || Call.isNamed(call, status) ? undefined : error
    const id = `${status ?? ""} ${tag ?? ""}`
    let duration = durations.get(id)
    if (duration === undefined) {
      const tags = [...where]
      if (status !== undefined) tags.push(["http.response.status_code", String(status)])
      if (tag !== undefined) tags.push(["error.type", tag])
      duration = metricOf(Keys.duration, tags)
      durations.set(id, duration)
    }
    duration.unsafeUpdate(millis / 1000, labels)
  }
}
