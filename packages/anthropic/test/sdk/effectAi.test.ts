import { LanguageModel } from "@effect/ai"
import { AnthropicClient, AnthropicLanguageModel } from "@effect/ai-anthropic"
import { FetchHttpClient, type HttpClient } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Anthropic } from "@effect-api/anthropic"
import { FetchTransport } from "@effect-api/client"
import { NodeTransport } from "@effect-api/node"
import { AnthropicApi } from "@effect-api/testing"
import { Effect, Layer, Logger, Redacted } from "effect"
import { gather } from "./fixtures/pair.js"

/** A program of `@effect/ai`, with our client as its `HttpClient`. */
const onOurs = (api: AnthropicApi.AnthropicApi, transport: Layer.Layer<HttpClient.HttpClient>) =>
  AnthropicLanguageModel.layer({ model: "claude-sonnet-4-5", config: { max_tokens: 64 } }).pipe(
    Layer.provide(AnthropicClient.layer({ apiUrl: api.url })),
    Layer.provide(Anthropic.layerHttpClient),
    Layer.provide(
      Anthropic.layer({
        apiKey: Redacted.make("key"),
        baseUrl: api.url,
        retry: { initialDelay: "1 millis" }
      })
    ),
    Layer.provide(transport),
    Layer.provide(Logger.remove(Logger.defaultLogger))
  )

const words = "Good morning, Zürich! 🌱"

const transports: ReadonlyArray<{
  readonly name: string
  readonly layer: Layer.Layer<HttpClient.HttpClient>
}> = [
  { name: "fetch", layer: FetchHttpClient.layer },
  { name: "undici", layer: NodeHttpClient.layerUndici },
  { name: "node:http", layer: NodeHttpClient.layer },
  { name: "our own fetch", layer: FetchTransport.layer },
  { name: "our own undici", layer: Layer.orDie(NodeTransport.layer) }
]

describe.each(transports)("on $name", ({ layer }) => {
  it.scopedLive(
    "a program of @effect/ai streams text through layerHttpClient, with our key and retries",
    () =>
      Effect.gen(function* () {
        const api = yield* AnthropicApi.make({ script: AnthropicApi.response(words, { chunkBytes: 9 }) })
        yield* api.inject(AnthropicApi.failure("overloaded_error"))
        const parts = yield* LanguageModel.streamText({ prompt: "Say good morning" }).pipe(
          gather,
          Effect.provide(onOurs(api, layer))
        )
        expect(parts.flatMap((part) => (part.type === "text-delta" ? [part.delta] : [])).join("")).toBe(words)
        expect(parts.at(-1)).toMatchObject({ type: "finish", reason: "stop" })
        const seen = yield* api.requests
        expect(seen.map(({ headers }) => headers["authorization"])).toEqual(["Bearer key", "Bearer key"])
        expect(seen[1]?.json).toMatchObject({ model: "claude-sonnet-4-5", stream: true })
      })
  )

  it.scopedLive("and generates text without a stream", () =>
    Effect.gen(function* () {
      const api = yield* AnthropicApi.make({ script: words })
      const { text } = yield* LanguageModel.generateText({ prompt: "Say good morning" }).pipe(
        Effect.provide(onOurs(api, layer))
      )
      expect(text).toBe(words)
    })
  )
})
