import { describe, expect, it } from "@effect/vitest"
import { EventStream } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Duration, Effect, Stream } from "effect"
import { scripted } from "../fixtures/requests.js"
import { settle, status, withoutJitter } from "../fixtures/retry.js"
import {
  done,
  errorEvent,
  follow,
  getEvents,
  neverEnding,
  ping,
  playStream,
  sse,
  Tick,
  tags,
  tick,
  tickEvents,
  ticks,
  values
} from "../fixtures/streams.js"

const second = { delay: "1 second" } as const
const seconds = (count: number) => ({ delay: Duration.seconds(count) })

/** Pings, one second apart. */
const pings = (count: number) => Array.from({ length: count }, () => [second, ping]).flat()

type Limits = Pick<
  EventStream.Options<typeof Tick, never, "skip">,
  "firstEventTimeout" | "idleTimeout" | "contentTimeout"
>

const limited = (limits: Limits) =>
  EventStream.make({ event: Tick, ignore: ["ping"], terminal: "[DONE]", ...limits })

const once = { retry: { maxRetries: 0 } } as const

describe("timeouts of a contract", () => {
  const table: ReadonlyArray<{
    readonly name: string
    readonly limits: Limits
    readonly parts: ReadonlyArray<MockTransport.BodyPart>
    readonly events: number
    readonly phase: string
    readonly at: number
  }> = [
    {
      name: "no first event arrives",
      limits: { firstEventTimeout: "3 seconds" },
      parts: [neverEnding],
      events: 0,
      phase: "first-event",
      at: 3000
    },
    {
      name: "only pings arrive before the first event",
      limits: { firstEventTimeout: "3 seconds" },
      parts: [...pings(5), tick(1), done],
      events: 0,
      phase: "first-event",
      at: 3000
    },
    {
      name: "the first event arrives in pieces, after the limit",
      limits: { firstEventTimeout: "3 seconds" },
      parts: ["data:", second, " {", second, '"n"', second, ":1}\n", second, "\n", done],
      events: 0,
      phase: "first-event",
      at: 3000
    },
    {
      name: "no byte arrives before the first event",
      limits: { idleTimeout: "3 seconds" },
      parts: [neverEnding],
      events: 0,
      phase: "idle",
      at: 3000
    },
    {
      name: "no byte arrives between events",
      limits: { idleTimeout: "3 seconds" },
      parts: [tick(1), seconds(2), tick(2), seconds(4), tick(3), done],
      events: 2,
      phase: "idle",
      at: 5000
    },
    {
      name: "no byte arrives after pings",
      limits: { idleTimeout: "3 seconds" },
      parts: [tick(1), ...pings(4), neverEnding],
      events: 1,
      phase: "idle",
      at: 7000
    },
    {
      name: "only pings arrive between events",
      limits: { contentTimeout: "3 seconds" },
      parts: [tick(1), second, tick(2), ...pings(9), tick(3), done],
      events: 2,
      phase: "content-idle",
      at: 4000
    },
    {
      name: "only comments arrive between events",
      limits: { contentTimeout: "3 seconds" },
      parts: [tick(1), seconds(2), ": hi\n\n", seconds(2), ": hi\n\n", tick(2), done],
      events: 1,
      phase: "content-idle",
      at: 3000
    },
    {
      name: "several limits apply and the earliest passes",
      limits: { firstEventTimeout: "1 second", idleTimeout: "1500 millis", contentTimeout: "3 seconds" },
      parts: [tick(1), ...pings(1), neverEnding],
      events: 1,
      phase: "idle",
      at: 2500
    }
  ]

  it.effect.each(table)("10 fails with a TimeoutError when $name", ({ at, events, limits, parts, phase }) =>
    Effect.gen(function* () {
      const read = yield* playStream([sse(parts)], getEvents(limited(limits)), once)
      expect(read.events).toHaveLength(events)
      expect(read.took).toBe(at)
      const limit = Object.values(limits).length > 1 ? limits.idleTimeout : Object.values(limits)[0]
      expect(read.error).toMatchObject({
        _tag: "TimeoutError",
        phase,
        limit: Duration.decode(limit ?? 0),
        delivery: "maybe-applied"
      })
      expect(tags(read.error)).toEqual(["TimeoutError"])
      expect(yield* read.transport.inFlight).toBe(0)
    })
  )

  it.effect.each([
    {
      name: "a first event within firstEventTimeout",
      limits: { firstEventTimeout: "3 seconds" },
      parts: [...pings(2), tick(1)]
    },
    {
      name: "a pause after the first event under firstEventTimeout",
      limits: { firstEventTimeout: "3 seconds" },
      parts: [tick(1), seconds(30)]
    },
    {
      name: "pings within idleTimeout",
      limits: { idleTimeout: "3 seconds" },
      parts: [...pings(9), tick(1)]
    },
    {
      name: "events within contentTimeout",
      limits: { contentTimeout: "3 seconds" },
      parts: [tick(0), seconds(2), tick(0), seconds(2), tick(1)]
    },
    {
      name: "a first event after contentTimeout",
      limits: { contentTimeout: "3 seconds" },
      parts: [seconds(9), tick(1)]
    }
  ] as const)("10 does not time out on $name", ({ limits, parts }) =>
    Effect.gen(function* () {
      const read = yield* playStream([sse([...parts, done])], getEvents(limited(limits)), once)
      expect(read.error).toBeUndefined()
      expect(read.events.at(-1)).toEqual({ n: 1 })
    })
  )

  it.effect("10 firstEventTimeout starts at the response's headers", () =>
    Effect.gen(function* () {
      const script = [sse([seconds(2), tick(1), done], { delay: "10 seconds" })]
      const read = yield* playStream(script, getEvents(limited({ firstEventTimeout: "3 seconds" })), once)
      expect(read).toMatchObject({ events: values(1), error: undefined, took: 12_000 })
    })
  )

  it.effect("10 firstEventTimeout applies to each attempt", () =>
    Effect.gen(function* () {
      const script = [
        status(503, { "retry-after": "5" }),
        sse([neverEnding]),
        sse([seconds(2), tick(1), done])
      ]
      const contract = limited({ firstEventTimeout: "3 seconds" })
      const read = yield* playStream(script, getEvents(contract), { retry: withoutJitter })
      expect(read).toMatchObject({ events: values(1), error: undefined, sentAt: [0, 5000, 9000] })
    })
  )

  it.effect.each(
    (["firstEventTimeout", "idleTimeout", "contentTimeout"] as const).flatMap((name) =>
      [0, -1, "-1 seconds", Number.NaN].map((limit) => ({ name, limit }))
    )
  )("1.2 an invalid $name of $limit is an InvalidRequestError and sends nothing", ({ limit, name }) =>
    Effect.gen(function* () {
      const contract = EventStream.make({ event: Tick, [name]: limit })
      const read = yield* playStream([], getEvents(contract), {}, 0)
      expect(read.error).toMatchObject({
        _tag: "InvalidRequestError",
        field: `events.${name}`,
        reason: "must be a duration above zero",
        delivery: "not-sent"
      })
      expect(read.requests).toHaveLength(0)
    })
  )
})

