import { Either, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { ContentBlockParam } from "../../src/index.js"

const decode = Schema.decodeUnknownEither(ContentBlockParam.ContentBlockParam)

const cache_control = { type: "ephemeral", ttl: "1h" } as const

const blocks: ReadonlyArray<ContentBlockParam.ContentBlockParam> = [
  { type: "text", text: "Hello", cache_control },
  { type: "text", text: "Hello", cache_control: null, citations: null },
  { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } },
  { type: "image", source: { type: "url", url: "https://a.example/cat.png" }, cache_control },
  {
    type: "image",
    source: { type: "file", file_id: "file_1" },
    transformations: { oversized_image: "error" }
  },
  { type: "document", source: { type: "base64", media_type: "application/pdf", data: "JVBERi0=" } },
  {
    type: "document",
    source: { type: "text", media_type: "text/plain", data: "The grass is green." },
    title: "Nature",
    context: null,
    citations: { enabled: true }
  },
  { type: "document", source: { type: "content", content: [{ type: "text", text: "a" }] } },
  { type: "document", source: { type: "content", content: "a" } },
  { type: "document", source: { type: "url", url: "https://a.example/a.pdf" } },
  { type: "document", source: { type: "file", file_id: "file_1" } },
  {
    type: "search_result",
    source: "https://a.example",
    title: "A",
    content: [{ type: "text", text: "a" }],
    citations: { enabled: true }
  },
  { type: "thinking", thinking: "Hm.", signature: "EqQB" },
  { type: "redacted_thinking", data: "EmwK" },
  { type: "tool_use", id: "toolu_1", name: "add", input: { a: 1 }, cache_control },
  { type: "tool_result", tool_use_id: "toolu_1" },
  { type: "tool_result", tool_use_id: "toolu_1", content: "4", is_error: false, cache_control },
  {
    type: "tool_result",
    tool_use_id: "toolu_1",
    content: [
      { type: "text", text: "a" },
      { type: "image", source: { type: "url", url: "https://a.example/cat.png" } },
      { type: "tool_reference", tool_name: "add" },
      ContentBlockParam.untyped({ type: "browser_state", tabs: [] })
    ]
  },
  {
    type: "web_search_tool_result",
    tool_use_id: "srvtoolu_1",
    content: { type: "web_search_tool_result_error", error_code: "unavailable" },
    cache_control
  },
  { type: "container_upload", file_id: "file_1", cache_control },
  ContentBlockParam.untyped({ type: "hologram", size: 2 })
]

describe("a block of a request", () => {
  it.each(blocks)("5.1 $type can be stored and decoded again", (block) => {
    expect(decode(JSON.parse(JSON.stringify(block)))).toEqual(Either.right(block))
    expect(Schema.encodeEither(ContentBlockParam.ContentBlockParam)(block)).toEqual(Either.right(block))
  })

  it.each([
    { type: "text" },
    { type: "image", source: { type: "url" } },
    { type: "document", source: { type: "base64", media_type: "image/png", data: "" } },
    { type: "tool_result", content: "4" },
    { type: "text", text: "a", cache_control: { type: "forever" } }
  ])("5.1 %j is invalid", (block) => {
    expect(Either.isLeft(decode(block))).toBe(true)
  })
})
