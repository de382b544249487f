import { HttpClient, HttpClientResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import {
  ApiClient,
  type ApiConfig,
  ApiRequest,
  Credentials,
  type Middleware,
  ResponseDecoder
} from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Chunk, Duration, Effect, Fiber, Logger, Schema, Stream, TestClock } from "effect"
import { textOf } from "../fixtures/bodies.js"
import { withWallClock } from "../fixtures/clocks.js"
import { endOf } from "../fixtures/exits.js"
import { regions } from "../fixtures/regions.js"
import { clientOn, scripted } from "../fixtures/requests.js"
import { done, getEvents, sse, tick, untilDone, values } from "../fixtures/streams.js"
import { watchFibers } from "../fixtures/watch.js"

/** Never ends, and has no timer. */
const hung: Effect.Effect<never> = Effect.async<never>(() => {})

/** A schema that never ends, in either direction. */
const hungSchema = Schema.transformOrFail(Schema.Unknown, Schema.Unknown, {
  decode: (): Effect.Effect<unknown> => hung,
  encode: (): Effect.Effect<unknown> => hung
})

const middleware: Middleware.Middleware = () => hung
const uninterruptible: Middleware.Middleware = () => Effect.uninterruptible(hung)

/** Everything in a call that can hang. */
const hangs: ReadonlyArray<{
  readonly what: string
  readonly step?: MockTransport.MockStep
  readonly options?: Partial<ApiConfig.Options>
  readonly run?: (client: ApiClient.ApiClient) => Effect.Effect<unknown, unknown>
}> = [
  { what: "the server", step: MockTransport.never },
  { what: "a body", step: MockTransport.stream(["1", { delay: Number.POSITIVE_INFINITY }]) },
  { what: "a middleware", options: { middleware: [middleware] } },
  { what: "an uninterruptible middleware", options: { middleware: [uninterruptible] } },
  { what: "a token fetch", options: { credentials: Credentials.cached({ fetch: hung }) } },
  {
    what: "the source of a body",
    step: MockTransport.json(1),
    run: (client) =>
      client.put("/x", { bodyStream: Stream.concat(Stream.make(new Uint8Array(1)), Stream.fromEffect(hung)) })
  },
  { what: "the schema of a response", run: (client) => client.get("/x", { success: hungSchema }) },
  { what: "the schema of a body", run: (client) => client.post("/x", { body: 1, bodySchema: hungSchema }) },
  {
    what: "a download",
    step: MockTransport.stream(["1", { delay: Number.POSITIVE_INFINITY }]),
    run: (client) => Effect.flatMap(client.get("/x", { success: ResponseDecoder.stream() }), Stream.runDrain)
  },
  {
    what: "the body of a platform response",
    step: MockTransport.stream(["1", { delay: Number.POSITIVE_INFINITY }]),
    run: (client) =>
      Effect.catchAll(
        Effect.flatMap(ApiClient.httpClient(client).get("/x"), ({ text }) => text),
        (error) => Effect.fail("cause" in error ? error.cause : error)
      )
  }
]

const cases = regions.flatMap(({ region, runIn }) => hangs.map((row) => ({ ...row, region, runIn })))

describe("the total timeout", () => {
  it.effect.each(cases)("6.5 ends a call in $region when $what hangs", ({ options, run, runIn, step }) =>
    Effect.gen(function* () {
      const { client } = yield* scripted([step ?? MockTransport.json(1)], {
        timeouts: { total: "5 seconds" },
        ...options
      })
      const call = run?.(client) ?? client.get("/x")
      const fiber = yield* Effect.fork(Effect.flip(runIn(call)))
      yield* TestClock.adjust("4 seconds")
      expect(yield* Fiber.poll(fiber)).toMatchObject({ _tag: "None" })
      yield* TestClock.adjust("1 seconds")
      expect(yield* fiber).toMatchObject({ _tag: "TimeoutError", phase: "total", stoppedBy: "deadline" })
    })
  )

  it.effect("6.5 a failure schema that hangs gives the status's own error", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([MockTransport.json({}, { status: 404 })], {
        timeouts: { total: "5 seconds" }
      })
      const call = client.get("/x", { failure: { 404: hungSchema } })
      const fiber = yield* Effect.fork(Effect.flip(Effect.uninterruptible(call)))
      yield* TestClock.adjust("5 seconds")
      expect(yield* fiber).toMatchObject({ _tag: "NotFoundError" })
    })
  )

  it.effect("6.6 the running attempt is a line of the ledger", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([MockTransport.never], { timeouts: { total: "5 seconds" } })
      const fiber = yield* Effect.fork(Effect.flip(Effect.uninterruptible(client.get("/x"))))
      yield* TestClock.adjust("5 seconds")
      const { attempts } = yield* fiber
      expect(attempts).toMatchObject([{ tag: "TimeoutError", status: undefined }])
      expect(attempts[0]?.duration).toEqual(Duration.seconds(5))
    })
  )
})

