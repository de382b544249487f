import { describe, expect, it } from "@effect/vitest"
import { type ApiError, ApiRequest, EventStream, type Middleware } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Chunk, Duration, Effect, Exit, Fiber, Metric, Option, Stream, Tracer } from "effect"
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

describe("the way of the events", () => {
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

  it.effect("10 nothing is sent before the stream runs, and it is sent anew each time", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([sse(ticks(1)), sse(ticks(2))])
      const stream = client.stream(getEvents(tickEvents))
      expect(yield* transport.requestCount).toBe(0)
      expect((yield* follow(stream)).events).toEqual(values(1))
      expect((yield* follow(stream)).events).toEqual(values(2))
      expect(yield* transport.requestCount).toBe(2)
    })
  )

  it.effect("10 runs at the same time do not share anything", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted((_, index) => sse([tick(index), tick(10 + index)]))
      const stream = client.stream(getEvents(tickEvents))
      const read = yield* Effect.all([follow(stream), follow(stream)], { concurrency: 2 })
      expect(read.map(({ events }) => events)).toEqual([values(0, 10), values(1, 11)])
      expect(yield* transport.inFlight).toBe(0)
    })
  )

  it.effect("10 a POST sends its body and asks for events", () =>
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
      name: "a failure of the reader",
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
  ])("10.7 interruption $name aborts the attempt", ({ step }) =>
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

  it.effect("10.7 a scope that closes aborts what was pulled in it", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([sse([tick(1), neverEnding])])
      const first = yield* Effect.scoped(
        Effect.flatMap(Stream.toPull(client.stream(getEvents(tickEvents))), (pull) => pull)
      )
      expect(Chunk.toReadonlyArray(first)).toEqual(values(1))
      expect(yield* transport.interrupted).toBe(1)
    })
  )
})

describe("retries before the first element", () => {
  it.effect.each([
    { name: "a 503", failed: status(503), tag: "ServiceUnavailableError" },
    { name: "a refused connection", failed: refused, tag: "ConnectionError" },
    { name: "a body that breaks off", failed: sse([reset]), tag: "ConnectionError" },
    { name: "a body that breaks off behind a ping", failed: sse([ping, reset]), tag: "ConnectionError" },
    {
      name: "a body that breaks off within an event",
      failed: sse(["data: {", reset]),
      tag: "ConnectionError"
    },
    {
      name: "an error event that may be retried",
      failed: sse([overloaded, neverEnding]),
      tag: "OverloadedError"
    }
  ])("10.5 $name, then a stream", ({ failed, tag }) =>
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

  it.effect("6.2 waits as long as Retry-After asks", () =>
    Effect.gen(function* () {
      const script = [status(429, { "retry-after": "7" }), sse(tick(1))]
      const read = yield* playStream(script, getEvents(tickEvents))
      expect(read).toMatchObject({ events: values(1), sentAt: [0, 7000] })
    })
  )

  it.effect.each([
    { name: "a limit that passes before the first event", contract: { firstEventTimeout: "2 seconds" } },
    { name: "a body that stays idle", contract: { idleTimeout: "2 seconds" } }
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
      name: "an error event of another kind",
      failed: sse(errorEvent("invalid_request_error")),
      tag: "BadRequestError"
    },
    { name: "an answer of another type", failed: MockTransport.text("hi"), tag: "StreamProtocolError" },
    { name: "data that does not fit", failed: sse("data: 1\n\n"), tag: "StreamProtocolError" },
    { name: "a stream that ends at once", failed: sse(""), tag: "StreamTruncatedError" }
  ])("6.1 $name is not retried", ({ failed, tag }) =>
    Effect.gen(function* () {
      const read = yield* playStream([failed], getEvents(untilDone), {}, 0)
      expect(read.error).toMatchObject({ _tag: tag, stoppedBy: "not-retryable" })
      expect(tags(read.error)).toEqual([tag])
    })
  )

  it.effect("6.3 a one-shot body gets one attempt", () =>
    Effect.gen(function* () {
      const bodyStream = Stream.make(new Uint8Array([1]))
      const request = ApiRequest.post("/ticks", { bodyStream, events: tickEvents })
      const read = yield* playStream([status(503)], request, {}, 0)
      expect(read.error).toMatchObject({ _tag: "ServiceUnavailableError", stoppedBy: "not-replayable" })
    })
  )
})

