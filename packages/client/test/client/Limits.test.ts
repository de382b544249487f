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
import { Clock, Duration, Effect, Fiber, FiberRef, Logger, Schema, Stream, TestClock } from "effect"
import { regions } from "../fixtures/regions.js"
import { clientOn, scripted } from "../fixtures/requests.js"
import { done, getEvents, sse, tick, untilDone, values } from "../fixtures/streams.js"

/** Waits for ever, and keeps no timer. */
const hung: Effect.Effect<never> = Effect.async<never>(() => {})

/** A schema that never comes to an end, in either direction. */
const hungSchema = Schema.transformOrFail(Schema.Unknown, Schema.Unknown, {
  decode: () => hung,
  encode: () => hung
})

const middleware: Middleware.Middleware = () => hung
const deaf: Middleware.Middleware = () => Effect.uninterruptible(hung)

/** Everything of a call that may hang. */
const hanging: ReadonlyArray<{
  readonly what: string
  readonly step?: MockTransport.MockStep
  readonly options?: Partial<ApiConfig.Options>
  readonly run?: (client: ApiClient.ApiClient) => Effect.Effect<unknown, unknown>
}> = [
  { what: "the server", step: MockTransport.never },
  { what: "a body", step: MockTransport.stream(["1", { delay: Number.POSITIVE_INFINITY }]) },
  { what: "a middleware", options: { middleware: [middleware] } },
  { what: "a middleware that cannot be interrupted", options: { middleware: [deaf] } },
  { what: "a fetch of credentials", options: { credentials: Credentials.cached({ fetch: hung }) } },
  {
    what: "the source of a body",
    step: MockTransport.json(1),
    run: (client) =>
      client.put("/x", { bodyStream: Stream.concat(Stream.make(new Uint8Array(1)), Stream.fromEffect(hung)) })
  },
  { what: "the schema of a value", run: (client) => client.get("/x", { success: hungSchema }) },
  { what: "the schema of a body", run: (client) => client.post("/x", { body: 1, bodySchema: hungSchema }) },
  {
    what: "a download",
    step: MockTransport.stream(["1", { delay: Number.POSITIVE_INFINITY }]),
    run: (client) => Effect.flatMap(client.get("/x", { success: ResponseDecoder.stream() }), Stream.runDrain)
  },
  {
    what: "a body that is read of a plain response",
    step: MockTransport.stream(["1", { delay: Number.POSITIVE_INFINITY }]),
    run: (client) =>
      Effect.catchAll(
        Effect.flatMap(ApiClient.httpClient(client).get("/x"), ({ text }) => text),
        (error) => Effect.fail("cause" in error ? error.cause : error)
      )
  }
]

const places = regions.flatMap(({ region, runIn }) => hanging.map((row) => ({ ...row, region, runIn })))

