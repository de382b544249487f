import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { EventStream } from "@effect-api/client"
import { Effect, Fiber, Stream, Supervisor } from "effect"
import { connectOver, done, events, getEvents, Tick, tick, ticks } from "../fixtures/streams.js"
import { transports } from "../fixtures/transports.js"

/** Every limit armed, so that none of their timers can hide. */
const contract = EventStream.make({
  event: Tick,
  terminal: "[DONE]",
  firstEventTimeout: "1 hour",
  idleTimeout: "1 hour",
  contentTimeout: "1 hour"
})

const options = { timeouts: { total: "1 hour", response: "1 hour" } } as const

type Ticks = Stream.Stream<{ readonly n: number }, unknown>

const ways = [
  { name: "taken from", times: "many", leave: (ticks: Ticks) => Stream.runDrain(Stream.take(ticks, 1)) },
  { name: "read to their terminal event", times: 100, leave: (ticks: Ticks) => Stream.runDrain(ticks) },
  {
    name: "interrupted",
    times: 100,
    leave: (ticks: Ticks) =>
      Effect.gen(function* () {
        const begun = yield* Effect.makeLatch()
        const fiber = yield* Effect.fork(
          Stream.runForEach(ticks, () => Effect.zipRight(begun.open, Effect.never))
        )
        yield* begun.await
        yield* Fiber.interrupt(fiber)
      })
  }
] as const

/** What keeps the process alive or listens in it. */
const held = Effect.sync(() => {
  const resources = process.getActiveResourcesInfo()
  return {
    timers: resources.filter((name) => name === "Timeout" || name === "Immediate").length,
    sockets: resources.filter((name) => name.startsWith("TCP") && !name.includes("Server")).length,
    listeners: process.eventNames().reduce((count, name) => count + process.listenerCount(name), 0)
  }
})

/** The runtime, the pool and the test runner have their own; what a stream leaves behind would be there each time. */
const slack = 10

const turn = Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))

/** What is held once the event loop has let go of it: sockets close some turns after they were told to. */
const heldUntil = (settled: (now: Effect.Effect.Success<typeof held>) => boolean) =>
  Effect.gen(function* () {
    let now = yield* held
    for (let turns = 0; turns < 1000 && !settled(now); turns++) {
      yield* turn
      now = yield* held
    }
    return now
  })

describe.each(transports)("$name", (transport) => {
  // What was opened for later, the last time: the next stream takes it. Each has two ends in this process.
  const ahead = transport.preconnects ? 2 : 0
  const troubles: Array<unknown> = []
  const note = (trouble: unknown) => void troubles.push(trouble)
  beforeAll(() => {
    process.on("unhandledRejection", note)
    // A listener added once per stream is told of as a warning at the eleventh.
    process.on("warning", note)
  })
  afterAll(() => {
    process.off("unhandledRejection", note)
    process.off("warning", note)
  })

  it.scopedLive.each(ways)(
    "10.7 $times streams $name leave nothing behind",
    ({ leave, times }) =>
      Effect.gen(function* () {
        const count = times === "many" ? transport.leakCalls : times
        const open = () => Stream.concat(Stream.make(ticks(1, 2), tick(3) + done), Stream.never)
        const { client, server } = yield* connectOver(transport)(() => events(open()), options)
        const stream = client.stream(getEvents(contract))
        // What is made once, by the pool or the runtime, is made now.
        yield* leave(stream)
        yield* server.awaitOpenSockets((open) => open <= ahead)
        const before = yield* heldUntil(({ sockets }) => sockets <= 2 * ahead)

        const supervisor = yield* Supervisor.track
        yield* Effect.supervised(Effect.repeatN(leave(stream), count - 1), supervisor)

        expect(yield* server.requestCount).toBe(count + 1)
        expect(yield* server.awaitOpenSockets((open) => open <= ahead)).toBeLessThanOrEqual(ahead)
        expect(yield* supervisor.value).toEqual([])
        const after = yield* heldUntil(
          ({ sockets, timers }) => sockets <= 2 * ahead && timers <= before.timers
        )
        expect(after.timers - before.timers).toBeLessThan(slack)
        expect(after.sockets - before.sockets).toBeLessThan(slack)
        expect(after.listeners - before.listeners).toBeLessThan(slack)
        expect(troubles).toEqual([])
      }),
    120_000
  )
})
