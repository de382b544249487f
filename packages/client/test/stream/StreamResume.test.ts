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
  neverEnding,
  playStream,
  postEvents,
  reset,
  sse,
  Tick,
  tags,
  tick,
  tickEvents,
  values
} from "../fixtures/streams.js"

const resuming = EventStream.make({ event: Tick, terminal: "[DONE]", resume: true })
const endless = EventStream.make({ event: Tick, resume: true })

const refused = MockTransport.connectionError({ code: "ECONNREFUSED" })
const first = (...more: ReadonlyArray<MockTransport.BodyPart>) => sse([tick(1, "a"), tick(2, "b"), ...more])
const rest = sse([tick(3, "c"), done])
const gone = MockTransport.empty(204)

type Played = Effect.Effect.Success<ReturnType<typeof playStream>>

const askedFrom = ({ requests }: Pick<Played, "requests">) =>
  requests.map(({ headers }) => headers["last-event-id"])

describe("going on", () => {
  it.effect.each([
    { name: "a reset", break: [reset], took: 500 },
    { name: "the end of the body before the terminal event", break: [], took: 500 },
    {
      name: "an error event that may be retried",
      break: [errorEvent("overloaded_error"), neverEnding],
      took: 500
    },
    { name: "silence", break: [neverEnding], took: 5500 }
  ])("10.6 reconnects with last-event-id behind $name", ({ break: parts, took }) =>
    Effect.gen(function* () {
      const options = { retry: withoutJitter, timeouts: { idle: "5 seconds" } } as const
      const read = yield* playStream([first(...parts), rest], getEvents(resuming), options)
      expect(read).toMatchObject({ events: values(1, 2, 3), error: undefined, sentAt: [0, took] })
      expect(askedFrom(read)).toEqual([undefined, "b"])
      expect(yield* read.transport.inFlight).toBe(0)
    })
  )

  it.effect("10.6 without a terminal event it goes on until the server says that there is no more", () =>
    Effect.gen(function* () {
      const script = [first(), sse(tick(3, "c")), gone]
      const read = yield* playStream(script, getEvents(endless), { retry: withoutJitter })
      expect(read).toMatchObject({ events: values(1, 2, 3), error: undefined, sentAt: [0, 500, 1000] })
      expect(askedFrom(read)).toEqual([undefined, "b", "c"])
    })
  )

  it.effect("10.6 goes on as often as events come, each time from the last", () =>
    Effect.gen(function* () {
      const breaks = Array.from({ length: 9 }, (_, n) => sse([tick(n, `id ${n}`), reset]))
      const read = yield* playStream([...breaks, sse(done)], getEvents(resuming), { retry: withoutDelay })
      expect(read).toMatchObject({ events: values(0, 1, 2, 3, 4, 5, 6, 7, 8), error: undefined })
      expect(askedFrom(read).slice(1)).toEqual(Array.from({ length: 9 }, (_, n) => `id ${n}`))
    })
  )

  it.effect.each([
    { name: "an event cut short", tail: 'id: c\ndata: {"n":' },
    { name: "an id without its event", tail: "id: c\n" },
    { name: "a half id", tail: "id: " }
  ])("10.6 $name is asked for again: nothing is lost or doubled", ({ tail }) =>
    Effect.gen(function* () {
      for (const broken of [first(tail), first(tail, reset)]) {
        for (const contract of [resuming, endless]) {
          const read = yield* playStream([broken, rest, gone], getEvents(contract), { retry: withoutDelay })
          expect(askedFrom(read).slice(0, 2)).toEqual([undefined, "b"])
          expect(read.events.slice(0, 3)).toEqual(values(1, 2, 3))
        }
      }
    })
  )

  it.effect(
    "10.6 events that came with what broke the stream are handed out first, and not asked for again",
    () =>
      Effect.gen(function* () {
        const parts = tick(1, "a") + tick(2, "b") + errorEvent("overloaded_error") + tick(7, "g")
        const read = yield* playStream([sse(parts), rest], getEvents(resuming), { retry: withoutDelay })
        expect(read).toMatchObject({ chunks: [values(1, 2), values(3)], error: undefined })
        expect(askedFrom(read)).toEqual([undefined, "b"])
      })
  )

  it.effect("10.6 an id counts without data, and whatever came with it", () =>
    Effect.gen(function* () {
      const script = [first("id: z\n\n", reset), rest]
      const read = yield* playStream(script, getEvents(resuming), { retry: withoutDelay })
      expect(askedFrom(read)).toEqual([undefined, "z"])
    })
  )

  it.effect("10.6 a reconnect is the same request: query, headers, credentials", () =>
    Effect.gen(function* () {
      const request = getEvents(resuming, { query: { topic: "a" }, headers: { "x-trace": "on" } })
      const read = yield* playStream([first(reset), rest], request, { retry: withoutDelay })
      const [one, two] = read.requests.map(({ headers, url }) => ({ headers, url }))
      const { "last-event-id": id, ...headers } = two?.headers ?? {}
      expect({ headers, url: two?.url }).toEqual(one)
      expect(id).toBe("b")
    })
  )
})

