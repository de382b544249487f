import { describe, expect, it } from "@effect/vitest"
import { EventStream } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Schema } from "effect"
import * as zod from "zod"
import { getEvents, neverEnding, playStream, reset, Tick, tick, values } from "../fixtures/streams.js"

type Parts = ReadonlyArray<MockTransport.BodyPart>

const rows = EventStream.jsonLines(Tick)
const line = (n: number) => `{"n":${n}}\n`

const lines = (parts: Parts | string, type = "application/x-ndjson") =>
  MockTransport.stream(typeof parts === "string" ? [parts] : parts, {
    headers: { "content-type": type, "request-id": "req_1" }
  })

const readBy = <A, E>(
  contract: EventStream.EventStream<A, E>,
  parts: Parts | string,
  options: Parameters<typeof playStream>[2] = {}
) => playStream([lines(parts)], getEvents(contract), options, 0)

describe("lines", () => {
  it.effect.each([
    { name: "LF", body: '{"n":1}\n{"n":2}\n' },
    { name: "CRLF", body: '{"n":1}\r\n{"n":2}\r\n' },
    { name: "blank lines", body: '\n{"n":1}\n\n \t\r\n{"n":2}\n\n' },
    { name: "no line end at the end", body: '{"n":1}\n{"n":2}' },
    { name: "a byte order mark", body: '\ufeff{"n":1}\n{"n":2}' },
    { name: "whitespace around the values", body: ' {"n": 1} \n\t{"n":\t2}\r\n' }
  ])("10 each line is a value: $name", ({ body }) =>
    Effect.gen(function* () {
      const read = yield* readBy(rows, body)
      expect(read).toMatchObject({ events: values(1, 2), error: undefined })
    })
  )

  it.effect("10 the complete lines of a network chunk arrive as one chunk", () =>
    Effect.gen(function* () {
      const read = yield* readBy(rows, [line(1) + line(2), '{"n"', ":3}", `\n${line(4)}`, line(5)])
      expect(read.chunks).toEqual([values(1, 2), values(3, 4), values(5)])
    })
  )

  it.effect("10 a line may be any JSON value", () =>
    Effect.gen(function* () {
      const read = yield* readBy(EventStream.jsonLines(Schema.Unknown), '1\n"a"\nnull\n[]\n')
      expect(read.events).toEqual([1, "a", null, []])
    })
  )

  it.effect("10 decodes with a zod schema", () =>
    Effect.gen(function* () {
      const read = yield* readBy(EventStream.jsonLines(zod.object({ n: zod.number() })), `${line(1)}{}\n`)
      expect(read.events).toEqual(values(1))
      expect(read.error).toMatchObject({ _tag: "StreamProtocolError", excerpt: "{}" })
    })
  )

  it.effect("10.3 an empty body has no lines", () =>
    Effect.gen(function* () {
      expect(yield* readBy(rows, "")).toMatchObject({ events: [], error: undefined })
    })
  )

  it.effect.each([
    { name: "that is not JSON", bad: "oops\n", reason: "an event is not valid JSON" },
    { name: "from server-sent events", bad: tick(2), reason: "an event is not valid JSON" },
    { name: "with two values", bad: '{"n":1} {"n":2}\n', reason: "an event is not valid JSON" }
  ])("10 a line $name is a StreamProtocolError after the earlier lines", ({ bad, reason }) =>
    Effect.gen(function* () {
      const read = yield* readBy(rows, [line(1) + bad + line(3), neverEnding])
      expect(read.events).toEqual(values(1))
      expect(read.error).toMatchObject({ _tag: "StreamProtocolError", reason, requestId: "req_1" })
      expect(read.error?.message).toContain(bad.trim().split("\n")[0])
      expect(yield* read.transport.inFlight).toBe(0)
    })
  )

  it.effect.each([
    { name: "in one chunk", parts: [line(1), `{"n":2,"more":"${"x".repeat(100)}"}\n${line(3)}`] },
    { name: "in parts", parts: [line(1), '{"n":2,"more":"', "x".repeat(60), "x".repeat(60), neverEnding] }
  ])("9.2 a line above the limit fails after the earlier lines, $name", ({ parts }) =>
    Effect.gen(function* () {
      const read = yield* readBy(rows, parts, { limits: { eventBytes: 100 } })
      expect(read.events).toEqual(values(1))
      expect(read.error).toMatchObject({
        _tag: "StreamProtocolError",
        reason: "an event is larger than 100 bytes"
      })
    })
  )
})

