import { AnthropicPromise } from "@effect-api/anthropic"
import { AnthropicApi } from "@effect-api/testing"
import { describe, expect, it } from "vitest"
import * as BasicStream from "../src/anthropic/basicStream.js"
import * as BatchResults from "../src/anthropic/batchResults.js"
import * as Cancellation from "../src/anthropic/cancellation.js"
import * as CountTokens from "../src/anthropic/countTokens.js"
import * as Demo from "../src/anthropic/demo.js"
import * as Middlewares from "../src/anthropic/middleware.js"
import type { Program } from "../src/anthropic/program.js"
import * as RawStreaming from "../src/anthropic/rawStreaming.js"
import * as Streaming from "../src/anthropic/streaming.js"
import * as StructuredOutputsJsonSchema from "../src/anthropic/structuredOutputsJsonSchema.js"
import * as StructuredOutputsZod from "../src/anthropic/structuredOutputsZod.js"
import * as Thinking from "../src/anthropic/thinking.js"
import * as ThinkingStream from "../src/anthropic/thinkingStream.js"
import * as Tools from "../src/anthropic/tools.js"
import * as ToolsHelpersAdvancedStreaming from "../src/anthropic/toolsHelpersAdvancedStreaming.js"
import * as ToolsHelpersJsonSchema from "../src/anthropic/toolsHelpersJsonSchema.js"
import * as ToolsHelpersZod from "../src/anthropic/toolsHelpersZod.js"
import * as ToolsStreaming from "../src/anthropic/toolsStreaming.js"
import * as Vision from "../src/anthropic/vision.js"
import * as WebSearch from "../src/anthropic/webSearch.js"

interface Case {
  readonly name: string
  readonly run: Program
  readonly api?: AnthropicApi.Options
  readonly prints: ReadonlyArray<string>
  readonly faults?: ReadonlyArray<AnthropicApi.Fault>
  /** What the last request had, in part. */
  readonly sends?: object
}

const haiku = [
  AnthropicApi.thinking("Five, seven, five.", { deltas: ["Five, ", "seven, five."] }),
  AnthropicApi.text("Calm minds.", { deltas: ["Calm ", "minds."] })
]
const slow = AnthropicApi.response("Once upon a time there was a story.", { delay: "1 millis" })

const primes = AnthropicApi.response(
  AnthropicApi.text('{"primes":[2,3,5]}', { deltas: ['{"primes":[2', ",3,5", "]}"] })
)

