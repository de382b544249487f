import { describe, expect, it } from "@effect/vitest"
import { EventStream } from "@effect-api/client"
import { Effect, Stream } from "effect"
import { scripted } from "../fixtures/requests.js"
import { settle, withoutJitter } from "../fixtures/retry.js"
import {
  done,
  errorEvent,
  getEvents,
  lastEventIds,
  playStream,
  readBy,
  reset,
  resumable,
  sse,
  Tick,
  tick,
  tickEvents,
  untilDone,
  values
} from "../fixtures/streams.js"

const numbers = (from: number, to: number): ReadonlyArray<number> =>
  Array.from({ length: to - from }, (_, index) => from + index)

/** Events of one chunk, which are more than a batch. */
const many = (from: number, to: number): string =>
  numbers(from, to)
    .map((n) => tick(n, `id-${n}`))
    .join("")

const all = values(...numbers(0, 1000))

describe("a chunk of many events", () => {
  it.effect.each([
    { name: "server-sent events", events: tickEvents, body: many(0, 1000), type: "text/event-stream" },
    {
      name: "JSON lines",
      events: EventStream.jsonLines(Tick),
      body: all.map((value) => `${JSON.stringify(value)}\n`).join(""),
      type: "application/jsonl"
    }
  ])("10 comes in several batches, none of them empty: $name", ({ body, events, type }) =>
    Effect.gen(function* () {
      const read = yield* readBy(events, sse(body, { headers: { "content-type": type } }))
      expect(read).toMatchObject({ events: all, error: undefined })
      expect(read.chunks.length).toBeGreaterThan(1)
      expect(read.chunks.every((chunk) => chunk.length > 0 && chunk.length < 400)).toBe(true)
    })
  )

  it.effect.each([
    { name: "an error event", broken: errorEvent("invalid_request_error"), tag: "BadRequestError" },
    { name: "an event that does not fit", broken: 'data: {"n":"1"}\n\n', tag: "StreamProtocolError" },
    {
      name: "an event that is too large",
      broken: `data: ${"x".repeat(5000)}\n\n`,
      tag: "StreamProtocolError"
    },
    {
      name: "the start of an event that is too large",
      broken: `data: ${"x".repeat(5000)}`,
      tag: "StreamProtocolError"
    }
  ])("10 fails with $name after the events before it", ({ broken, tag }) =>
    Effect.gen(function* () {
      for (const before of [1, 255, 256, 257, 600]) {
        const body = many(0, before) + broken + tick(9)
        const read = yield* readBy(tickEvents, body, { limits: { eventBytes: 4000 } })
        expect(read.events).toEqual(values(...numbers(0, before)))
        expect(read.error).toMatchObject({ _tag: tag })
      }
    })
  )

  it.effect("10.2 ends at the terminal event, wherever it is", () =>
    Effect.gen(function* () {
      for (const before of [1, 255, 256, 257, 600]) {
        const read = yield* readBy(untilDone, many(0, before) + done + many(0, 500))
        expect(read).toMatchObject({ events: values(...numbers(0, before)), error: undefined })
      }
    })
  )

  it.effect("10.6 resumes after its last event, and repeats none", () =>
    Effect.gen(function* () {
      const script = [sse([many(0, 700), reset]), sse(many(700, 1000) + done)]
      const read = yield* playStream(script, getEvents(resumable), { retry: withoutJitter })
      expect(read).toMatchObject({ events: all, error: undefined })
      expect(lastEventIds(read)).toEqual([undefined, "id-699"])
    })
  )

  it.effect("10.6 resumes after the last event before an error event within it", () =>
    Effect.gen(function* () {
      const script = [
        sse([many(0, 300) + errorEvent("overloaded_error") + many(300, 600)]),
        sse(many(300, 1000) + done)
      ]
      const read = yield* playStream(script, getEvents(resumable), { retry: withoutJitter })
      expect(read).toMatchObject({ events: all, error: undefined })
      expect(lastEventIds(read)).toEqual([undefined, "id-299"])
    })
  )

  it.effect("10.5 no limit passes while its batches wait for a slow consumer", () =>
    Effect.gen(function* () {
      const events = EventStream.make({ event: Tick, contentTimeout: "5 seconds", idleTimeout: "5 seconds" })
      const { client } = yield* scripted([sse(many(0, 1000))])
      let read = 0
      const slowly = Stream.runForEachChunk(client.stream(getEvents(events)), (chunk) => {
        read += chunk.length
        return Effect.sleep("1 minute")
      })
      yield* settle(slowly, "1 hour")
      expect(read).toBe(1000)
    })
  )

  it.effect.each([1, 256, 257, 600])(
    "9.3 a consumer that leaves after %d events closes the connection",
    (taken) =>
      Effect.gen(function* () {
        const { client, transport } = yield* scripted([
          sse([many(0, 1000), { delay: Number.POSITIVE_INFINITY }])
        ])
        const read = yield* Stream.runCollect(Stream.take(client.stream(getEvents(tickEvents)), taken))
        expect(Array.from(read)).toEqual(all.slice(0, taken))
        expect(yield* transport.inFlight).toBe(0)
      })
  )

  it.effect("9.3 an interruption between two batches closes the connection", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([
        sse([many(0, 1000), { delay: Number.POSITIVE_INFINITY }])
      ])
      let read = 0
      const stopped = Stream.runForEachChunk(client.stream(getEvents(tickEvents)), (chunk) => {
        read += chunk.length
        return Effect.interrupt
      })
      expect((yield* Effect.exit(stopped))._tag).toBe("Failure")
      expect(read).toBeLessThan(400)
      expect(yield* transport.inFlight).toBe(0)
    })
  )
})
