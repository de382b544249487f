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

/** What a contract makes of a body that came whole, without a runtime. */
const read = <A>(contract: StreamContract.EventStream<A, unknown>, body: string) => {
  const framing = contract.framing(1024 * 1024)
  const events = [...framing.feed(utf8.encode(body)), ...framing.end()]
  const { stopped, values } = contract.read(events)
  return { values, stop: stopped?.stop, id: framing.lastEventId }
}

/** An event of these data; bare without a name. */
const sent = (data: unknown, name?: string): string =>
  `${name === undefined ? "" : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`

const Any = Schema.Unknown

describe("events without data", () => {
  it.each([
    ["data", "data\n\n"],
    ["data:", "data:\n\n"],
    ["an id", "id: 7\ndata:\n\n"],
    ["an id and a wait", "id: 7\nretry: 5\ndata: \n\n"],
    ["a name that no record has", "event: hello\ndata\n\n"]
  ])("10.8 %s is no value, whatever the schema", (_, event) => {
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

  it("10 it may say that the stream is over, or tell of an error", () => {
    const ended = EventStream.make({ event: Tick, terminal: "" })
    expect(read(ended, `${tick(1)}data:\n\n${tick(2)}`)).toMatchObject({
      values: values(1),
      stop: { _tag: "End" }
    })
    expect(read(tickEvents, "event: error\ndata:\n\n").stop).toEqual({ _tag: "Error", data: "" })
  })

  it("9.1 two empty lines of data are a line end, which is no JSON", () => {
    expect(read(tickEvents, "data:\ndata:\n\n").stop).toMatchObject({
      _tag: "Invalid",
      reason: "is not valid JSON"
    })
  })

  it.effect("10 a million of them are read, and make no batch", () =>
    Effect.gen(function* () {
      const body = utf8.encode("data:\n\n".repeat(1_000_000) + tick(1))
      const { chunks, error } = yield* readBy(tickEvents, [body])
      expect({ chunks, error }).toEqual({ chunks: [values(1)], error: undefined })
    })
  )
})

describe("names", () => {
  const ticking = EventStream.make({ event: Any, ignore: ["ping", "noise"] })

  it.each<[what: string, event: string, kept: number]>([
    ["by event:", sent({}, "ping"), 0],
    ["by type", sent({ type: "ping" }), 0],
    ["by type, spaced out", 'data: { "type" : "noise" }\n\n', 0],
    ["by type, where event: says the default", sent({ type: "ping" }, "message"), 0],
    ["not by a type where event: says another", sent({ type: "ping" }, "tick"), 1],
    ["not by a word in the data", sent({ type: "tick", text: "ping" }), 1],
    ["not by the type of something inside", sent({ inner: { type: "ping" } }), 1],
    ["not by a type that is a list", sent({ type: ["ping"] }), 1],
    ["not in a list", sent([{ type: "ping" }]), 1]
  ])("10.8 an event is ignored %s", (_, event, kept) => {
    expect(read(ticking, event)).toMatchObject({ values: { length: kept }, stop: undefined })
  })

  it("10.8 what is no JSON has no name in it", () => {
    expect(read(ticking, 'data: "ping" or not\n\n').stop).toMatchObject({ _tag: "Invalid" })
  })

  const overloaded = { type: "error", error: { type: "overloaded_error", message: "no more" } }
  const own = { event: "failure" } as const

  it.each<
    [what: string, error: StreamContract.CommonOptions<unknown, never>["error"], event: string, stop: string]
  >([
    ["an error by event:", undefined, sent({ a: 1 }, "error"), "Error"],
    ["an error by type, which looks like one", undefined, sent(overloaded), "Error"],
    ["a value of a type called error", undefined, sent({ type: "error", line: "of a log" }), "none"],
    ["a value, where no event is an error", false, sent(overloaded), "none"],
    ["a value where event: says so", undefined, sent(overloaded, "log"), "none"],
    ["an error that was named, by type", { event: "error" }, sent({ type: "error", line: 1 }), "Error"],
    ["an error of another name, by type", own, sent({ type: "failure" }), "Error"],
    ["an error of another name, by event:", own, sent({}, "failure"), "Error"],
    ["no error by the name that is not asked for", own, sent(overloaded), "none"]
  ])("10.8 is %s", (_, error, event, stop) => {
    const contract = EventStream.make({ event: Any, error })
    expect(read(contract, event).stop?._tag ?? "none").toBe(stop)
  })

  it.effect("10.4 an error by its type alone is the tagged error of its own type", () =>
    Effect.gen(function* () {
      const { error, events } = yield* readBy(tickEvents, tick(1) + sent(overloaded))
      expect(events).toEqual(values(1))
      expect(error).toMatchObject({ _tag: "OverloadedError", type: "overloaded_error", requestId: "req_1" })
    })
  )

  const One = Schema.Struct({ type: Schema.Literal("one"), a: Schema.Number })
  const Two = Schema.Struct({ b: Schema.String })
  const one = { type: "one", a: 1 }

  it("10.8 a record finds its schema by type where event: is missing", () => {
    const contract = EventStream.make({ event: { one: One, two: Two } })
    const body = sent(one) + sent({ type: "two", b: "x" }) + sent({ b: "y" }, "two") + sent({ type: "three" })
    expect(read(contract, body + sent("no name"))).toMatchObject({
      values: [one, { b: "x" }, { b: "y" }],
      stop: undefined
    })
  })

  it("10.8 a schema for events without a name is for all of them", () => {
    const contract = EventStream.make({ event: { message: Schema.Unknown, two: Two } })
    expect(read(contract, sent({ type: "two", b: 1 }))).toMatchObject({
      values: [{ type: "two", b: 1 }],
      stop: undefined
    })
  })

  it("10 a name that is not known is told, by type too", () => {
    const contract = EventStream.make({ event: { one: One }, unknown: "fail" })
    expect(read(contract, sent({ type: "three" })).stop).toMatchObject({ _tag: "Invalid", data: "three" })
    const passing = EventStream.make({ event: { one: One }, unknown: "pass" })
    expect(read(passing, sent({ type: "three" }) + sent(one)).values).toEqual([
      { event: "message", data: '{"type":"three"}' },
      one
    ])
  })

  it("10 lines of JSON have no names: a type is data", () => {
    const contract = EventStream.jsonLines(Any)
    expect(read(contract, `${JSON.stringify(overloaded)}\n`)).toMatchObject({
      values: [overloaded],
      stop: undefined
    })
  })
})

describe("the terminal's letters", () => {
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

  it.each(["[DONE]!", "[done]", "DONE", "[DONE][DONE]", '"[DONE]"'])("10.2 %j does not", (done) => {
    const contract = EventStream.make({ event: Any, terminal: "[DONE]" })
    expect(read(contract, `data: ${done}\n\n`).stop?._tag).not.toBe("End")
  })

  it("10.2 the blanks may be the contract's own", () => {
    const contract = EventStream.make({ event: Any, terminal: " end\n" })
    expect(read(contract, "data: end\n\n").stop).toEqual({ _tag: "End" })
  })
})

describe("functions of a contract that throw", () => {
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
      name: "error, of lines",
      contract: EventStream.jsonLines(Any, { contentType: "text/event-stream", error: { event: fails } }),
      kept: 0
    }
  ])(
    "10 $name: a StreamProtocolError that keeps what it threw, behind the values before",
    ({ contract, kept }) =>
      Effect.gen(function* () {
        const { error, events } = yield* readBy(contract, ticks(1, 2, 3))
        expect(events).toHaveLength(kept)
        expect(error).toMatchObject({ _tag: "StreamProtocolError", stoppedBy: "not-retryable" })
        if (contract.read.length > 0)
          expect((error as ApiError.StreamProtocolError).reason).toMatch(/throw|my own/)
      })
  )

  it.effect("10 the cause is the very thing", () =>
    Effect.gen(function* () {
      const { error } = yield* readBy(EventStream.make({ event: Any, terminal: fails }), tick(1))
      expect((error as ApiError.StreamProtocolError).cause).toBe(thrown)
    })
  )
})

