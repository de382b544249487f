import { describe, expect, it } from "@effect/vitest"
import { Message, MessageStream } from "@effect-api/anthropic"
import { AnthropicApi } from "@effect-api/testing"
import { Effect, FastCheck as fc, Stream } from "effect"
import { gather, pair, plain, promised } from "./fixtures/pair.js"

const { response, block, serverToolUse, text, thinking, toolUse } = AnthropicApi

const params = {
  model: "claude-opus-5-5",
  max_tokens: 1024,
  messages: [{ role: "user" as const, content: "What is the weather in Zürich?" }]
}

const location = {
  type: "char_location",
  cited_text: "The grass is green.",
  document_index: 0,
  document_title: "Grass",
  start_char_index: 0,
  end_char_index: 20,
  file_id: null
}

const found = {
  type: "web_search_result_location",
  cited_text: "…",
  encrypted_index: "ZW5j",
  title: null,
  url: "https://example.com"
}

const input = { city: "Zürich", note: 'a "quote", a \\, a tab\t, 🌱', nested: [{ n: -1.5e3 }, null, true] }

/** The same input, with every escape of JSON. */
const escaped =
  '{"city":"Z\\u00fcrich","note":"a \\"quote\\", a \\\\, a tab\\t, \\ud83c\\udf31","nested":[{"n":-1.5e3},null,true]}'

/** Streams of every documented shape. */
const streams: ReadonlyArray<readonly [string, AnthropicApi.MessageResponse]> = [
  ["text", response("Good morning, Zürich! 🌱")],
  ["text in many deltas", response(text("Good morning, Zürich! 🌱", { deltas: 1 }))],
  ["text without a delta", response(text("", { deltas: [] }))],
  ["no block", response([])],
  ["several blocks", response([text("One."), text("Two."), text("Three.")])],
  [
    "bytes split everywhere",
    response([text("Grüezi 🌱"), toolUse("weather", input, { deltas: 5 })], { chunkBytes: 1 })
  ],
  ["the input of a tool", response([text("Let me see."), toolUse("weather", input)])],
  ["input split in the middle of escapes", response(toolUse("weather", input, { json: escaped, deltas: 1 }))],
  ["input split in the middle of surrogates", response(toolUse("weather", input, { deltas: 1 }))],
  ["input with spaces", response(toolUse("weather", { a: 1 }, { json: ' {\n "a" : 1 }\n', deltas: 2 }))],
  ["empty input", response(toolUse("now", {}, { deltas: [] }))],
  ["two tools", response([toolUse("weather", { city: "Bern" }), toolUse("weather", { city: "Basel" })])],
  ["thinking and its signature", response([thinking("Which city?", { signature: "c2ln" }), text("Zürich.")])],
  ["omitted thinking", response([thinking("", { signature: "c2ln", deltas: [] }), text("Zürich.")])],
  ["redacted thinking", response([block({ type: "redacted_thinking", data: "ZGF0YQ==" }), text("Zürich.")])],
  ["citations", response([text("Look:"), text("it is green", { citations: [location, found] }), text(".")])],
  [
    "server tools",
    response([
      serverToolUse("web_search", { query: "weather Zürich" }),
      block({
        type: "web_search_tool_result",
        tool_use_id: "srvtoolu_000000000000000000000001",
        caller: { type: "direct" },
        content: [
          {
            type: "web_search_result",
            title: "Weather",
            url: "https://example.com",
            encrypted_content: "x",
            page_age: null
          }
        ]
      }),
      text("Sunny.", { citations: [found] })
    ])
  ],
  ["a pause", response([serverToolUse("web_search", { query: "x" })], { stopReason: "pause_turn" })],
  [
    "a refusal",
    response("I", {
      stopReason: "refusal",
      stopDetails: { type: "refusal", category: "cyber", explanation: "No." }
    })
  ],
  ["a stop sequence", response("One, two", { stopSequence: "three" })],
  ["max_tokens", response("One, two", { stopReason: "max_tokens" })],
  [
    "max_tokens in the middle of a tool's input",
    response(toolUse("f", {}, { json: "{}" }), { stopReason: "max_tokens" })
  ],
  [
    "a container and its usage",
    response("Done.", {
      message: { container: { id: "container_1", expires_at: "2026-11-20T00:00:00Z", skills: null } },
      usage: {
        cache_read_input_tokens: 100,
        cache_creation_input_tokens: 7,
        server_tool_use: { web_search_requests: 1, web_fetch_requests: 0 },
        output_tokens_details: { thinking_tokens: 3 }
      }
    })
  ],
  ["a block of an unknown type", response([block({ type: "hologram", depth: 3 }), text("There.")])]
]

