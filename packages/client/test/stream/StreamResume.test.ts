import { describe, expect, it } from "@effect/vitest"
import { EventStream, Metrics } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Duration, Effect, Metric, Schema } from "effect"
import { withoutDelay } from "../fixtures/requests.js"
import { status, withoutJitter } from "../fixtures/retry.js"
import {
  done,
  errorEvent,
  getEvents,
  lastEventIds,
  neverEnding,
  playStream,
  postEvents,
  reset,
  resumable,
  resumableWithoutEnd,
  sse,
  Tick,
  tags,
  tick,
  tickEvents,
  values
} from "../fixtures/streams.js"

const refused = MockTransport.connectionError({ code: "ECONNREFUSED" })
const first = (...more: ReadonlyArray<MockTransport.BodyPart>) => sse([tick(1, "a"), tick(2, "b"), ...more])
const rest = sse([tick(3, "c"), done])
const gone = MockTransport.empty(204)

describe("reconnecting", () => {
  it.effect.each([
    { name: "a reset", break: [reset], took: 500 },
    { name: "the end of the body before the terminal event", break: [], took: 500 },
    {
      name: "a retryable error event",
      break: [errorEvent("overloaded_error"), neverEnding],
      took: 500
    },
    { name: "an idle stream", break: [neverEnding], took: 5500 }
  ])("10.6 reconnects with last-event-id after $name", ({ break: parts, took }) =>
    Effect.gen(function* () {
      const options = { retry: withoutJitter, timeouts: { idle: "5 seconds" } } as const
      const read = yield* playStream([first(...parts), rest], getEvents(resumable), options)
      expect(read).toMatchObject({ events: values(1, 2, 3), error: undefined, sentAt: [0, took] })
      expect(lastEventIds(read)).toEqual([undefined, "b"])
      expect(yield* read.transport.inFlight).toBe(0)
    })
  )

  it.effect("10.6 without a terminal event it reconnects until a 204", () =>
    Effect.gen(function* () {
      const script = [first(), sse(tick(3, "c")), gone]
      const read = yield* playStream(script, getEvents(resumableWithoutEnd), { retry: withoutJitter })
      expect(read).toMatchObject({ events: values(1, 2, 3), error: undefined, sentAt: [0, 500, 1000] })
      expect(lastEventIds(read)).toEqual([undefined, "b", "c"])
    })
  )

  it.effect("10.6 reconnects as long as events arrive, each time from the last id", () =>
    Effect.gen(function* () {
      const breaks = Array.from({ length: 9 }, (_, n) => sse([tick(n, `id ${n}`), reset]))
      const read = yield* playStream([...breaks, sse(done)], getEvents(resumable), { retry: withoutDelay })
      expect(read).toMatchObject({ events: values(0, 1, 2, 3, 4, 5, 6, 7, 8), error: undefined })
      expect(lastEventIds(read).slice(1)).toEqual(Array.from({ length: 9 }, (_, n) => `id ${n}`))
    })
  )

  it.effect.each([
    { name: "a truncated event", tail: 'id: c\ndata: {"n":' },
    { name: "an id without its event", tail: "id: c\n" },
    { name: "a truncated id", tail: "id: " },
    { name: "an event without its data", tail: "id: c\ndata: " },
    { name: "a truncated name of a field", tail: "id: c\ndata" }
  ])("10.6 resumes before $name, so nothing is lost or duplicated", ({ tail }) =>
    Effect.gen(function* () {
      for (const broken of [first(tail), first(tail, reset)]) {
        for (const contract of [resumable, resumableWithoutEnd]) {
          const read = yield* playStream([broken, rest, gone], getEvents(contract), { retry: withoutDelay })
          expect(lastEventIds(read).slice(0, 2)).toEqual([undefined, "b"])
          expect(read.events.slice(0, 3)).toEqual(values(1, 2, 3))
        }
      }
    })
  )

  it.effect("10.6 emits events that arrived with the failure, and does not request them again", () =>
    Effect.gen(function* () {
      const parts = tick(1, "a") + tick(2, "b") + errorEvent("overloaded_error") + tick(7, "g")
      const read = yield* playStream([sse(parts), rest], getEvents(resumable), { retry: withoutDelay })
      expect(read).toMatchObject({ chunks: [values(1, 2), values(3)], error: undefined })
      expect(lastEventIds(read)).toEqual([undefined, "b"])
    })
  )

  it.effect("10.6 the id of an event without data counts", () =>
    Effect.gen(function* () {
      const script = [first("id: z\n\n", reset), rest]
      const read = yield* playStream(script, getEvents(resumable), { retry: withoutDelay })
      expect(lastEventIds(read)).toEqual([undefined, "z"])
    })
  )

  it.effect("10.6 a reconnect repeats the request: query, headers, credentials", () =>
    Effect.gen(function* () {
      const request = getEvents(resumable, { query: { topic: "a" }, headers: { "x-trace": "on" } })
      const read = yield* playStream([first(reset), rest], request, { retry: withoutDelay })
      const [one, two] = read.requests.map(({ headers, url }) => ({ headers, url }))
      const { "last-event-id": id, ...headers } = two?.headers ?? {}
      expect({ headers, url: two?.url }).toEqual(one)
      expect(id).toBe("b")
    })
  )
})

