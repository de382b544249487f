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
  lastEventIds,
  playStream,
  reset,
  resumable,
  resumableWithoutEnd,
  sse,
  Tick,
  tags,
  tick,
  values
} from "../fixtures/streams.js"
import { direct } from "../fixtures/transports.js"

const rest = sse([tick(3, "c"), done])
const gone = MockTransport.empty(204)

/** An event with an id and no value: enough to resume from. */
const idOnly = (id: string, retry?: number) =>
  `id: ${id}\n${retry === undefined ? "" : `retry: ${retry}\n`}data:\n\n`

describe("the wait before a reconnect", () => {
  const policy = RetryPolicy.make({ jitter: 0, maxRetries: 3, maxRetryAfter: "30 seconds" })

  it.each<[retryMillis: number | undefined, emptyReconnects: number, wait: number | string]>([
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
  ])("10.6 retry: %s ms, after %s empty reconnects, waits %s", (retryMillis, emptyReconnects, expected) => {
    expect(Resumption.wait(policy, { asked: retryMillis, fruitless: emptyReconnects }, 0)).toBe(expected)
  })

  it('6.2 with onLongRetryAfter: "backoff", a longer retry: is ignored', () => {
    const patient = RetryPolicy.override(policy, { onLongRetryAfter: "backoff" })
    expect(Resumption.wait(patient, { asked: 1e12, fruitless: 1 }, 0)).toBe(1000)
  })
})

describe("the last-event-id header", () => {
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
  ])("10.8 encodes the id %j", (id, header) => {
    expect(Resumption.headerOf(id)).toBe(header)
  })

  it("10.8 encodes any id as UTF-8 or omits it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (id) => {
        const header = Resumption.headerOf(id)
        if (header === undefined) return
        expect(Buffer.from(header, "latin1").toString("utf8")).toBe(id)
        expect(header).toMatch(/^[\t\x20-\x7e\x80-\xff]*$/)
      })
    )
  })

  it.effect("10.8 an id that no header can hold is omitted, and does not fall back to an earlier id", () =>
    Effect.gen(function* () {
      const script = [sse([tick(1, "a"), reset]), sse([tick(2, "\u0001"), reset]), rest]
      const read = yield* playStream(script, getEvents(resumable), { retry: withoutDelay })
      expect(read).toMatchObject({ events: values(1, 2, 3), error: undefined })
      expect(lastEventIds(read)).toEqual([undefined, "a", undefined])
    })
  )
})

describe("an event with an id and no value", () => {
  it.effect.each([
    { name: "the end of the body", tail: [], contract: resumable },
    { name: "the end of the body without a terminal event", tail: [], contract: resumableWithoutEnd },
    { name: "a reset", tail: [reset], contract: resumable },
    { name: "an error event", tail: [errorEvent("overloaded_error")], contract: resumable },
    { name: "a truncated event", tail: ['data: {"n":'], contract: resumable }
  ])("10.8 is resumed from after $name, and is not a retry", ({ contract, tail }) =>
    Effect.gen(function* () {
      const script = [sse([idOnly("e0", 250), ...tail]), rest, gone]
      const read = yield* playStream(script, getEvents(contract), {
        retry: { ...withoutJitter, maxRetries: 1 }
      })
      expect(read.events).toEqual(values(3))
      expect(lastEventIds(read).slice(0, 2)).toEqual([undefined, "e0"])
      expect(read.sentAt.slice(0, 2)).toEqual([0, 250])
    })
  )

  it.effect("10.8 is not resumed from without the resume option", () =>
    Effect.gen(function* () {
      const contract = EventStream.make({ event: Tick, terminal: "[DONE]" })
      const read = yield* playStream([sse(idOnly("e0")), rest], getEvents(contract), { retry: withoutJitter })
      expect(lastEventIds(read)).toEqual([undefined])
      expect(read.error).toMatchObject({ _tag: "StreamTruncatedError", received: 0 })
    })
  )

  it.effect("10.6 a new id on each reconnect resumes indefinitely", () =>
    Effect.gen(function* () {
      const polls = Array.from({ length: 50 }, (_, n) => sse(idOnly(`e${n}`, 0)))
      const read = yield* playStream([...polls, rest], getEvents(resumable), { retry: withoutJitter })
      expect(read).toMatchObject({ events: values(3), error: undefined, took: 50 * 100 })
    })
  )

  it.effect.each([{ maxRetries: 1 }, { maxRetries: 3 }])(
    "10.6 a repeated id counts as an empty reconnect: $maxRetries reconnects with growing waits",
    ({ maxRetries }) =>
      Effect.gen(function* () {
        const script = [MockTransport.forever(sse(idOnly("e0", 0)))]
        const read = yield* playStream(script, getEvents(resumable), {
          retry: { ...withoutJitter, maxRetries }
        })
        expect(read.error).toMatchObject({ _tag: "StreamTruncatedError", stoppedBy: "attempts" })
        expect(read.sentAt).toEqual([0, 100, 1100, 3100].slice(0, maxRetries + 1))
        expect(tags(read.error)).toEqual(Array.from({ length: maxRetries + 1 }, () => "StreamTruncatedError"))
      })
  )

  it.effect("10.6 an event resets the count of empty reconnects", () =>
    Effect.gen(function* () {
      const none = sse(idOnly("a", 0))
      const script = [none, none, sse([tick(1, "a")]), none, rest]
      const read = yield* playStream(script, getEvents(resumable), {
        retry: { ...withoutJitter, maxRetries: 2 }
      })
      expect(read).toMatchObject({ events: values(1, 3), error: undefined })
    })
  )

  it.effect("6.4 empty reconnects cost budget, and a reconnect with an event returns it", () =>
    Effect.gen(function* () {
      const none = sse(idOnly("a", 0))
      const retry = {
        ...withoutJitter,
        maxRetries: 9,
        budget: { capacity: 10, retryCost: 5, successRefund: 0 }
      }
      const spent = yield* playStream([MockTransport.forever(none)], getEvents(resumable), { retry })
      expect(spent.error).toMatchObject({ _tag: "StreamTruncatedError", stoppedBy: "budget" })
      expect(spent.requests).toHaveLength(4)

      const some = [none, none, none, sse([tick(1, "b")]), sse(idOnly("b")), sse(idOnly("b")), rest]
      expect((yield* playStream(some, getEvents(resumable), { retry })).error).toBeUndefined()
    })
  )
})