const both = (scripted: AnthropicApi.MessageResponse) =>
  Effect.gen(function* () {
    const { api, ours, theirs } = yield* pair({ script: scripted })
    const vendors = yield* promised(() => theirs.messages.stream(params).finalMessage())
    yield* api.reset
    const mine = yield* MessageStream.finalMessage(ours.messages.stream(params))
    yield* api.reset
    const whole = yield* ours.messages.create(params)
    return {
      vendors: plain({ ...vendors, parsed_output: undefined }),
      mine: plain(mine),
      whole: plain(whole),
      ours
    }
  })

describe("an accumulated message equals finalMessage() of Anthropic's SDK, and the message of create", () => {
  for (const [name, scripted] of streams) {
    it.scopedLive(name, () =>
      Effect.gen(function* () {
        const { mine, vendors, whole } = yield* both(scripted)
        expect(mine).toEqual(vendors)
        expect(mine).toEqual(whole)
      })
    )
  }

  const inputs = fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ stringUnit: "binary" }), {
    maxKeys: 4
  })
  it.scopedLive("for any input, split anywhere, in any bytes", () =>
    Effect.gen(function* () {
      const { api, ours } = yield* pair()
      const samples = fc.sample(
        fc.tuple(inputs, fc.integer({ min: 1, max: 7 }), fc.integer({ min: 9, max: 40 })),
        {
          numRuns: 25,
          seed: 1
        }
      )
      for (const [value, deltas, chunkBytes] of samples) {
        const json = JSON.parse(JSON.stringify(value))
        yield* api.script(response(toolUse("f", json, { deltas }), { chunkBytes }))
        const message = yield* MessageStream.finalMessage(ours.messages.stream(params))
        expect(message.content).toMatchObject([{ type: "tool_use", name: "f" }])
        expect(Message.toolUses(message).map(({ input }) => input)).toEqual([json])
      }
    })
  )
})

describe("during a stream", () => {
  it.scopedLive("the text has the same deltas", () =>
    Effect.gen(function* () {
      const scripted = response([text("Good morning, Zürich! 🌱", { deltas: 3 }), toolUse("f", {})], {
        chunkBytes: 2
      })
      const { ours, theirs } = yield* pair({ script: scripted })
      const texts: Array<string> = []
      const stream = theirs.messages.stream(params)
      stream.on("text", (text) => texts.push(text))
      yield* promised(() => stream.done())
      expect(yield* gather(MessageStream.textDeltas(ours.messages.stream(params)))).toEqual(texts)
    })
  )

  it.scopedLive("the input of a tool grows in the same steps, and is never behind", () =>
    Effect.gen(function* () {
      const scripted = response(toolUse("weather", input, { json: escaped, deltas: 4 }))
      const { ours, theirs } = yield* pair({ script: scripted })
      const steps: Array<readonly [piece: string, input: unknown]> = []
      const stream = theirs.messages.stream(params)
      stream.on("inputJson", (piece, soFar) => steps.push([piece, plain(soFar)]))
      yield* promised(() => stream.done())
      const mine = yield* ours.messages.stream(params).pipe(
        MessageStream.inputDeltas,
        Stream.map(({ input, partial_json }) => [partial_json, plain(input)] as const),
        gather
      )
      expect(mine.map(([piece]) => piece)).toEqual(steps.map(([piece]) => piece))
      // We include an incomplete string; Anthropic's SDK includes complete ones only.
      for (const [at, [, soFar]] of steps.entries()) expect(mine[at]?.[1]).toMatchObject(soFar as object)
      expect(mine.at(-1)).toEqual(steps.at(-1))
    })
  )

  it.scopedLive("an error event fails both with its type and the request id", () =>
    Effect.gen(function* () {
      const failsAfter = { events: 5, failure: AnthropicApi.failure("overloaded_error") }
      const { api, ours, theirs } = yield* pair({ script: response("Once upon a time", { failsAfter }) })
      const vendors = yield* Effect.flip(promised(() => theirs.messages.stream(params).finalMessage()))
      yield* api.reset
      const mine = yield* Effect.flip(MessageStream.finalMessage(ours.messages.stream(params)))
      expect(vendors).toMatchObject({ type: "overloaded_error", requestID: "req_000000000000000000000001" })
      expect(mine).toMatchObject({ _tag: "OverloadedError", requestId: "req_000000000000000000000001" })
    })
  )
})
