/** The RateLimiter of `@effect/experimental`, which delays each request as it decides. */
import { RateLimiter } from "@effect/experimental"
import { layerStore } from "@effect/experimental/RateLimiter/Redis"
import { Effect, Layer, ManagedRuntime } from "effect"
import { callers, limit, type Open, windowMillis } from "../Limiter.js"

const on =
  (algorithm: "token-bucket" | "fixed-window"): Open =>
  async (socket, send) => {
    const runtime = ManagedRuntime.make(Layer.provide(RateLimiter.layer, layerStore({ path: socket })))
    const sleep = await runtime.runPromise(RateLimiter.makeSleep)
    return (key, more) => {
      const take = sleep({ algorithm, key, limit, window: windowMillis })
      return runtime.runPromise(
        Effect.forEach(callers, () => Effect.whileLoop({ while: more, body: () => take, step: send }), {
          concurrency: "unbounded",
          discard: true
        })
      )
    }
  }

export const tokenBucket: Open = on("token-bucket")
export const fixedWindow: Open = on("fixed-window")
