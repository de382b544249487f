/** The permits of a client's attempts: it takes them before an attempt, and learns from the responses. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fibers from "../effect/fibers.js"
import * as Monotonic from "../effect/monotonic.js"
import * as Limiter from "../limits/Limiter.js"
import { idOf, Limiters } from "../limits/Limiters.js"
import type * as Limiting from "../limits/limiting.js"
import type { Costs } from "../limits/SharedLimits.js"
import * as Wait from "../limits/waiting.js"
import type * as Call from "../request/Call.js"
import * as StatusError from "../request/StatusError.js"
import * as UnsentError from "../request/UnsentError.js"
import type * as Attempts from "../retry/Attempts.js"
import * as LimitMeasuring from "../telemetry/limitMeasuring.js"
import * as Measuring from "../telemetry/measuring.js"

/** The permits of the calls with the same credentials. */
export interface Permits extends Attempts.Permits<Call.Call> {
  /** The key of a call; empty if it has none, or none that can be used. */
  readonly keyOf: (call: Call.Call) => string
  /** Takes the headers of a response: a 429 may ask all calls to wait. */
  readonly arrived: (call: Call.Call, response: Arrived, fiber: Fibers.AnyFiber) => void
  /** Takes what a request has used, from its value or an event; `undefined` if nobody reads that. */
  readonly settle: ((call: Call.Call, value: unknown) => void) | undefined
}

/** What a setting brings. */
export interface Rules {
  /** Makes the limiter of a key. */
  readonly makeLimiter: (id: string) => Limiter.Limiter
  /** The key of a call; `undefined` if the program's function gives none. */
  readonly keyOf: (call: Call.Call) => string | undefined
  /** The key of a call, and what it costs; or why it cannot be sent. */
  readonly priced: (call: Call.Call) => Priced | Attempts.Unpermitted
  /** Why a call is refused that finds so many in the queue. */
  readonly full: (call: Call.Call, length: number) => Attempts.Unpermitted
  /** Takes the limits that the response of a permit reports. */
  readonly learn: (
    call: Call.Call,
    permit: Limiter.Permit,
    response: Arrived,
    now: number,
    fiber: Fibers.AnyFiber
  ) => void
  /** Takes what a request has used; `undefined` if nobody reads that. */
  readonly settle: ((permit: Limiter.Permit, value: unknown) => void) | undefined
}

/** The key of a call, and what it costs. */
export interface Priced {
  readonly key: string
  readonly costs: Costs
}

/** A setting with its rules, so that a program without one does not bundle them. */
export interface Made extends Limiting.RateLimit {
  readonly rules: Rules
}

const isMade = (setting: Limiting.RateLimit): setting is Made => "rules" in setting

/** A client without a setting only waits where a server asks for it. */
const free: Priced = { key: "", costs: {} }

/** The limiters of the calls with the same credentials, and their rules. */
interface Limits {
  readonly limiters: Limiters
  readonly rules: Rules | undefined
}

/** A response whose headers have arrived. They are parsed when they are read. */
export interface Arrived {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

/** What calls count together for: their origin and their key. */
export const accountOf = (call: Call.Call, permits: Permits | undefined): string =>
  idOf(call.encoded.origin, permits?.keyOf(call) ?? "")

/** Makes the permits of a setting; `undefined` if it turns limits off. */
export const make = (setting: Limiting.Setting | undefined): Permits | undefined => {
  if (setting === false) return undefined
  const rules = setting !== undefined && isMade(setting) ? setting.rules : undefined
  const makeLimiter = rules?.makeLimiter ?? (() => new Limiter.Limiter())
  const limits: Limits = { limiters: new Limiters(makeLimiter, rules !== undefined), rules }
  const used = rules?.settle
  return {
    keyOf: (call) => keyOf(limits, call) ?? "",
    take: (call, clock) => take(limits, call, clock),
    leave: ({ permit }) => {
      permit?.leave()
      permit?.giveBack()
    },
    ended: ({ permit }, error, isHeld) => {
      if (permit === undefined) return
      if (!isHeld) permit.leave()
      if (error?.delivery === "not-sent") permit.giveBack()
    },
    arrived: (call, response, fiber) => arrived(limits, call, response, fiber),
    settle: used && (({ permit }, value) => permit && used(permit, value))
  }
}

const keyOf = ({ rules }: Limits, call: Call.Call): string | undefined =>
  rules === undefined ? free.key : rules.keyOf(call)

const take = (
  { limiters, rules }: Limits,
  call: Call.Call,
  clock: Clock.Clock
): Attempts.Waiting | undefined => {
  call.permit = undefined
  if (limiters.isQuiet) return undefined
  const priced = rules === undefined ? free : rules.priced(call)
  if ("error" in priced) {
    const refused = Effect.fail(priced)
    return { queued: refused, forced: refused }
  }
  const limiter = limiters.find(call.encoded.origin, priced.key, () => Monotonic.now(clock))
  if (limiter === undefined) return undefined
  const { maxRetryAfterMillis } = call.retry.policy
  const { priority = 0 } = call.request.options
  const permit = new Limiter.Permit(limiter, priced.costs, priority, maxRetryAfterMillis)
  call.permit = permit
  if (limiter.tryTake(permit, Monotonic.now(clock))) return undefined
  return {
    queued: Effect.mapError(
      Measuring.waiting(call, Wait.wait(permit, clock, call.deadline)),
      (reason): Attempts.Refusal => {
        if (reason._tag === "Held")
          return { error: UnsentError.heldBack(call, reason.millis, clock.unsafeCurrentTimeMillis()) }
        // Without rules no queue is full.
        return reason._tag === "Expired" || rules === undefined ? "expired" : rules.full(call, reason.length)
      }
    ),
    forced: Effect.sync(() => limiter.admit(permit, Monotonic.now(clock)))
  }
}

const arrived = (limits: Limits, call: Call.Call, response: Arrived, fiber: Fibers.AnyFiber): void => {
  const { permit } = call
  const { status } = response
  if (permit === undefined && status !== 429) return
  const now = Monotonic.now(Fibers.clockOf(fiber))
  if (status === 429) close(limits, call, response, now, fiber)
  if (permit === undefined) return
  permit.limiter.responded(permit, status !== 429, now)
  limits.rules?.learn(call, permit, response, now, fiber)
}

/** Makes the calls of an origin and a key wait, if the response names a time. */
const close = (
  limits: Limits,
  call: Call.Call,
  { headers }: Arrived,
  now: number,
  fiber: Fibers.AnyFiber
): void => {
  const wait = StatusError.retryAfterOf(call, headers, Fibers.clockOf(fiber).unsafeCurrentTimeMillis())
  const key = keyOf(limits, call)
  if (wait === undefined || key === undefined) return
  const { maxRetryAfterMillis, onLongRetryAfter } = call.retry.policy
  const millis = Duration.toMillis(wait)
  // A policy that ignores long hints ignores them for all calls.
  if (millis > maxRetryAfterMillis && onLongRetryAfter === "backoff") return
  const longer = limits.limiters.get(call.encoded.origin, key, now).close(millis, maxRetryAfterMillis, now)
  LimitMeasuring.refused(call, fiber, Math.min(millis, maxRetryAfterMillis), longer)
}