describe("the contract", () => {
  it.effect.each([
    { name: "a literal", terminal: "end", events: values(1) },
    { name: "a predicate", terminal: ({ n }: { readonly n: number }) => n === 1, events: values(1) }
  ])("10.2 $name ends the stream before the body ends", ({ events, terminal }) =>
    Effect.gen(function* () {
      const read = yield* readBy(EventStream.jsonLines(Tick, { terminal }), [
        `${line(1)}end\n`,
        line(2),
        neverEnding
      ])
      expect(read).toMatchObject({ events, error: undefined })
      expect(yield* read.transport.interrupted).toBe(1)
    })
  )

  it.effect.each([
    { name: "at once", body: "", received: 0 },
    { name: "after lines", body: line(1) + line(2), received: 2 },
    { name: "inside a line", body: `${line(1)}{"n":`, received: 1 }
  ])("10.3 a body that ends $name, before the terminal line, is truncated", ({ body, received }) =>
    Effect.gen(function* () {
      const read = yield* readBy(EventStream.jsonLines(Tick, { terminal: "end" }), body)
      expect(read.error).toMatchObject({ _tag: "StreamTruncatedError", received, requestId: "req_1" })
    })
  )

  class Broken extends Schema.TaggedError<Broken>()("Broken", { error: Schema.String }) {}
  const error = { event: ({ data }: { readonly data: string }) => data.startsWith('{"error"') }
  const overloaded = { error: { type: "overloaded_error", message: "later" } }

  it.effect("10.4 error.event marks a line as an error", () =>
    Effect.gen(function* () {
      const body = `${line(1)}${JSON.stringify(overloaded)}\n${line(2)}`
      const read = yield* readBy(EventStream.jsonLines(Tick, { error }), body)
      expect(read.events).toEqual(values(1))
      expect(read.error).toMatchObject({ _tag: "OverloadedError", requestId: "req_1", body: overloaded })
    })
  )

  it.effect("10.4 error.schema decodes the caller's own error", () =>
    Effect.gen(function* () {
      const body = `${line(1)}{"error":"no more","_tag":"Broken"}\n`
      const read = yield* readBy(EventStream.jsonLines(Tick, { error: { ...error, schema: Broken } }), body)
      expect(read.events).toEqual(values(1))
      expect(read.error).toBeInstanceOf(Broken)
    })
  )

  it.effect("10.4 without the error option every line is a value", () =>
    Effect.gen(function* () {
      const read = yield* readBy(EventStream.jsonLines(Schema.Unknown), '{"error":{"type":"api_error"}}\n')
      expect(read).toMatchObject({ events: [{ error: { type: "api_error" } }], error: undefined })
    })
  )

  it.effect("10.5 a connection reset after a line is not retried", () =>
    Effect.gen(function* () {
      const read = yield* readBy(rows, [line(1), reset])
      expect(read.events).toEqual(values(1))
      expect(read.error).toMatchObject({ _tag: "ConnectionError", stoppedBy: "not-replayable" })
    })
  )

  it.effect.each([
    "application/x-ndjson",
    "application/ndjson; charset=utf-8",
    "application/jsonl",
    "application/x-jsonlines"
  ])("10.1 %s is accepted", (type) =>
    Effect.gen(function* () {
      const read = yield* playStream([lines(line(1), type)], getEvents(rows), {}, 0)
      expect(read).toMatchObject({ events: values(1), error: undefined })
      expect(read.requests[0]?.headers["accept"]).toMatch(/^application\/x-ndjson, /)
    })
  )

  it.effect.each(["text/html", "application/json", "text/event-stream"])("10.1 %s is rejected", (type) =>
    Effect.gen(function* () {
      const read = yield* playStream([lines("<p>Sign in</p>", type)], getEvents(rows), {}, 0)
      expect(read.error).toMatchObject({
        _tag: "StreamProtocolError",
        reason: `the response is ${type}, not application/x-ndjson`,
        excerpt: "<p>Sign in</p>"
      })
    })
  )

  it.effect("10.1 contentType names another media type", () =>
    Effect.gen(function* () {
      const contract = EventStream.jsonLines(Tick, { contentType: "application/json" })
      const read = yield* playStream([lines(line(1), "application/json")], getEvents(contract), {}, 0)
      expect(read).toMatchObject({ events: values(1), error: undefined })
      expect(read.requests[0]?.headers["accept"]).toBe("application/json")
    })
  )

  it.effect("1.2 an invalid idleTimeout fails and sends nothing", () =>
    Effect.gen(function* () {
      const contract = EventStream.jsonLines(Tick, { idleTimeout: 0 })
      const read = yield* playStream([], getEvents(contract), {}, 0)
      expect(read.error).toMatchObject({ _tag: "InvalidRequestError", field: "events.idleTimeout" })
      expect(read.requests).toHaveLength(0)
    })
  )

  it.effect("10 contentTimeout applies to lines", () =>
    Effect.gen(function* () {
      const contract = EventStream.jsonLines(Tick, { contentTimeout: "2 seconds" })
      const parts = [line(1), { delay: "1 second" }, "\n", { delay: "1 second" }, "\n", neverEnding] as const
      const read = yield* playStream([lines(parts)], getEvents(contract))
      expect(read).toMatchObject({ took: 2000, error: { _tag: "TimeoutError", phase: "content-idle" } })
    })
  )
})
