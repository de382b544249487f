/** Work that runs for one caller at a time. */
import * as Effect from "effect/Effect"
import * as Fibers from "../effect/fibers.js"
import * as Monotonic from "../effect/monotonic.js"
import { isIoBound } from "../shared/runtime.js"

/** How often a caller looks whether another request has ended its work. */
export const lookMillis = 20

/**
 * Runs effects one at a time. On Cloudflare the end of another request's work cannot wake this caller: it looks by
 * itself, and goes ahead when the other has held it up for `patienceMillis`, because that request may be gone.
 */
export const oneAtATime = (
  patienceMillis: number
): (<A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>) => {
  if (!isIoBound) return Effect.unsafeMakeSemaphore(1).withPermits(1)
  let holder: object | undefined
  const take: Effect.Effect<object> = Fibers.withFiber((fiber) => {
    const now = () => Monotonic.now(Fibers.clockOf(fiber))
    let other = holder
    let until = now() + patienceMillis
    const look: Effect.Effect<object> = Effect.suspend(() => {
      if (holder !== undefined && holder !== other) {
        other = holder
        until = now() + patienceMillis
      }
      if (holder !== undefined && now() < until) return Effect.zipRight(Effect.sleep(lookMillis), look)
      holder = {}
      return Effect.succeed(holder)
    })
    return look
  })
  const release = (mark: object) =>
    Effect.sync(() => {
      if (holder === mark) holder = undefined
    })
  return (effect) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(restore(take), (mark) => Effect.ensuring(restore(effect), release(mark)))
    )
}