describe("the wait before a reconnect", () => {
  it.effect.each([
    { name: "the server's retry:", retry: "retry: 3000\n\n", delays: [3000, 3000] },
    { name: "the server's latest retry:", retry: "retry: 9\n\nretry: 1500\n\n", delays: [1500, 1500] },
    { name: "at least 100 ms for a retry: of zero", retry: "retry: 0\n\n", delays: [100, 100] },
    { name: "at least 100 ms for a smaller retry:", retry: "retry: 5\n\n", delays: [100, 100] },
    { name: "the backoff without retry:", retry: "", delays: [500, 500] },
    { name: "the backoff for an invalid retry:", retry: "retry: soon\n\n", delays: [500, 500] }
  ])("10.6 every reconnect waits $name", ({ delays, retry }) =>
    Effect.gen(function* () {
      const script = [first(retry, reset), sse([tick(3, "c"), reset]), sse(done)]
      const read = yield* playStream(script, getEvents(resumable), { retry: withoutJitter })
      expect(read).toMatchObject({ events: values(1, 2, 3), error: undefined })
      const [one = 0, two = 0] = delays
      expect(read.sentAt).toEqual([0, one, one + two])
    })
  )

  it.effect("6.2 a retry: above maxRetryAfter ends the call", () =>
    Effect.gen(function* () {
      const script = [first("retry: 86400000\n\n", reset)]
      const read = yield* playStream(script, getEvents(resumable))
      expect(read.events).toEqual(values(1, 2))
      expect(read.error).toMatchObject({ _tag: "ConnectionError", stoppedBy: "retry-after" })
      expect(read.took).toBe(0)
    })
  )

  it.effect('6.2 with onLongRetryAfter: "backoff" a longer retry: is ignored', () =>
    Effect.gen(function* () {
      const retry = { ...withoutJitter, onLongRetryAfter: "backoff" } as const
      const script = [first("retry: 86400000\n\n", reset), rest]
      const read = yield* playStream(script, getEvents(resumable), { retry })
      expect(read).toMatchObject({ events: values(1, 2, 3), sentAt: [0, 500] })
    })
  )

  it.effect("6.5 a wait that would exceed total does not begin", () =>
    Effect.gen(function* () {
      const script = [first("retry: 6000\n\n", reset)]
      const read = yield* playStream(script, getEvents(resumable), { timeouts: { total: "5 seconds" } })
      expect(read.error).toMatchObject({ _tag: "ConnectionError", stoppedBy: "deadline" })
      expect(read.took).toBe(0)
    })
  )

  it.effect("6.5 total covers later connections", () =>
    Effect.gen(function* () {
      const script = [first("retry: 1000\n\n", { delay: 2000 }, reset), sse([tick(3, "c"), neverEnding])]
      const read = yield* playStream(script, getEvents(resumable), { timeouts: { total: "5 seconds" } })
      expect(read).toMatchObject({
        events: values(1, 2, 3),
        took: 5000,
        sentAt: [0, 3000],
        error: { _tag: "TimeoutError", phase: "total", stoppedBy: "deadline" }
      })
    })
  )
})

