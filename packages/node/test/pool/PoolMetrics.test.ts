import { describe, expect, it } from "@effect/vitest"
import { ApiRequest } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Deferred, Effect, Fiber, Metric, Option } from "effect"
import { clientOf } from "../fixtures/clients.js"

/** The state of a metric for the server with this port. */
const stateOf = (name: string, port: string): Effect.Effect<unknown> =>
  Effect.map(Metric.snapshot, (all) =>
    Option.getOrUndefined(
      Option.fromNullable(
        all.find(
          ({ metricKey }) =>
            metricKey.name === name &&
            metricKey.tags.some(({ key, value }) => key === "server.port" && value === port)
        )
      ).pipe(Option.map(({ metricState }) => metricState))
    )
  )

describe("the pool", () => {
  it.scopedLive("12.2 counts its connections and measures how long requests wait for one", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const server = yield* TestServer.make({
        "*": Effect.as(Deferred.await(gate), TestServer.json({ a: 1 }))
      })
      const { port } = new URL(server.url)
      const client = yield* clientOf(server, {}, { connections: 1, proxy: "none" })
      const first = yield* Effect.fork(client.execute(ApiRequest.get("/x")))
      yield* server.awaitExchange(0, () => true)
      expect(yield* stateOf("http.client.open_connections", port)).toMatchObject({ count: 1 })
      const second = yield* Effect.fork(client.execute(ApiRequest.get("/x")))
      // The wait starts in the next turn.
      yield* Effect.async<void>((resume) => void setImmediate(() => setImmediate(() => resume(Effect.void))))
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(first)
      yield* Fiber.join(second)
      expect(yield* stateOf("http.client.request.time_in_queue", port)).toMatchObject({ count: 2 })
      expect(yield* server.socketsSeen).toBe(1)
    })
  )
})
