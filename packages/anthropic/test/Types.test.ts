import type { HttpClient } from "@effect/platform"
import type { ApiClient, ApiConfig, ApiError, ApiRequest, PromiseClient } from "@effect-api/client"
import { type ConfigError, Context, Effect, type Layer, Redacted, Schema, type Stream } from "effect"
import { describe, expectTypeOf, it } from "vitest"
import {
  Anthropic,
  type AnthropicPromise,
  AsyncTool,
  type Batches,
  type ContentBlock,
  ContentBlockParam,
  type Message,
  type MessageEvent,
  Messages,
  type Models,
  Tool,
  ToolParam
} from "../src/index.js"
import { params } from "./fixtures/client.js"

/** The compiler checks every line below and nothing runs. Marked lines must not compile. */
const compiles = (_: () => unknown) => expectTypeOf(_).toBeFunction()

declare const anthropic: Anthropic.Anthropic
declare const promise: AnthropicPromise.AnthropicPromise
declare const block: ContentBlock.ContentBlock
declare const event: MessageEvent.MessageEvent
declare const message: Message.Message

class Database extends Context.Tag("Database")<Database, { readonly rows: number }>() {}

describe("the type of a call", () => {
  it("7 has the values, errors and requirements of the service", () => {
    compiles(() => {
      expectTypeOf(anthropic.messages.create(params)).toEqualTypeOf<
        Effect.Effect<Message.Message, ApiError.ApiError>
      >()
      expectTypeOf(anthropic.messages.stream(params)).toEqualTypeOf<
        Stream.Stream<MessageEvent.MessageEvent, ApiError.ApiError>
      >()
      expectTypeOf(anthropic.messages.batches.results("a")).toEqualTypeOf<
        Stream.Stream<Batches.BatchResult, ApiError.ApiError>
      >()
      expectTypeOf(anthropic.models.list()).toEqualTypeOf<
        Stream.Stream<Models.ModelInfo, ApiError.ApiError>
      >()
      expectTypeOf(Messages.create(params)).toEqualTypeOf<ApiRequest.ApiRequest<Message.Message>>()
      expectTypeOf(anthropic.client).toEqualTypeOf<ApiClient.ApiClient>()
    })
  })

  it("7 a run requires what its tools require", () => {
    const input = Schema.Struct({})
    const count = Tool.make({ name: "count", input, run: () => Effect.map(Database, ({ rows }) => rows) })
    const now = Tool.make({ name: "now", input, run: () => Effect.succeed(0) })
    compiles(() => {
      expectTypeOf(anthropic.messages.run(params, { tools: [count, now] })).toEqualTypeOf<
        Stream.Stream<Message.Message, ApiError.ApiError, Database>
      >()
      expectTypeOf(anthropic.messages.run(params, { tools: [now] })).toEqualTypeOf<
        Stream.Stream<Message.Message, ApiError.ApiError>
      >()
      promise.messages.run(params, { tools: [now, AsyncTool.make({ name: "a", input, run: () => 1 })] })
      // @ts-expect-error the database is missing
      promise.messages.run(params, { tools: [count] })
    })
  })

  it("7 has the values of the promises", () => {
    compiles(() => {
      expectTypeOf(promise.messages.create(params)).toEqualTypeOf<Promise<Message.Message>>()
      expectTypeOf(promise.messages.stream(params).textDeltas()).toEqualTypeOf<AsyncIterable<string>>()
      expectTypeOf(promise.models.list()).toEqualTypeOf<PromiseClient.AsyncStream<Models.ModelInfo>>()
      expectTypeOf(promise.files.download("a")).toEqualTypeOf<Promise<Response>>()
    })
  })

  it("1.2 has the errors and requirements of the layers", () => {
    compiles(() => {
      expectTypeOf(Anthropic.layer({ apiKey: Redacted.make("a") })).toEqualTypeOf<
        Layer.Layer<Anthropic.Anthropic, ApiConfig.InvalidConfigError, HttpClient.HttpClient>
      >()
      expectTypeOf(Anthropic.layerConfig()).toEqualTypeOf<
        Layer.Layer<
          Anthropic.Anthropic,
          ApiConfig.InvalidConfigError | ConfigError.ConfigError,
          HttpClient.HttpClient
        >
      >()
      // @ts-expect-error a key is a secret
      Anthropic.layer({ apiKey: "a" })
    })
  })
})

describe("the type of a response", () => {
  it("8.4 the type of a block, an event or a delta determines its fields, unknown types aside", () => {
    compiles(() => {
      if (block.type === "text") expectTypeOf(block).toEqualTypeOf<ContentBlock.TextBlock>()
      if (block.type === "tool_use") expectTypeOf(block.input).toBeUnknown()
      if (event.type === "content_block_delta" && event.delta.type === "text_delta") {
        expectTypeOf(event.delta.text).toBeString()
      }
      // @ts-expect-error not every block has text
      block.text
      expectTypeOf(block.type).toExtend<string>()
    })
  })

  it("8.4 unknown literals are strings", () => {
    compiles(() => {
      expectTypeOf(message.stop_reason).toExtend<string | null>()
      expectTypeOf<string>().toExtend<NonNullable<typeof message.stop_reason>>()
      expectTypeOf<"a model of tomorrow">().toExtend<Message.Model>()
      return message.stop_reason === "end_turn" || message.stop_reason === "bored"
    })
  })
})

describe("the type of a request", () => {
  it("5.1 accepts a response unchanged", () => {
    compiles(() =>
      anthropic.messages.create({
        ...params,
        messages: [...params.messages, { role: message.role, content: message.content }]
      })
    )
  })

  it("5.1 accepts fields that are not listed", () => {
    const tomorrow: Message.MessageCreateParams = { ...params, tomorrow: { a: [1] } }
    const counted: Message.ConversationParams = { model: "a", messages: [], tomorrow: true }
    compiles(() => [
      anthropic.messages.create(tomorrow),
      anthropic.messages.stream({ ...params, tomorrow: 1 }),
      anthropic.messages.countTokens(counted),
      promise.messages.create({ ...params, tomorrow: null })
    ])
  })

  it("5.1 rejects invalid parameters", () => {
    compiles(() => {
      // @ts-expect-error max_tokens is required
      anthropic.messages.create({ model: "a", messages: [] })
      // @ts-expect-error create does not stream
      anthropic.messages.create({ ...params, stream: true })
      // @ts-expect-error a known field of another type
      anthropic.messages.create({ ...params, temperature: "hot" })
      // @ts-expect-error a block without a type
      anthropic.messages.create({ ...params, messages: [{ role: "user", content: [{ type: "hologram" }] }] })
      anthropic.messages.create({
        ...params,
        messages: [{ role: "user", content: [ContentBlockParam.untyped({ type: "hologram", size: 1 })] }],
        tools: [ToolParam.untyped({ type: "telescope_20990101", name: "telescope" })],
        tool_choice: { type: "tool", name: "telescope" },
        thinking: { type: "enabled", budget_tokens: 2048 },
        output_config: { format: { type: "json_schema", schema: { type: "object" } } }
      })
    })
  })
})