describe("the end of reconnecting", () => {
  it.effect.each([
    {
      name: "resume is off",
      request: getEvents(EventStream.make({ event: Tick })),
      parts: [tick(1, "a")]
    },
    { name: "no event has an id", request: getEvents(resumableWithoutEnd), parts: [tick(1)] },
    {
      name: "the server reset the id",
      request: getEvents(resumableWithoutEnd),
      parts: [tick(1, "a"), "id\n\n"]
    },
    { name: "the request is a POST", request: postEvents(resumableWithoutEnd), parts: [tick(1, "a")] }
  ])("10.6 does not reconnect if $name", ({ parts, request }) =>
    Effect.gen(function* () {
      const ended = yield* playStream([sse(parts)], request, {}, 0)
      expect(ended).toMatchObject({ events: values(1), error: undefined })
      const broken = yield* playStream([sse([...parts, reset])], request, {}, 0)
      expect(broken.events).toEqual(values(1))
      expect(broken.error).toMatchObject({ _tag: "ConnectionError", stoppedBy: "not-replayable" })
    })
  )

  it.effect("10.6 does not reconnect with maxRetries: 0", () =>
    Effect.gen(function* () {
      const retry = { maxRetries: 0 }
      const ended = yield* playStream([first()], getEvents(resumableWithoutEnd), { retry }, 0)
      expect(ended).toMatchObject({ events: values(1, 2), error: undefined })
      const broken = yield* playStream([first(reset)], getEvents(resumableWithoutEnd), { retry }, 0)
      expect(broken.error).toMatchObject({ _tag: "ConnectionError", stoppedBy: "not-replayable" })
    })
  )

  it.effect.each([
    { name: "data that does not fit", parts: ["data: 1\n\n"], tag: "StreamProtocolError" },
    {
      name: "an error event that is not retryable",
      parts: [errorEvent("invalid_request_error")],
      tag: "BadRequestError"
    }
  ])("10.6 does not reconnect after $name", ({ parts, tag }) =>
    Effect.gen(function* () {
      const read = yield* playStream([first(...parts)], getEvents(resumable), {}, 0)
      expect(read.events).toEqual(values(1, 2))
      expect(read.error).toMatchObject({ _tag: tag, stoppedBy: "not-retryable" })
    })
  )

  it.effect.each([
    { name: "204", step: gone, contract: resumable, tag: undefined },
    { name: "a 404", step: status(404), contract: resumableWithoutEnd, tag: "NotFoundError" },
    {
      name: "an HTML page",
      step: MockTransport.text("<p>"),
      contract: resumableWithoutEnd,
      tag: "StreamProtocolError"
    }
  ])("10.6 does not reconnect after a reconnect with $name", ({ contract, step, tag }) =>
    Effect.gen(function* () {
      const read = yield* playStream([first(reset), step], getEvents(contract), { retry: withoutDelay })
      expect(read.events).toEqual(values(1, 2))
      expect(read.error?._tag).toBe(tag)
    })
  )

  it.effect("10.6 a failing reconnect is retried by the policy with the same id", () =>
    Effect.gen(function* () {
      const script = [first(reset), status(503), refused, rest]
      const read = yield* playStream(script, getEvents(resumable), { retry: withoutJitter })
      expect(read).toMatchObject({ events: values(1, 2, 3), error: undefined, sentAt: [0, 500, 1000, 2000] })
      expect(lastEventIds(read)).toEqual([undefined, "b", "b", "b"])
    })
  )

  it.effect("10.6 a reconnect whose retries are used up fails with the complete ledger", () =>
    Effect.gen(function* () {
      const script = [first({ delay: 100 }, reset), MockTransport.forever(status(503))]
      const read = yield* playStream(script, getEvents(resumable), {
        retry: { ...withoutJitter, maxRetries: 1 }
      })
      expect(read.events).toEqual(values(1, 2))
      expect(read.error).toMatchObject({
        _tag: "ServiceUnavailableError",
        stoppedBy: "attempts",
        attempts: [
          {
            tag: "ConnectionError",
            status: 200,
            duration: Duration.millis(100),
            delay: Duration.millis(500)
          },
          { tag: "ServiceUnavailableError", status: 503, delay: Duration.millis(500) },
          { tag: "ServiceUnavailableError", status: 503, delay: undefined }
        ]
      })
    })
  )

  it.effect("10.6 a failure after a reconnect is the last line of the ledger", () =>
    Effect.gen(function* () {
      const script = [first(), sse([`id\n${tick(3)}`, reset])]
      const read = yield* playStream(script, getEvents(resumableWithoutEnd), { retry: withoutDelay })
      expect(read.events).toEqual(values(1, 2, 3))
      expect(read.error).toMatchObject({ _tag: "ConnectionError", stoppedBy: "not-replayable" })
      expect(tags(read.error)).toEqual([undefined, "ConnectionError"])
    })
  )

  class OutOfTicks extends Schema.TaggedError<OutOfTicks>()("OutOfTicks", { left: Schema.Number }) {}
  const own = { _tag: "OutOfTicks", left: 0 }

  it.effect("10.4 a reconnect can fail with the caller's own error", () =>
    Effect.gen(function* () {
      const contract = EventStream.make({ event: Tick, resume: true, error: { schema: OutOfTicks } })
      const inStream = sse([tick(3, "c"), `event: error\ndata: ${JSON.stringify(own)}\n\n`])
      const read = yield* playStream([first(reset), inStream], getEvents(contract), { retry: withoutDelay })
      expect(read.events).toEqual(values(1, 2, 3))
      expect(read.error).toBeInstanceOf(OutOfTicks)

      const request = getEvents(resumableWithoutEnd, { failure: { 410: OutOfTicks } })
      const response = MockTransport.json(own, { status: 410 })
      const refused = yield* playStream([first(reset), response], request, { retry: withoutDelay })
      expect(refused.error).toBeInstanceOf(OutOfTicks)
    })
  )

  it.effect("12.2 a reconnect after a failure counts as a retry", () =>
    Effect.gen(function* () {
      const played = playStream([first(reset), rest], getEvents(resumable), { retry: withoutDelay })
      yield* Effect.tagMetrics(played, "test", "resume")
      const counter = Metrics.retries.pipe(
        Metric.tagged("error.type", "ConnectionError"),
        Metric.tagged("test", "resume")
      )
      expect((yield* Metric.value(counter)).count).toBe(1)
    })
  )

  it.effect("10.5 a failure before the first element is an ordinary retry", () =>
    Effect.gen(function* () {
      const read = yield* playStream([sse([reset]), rest], getEvents(resumable), { retry: withoutJitter })
      expect(read).toMatchObject({ events: values(3), sentAt: [0, 500] })
      expect(lastEventIds(read)).toEqual([undefined, undefined])
      expect((yield* playStream([sse("")], getEvents(tickEvents), {}, 0)).error).toBeUndefined()
    })
  )
})