describe("total covers the whole call", () => {
  it.effect.each(places)("6.5 where $what hangs in $region", ({ options, run, runIn, step }) =>
    Effect.gen(function* () {
      const { client } = yield* scripted([step ?? MockTransport.json(1)], {
        timeouts: { total: "5 seconds" },
        ...options
      })
      const asked = run?.(client) ?? client.get("/x")
      const fiber = yield* Effect.fork(Effect.flip(runIn(asked)))
      yield* TestClock.adjust("4 seconds")
      expect(yield* Fiber.poll(fiber)).toMatchObject({ _tag: "None" })
      yield* TestClock.adjust("1 seconds")
      expect(yield* fiber).toMatchObject({ _tag: "TimeoutError", phase: "total", stoppedBy: "deadline" })
    })
  )

  it.effect("6.5 a schema of the caller's own error that hangs leaves the ordinary one", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([MockTransport.json({}, { status: 404 })], {
        timeouts: { total: "5 seconds" }
      })
      const asked = client.get("/x", { failure: { 404: hungSchema } })
      const fiber = yield* Effect.fork(Effect.flip(Effect.uninterruptible(asked)))
      yield* TestClock.adjust("5 seconds")
      expect(yield* fiber).toMatchObject({ _tag: "NotFoundError" })
    })
  )

  it.effect("6.6 the attempt on its way is a line of the ledger, with its time", () =>
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

describe("what a limit ends", () => {
  it.effect.each(regions)("6.8 nothing is left open, and no fiber, in $region", ({ runIn }) =>
    Effect.gen(function* () {
      const stalled = MockTransport.stream(["1", { delay: Number.POSITIVE_INFINITY }])
      const { client, transport } = yield* scripted([MockTransport.never, stalled], {
        timeouts: { total: "5 seconds" }
      })
      const before = new Set(yield* Fiber.roots)
      for (const asked of [
        client.get("/x"),
        Effect.flatMap(client.get("/x", { success: ResponseDecoder.stream() }), Stream.runDrain)
      ]) {
        const fiber = yield* Effect.fork(Effect.flip(runIn(asked)))
        yield* TestClock.adjust("5 seconds")
        expect(yield* fiber).toMatchObject({ phase: "total" })
      }
      expect(yield* transport.awaitInterrupted(2)).toBe(2)
      expect(yield* transport.inFlight).toBe(0)
      yield* Effect.yieldNow()
      expect([...(yield* Fiber.roots)].filter((root) => !before.has(root))).toEqual([])
    })
  )

  it.effect("6.8 an interruption of the caller reaches the call, and waits for it", () =>
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

  it.effect("6.8 the context of the caller is that of the call, and what it sets is the caller's", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const mark = FiberRef.unsafeMake("unset")
      const looking: Middleware.Middleware = (request, next) =>
        Effect.flatMap(Effect.orDie(Effect.currentSpan), ({ name }) => {
          seen.push(name)
          return Effect.zipRight(FiberRef.set(mark, "set"), next(request))
        })
      const { client } = yield* scripted([MockTransport.json(1)], {
        timeouts: { total: "1 minute" },
        middleware: [looking]
      })
      yield* Effect.uninterruptible(Effect.withSpan(client.get("/x"), "outer"))
      expect([seen, yield* FiberRef.get(mark)]).toEqual([["GET /x"], "set"])
    })
  )

  it.effect("6.8 a defect is one", () =>
    Effect.gen(function* () {
      const dying: Middleware.Middleware = () => Effect.die("broken")
      const { client } = yield* scripted([], { timeouts: { total: "1 minute" }, middleware: [dying] })
      const exit = yield* Effect.exit(Effect.sandbox(Effect.uninterruptible(client.get("/x"))))
      expect(exit).toMatchObject({ cause: { error: { _tag: "Die", defect: "broken" } } })
    })
  )
})

describe("unread bodies over a plain HttpClient", () => {
  const body = MockTransport.stream(["1", { delay: Number.POSITIVE_INFINITY }])

  it.effect("6.15 a body that nobody begins to read is left when idle has passed", () =>
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

  it.effect("6.15 one that somebody has begun to read is not, however slow the reader", () =>
    Effect.gen(function* () {
      const ready = MockTransport.stream(["1", "2", "3"])
      const { client } = yield* scripted([ready], { timeouts: { idle: "10 seconds" } })
      const stream = yield* client.get("/x", { success: ResponseDecoder.stream() })
      const fiber = yield* Effect.fork(Stream.runCount(Stream.tap(stream, () => Effect.sleep("1 hour"))))
      yield* TestClock.adjust("4 hours")
      expect(yield* fiber).toBe(3)
    })
  )

  it.effect("6.15 a body that comes as the limit passes is left", () =>
    Effect.gen(function* () {
      let aborted: AbortSignal | undefined
      const late = HttpClient.make((request, _url, signal) => {
        aborted = signal
        const answer = Effect.sync(() => HttpClientResponse.fromWeb(request, new Response("1")))
        return Effect.uninterruptible(Effect.delay(answer, "6 seconds"))
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

describe("a wall clock that is set", () => {
  /** The wall clock of a machine that slept for an hour, or whose time was put right. */
  const jumping = (by: number) => {
    let asked = 0
    const clock = Clock.make()
    return Object.assign(Object.create(Object.getPrototypeOf(clock)), clock, {
      unsafeCurrentTimeMillis: () => Date.now() + asked++ * by,
      unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos()
    }) as Clock.Clock
  }

  it.live.each([3_600_000, -3_600_000])("6.5 ends nothing, nor makes anything endless (%d ms)", (by) =>
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
    }).pipe(Effect.withClock(jumping(by)), Effect.provide(Logger.remove(Logger.defaultLogger)))
  )
})
