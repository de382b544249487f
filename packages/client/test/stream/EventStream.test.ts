import { describe, expect, it } from "@effect/vitest"
import { EventStream, type ServerSentEvents } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Schema } from "effect"
import * as valibot from "valibot"
import * as zod from "zod"
import {
  done,
  errorEvent,
  getEvents,
  neverEnding,
  ping,
  playStream,
  readBy,
  sse,
  Tick,
  tick,
  tickEvents,
  ticks,
  untilDone,
  values
} from "../fixtures/streams.js"

const Text = Schema.Struct({ text: Schema.String })
const byName = { tick: Tick, text: Text }
const named = (event: string, data: unknown) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

describe("decoding events", () => {
  it.effect.each([
    { name: "an Effect schema", event: Tick },
    { name: "a zod schema", event: zod.object({ n: zod.number() }) },
    { name: "a valibot schema", event: valibot.object({ n: valibot.number() }) }
  ])("10 $name decodes every event of any name", ({ event }) =>
    Effect.gen(function* () {
      const body = ticks(1, 2) + named("other", { n: 3 })
      const read = yield* readBy(EventStream.make({ event }), body)
      expect(read).toMatchObject({ events: values(1, 2, 3), error: undefined })
    })
  )

  it.effect.each([
    { name: "an Effect schema", event: Tick },
    { name: "a zod schema", event: zod.object({ n: zod.number() }) },
    { name: "a valibot schema", event: valibot.object({ n: valibot.number() }) }
  ])("10 data that does not fit $name is a StreamProtocolError with an excerpt", ({ event }) =>
    Effect.gen(function* () {
      const read = yield* readBy(EventStream.make({ event }), `${tick(1)}data: {"n":"two"}\n\n${tick(3)}`)
      expect(read.events).toEqual(values(1))
      expect(read.error).toMatchObject({
        _tag: "StreamProtocolError",
        status: 200,
        requestId: "req_1",
        excerpt: '{"n":"two"}',
        stoppedBy: "not-retryable"
      })
      expect(read.error?.message).toContain("an event")
      expect(read.error?.message).toContain("number")
    })
  )

  it.effect("10 a schema transforms events", () =>
    Effect.gen(function* () {
      const event = Schema.Struct({ at: Schema.Date })
      const read = yield* readBy(EventStream.make({ event }), 'data: {"at":"2020-01-02T03:04:05.000Z"}\n\n')
      expect(read.events).toEqual([{ at: new Date("2020-01-02T03:04:05.000Z") }])
    })
  )

  it.effect("10 a record has a schema for each event name", () =>
    Effect.gen(function* () {
      const body = named("tick", { n: 1 }) + named("text", { text: "a" }) + named("tick", { n: 2 })
      const read = yield* readBy(EventStream.make({ event: byName }), body)
      expect(read.events).toEqual([{ n: 1 }, { text: "a" }, { n: 2 }])
    })
  )

  it.effect("10 an event without a name is a message", () =>
    Effect.gen(function* () {
      const read = yield* readBy(EventStream.make({ event: { message: Tick } }), ticks(1))
      expect(read.events).toEqual(values(1))
    })
  )

  it.effect("10 an event must fit the schema of its own name", () =>
    Effect.gen(function* () {
      const read = yield* readBy(EventStream.make({ event: byName }), named("tick", { text: "a" }))
      expect(read.error).toMatchObject({ _tag: "StreamProtocolError", excerpt: '{"text":"a"}' })
    })
  )

  const raw: ServerSentEvents.ServerSentEvent = { event: "toString", data: "not even JSON", id: "7" }
  const strange = `event: toString\nid: 7\ndata: not even JSON\n\n`

  it.effect.each([
    { unknown: undefined, events: values(1, 2) },
    { unknown: "skip", events: values(1, 2) },
    { unknown: "pass", events: [{ n: 1 }, raw, { n: 2 }] }
  ] as const)("10 an unknown event name with unknown: $unknown", ({ events, unknown }) =>
    Effect.gen(function* () {
      const body = named("tick", { n: 1 }) + strange + named("tick", { n: 2 })
      const read = yield* readBy(EventStream.make({ event: byName, unknown }), body)
      expect(read).toMatchObject({ events, error: undefined })
    })
  )

  it.effect("10 an unknown event name with unknown: fail", () =>
    Effect.gen(function* () {
      const body = named("tick", { n: 1 }) + strange + named("tick", { n: 2 })
      const read = yield* readBy(EventStream.make({ event: byName, unknown: "fail" }), body)
      expect(read.events).toEqual(values(1))
      expect(read.error).toMatchObject({ _tag: "StreamProtocolError", excerpt: "toString" })
      expect(read.error?.message).toBe("an event has a name that the contract does not know: toString")
    })
  )

  it.effect.each([
    { name: "names", ignore: ["ping", "noise"] },
    {
      name: "a predicate",
      ignore: ({ event }: ServerSentEvents.ServerSentEvent) => event === "ping" || event === "noise"
    }
  ])("10 ignore by $name applies before any schema", ({ ignore }) =>
    Effect.gen(function* () {
      const contract = EventStream.make({ event: byName, unknown: "fail", ignore })
      const body = `${ping}event: noise\ndata: ~\n\n${named("tick", { n: 1 })}${ping}`
      const read = yield* readBy(contract, body)
      expect(read).toMatchObject({ events: values(1), error: undefined })
    })
  )

  it.effect.each([
    { name: "invalid JSON", line: "data: <p>busy</p>\n\n", excerpt: "<p>busy</p>" },
    { name: "only whitespace", line: "data:  \n\n", excerpt: "" },
    { name: "long text", line: `data: ${"x".repeat(5000)}\n\n`, excerpt: `${"x".repeat(200)}…` }
  ])("10 $name is a StreamProtocolError with an excerpt", ({ excerpt, line }) =>
    Effect.gen(function* () {
      const read = yield* readBy(tickEvents, tick(1) + line)
      expect(read.events).toEqual(values(1))
      expect(read.error).toMatchObject({
        _tag: "StreamProtocolError",
        reason: "an event is not valid JSON",
        excerpt
      })
    })
  )

  const part = <S extends Schema.Schema.AnyNoContext>(part: S) => Schema.Struct({ part })
  const waiting: ReadonlyArray<
    readonly [name: string, event: EventStream.EventSchema, data: string, value: unknown]
  > = [
    ["JSON in a text", part(Schema.parseJson(Text)), '{"text":"a"}', { text: "a" }],
    ["any JSON in a text", part(Schema.parseJson()), "[1]", [1]],
    ["a bigint in a text", part(Schema.BigInt), "1", 1n],
    ["a number in a text", part(Schema.NumberFromString), "1", 1]
  ]

  it.effect.each(waiting)("10 a schema for %s decodes at once", ([, event, data, value]) =>
    Effect.gen(function* () {
      const body = [{ part: data }, { part: data }].map((event) => named("call", event)).join("")
      const read = yield* readBy(EventStream.make({ event }), body)
      expect(read).toMatchObject({ events: [{ part: value }, { part: value }], error: undefined })
      const misfit = yield* readBy(EventStream.make({ event }), named("call", { part: {} }))
      expect(misfit.error).toMatchObject({ _tag: "StreamProtocolError" })
      expect(misfit.error?.message).not.toContain("async")
    })
  )

  const later = <A>(value: A): Promise<A> => Promise.resolve(value)
  it.effect.each([
    {
      name: "a Standard Schema",
      event: {
        "~standard": { version: 1, vendor: "test", validate: (value: unknown) => later({ value }) }
      } satisfies EventStream.EventSchema
    },
    {
      name: "an Effect schema",
      event: Schema.transformOrFail(Schema.Unknown, Schema.Unknown, {
        decode: (value) => Effect.promise(() => later(value)),
        encode: Effect.succeed
      })
    }
  ])("10 an asynchronous $name is a StreamProtocolError", ({ event }) =>
    Effect.gen(function* () {
      const read = yield* readBy(EventStream.make({ event }), tick(1))
      expect(read.error).toMatchObject({ _tag: "StreamProtocolError" })
      expect(read.error?.message).toContain("async")
    })
  )
})

