import { MessageStream as VendorStream } from "@anthropic-ai/sdk/lib/MessageStream"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, FastCheck as fc } from "effect"
import * as MessageAccumulator from "../../src/messages/MessageAccumulator.js"
import type * as MessageEvent from "../../src/messages/MessageEvent.js"
import * as Events from "../fixtures/messageEvents.js"
import { holds, holdsPlainly } from "../fixtures/properties.js"

const pushAll = (events: ReadonlyArray<MessageEvent.MessageEvent>): MessageAccumulator.Accumulator => {
  const accumulator = MessageAccumulator.make()
  for (const event of events) Either.getOrThrow(accumulator.push(event))
  return accumulator
}

const messageOf = (events: ReadonlyArray<MessageEvent.MessageEvent>) =>
  Either.getOrThrow(pushAll(events).end())

/** The message that Anthropic's SDK builds from the same lines, without the fields that it adds. */
const sdkMessage = (wire: ReadonlyArray<unknown>) =>
  Effect.promise(async () => {
    const lines = wire.map((event) => `${JSON.stringify(event)}\n`).join("")
    const body = new Response(lines).body
    if (body === null) throw new Error("no body")
    const { parsed_output: _, ...message } = await VendorStream.fromReadableStream(body).finalMessage()
    return JSON.parse(
      JSON.stringify(message, (key, value) => (key === "parsed_output" ? undefined : value))
    ) as unknown
  })

const jsonOf = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const errorOf = <E>(result: Either.Either<unknown, E>): E => Either.getOrThrow(Either.flip(result))