describe("how long it waits", () => {
  it.effect.each([
    { name: "as the server asked", retry: "retry: 3000\n\n", delays: [3000, 3000] },
    { name: "as the server asked last", retry: "retry: 9\n\nretry: 1500\n\n", delays: [1500, 1500] },
    { name: "a tenth of a second where it asked for none", retry: "retry: 0\n\n", delays: [100, 100] },
    { name: "or for less", retry: "retry: 5\n\n", delays: [100, 100] },
    { name: "by the backoff where it asked for nothing", retry: "", delays: [500, 500] },
    { name: "by the backoff where it asked for nonsense", retry: "retry: soon\n\n", delays: [500, 500] }
  ])("10.6 waits $name, from then on", ({ delays, retry }) =>
    Effect.gen(function* () {
      const script = [first(retry, reset), sse([tick(3, "c"), reset]), sse(done)]
      const read = yield* playStream(script, getEvents(resuming), { retry: withoutJitter })
      expect(read).toMatchObject({ events: values(1, 2, 3), error: undefined })
      const [one = 0, two = 0] = delays
      expect(read.sentAt).toEqual([0, one, one + two])
    })
  )

  it.effect("6.2 never for days: a wait above maxRetryAfter ends the call", () =>
    Effect.gen(function* () {
      const script = [first("retry: 86400000\n\n", reset)]
      const read = yield* playStream(script, getEvents(resuming))
      expect(read.events).toEqual(values(1, 2))
      expect(read.error).toMatchObject({ _tag: "ConnectionError", stoppedBy: "retry-after" })
      expect(read.took).toBe(0)
    })
  )

  it.effect("6.2 or is passed over for the backoff", () =>
    Effect.gen(function* () {
      const retry = { ...withoutJitter, onLongRetryAfter: "backoff" } as const
      const script = [first("retry: 86400000\n\n", reset), rest]
      const read = yield* playStream(script, getEvents(resuming), { retry })
      expect(read).toMatchObject({ events: values(1, 2, 3), sentAt: [0, 500] })
    })
  )

  it.effect("6.5 a wait that would pass the total deadline is not begun", () =>
    Effect.gen(function* () {
      const script = [first("retry: 6000\n\n", reset)]
      const read = yield* playStream(script, getEvents(resuming), { timeouts: { total: "5 seconds" } })
      expect(read.error).toMatchObject({ _tag: "ConnectionError", stoppedBy: "deadline" })
      expect(read.took).toBe(0)
    })
  )

  it.effect("6.5 the total deadline holds for the connections that follow", () =>
    Effect.gen(function* () {
      const script = [first("retry: 1000\n\n", { delay: 2000 }, reset), sse([tick(3, "c"), neverEnding])]
      const read = yield* playStream(script, getEvents(resuming), { timeouts: { total: "5 seconds" } })
      expect(read).toMatchObject({
        events: values(1, 2, 3),
        took: 5000,
        sentAt: [0, 3000],
        error: { _tag: "TimeoutError", phase: "total", stoppedBy: "deadline" }
      })
    })
  )
})