describe("the end of a stream", () => {
  it.effect("10.2 a literal terminal event ends the stream at once and is not emitted", () =>
    Effect.gen(function* () {
      const read = yield* readBy(untilDone, [tick(1), done + tick(2), neverEnding])
      expect(read).toMatchObject({ events: values(1), error: undefined })
      expect(yield* read.transport.interrupted).toBe(1)
      expect(yield* read.transport.inFlight).toBe(0)
    })
  )

  it.effect("10.2 a predicate's terminal event ends the stream at once and is emitted", () =>
    Effect.gen(function* () {
      const contract = EventStream.make({
        event: Tick,
        terminal: ({ n }, event) => n === 2 && event.event === "message"
      })
      const read = yield* readBy(contract, [ticks(1, 2, 3), tick(4), neverEnding])
      expect(read).toMatchObject({ events: values(1, 2), error: undefined })
      expect(yield* read.transport.interrupted).toBe(1)
    })
  )

  it.effect("10.2 events after the terminal event are ignored, errors included", () =>
    Effect.gen(function* () {
      const read = yield* readBy(untilDone, tick(1) + done + errorEvent("overloaded_error"))
      expect(read).toMatchObject({ events: values(1), error: undefined })
    })
  )

  it.effect.each([
    { name: "at once", body: "", received: 0 },
    { name: "after pings", body: ping, received: 0 },
    { name: "after events", body: ticks(1, 2, 3), received: 3 },
    { name: "inside an event", body: `${ticks(1, 2)}data: {"n":`, received: 2 },
    { name: "after an unterminated event", body: `${ticks(1)}data: {"n":2}`, received: 2 }
  ])("10.3 a body that ends $name, before the terminal event, is truncated", ({ body, received }) =>
    Effect.gen(function* () {
      const contract = EventStream.make({ event: Tick, ignore: ["ping"], terminal: "[DONE]" })
      const read = yield* readBy(contract, body)
      expect(read.events).toHaveLength(received)
      expect(read.error).toMatchObject({
        _tag: "StreamTruncatedError",
        requestId: "req_1",
        received,
        delivery: "maybe-applied",
        attempts: [{ tag: "StreamTruncatedError" }]
      })
    })
  )

  it.effect.each([
    { name: "no bytes", body: "", events: [] },
    { name: "comments and pings", body: `: hi\n\n${ping}`, events: [] },
    { name: "events", body: ticks(1, 2), events: values(1, 2) }
  ])("10.3 a contract without a terminal event accepts a body of $name", ({ body, events }) =>
    Effect.gen(function* () {
      const read = yield* readBy(EventStream.make({ event: { message: Tick } }), body)
      expect(read).toMatchObject({ events, error: undefined })
    })
  )

  it.effect("10.3 an empty response has no events", () =>
    Effect.gen(function* () {
      const headers = { "content-type": "text/event-stream" }
      for (const status of [200, 204]) {
        const read = yield* readBy(tickEvents, MockTransport.empty(status, { headers }))
        expect(read).toMatchObject({ events: [], error: undefined })
      }
    })
  )

  it.effect.each([
    { unterminated: undefined, events: values(1, 2) },
    { unterminated: "emit", events: values(1, 2) },
    { unterminated: "drop", events: values(1) }
  ] as const)("9.3 an unterminated last event, unterminated: $unterminated", ({ events, unterminated }) =>
    Effect.gen(function* () {
      for (const tail of ['data: {"n":2}', 'data: {"n":2}\n']) {
        const read = yield* readBy(EventStream.make({ event: Tick, unterminated }), tick(1) + tail)
        expect(read).toMatchObject({ events, error: undefined })
      }
    })
  )

  it.effect("9.3 an unterminated terminal event ends the stream", () =>
    Effect.gen(function* () {
      const read = yield* readBy(untilDone, `${tick(1)}data: [DONE]`)
      expect(read).toMatchObject({ events: values(1), error: undefined })
    })
  )
})