const cases: ReadonlyArray<Case> = [
  {
    name: "demo",
    run: Demo.run,
    prints: ["You said: Hello, Claude!", expect.stringMatching(/^end_turn: \d+ in, \d+ out$/)],
    sends: { max_tokens: 1024, messages: [{ role: "user", content: "Hello, Claude!" }] }
  },
  {
    name: "basic stream",
    run: BasicStream.run,
    api: {
      script: AnthropicApi.response(AnthropicApi.text("Hello there!", { deltas: ["Hello ", "there!"] }))
    },
    prints: ["Hello ", "there!", "end_turn"],
    sends: { stream: true }
  },
  {
    name: "raw streaming",
    run: RawStreaming.run,
    api: { script: AnthropicApi.response(AnthropicApi.text("Eighteen.", { deltas: ["Eight", "een."] })) },
    prints: [
      "message_start",
      "content_block_start",
      "Eight",
      "een.",
      "content_block_stop",
      "message_delta",
      "message_stop"
    ],
    sends: { stream: true }
  },
  {
    name: "cancellation",
    run: Cancellation.run,
    api: { script: ({ params }) => (params.stream === true ? slow : new Promise(() => {})) },
    prints: ["aborted: AbortError", "too late: TimeoutError", "left after 2 deltas"],
    sends: { stream: true }
  },
  { name: "count tokens", run: CountTokens.run, prints: [expect.stringMatching(/^\d+ tokens$/)] },
  {
    name: "tools",
    run: Tools.run,
    api: {
      script: [
        AnthropicApi.response(AnthropicApi.toolUse("get_weather", { location: "SF" })),
        ({ text }) => `I know: ${text}.`
      ]
    },
    prints: ['tool_use: get_weather {"location":"SF"}', "I know: The weather is 73f."],
    sends: {
      messages: [
        { role: "user" },
        { role: "assistant" },
        { role: "user", content: [{ type: "tool_result" }] }
      ]
    }
  },
  {
    name: "thinking",
    run: Thinking.run,
    api: { script: AnthropicApi.response(haiku) },
    prints: ["Thinking: Five, seven, five.", "Text: Calm minds."],
    sends: { thinking: { type: "adaptive" } }
  },
  {
    name: "thinking stream",
    run: ThinkingStream.run,
    api: { script: AnthropicApi.response(haiku) },
    prints: ["Thinking: Five, ", "Thinking: seven, five.", "Text: Calm ", "Text: minds."],
    sends: { stream: true, thinking: { type: "adaptive" } }
  },
  {
    name: "batch results",
    run: BatchResults.run,
    api: { batchPolls: 0 },
    prints: ["ended: 2 succeeded", "second: succeeded", "first: succeeded"]
  },
  {
    name: "web search",
    run: WebSearch.run,
    api: {
      script: AnthropicApi.response(
        [
          AnthropicApi.serverToolUse("web_search", { query: "weather New York" }),
          AnthropicApi.block({
            type: "web_search_tool_result",
            tool_use_id: "srvtoolu_1",
            content: [
              {
                type: "web_search_result",
                url: "https://weather.example/ny",
                title: "New York",
                encrypted_content: "x",
                page_age: null
              }
            ]
          }),
          AnthropicApi.text("It is sunny.", {
            citations: [
              {
                type: "web_search_result_location",
                url: "https://weather.example/ny",
                title: "New York",
                cited_text: "sunny",
                encrypted_index: "x"
              }
            ]
          })
        ],
        {
          stopReason: "end_turn",
          usage: { server_tool_use: { web_search_requests: 1, web_fetch_requests: 0 } }
        }
      )
    },
    prints: [
      'searched: {"query":"weather New York"}',
      "It is sunny.",
      "source: https://weather.example/ny",
      "1 search(es)"
    ],
    sends: { tools: [{ name: "web_search", type: "web_search_20250305" }] }
  },
  {
    name: "vision",
    run: Vision.run,
    api: { script: "It is red." },
    prints: ["It is red."],
    sends: {
      messages: [
        {
          content: [
            { type: "text" },
            { type: "image", source: { data: expect.stringMatching(/^iVBORw0KGgo/) } }
          ]
        }
      ]
    }
  },
  {
    name: "streaming",
    run: Streaming.run,
    api: {
      script: AnthropicApi.response([AnthropicApi.thinking("Walk it."), AnthropicApi.text("Use walkdir.")])
    },
    prints: ["thinking block", "text block", "2 block(s), end_turn"],
    sends: { stream: true }
  },
  {
    name: "tools, streaming",
    run: ToolsStreaming.run,
    api: {
      script: AnthropicApi.response(
        AnthropicApi.toolUse("get_weather", { location: "SF" }, { deltas: ['{"location":', ' "S', 'F"}'] })
      )
    },
    prints: [" -> {}", '{"location": -> {}', ' "S -> {"location":"S"}', 'F"} -> {"location":"SF"}'],
    sends: { stream: true }
  },
  {
    name: "tools with zod",
    run: ToolsHelpersZod.run,
    api: {
      script: [
        AnthropicApi.response(AnthropicApi.toolUse("get_weather", { location: "SF" })),
        ({ text }) => `I know: ${text}`
      ]
    },
    prints: ["I know: The weather is foggy with a temperature of 20°C in SF."],
    sends: {
      tools: [
        {
          name: "get_weather",
          input_schema: {
            type: "object",
            properties: { location: { type: "string", description: expect.stringContaining("city") } },
            required: ["location"]
          }
        }
      ]
    }
  },
  {
    name: "tools with a JSON Schema",
    run: ToolsHelpersJsonSchema.run,
    api: {
      script: [
        AnthropicApi.response(AnthropicApi.toolUse("convert", { amount: "much", to: "EUR" })),
        AnthropicApi.response(AnthropicApi.toolUse("convert", { amount: 100, to: "EUR" })),
        ({ text }) => text
      ]
    },
    prints: ['convert {"amount":"much","to":"EUR"}', 'convert {"amount":100,"to":"EUR"}', "85 EUR"]
  },
  {
    name: "tools, advanced and streaming",
    run: ToolsHelpersAdvancedStreaming.run,
    api: {
      script: [
        AnthropicApi.response([
          AnthropicApi.toolUse("getWeather", { location: "SF" }),
          AnthropicApi.toolUse("getTime", { timezone: "PST" }),
          AnthropicApi.toolUse("getCurrencyExchangeRate", { from: "EUR", to: "USD" })
        ]),
        ({ text }) => AnthropicApi.response(AnthropicApi.text(text, { deltas: text.split(/(?<=\n)/) }))
      ]
    },
    prints: [
      "message",
      "call getWeather",
      "call getTime",
      "call getCurrencyExchangeRate",
      "message",
      "The weather is sunny with a temperature of 20°C in SF.\n",
      "The current time in PST is 3:00 PM.\n",
      "The exchange rate from EUR to USD is 0.85."
    ],
    sends: { stream: true }
  },
  {
    name: "structured outputs with zod",
    run: StructuredOutputsZod.run,
    api: { script: primes },
    prints: ["the sum is 10"],
    sends: {
      output_config: {
        format: { type: "json_schema", schema: { properties: { primes: { type: "array" } } } }
      }
    }
  },
  {
    name: "structured outputs with a JSON Schema",
    run: StructuredOutputsJsonSchema.run,
    api: { script: primes },
    prints: ['{"primes":[]}', '{"primes":[2,3]}', '{"primes":[2,3,5]}', "the largest is 5"],
    sends: { stream: true, output_config: { format: { type: "json_schema" } } }
  },
  {
    name: "middleware",
    run: Middlewares.run,
    faults: [AnthropicApi.failure("overloaded_error")],
    prints: [
      "-> POST /v1/messages",
      "<- 529 /v1/messages",
      "-> POST /v1/messages",
      "<- 200 /v1/messages",
      "end_turn"
    ]
  }
]

describe("the programs of Anthropic's examples", () => {
  it.each(cases)("$name", async ({ api, faults = [], prints, run, sends = {} }) => {
    await using server = await AnthropicApi.start(api)
    await using anthropic = AnthropicPromise.make({ apiKey: "test", baseUrl: server.url })
    server.inject(...faults)
    const printed: Array<string> = []
    await run(anthropic, (line) => printed.push(line))
    expect(printed).toEqual(prints)
    const last = server.requests().at(-1)
    expect(last?.body.length ? last.json : {}).toMatchObject(sends)
  })
})
