import { describe, expect, it } from "@effect/vitest"
import { type ApiError, EventStream, Metrics } from "@effect-api/client"
import type { MockTransport } from "@effect-api/testing"
import { Effect, Logger, LogLevel, Metric, Schema } from "effect"
import { z } from "zod"
import type * as StreamContract from "../../src/request/StreamContract.js"
import {
  getEvents,
  playStream,
  readBy,
  sse,
  Tick,
  tick,
  tickEvents,
  ticks,
  values
} from "../fixtures/streams.js"

const utf8 = new TextEncoder()

/** Reads a complete body with a contract, without a runtime. */
const read = <A>(contract: StreamContract.EventStream<A, unknown>, body: string) => {
  const framing = contract.framing(1024 * 1024)
  framing.write(utf8.encode(body))
  const events = []
  for (let some = framing.next(); some !== undefined; some = framing.next()) events.push(...some)
  events.push(...framing.end())
  const { stopped, values } = contract.read(events)
  return { values, stop: stopped?.stop, id: framing.lastEventId }
}

/** An event with the given data, and a name if one is given. */
const sent = (data: unknown, name?: string): string =>
  `${name === undefined ? "" : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`

const Any = Schema.Unknown

describe("events with empty data", () => {
  it.each([
    ["data", "data\n\n"],
    ["data:", "data:\n\n"],
    ["an id", "id: 7\ndata:\n\n"],
    ["an id and a retry", "id: 7\nretry: 5\ndata: \n\n"],
    ["a name that is not in the record", "event: hello\ndata\n\n"]
  ])("10.8 %s emits no value with any schema", (_, event) => {
    const schemas = [Tick, Schema.String, Schema.Unknown, Schema.UndefinedOr(Tick), z.string()]
    for (const schema of schemas) {
      expect(read(EventStream.make({ event: schema }), event)).toMatchObject({ values: [], stop: undefined })
    }
    const record = EventStream.make({ event: { tick: Tick }, unknown: "fail" })
    expect(read(record, event)).toMatchObject({ values: [], stop: undefined })
    const passing = EventStream.make({ event: { tick: Tick }, unknown: "pass" })
    expect(read(passing, event)).toMatchObject({ values: [], stop: undefined })
  })

  it("10.8 its id counts", () => {
    expect(read(tickEvents, `${tick(1, "a")}id: b\ndata:\n\n`)).toEqual({
      values: values(1),
      stop: undefined,
      id: "b"
    })
  })

  it("10 can be the terminal event or an error event", () => {
    const ended = EventStream.make({ event: Tick, terminal: "" })
    expect(read(ended, `${tick(1)}data:\n\n${tick(2)}`)).toMatchObject({
      values: values(1),
      stop: { _tag: "End" }
    })
    expect(read(tickEvents, "event: error\ndata:\n\n").stop).toEqual({ _tag: "Error", data: "" })
  })

  it("9.1 two empty data lines are a line break, which is not JSON", () => {
    expect(read(tickEvents, "data:\ndata:\n\n").stop).toMatchObject({
      _tag: "Invalid",
      reason: "is not valid JSON"
    })
  })

  it.effect("10 a million empty events are read and emit no chunk", () =>
    Effect.gen(function* () {
      const body = utf8.encode("data:\n\n".repeat(1_000_000) + tick(1))
      const { chunks, error } = yield* readBy(tickEvents, [body])
      expect({ chunks, error }).toEqual({ chunks: [values(1)], error: undefined })
    })
  )
})

