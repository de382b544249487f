/** Writes the metrics of waits that servers ask for: refusals, and how long keys wait. */
import { type AnyFiber, clockOf } from "../effect/fibers.js"
import { labelsOf, raise, update } from "../effect/metricHeads.js"
import type * as Call from "../request/Call.js"
import * as Heads from "./heads.js"
import { peerOf, unit } from "./measuring.js"

/** A 429 made the calls of a key wait so many milliseconds, of which they would not have waited `longer` without it. */
export const refused = (call: Call.Call, fiber: AnyFiber, millis: number, longer: number): void => {
  const labels = labelsOf(fiber)
  const { tags } = peerOf(call)
  const opensAt = clockOf(fiber).unsafeCurrentTimeMillis() + millis
  update(Heads.refusals.series([unit("{response}"), ...tags]), 1, labels)
  update(Heads.closedTime.series([unit("s"), ...tags]), longer / 1000, labels)
  // A time needs nobody who takes it back: it passes by itself.
  raise(Heads.opens.series([unit("s"), ...tags]), opensAt / 1000, labels)
}