describe("after a timeout", () => {
  it.effect.each(regions)("6.8 no request and no fiber is left, in $region", ({ runIn }) =>
    Effect.gen(function* () {
      const stalled = MockTransport.stream(["1", { delay: Number.POSITIVE_INFINITY }])
      const { client, transport } = yield* scripted([MockTransport.never, stalled], {
        timeouts: { total: "5 seconds" }
      })
      const watch = yield* watchFibers
      for (const call of [
        client.get("/x"),
        Effect.flatMap(client.get("/x", { success: ResponseDecoder.stream() }), Stream.runDrain)
      ]) {
        const fiber = yield* Effect.fork(Effect.flip(watch.within(runIn(call))))
        yield* TestClock.adjust("5 seconds")
        expect(yield* fiber).toMatchObject({ phase: "total" })
      }
      expect(yield* transport.awaitInterrupted(2)).toBe(2)
      expect(yield* transport.inFlight).toBe(0)
      yield* Effect.yieldNow()
      expect(yield* watch.running).toBe(0)
    })
  )

  it.effect("6.8 an interruption of the caller waits until the call has ended", () =>
    Effect.gen(function* () {
      let ended = false
      const slow: Middleware.Middleware = (request, next) =>
        Effect.onInterrupt(next(request), () =>
          Effect.zipRight(
            Effect.sleep("1 second"),
            Effect.sync(() => void (ended = true))
          )
        )
      const { client, transport } = yield* scripted([MockTransport.never], {
        timeouts: { total: "1 minute" },
        middleware: [slow]
      })
      const fiber = yield* Effect.fork(client.get("/x"))
      yield* transport.awaitRequests(1)
      const interrupting = yield* Effect.fork(Fiber.interrupt(fiber))
      yield* TestClock.adjust("999 millis")
      expect(yield* Fiber.poll(interrupting)).toMatchObject({ _tag: "None" })
      yield* TestClock.adjust("1 millis")
      yield* interrupting
      expect(ended).toBe(true)
    })
  )

  it.effect("6.8 the call has the caller's context", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const inspecting: Middleware.Middleware = (request, next) =>
        Effect.flatMap(Effect.orDie(Effect.currentSpan), ({ name }) => {
          seen.push(name)
          return next(request)
        })
      const { client } = yield* scripted([MockTransport.json(1)], {
        timeouts: { total: "1 minute" },
        middleware: [inspecting]
      })
      yield* Effect.uninterruptible(Effect.withSpan(client.get("/x"), "outer"))
      expect(seen).toEqual(["GET /x"])
    })
  )

  it.effect("6.8 a defect in the call is a defect of the caller", () =>
    Effect.gen(function* () {
      const dying: Middleware.Middleware = () => Effect.die("broken")
      const { client } = yield* scripted([], { timeouts: { total: "1 minute" }, middleware: [dying] })
      const exit = yield* Effect.exit(Effect.uninterruptible(client.get("/x")))
      expect(endOf(exit)).toEqual({ defect: "broken" })
    })
  )
})

describe("unread bodies", () => {
  const body = MockTransport.stream(["1", { delay: Number.POSITIVE_INFINITY }])

  it.effect("6.15 an unread body is closed after idle", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([body], { timeouts: { idle: "10 seconds" } })
      const stream = yield* client.get("/x", { success: ResponseDecoder.stream() })
      yield* TestClock.adjust("9 seconds")
      expect(yield* transport.interrupted).toBe(0)
      yield* TestClock.adjust("1 seconds")
      expect(yield* transport.awaitInterrupted(1)).toBe(1)
      expect(yield* Effect.flip(Stream.runDrain(stream))).toMatchObject({
        _tag: "TimeoutError",
        phase: "idle",
        stoppedBy: "not-replayable"
      })
    })
  )

  it.effect("6.15 a body with a slow reader is not closed", () =>
    Effect.gen(function* () {
      const ready = MockTransport.stream(["1", "2", "3"])
      const { client } = yield* scripted([ready], { timeouts: { idle: "10 seconds" } })
      const stream = yield* client.get("/x", { success: ResponseDecoder.stream() })
      const fiber = yield* Effect.fork(Stream.runCount(Stream.tap(stream, () => Effect.sleep("1 hour"))))
      yield* TestClock.adjust("4 hours")
      expect(yield* fiber).toBe(3)
    })
  )

  it.effect("6.15 a response that arrives after the timeout is aborted", () =>
    Effect.gen(function* () {
      let aborted: AbortSignal | undefined
      const late = HttpClient.make((request, _url, signal) => {
        aborted = signal
        const response = Effect.sync(() => HttpClientResponse.fromWeb(request, new Response("1")))
        return Effect.uninterruptible(Effect.delay(response, "6 seconds"))
      })
      const client = yield* clientOn(late, { timeouts: { total: "5 seconds" } })
      const fiber = yield* Effect.fork(Effect.flip(client.get("/x", { success: ResponseDecoder.stream() })))
      yield* TestClock.adjust("5 seconds")
      expect(yield* fiber).toMatchObject({ phase: "total" })
      expect(aborted?.aborted).toBe(false)
      yield* TestClock.adjust("1 seconds")
      expect(aborted?.aborted).toBe(true)
    })
  )
})

