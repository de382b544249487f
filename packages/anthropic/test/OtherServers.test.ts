import { FetchHttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { FetchTransport } from "@effect-api/client"
import { NodeTransport } from "@effect-api/node"
import { MockTransport, TestServer } from "@effect-api/testing"
import { Effect, FastCheck as fc, Layer, Logger, Option, Redacted, Stream } from "effect"
import {
  Anthropic,
  AnthropicPromise,
  Message,
  MessageAccumulator,
  MessageEvent,
  MessageStream
} from "../src/index.js"
import { key, params, scripted, scriptedPromises } from "./fixtures/client.js"
import { errors, type Server, servers } from "./fixtures/otherServers.js"
import { holds } from "./fixtures/properties.js"

const utf8 = new TextEncoder()
const headers = { "content-type": "text/event-stream", "request-id": "req_1" }

const streamed = (...parts: ReadonlyArray<string | Uint8Array>) => MockTransport.stream(parts, { headers })

/** The events that the contract reads from a body in two chunks, without a runtime. */
const readIn = (bytes: Uint8Array, cut: number): ReadonlyArray<MessageEvent.MessageEvent> => {
  const framing = MessageEvent.contract.framing(2 ** 20)
  const values: Array<MessageEvent.MessageEvent> = []
  for (const chunk of [bytes.slice(0, cut), bytes.slice(cut)]) {
    framing.write(chunk)
    for (let raw = framing.next(); raw !== undefined; raw = framing.next()) {
      const read = MessageEvent.contract.read(raw)
      values.push(...read.values)
      if (read.stopped === undefined) continue
      expect(read.stopped.stop._tag).toBe("Last")
      return values
    }
  }
  return values
}

const fits = (message: Message.Message | undefined, server: Server): void => {
  expect(message).toMatchObject({ ...server.message, content: server.content })
  expect(message?.content).toHaveLength(server.content.length)
}

describe.each(servers)("$name", (server) => {
  const bytes = utf8.encode(server.body)

  it("10.8 its events are complete, wherever the bytes are split", () => {
    const whole = readIn(bytes, bytes.length)
    const accumulator = MessageAccumulator.make()
    for (const event of whole) accumulator.push(event)
    fits(accumulator.snapshot(), server)
    expect(whole.at(-1)).toEqual({ type: "message_stop" })
    for (let cut = 0; cut <= bytes.length; cut++) expect(readIn(bytes, cut)).toEqual(whole)
  })

  it("10.8 a reader that has read many of its bodies reads the next one correctly", () => {
    const whole = readIn(bytes, 0)
    for (let time = 0; time < 20; time++) expect(readIn(bytes, 0)).toEqual(whole)
  })

  holds(
    "10 with Effect: the message, the snapshots, the events",
    [fc.array(fc.nat({ max: server.body.length }), { maxLength: 8 })],
    ([cuts]) =>
      Effect.gen(function* () {
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length]
        const pieces = at.slice(1).map((end, index) => bytes.slice(at[index], end))
        const { anthropic } = yield* scripted([streamed(...pieces), streamed(...pieces)])
        fits(yield* MessageStream.finalMessage(anthropic.messages.stream(params)), server)
        const snapshots = MessageStream.accumulate(anthropic.messages.stream(params))
        const last = Option.getOrThrow(yield* Stream.runLast(snapshots))
        fits(last.message, server)
      }),
    10
  )

  it("10 with promises: a loop, the message, the text", async () => {
    const { anthropic } = scriptedPromises([streamed(bytes), streamed(bytes)])
    const stream = anthropic.messages.stream(params)
    const seen: Array<string> = []
    for await (const event of stream) seen.push(event.type)
    expect(seen[0]).toBe("message_start")
    expect(seen.at(-1)).toBe("message_stop")
    expect(seen).not.toContain("ping")
    fits(await stream.finalMessage(), server)
    expect(await anthropic.messages.stream(params).finalText()).toBe(
      server.content.map(({ text = "" }) => text).join("")
    )
    await anthropic.close()
  })
})

const transports = [
  { name: "fetch", layer: FetchHttpClient.layer },
  { name: "our own fetch", layer: FetchTransport.layer },
  { name: "our own undici", layer: NodeTransport.layer }
]

