/** The RateLimiter of Effect 4, which delays each request as it decides. An override: its Redis is a service, over node-redis. */
import { NodeRedis } from "@effect/platform-node"
import { Effect, Layer, ManagedRuntime } from "effect"
import { RateLimiter } from "effect/persistence"
import { callers, limit, type Open, windowMillis } from "../Limiter.js"

const on =
  (algorithm: "token-bucket" | "fixed-window"): Open =>
  async (socket, send) => {
    const store = Layer.provide(
      RateLimiter.layerStoreRedis(),
      NodeRedis.layer({ socket: { path: socket, tls: false } })
    )
    const runtime = ManagedRuntime.make(Layer.provide(RateLimiter.layer, store))
    const limiter = await runtime.runPromise(RateLimiter.RateLimiter)
    return (key, more) => {
      const take = RateLimiter.sleep(limiter, { algorithm, key, limit, window: windowMillis })
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
