import { describe, expect, it } from "@effect/vitest"
import { type ApiError, ApiRequest, EventStream } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Chunk, Duration, Effect, Exit, Fiber, Stream } from "effect"
import { clientOn, scripted, withoutDelay } from "../fixtures/requests.js"
import { status, withoutJitter } from "../fixtures/retry.js"
import {
  done,
  errorEvent,
  follow,
  getEvents,
  neverEnding,
  ping,
  playStream,
  postEvents,
  reset,
  sse,
  Tick,
  tags,
  tick,
  tickEvents,
  ticks,
  untilDone,
  values
} from "../fixtures/streams.js"

const refused = MockTransport.connectionError({ code: "ECONNREFUSED" })
const overloaded = errorEvent("overloaded_error")

describe("from the transport to the consumer", () => {
  it.effect("10 the events of a network chunk arrive as one chunk", () =>
    Effect.gen(function* () {
      const parts = [ticks(1, 2, 3), "data: ", '{"n":4}\n', "\n", ping + ticks(5, 6) + ping, ping, tick(7)]
      const read = yield* playStream(
        [sse(parts)],
        getEvents(EventStream.make({ event: Tick, ignore: ["ping"] })),
        {},
        0
      )
      expect(read.chunks).toEqual([values(1, 2, 3), values(4), values(5, 6), values(7)])
    })
  )

  it.effect("10 each run of the stream sends its own request", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([sse(ticks(1)), sse(ticks(2))])
      const stream = client.stream(getEvents(tickEvents))
      expect(yield* transport.requestCount).toBe(0)
      expect((yield* follow(stream)).events).toEqual(values(1))
      expect((yield* follow(stream)).events).toEqual(values(2))
      expect(yield* transport.requestCount).toBe(2)
    })
  )

  it.effect("10 concurrent runs are independent", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted((_, index) => sse([tick(index), tick(10 + index)]))
      const stream = client.stream(getEvents(tickEvents))
      const read = yield* Effect.all([follow(stream), follow(stream)], { concurrency: 2 })
      expect(read.map(({ events }) => events)).toEqual([values(0, 10), values(1, 11)])
      expect(yield* transport.inFlight).toBe(0)
    })
  )

  it.effect("10 a POST sends its body and accepts events", () =>
    Effect.gen(function* () {
      const read = yield* playStream([sse(tick(1))], postEvents(tickEvents), {}, 0)
      expect(read.requests[0]).toMatchObject({
        method: "POST",
        text: "{}",
        headers: { accept: "text/event-stream", "content-type": "application/json" }
      })
    })
  )

  it.effect.each([
    {
      name: "Stream.take",
      leave: (s: Stream.Stream<unknown, unknown>) => Stream.runDrain(Stream.take(s, 2))
    },
    { name: "Stream.runHead", leave: (s: Stream.Stream<unknown, unknown>) => Stream.runHead(s) },
    {
      name: "a failing consumer",
      leave: (s: Stream.Stream<unknown, unknown>) => Stream.runForEach(s, () => Effect.fail("enough"))
    }
  ])("10.7 $name aborts the attempt", ({ leave }) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([sse([tick(1), tick(2), neverEnding])])
      yield* Effect.exit(leave(client.stream(getEvents(tickEvents))))
      expect(yield* transport.interrupted).toBe(1)
      expect(yield* transport.inFlight).toBe(0)
    })
  )

  it.effect.each([
    { name: "before the headers", step: MockTransport.never },
    { name: "before the first event", step: sse([ping, neverEnding]) },
    { name: "between events", step: sse([tick(1), neverEnding]) }
  ])("10.7 an interruption $name aborts the attempt", ({ step }) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([step])
      const contract = EventStream.make({ event: Tick, ignore: ["ping"] })
      const fiber = yield* Effect.fork(Stream.runDrain(client.stream(getEvents(contract))))
      yield* transport.awaitRequests(1)
      yield* Effect.yieldNow()
      expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
      expect(yield* transport.interrupted).toBe(1)
      expect(yield* transport.inFlight).toBe(0)
    })
  )

  it.effect("10.7 closing the scope aborts the stream", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([sse([tick(1), neverEnding])])
      const first = yield* Effect.scoped(
        Effect.flatMap(Stream.toPull(client.stream(getEvents(tickEvents))), (pull) => pull)
      )
      expect(Chunk.toReadonlyArray(first)).toEqual(values(1))
      expect(yield* transport.interrupted).toBe(1)
    })
  )

  it.effect("10 the client's middleware sees every attempt of a stream", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const transport = yield* MockTransport.make([status(503), sse(tick(1))])
      const client = yield* clientOn(transport.client, {
        retry: withoutDelay,
        middleware: [
          (request, next) =>
            Effect.tap(next(request), (response) => Effect.sync(() => seen.push(response.status)))
        ]
      })
      expect((yield* follow(client.stream(getEvents(tickEvents)))).events).toEqual(values(1))
      expect(seen).toEqual([503, 200])
    })
  )
})

