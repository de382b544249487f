import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { MockTransport } from "@effect-api/testing"
import { Chunk, Effect, Fiber, Layer, Redacted, Schema, Stream, TestClock, type Tracer } from "effect"
import { AnthropicPromise, GenAi, MessageStream, Messages, Tool } from "../../src/index.js"
import { params, scripted, sse } from "../fixtures/client.js"
import { labelled, metricsOf } from "../fixtures/metrics.js"
import { fullMessage, message } from "../fixtures/responses.js"
import { recording } from "../fixtures/spans.js"

const model = "claude-sonnet-4-5-20250929"

/** Runs an effect with a tracer, and returns the spans with it. */
const traced = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { spans, tracer } = recording(yield* Effect.tracer)
    const value = yield* Effect.withTracer(effect, tracer)
    return { value, spans }
  })

const attributes = (span: Tracer.Span | undefined) => Object.fromEntries(span?.attributes ?? [])

const events = [
  {
    type: "message_start",
    message: {
      ...message,
      content: [],
      stop_reason: null,
      usage: { input_tokens: 5, cache_read_input_tokens: 100, output_tokens: 1 }
    }
  },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hello!" } },
  { type: "content_block_stop", index: 0 },
  {
    type: "message_delta",
    delta: { stop_reason: "end_turn", stop_sequence: null },
    usage: { output_tokens: 7 }
  },
  { type: "message_stop" }
]

const telemetry = GenAi.make()
const failed = MockTransport.json(
  { type: "error", error: { type: "overloaded_error", message: "busy" } },
  { status: 529 }
)

