/** Writes the metrics of limits that servers report. They come with `RateLimit`. */
import { type AnyFiber, clockOf } from "../effect/fibers.js"
import { type GaugeSeries, labelsOf, update } from "../effect/metricHeads.js"
import type { Observed } from "../limits/SharedLimits.js"
import type * as Call from "../request/Call.js"
import * as CallSecrets from "../request/CallSecrets.js"
import type { Tag } from "../shared/byTags.js"
import { memo } from "../shared/memo.js"
import * as Heads from "./heads.js"
import { type Peer, peerOf, unit } from "./measuring.js"

/** The limit that the gauges of a unit show. */
interface Shown {
  readonly limit: GaugeSeries
  readonly remaining: GaugeSeries
  readonly resets: GaugeSeries
  /** The number of the key whose it is, and its name. */
  key: number
  name: string
  least: number
  /** When it is out of date, in milliseconds since 1970. */
  until: number
}

/** Keys have numbers, so that a gauge keeps none alive. Some workers have no `WeakRef`. */
let lastNumber = 0
const numberOf = /*#__PURE__*/ memo(new WeakMap<object, number>(), () => ++lastNumber)

const shownBy = new WeakMap<Peer, Map<string, Shown>>()

/** A server may name others in every response. */
const maxUnits = 16
const shape = /^[\w.-]{1,40}$/

/** How long a limit without a reset is taken for true, and how long any is shown, in milliseconds. */
const defaultAge = 60_000
const longestAge = 3_600_000

/** A response reported limits of a key. The gauges show the one with the least left. */
export const reported = (
  call: Call.Call,
  fiber: AnyFiber,
  key: object,
  limits: ReadonlyArray<Observed>
): void => {
  if (limits.length === 0) return
  const labels = labelsOf(fiber)
  const now = clockOf(fiber).unsafeCurrentTimeMillis()
  const number = numberOf(key)
  for (const { limit, name, remaining, resetMillis = defaultAge, unit } of limits) {
    const shown = shownOf(call, unit)
    const isSame = shown.key === number && shown.name === name
    if (!isSame && remaining > shown.least && now < shown.until) continue
    shown.key = number
    shown.name = name
    shown.least = remaining
    shown.until = now + Math.min(resetMillis, longestAge)
    update(shown.remaining, remaining, labels)
    if (limit !== undefined) update(shown.limit, limit, labels)
    update(shown.resets, (now + resetMillis) / 1000, labels)
  }
}

const shownOf = (call: Call.Call, unit: string): Shown => {
  const peer = peerOf(call)
  let units = shownBy.get(peer)
  if (units === undefined) {
    units = new Map()
    shownBy.set(peer, units)
  }
  const known = units.get(unit)
  if (known !== undefined) return known
  const isShowable =
    units.size < maxUnits && shape.test(unit) && CallSecrets.redactor(call).text(unit) === unit
  const name = isShowable ? unit : "other"
  const made = units.get(name) ?? makeShown(peer, name)
  units.set(name, made)
  return made
}

const makeShown = ({ tags }: Peer, name: string): Shown => {
  const where: ReadonlyArray<Tag> = [...tags, ["rate_limit.unit", name]]
  return {
    limit: Heads.limit.series([unit("{unit}"), ...where]),
    remaining: Heads.remaining.series([unit("{unit}"), ...where]),
    resets: Heads.resets.series([unit("s"), ...where]),
    key: 0,
    name: "",
    least: Number.POSITIVE_INFINITY,
    until: Number.NEGATIVE_INFINITY
  }
}
