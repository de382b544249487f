/** Writes the metrics of calls. */
import * as Effect from "effect/Effect"
import * as Fibers from "../effect/fibers.js"
import { labelsOf, type Series, update } from "../effect/metricHeads.js"
import * as Monotonic from "../effect/monotonic.js"
import * as Call from "../request/Call.js"
import type { Tag } from "../shared/byTags.js"
import { Bounded } from "../shared/memo.js"
import * as Heads from "./heads.js"
import * as Metrics from "./Metrics.js"
import { knownMethod, serverOf } from "./servers.js"

/** `@effect/opentelemetry` reads the unit of a metric from a tag of this name. */
export const unit = (name: string): Tag => ["unit", name]

/** Counts a retry by the tag of the error that caused it. */
export const retried = (tag: string): Effect.Effect<void> =>
  Fibers.withFiber((fiber) => {
    update(Heads.retries.series([["error.type", tag]]), 1, labelsOf(fiber))
    return Effect.void
  })

/** Counts the events that a stream emits, and returns them. */
export const streamed = <A>(events: ReadonlyArray<A>): Effect.Effect<ReadonlyArray<A>> =>
  Fibers.withFiber((fiber) => {
    update(Metrics.streamEvents, events.length, labelsOf(fiber))
    return Effect.succeed(events)
  })

/** The metrics of the attempts with one server by one method. */
interface Instruments {
  readonly active: Series
  readonly waiting: () => Series
  readonly waits: () => Series
  readonly durations: Bounded<string, Series>
  readonly where: ReadonlyArray<Tag>
}

/** A server, as a client calls it: its tags, and the metrics of attempts by method. */
export interface Peer {
  readonly tags: ReadonlyArray<Tag>
  readonly methods: Map<string, Instruments>
}

/** Effect's registry of metrics never forgets a series, and each takes some kilobytes. */
const peers = new Map<string, Peer>()

const maxServers = 400

/** The name that all servers above the limit share. */
const other = "other"

/** The server of a call. */
export const peerOf = ({ config: { name: service }, encoded: { origin } }: Call.Call): Peer => {
  const key = service === undefined ? origin : `${origin} ${service}`
  const id = peers.has(key) || peers.size < maxServers ? key : other
  const known = peers.get(id)
  if (known !== undefined) return known
  const tags = id === other ? whereOf(other) : [...whereOf(origin), ...serviceTags(service)]
  const made = { tags, methods: new Map() }
  peers.set(id, made)
  return made
}

const serviceTags = (service: string | undefined): ReadonlyArray<Tag> =>
  service === undefined ? [] : [["peer.service", service]]

const instrumentsOf = (call: Call.Call): Instruments => {
  const { methods, tags } = peerOf(call)
  const { method } = call.encoded
  const known = methods.get(method)
  if (known !== undefined) return known
  const name = knownMethod(method)
  const made = methods.get(name) ?? makeInstruments(name, tags)
  methods.set(name, made)
  return made
}

const makeInstruments = (method: string, peer: ReadonlyArray<Tag>): Instruments => {
  const where = [["http.request.method", method], ...peer] as const
  return {
    active: Heads.active.series([unit("{request}"), ...where]),
    // Most programs have no limits.
    waiting: () => Heads.waiting.series([unit("{request}"), ...where]),
    waits: () => Heads.waits.series([unit("s"), ...where]),
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
export const attempting = (call: Call.Call, fiber: Fibers.AnyFiber): Measure => {
  const labels = labelsOf(fiber)
  const { active, durations, where } = instrumentsOf(call)
  update(active, 1, labels)
  return (millis, status, error) => {
    update(active, -1, labels)
    const tag = error === undefined || Call.isNamed(call, status) ? undefined : error
    const id = `${status ?? ""} ${tag ?? ""}`
    let duration = durations.get(id)
    if (duration === undefined) {
      const tags = [...where]
      if (status !== undefined) tags.push(["http.response.status_code", String(status)])
      if (tag !== undefined) tags.push(["error.type", tag])
      duration = Heads.duration.series(tags)
      durations.set(id, duration)
    }
    update(duration, millis / 1000, labels)
  }
}

/** Counts an attempt that waits for its permit as waiting, and measures the wait however it ends. */
export const waiting = <A, E>(call: Call.Call, wait: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Fibers.withFiber((fiber) => {
    const labels = labelsOf(fiber)
    const clock = Fibers.clockOf(fiber)
    const { waiting, waits } = instrumentsOf(call)
    const since = Monotonic.now(clock)
    update(waiting(), 1, labels)
    const ended = Effect.sync(() => {
      update(waiting(), -1, labels)
      update(waits(), (Monotonic.now(clock) - since) / 1000, labels)
    })
    return Effect.ensuring(wait, ended)
  })
