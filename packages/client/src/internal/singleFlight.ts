/** One run of an effect for all who ask for it while it lasts. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"

interface Flight<A, E> {
  readonly outcome: Deferred.Deferred<A, E>
  waiters: number
  callOff: Effect.Effect<void>
}

/**
 * One run of an effect at a time, shared by all who ask for it. `join` waits for the outcome; `start` lets it run in the
 * background.
 */
export const singleFlight = <A, E>(
  effect: Effect.Effect<A, E>
): { readonly join: Effect.Effect<A, E>; readonly start: Effect.Effect<void> } => {
  let flight: Flight<A, E> | undefined
  const land = (landed: Flight<A, E>): void => {
    if (flight === landed) flight = undefined
  }
  // Found or made and counted in one step: a fiber may be made to yield between any two, and others run meanwhile.
  const board: Effect.Effect<Flight<A, E>> = Effect.suspend(() => {
    if (flight !== undefined) {
      flight.waiters++
      return Effect.succeed(flight)
    }
    const launched: Flight<A, E> = {
      outcome: Deferred.unsafeMake(FiberId.none),
      waiters: 1,
      callOff: Effect.void
    }
    flight = launched
    const run = Effect.onExit(Effect.interruptible(effect), (exit) => {
      land(launched)
      return Deferred.done(launched.outcome, exit)
    })
    return Effect.map(Effect.forkDaemon(run), (fiber) => {
      launched.callOff = Fiber.interruptFork(fiber)
      return launched
    })
  })
  const join = Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(board, (flight) =>
      Effect.onInterrupt(restore(Deferred.await(flight.outcome)), () => {
        flight.waiters--
        if (flight.waiters > 0) return Effect.void
        // Landed first: nobody may join a flight that is being called off.
        land(flight)
        return flight.callOff
      })
    )
  )
  // A background run has a waiter that never leaves.
  const start = Effect.uninterruptible(Effect.asVoid(board))
  return { join, start }
}
