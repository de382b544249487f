import { describe, expect, it } from "@effect/vitest"
import { ApiRequest } from "@effect-api/client"
import { PoolMetrics } from "@effect-api/node"
import { TestServer } from "@effect-api/testing"
import { Deferred, Effect, Fiber, Metric } from "effect"
import { clientOf } from "../fixtures/clients.js"

/** The metrics of the server at a URL. */
const metricsAt = (url: string) => {
  const { hostname, port } = new URL(url)
  const open = PoolMetrics.openConnections.pipe(
    Metric.tagged("server.address", hostname),
    Metric.tagged("server.port", port),
    Metric.tagged("network.protocol.version", "1.1"),
    Metric.tagged("unit", "{connection}")
  )
  const waits = PoolMetrics.timeInQueue.pipe(
    Metric.tagged("server.address", hostname),
    Metric.tagged("server.port", port),
    Metric.tagged("unit", "s")
  )
  return { open: Metric.value(open), waits: Metric.value(waits) }
}

describe("the pool", () => {
  it.scopedLive("12.2 counts its connections and measures how long requests wait for one", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const server = yield* TestServer.make({
        "*": Effect.as(Deferred.await(gate), TestServer.json({ a: 1 }))
      })
      const metrics = metricsAt(server.url)
      const client = yield* clientOf(server, {}, { connections: 1, proxy: "none" })
      const first = yield* Effect.fork(client.execute(ApiRequest.get("/x")))
      yield* server.awaitExchange(0, () => true)
      expect(yield* metrics.open).toMatchObject({ count: 1 })
      const second = yield* Effect.fork(client.execute(ApiRequest.get("/x")))
      // The wait starts in the next turn.
      yield* Effect.async<void>((resume) => void setImmediate(() => setImmediate(() => resume(Effect.void))))
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(first)
      yield* Fiber.join(second)
      expect(yield* metrics.waits).toMatchObject({ count: 2 })
      expect(yield* server.socketsSeen).toBe(1)
    })
  )
})