describe("lenient validation", () => {
  const lenient = { validation: "lenient" } as const

  /** Reads a stream, with the warnings it wrote and how many misfits were counted. */
  const lenientlyBy = (
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
  ])("8.3 events that do not fit $name are handed on as parsed, told once and counted", ({ contract }) =>
    Effect.gen(function* () {
      const misfits = [{ n: "two" }, null, [3], "four"]
      const body = tick(1) + misfits.map((misfit) => sent(misfit)).join("") + tick(5)
      const { counted, error, events, lines } = yield* lenientlyBy(contract, body)
      expect(error).toBeUndefined()
      expect(events).toEqual([{ n: 1 }, ...misfits, { n: 5 }])
      expect(counted).toBe(4)
      expect(lines).toHaveLength(1)
      expect(lines[0]).toContain('{"n":"two"}')
    })
  )

  it.effect("8.3 what comes of them apart is told once, too", () =>
    Effect.gen(function* () {
      const parts = Array.from({ length: 50 }, () => sent({ n: "x" }))
      const { counted, events, lines } = yield* lenientlyBy(EventStream.make({ event: Tick }), sse(parts))
      expect({ counted, events: events.length, lines: lines.length }).toEqual({
        counted: 50,
        events: 50,
        lines: 1
      })
    })
  )

  it.effect.each<{ name: string; contract: StreamContract.EventStream<unknown>; event: string }>([
    { name: "no JSON", contract: EventStream.make({ event: Tick }), event: "data: <p>\n\n" },
    {
      name: "an unknown name where none is allowed",
      contract: EventStream.make({ event: { message: Tick }, unknown: "fail" }),
      event: sent({}, "other")
    },
    {
      name: "what its terminal cannot take",
      contract: EventStream.make({ event: Tick, terminal: ({ n }) => n.toFixed(0) === "9" }),
      event: sent({ n: "x" })
    }
  ])("8.3 it makes no value of $name", ({ contract, event }) =>
    Effect.gen(function* () {
      const { error, events } = yield* lenientlyBy(contract, tick(1) + event)
      expect(events).toEqual(values(1))
      expect(error?._tag).toBe("StreamProtocolError")
    })
  )

  it.effect("8.3 a misfit may be the last", () =>
    Effect.gen(function* () {
      const contract = EventStream.make({
        event: Schema.Struct({ type: Schema.Literal("stop"), n: Schema.Number }),
        terminal: ({ type }) => type === "stop"
      })
      const { error, events } = yield* lenientlyBy(contract, sent({ type: "stop" }) + sent({ type: "more" }))
      expect({ error, events }).toEqual({ error: undefined, events: [{ type: "stop" }] })
    })
  )

  it.effect("8.3 strict, the default, fails at the first", () =>
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
