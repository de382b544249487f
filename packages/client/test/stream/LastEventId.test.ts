import { describe, expect, it } from "@effect/vitest"
import { EventStream } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect } from "effect"
import { withoutDelay } from "../fixtures/requests.js"
import { withoutJitter } from "../fixtures/retry.js"
import {
  done,
  errorEvent,
  getEvents,
  lastEventIds,
  ping,
  playStream,
  reset,
  sse,
  Tick,
  tick,
  values
} from "../fixtures/streams.js"

const ignore = ["ping"]
const untilDone = EventStream.make({ event: Tick, ignore, terminal: "[DONE]", resume: true })
const untilGone = EventStream.make({ event: Tick, ignore, resume: true })
const contracts = [untilDone, untilGone]

const first = sse([tick(1, "a"), tick(2, "b")])
const rest = sse([tick(3, "c"), done])
const more = sse(tick(3, "c"))
const gone = MockTransport.empty(204)

/** What follows in a script for each contract, and the ids that it makes the client send. */
const endings = [
  { contract: untilDone, ending: [rest], ids: [] },
  { contract: untilGone, ending: [more, gone], ids: ["c"] }
]

const nothings = [
  { name: "nothing", step: sse("") },
  { name: "a comment", step: sse(": hello\n\n") },
  { name: "an ignored event", step: sse(ping) },
  { name: "an invalid id", step: sse("id: \0\n\n") },
  { name: "the same id", step: sse("id: b\n\n") },
  { name: "a reset", step: sse([reset]) },
  { name: "an ignored event and a reset", step: sse([ping, reset]) },
  { name: "a retryable error event", step: sse(errorEvent("overloaded_error")) },
  { name: "a truncated event", step: sse('id: c\ndata: {"n":') }
]

describe("the last event id of an earlier connection", () => {
  it.effect.each(nothings)("10.6 holds after a reconnect that brings $name", ({ step }) =>
    Effect.gen(function* () {
      for (const { contract, ending, ids } of endings) {
        const read = yield* playStream([first, step, ...ending], getEvents(contract), {
          retry: withoutJitter
        })
        expect(read).toMatchObject({ events: values(1, 2, 3), error: undefined })
        expect(lastEventIds(read)).toEqual([undefined, "b", "b", ...ids])
        // The second wait is longer: the reconnect brought nothing.
        expect(read.sentAt.slice(0, 3)).toEqual([0, 500, 1500])
      }
    })
  )

  it.effect.each([
    { name: "the end of the body", tail: [] },
    { name: "a reset", tail: [reset] },
    { name: "a retryable error event", tail: [errorEvent("overloaded_error")] }
  ])("10.6 holds after an event without an id and $name, and the wait does not grow", ({ tail }) =>
    Effect.gen(function* () {
      for (const { contract, ending, ids } of endings) {
        const script = [first, sse([tick(9), ...tail]), ...ending]
        const read = yield* playStream(script, getEvents(contract), { retry: withoutJitter })
        expect(read).toMatchObject({ events: values(1, 2, 9, 3), error: undefined })
        expect(lastEventIds(read)).toEqual([undefined, "b", "b", ...ids])
        expect(read.sentAt.slice(0, 3)).toEqual([0, 500, 1000])
      }
    })
  )

  it.effect.each([
    { name: "a field without a colon", parts: ["id\n\n"] },
    { name: "an empty field", parts: ["id:\n\n"] },
    { name: "an empty field of an event", parts: [`id:\n${tick(9)}`] }
  ])("10.6 ends with an empty id in $name: nothing resumes", ({ parts }) =>
    Effect.gen(function* () {
      const ended = yield* playStream([first, sse(parts)], getEvents(untilGone), { retry: withoutDelay })
      expect(ended.error).toBeUndefined()
      const cut = yield* playStream([first, sse(parts)], getEvents(untilDone), { retry: withoutDelay })
      expect(cut.error).toMatchObject({ _tag: "StreamTruncatedError", stoppedBy: "not-retryable" })
      for (const contract of contracts) {
        const script = [first, sse([...parts, reset])]
        const broken = yield* playStream(script, getEvents(contract), { retry: withoutDelay })
        expect(broken.error).toMatchObject({ _tag: "ConnectionError", stoppedBy: "not-replayable" })
      }
    })
  )

  it.effect("10.10 is the id of an event without one", () =>
    Effect.gen(function* () {
      const contract = EventStream.tagged({ event: Tick, terminal: "[DONE]", resume: true })
      const script = [first, sse([tick(3), `id\n${tick(4)}`, done])]
      const read = yield* playStream(script, getEvents(contract), { retry: withoutDelay })
      expect(read.events.map((event) => event.id)).toEqual(["a", "b", "b", ""])
    })
  )
})

describe("reconnects that bring nothing", () => {
  it.effect.each(
    [
      { name: "an empty body", step: sse(""), contract: untilDone, tag: "StreamTruncatedError" },
      { name: "an empty body, without a terminal event", step: sse(""), contract: untilGone, tag: undefined },
      { name: "a ping", step: sse(ping), contract: untilDone, tag: "StreamTruncatedError" },
      { name: "a ping, without a terminal event", step: sse(ping), contract: untilGone, tag: undefined },
      { name: "a reset", step: sse([reset]), contract: untilDone, tag: "ConnectionError" },
      {
        name: "a reset, without a terminal event",
        step: sse([reset]),
        contract: untilGone,
        tag: "ConnectionError"
      }
    ].flatMap((row) => [1, 3].map((maxRetries) => ({ ...row, maxRetries })))
  )(
    "10.6 end after maxRetries: $maxRetries, each wait longer: $name",
    ({ contract, maxRetries, step, tag }) =>
      Effect.gen(function* () {
        const script = [first, MockTransport.forever(step)]
        const retry = { ...withoutJitter, maxRetries }
        const read = yield* playStream(script, getEvents(contract), { retry })
        expect(read.events).toEqual(values(1, 2))
        expect(read.error?._tag).toBe(tag)
        expect(read.error?.stoppedBy).toBe(tag && "attempts")
        expect(read.sentAt).toEqual([0, 500, 1500, 3500].slice(0, maxRetries + 1))
      })
  )

  it.effect.each([
    { name: "a terminal event", contract: untilDone, stoppedBy: "budget" },
    { name: "the body", contract: untilGone, stoppedBy: undefined }
  ])("6.4 cost budget in a stream that ends with $name", ({ contract, stoppedBy }) =>
    Effect.gen(function* () {
      const budget = { capacity: 10, retryCost: 5, successRefund: 0 }
      const script = [first, MockTransport.forever(sse(""))]
      const retry = { ...withoutJitter, maxRetries: 9, budget }
      const read = yield* playStream(script, getEvents(contract), { retry })
      expect(read.error?.stoppedBy).toBe(stoppedBy)
      expect(read.requests).toHaveLength(4)
    })
  )

  it.effect("10.3 leave the number of events at that of all connections", () =>
    Effect.gen(function* () {
      const script = [first, more, MockTransport.forever(sse(""))]
      const retry = { ...withoutDelay, maxRetries: 1 }
      const read = yield* playStream(script, getEvents(untilDone), { retry })
      expect(read.error).toMatchObject({ _tag: "StreamTruncatedError", received: 3 })
      expect(read.error?.message).toContain("after 3 events")
    })
  )
})
