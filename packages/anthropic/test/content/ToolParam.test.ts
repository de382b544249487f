import { Either, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { ToolParam } from "../../src/index.js"

const decode = Schema.decodeUnknownEither(ToolParam.ToolParam)

const input_schema = {
  type: "object",
  properties: { location: { type: "string" } },
  required: ["location"],
  additionalProperties: false
} as const

const tools: ReadonlyArray<ToolParam.ToolParam> = [
  { name: "get_weather", input_schema },
  {
    type: "custom",
    name: "get_weather",
    description: "The weather at a place.",
    input_schema,
    strict: true,
    eager_input_streaming: true,
    input_examples: [{ location: "SF" }],
    cache_control: { type: "ephemeral" }
  },
  { type: "bash_20250124", name: "bash" },
  { type: "text_editor_20250728", name: "str_replace_based_edit_tool", max_characters: 1000 },
  { type: "memory_20250818", name: "memory" },
  { type: "computer_toolset_20260801", configs: { zoom: { enabled: false }, key: null } },
  {
    type: "web_search_20250305",
    name: "web_search",
    max_uses: 5,
    allowed_domains: ["example.com"],
    user_location: { type: "approximate", city: "Berlin", country: null }
  },
  { type: "web_fetch_20250910", name: "web_fetch", citations: { enabled: true }, max_content_tokens: 100 },
  { type: "code_execution_20250825", name: "code_execution", allowed_callers: ["direct"] },
  { type: "tool_search_tool_regex_20251119", name: "tool_search_tool_regex", defer_loading: false },
  ToolParam.untyped({ type: "telescope_20990101", name: "telescope", magnification: 30 })
]

describe("a tool", () => {
  it.each(tools)("5.1 %j can be stored and decoded again", (tool) => {
    expect(decode(JSON.parse(JSON.stringify(tool)))).toEqual(Either.right(tool))
  })

  it.each([
    { name: "get_weather" },
    { type: "custom", name: "get_weather" },
    { name: "get_weather", input_schema: { type: "string" } },
    { type: "bash_20250124", name: "zsh" },
    { type: "web_search_20250305", name: "web_search", max_uses: "5" }
  ])("5.1 %j is invalid", (tool) => {
    expect(Either.isLeft(decode(tool))).toBe(true)
  })

  it.each<ToolParam.ToolChoice>([
    { type: "auto" },
    { type: "any", disable_parallel_tool_use: true },
    { type: "tool", name: "get_weather" },
    { type: "none" }
  ])("5.1 the choice $type can be stored and decoded again", (choice) => {
    expect(Schema.decodeUnknownEither(ToolParam.ToolChoice)(choice)).toEqual(Either.right(choice))
  })
})
