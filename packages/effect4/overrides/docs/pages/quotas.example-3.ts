import { ApiClient, type Middleware } from "@effect-api/client"
import { Effect, Layer } from "effect"
import { RateLimiter } from "effect/persistence"

const limited = Effect.map(RateLimiter.RateLimiter, (limiter): Middleware.Middleware => {
  const turn = limiter.consume({
    key: "api.example.com",
    algorithm: "token-bucket",
    limit: 50,
    window: "1 second",
    onExceeded: "delay"
  })
  // A limiter in memory that delays does not fail.
  const wait = turn.pipe(
    Effect.orDie,
    Effect.flatMap(({ delay }) => Effect.sleep(delay))
  )
  return (request, next) => Effect.andThen(wait, next(request))
})

export const Live = Layer.unwrap(
  Effect.map(limited, (middleware) =>
    ApiClient.layer({ baseUrl: "https://api.example.com", middleware: [middleware] })
  )
).pipe(Layer.provide(RateLimiter.layer), Layer.provide(RateLimiter.layerStoreMemory))