describe("the span of a message", () => {
  it.effect("12.1 is above the span of its HTTP call, and holds what the conventions name", () =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([MockTransport.json(fullMessage)], { telemetry })
      const { spans } = yield* traced(anthropic.messages.create({ ...params, temperature: 0.5 }))
      expect(spans.map(({ name }) => name)).toEqual(["chat claude-sonnet-4-5", "POST /v1/messages"])
      const [chat, http] = spans
      expect(http?.parent).toMatchObject({ value: { spanId: chat?.spanId } })
      expect(chat).toMatchObject({ kind: "client", status: { _tag: "Ended" } })
      expect(attributes(chat)).toEqual({
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-sonnet-4-5",
        "gen_ai.request.max_tokens": 1024,
        "gen_ai.request.temperature": 0.5,
        "server.address": "api.anthropic.com",
        "server.port": 443,
        "gen_ai.response.id": message.id,
        "gen_ai.response.model": model,
        "gen_ai.response.finish_reasons": ["end_turn"],
        // What was written to the cache counts as input.
        "gen_ai.usage.input_tokens": 15,
        "gen_ai.usage.output_tokens": 6,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.usage.cache_creation.input_tokens": 3
      })
    })
  )

  it.effect("12.1 of a stream ends with it, and takes its counts from its first and last events", () =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([sse(events)], { telemetry })
      const { spans, value } = yield* traced(MessageStream.finalMessage(anthropic.messages.stream(params)))
      expect(value.usage.output_tokens).toBe(7)
      expect(spans.map(({ name }) => name)).toEqual(["chat claude-sonnet-4-5", "POST /v1/messages"])
      expect(spans[1]?.parent).toMatchObject({ value: { spanId: spans[0]?.spanId } })
      expect(spans[0]?.status._tag).toBe("Ended")
      expect(attributes(spans[0])).toMatchObject({
        "gen_ai.request.stream": true,
        "gen_ai.response.id": message.id,
        "gen_ai.response.finish_reasons": ["end_turn"],
        "gen_ai.usage.input_tokens": 105,
        "gen_ai.usage.cache_read.input_tokens": 100,
        "gen_ai.usage.output_tokens": 7
      })
      expect(attributes(spans[0])).not.toHaveProperty("error.type")
    })
  )

  it.effect("12.1 of a stream that is left ends then, without an error", () =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([sse(events)], { telemetry })
      const { spans } = yield* traced(Stream.runDrain(Stream.take(anthropic.messages.stream(params), 1)))
      expect(spans[0]?.status._tag).toBe("Ended")
      expect(attributes(spans[0])).toMatchObject({ "gen_ai.usage.output_tokens": 1 })
      expect(attributes(spans[0])).not.toHaveProperty("error.type")
    })
  )

  it.effect("12.1 names the error of a call, and of a stream that breaks off", () =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([failed, failed, failed, sse(events.slice(0, 3))], { telemetry })
      const unary = yield* traced(Effect.flip(anthropic.messages.create(params)))
      expect(attributes(unary.spans[0])["error.type"]).toBe("OverloadedError")
      const stream = yield* traced(Effect.flip(Stream.runDrain(anthropic.messages.stream(params))))
      expect(stream.value._tag).toBe("StreamTruncatedError")
      expect(attributes(stream.spans[0])["error.type"]).toBe("StreamTruncatedError")
    })
  )

  it.effect("12.1 exists for each way to send the request, and for no other request", () =>
    Effect.gen(function* () {
      const script = [MockTransport.json(message), MockTransport.json({ input_tokens: 1 }), sse(events)]
      const { anthropic } = yield* scripted(script, { telemetry })
      const client = anthropic.withOptions({ headers: { "x-a": "1" } }).client
      const { spans } = yield* traced(
        Effect.scoped(
          Effect.gen(function* () {
            yield* client.executeWithResponse(Messages.create(params))
            yield* anthropic.messages.countTokens(params)
            const response = yield* client.streamWithResponse(Messages.stream(params))
            yield* Stream.runDrain(response.stream)
          })
        )
      )
      expect(spans.map(({ name }) => name.split(" ")[0])).toEqual(["chat", "POST", "POST", "chat", "POST"])
    })
  )

  it.effect("12.1 of each turn of a conversation with tools, beside those of the tools", () =>
    Effect.gen(function* () {
      const call = {
        ...message,
        stop_reason: "tool_use",
        content: [{ type: "tool_use", id: "t1", name: "now", input: {} }]
      }
      const { anthropic } = yield* scripted([MockTransport.json(call), MockTransport.json(message)], {
        telemetry
      })
      const now = Tool.make({ name: "now", input: Schema.Struct({}), run: () => Effect.succeed("noon") })
      const { spans } = yield* traced(Stream.runDrain(anthropic.messages.run(params, { tools: [now] })))
      expect(spans.map(({ name }) => name)).toEqual([
        "chat claude-sonnet-4-5",
        "POST /v1/messages",
        "execute_tool now",
        "chat claude-sonnet-4-5",
        "POST /v1/messages"
      ])
    })
  )

  it.effect("12.1 is not made without a listener, and no trace goes on the wire", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([MockTransport.json(message), sse(events)], {
        telemetry
      })
      yield* anthropic.messages.create(params)
      yield* Stream.runDrain(anthropic.messages.stream(params))
      for (const { headers } of yield* transport.requests) {
        expect(headers["traceparent"]).toBeUndefined()
      }
    })
  )

  it.effect("12.6 holds nothing of the content", () =>
    Effect.gen(function* () {
      const secret = { ...params, system: "s3cret", messages: [{ role: "user", content: "s3cret" }] } as const
      const { anthropic } = yield* scripted(
        [MockTransport.json({ ...message, content: [{ type: "text", text: "s3cret" }] })],
        { telemetry }
      )
      const { spans } = yield* traced(anthropic.messages.create(secret))
      expect(JSON.stringify(spans.map(attributes))).not.toContain("s3cret")
    })
  )

  it.effect.each([
    ["whole", MockTransport.json(message)],
    ["streamed", sse(events)]
  ] as const)("holds the content of a %s message if it is asked to, without its secrets", ([way, step]) =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([step], { telemetry: GenAi.make({ contents: true }) })
      const asked = {
        ...params,
        system: "Be brief.",
        messages: [
          {
            role: "user",
            content: [
              { type: "text", text: "Hi" },
              {
                type: "image",
                source: { type: "base64", media_type: "image/png", data: Redacted.make("iVBO") }
              }
            ]
          },
          {
            role: "assistant",
            content: [{ type: "tool_use", id: "t", name: "now", input: { zone: "CET" } }]
          },
          { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: "noon" }] }
        ]
      } as never
      const { spans } = yield* traced(
        way === "whole"
          ? Effect.asVoid(anthropic.messages.create(asked))
          : Stream.runDrain(anthropic.messages.stream(asked))
      )
      const found = attributes(spans[0])
      expect(JSON.parse(String(found["gen_ai.system_instructions"]))).toEqual([
        { type: "text", content: "Be brief." }
      ])
      expect(JSON.parse(String(found["gen_ai.input.messages"]))).toEqual([
        { role: "user", parts: [{ type: "text", content: "Hi" }, { type: "image" }] },
        {
          role: "assistant",
          parts: [{ type: "tool_call", id: "t", name: "now", arguments: { zone: "CET" } }]
        },
        { role: "user", parts: [{ type: "tool_call_response", id: "t", response: "noon" }] }
      ])
      expect(JSON.parse(String(found["gen_ai.output.messages"]))).toEqual([
        { role: "assistant", parts: [{ type: "text", content: "Hello!" }], finish_reason: "end_turn" }
      ])
    })
  )
})

