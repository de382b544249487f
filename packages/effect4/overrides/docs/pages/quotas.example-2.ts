import { ApiClient, ApiRequest } from "@effect-api/client"
import { Effect, Layer } from "effect"
import { RateLimiter } from "effect/persistence"

const getTodo = (id: number) => ApiRequest.get("/todos/{id}", { path: { id } })

// At most 50 calls a second, 8 at a time.
export const todos = (ids: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const withLimit = yield* RateLimiter.makeWithRateLimiter
    const limit = withLimit({
      key: "todos",
      algorithm: "token-bucket",
      limit: 50,
      window: "1 second",
      onExceeded: "delay"
    })
    return yield* Effect.forEach(ids, (id) => limit(ApiClient.execute(getTodo(id))), { concurrency: 8 })
  }).pipe(Effect.provide(Layer.provide(RateLimiter.layer, RateLimiter.layerStoreMemory)))
