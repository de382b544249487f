import { describe, expect, it } from "@effect/vitest"
import { EventStream, RetryPolicy } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, FastCheck as fc, Stream } from "effect"
import * as Resumption from "../../src/stream/Resumption.js"
import { withoutDelay } from "../fixtures/requests.js"
import { withoutJitter } from "../fixtures/retry.js"
import {
  connectOver,
  done,
  errorEvent,
  events,
  follow,
  getEvents,
  playStream,
  reset,
  sse,
  Tick,
  tags,
  tick,
  values
} from "../fixtures/streams.js"
import { direct } from "../fixtures/transports.js"

const resuming = EventStream.make({ event: Tick, terminal: "[DONE]", resume: true })
const endless = EventStream.make({ event: Tick, resume: true })
const rest = sse([tick(3, "c"), done])
const gone = MockTransport.empty(204)

/** An id without a value: ground to go on from, and nothing else. */
const primed = (id: string, retry?: number) =>
  `id: ${id}\n${retry === undefined ? "" : `retry: ${retry}\n`}data:\n\n`

const askedFrom = (
  requests: ReadonlyArray<{ readonly headers: Readonly<Record<string, string | undefined>> }>
) => requests.map(({ headers }) => headers["last-event-id"])

describe("the wait", () => {
  const policy = RetryPolicy.make({ jitter: 0, maxRetries: 3, maxRetryAfter: "30 seconds" })

  it.each<[asked: number | undefined, fruitless: number, wait: number | string]>([
    [undefined, 0, 500],
    [undefined, 2, 2000],
    [undefined, 3, "attempts"],
    [0, 0, 100],
    [99, 0, 100],
    [100, 0, 100],
    [101, 0, 101],
    [0, 1, 1000],
    [0, 2, 2000],
    [3000, 2, 3000],
    [0, 3, "attempts"],
    [30_000, 0, 30_000],
    [30_001, 0, "retry-after"],
    [Number.MAX_SAFE_INTEGER, 0, "retry-after"]
  ])("10.6 asked for %s ms, after %s reconnects that brought nothing: %s", (asked, fruitless, expected) => {
    expect(Resumption.wait(policy, { asked, fruitless }, 0)).toBe(expected)
  })

  it("6.2 a long one is passed over where the policy says so", () => {
    const patient = RetryPolicy.override(policy, { onLongRetryAfter: "backoff" })
    expect(Resumption.wait(patient, { asked: 1e12, fruitless: 1 }, 0)).toBe(1000)
  })
})

describe("the header", () => {
  it.each<[id: string, header: string | undefined]>([
    ["7", "7"],
    ["a b\tc", "a b\tc"],
    ["é", "\u00c3\u00a9"],
    ["日", "\u00e6\u0097\u00a5"],
    ["\u0001", undefined],
    ["a\u007f", undefined],
    ["x".repeat(4096), "x".repeat(4096)],
    ["x".repeat(4097), undefined],
    ["日".repeat(2000), undefined]
  ])("10.8 of the id %j", (id, header) => {
    expect(Resumption.headerOf(id)).toBe(header)
  })

  it("10.8 gives the id's UTF-8, or nothing, of every id", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (id) => {
        const header = Resumption.headerOf(id)
        if (header === undefined) return
        expect(Buffer.from(header, "latin1").toString("utf8")).toBe(id)
        expect(header).toMatch(/^[\t\x20-\x7e\x80-\xff]*$/)
      })
    )
  })

  it.effect("10.8 an id that no header can carry is left out, and an earlier one with it", () =>
    Effect.gen(function* () {
      const script = [sse([tick(1, "a"), reset]), sse([tick(2, "\u0001"), reset]), rest]
      const read = yield* playStream(script, getEvents(resuming), { retry: withoutDelay })
      expect(read).toMatchObject({ events: values(1, 2, 3), error: undefined })
      expect(askedFrom(read.requests)).toEqual([undefined, "a", undefined])
    })
  )
})

