/** The rules of a program's own limits: the key of a call, its cost, and what its response reports. */
import type { Rules } from "../client/Permits.js"
import * as Fibers from "../effect/fibers.js"
import type { Subject } from "../limits/limiting.js"
import type { Costs } from "../limits/SharedLimits.js"
import type * as Call from "../request/Call.js"
import * as TransportError from "../request/TransportError.js"
import * as UnsentError from "../request/UnsentError.js"
import type * as Attempts from "../retry/Attempts.js"
import * as LearnedMeasuring from "../telemetry/learnedMeasuring.js"
import { type Settings as Limits, QuotaLimiter } from "./QuotaLimiter.js"

/** The settings of {@link rulesOf}. */
interface Settings extends Limits {
  readonly key: ((request: Subject) => string) | undefined
  readonly cost: ((request: Subject) => Costs) | undefined
  readonly usage: ((value: unknown) => Costs | undefined) | undefined
}

/** The rules of settings. */
export const rulesOf = ({ cost, key, usage, ...settings }: Settings): Rules => ({
  makeLimiter: (id) => new QuotaLimiter(settings, id),
  keyOf: (call) => {
    const found = keyOf(key, call)
    return typeof found === "string" ? found : undefined
  },
  priced: (call) => {
    const found = keyOf(key, call)
    if (typeof found !== "string") return found
    const costs = costsOf(cost, call)
    return "error" in costs ? costs : { key: found, costs: costs.costs }
  },
  full: (call, length) => ({
    error: UnsentError.queueFull(call, length, settings.maxQueue),
    stoppedBy: "not-retryable"
  }),
  learn: (call, permit, response, now, fiber) => {
    const { limiter } = permit
    if (!(limiter instanceof QuotaLimiter && limiter.isDue(now))) return
    const wallMillis = Fibers.clockOf(fiber).unsafeCurrentTimeMillis()
    LearnedMeasuring.reported(call, fiber, limiter, limiter.learn(permit, response.headers, now, wallMillis))
  },
  settle:
    usage &&
    ((permit, value) => {
      const used = usageOf(usage, value)
      const { limiter } = permit
      if (used !== undefined && limiter instanceof QuotaLimiter) limiter.settle(permit, used)
    })
})

/** The key of a call, or why it has none. */
const keyOf = (key: Settings["key"], call: Call.Call): string | Attempts.Unpermitted => {
  if (key === undefined) return ""
  try {
    const found: unknown = key(subjectOf(call))
    return typeof found === "string" ? found : refused(call, "key", "must return a string")
  } catch (cause) {
    return refused(call, "key", "threw an error", cause)
  }
}

const noCosts: { readonly costs: Costs } = { costs: {} }

/** What a call costs, or why that is not known. */
const costsOf = (
  cost: Settings["cost"],
  call: Call.Call
): { readonly costs: Costs } | Attempts.Unpermitted => {
  if (cost === undefined) return noCosts
  try {
    const costs = cost(subjectOf(call))
    return areCosts(costs) ? { costs } : refused(call, "cost", "must return numbers that are not negative")
  } catch (cause) {
    return refused(call, "cost", "threw an error", cause)
  }
}

/** What a request has used by its response. A function that throws leaves the estimate. */
const usageOf = (usage: NonNullable<Settings["usage"]>, value: unknown): Costs | undefined => {
  try {
    const used = usage(value)
    return areCosts(used) ? used : undefined
  } catch {
    return undefined
  }
}

const areCosts = (costs: unknown): costs is Costs =>
  typeof costs === "object" &&
  costs !== null &&
  Object.values(costs).every(
    (cost) => typeof cost === "number" && cost >= 0 && cost < Number.POSITIVE_INFINITY
  )

const subjectOf = ({ encoded, request }: Call.Call): Subject => ({
  method: encoded.method,
  template: request.template,
  body: request.options.body
})

/** A function of the program gives no key, or no cost. */
const refused = (call: Call.Call, name: string, reason: string, cause?: unknown): Attempts.Unpermitted => ({
  error: TransportError.invalidRequest(call, `rateLimit.${name}`, reason, "not-sent", cause),
  stoppedBy: "not-retryable"
})
