/**
 * The turns of fibers that are started one for each call. Effect's own scheduler has a queue for each fiber, in a `WeakMap`, which
 * the garbage collector walks: it takes a quarter of what starting a fiber costs. This module hides what a scheduler is.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scheduler from "effect/Scheduler"

/** Effect's scheduler, with as many turns in a row before others of the program have theirs, but with one queue. */
const makeScheduler = (): Scheduler.Scheduler => {
  const mixed = new Scheduler.MixedScheduler(2048)
  return {
    shouldYield: (fiber) => mixed.shouldYield(fiber),
    // Without its fiber, a task goes to the queue for all.
    scheduleTask: (task, priority) => mixed.scheduleTask(task, priority)
  }
}

/** One queue for all fibers of a runtime. */
export const layer: Layer.Layer<never> = /*#__PURE__*/ Layer.unwrapEffect(
  /*#__PURE__*/ Effect.sync(() => Layer.setScheduler(makeScheduler()))
)