describe("retries before the first element", () => {
  it.effect.each([
    { name: "a 503", failed: status(503), tag: "ServiceUnavailableError" },
    { name: "a refused connection", failed: refused, tag: "ConnectionError" },
    { name: "a reset body", failed: sse([reset]), tag: "ConnectionError" },
    { name: "a reset body after a ping", failed: sse([ping, reset]), tag: "ConnectionError" },
    {
      name: "a reset body inside an event",
      failed: sse(["data: {", reset]),
      tag: "ConnectionError"
    },
    {
      name: "a retryable error event",
      failed: sse([overloaded, neverEnding]),
      tag: "OverloadedError"
    }
  ])("10.5 $name is retried", ({ failed, tag }) =>
    Effect.gen(function* () {
      const contract = EventStream.make({ event: Tick, ignore: ["ping"], terminal: "[DONE]" })
      const script = [failed, failed, sse([ticks(1, 2), done])]
      const read = yield* playStream(script, postEvents(contract), { retry: withoutJitter })
      expect(read).toMatchObject({ events: values(1, 2), error: undefined, sentAt: [0, 500, 1500] })
      expect(yield* read.transport.inFlight).toBe(0)

      const outage = yield* playStream(
        [MockTransport.forever(failed)],
        getEvents(contract),
        { retry: withoutDelay },
        0
      )
      expect(outage.error).toMatchObject({ _tag: tag, stoppedBy: "attempts" })
      expect(tags(outage.error)).toEqual([tag, tag, tag])
    })
  )

  it.effect("6.2 waits as long as Retry-After", () =>
    Effect.gen(function* () {
      const script = [status(429, { "retry-after": "7" }), sse(tick(1))]
      const read = yield* playStream(script, getEvents(tickEvents))
      expect(read).toMatchObject({ events: values(1), sentAt: [0, 7000] })
    })
  )

  it.effect.each([
    { name: "a firstEventTimeout", contract: { firstEventTimeout: "2 seconds" } },
    { name: "an idleTimeout", contract: { idleTimeout: "2 seconds" } }
  ] as const)("10.5 $name is retried", ({ contract }) =>
    Effect.gen(function* () {
      const script = [sse([neverEnding]), sse([tick(1)])]
      const read = yield* playStream(script, getEvents(EventStream.make({ event: Tick, ...contract })), {
        retry: withoutJitter
      })
      expect(read).toMatchObject({ events: values(1), error: undefined, sentAt: [0, 2500] })
      expect(yield* read.transport.interrupted).toBe(1)
    })
  )

  it.effect.each([
    { name: "a 404", failed: status(404), tag: "NotFoundError" },
    {
      name: "another error event",
      failed: sse(errorEvent("invalid_request_error")),
      tag: "BadRequestError"
    },
    {
      name: "a response of another media type",
      failed: MockTransport.text("hi"),
      tag: "StreamProtocolError"
    },
    { name: "data that does not fit", failed: sse("data: 1\n\n"), tag: "StreamProtocolError" },
    { name: "an empty stream before its terminal event", failed: sse(""), tag: "StreamTruncatedError" }
  ])("6.1 $name is not retried", ({ failed, tag }) =>
    Effect.gen(function* () {
      const read = yield* playStream([failed], getEvents(untilDone), {}, 0)
      expect(read.error).toMatchObject({ _tag: tag, stoppedBy: "not-retryable" })
      expect(tags(read.error)).toEqual([tag])
    })
  )

  it.effect("6.3 a body that can be read only once gets one attempt", () =>
    Effect.gen(function* () {
      const bodyStream = Stream.make(new Uint8Array([1]))
      const request = ApiRequest.post("/ticks", { bodyStream, events: tickEvents })
      const read = yield* playStream([status(503)], request, {}, 0)
      expect(read.error).toMatchObject({ _tag: "ServiceUnavailableError", stoppedBy: "not-replayable" })
    })
  )
})

describe("no retry after the first element", () => {
  it.effect.each([
    { name: "a reset", end: [reset], tag: "ConnectionError", stoppedBy: "not-replayable" },
    { name: "an error event", end: [overloaded], tag: "OverloadedError", stoppedBy: "not-replayable" },
    {
      name: "an error event that is not retryable",
      end: [errorEvent("not_found_error")],
      tag: "NotFoundError",
      stoppedBy: "not-retryable"
    },
    { name: "an idle stream", end: [neverEnding], tag: "TimeoutError", stoppedBy: "not-replayable" },
    { name: "the end", end: [], tag: "StreamTruncatedError", stoppedBy: "not-retryable" },
    {
      name: "data that does not fit",
      end: ["data: 1\n\n"],
      tag: "StreamProtocolError",
      stoppedBy: "not-retryable"
    }
  ] as const)("10.5 $name after an element fails the call after one attempt", ({ end, stoppedBy, tag }) =>
    Effect.gen(function* () {
      const script = [sse([tick(1), { delay: 1000 }, ...end])]
      const read = yield* playStream(script, getEvents(untilDone), { timeouts: { idle: "5 seconds" } })
      expect(read.events).toEqual(values(1))
      expect(read.error).toMatchObject({
        _tag: tag,
        stoppedBy,
        attempts: [{ tag, status: 200, delay: undefined }]
      })
      const took = end.includes(neverEnding as never) ? 5000 : 1000
      const error = read.error as ApiError.ApiError
      expect(error.attempts.map(({ duration }) => Duration.toMillis(duration))).toEqual([took])
      expect(yield* read.transport.inFlight).toBe(0)
    })
  )

  it.effect("10.5 an error event in the chunk of the first element fails after it and is not retried", () =>
    Effect.gen(function* () {
      const read = yield* playStream([sse(tick(1) + overloaded)], getEvents(tickEvents), {}, 0)
      expect(read.events).toEqual(values(1))
      expect(read.error).toMatchObject({ _tag: "OverloadedError", stoppedBy: "not-replayable" })
    })
  )

  it.effect("6.6 the ledger keeps the earlier attempts", () =>
    Effect.gen(function* () {
      const script = [status(503), sse([tick(1), reset])]
      const read = yield* playStream(script, getEvents(tickEvents), { retry: withoutDelay }, 0)
      expect(read.error).toMatchObject({
        stoppedBy: "not-replayable",
        attempts: [
          { tag: "ServiceUnavailableError", status: 503, delay: Duration.zero },
          { tag: "ConnectionError", status: 200 }
        ]
      })
    })
  )
})