describe("timeouts of the client", () => {
  it.effect("1.3 timeouts.idle applies to streams without their own", () =>
    Effect.gen(function* () {
      const timeouts = { idle: "4 seconds" } as const
      const read = yield* playStream([sse([tick(1), neverEnding])], getEvents(tickEvents), {
        timeouts,
        ...once
      })
      expect(read).toMatchObject({
        events: values(1),
        error: { _tag: "TimeoutError", phase: "idle", limit: Duration.seconds(4) },
        took: 4000
      })
    })
  )

  it.effect("1.3 the default idle timeout is ten minutes", () =>
    Effect.gen(function* () {
      const script = [sse([tick(1), seconds(599), tick(2), neverEnding])]
      const read = yield* playStream(script, getEvents(tickEvents), {}, "1 hour")
      expect(read).toMatchObject({ events: values(1, 2), error: { phase: "idle" }, took: 599_000 + 600_000 })
    })
  )

  it.effect("1.1 the contract's idleTimeout overrides the client's", () =>
    Effect.gen(function* () {
      const contract = EventStream.make({ event: Tick, idleTimeout: "9 seconds" })
      const script = [sse([tick(1), seconds(8), tick(2)])]
      const read = yield* playStream(script, getEvents(contract), { timeouts: { idle: "4 seconds" } })
      expect(read).toMatchObject({ events: values(1, 2), error: undefined })
    })
  )

  it.effect("6.5 total ends a stream even while events arrive", () =>
    Effect.gen(function* () {
      const parts = Array.from({ length: 20 }, (_, n) => [tick(n), second]).flat()
      const read = yield* playStream([sse(parts)], getEvents(tickEvents), {
        timeouts: { total: "4500 millis" }
      })
      expect(read).toMatchObject({
        events: values(0, 1, 2, 3, 4),
        took: 4500,
        error: { _tag: "TimeoutError", phase: "total", limit: Duration.millis(4500), stoppedBy: "deadline" }
      })
      expect(tags(read.error)).toEqual(["TimeoutError"])
      expect(yield* read.transport.inFlight).toBe(0)
    })
  )

  it.effect.each([
    { name: "before the headers", step: MockTransport.never },
    { name: "before the first event", step: sse([...pings(30)]) }
  ])("6.5 total ends the call $name", ({ step }) =>
    Effect.gen(function* () {
      const contract = limited({})
      const read = yield* playStream([step], getEvents(contract), { timeouts: { total: "4 seconds" } })
      expect(read).toMatchObject({
        took: 4000,
        error: { _tag: "TimeoutError", phase: "total", stoppedBy: "deadline" }
      })
      expect(tags(read.error)).toEqual(["TimeoutError"])
    })
  )

  it.effect("6.5 total covers attempts and the stream together", () =>
    Effect.gen(function* () {
      const script = [status(503, { "retry-after": "3" }), sse([tick(1), neverEnding])]
      const read = yield* playStream(script, getEvents(tickEvents), { timeouts: { total: "5 seconds" } })
      expect(read).toMatchObject({ events: values(1), took: 5000, error: { phase: "total" } })
      expect(tags(read.error)).toEqual(["ServiceUnavailableError", "TimeoutError"])
    })
  )

  it.effect("6.5 total ends a stream with buffered events if it passed while the reader was busy", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([sse([tick(1), tick(2), tick(3)])], {
        timeouts: { total: "5 seconds" }
      })
      const slow = Stream.tap(client.stream(getEvents(tickEvents)), () => Effect.sleep("6 seconds"))
      const read = yield* Effect.flatten(settle(follow(slow)))
      expect(read).toMatchObject({ events: values(1), error: { _tag: "TimeoutError", phase: "total" } })
    })
  )
})

