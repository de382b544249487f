/** The turns of fibers that are started one for each call. Effect 4 keeps the queue of a fiber in the fiber: nothing needs to change. */
import * as Layer from "effect/Layer"

/** One queue for all fibers of a runtime. */
export const layer: Layer.Layer<never> = Layer.empty
