/** Writes the metrics of circuits. Programs without a circuit breaker do not bundle this. */
import { type Labels, update } from "../effect/metricHeads.js"
import type * as Call from "../request/Call.js"
import * as Heads from "./heads.js"
import { peerOf, unit } from "./measuring.js"

/** Counts an attempt that a circuit has refused. */
export const refused = (call: Call.Call, labels: Labels): void =>
  update(Heads.circuitRefusals.series([unit("{request}"), ...peerOf(call).tags]), 1, labels)

/** Counts a circuit as open. The result counts it as closed. */
export const opened = (call: Call.Call, labels: Labels): (() => void) => {
  const series = Heads.openCircuits.series([unit("{circuit}"), ...peerOf(call).tags])
  update(series, 1, labels)
  return () => update(series, -1, labels)
}
