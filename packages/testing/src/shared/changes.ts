import { Effect } from "effect"

/** Lets effects wait for state that event handlers change, without polling or sleeping. */
export interface Changes {
  /** Call it after every change of the state. */
  readonly notify: () => void
  /** Waits until the probe returns something other than `undefined`. What follows runs after the code that changed the state. */
  readonly until: <A>(probe: () => A | undefined) => Effect.Effect<A>
}

/** A probe that throws ends the wait, and not the code that changed the state. */
const attempt = <A>(probe: () => A | undefined): Effect.Effect<A> | undefined => {
  try {
    const found = probe()
    return found === undefined ? undefined : Effect.succeed(found)
  } catch (error) {
    return Effect.die(error)
  }
}

export const make = (): Changes => {
  const waiters = new Set<() => void>()
  return {
    notify: () => {
      for (const waiter of [...waiters]) waiter()
    },
    until: <A>(probe: () => A | undefined) =>
      Effect.async<A>((resume) => {
        const check = (): void => {
          const found = attempt(probe)
          if (found === undefined) return
          waiters.delete(check)
          queueMicrotask(() => resume(found))
        }
        waiters.add(check)
        check()
        return Effect.sync(() => {
          waiters.delete(check)
        })
      })
  }
}
