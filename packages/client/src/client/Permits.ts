/** The permits of a client's attempts: it takes them before an attempt, and learns from the responses. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fibers from "../effect/fibers.js"
import * as Monotonic from "../effect/monotonic.js"
import * as Limiter from "../limits/Limiter.js"
import { idOf, Limiters } from "../limits/Limiters.js"
import * as Limiting from "../limits/limiting.js"
import type { Costs } from "../limits/SharedLimits.js"
import * as Wait from "../limits/waiting.js"
import type * as Call from "../request/Call.js"
import * as StatusError from "../request/StatusError.js"
import * as TransportError from "../request/TransportError.js"
import * as UnsentError from "../request/UnsentError.js"
import type * as Attempts from "../retry/Attempts.js"
import type { InvalidInput } from "../shared/invalid.js"
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

/** A response whose headers have arrived. */
interface Arrived {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

/** What calls count together for: their origin and their key. */
export const accountOf = (call: Call.Call, permits: Permits | undefined): string =>
  idOf(call.encoded.origin, permits?.keyOf(call) ?? "")

/** Makes the permits of a setting; `undefined` if it turns limits off. */
export const make = (setting: Limiting.Setting | undefined): Permits | undefined => {
  if (setting === false) return undefined
  const parts = Limiting.partsOf(setting)
  const limiters = new Limiters(parts, setting !== undefined)
  return {
    keyOf: (call) => {
      const key = limiters.keyOf(subjectOf(call))
      return typeof key === "string" ? key : ""
    },
    take: (call, clock) => take(limiters, call, clock),
    leave: ({ permit }) => {
      permit?.leave()
      permit?.giveBack()
    },
    ended: ({ permit }, error, isHeld) => {
      if (permit === undefined) return
      if (!isHeld) permit.leave()
      if (error?.delivery === "not-sent") permit.giveBack()
    },
    arrived: (call, response, fiber) => arrived(limiters, call, response, fiber),
    settle: parts.usage && (({ permit }, value) => settle(limiters, permit, value))
  }
}

const take = (limiters: Limiters, call: Call.Call, clock: Clock.Clock): Attempts.Waiting | undefined => {
  call.permit = undefined
  if (limiters.isQuiet) return undefined
  const subject = subjectOf(call)
  const key = limiters.keyOf(subject)
  if (typeof key !== "string") return refused(call, key)
  const limiter = limiters.find(call.encoded.origin, key, () => Monotonic.now(clock))
  if (limiter === undefined) return undefined
  const priced = limiters.costsOf(subject)
  if (!("costs" in priced)) return refused(call, priced)
  const { maxRetryAfterMillis } = call.retry.policy
  const { priority = 0 } = call.request.options
  const permit = new Limiter.Permit(limiter, priced.costs, priority, maxRetryAfterMillis)
  call.permit = permit
  if (limiter.tryTake(permit, Monotonic.now(clock))) return undefined
  return {
    queued: Effect.mapError(
      Measuring.waiting(call, Wait.wait(permit, clock, call.deadline)),
      (reason): Attempts.Refusal => {
        switch (reason._tag) {
          case "Expired":
            return "expired"
          case "Full": {
            const error = UnsentError.queueFull(call, reason.length, limiters.parts.maxQueue)
            return { error, stoppedBy: "not-retryable" }
          }
          case "Held":
            return { error: UnsentError.heldBack(call, reason.millis, clock.unsafeCurrentTimeMillis()) }
        }
      }
    ),
    forced: Effect.sync(() => limiter.admit(permit, Monotonic.now(clock)))
  }
}

/** A key or a cost that the program's function does not give. */
const refused = (call: Call.Call, { cause, field, reason }: InvalidInput): Attempts.Waiting => {
  const error = TransportError.invalidRequest(call, field, reason, "not-sent", cause)
  const failed = Effect.fail({ error, stoppedBy: "not-retryable" } as const)
  return { queued: failed, forced: failed }
}

const subjectOf = ({ encoded, request }: Call.Call): Limiting.Subject => ({
  method: encoded.method,
  template: request.template,
  body: request.options.body
})

const arrived = (limiters: Limiters, call: Call.Call, response: Arrived, fiber: Fibers.AnyFiber): void => {
  const { permit } = call
  const { status } = response
  if (permit === undefined && status !== 429) return
  const clock = Fibers.clockOf(fiber)
  const now = Monotonic.now(clock)
  if (status === 429) close(limiters, call, response, now, fiber)
  if (permit === undefined) return
  const { limiter } = permit
  limiter.responded(permit, status !== 429, now)
  if (limiter.quotas?.isDue(now) !== true) return
  const limits = limiter.learn(permit, response.headers, now, clock.unsafeCurrentTimeMillis())
  LimitMeasuring.reported(call, fiber, limiter, limits)
}

/** Makes the calls of an origin and a key wait, if the response names a time. */
const close = (
  limiters: Limiters,
  call: Call.Call,
  { headers }: Arrived,
  now: number,
  fiber: Fibers.AnyFiber
): void => {
  const wait = StatusError.retryAfterOf(call, headers, Fibers.clockOf(fiber).unsafeCurrentTimeMillis())
  const key = limiters.keyOf(subjectOf(call))
  if (wait === undefined || typeof key !== "string") return
  const { maxRetryAfterMillis, onLongRetryAfter } = call.retry.policy
  const millis = Duration.toMillis(wait)
  // A policy that ignores long hints ignores them for all calls.
  if (millis > maxRetryAfterMillis && onLongRetryAfter === "backoff") return
  const longer = limiters.get(call.encoded.origin, key, now).close(millis, maxRetryAfterMillis, now)
  LimitMeasuring.refused(call, fiber, Math.min(millis, maxRetryAfterMillis), longer)
}

const settle = (limiters: Limiters, permit: Limiter.Permit | undefined, value: unknown): void => {
  const used: Costs | undefined = limiters.usageOf(value)
  if (used !== undefined) permit?.settle(used)
}
