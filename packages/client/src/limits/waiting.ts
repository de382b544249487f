/** The wait of an attempt for its permit. */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fibers from "../effect/fibers.js"
import * as Monotonic from "../effect/monotonic.js"
import * as TimeLimits from "../effect/timeLimits.js"
import type { Permit } from "./Limiter.js"

/** Why a wait ended without a permit. */
export type Refused =
  | { readonly _tag: "Full"; readonly length: number }
  /** The server takes no request before so many milliseconds have passed: the caller decides about that wait. */
  | { readonly _tag: "Held"; readonly millis: number }
  | { readonly _tag: "Expired" }

/**
 * Waits in the queue. At the deadline the wait ends by itself, in uninterruptible regions too. Whoever is interrupted leaves
 * the queue.
 */
export const wait = (permit: Permit, clock: Clock.Clock, deadline: number): Effect.Effect<void, Refused> =>
  Effect.suspend(() => {
    const { limiter } = permit
    const length = limiter.join(permit)
    if (length !== undefined) return Effect.fail({ _tag: "Full", length } as const)
    const turn: Effect.Effect<void, Refused> = Effect.suspend(() => {
      const now = Monotonic.now(clock)
      const millis = limiter.heldFor(now)
      if (millis > 0) return Effect.fail({ _tag: "Held", millis } as const)
      if (now >= deadline) return Effect.fail({ _tag: "Expired" } as const)
      const delay = limiter.poll(permit, now)
      if (delay === 0) return Effect.void
      return Effect.zipRight(
        TimeLimits.within(woken(permit), Math.min(delay, deadline - now), Effect.void),
        turn
      )
    })
    return Effect.onError(turn, () => Effect.sync(() => permit.leave()))
  })

const woken = (permit: Permit): Effect.Effect<void> =>
  Fibers.waiting({
    register: (callback) => {
      if (permit.isWoken) return callback(Effect.void)
      permit.resume = () => Fibers.resume(callback, Effect.void)
    }
  })