describe("MessageAccumulator", () => {
  holds("builds the same message as Anthropic's SDK", [Events.parts], ([parts]) =>
    Effect.gen(function* () {
      const message = jsonOf(messageOf(Events.eventsOf(parts)))
      expect(message).toEqual({
        ...Events.messageStart.message,
        content: jsonOf(parts.map(({ end }) => end)),
        stop_reason: "end_turn",
        usage: { ...Events.messageStart.message.usage, output_tokens: 42 }
      })
      expect(message).toEqual(yield* sdkMessage(Events.wire(parts)))
    })
  )

  const input = '{"city":"S\\u00e3o \\ud83d\\ude00","days":[1,-2.5e1,true,null],"at":{"lat":0.5}}'
  it.effect.each(Array.from({ length: input.length + 1 }, (_, at) => at))(
    "builds a tool's input that was split at %i as Anthropic's SDK does",
    (at) =>
      Effect.gen(function* () {
        const part = Events.toolUse([input.slice(0, at), input.slice(at)])
        const message = messageOf(Events.eventsOf([part], Events.messageDelta({ stop_reason: "tool_use" })))
        expect(message.content).toEqual([part.end])
        expect(jsonOf(message)).toEqual(
          yield* sdkMessage(Events.wire([part], Events.messageDelta({ stop_reason: "tool_use" })))
        )
      })
  )

  it.effect.each(Array.from({ length: input.length }, (_, at) => at))(
    "keeps the complete parts of an input that max_tokens cut at %i, as Anthropic's SDK does",
    (at) =>
      Effect.gen(function* () {
        const part: Events.Part = { ...Events.toolUse([]), deltas: Events.toolUse(["{}"]).deltas }
        const short = { ...part, deltas: [{ type: "input_json_delta", partial_json: input.slice(0, at) }] }
        const end = Events.messageDelta({ stop_reason: "max_tokens" })
        const message = jsonOf(messageOf(Events.eventsOf([short], end)))
        expect(message).toEqual(yield* sdkMessage(Events.wire([short], end)))
      })
  )

  it.effect.each<readonly [string, Readonly<Record<string, unknown>>]>([
    ["a stop sequence", Events.messageDelta({ stop_reason: "stop_sequence", stop_sequence: "END" })],
    [
      "a refusal",
      Events.messageDelta({
        stop_reason: "refusal",
        stop_details: { type: "refusal", category: "cyber", explanation: "no" }
      })
    ],
    ["a pause", Events.messageDelta({ stop_reason: "pause_turn" })],
    ["a container", Events.messageDelta({ container: { id: "c", expires_at: "2025-01-01T00:00:00Z" } })],
    ["no container", Events.messageDelta({ container: null })],
    [
      "all totals",
      Events.messageDelta(
        {},
        {
          input_tokens: 20,
          cache_creation_input_tokens: 1,
          cache_read_input_tokens: 2,
          server_tool_use: { web_search_requests: 3, web_fetch_requests: 0 },
          output_tokens_details: { thinking_tokens: 9 }
        }
      )
    ],
    [
      "totals that say nothing",
      Events.messageDelta({}, { input_tokens: null, cache_read_input_tokens: null, server_tool_use: null })
    ]
  ])("takes %s from message_delta, as Anthropic's SDK does", ([, end]) =>
    Effect.gen(function* () {
      const wire = Events.wire([Events.text("a")], end)
      const message = jsonOf(messageOf(Events.decodeEvents(wire))) as Record<string, unknown>
      const sdk = (yield* sdkMessage(wire)) as Record<string, unknown>
      expect(message).toMatchObject(sdk)
      expect(Object.keys(message).filter((name) => message[name] !== null && !(name in sdk))).toEqual([])
    })
  )

  it("keeps unknown fields, and ignores unknown deltas and events", () => {
    const message = messageOf(
      Events.decodeEvents([
        { type: "event_of_tomorrow" },
        { ...Events.messageStart, message: { ...Events.messageStart.message, mood: "good" } },
        { type: "content_block_start", index: 0, content_block: { type: "text", text: "", tone: "kind" } },
        { type: "content_block_delta", index: 0, delta: { type: "tone_delta", tone: "kinder" } },
        { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "hi" } },
        { type: "content_block_stop", index: 0 },
        {
          ...Events.messageDelta({ reason_code: 7 }, { joules: 3 }),
          context_management: { applied_edits: [] }
        },
        Events.messageStop,
        { type: "event_of_tomorrow" }
      ])
    )
    expect(message).toMatchObject({
      mood: "good",
      content: [{ type: "text", text: "hi", tone: "kind" }],
      reason_code: 7,
      usage: { joules: 3, input_tokens: 12, output_tokens: 42 },
      context_management: { applied_edits: [] }
    })
  })

  it("applies known deltas to blocks of unknown types", () => {
    const block = { type: "tool_use_of_tomorrow", id: "t", name: "n", input: {} }
    const parts = [
      Events.toolUse(['{"a"', ":1}"], { type: "tool_use_of_tomorrow", id: "t", name: "n" }),
      { start: { type: "poem" }, deltas: Events.text("a", "b").deltas, end: {} },
      {
        start: { type: "compaction", content: null },
        deltas: [{ type: "compaction_delta", content: "short", encrypted_content: "e" }],
        end: {}
      }
    ]
    expect(messageOf(Events.eventsOf(parts)).content).toEqual([
      { ...block, input: { a: 1 } },
      { type: "poem", text: "ab" },
      { type: "compaction", content: "short", encrypted_content: "e" }
    ])
  })

  holdsPlainly(
    "takes snapshots that never change, whichever of them are read",
    [Events.parts, fc.array(fc.boolean(), { minLength: 1 })],
    ([parts, asks]) => {
      const events = Events.eventsOf(parts)
      const accumulator = MessageAccumulator.make()
      const snapshots = events.map((event, index) => {
        Either.getOrThrow(accumulator.push(event))
        if (asks[index % asks.length] !== true) return undefined
        const message = accumulator.snapshot()
        expect(accumulator.snapshot()).toBe(message)
        return { message, shown: JSON.stringify(message) }
      })
      for (const [index, snapshot] of snapshots.entries()) {
        if (snapshot === undefined) continue
        expect(JSON.stringify(snapshot.message)).toBe(snapshot.shown)
        expect(pushAll(events.slice(0, index + 1)).snapshot()).toEqual(snapshot.message)
      }
    }
  )

  it("does not change events", () => {
    const parts = [Events.text("a", "b"), Events.cited(["c"], 2), Events.toolUse(['{"a":', "1}"])]
    const events = Events.eventsOf(parts)
    const before = JSON.stringify(events)
    const accumulator = pushAll(events)
    accumulator.snapshot()
    expect(JSON.stringify(events)).toBe(before)
  })

  it("grows an input in its snapshots", () => {
    const accumulator = MessageAccumulator.make()
    const inputs = Events.eventsOf([
      Events.toolUse(['{"pa', 'th":"a.t', 'xt","text":"He', 'llo","n":1', "2}"])
    ]).map((event) => {
      Either.getOrThrow(accumulator.push(event))
      const block = accumulator.snapshot()?.content[0]
      return block?.type === "tool_use" ? block.input : undefined
    })
    expect(inputs.slice(1, -1)).toEqual([
      {},
      {},
      { path: "a.t" },
      { path: "a.txt", text: "He" },
      { path: "a.txt", text: "Hello" },
      { path: "a.txt", text: "Hello", n: 12 },
      { path: "a.txt", text: "Hello", n: 12 },
      { path: "a.txt", text: "Hello", n: 12 }
    ])
  })

  const [start, ...rest] = Events.wire([Events.text("a")])
  const [blockStart, blockDelta, blockStop] = rest
  it.each<readonly [reason: string, events: ReadonlyArray<unknown>]>([
    ["content_block_start comes before message_start", [blockStart]],
    ["message_stop comes before message_start", [Events.messageStop]],
    ["a second message starts before the end of the first", [start, start]],
    ["block 0 has not started", [start, blockDelta]],
    ["block 0 has not started", [start, blockStop]],
    ["block 1 starts where block 0 should", [start, { ...blockStart, index: 1 }]],
    ["block 0 starts where block 1 should", [start, blockStart, blockStop, blockStart]],
    ["block -1 has not started", [start, blockStart, { ...blockDelta, index: -1 }]],
    ["block 0 has already ended", [start, blockStart, blockStop, blockDelta]],
    ["block 0 has already ended", [start, blockStart, blockStop, blockStop]],
    ["message_delta comes after message_stop", [start, Events.messageStop, Events.messageDelta()]]
  ])("fails with: %s", (reason, wire) => {
    const accumulator = MessageAccumulator.make()
    const results = Events.decodeEvents(wire).map(accumulator.push)
    expect(results.slice(0, -1).every(Either.isRight)).toBe(true)
    const failure = results.at(-1) ?? Either.void
    expect(errorOf(failure)).toMatchObject({
      _tag: "StreamProtocolError",
      reason,
      message: reason,
      excerpt: ""
    })
    // The failure persists.
    expect(accumulator.push({ type: "message_stop" })).toEqual(failure)
    expect(accumulator.end()).toEqual(failure)
  })

  it.each(["{]", '{"a" 1}', '{"a":nope}', "not json"])(
    "fails for the input %s, which is not JSON",
    (json) => {
      const accumulator = MessageAccumulator.make()
      const part = { ...Events.toolUse([]), deltas: [{ type: "input_json_delta", partial_json: json }] }
      const results = Events.eventsOf([part]).map(accumulator.push)
      expect(results.findIndex(Either.isLeft)).toBe(3)
      expect(errorOf(accumulator.end())).toMatchObject({
        _tag: "StreamProtocolError",
        reason: expect.stringMatching(/^the input of tool get_weather in block 0 is not valid JSON: /),
        excerpt: json
      })
    }
  )

  it("starts another message after the end of one", () => {
    const first = Events.eventsOf([Events.text("a"), Events.text("b")])
    const second = Events.eventsOf([Events.text("c")])
    expect(messageOf([...first, ...second]).content).toEqual([{ type: "text", text: "c" }])
    expect(errorOf(pushAll([...first, ...second.slice(0, -1)]).end())).toMatchObject({
      received: first.length + second.length - 1
    })
  })

  it("ends open blocks at message_stop", () => {
    const events = Events.eventsOf([Events.toolUse(['{"a":1}'])]).filter(
      ({ type }) => type !== "content_block_stop"
    )
    expect(messageOf(events).content).toMatchObject([{ input: { a: 1 } }])
  })

  it("reports the number of events if message_stop is missing", () => {
    const events = Events.eventsOf([Events.text("a")])
    for (let length = 0; length < events.length; length++) {
      expect(errorOf(pushAll(events.slice(0, length)).end())).toMatchObject({
        _tag: "StreamTruncatedError",
        received: length
      })
    }
    expect(MessageAccumulator.make().snapshot()).toBeUndefined()
  })
})

