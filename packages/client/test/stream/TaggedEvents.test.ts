import { describe, expect, it } from "@effect/vitest"
import { ApiClient, ApiRequest, EventStream, type ServerSentEvents } from "@effect-api/client"
import { Effect, Schema, type Stream } from "effect"
import { expectTypeOf } from "vitest"
import { readBy, Tick, tick } from "../fixtures/streams.js"

const Created = Schema.Struct({ title: Schema.String })
const Deleted = Schema.Struct({ at: Schema.Number })
const both = { created: Created, deleted: Deleted }

const created = 'event: created\nid: 1\ndata: {"title":"milk"}\n\n'
const deleted = 'event: deleted\ndata: {"at":5}\n\n'

describe("events with name and id", () => {
  it.effect("10.10 a record of schemas gives a union that the name discriminates", () =>
    Effect.map(readBy(EventStream.tagged({ event: both }), created + deleted), ({ error, events }) => {
      expect(error).toBeUndefined()
      expect(events).toEqual([
        { event: "created", id: "1", data: { title: "milk" } },
        // The id stays that of the last event that set one.
        { event: "deleted", id: "1", data: { at: 5 } }
      ])
      for (const event of events) {
        if (event.event === "created") expectTypeOf(event.data).toEqualTypeOf<{ readonly title: string }>()
        else expectTypeOf(event.data.at).toEqualTypeOf<number>()
      }
    })
  )

  it.effect("10.10 under one schema the name is that of the event, or the type in its data", () =>
    Effect.map(
      readBy(
        EventStream.tagged({ event: Schema.Unknown }),
        `${tick(1)}event: a\ndata: 2\n\ndata: {"type":"b"}\n\n`
      ),
      ({ events }) => {
        expect(events).toEqual([
          { event: "message", id: undefined, data: { n: 1 } },
          { event: "a", id: undefined, data: 2 },
          { event: "b", id: undefined, data: { type: "b" } }
        ])
      }
    )
  )

  it.effect("10.10 a type in the data finds the schema, and is the name", () =>
    Effect.map(
      readBy(
        EventStream.tagged({ event: both }),
        'data: {"type":"deleted","at":1}\n\nevent: other\ndata: {"type":"created"}\n\n'
      ),
      ({ events }) => {
        expect(events).toEqual([{ event: "deleted", id: undefined, data: { at: 1 } }])
      }
    )
  )

  it.effect("10.10 terminal takes the event with its name", () =>
    Effect.map(
      readBy(
        EventStream.tagged({
          event: both,
          terminal: ({ data, event }) => event === "deleted" && data.at > 0
        }),
        [deleted.replace("5", "0"), deleted, created].join("")
      ),
      ({ events }) => {
        expect(events.map(({ data }) => data)).toEqual([{ at: 0 }, { at: 5 }])
      }
    )
  )

  it.effect("10.10 an event that does not fit fails, or is passed on under lenient validation", () =>
    Effect.gen(function* () {
      const contract = EventStream.tagged({ event: both })
      const wrong = 'event: deleted\nid: 7\ndata: {"at":"noon"}\n\n'
      const strict = yield* readBy(contract, created + wrong)
      expect(strict.events).toHaveLength(1)
      expect(strict.error).toMatchObject({ _tag: "StreamProtocolError" })
      const lenient = yield* readBy(contract, created + wrong, { validation: "lenient" })
      expect(lenient.events[1]).toEqual({ event: "deleted", id: "7", data: { at: "noon" } })
    })
  )

  it.effect("10.10 unknown, ignore and error are those of make", () =>
    Effect.gen(function* () {
      const other = "event: other\ndata: text\n\n"
      const contract = EventStream.tagged({ event: both, unknown: "pass", ignore: ["deleted"] })
      const passed = yield* readBy(contract, deleted + other + created)
      expect(passed.events).toEqual([
        { event: "other", data: "text" },
        { event: "created", id: "1", data: { title: "milk" } }
      ])
      const failed = yield* readBy(EventStream.tagged({ event: both }), [
        created,
        'event: error\ndata: {"error":{"type":"overloaded_error"}}\n\n'
      ])
      expect(failed.error).toMatchObject({ _tag: "OverloadedError" })
    })
  )

  it("10.10 a value that is no schema is refused", () => {
    expect(() => EventStream.tagged({ event: {} })).toThrow("events.event")
    expect(() => EventStream.tagged({ event: Tick, tagged: true } as never)).toThrow("events.tagged")
  })

  it("7 the types of the events", () => {
    const single = EventStream.tagged({ event: Tick })
    expectTypeOf(single).toEqualTypeOf<
      EventStream.EventStream<EventStream.TaggedEvent<string, typeof Tick.Type>>
    >()
    const record = EventStream.tagged({ event: both, unknown: "pass" })
    expectTypeOf(record).toEqualTypeOf<
      EventStream.EventStream<
        | EventStream.TaggedEvent<"created", typeof Created.Type>
        | EventStream.TaggedEvent<"deleted", typeof Deleted.Type>
        | ServerSentEvents.ServerSentEvent
      >
    >()
    expectTypeOf(ApiClient.stream(ApiRequest.get("/x", { events: single }))).toExtend<
      Stream.Stream<EventStream.TaggedEvent<string, typeof Tick.Type>, unknown, ApiClient.ApiClient>
    >()
  })
})
