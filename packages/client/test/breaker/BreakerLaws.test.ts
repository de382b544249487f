/** Whatever ends a call, a circuit recovers once its server is well. */
import { ApiRequest, CircuitBreaker, RateLimit } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { type Duration, Effect, FastCheck as fc, TestClock } from "effect"
import { describe, expect } from "vitest"
import { steps as common, forAMinute, stepOf, struck, waysIn } from "../fixtures/anyEnds.js"
import { holds } from "../fixtures/properties.js"
import { scripted } from "../fixtures/requests.js"

const steps: Readonly<Record<string, MockTransport.MockStep>> = {
  ...common,
  hinting: MockTransport.json({}, { status: 503, headers: { "retry-after": "30" } }),
  missing: MockTransport.json({}, { status: 404 })
}

const call = fc.record({
  step: fc.constantFrom(...Object.keys(steps)),
  kind: fc.constantFrom("execute", "stream", "download", "nested"),
  /** When it begins, and when somebody interrupts it after that, in milliseconds. */
  beginsAt: fc.integer({ min: 0, max: 12_000 }),
  interruptedAfter: fc.integer({ min: 0, max: 5000 }),
  isUninterruptible: fc.boolean()
})

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
          ({ url }) => (isWell ? MockTransport.json("ok") : stepOf(steps, url)),
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
        yield* forAMinute(
          calls.map(({ beginsAt, interruptedAfter, isUninterruptible, kind, step }) => {
            const path = `/${step}`
            const ways = waysIn(client, path)
            const called = kind === "nested" ? nesting.execute(ApiRequest.get(path)) : ways[kind]
            const run = struck(called ?? Effect.void, interruptedAfter, isUninterruptible)
            return Effect.zipRight(Effect.sleep(beginsAt), run)
          })
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
