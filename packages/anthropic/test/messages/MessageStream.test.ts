import { describe, expect, it } from "@effect/vitest"
import { Chunk, Effect, Exit, FastCheck as fc, Stream } from "effect"
import * as Streams from "../../src/effect/streams.js"
import type * as MessageEvent from "../../src/messages/MessageEvent.js"
import * as MessageStream from "../../src/messages/MessageStream.js"
import * as Events from "../fixtures/messageEvents.js"
import { holds } from "../fixtures/properties.js"

type Event = MessageEvent.MessageEvent

/** The events in chunks, as from a network. */
const chunked = (events: ReadonlyArray<Event>, cuts: ReadonlyArray<number>): Stream.Stream<Event> => {
  const at = [0, ...cuts.map((cut) => cut % (events.length + 1)).sort((a, b) => a - b), events.length]
  const chunks = at.slice(1).map((end, index) => Stream.fromIterable(events.slice(at[index], end)))
  return chunks.reduce<Stream.Stream<Event>>((before, chunk) => Stream.concat(before, chunk), Stream.empty)
}

const collect = <A, E>(stream: Stream.Stream<A, E>) =>
  Effect.map(Stream.runCollect(stream), Chunk.toReadonlyArray)

/** The sizes of the chunks that come. */
const sizes = <A, E>(stream: Stream.Stream<A, E>) =>
  Effect.scopedWith((scope) =>
    Effect.gen(function* () {
      const next = yield* Streams.toNext(stream, scope)
      const found: Array<number> = []
      for (let values = yield* next; values !== undefined; values = yield* next) found.push(values.length)
      return found
    })
  )

const cuts = fc.array(fc.nat(), { maxLength: 6 })

const parts = [
  Events.thinking("sig", "Let me ", "see."),
  Events.text("Hel", "lo"),
  Events.toolUse(['{"city":"Par', 'is","days', '":3}']),
  Events.cited([" and bye"], 1)
]
const events = Events.eventsOf(parts)
const broken = Events.eventsOf([
  { ...Events.toolUse([]), deltas: [{ type: "input_json_delta", partial_json: "{]" }] }
])

describe("finalMessage", () => {
  holds("returns the same message for any chunks", [Events.parts, cuts], ([parts, cuts]) =>
    Effect.gen(function* () {
      const events = Events.eventsOf(parts)
      const message = yield* MessageStream.finalMessage(chunked(events, cuts))
      expect(message).toEqual(yield* MessageStream.finalMessage(Stream.make(...events)))
      expect(JSON.stringify(message.content)).toBe(JSON.stringify(parts.map(({ end }) => end)))
    })
  )

  it.effect("fails with the error of the stream", () =>
    Effect.gen(function* () {
      const failing = Stream.concat(Stream.make(...events.slice(0, 3)), Stream.fail("reset" as const))
      expect(yield* Effect.flip(MessageStream.finalMessage(failing))).toBe("reset")
      const dying = Stream.concat(Stream.make(...events.slice(0, 3)), Stream.die("defect"))
      expect(yield* Effect.exit(MessageStream.finalMessage(dying))).toEqual(Exit.die("defect"))
    })
  )

  it.effect("fails without a message, or with an incomplete one", () =>
    Effect.gen(function* () {
      expect(yield* Effect.flip(MessageStream.finalMessage(Stream.empty))).toMatchObject({
        _tag: "StreamTruncatedError",
        received: 0
      })
      expect(
        yield* Effect.flip(MessageStream.finalMessage(Stream.make(...events.slice(0, -1))))
      ).toMatchObject({
        _tag: "StreamTruncatedError",
        received: events.length - 1
      })
      expect(yield* Effect.flip(MessageStream.finalMessage(Stream.make(...events.slice(1))))).toMatchObject({
        _tag: "StreamProtocolError",
        reason: "content_block_start comes before message_start"
      })
      expect(yield* Effect.flip(MessageStream.finalMessage(Stream.make(...broken)))).toMatchObject({
        _tag: "StreamProtocolError",
        excerpt: "{]"
      })
    })
  )

  it.effect("pulls nothing after a failure", () =>
    Effect.gen(function* () {
      const wrong = Stream.concat(Stream.make(...events.slice(1)), Stream.die("pulled again"))
      expect((yield* Effect.flip(MessageStream.finalMessage(wrong)))._tag).toBe("StreamProtocolError")
    })
  )

  it.effect("starts over at each run", () =>
    Effect.gen(function* () {
      const final = MessageStream.finalMessage(Stream.make(...events))
      expect(yield* final).toEqual(yield* final)
      const growing = MessageStream.accumulate(Stream.make(...events))
      expect(yield* collect(growing)).toEqual(yield* collect(growing))
    })
  )
})

