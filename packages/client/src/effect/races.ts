/**
 * Work that runs against its end, wherever the caller runs. This module hides how fibers start and end: in an uninterruptible
 * region `Effect.timeout` and `Effect.race` wait for what they have interrupted.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Fibers from "./fibers.js"

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
    Effect.flatMap(forked(Effect.exit(work)), (working) =>
      Effect.flatMap(forked(end), (ending) => {
        let isOver = false
        const waited = Effect.async<A | A2, E | E2>((resume) => {
          working.addObserver((exit) => {
            Fibers.interrupt(ending)
            const result = Exit.isSuccess(exit) ? exit.value : Exit.failCause(exit.cause)
            if (isOver) {
              if (Exit.isSuccess(result)) abandon(result.value)
              return
            }
            isOver = true
            resume(Effect.zipRight(working.inheritAll, result))
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
    )
  )

const nothing = (): void => undefined

const forked = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkDaemon(Effect.interruptible(effect))

/**
 * The outcome of work that ends within so many milliseconds, else that of `late`. It waits for the work that it interrupts. The
 * work gives an `Exit`: Effect logs a fiber of a race that fails.
 */
export const settledWithin = <A, E>(
  work: Effect.Effect<Exit.Exit<A, E>>,
  millis: number,
  late: () => Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.flatten(
    Effect.timeoutTo(work, {
      duration: millis,
      onSuccess: (exit): Effect.Effect<A, E> => exit,
      onTimeout: late
    })
  )
