/** Whatever ends a call, its place comes back. */
import { ApiRequest, EventStream, RateLimit, ResponseDecoder } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Fiber, FastCheck as fc, Schema, Stream, TestClock } from "effect"
import { describe, expect } from "vitest"
import { holds } from "../fixtures/properties.js"
import { scripted } from "../fixtures/requests.js"

const steps: Readonly<Record<string, MockTransport.MockStep>> = {
  ok: MockTransport.json("ok", { delay: "1 second" }),
  at_once: MockTransport.json("ok"),
  refused: MockTransport.connectionError({ code: "ECONNREFUSED" }),
  reset: MockTransport.stream(["1", { fail: MockTransport.systemError("ECONNRESET") }]),
  busy: MockTransport.json({}, { status: 429, headers: { "retry-after": "2" }, delay: "100 millis" }),
  failing: MockTransport.json({}, { status: 500, delay: "100 millis" }),
  defect: MockTransport.die("a defect"),
  never: MockTransport.never,
  silent: MockTransport.stream(["data: 1\n\n", { delay: Number.POSITIVE_INFINITY }], {
    headers: { "content-type": "text/event-stream" }
  })
}

const call = fc.record({
  step: fc.constantFrom(...Object.keys(steps)),
  kind: fc.constantFrom("execute", "stream", "download"),
  /** When somebody interrupts it, in milliseconds. */
  interruptedAt: fc.integer({ min: 0, max: 5000 }),
  isUninterruptible: fc.boolean(),
  priority: fc.integer({ min: 0, max: 2 })
})

const events = EventStream.make({ event: Schema.Number })

describe("any calls", () => {
  holds(
    "6.20 every place comes back, however the calls end",
    { calls: fc.array(call, { minLength: 1, maxLength: 12 }), concurrency: fc.integer({ min: 1, max: 3 }) },
    ({ calls, concurrency }) =>
      Effect.gen(function* () {
        let isOver = false
        const { client, transport } = yield* scripted(
          ({ url }) =>
            isOver ? MockTransport.never : (steps[new URL(url).pathname.slice(4)] ?? MockTransport.never),
          { rateLimit: RateLimit.make({ concurrency }), timeouts: { total: "20 seconds" } }
        )
        yield* Effect.forEach(
          calls,
          ({ interruptedAt, isUninterruptible, kind, priority, step }) => {
            const path = `/${step}`
            const runs: Readonly<Record<string, Effect.Effect<unknown, unknown>>> = {
              execute: client.execute(ApiRequest.get(path, { priority })),
              stream: Stream.runDrain(client.stream(ApiRequest.get(path, { events, priority }))),
              download: Effect.flatMap(
                client.execute(ApiRequest.get(path, { success: ResponseDecoder.stream(), priority })),
                Stream.runDrain
              )
            }
            const run = runs[kind] ?? Effect.void
            return Effect.gen(function* () {
              const fiber = yield* Effect.fork(isUninterruptible ? Effect.uninterruptible(run) : run)
              yield* Effect.sleep(interruptedAt)
              yield* Effect.fork(Fiber.interrupt(fiber))
              yield* Fiber.await(fiber)
            })
          },
          { concurrency: "unbounded", discard: true }
        ).pipe(
          Effect.fork,
          Effect.flatMap((all) => Effect.zipRight(TestClock.adjust("1 minute"), Fiber.join(all)))
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