describe("error events", () => {
  it.effect.each([
    { type: "overloaded_error", tag: "OverloadedError" },
    { type: "rate_limit_error", tag: "RateLimitError" },
    { type: "api_error", tag: "InternalServerError" },
    { type: "authentication_error", tag: "AuthenticationError" },
    { type: "invalid_request_error", tag: "BadRequestError" },
    { type: "never_heard_of_it", tag: "UnexpectedStatusError" }
  ])("7.2 10.4 the error event $type in a 200 stream is $tag", ({ tag, type }) =>
    Effect.gen(function* () {
      const read = yield* readBy(tickEvents, [tick(1), errorEvent(type), neverEnding])
      expect(read.events).toEqual(values(1))
      expect(read.error).toMatchObject({
        _tag: tag,
        status: 200,
        type,
        requestId: "req_1",
        message: "200 no more",
        body: { type: "error", error: { type, message: "no more" } }
      })
      expect(yield* read.transport.inFlight).toBe(0)
    })
  )

  it.effect.each([
    { name: "text", data: "out of order", body: "out of order", message: "200 out of order" },
    { name: "empty data", data: "", body: undefined, message: "200 error" },
    { name: "another shape", data: '{"code":7}', body: { code: 7 }, message: '200 {"code":7}' }
  ])("10.4 an error event with $name keeps its body", ({ body, data, message }) =>
    Effect.gen(function* () {
      const read = yield* readBy(tickEvents, `${tick(1)}event: error\ndata: ${data}\n\n`)
      expect(read.error).toMatchObject({ _tag: "UnexpectedStatusError", body, message, type: undefined })
    })
  )

  it.effect("10.4 error.event names another error event", () =>
    Effect.gen(function* () {
      const contract = EventStream.make({ event: Tick, error: { event: "failed" } })
      const body = named("error", { n: 1 }) + errorEvent("overloaded_error", "failed")
      const read = yield* readBy(contract, body)
      expect(read).toMatchObject({ events: values(1), error: { _tag: "OverloadedError" } })
    })
  )

  it.effect("10.4 error.event may be a predicate of the data", () =>
    Effect.gen(function* () {
      const contract = EventStream.make({
        event: Tick,
        error: { event: ({ data }) => data.startsWith('{"error"') }
      })
      const body = `${tick(1)}data: {"error":{"type":"overloaded_error","message":"later"}}\n\n`
      const read = yield* readBy(contract, body)
      expect(read).toMatchObject({
        events: values(1),
        error: { _tag: "OverloadedError", message: "200 later" }
      })
    })
  )

  it.effect("10.4 with error: false an event named error is a value", () =>
    Effect.gen(function* () {
      const read = yield* readBy(EventStream.make({ event: Tick, error: false }), named("error", { n: 1 }))
      expect(read).toMatchObject({ events: values(1), error: undefined })
    })
  )

  class OutOfTicks extends Schema.TaggedError<OutOfTicks>()("OutOfTicks", { left: Schema.Number }) {}
  const withOwnError = EventStream.make({ event: Tick, error: { schema: OutOfTicks } })

  it.effect("10.4 error.schema decodes the caller's own error", () =>
    Effect.gen(function* () {
      const body = tick(1) + named("error", { _tag: "OutOfTicks", left: 3 })
      const read = yield* readBy(withOwnError, body)
      expect(read.events).toEqual(values(1))
      expect(read.error).toBeInstanceOf(OutOfTicks)
      expect(read.error).toMatchObject({ left: 3 })
    })
  )

  it.effect("10.4 an error event that does not fit error.schema is the tagged error of its type", () =>
    Effect.gen(function* () {
      const read = yield* readBy(withOwnError, tick(1) + errorEvent("overloaded_error"))
      expect(read.error).toMatchObject({ _tag: "OverloadedError", requestId: "req_1" })
    })
  )

  it.effect("7.5 failure does not apply to error events", () =>
    Effect.gen(function* () {
      const failureBody = { _tag: "OutOfTicks", left: 0 }
      const request = getEvents(tickEvents, { failure: { 404: OutOfTicks } })
      const missing = yield* playStream([MockTransport.json(failureBody, { status: 404 })], request, {}, 0)
      expect(missing.error).toBeInstanceOf(OutOfTicks)
      const inStream = yield* playStream([sse(tick(1) + named("error", failureBody))], request, {}, 0)
      expect(inStream.error).toMatchObject({ _tag: "UnexpectedStatusError", status: 200 })
    })
  )
})

