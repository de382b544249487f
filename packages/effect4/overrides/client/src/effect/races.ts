/**
 * Work that runs against its end, wherever the caller runs. This module hides how fibers start and end: in an uninterruptible
 * region `Effect.timeout` and `Effect.race` wait for what they have interrupted.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Fibers from "./fibers.js"

/** A fiber of a limit starts at once, and is interruptible wherever the caller is. */
const atOnce = { startImmediately: true }

/**
 * Runs work until it is done or `end` is. Then the work is interrupted without waiting for it, `passed` takes its place, and
 * `abandon` receives whatever the work still produces. The work runs in a fiber of its own with the caller's context,
 * interruptible wherever the caller is. Interrupting the caller interrupts the work and waits for it.
 */
export const until = <A, E, R, A2, E2>(
  work: Effect.Effect<A, E, R>,
  end: Effect.Effect<unknown>,
  passed: Effect.Effect<A2, E2>,
  abandon: (value: A) => void = nothing
): Effect.Effect<A | A2, E | E2, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkDetach(work, atOnce), (working): Effect.Effect<A | A2, E | E2> => {
      // Work that waits for nothing needs no timer.
      const done = working.pollUnsafe()
      if (done !== undefined) return done
      return Effect.flatMap(Effect.forkDetach(end, atOnce), (ending) => {
        let isOver = false
        const waited = Effect.callback<A | A2, E | E2>((resume) => {
          working.addObserver((exit) => {
            const isLate = isOver
            // First, because an interrupted fiber is over at once.
            isOver = true
            Fibers.interrupt(ending)
            if (!isLate) resume(exit)
            else if (Exit.isSuccess(exit)) abandon(exit.value)
          })
          ending.addObserver(() => {
            if (isOver) return
            isOver = true
            Fibers.interrupt(working)
            resume(passed)
          })
        })
        return Effect.onInterrupt(restore(waited), () => {
          isOver = true
          return Fiber.interrupt(working)
        })
      })
    })
  )

const nothing = (): void => undefined

/**
 * The outcome of work that ends within so many milliseconds, else that of `late`. It waits for the work that it interrupts. The
 * work gives an `Exit`, which is never taken for a failure of the race.
 */
export const settledWithin = <A, E>(
  work: Effect.Effect<Exit.Exit<A, E>>,
  millis: number,
  late: () => Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.flatMap(Effect.timeoutOption(work, millis), (exit) => (Option.isSome(exit) ? exit.value : late()))
