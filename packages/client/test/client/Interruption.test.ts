import { describe, expect, it } from "@effect/vitest"
import { ApiClient, Credentials } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Fiber, TestClock } from "effect"
import { scripted, withoutDelay } from "../fixtures/requests.js"
import { list, ok, play, settle, status, withoutJitter } from "../fixtures/retry.js"
import { watchFibers } from "../fixtures/watch.js"

describe("interruption", () => {
  const credentials = Credentials.cached({ fetch: Effect.never })

  it.effect.each([
    { name: "during an attempt", script: [MockTransport.never], sent: 1, aborted: 1 },
    { name: "during the backoff", script: [status(503)], sent: 1, aborted: 0 },
    {
      name: "during a body",
      script: [MockTransport.stream(["a", { delay: Infinity }])],
      sent: 1,
      aborted: 1
    },
    {
      name: "during the body of an error",
      script: [MockTransport.stream(["a", { delay: Infinity }], { status: 503 })],
      sent: 1,
      aborted: 1
    },
    {
      name: "during a second attempt",
      script: [status(503), MockTransport.never],
      after: 600,
      sent: 2,
      aborted: 1
    },
    { name: "during a token fetch", script: [], options: { credentials }, sent: 0, aborted: 0 }
  ])(
    "8.6 $name sends nothing more and leaves nothing open",
    ({ after = 100, aborted, options, script, sent }) =>
      Effect.gen(function* () {
        const { client, transport } = yield* scripted(script, { retry: withoutJitter, ...options })
        const watch = yield* watchFibers
        const fiber = yield* Effect.fork(watch.within(client.execute(list)))
        yield* TestClock.adjust(after)
        yield* Fiber.interrupt(fiber)
        yield* TestClock.adjust("1 hour")
        expect(yield* transport.requestCount).toBe(sent)
        expect(yield* transport.interrupted).toBe(aborted)
        expect(yield* transport.inFlight).toBe(0)
        expect(yield* watch.running).toBe(0)
      })
  )
})

describe("unread responses", () => {
  const stuck = MockTransport.stream(["a", { delay: Infinity }], { status: 503 })

  it.effect("6.8 a failed attempt's response is read or aborted before the next attempt", () =>
    Effect.gen(function* () {
      const large = MockTransport.stream(
        Array.from({ length: 64 }, () => "x".repeat(16 * 1024)),
        { status: 503 }
      )
      const { ended, times, transport } = yield* play([stuck, large, ok], { retry: withoutJitter })
      expect(ended).toMatchObject({ right: { value: "ok" } })
      // A stalled body is given five seconds.
      expect(times).toEqual([0, 5500, 6500])
      expect(yield* transport.interrupted).toBe(2)
      expect(yield* transport.inFlight).toBe(0)
    })
  )

  it.effect("6.8 the HttpClient aborts failed responses and returns the last one", () =>
    Effect.gen(function* () {
      const last = MockTransport.stream(["the last"], { status: 503 })
      const { client, transport } = yield* scripted([stuck, status(503), last], { retry: withoutDelay })
      const response = yield* settle(ApiClient.httpClient(client).get("/todos"))
      expect(response).toMatchObject({ right: { status: 503 } })
      expect(yield* transport.interrupted).toBe(1)
      expect(yield* transport.inFlight).toBe(1)
      expect(yield* Effect.flatMap(response, ({ text }) => text)).toBe("the last")
      expect(yield* transport.inFlight).toBe(0)
    })
  )

  it.effect("10.7 interrupting the HttpClient aborts its attempt", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([MockTransport.never])
      const fiber = yield* Effect.fork(ApiClient.httpClient(client).get("/todos"))
      yield* transport.awaitRequests(1)
      yield* Fiber.interrupt(fiber)
      expect(yield* transport.interrupted).toBe(1)
      expect(yield* transport.inFlight).toBe(0)
    })
  )

  it.effect("6.8 a response above the limit is aborted", () =>
    Effect.gen(function* () {
      const endless = MockTransport.stream(Array.from({ length: 100 }, () => "x".repeat(1000)))
      const { ended, transport } = yield* play([endless], { limits: { responseBytes: 5000 } }, list, 0)
      expect(ended).toMatchObject({ left: { _tag: "ResponseValidationError", stoppedBy: "not-retryable" } })
      expect(yield* transport.interrupted).toBe(1)
    })
  )
})