describe("an id without a value", () => {
  it.effect.each([
    { name: "the end of the body", tail: [], contract: resuming },
    { name: "the end of the body, where it may end", tail: [], contract: endless },
    { name: "a reset", tail: [reset], contract: resuming },
    { name: "an error event", tail: [errorEvent("overloaded_error")], contract: resuming },
    { name: "an event cut short", tail: ['data: {"n":'], contract: resuming }
  ])("10.8 is ground to go on behind $name, and no retry", ({ contract, tail }) =>
    Effect.gen(function* () {
      const script = [sse([primed("e0", 250), ...tail]), rest, gone]
      const read = yield* playStream(script, getEvents(contract), {
        retry: { ...withoutJitter, maxRetries: 1 }
      })
      expect(read).toMatchObject({ events: contract === resuming ? values(3) : expect.anything() })
      expect(askedFrom(read.requests).slice(0, 2)).toEqual([undefined, "e0"])
      expect(read.sentAt.slice(0, 2)).toEqual([0, 250])
    })
  )

  it.effect("10.8 without resume it is none", () =>
    Effect.gen(function* () {
      const contract = EventStream.make({ event: Tick, terminal: "[DONE]" })
      const read = yield* playStream([sse(primed("e0")), rest], getEvents(contract), { retry: withoutJitter })
      expect(askedFrom(read.requests)).toEqual([undefined])
      expect(read.error).toMatchObject({ _tag: "StreamTruncatedError", received: 0 })
    })
  )

  it.effect("10.6 a new id each time is ground to go on for ever", () =>
    Effect.gen(function* () {
      const polls = Array.from({ length: 50 }, (_, n) => sse(primed(`e${n}`, 0)))
      const read = yield* playStream([...polls, rest], getEvents(resuming), { retry: withoutJitter })
      expect(read).toMatchObject({ events: values(3), error: undefined, took: 50 * 100 })
    })
  )

  it.effect.each([{ maxRetries: 1 }, { maxRetries: 3 }])(
    "10.6 the same one again is no progress: $maxRetries reconnects, each later than the one before",
    ({ maxRetries }) =>
      Effect.gen(function* () {
        const script = [MockTransport.forever(sse(primed("e0", 0)))]
        const read = yield* playStream(script, getEvents(resuming), {
          retry: { ...withoutJitter, maxRetries }
        })
        expect(read.error).toMatchObject({ _tag: "StreamTruncatedError", stoppedBy: "attempts" })
        expect(read.sentAt).toEqual([0, 100, 1100, 3100].slice(0, maxRetries + 1))
        expect(tags(read.error)).toEqual(Array.from({ length: maxRetries + 1 }, () => "StreamTruncatedError"))
      })
  )

  it.effect("10.6 an event between them begins the count anew", () =>
    Effect.gen(function* () {
      const none = sse(primed("a", 0))
      const script = [none, none, sse([tick(1, "a")]), none, rest]
      const read = yield* playStream(script, getEvents(resuming), {
        retry: { ...withoutJitter, maxRetries: 2 }
      })
      expect(read).toMatchObject({ events: values(1, 3), error: undefined })
    })
  )

  it.effect(
    "6.4 reconnects that bring nothing are paid from the budget, and given back by one that does",
    () =>
      Effect.gen(function* () {
        const none = sse(primed("a", 0))
        const retry = {
          ...withoutJitter,
          maxRetries: 9,
          budget: { capacity: 10, retryCost: 5, successRefund: 0 }
        }
        const spent = yield* playStream([MockTransport.forever(none)], getEvents(resuming), { retry })
        expect(spent.error).toMatchObject({ _tag: "StreamTruncatedError", stoppedBy: "budget" })
        expect(spent.requests).toHaveLength(4)

        const some = [none, none, none, sse([tick(1, "b")]), sse(primed("b")), sse(primed("b")), rest]
        expect((yield* playStream(some, getEvents(resuming), { retry })).error).toBeUndefined()
      })
  )
})

