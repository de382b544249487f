import { Effect } from "effect"

/** Lets effects wait for a state that event handlers change: no polling, no sleeping. */
export interface Watch {
  /** To be called after every change. */
  readonly changed: () => void
  /** Waits until the probe gives something other than `undefined`. */
  readonly until: <A>(probe: () => A | undefined) => Effect.Effect<A>
}

export const make = (): Watch => {
  const waiters = new Set<() => void>()
  return {
    changed: () => {
      for (const waiter of [...waiters]) waiter()
    },
    until: <A>(probe: () => A | undefined) =>
      Effect.async<A>((resume) => {
        const check = (): void => {
          const found = probe()
          if (found === undefined) return
          waiters.delete(check)
          resume(Effect.succeed(found))
        }
        waiters.add(check)
        check()
        return Effect.sync(() => {
          waiters.delete(check)
        })
      })
  }
}