describe("no retry behind the first element", () => {
  it.effect.each([
    { name: "a reset", end: [reset], tag: "ConnectionError", stoppedBy: "not-replayable" },
    { name: "an error event", end: [overloaded], tag: "OverloadedError", stoppedBy: "not-replayable" },
    {
      name: "an error of the request",
      end: [errorEvent("not_found_error")],
      tag: "NotFoundError",
      stoppedBy: "not-retryable"
    },
    { name: "silence", end: [neverEnding], tag: "TimeoutError", stoppedBy: "not-replayable" },
    { name: "the end", end: [], tag: "StreamTruncatedError", stoppedBy: "not-retryable" },
    {
      name: "data that does not fit",
      end: ["data: 1\n\n"],
      tag: "StreamProtocolError",
      stoppedBy: "not-retryable"
    }
  ] as const)(
    "10.5 $name behind an element ends the call: one attempt, which failed",
    ({ end, stoppedBy, tag }) =>
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

  it.effect("10.5 an error in the chunk of the first element comes behind it, and is not retried", () =>
    Effect.gen(function* () {
      const read = yield* playStream([sse(tick(1) + overloaded)], getEvents(tickEvents), {}, 0)
      expect(read.events).toEqual(values(1))
      expect(read.error).toMatchObject({ _tag: "OverloadedError", stoppedBy: "not-replayable" })
    })
  )

  it.effect("6.6 the ledger keeps the attempts before the one that broke off", () =>
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

describe("watching a stream", () => {
  interface Ended {
    readonly name: string
    readonly attributes: ReadonlyMap<string, unknown>
    readonly events: ReadonlyArray<string>
    readonly at: bigint
    readonly failed: boolean
  }

  /** A tracer that tells of each span when it ends. */
  const recording = (ended: Array<Ended>) =>
    Tracer.make({
      span: (name, parent, context, links, startTime, kind) => {
        const attributes = new Map<string, unknown>()
        const events: Array<string> = []
        const status = { _tag: "Started", startTime } as const
        return {
          _tag: "Span",
          name,
          spanId: "0000000000000001",
          traceId: "00000000000000000000000000000001",
          parent,
          context,
          links: [...links],
          sampled: true,
          kind,
          status,
          attributes,
          attribute: (key, value) => void attributes.set(key, value),
          event: (name) => void events.push(name),
          addLinks: () => undefined,
          end: (at, exit) => void ended.push({ name, attributes, events, at, failed: Exit.isFailure(exit) })
        }
      },
      context: (run) => run()
    })

  const traced = <A, E>(script: MockTransport.Script, request: ApiRequest.StreamRequest<A, E>) =>
    Effect.gen(function* () {
      const ended: Array<Ended> = []
      const read = yield* Effect.withTracer(
        playStream(script, request, { retry: withoutJitter }),
        recording(ended)
      )
      return { ...read, ended }
    })

  it.effect("12.1 the span of a call ends when its stream does, with an event per attempt", () =>
    Effect.gen(function* () {
      const script = [status(503), sse([tick(1), { delay: 3000 }, tick(2)])]
      const { ended, took } = yield* traced(script, getEvents(tickEvents))
      expect(took).toBe(3500)
      expect(ended).toMatchObject([{ name: "GET /ticks", at: 3_500_000_000n, failed: false }])
      // The line logged about the retry is an event of the span as well.
      const attempts = ended[0]?.events.filter((name) => name === "http.client.attempt")
      expect(attempts).toHaveLength(2)
      expect(Object.fromEntries(ended[0]?.attributes ?? [])).toMatchObject({
        "http.response.status_code": 200,
        "http.request.resend_count": 1,
        "url.template": "/ticks"
      })
    })
  )

  it.effect("12.1 the span of a stream that fails says with what", () =>
    Effect.gen(function* () {
      const { ended } = yield* traced([sse([tick(1), { delay: 3000 }, overloaded])], getEvents(tickEvents))
      expect(ended).toMatchObject([{ at: 3_000_000_000n, failed: true }])
      expect(ended[0]?.attributes.get("error.type")).toBe("OverloadedError")
    })
  )

  it.effect("12.1 the span of a stream that is left early ends there, without an error", () =>
    Effect.gen(function* () {
      const ended: Array<Ended> = []
      const { client } = yield* scripted([sse([tick(1), neverEnding])])
      const head = yield* Effect.withTracer(
        Stream.runHead(client.stream(getEvents(tickEvents))),
        recording(ended)
      )
      expect(Option.getOrThrow(head)).toEqual({ n: 1 })
      expect(ended).toMatchObject([{ name: "GET /ticks", failed: false }])
      expect(ended[0]?.attributes.has("error.type")).toBe(false)
    })
  )

  it.effect("12.1 the trace goes along with every attempt", () =>
    Effect.gen(function* () {
      const { requests } = yield* traced([status(503), sse(tick(1))], getEvents(tickEvents))
      expect(requests.map(({ headers }) => headers["traceparent"])).toEqual([
        "00-00000000000000000000000000000001-0000000000000001-01",
        "00-00000000000000000000000000000001-0000000000000001-01"
      ])
    })
  )

  const labelled = <A, E, R>(label: string, effect: Effect.Effect<A, E, R>) =>
    Effect.tagMetrics(effect, "test", label)
  /** The count under a test's label, whatever other labels there are. */
  const counted = (name: string, label: string) =>
    Effect.map(Metric.snapshot, (pairs) =>
      pairs
        .filter(
          ({ metricKey: { name: known, tags } }) =>
            known === name && tags.some(({ value }) => value === label)
        )
        .reduce((sum, { metricState }) => sum + ("count" in metricState ? Number(metricState.count) : 0), 0)
    )

  it.effect("12.2 events are counted as they are handed out", () =>
    Effect.gen(function* () {
      const script = [sse([ticks(1, 2) + ping, tick(3), "data: 1\n\n", tick(4)])]
      yield* labelled(
        "events",
        playStream(script, getEvents(EventStream.make({ event: { message: Tick } })), {}, 0)
      )
      expect(yield* counted("http.client.stream.events", "events")).toBe(3)
    })
  )

  it.effect.each([
    { name: "at its end", step: sse(ticks(1, 2)) },
    { name: "at its terminal event", step: sse([tick(1) + done, neverEnding]) },
    { name: "when it breaks off", step: sse([tick(1), reset]) },
    { name: "when it never begins", step: status(404) }
  ])("12.2 no request is active behind a stream, $name", ({ name, step }) =>
    Effect.gen(function* () {
      const active = counted("http.client.active_requests", name)
      const during: Array<number> = []
      const middleware: Middleware.Middleware = (request, next) =>
        Effect.zipRight(
          Effect.map(active, (count) => during.push(count)),
          next(request)
        )
      yield* labelled(name, playStream([step], getEvents(untilDone), { middleware: [middleware] }, 0))
      expect(during).toEqual([1])
      expect(yield* active).toBe(0)
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
