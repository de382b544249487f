/** Whatever ends a call, a circuit recovers once its server is well. */
import { ApiRequest, CircuitBreaker, EventStream, RateLimit, ResponseDecoder } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { type Duration, Effect, Fiber, FastCheck as fc, Schema, Stream, TestClock } from "effect"
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
  hinting: MockTransport.json({}, { status: 503, headers: { "retry-after": "30" } }),
  missing: MockTransport.json({}, { status: 404 }),
  defect: MockTransport.die("a defect"),
  never: MockTransport.never,
  silent: MockTransport.stream(["data: 1\n\n", { delay: Number.POSITIVE_INFINITY }], {
    headers: { "content-type": "text/event-stream" }
  })
}

const call = fc.record({
  step: fc.constantFrom(...Object.keys(steps)),
  kind: fc.constantFrom("execute", "stream", "download", "nested"),
  /** When it begins, and when somebody interrupts it after that, in milliseconds. */
  beginsAt: fc.integer({ min: 0, max: 12_000 }),
  interruptedAfter: fc.integer({ min: 0, max: 5000 }),
  isUninterruptible: fc.boolean()
})

const events = EventStream.make({ event: Schema.Number })

const options = fc.record({
  consecutiveFailures: fc.constantFrom<false | number>(1, 2, 5),
  failureRate: fc.constantFrom<false | number>(false, 0.2),
  minimumCalls: fc.constantFrom(2, 5),
  openFor: fc.constantFrom<Duration.DurationInput>("100 millis", "5 seconds"),
  jitter: fc.constantFrom(0, 0.25, 1),
  probes: fc.integer({ min: 1, max: 4 })
})

describe("any calls", () => {
  holds(
    "6.26 a circuit recovers once the server is well, however the calls before end",
    {
      calls: fc.array(call, { minLength: 1, maxLength: 10 }),
      options,
      concurrency: fc.constantFrom(1, Number.POSITIVE_INFINITY),
      total: fc.constantFrom<Duration.DurationInput>("3 seconds", "20 seconds")
    },
    ({ calls, concurrency, options, total }) =>
      Effect.gen(function* () {
        let isWell = false
        const { client, transport } = yield* scripted(
          ({ url }) =>
            isWell
              ? MockTransport.json("ok")
              : (steps[new URL(url).pathname.slice(4)] ?? MockTransport.never),
          {
            circuitBreaker: CircuitBreaker.make({ ...options, maxOpenFor: "10 seconds" }),
            rateLimit: RateLimit.make({ concurrency }),
            timeouts: { total }
          }
        )
        const nesting = client.withOptions({
          middleware: [
            (request, next) =>
              Effect.zipRight(Effect.ignore(client.execute(ApiRequest.get("/ok"))), next(request))
          ]
        })
        yield* Effect.forEach(
          calls,
          ({ beginsAt, interruptedAfter, isUninterruptible, kind, step }) => {
            const path = `/${step}`
            const runs: Readonly<Record<string, Effect.Effect<unknown, unknown>>> = {
              execute: client.execute(ApiRequest.get(path)),
              nested: nesting.execute(ApiRequest.get(path)),
              stream: Stream.runDrain(client.stream(ApiRequest.get(path, { events }))),
              download: Effect.flatMap(
                client.execute(ApiRequest.get(path, { success: ResponseDecoder.stream() })),
                Stream.runDrain
              )
            }
            const run = runs[kind] ?? Effect.void
            return Effect.gen(function* () {
              yield* Effect.sleep(beginsAt)
              const fiber = yield* Effect.fork(isUninterruptible ? Effect.uninterruptible(run) : run)
              yield* Effect.sleep(interruptedAfter)
              yield* Effect.fork(Fiber.interrupt(fiber))
              yield* Fiber.await(fiber)
            })
          },
          { concurrency: "unbounded", discard: true }
        ).pipe(
          Effect.fork,
          Effect.flatMap((all) => Effect.zipRight(TestClock.adjust("1 minute"), Fiber.join(all)))
        )
        isWell = true
        // One call for each probe, and each may have to wait as long as a circuit may be open.
        const sent = yield* transport.requestCount
        yield* TestClock.adjust("10 seconds")
        for (let probe = 0; probe < options.probes; probe++)
          expect(yield* client.execute(ApiRequest.get("/last"))).toBe("ok")
        // It is closed: all may go at once, and no place is taken for ever.
        const last = Effect.forEach(calls, () => client.execute(ApiRequest.get("/last")), {
          concurrency: "unbounded"
        })
        expect(yield* last).toEqual(calls.map(() => "ok"))
        expect((yield* transport.requestCount) - sent).toBe(options.probes + calls.length)
      }),
    40
  )
})
