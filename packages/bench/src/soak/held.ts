/** What the process of the soak holds: memory, sockets and timers. */
import { Effect } from "effect"

const turn = Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))

/** The bytes that are in use once the collector has run. */
export const used: Effect.Effect<number> = Effect.gen(function* () {
  globalThis.gc?.()
  // What finalizers let go of is collected the second time.
  yield* turn
  globalThis.gc?.()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
})

const timers = new Set(["Timeout", "Immediate"])

/** What keeps the process alive but for its child and its output. */
export const held = () => {
  const resources = process.getActiveResourcesInfo()
  return {
    sockets: resources.filter((name) => name.startsWith("TCP")).length,
    timers: resources.filter((name) => timers.has(name)).length
  }
}

/** The same, once the sockets that were told to close have closed. */
export const heldAtLast = Effect.gen(function* () {
  let now = held()
  for (let turns = 0; turns < 1000 && now.sockets + now.timers > 0; turns++) {
    yield* turn
    now = held()
  }
  return now
})