describe.each(transports)("over $name", ({ layer }) => {
  it.scopedLive.each(servers)("10 $name", (server) =>
    Effect.gen(function* () {
      const pieces = Array.from(server.body.matchAll(/.{1,97}/gsu), ([piece]) => piece)
      const { url } = yield* TestServer.make(TestServer.chunks(pieces, { headers }))
      const http = yield* Layer.build(layer)
      const anthropic = yield* Effect.provide(
        Anthropic.make({ apiKey: Redacted.make(key), baseUrl: url }),
        http
      )
      fits(yield* MessageStream.finalMessage(anthropic.messages.stream(params)), server)

      const plain = AnthropicPromise.make({
        apiKey: key,
        baseUrl: url,
        transport: Layer.merge(layer, Logger.remove(Logger.defaultLogger))
      })
      const message = yield* Effect.promise(() => plain.messages.stream(params).finalMessage())
      fits(message, server)
      yield* Effect.promise(() => plain.close())
    })
  )
})

describe("an error in the middle of a stream", () => {
  const start = servers[0]?.body.split("\n\n", 3).join("\n\n") ?? ""

  it.effect.each(errors)("10.4 %s", ([, event, tag]) =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([streamed(`${start}\n\n${event}`)])
      const error = yield* Effect.flip(MessageStream.finalMessage(anthropic.messages.stream(params)))
      expect(error).toMatchObject({ _tag: tag, requestId: "req_1", status: 200 })
      expect(() => JSON.stringify(error)).not.toThrow()
    })
  )
})

describe("a message without a stream", () => {
  const message = {
    id: "m",
    type: "message",
    role: "assistant",
    model: "qwen3",
    content: [
      { type: "thinking", thinking: "hm" },
      { type: "tool_use", id: "a", name: "now" }
    ],
    usage: { input_tokens: 1, output_tokens: 2 }
  }

  it.effect("10.8 may lack its stop reason and the signature of its thinking", () =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([
        MockTransport.json(message),
        MockTransport.json({ ...message, content: null })
      ])
      expect(yield* anthropic.messages.create(params)).toEqual({
        ...message,
        stop_reason: null,
        content: [
          { type: "thinking", thinking: "hm", signature: "" },
          { type: "tool_use", id: "a", name: "now", input: {} }
        ]
      })
      expect(Message.text(yield* anthropic.messages.create(params))).toBe("")
    })
  )

  it.effect.each([
    {},
    { ...message, type: "completion" },
    { ...message, usage: null },
    { ...message, model: undefined },
    { ...message, content: "text" },
    { ...message, content: [{ type: "text" }] },
    { type: "message" },
    { detail: "not found" }
  ])("8.3 must have all other fields: %j is invalid", (body) =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([MockTransport.json(body)])
      const error = yield* Effect.flip(anthropic.messages.create(params))
      expect(error._tag).toBe("ResponseValidationError")
    })
  )
})

describe("lenient validation", () => {
  const odd = [
    { type: "message_start", message: "hello" },
    { type: "content_block_delta", index: 0 },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: 7 } },
    null,
    [1]
  ]

  it.effect("8.3 emits events of any shape, and no consumer dies of them", () =>
    Effect.gen(function* () {
      const body = `${odd.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("")}data: {"type":"message_stop"}\n\n`
      const script = Array.from({ length: 6 }, () => streamed(body))
      const { anthropic } = yield* scripted(script, { validation: "lenient" })
      const events = () => anthropic.messages.stream(params)
      const quiet = Effect.provide(Logger.remove(Logger.defaultLogger))
      // Reading a field of a `null` event in `terminal` would fail the stream.
      const outcomes = yield* Effect.all([
        Effect.either(Stream.runCollect(events())),
        Effect.either(MessageStream.finalMessage(events())),
        Effect.either(Stream.runDrain(MessageStream.accumulate(events()))),
        Effect.either(Stream.runDrain(MessageStream.textDeltas(events()))),
        Effect.either(Stream.runDrain(MessageStream.inputDeltas(events()))),
        Effect.either(Stream.runDrain(MessageStream.contentBlocks(events())))
      ]).pipe(quiet)
      for (const outcome of outcomes) {
        if (outcome._tag === "Left") expect(outcome.left._tag).toMatch(/^Stream/)
      }
    })
  )

  it.effect("8.3 completes a message despite an odd event", () =>
    Effect.gen(function* () {
      const [server] = servers
      const body =
        server?.body.replace(
          "event: message_delta",
          'data: {"type":"ping2","a":1}\n\ndata: {"type":7}\n\nevent: message_delta'
        ) ?? ""
      const { anthropic } = yield* scripted([streamed(body)], { validation: "lenient" })
      const message = yield* MessageStream.finalMessage(anthropic.messages.stream(params)).pipe(
        Effect.provide(Logger.remove(Logger.defaultLogger))
      )
      expect(message.stop_reason).toBe("tool_use")
    })
  )
})
