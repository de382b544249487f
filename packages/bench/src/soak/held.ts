/** The resources of the soak's process: memory, sockets and timers. */
import { Effect } from "effect"

const turn = Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))

/** The bytes in use after a garbage collection. */
export const used: Effect.Effect<number> = Effect.gen(function* () {
  globalThis.gc?.()
  // The second collection frees what finalizers released.
  yield* turn
  globalThis.gc?.()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
})

const timers = new Set(["Timeout", "Immediate"])

/** The sockets and timers that keep the process alive. */
export const held = () => {
  const resources = process.getActiveResourcesInfo()
  return {
    sockets: resources.filter((name) => name.startsWith("TCP")).length,
    timers: resources.filter((name) => timers.has(name)).length
  }
}

/** The remaining sockets and timers, after closing sockets have closed. */
export const heldAtEnd = Effect.gen(function* () {
  let now = held()
  for (let turns = 0; turns < 1000 && now.sockets + now.timers > 0; turns++) {
    yield* turn
    now = held()
  }
  return now
})