describe("a slow consumer", () => {
  it.effect("10 its own time counts only against total", () =>
    Effect.gen(function* () {
      const contract = limited({
        firstEventTimeout: "2 seconds",
        idleTimeout: "2 seconds",
        contentTimeout: "3 seconds"
      })
      const parts = [tick(1), second, tick(2), ping, second, ping, second, ticks(3, 4), second, done]
      const { client } = yield* scripted([sse(parts)], once)
      const slow = Stream.tap(client.stream(getEvents(contract)), () => Effect.sleep("1 minute"))
      const read = yield* Effect.flatten(settle(follow(slow)))
      expect(read).toMatchObject({ events: values(1, 2, 3, 4), error: undefined })
      expect(read.took).toBe(4 * 60_000 + 4000)
    })
  )

  it.effect("10 contentTimeout counts only the time spent waiting for the server", () =>
    Effect.gen(function* () {
      const contract = limited({ contentTimeout: "3 seconds" })
      const { client } = yield* scripted([sse([tick(1), ...pings(9)])], once)
      const slow = Stream.tap(client.stream(getEvents(contract)), () => Effect.sleep("1 minute"))
      const read = yield* Effect.flatten(settle(follow(slow)))
      expect(read).toMatchObject({ events: values(1), error: { phase: "content-idle" }, took: 63_000 })
    })
  )

  it.effect("10.4 a buffered error event is emitted after any delay", () =>
    Effect.gen(function* () {
      const contract = limited({ contentTimeout: "3 seconds" })
      const { client } = yield* scripted([sse(tick(1) + errorEvent("overloaded_error"))], once)
      const slow = Stream.tap(client.stream(getEvents(contract)), () => Effect.sleep("1 minute"))
      const read = yield* Effect.flatten(settle(follow(slow)))
      expect(read).toMatchObject({ events: values(1), error: { _tag: "OverloadedError" } })
    })
  )
})
