import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { EventStream } from "@effect-api/client"
import { Effect, Fiber, Stream } from "effect"
import { connectOver, done, events, getEvents, Tick, tick, ticks } from "../fixtures/streams.js"
import { transports } from "../fixtures/transports.js"
import { watchFibers } from "../fixtures/watch.js"

/** Every timeout is set, so that a leaked timer shows. */
const contract = EventStream.make({
  event: Tick,
  terminal: "[DONE]",
  firstEventTimeout: "1 hour",
  idleTimeout: "1 hour",
  contentTimeout: "1 hour"
})

const options = { timeouts: { total: "1 hour", response: "1 hour" } } as const

type Ticks = Stream.Stream<{ readonly n: number }, unknown>

const endings = [
  {
    name: "left after one event",
    times: "leakCalls",
    leave: (ticks: Ticks) => Stream.runDrain(Stream.take(ticks, 1))
  },
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

/** The handles and listeners that keep the process alive. */
const held = Effect.sync(() => {
  const resources = process.getActiveResourcesInfo()
  return {
    timers: resources.filter((name) => name === "Timeout" || name === "Immediate").length,
    sockets: resources.filter((name) => name.startsWith("TCP") && !name.includes("Server")).length,
    listeners: process.eventNames().reduce((count, name) => count + process.listenerCount(name), 0)
  }
})

/** The runtime, the pool and the test runner have some; a leak would add one for each stream. */
const slack = 10

const turn = Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))

/** The same once the event loop has released it: a socket closes some turns after the call. */
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
  // A spare connection that the next stream will use. Both its ends are in this process.
  const ahead = transport.preconnects ? 2 : 0
  const warnings: Array<unknown> = []
  const recordWarning = (warning: unknown) => void warnings.push(warning)
  beforeAll(() => {
    process.on("unhandledRejection", recordWarning)
    // Node warns at the eleventh listener, so one leaked listener per stream shows.
    process.on("warning", recordWarning)
  })
  afterAll(() => {
    process.off("unhandledRejection", recordWarning)
    process.off("warning", recordWarning)
  })

  it.scopedLive.each(endings)(
    "10.7 $times streams $name leave nothing open",
    ({ leave, times }) =>
      Effect.gen(function* () {
        const count = times === "leakCalls" ? transport.leakCalls : times
        const open = () => Stream.concat(Stream.make(ticks(1, 2), tick(3) + done), Stream.never)
        const { client, server } = yield* connectOver(transport)(() => events(open()), options)
        const stream = client.stream(getEvents(contract))
        // The pool and the runtime create their own handles here.
        yield* leave(stream)
        yield* server.awaitOpenSockets((open) => open <= ahead)
        const before = yield* heldUntil(({ sockets }) => sockets <= 2 * ahead)

        const watch = yield* watchFibers
        yield* watch.within(Effect.repeatN(leave(stream), count - 1))

        expect(yield* server.requestCount).toBe(count + 1)
        expect(yield* server.awaitOpenSockets((open) => open <= ahead)).toBeLessThanOrEqual(ahead)
        expect(yield* watch.running).toBe(0)
        const after = yield* heldUntil(
          ({ sockets, timers }) => sockets <= 2 * ahead && timers <= before.timers
        )
        expect(after.timers - before.timers).toBeLessThan(slack)
        expect(after.sockets - before.sockets).toBeLessThan(slack)
        expect(after.listeners - before.listeners).toBeLessThan(slack)
        expect(warnings).toEqual([])
      }),
    120_000
  )
})