describe("event names", () => {
  const contract = EventStream.make({ event: Any, ignore: ["ping", "noise"] })

  it.each<[what: string, event: string, kept: number]>([
    ["by the name in event:", sent({}, "ping"), 0],
    ["by the type in the data", sent({ type: "ping" }), 0],
    ["by a type with spaces around it", 'data: { "type" : "noise" }\n\n', 0],
    ["by the type if event: is message", sent({ type: "ping" }, "message"), 0],
    ["not by the type if event: has another name", sent({ type: "ping" }, "tick"), 1],
    ["not by a word in the data", sent({ type: "tick", text: "ping" }), 1],
    ["not by the type of a nested value", sent({ inner: { type: "ping" } }), 1],
    ["not by a type that is a list", sent({ type: ["ping"] }), 1],
    ["not by the type of a list item", sent([{ type: "ping" }]), 1]
  ])("10.8 an event is ignored %s", (_, event, kept) => {
    expect(read(contract, event)).toMatchObject({ values: { length: kept }, stop: undefined })
  })

  it("10.8 data that is not JSON has no type", () => {
    expect(read(contract, 'data: "ping" or not\n\n').stop).toMatchObject({ _tag: "Invalid" })
  })

  const overloaded = { type: "error", error: { type: "overloaded_error", message: "no more" } }
  const own = { event: "failure" } as const

  it.each<
    [what: string, error: StreamContract.CommonOptions<unknown, never>["error"], event: string, stop: string]
  >([
    ["an error event by event:", undefined, sent({ a: 1 }, "error"), "Error"],
    ["an error event by type and shape", undefined, sent(overloaded), "Error"],
    [
      "a value with the type error and another shape",
      undefined,
      sent({ type: "error", line: "of a log" }),
      "none"
    ],
    ["a value with error: false", false, sent(overloaded), "none"],
    ["a value with another name in event:", undefined, sent(overloaded, "log"), "none"],
    [
      'an error event by type, with error: "error"',
      { event: "error" },
      sent({ type: "error", line: 1 }),
      "Error"
    ],
    ["an error event by another type", own, sent({ type: "failure" }), "Error"],
    ["an error event by another name in event:", own, sent({}, "failure"), "Error"],
    ["a value with the type error, if the contract names another", own, sent(overloaded), "none"]
  ])("10.8 the event is %s", (_, error, event, stop) => {
    const contract = EventStream.make({ event: Any, error })
    expect(read(contract, event).stop?._tag ?? "none").toBe(stop)
  })

  it.effect("10.4 an error event without event: is the tagged error of its type", () =>
    Effect.gen(function* () {
      const { error, events } = yield* readBy(tickEvents, tick(1) + sent(overloaded))
      expect(events).toEqual(values(1))
      expect(error).toMatchObject({ _tag: "OverloadedError", type: "overloaded_error", requestId: "req_1" })
    })
  )

  const One = Schema.Struct({ type: Schema.Literal("one"), a: Schema.Number })
  const Two = Schema.Struct({ b: Schema.String })
  const one = { type: "one", a: 1 }

  it("10.8 a record selects the schema by type if event: is missing", () => {
    const contract = EventStream.make({ event: { one: One, two: Two } })
    const body = sent(one) + sent({ type: "two", b: "x" }) + sent({ b: "y" }, "two") + sent({ type: "three" })
    expect(read(contract, body + sent("no name"))).toMatchObject({
      values: [one, { b: "x" }, { b: "y" }],
      stop: undefined
    })
  })

  it("10.8 a record's message schema takes every event without event:", () => {
    const contract = EventStream.make({ event: { message: Schema.Unknown, two: Two } })
    expect(read(contract, sent({ type: "two", b: 1 }))).toMatchObject({
      values: [{ type: "two", b: 1 }],
      stop: undefined
    })
  })

  it('10 an unknown type fails with unknown: "fail", and passes with "pass"', () => {
    const contract = EventStream.make({ event: { one: One }, unknown: "fail" })
    expect(read(contract, sent({ type: "three" })).stop).toMatchObject({ _tag: "Invalid", data: "three" })
    const passing = EventStream.make({ event: { one: One }, unknown: "pass" })
    expect(read(passing, sent({ type: "three" }) + sent(one)).values).toEqual([
      { event: "message", data: '{"type":"three"}' },
      one
    ])
  })

  it("10 in JSON lines a type is data", () => {
    const contract = EventStream.jsonLines(Any)
    expect(read(contract, `${JSON.stringify(overloaded)}\n`)).toMatchObject({
      values: [overloaded],
      stop: undefined
    })
  })
})

describe("the terminal event", () => {
  it.each(["[DONE]", "[DONE] ", " [DONE]", "\t[DONE]\t ", `[DONE]${" ".repeat(100)}`])(
    "10.2 %j ends the stream",
    (done) => {
      const contract = EventStream.make({ event: Tick, terminal: "[DONE]" })
      expect(read(contract, `${tick(1)}data:${done}\n\n${tick(2)}`)).toMatchObject({
        values: values(1),
        stop: { _tag: "End" }
      })
    }
  )

  it.each(["[DONE]!", "[done]", "DONE", "[DONE][DONE]", '"[DONE]"'])(
    "10.2 %j does not end the stream",
    (done) => {
      const contract = EventStream.make({ event: Any, terminal: "[DONE]" })
      expect(read(contract, `data: ${done}\n\n`).stop?._tag).not.toBe("End")
    }
  )

  it("10.2 ignores whitespace in the contract's own literal", () => {
    const contract = EventStream.make({ event: Any, terminal: " end\n" })
    expect(read(contract, "data: end\n\n").stop).toEqual({ _tag: "End" })
  })
})

