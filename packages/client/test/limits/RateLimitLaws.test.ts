/** Whatever ends a call, its place comes back. */
import { ApiRequest, RateLimit } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Fiber, FastCheck as fc, TestClock } from "effect"
import { describe, expect } from "vitest"
import { forAMinute, stepOf, steps, struck, waysIn } from "../fixtures/anyEnds.js"
import { holds } from "../fixtures/properties.js"
import { scripted } from "../fixtures/requests.js"

const call = fc.record({
  step: fc.constantFrom(...Object.keys(steps)),
  kind: fc.constantFrom("execute", "stream", "download"),
  /** When somebody interrupts it, in milliseconds. */
  interruptedAt: fc.integer({ min: 0, max: 5000 }),
  isUninterruptible: fc.boolean(),
  priority: fc.integer({ min: 0, max: 2 })
})

describe("any calls", () => {
  holds(
    "6.20 every place comes back, however the calls end",
    { calls: fc.array(call, { minLength: 1, maxLength: 12 }), concurrency: fc.integer({ min: 1, max: 3 }) },
    ({ calls, concurrency }) =>
      Effect.gen(function* () {
        let isOver = false
        const { client, transport } = yield* scripted(
          ({ url }) => (isOver ? MockTransport.never : stepOf(steps, url)),
          { rateLimit: RateLimit.make({ concurrency }), timeouts: { total: "20 seconds" } }
        )
        yield* forAMinute(
          calls.map(({ interruptedAt, isUninterruptible, kind, priority, step }) =>
            struck(
              waysIn(client, `/${step}`, priority)[kind] ?? Effect.void,
              interruptedAt,
              isUninterruptible
            )
          )
        )
        isOver = true
        const sent = yield* transport.requestCount
        const last = yield* Effect.forEach(Array.from({ length: concurrency + 1 }), () =>
          Effect.fork(client.execute(ApiRequest.get("/last")))
        )
        yield* TestClock.adjust("10 seconds")
        expect((yield* transport.requestCount) - sent).toBe(concurrency)
        yield* Fiber.interruptAll(last)
      }),
    100
  )
})