describe("the response's media type", () => {
  const page = "<html><body>Sign in to  the\n network</body></html>"
  it.effect.each([
    { name: "HTML", headers: { "content-type": "text/html; charset=utf-8" }, expectedType: "text/html" },
    { name: "JSON", headers: { "content-type": "application/json" }, expectedType: "application/json" },
    { name: "without a type", headers: {}, expectedType: "of no media type" },
    {
      name: "with a similar type",
      headers: { "content-type": "text/event-streams" },
      expectedType: "text/event-streams"
    }
  ])("10.1 a response $name is a StreamProtocolError with an excerpt", ({ headers, expectedType }) =>
    Effect.gen(function* () {
      const head = { ...headers, "request-id": "req_1" }
      const read = yield* readBy(tickEvents, MockTransport.stream([page], { headers: head }))
      const reason = `the response is ${expectedType}, not text/event-stream`
      const excerpt = "<html><body>Sign in to the network</body></html>"
      expect(read.error).toMatchObject({
        _tag: "StreamProtocolError",
        reason,
        excerpt,
        message: `${reason}: ${excerpt}`,
        status: 200,
        requestId: "req_1",
        stoppedBy: "not-retryable"
      })
      expect(read.requests).toHaveLength(1)
      expect(yield* read.transport.inFlight).toBe(0)
    })
  )

  it.effect.each([
    "text/event-stream",
    "text/event-stream; charset=utf-8",
    "Text/Event-Stream;charset=UTF-8",
    "text/event-stream ; x"
  ])("10.1 %s is accepted", (type) =>
    Effect.gen(function* () {
      const read = yield* readBy(tickEvents, sse(tick(1), { headers: { "content-type": type } }))
      expect(read).toMatchObject({ events: values(1), error: undefined })
      expect(read.requests[0]?.headers["accept"]).toBe("text/event-stream")
    })
  )

  it.effect("10.1 contentType names another media type", () =>
    Effect.gen(function* () {
      const contract = EventStream.make({ event: Tick, contentType: "Application/vnd.ticks; v=1" })
      const head = { headers: { "content-type": "application/vnd.ticks" } }
      const read = yield* readBy(contract, sse(tick(1), head))
      expect(read).toMatchObject({ events: values(1), error: undefined })
      expect(read.requests[0]?.headers["accept"]).toBe("Application/vnd.ticks; v=1")
      const eventStream = yield* readBy(contract, tick(1))
      expect(eventStream.error).toMatchObject({ _tag: "StreamProtocolError" })
    })
  )

  it.effect.each([
    { name: "in one chunk", parts: [`${ticks(1, 2)}data: "${"x".repeat(120)}"\n\n${tick(3)}`] },
    {
      name: "in several chunks",
      parts: [tick(1), tick(2), 'data: "', "x".repeat(60), "x".repeat(60), neverEnding]
    }
  ])("9.2 an event above the limit fails after the earlier events, $name", ({ parts }) =>
    Effect.gen(function* () {
      const read = yield* readBy(tickEvents, parts, { limits: { eventBytes: 100 } })
      expect(read.events).toEqual(values(1, 2))
      expect(read.error).toMatchObject({
        _tag: "StreamProtocolError",
        reason: "an event is larger than 100 bytes"
      })
      expect(yield* read.transport.inFlight).toBe(0)
    })
  )
})
