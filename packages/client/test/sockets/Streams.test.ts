import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { describe, expect, it } from "@effect/vitest"
import { EventStream } from "@effect-api/client"
import { MockTransport, TestServer } from "@effect-api/testing"
import {
  Chunk,
  Deferred,
  Effect,
  Exit,
  Fiber,
  Logger,
  LogLevel,
  Schedule,
  Schema,
  Scope,
  Stream
} from "effect"
import { clientOn, withoutDelay } from "../fixtures/requests.js"
import {
  connectOver,
  done,
  errorEvent,
  events,
  follow,
  getEvents,
  ping,
  postEvents,
  sse,
  Tick,
  tags,
  tick,
  tickEvents,
  ticks,
  untilDone,
  values
} from "../fixtures/streams.js"
import { everyTransport, transports } from "../fixtures/transports.js"

/** A body that starts with these parts and then stays open. */
const open = (...parts: ReadonlyArray<string>) => Stream.concat(Stream.fromIterable(parts), Stream.never)

describe.each(everyTransport)("$name", (transport) => {
  const connected = connectOver(transport)
  const quiet = Logger.withMinimumLogLevel(LogLevel.None)

  it.scopedLive("10 an event is emitted before the next one is sent", () =>
    Effect.gen(function* () {
      const seen = yield* Deferred.make<void>()
      const body = Stream.concat(
        Stream.make(tick(1)),
        Stream.fromEffect(Effect.as(Deferred.await(seen), tick(2) + done))
      )
      const { client } = yield* connected({ "POST /ticks": events(body) })
      const signalled = Stream.tap(client.stream(postEvents(untilDone)), () =>
        Deferred.succeed(seen, undefined)
      )
      expect(yield* follow(signalled)).toMatchObject({ events: values(1, 2), error: undefined })
    })
  )

  it.scopedLive("10.7 Stream.take closes the connection", () =>
    Effect.gen(function* () {
      const { client, server } = yield* connected(events(open(ticks(1, 2, 3))))
      const taken = yield* Stream.runCollect(Stream.take(client.stream(getEvents(tickEvents)), 2))
      expect(Chunk.toReadonlyArray(taken)).toEqual(values(1, 2))
      expect(yield* server.awaitClosed(0)).toBe("client")
    })
  )

  it.scopedLive.each([
    { name: "between events", reply: events(open(tick(1))), begun: true },
    { name: "before the first event", reply: events(open(": hello\n\n")), begun: false },
    { name: "before the headers", reply: TestServer.never, begun: false }
  ])("10.7 an interruption $name closes the connection", ({ begun, reply }) =>
    Effect.gen(function* () {
      const { client, server } = yield* connected(reply)
      const first = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(
        Stream.runForEach(client.stream(getEvents(tickEvents)), () => Deferred.succeed(first, undefined))
      )
      yield* begun ? Deferred.await(first) : server.awaitRequests(1)
      expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
      expect(yield* server.awaitClosed(0)).toBe("client")
    })
  )

  it.scopedLive("10.7 closing the scope of a pull closes the connection", () =>
    Effect.gen(function* () {
      const { client, server } = yield* connected(events(open(tick(1))))
      yield* Effect.scoped(Effect.flatten(Stream.toPull(client.stream(getEvents(tickEvents)))))
      expect(yield* server.awaitClosed(0)).toBe("client")
    })
  )

  it.scopedLive("10.9 closing the scope of a response ends a read that waits", () =>
    Effect.gen(function* () {
      const { client, server } = yield* connected(events(open(tick(1))))
      const scope = yield* Scope.make()
      const { status, stream, url } = yield* Scope.extend(
        client.streamWithResponse(getEvents(tickEvents)),
        scope
      )
      expect([status, url]).toEqual([200, `${server.url}/ticks`])
      const first = yield* Deferred.make<void>()
      const reading = yield* Effect.fork(follow(Stream.tap(stream, () => Deferred.succeed(first, undefined))))
      yield* Deferred.await(first)
      yield* Scope.close(scope, Exit.void)
      expect(yield* server.awaitClosed(0)).toBe("client")
      const { error, events: read } = yield* Fiber.join(reading)
      expect(read).toEqual(values(1))
      expect(error).toMatchObject({ reason: "was closed with its scope" })
    })
  )

  it.scopedLive("10.2 the terminal event ends a stream that the server keeps open", () =>
    Effect.gen(function* () {
      const { client, server } = yield* connected(events(open(tick(1) + done)))
      expect(yield* follow(client.stream(getEvents(untilDone)))).toMatchObject({
        events: values(1),
        error: undefined
      })
      expect(yield* server.awaitClosed(0)).toBe("client")
    })
  )

  it.scopedLive("10.2 after the terminal event, the connection of a complete body is reused or closed", () =>
    Effect.gen(function* () {
      const { client, server } = yield* connected(events(() => [tick(1), done]))
      for (let count = 0; count < 20; count++) {
        expect((yield* follow(client.stream(getEvents(untilDone)))).error).toBeUndefined()
      }
      // The last one may not be back in the pool yet.
      expect(yield* server.awaitOpenSockets((open) => open <= 2)).toBeLessThanOrEqual(2)
    })
  )

  it.scopedLive("6.8 failed attempts leave no connection open", () =>
    Effect.gen(function* () {
      const failed = TestServer.sequence(
        TestServer.json({}, { status: 503 }),
        TestServer.reset,
        events(open(errorEvent("overloaded_error"))),
        events(open(tick(1)))
      )
      const { client, server } = yield* connected(failed, { retry: { ...withoutDelay, maxRetries: 3 } })
      const first = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(
        Stream.runForEach(client.stream(getEvents(tickEvents)), () => Deferred.succeed(first, undefined))
      )
      yield* Deferred.await(first)
      expect(yield* server.requestCount).toBe(4)
      // One spare connection for the third attempt, which was aborted, and one for the fourth.
      const ahead = (aborted: number) => (transport.preconnects ? aborted : 0)
      expect(yield* server.awaitOpenSockets((count) => count <= 1 + ahead(1))).toBeGreaterThan(0)
      yield* Fiber.interrupt(fiber)
      for (const attempt of [1, 2, 3]) yield* server.awaitClosed(attempt)
      expect(yield* server.awaitClosed(3)).toBe("client")
      const left = yield* server.awaitOpenSockets((count) => count <= ahead(2))
      expect(left).toBeLessThanOrEqual(ahead(2))
    }).pipe(quiet)
  )

  it.scopedLive("10.6 resumes after a connection reset", () =>
    Effect.gen(function* () {
      const begin = `retry: 1\n\n${tick(1, "a")}`
      const { client, server } = yield* connected(
        TestServer.sequence(
          events([begin]).pipe(TestServer.resetAfter(begin.length)),
          events([tick(2, "b") + done])
        )
      )
      const contract = EventStream.make({ event: Tick, terminal: "[DONE]", resume: true })
      expect(yield* follow(client.stream(getEvents(contract)))).toMatchObject({
        events: values(1, 2),
        error: undefined
      })
      expect((yield* server.requests).map(({ headers }) => headers["last-event-id"])).toEqual([
        undefined,
        "a"
      ])
    }).pipe(quiet)
  )

  it.scopedLive.each([
    { name: "a reset", fault: TestServer.resetAfter(tick(1).length), kinds: ["reset", "closed"] },
    {
      name: "an end before the last chunk",
      fault: TestServer.truncateAfter(tick(1).length),
      kinds: [transport.truncatedBody]
    }
  ])("7.3 $name is a ConnectionError after the earlier events", ({ fault, kinds }) =>
    Effect.gen(function* () {
      const { client } = yield* connected(events(open(tick(1), tick(2))).pipe(fault))
      const read = yield* follow(client.stream(getEvents(tickEvents)))
      expect(read).toMatchObject({
        events: values(1),
        error: { _tag: "ConnectionError", stoppedBy: "not-replayable", delivery: "maybe-applied" }
      })
      expect(kinds).toContain(read.error?._tag === "ConnectionError" ? read.error.kind : undefined)
    })
  )

  describe("backpressure", () => {
    const megabyte = 1024 * 1024
    const event = `data: "${"x".repeat(64 * 1024)}"\n\n`
    const count = 1600
    const flood = () => Array.from({ length: count }, () => event)
    const contract = EventStream.make({ event: Schema.String })

    setFlagsFromString("--expose-gc")
    const collect = runInNewContext("gc") as () => void
    const used = Effect.sync(() => {
      collect()
      const { external, heapUsed } = process.memoryUsage()
      return heapUsed + external
    })

    const turn = Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))

    /** The bytes sent, once the number has not changed for many turns of the event loop. */
    const bytesWhenStalled = (server: TestServer.TestServer) =>
      Effect.gen(function* () {
        let [sent, still] = [0, 0]
        while (still < 200) {
          yield* turn
          const now = (yield* server.exchanges)[0]?.bytesSent ?? 0
          still = now === sent ? still + 1 : 0
          sent = now
        }
        return sent
      })

    it.scopedLive(
      "10.7 a stalled reader stalls the server, and 100 MB pass in little memory",
      () =>
        Effect.gen(function* () {
          const { client, server } = yield* connected(events(flood))
          const before = yield* used
          let [held, most, read] = [0, 0, 0]
          yield* Stream.runForEachChunk(client.stream(getEvents(contract)), (chunk) =>
            Effect.gen(function* () {
              if (read === 0) held = yield* bytesWhenStalled(server)
              if (read % 100 < chunk.length) most = Math.max(most, (yield* used) - before)
              read += chunk.length
            })
          )
          expect(read).toBe(count)
          expect(held).toBeLessThan(24 * megabyte)
          expect(most).toBeLessThan(64 * megabyte)
          expect((yield* server.exchanges)[0]?.bytesSent).toBeGreaterThan(100 * megabyte)
        }),
      120_000
    )
  })
})