describe("a server that ends every connection", () => {
  it.effect("10.6 is not asked in a hot loop, and the ledger keeps a hundred lines of it", () =>
    Effect.gen(function* () {
      const polls = Array.from({ length: 600 }, (_, n) => sse([tick(n, String(n)), "retry: 0\n\n"]))
      const refused = MockTransport.json({}, { status: 400 })
      const read = yield* playStream([...polls, refused], getEvents(resuming), { retry: withoutJitter })
      expect(read.events).toHaveLength(600)
      expect(read.took).toBe(600 * 100)
      const attempts = read.error?.attempts ?? []
      expect(attempts).toHaveLength(100)
      expect(attempts[0]?.startedAt).toBe(0)
      expect(attempts.at(-1)).toMatchObject({ tag: "BadRequestError", status: 400 })
      expect(new Set(attempts.map(({ startedAt }) => startedAt)).size).toBe(100)
    })
  )

  it.effect("6.6 retries without an end keep a hundred lines, too", () =>
    Effect.gen(function* () {
      const script = [
        ...Array.from({ length: 250 }, () => sse([reset])),
        MockTransport.json({}, { status: 400 })
      ]
      const retry = { initialDelay: 0, maxRetries: Number.POSITIVE_INFINITY, budget: false } as const
      const read = yield* playStream(script, getEvents(resuming), { retry }, 0)
      expect(read.requests).toHaveLength(251)
      expect(read.error?.attempts).toHaveLength(100)
    })
  )

  it.effect.each(["99999999999999999999", "9".repeat(400)])("6.2 retry: %s ends the call", (retry) =>
    Effect.gen(function* () {
      const script = [sse([tick(1, "a"), `retry: ${retry}\n\n`, reset])]
      const read = yield* playStream(script, getEvents(resuming))
      expect(read.error).toMatchObject({ _tag: "ConnectionError", stoppedBy: "retry-after" })
    })
  )

  it.effect("10.6 an id as large as an event may be is no header", () =>
    Effect.gen(function* () {
      const script = [sse([tick(1, "x".repeat(2 ** 20)), reset]), rest]
      const read = yield* playStream(script, getEvents(resuming), { retry: withoutDelay })
      expect(read).toMatchObject({ events: values(1, 3), error: undefined })
      expect(askedFrom(read.requests)).toEqual([undefined, undefined])
    })
  )
})

describe.each(direct)("$name", (transport) => {
  const connected = connectOver(transport)

  it.scopedLive.each([
    { id: "plain", wire: "plain" },
    { id: "caf\u00e9 \u65e5\u672c \ud83d\ude00", wire: "caf\u00e9 \u65e5\u672c \ud83d\ude00" },
    { id: "\u0001", wire: undefined },
    { id: "\u007f", wire: undefined }
  ])("10.8 last-event-id goes out as the UTF-8 of $id, or not at all", ({ id, wire }) =>
    Effect.gen(function* () {
      let asked: ReadonlyArray<string | undefined> = []
      const { client } = yield* connected(({ headers }) => {
        asked = [...asked, headers["last-event-id"]]
        return events(asked.length === 1 ? `${primed(id, 5)}` : tick(3) + done)
      })
      const read = yield* follow(client.stream(getEvents(resuming)))
      expect(read).toMatchObject({ events: values(3), error: undefined })
      const sent = asked[1]
      expect(sent === undefined ? undefined : Buffer.from(sent, "latin1").toString("utf8")).toBe(wire)
      expect(asked).toHaveLength(2)
    })
  )

  it.scopedLive("10.7 leaving while it waits to go on leaves nothing behind", () =>
    Effect.gen(function* () {
      const { client, server } = yield* connected(events(tick(1, "a")))
      const slow = { retry: { initialDelay: "1 hour" } } as const
      const request = getEvents(endless, slow)
      const taken = yield* Stream.runCollect(Stream.take(client.stream(request), 1))
      expect([...taken]).toEqual(values(1))
      expect((yield* server.requests).length).toBe(1)
    })
  )
})