describe("where it ends", () => {
  it.effect.each([
    {
      name: "resume is not asked for",
      request: getEvents(EventStream.make({ event: Tick })),
      parts: [tick(1, "a")]
    },
    { name: "no event has an id", request: getEvents(endless), parts: [tick(1)] },
    { name: "the server took the id back", request: getEvents(endless), parts: [tick(1, "a"), "id\n\n"] },
    { name: "the request is a POST", request: postEvents(endless), parts: [tick(1, "a")] }
  ])("10.6 does not go on where $name", ({ parts, request }) =>
    Effect.gen(function* () {
      const ended = yield* playStream([sse(parts)], request, {}, 0)
      expect(ended).toMatchObject({ events: values(1), error: undefined })
      const broken = yield* playStream([sse([...parts, reset])], request, {}, 0)
      expect(broken.events).toEqual(values(1))
      expect(broken.error).toMatchObject({ _tag: "ConnectionError", stoppedBy: "not-replayable" })
    })
  )

  it.effect("10.6 a policy without retries does not go on", () =>
    Effect.gen(function* () {
      const retry = { maxRetries: 0 }
      const ended = yield* playStream([first()], getEvents(endless), { retry }, 0)
      expect(ended).toMatchObject({ events: values(1, 2), error: undefined })
      const broken = yield* playStream([first(reset)], getEvents(endless), { retry }, 0)
      expect(broken.error).toMatchObject({ _tag: "ConnectionError", stoppedBy: "not-replayable" })
    })
  )

  it.effect.each([
    { name: "data that does not fit", parts: ["data: 1\n\n"], tag: "StreamProtocolError" },
    {
      name: "an error event of the request",
      parts: [errorEvent("invalid_request_error")],
      tag: "BadRequestError"
    }
  ])("10.6 does not go on behind $name", ({ parts, tag }) =>
    Effect.gen(function* () {
      const read = yield* playStream([first(...parts)], getEvents(resuming), {}, 0)
      expect(read.events).toEqual(values(1, 2))
      expect(read.error).toMatchObject({ _tag: tag, stoppedBy: "not-retryable" })
    })
  )

  it.effect.each([
    { name: "204", step: gone, contract: resuming, tag: undefined },
    { name: "an empty stream", step: sse(""), contract: endless, tag: undefined },
    {
      name: "an empty stream that is to have an end",
      step: sse(""),
      contract: resuming,
      tag: "StreamTruncatedError"
    },
    { name: "a 404", step: status(404), contract: endless, tag: "NotFoundError" },
    { name: "a page", step: MockTransport.text("<p>"), contract: endless, tag: "StreamProtocolError" }
  ])("10.6 a reconnect that brings $name is the last", ({ contract, step, tag }) =>
    Effect.gen(function* () {
      const read = yield* playStream([first(reset), step], getEvents(contract), { retry: withoutDelay })
      expect(read.events).toEqual(values(1, 2))
      expect(read.error?._tag).toBe(tag)
    })
  )

  it.effect("10.6 a reconnect that fails is retried by the policy, with the same id", () =>
    Effect.gen(function* () {
      const script = [first(reset), status(503), refused, rest]
      const read = yield* playStream(script, getEvents(resuming), { retry: withoutJitter })
      expect(read).toMatchObject({ events: values(1, 2, 3), error: undefined, sentAt: [0, 500, 1000, 2000] })
      expect(askedFrom(read)).toEqual([undefined, "b", "b", "b"])
    })
  )

  it.effect("10.6 and is given up by the policy, the ledger told in full", () =>
    Effect.gen(function* () {
      const script = [first({ delay: 100 }, reset), MockTransport.forever(status(503))]
      const read = yield* playStream(script, getEvents(resuming), {
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

  it.effect("10.6 what breaks behind a reconnect stands in the ledger's last line", () =>
    Effect.gen(function* () {
      const script = [first(), sse([tick(3), reset])]
      const read = yield* playStream(script, getEvents(endless), { retry: withoutDelay })
      expect(read.events).toEqual(values(1, 2, 3))
      expect(read.error).toMatchObject({ _tag: "ConnectionError", stoppedBy: "not-replayable" })
      expect(tags(read.error)).toEqual([undefined, "ConnectionError"])
    })
  )

  class OutOfTicks extends Schema.TaggedError<OutOfTicks>()("OutOfTicks", { left: Schema.Number }) {}
  const own = { _tag: "OutOfTicks", left: 0 }

  it.effect("10.4 the caller's own error is told behind a reconnect, too", () =>
    Effect.gen(function* () {
      const contract = EventStream.make({ event: Tick, resume: true, error: { schema: OutOfTicks } })
      const inStream = sse([tick(3, "c"), `event: error\ndata: ${JSON.stringify(own)}\n\n`])
      const read = yield* playStream([first(reset), inStream], getEvents(contract), { retry: withoutDelay })
      expect(read.events).toEqual(values(1, 2, 3))
      expect(read.error).toBeInstanceOf(OutOfTicks)

      const request = getEvents(endless, { failure: { 410: OutOfTicks } })
      const answer = MockTransport.json(own, { status: 410 })
      const refused = yield* playStream([first(reset), answer], request, { retry: withoutDelay })
      expect(refused.error).toBeInstanceOf(OutOfTicks)
    })
  )

  it.effect("12.2 a reconnect behind a failure counts as a retry", () =>
    Effect.gen(function* () {
      const played = playStream([first(reset), rest], getEvents(resuming), { retry: withoutDelay })
      yield* Effect.tagMetrics(played, "test", "resume")
      const counter = Metrics.retries.pipe(
        Metric.tagged("error.type", "ConnectionError"),
        Metric.tagged("test", "resume")
      )
      expect((yield* Metric.value(counter)).count).toBe(1)
    })
  )

  it.effect("10.5 resume does not change what happens before the first element", () =>
    Effect.gen(function* () {
      const read = yield* playStream([sse([reset]), rest], getEvents(resuming), { retry: withoutJitter })
      expect(read).toMatchObject({ events: values(3), sentAt: [0, 500] })
      expect(askedFrom(read)).toEqual([undefined, undefined])
      expect((yield* playStream([sse("")], getEvents(tickEvents), {}, 0)).error).toBeUndefined()
    })
  )
})