/** Events from a foreign decoder, neither checked nor filled in. */
const raw = (...events: ReadonlyArray<object>): ReadonlyArray<MessageEvent.MessageEvent> =>
  events as unknown as ReadonlyArray<MessageEvent.MessageEvent>

const block = (index: number, content_block: object) => [
  { type: "content_block_start", index, content_block },
  { type: "content_block_stop", index }
]

describe("a field that a server omits", () => {
  it("is filled in, so that the message is complete", () => {
    const message = messageOf(
      raw(
        { type: "message_start", message: { id: "m" } },
        ...block(0, { type: "thinking" }),
        ...block(1, { type: "tool_use", id: "a", name: "now" }),
        { type: "message_delta" },
        { type: "message_stop" }
      )
    )
    expect(message).toEqual({
      id: "m",
      type: "message",
      role: "assistant",
      model: "",
      content: [
        { type: "thinking", thinking: "", signature: "" },
        { type: "tool_use", id: "a", name: "now", input: {} }
      ],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 0, output_tokens: 0 }
    })
  })

  it.each<[what: string, later: object | null | undefined, usage: object]>([
    ["nothing", undefined, { input_tokens: 12, output_tokens: 5 }],
    ["null", null, { input_tokens: 12, output_tokens: 5 }],
    ["zeros", { input_tokens: 0, output_tokens: 0 }, { input_tokens: 12, output_tokens: 5 }],
    ["more", { output_tokens: 9 }, { input_tokens: 12, output_tokens: 9 }],
    ["less", { input_tokens: 3, output_tokens: 9 }, { input_tokens: 3, output_tokens: 9 }],
    ["what was not there", { cache_read_input_tokens: 0 }, { cache_read_input_tokens: 0, output_tokens: 5 }]
  ])("takes the later total, unless it is %s", (_, later, usage) => {
    const start = { ...Events.messageStart.message, usage: { input_tokens: 12, output_tokens: 5 } }
    const accumulator = pushAll(
      raw({ type: "message_start", message: start }, { type: "message_delta", delta: null, usage: later })
    )
    expect(accumulator.snapshot()?.usage).toMatchObject(usage)
  })

  it("fails for an event of an unexpected shape, without a defect", () => {
    for (const event of [
      null,
      { type: "content_block_delta", index: 0 },
      { type: "message_start", message: { content: 1 } }
    ]) {
      const accumulator = pushAll(
        raw(Events.messageStart, { type: "content_block_start", index: 0, content_block: { type: "text" } })
      )
      const pushed = accumulator.push(event as unknown as MessageEvent.MessageEvent)
      expect(Either.isLeft(pushed) && pushed.left._tag).toBe("StreamProtocolError")
    }
  })
})

