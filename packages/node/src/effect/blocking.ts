/**
 * What lets fibers run while their thread is blocked. This module hides what a scheduler is, and how a clock replaces the
 * system's.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scheduler from "effect/Scheduler"

/** Where fibers leave what is to run next, and what is to run after a time. */
export interface Turns {
  readonly add: (task: () => void) => void
  /** Runs a task once so many milliseconds have passed. The result cancels that. */
  readonly addAfter: (millis: number, task: () => void) => () => void
}

/** A scheduler whose tasks run when `turns` runs them. */
export const makeScheduler = (turns: Turns): Scheduler.Scheduler => ({
  shouldYield: () => false,
  scheduleTask: (task) => turns.add(task)
})

/** The system's clock, but for sleeping. The client sees by its key that nobody can wait for a promise. */
export const layerClock = (turns: Turns): Layer.Layer<never> =>
  Layer.setClock(
    Object.assign(Object.create(Effect.runSync(Effect.clock)), {
      [Symbol.for("@effect-api/client/blocking")]: true,
      sleep: (duration: Duration.Duration) => sleep(turns, Duration.toMillis(duration))
    })
  )

const sleep = (turns: Turns, millis: number): Effect.Effect<void> =>
  millis === Number.POSITIVE_INFINITY
    ? Effect.never
    : Effect.async<void>((resume) => {
        const cancel = turns.addAfter(millis, () => resume(Effect.void))
        return Effect.sync(cancel)
      })