describe("a server that closes every connection", () => {
  it.effect("10.6 is reconnected to at most every 100 ms, and the ledger keeps 100 lines", () =>
    Effect.gen(function* () {
      const polls = Array.from({ length: 600 }, (_, n) => sse([tick(n, String(n)), "retry: 0\n\n"]))
      const badRequest = MockTransport.json({}, { status: 400 })
      const read = yield* playStream([...polls, badRequest], getEvents(resumable), { retry: withoutJitter })
      expect(read.events).toHaveLength(600)
      expect(read.took).toBe(600 * 100)
      const attempts = read.error?.attempts ?? []
      expect(attempts).toHaveLength(100)
      expect(attempts[0]?.startedAt).toBe(0)
      expect(attempts.at(-1)).toMatchObject({ tag: "BadRequestError", status: 400 })
      expect(new Set(attempts.map(({ startedAt }) => startedAt)).size).toBe(100)
    })
  )

  it.effect("6.6 resumableWithoutEnd retries keep 100 lines in the ledger", () =>
    Effect.gen(function* () {
      const script = [
        ...Array.from({ length: 250 }, () => sse([reset])),
        MockTransport.json({}, { status: 400 })
      ]
      const retry = { initialDelay: 0, maxRetries: Number.POSITIVE_INFINITY, budget: false } as const
      const read = yield* playStream(script, getEvents(resumable), { retry }, 0)
      expect(read.requests).toHaveLength(251)
      expect(read.error?.attempts).toHaveLength(100)
    })
  )

  it.effect.each(["99999999999999999999", "9".repeat(400)])("6.2 retry: %s ends the call", (retry) =>
    Effect.gen(function* () {
      const script = [sse([tick(1, "a"), `retry: ${retry}\n\n`, reset])]
      const read = yield* playStream(script, getEvents(resumable))
      expect(read.error).toMatchObject({ _tag: "ConnectionError", stoppedBy: "retry-after" })
    })
  )

  it.effect("10.6 an id above the header limit is omitted", () =>
    Effect.gen(function* () {
      const script = [sse([tick(1, "x".repeat(2 ** 20)), reset]), rest]
      const read = yield* playStream(script, getEvents(resumable), { retry: withoutDelay })
      expect(read).toMatchObject({ events: values(1, 3), error: undefined })
      expect(lastEventIds(read)).toEqual([undefined, undefined])
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
  ])("10.8 last-event-id is the UTF-8 of $id, or is omitted", ({ id, wire }) =>
    Effect.gen(function* () {
      let lastIds: ReadonlyArray<string | undefined> = []
      const { client } = yield* connected(({ headers }) => {
        lastIds = [...lastIds, headers["last-event-id"]]
        return events(lastIds.length === 1 ? `${idOnly(id, 5)}` : tick(3) + done)
      })
      const read = yield* follow(client.stream(getEvents(resumable)))
      expect(read).toMatchObject({ events: values(3), error: undefined })
      const sent = lastIds[1]
      expect(sent === undefined ? undefined : Buffer.from(sent, "latin1").toString("utf8")).toBe(wire)
      expect(lastIds).toHaveLength(2)
    })
  )

  it.scopedLive("10.7 leaving the stream early sends no reconnect", () =>
    Effect.gen(function* () {
      const { client, server } = yield* connected(events(tick(1, "a")))
      const slow = { retry: { initialDelay: "1 hour" } } as const
      const request = getEvents(resumableWithoutEnd, slow)
      const taken = yield* Stream.runCollect(Stream.take(client.stream(request), 1))
      expect([...taken]).toEqual(values(1))
      expect((yield* server.requests).length).toBe(1)
    })
  )
})