describe("a fallback", () => {
  it.each<[what: string, block: object, model: string]>([
    ["names the model that goes on", { type: "fallback", from: { model: "a" }, to: { model: "b" } }, "b"],
    ["that names none changes nothing", { type: "fallback", to: {} }, "claude-sonnet-5-5"],
    ["is no other block with such a field", { type: "handover", to: { model: "b" } }, "claude-sonnet-5-5"]
  ])("%s", (_, content_block, model) => {
    const events = raw(
      Events.messageStart,
      ...block(0, content_block),
      Events.messageDelta(),
      Events.messageStop
    )
    expect(messageOf(events)).toMatchObject({ model, content: [content_block] })
  })
})

describe("a snapshot", () => {
  it("copies the input of a tool when it is read, as of the snapshot", () => {
    const pieces = ['{"a":', '1,"b":[', '"x","y', '"],"__proto__":2', "}"]
    const accumulator = pushAll(
      raw(Events.messageStart, {
        type: "content_block_start",
        index: 0,
        content_block: { type: "tool_use", id: "t", name: "n", input: {} }
      })
    )
    const taken = pieces.map((partial_json) => {
      const delta = { type: "input_json_delta", partial_json }
      Either.getOrThrow(accumulator.push({ type: "content_block_delta", index: 0, delta } as never))
      return accumulator.snapshot()?.content[0]
    })
    const inputs = [
      {},
      { a: 1, b: [] },
      { a: 1, b: ["x", "y"] },
      { a: 1, b: ["x", "y"] },
      JSON.parse(pieces.join(""))
    ]
    const read = taken.map((block) => (block as { readonly input: unknown }).input)
    expect(read).toEqual(inputs)
    expect(taken.map((block) => JSON.stringify(block))).toEqual(
      inputs.map((input) => JSON.stringify({ type: "tool_use", id: "t", name: "n", input }))
    )
    expect(taken[2]).toEqual({ ...taken[2] })
  })
})