describe("a changed wall clock", () => {
  /** With the wall clock of a machine that is corrected by so many milliseconds at every look. */
  const jumping = <A, E, R>(effect: Effect.Effect<A, E, R>, by: number): Effect.Effect<A, E, R> => {
    let looks = 0
    return Effect.flatMap(Effect.clock, (clock) =>
      Effect.withClock(
        effect,
        withWallClock(clock, () => looks++ * by)
      )
    )
  }

  it.live.each([3_600_000, -3_600_000])("6.5 neither triggers nor suspends a timeout (%d ms)", (by) =>
    Effect.gen(function* () {
      const { client } = yield* scripted(
        [
          sse([tick(1), { delay: "5 millis" }, tick(2), done]),
          MockTransport.stream(["a", { delay: "5 millis" }, "b"]),
          MockTransport.json({}, { status: 503 }),
          MockTransport.json(1),
          MockTransport.never
        ],
        {
          timeouts: { total: "20 seconds", idle: "10 seconds", response: "10 seconds" },
          retry: { initialDelay: "1 millis" }
        }
      )
      const events = yield* Stream.runCollect(client.stream(getEvents(untilDone)))
      expect([...events]).toEqual(values(1, 2))
      const stream = yield* client.get("/x", { success: ResponseDecoder.stream() })
      expect(yield* Stream.runCount(stream)).toBe(2)
      const { attempts } = yield* client.executeWithResponse(ApiRequest.get("/x"))
      expect(attempts).toHaveLength(2)
      const error = yield* Effect.flip(client.get("/x", { timeouts: { total: "30 millis" } }))
      expect(error).toMatchObject({ _tag: "TimeoutError", phase: "total" })
    }).pipe((calls) => jumping(calls, by), Effect.provide(Logger.remove(Logger.defaultLogger)))
  )
})

describe("downloads", () => {
  it.effect("8.4 a slow reader's own time does not count as idle", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([MockTransport.stream(["a", { delay: "5 seconds" }, "b", "c"])], {
        timeouts: { idle: "10 seconds" }
      })
      const stream = yield* client.get("/x", { success: ResponseDecoder.stream() })
      const fiber = yield* Effect.fork(
        Stream.runCollect(
          Stream.mapEffect(stream, (chunk) => Effect.delay(Effect.succeed(textOf(chunk)), "1 hour"))
        )
      )
      yield* TestClock.adjust("4 hours")
      expect(Chunk.toReadonlyArray(yield* Fiber.join(fiber))).toEqual(["a", "b", "c"])
    })
  )

  it.effect("6.5 total covers the body of a download", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([MockTransport.stream(["a", { delay: "1 minute" }, "b"])], {
        timeouts: { total: "10 seconds" }
      })
      const stream = yield* client.get("/x", { success: ResponseDecoder.stream() })
      const fiber = yield* Effect.fork(Effect.flip(Stream.runDrain(stream)))
      yield* TestClock.adjust("10 seconds")
      expect(yield* fiber).toMatchObject({
        _tag: "TimeoutError",
        phase: "total",
        stoppedBy: "deadline",
        attempts: [{ tag: "TimeoutError", status: 200 }]
      })
    })
  )
})

describe("limits at a fraction of a millisecond", () => {
  it.effect("8.6 a limit that begins at any nanosecond ends", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([MockTransport.forever(MockTransport.never)], {
        timeouts: { response: 1000 },
        retry: { maxRetries: 0 }
      })
      for (let start = 0; start < 60; start++) {
        yield* TestClock.adjust(Duration.nanos(BigInt(start * 123_457)))
        const call = yield* Effect.fork(Effect.flip(client.get("/todos")))
        // Rounding may leave less of the limit than a clock counts.
        yield* TestClock.adjust(1000)
        expect((yield* Fiber.join(call))._tag).toBe("TimeoutError")
      }
    })
  )
})