describe("accumulate", () => {
  holds("emits every event with the message, in the original chunks", [Events.parts, cuts], ([parts, cuts]) =>
    Effect.gen(function* () {
      const events = Events.eventsOf(parts)
      const stream = chunked(events, cuts)
      const snapshots = yield* collect(MessageStream.accumulate(stream))
      expect(snapshots.map(({ event }) => event)).toEqual(events)
      expect(snapshots.at(-1)?.message).toEqual(yield* MessageStream.finalMessage(stream))
      const alone = yield* collect(MessageStream.accumulate(Stream.rechunk(stream, 1)))
      expect(JSON.stringify(snapshots)).toBe(JSON.stringify(alone))
      const came = yield* sizes(stream)
      expect(yield* sizes(MessageStream.accumulate(stream))).toEqual(came.filter((size) => size > 0))
    })
  )

  it.effect("drops events before the message", () =>
    Effect.gen(function* () {
      const early = Events.decodeEvents([{ type: "hello" }])
      const snapshots = yield* collect(MessageStream.accumulate(Stream.make(...early, ...events)))
      expect(snapshots).toHaveLength(events.length)
    })
  )

  it.effect("emits the events before a failure, in the same chunk or not", () =>
    Effect.gen(function* () {
      for (const stream of [Stream.make(...broken), Stream.rechunk(Stream.make(...broken), 1)]) {
        const seen: Array<Event> = []
        const error = yield* MessageStream.accumulate(stream).pipe(
          Stream.runForEach(({ event }) => Effect.sync(() => seen.push(event))),
          Effect.flip
        )
        expect(error._tag).toBe("StreamProtocolError")
        expect(seen).toEqual(broken.slice(0, 3))
      }
      const failing = Stream.concat(Stream.make(...events.slice(0, 3)), Stream.fail("reset" as const))
      expect(yield* Effect.flip(Stream.runDrain(MessageStream.accumulate(failing)))).toBe("reset")
    })
  )

  it.effect("can be stopped early", () =>
    Effect.gen(function* () {
      const left: Array<string> = []
      const stream = Stream.make(...events).pipe(
        Stream.rechunk(1),
        Stream.ensuring(Effect.sync(() => left.push("left")))
      )
      expect(yield* Stream.runCount(Stream.take(MessageStream.accumulate(stream), 2))).toBe(2)
      expect(left).toEqual(["left"])
    })
  )
})

describe("parts of a message", () => {
  const stream = Stream.make(...events)

  it.effect("textDeltas emits the text of all blocks, in the original chunks", () =>
    Effect.gen(function* () {
      expect(yield* collect(MessageStream.textDeltas(stream))).toEqual(["Hel", "lo", " and bye"])
      expect(yield* sizes(MessageStream.textDeltas(stream))).toEqual([3])
    })
  )

  it.effect("textDeltas and thinkingDeltas emit what comes with the start of a block", () =>
    Effect.gen(function* () {
      const parts = [Events.thinking("s", "b"), Events.text("d")].map(
        (part, at): Events.Part => ({
          ...part,
          start: { ...part.start, ...(at === 0 ? { thinking: "a" } : { text: "c" }) }
        })
      )
      const stream = Stream.fromIterable(Events.eventsOf(parts))
      expect(yield* collect(MessageStream.textDeltas(stream))).toEqual(["c", "d"])
      expect(yield* collect(MessageStream.thinkingDeltas(stream))).toEqual(["a", "b"])
    })
  )

  it.effect("thinkingDeltas emits the thinking of the model", () =>
    Effect.gen(function* () {
      expect(yield* collect(MessageStream.thinkingDeltas(stream))).toEqual(["Let me ", "see."])
    })
  )

  it.effect("contentBlocks emits each block once it is complete", () =>
    Effect.gen(function* () {
      expect(yield* collect(MessageStream.contentBlocks(stream))).toEqual(parts.map(({ end }) => end))
      const early = yield* collect(MessageStream.contentBlocks(Stream.make(...events.slice(0, 8))))
      expect(early).toEqual([parts[0]?.end])
    })
  )

  it.effect("inputDeltas emits each delta with the input so far", () =>
    Effect.gen(function* () {
      const expected = [
        { partial_json: '{"city":"Par', input: { city: "Par" } },
        { partial_json: 'is","days', input: { city: "Paris" } },
        { partial_json: '":3}', input: { city: "Paris", days: 3 } }
      ].map((fields) => ({ index: 2, id: "toolu_1", name: "get_weather", ...fields }))
      expect(yield* collect(MessageStream.inputDeltas(stream))).toEqual(expected)
    })
  )

  it.effect("inputDeltas ignores blocks that are not tool calls", () =>
    Effect.gen(function* () {
      const odd = Events.eventsOf([
        {
          start: { type: "text", text: "" },
          deltas: [{ type: "input_json_delta", partial_json: "1" }],
          end: {}
        }
      ])
      expect(yield* collect(MessageStream.inputDeltas(Stream.make(...odd)))).toEqual([])
    })
  )
})