describe("contract functions that throw", () => {
  const thrown = new Error("my own fault")
  const fails = (): never => {
    throw thrown
  }
  const standard = {
    "~standard": { version: 1 as const, vendor: "own", validate: fails }
  }

  it.effect.each<{ name: string; contract: StreamContract.EventStream<unknown>; kept: number }>([
    {
      name: "ignore",
      contract: EventStream.make({ event: Any, ignore: ({ data }) => data.includes("2") && fails() }),
      kept: 1
    },
    {
      name: "error",
      contract: EventStream.make({
        event: Any,
        error: { event: ({ data }) => data.includes("2") && fails() }
      }),
      kept: 1
    },
    {
      name: "terminal",
      contract: EventStream.make({ event: Tick, terminal: ({ n }) => n === 2 && fails() }),
      kept: 1
    },
    { name: "a schema", contract: EventStream.make({ event: standard }), kept: 0 },
    {
      name: "error in JSON lines",
      contract: EventStream.jsonLines(Any, { contentType: "text/event-stream", error: { event: fails } }),
      kept: 0
    }
  ])("10.8 $name fails with StreamProtocolError after the earlier values", ({ contract, kept }) =>
    Effect.gen(function* () {
      const { error, events } = yield* readBy(contract, ticks(1, 2, 3))
      expect(events).toHaveLength(kept)
      expect(error).toMatchObject({ _tag: "StreamProtocolError", stoppedBy: "not-retryable" })
      expect((error as ApiError.StreamProtocolError).reason).toMatch(/throw|my own/)
    })
  )

  it.effect("10.8 the cause is the very value that was thrown", () =>
    Effect.gen(function* () {
      const { error } = yield* readBy(EventStream.make({ event: Any, terminal: fails }), tick(1))
      expect((error as ApiError.StreamProtocolError).cause).toBe(thrown)
    })
  )
})

describe("lenient validation", () => {
  const lenient = { validation: "lenient" } as const

  /** Reads a stream, and gives its warnings and the number of mismatches counted. */
  const readLeniently = (
    contract: StreamContract.EventStream<unknown>,
    parts: MockTransport.MockStep | string
  ) =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => void lines.push(String(message)))
      const before = (yield* Metric.value(Metrics.misfits)).count
      const read = yield* readBy(contract, parts, lenient).pipe(
        Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
        Logger.withMinimumLogLevel(LogLevel.Warning)
      )
      return { ...read, lines, counted: (yield* Metric.value(Metrics.misfits)).count - before }
    })

  it.effect.each<{ name: string; contract: StreamContract.EventStream<unknown> }>([
    { name: "an Effect schema", contract: EventStream.make({ event: Tick }) },
    { name: "a Standard Schema", contract: EventStream.make({ event: z.object({ n: z.number() }) }) },
    { name: "a record", contract: EventStream.make({ event: { message: Tick } }) }
  ])("8.3 values that do not fit $name are emitted as parsed, logged once and counted", ({ contract }) =>
    Effect.gen(function* () {
      const mismatches = [{ n: "two" }, null, [3], "four"]
      const body = tick(1) + mismatches.map((mismatch) => sent(mismatch)).join("") + tick(5)
      const { counted, error, events, lines } = yield* readLeniently(contract, body)
      expect(error).toBeUndefined()
      expect(events).toEqual([{ n: 1 }, ...mismatches, { n: 5 }])
      expect(counted).toBe(4)
      expect(lines).toHaveLength(1)
      expect(lines[0]).toContain('{"n":"two"}')
    })
  )

  it.effect("8.3 mismatches in several chunks are logged once", () =>
    Effect.gen(function* () {
      const parts = Array.from({ length: 50 }, () => sent({ n: "x" }))
      const { counted, events, lines } = yield* readLeniently(EventStream.make({ event: Tick }), sse(parts))
      expect({ counted, events: events.length, lines: lines.length }).toEqual({
        counted: 50,
        events: 50,
        lines: 1
      })
    })
  )

  it.effect.each<{ name: string; contract: StreamContract.EventStream<unknown>; event: string }>([
    { name: "invalid JSON", contract: EventStream.make({ event: Tick }), event: "data: <p>\n\n" },
    {
      name: 'an unknown name with unknown: "fail"',
      contract: EventStream.make({ event: { message: Tick }, unknown: "fail" }),
      event: sent({}, "other")
    },
    {
      name: "a value that its terminal predicate throws on",
      contract: EventStream.make({ event: Tick, terminal: ({ n }) => n.toFixed(0) === "9" }),
      event: sent({ n: "x" })
    }
  ])("8.3 fails on $name", ({ contract, event }) =>
    Effect.gen(function* () {
      const { error, events } = yield* readLeniently(contract, tick(1) + event)
      expect(events).toEqual(values(1))
      expect(error?._tag).toBe("StreamProtocolError")
    })
  )

  it.effect("8.3 a mismatch can be the terminal event", () =>
    Effect.gen(function* () {
      const contract = EventStream.make({
        event: Schema.Struct({ type: Schema.Literal("stop"), n: Schema.Number }),
        terminal: ({ type }) => type === "stop"
      })
      const { error, events } = yield* readLeniently(
        contract,
        sent({ type: "stop" }) + sent({ type: "more" })
      )
      expect({ error, events }).toEqual({ error: undefined, events: [{ type: "stop" }] })
    })
  )

  it.effect("8.3 strict fails at the first mismatch", () =>
    Effect.gen(function* () {
      const { error, events } = yield* playStream(
        [sse(tick(1) + sent({ n: "x" }))],
        getEvents(tickEvents),
        {},
        0
      )
      expect(events).toEqual(values(1))
      expect(error).toMatchObject({ _tag: "StreamProtocolError" })
    })
  )
})