describe("the same failure on every transport", () => {
  const known = EventStream.make({
    event: { message: Tick },
    ignore: ["ping"],
    terminal: "[DONE]",
    unknown: "fail",
    idleTimeout: "10 seconds"
  })
  const type = { "content-type": "text/event-stream" }
  const pings = Stream.repeatEffectWithSchedule(Effect.succeed(ping), Schedule.spaced("5 millis"))

  const failures = [
    {
      name: "an end before the terminal event",
      body: Stream.make(ticks(1, 2)),
      events: values(1, 2),
      error: { _tag: "StreamTruncatedError", received: 2 }
    },
    {
      name: "an error event",
      body: open(tick(1), errorEvent("overloaded_error")),
      events: values(1),
      error: { _tag: "OverloadedError", status: 200, type: "overloaded_error", message: "200 no more" }
    },
    {
      name: "another media type",
      body: Stream.make("<p>Sign in</p>"),
      headers: { "content-type": "text/html" },
      events: [],
      error: {
        _tag: "StreamProtocolError",
        reason: "the response is text/html, not text/event-stream",
        excerpt: "<p>Sign in</p>"
      }
    },
    {
      name: "no media type",
      body: Stream.make(tick(1)),
      headers: {},
      events: [],
      error: {
        _tag: "StreamProtocolError",
        reason: "the response is of no media type, not text/event-stream"
      }
    },
    {
      name: "an event above the limit",
      body: open(tick(1), `data: "${"x".repeat(3000)}`),
      events: values(1),
      error: { _tag: "StreamProtocolError", reason: "an event is larger than 2000 bytes" }
    },
    {
      name: "data that does not fit",
      body: open(tick(1), "data: {}\n\n"),
      events: values(1),
      error: { _tag: "StreamProtocolError", excerpt: "{}" }
    },
    {
      name: "an event of an unknown name",
      body: open(tick(1), "event: tock\ndata: {}\n\n"),
      events: values(1),
      error: { _tag: "StreamProtocolError", reason: "an event has a name that the contract does not know" }
    },
    {
      name: "an idle stream",
      body: open(tick(1)),
      events: values(1),
      contract: { idleTimeout: "300 millis" },
      error: { _tag: "TimeoutError", phase: "idle" }
    },
    {
      name: "only pings",
      body: Stream.concat(Stream.make(tick(1)), pings),
      events: values(1),
      contract: { contentTimeout: "300 millis" },
      error: { _tag: "TimeoutError", phase: "content-idle" }
    },
    {
      name: "no first event",
      body: Stream.never,
      events: [],
      contract: { firstEventTimeout: "30 millis" },
      error: { _tag: "TimeoutError", phase: "first-event" }
    }
  ] as const

  const limits = { eventBytes: 2000 }
  const cases = failures.flatMap((failure) =>
    [...transports, { name: "a scripted transport" }].map((transport) => ({
      ...failure,
      transport,
      over: transport.name
    }))
  )

  it.scopedLive.each(cases)("10 $name, over $over", (failure) =>
    Effect.gen(function* () {
      const { body, error, events: expected, transport } = failure
      const headers = "headers" in failure ? failure.headers : type
      const options = { limits, retry: { maxRetries: 0 } }
      const client =
        "layer" in transport
          ? (yield* connectOver(transport)(TestServer.chunks(body, { headers }), options)).client
          : yield* Effect.flatMap(
              MockTransport.make([MockTransport.stream(body, { headers })]),
              ({ client }) => clientOn(client, options)
            )
      const contract = "contract" in failure ? { ...known, limits: limitsOf(failure.contract) } : known
      const read = yield* follow(client.stream(getEvents(contract)))
      expect(read.events).toEqual(expected)
      expect(read.error).toMatchObject(error)
      expect(tags(read.error)).toEqual([error._tag])
    })
  )

  const limitsOf = (limits: object) => EventStream.make({ event: Tick, ...limits }).limits

  it.scopedLive("10 a scripted stream has the server's events", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([sse([tick(1), done])])
      const client = yield* clientOn(transport.client)
      expect(yield* follow(client.stream(getEvents(untilDone)))).toMatchObject({
        events: values(1),
        error: undefined
      })
    })
  )
})