describe("metrics", () => {
  const common = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "server.address": "api.anthropic.com",
    "server.port": "443"
  }

  it.effect(
    "12.2 count the tokens of a call, and measure how long it took, whether anybody traces it or not",
    () =>
      Effect.gen(function* () {
        const { anthropic } = yield* scripted([MockTransport.json(fullMessage, { delay: "3 seconds" })], {
          telemetry
        })
        const fiber = yield* Effect.fork(labelled("counted")(anthropic.messages.create(params)))
        yield* TestClock.adjust("3 seconds")
        yield* Fiber.join(fiber)
        const tags = { ...common, "gen_ai.response.model": model }
        const tokens = metricsOf("gen_ai.client.token.usage", "counted")
        expect(tokens.map(({ sum, tags }) => [tags["gen_ai.token.type"], sum]).sort()).toEqual([
          ["input", 15],
          ["output", 6]
        ])
        expect(tokens[0]?.tags).toMatchObject({ ...tags, unit: "{token}" })
        expect(tokens[0]?.boundaries).toHaveLength(14)
        const [duration, ...others] = metricsOf("gen_ai.client.operation.duration", "counted")
        expect(others).toEqual([])
        expect(duration).toMatchObject({ tags: { ...tags, unit: "s" }, sum: 3, count: 1 })
        expect(duration?.boundaries).toHaveLength(14)
      })
  )

  it.effect("12.2 measure a call that fails by its error, and count no tokens", () =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([failed, failed, failed], { telemetry })
      yield* labelled("failing")(Effect.flip(anthropic.messages.create(params)))
      expect(metricsOf("gen_ai.client.operation.duration", "failing")).toMatchObject([
        { tags: { ...common, "error.type": "OverloadedError" }, count: 1 }
      ])
      expect(metricsOf("gen_ai.client.token.usage", "failing")).toEqual([])
    })
  )
})

describe("hostile input", () => {
  it.effect.each([
    ["no model", { ...params, model: undefined }],
    ["a model that is no text", { ...params, model: 7 }],
    [
      "a value that refers to itself",
      (() => {
        const loop: Record<string, unknown> = { ...params }
        loop["messages"] = [{ role: "user", content: [{ type: "tool_use", input: loop }] }]
        return loop
      })()
    ]
  ])("%s fails as it does without telemetry", ([, hostile]) =>
    Effect.gen(function* () {
      const outcome = (options: object) =>
        Effect.flatMap(scripted([MockTransport.json(message)], options), ({ anthropic }) =>
          Effect.match(
            Effect.suspend(() => anthropic.messages.create(hostile as never)),
            {
              onFailure: ({ _tag }) => _tag as string,
              onSuccess: ({ id }) => id
            }
          )
        )
      const watched = { telemetry: GenAi.make({ contents: true }) }
      expect((yield* traced(outcome(watched))).value).toBe(yield* outcome({}))
    })
  )
})

describe("promises", () => {
  it("12.1 have the same spans, also of a client with changed options", async () => {
    const { spans, tracer } = recording(Effect.runSync(Effect.tracer))
    const transport = Effect.runSync(MockTransport.make([MockTransport.json(message), sse(events)]))
    const anthropic = AnthropicPromise.make({
      apiKey: "key",
      telemetry,
      transport: Layer.merge(Layer.succeed(HttpClient.HttpClient, transport.client), Layer.setTracer(tracer))
    })
    await anthropic.messages.create(params)
    const stream = anthropic.withOptions({ headers: { "x-a": "1" } }).messages.stream(params)
    expect((await stream.finalMessage()).usage.output_tokens).toBe(7)
    expect(spans.map(({ name }) => name)).toEqual([
      "chat claude-sonnet-4-5",
      "POST /v1/messages",
      "chat claude-sonnet-4-5",
      "POST /v1/messages"
    ])
    expect(attributes(spans[2])).toMatchObject({ "gen_ai.usage.output_tokens": 7 })
    expect(spans.map(({ status }) => status._tag)).toEqual(["Ended", "Ended", "Ended", "Ended"])
    await anthropic.close()
  })

  it.each([
    ["content", { content: true }],
    ["contents", { contents: "yes" }],
    ["provider", { provider: 7 }]
  ])("1.1 an option of make that is wrong is refused: %s", (name, options) => {
    expect(() => GenAi.make(options as never)).toThrow(`telemetry.${name}`)
  })

  it.each(["yes", {}, null])("1.1 a setting that is no telemetry is refused: %j", (odd) => {
    expect(() => AnthropicPromise.make({ apiKey: "key", telemetry: odd as never })).toThrow(/telemetry/)
  })
})

it.effect("events pass in their order, in the same chunks", () =>
  Effect.gen(function* () {
    const plain = yield* scripted([sse(events)])
    const watched = yield* scripted([sse(events)], { telemetry })
    const expected = yield* Stream.runCollect(plain.anthropic.messages.stream(params))
    const found = yield* Stream.runCollect(watched.anthropic.messages.stream(params))
    expect(Chunk.toReadonlyArray(found)).toEqual(Chunk.toReadonlyArray(expected))
  })
)
