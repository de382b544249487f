import { Either, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { ContentBlock } from "../../src/index.js"

const decode = Schema.decodeUnknownEither(ContentBlock.ContentBlock)

const location = { cited_text: "the grass is green", document_index: 0, document_title: "Nature" }

const citations = [
  { type: "char_location", ...location, start_char_index: 0, end_char_index: 18, file_id: null },
  { type: "page_location", ...location, document_title: null, start_page_number: 1, end_page_number: 2 },
  { type: "content_block_location", ...location, start_block_index: 0, end_block_index: 1 },
  {
    type: "web_search_result_location",
    cited_text: "...",
    url: "https://example.com",
    title: null,
    encrypted_index: "Eo8B"
  },
  {
    type: "search_result_location",
    cited_text: "...",
    search_result_index: 0,
    source: "https://docs.example.com",
    title: "Docs",
    start_block_index: 0,
    end_block_index: 1
  },
  { type: "map_location", latitude: 1 }
]

const direct = { caller: { type: "direct" } }

const ran = { stdout: "4\n", stderr: "", return_code: 0, content: [] }

const result = (type: string, content: unknown) => ({ type, tool_use_id: "srvtoolu_1", content })

const blocks: ReadonlyArray<{ readonly type: string; readonly [field: string]: unknown }> = [
  { type: "text", text: "Hello" },
  { type: "text", text: "", citations: null },
  { type: "text", text: "Green.", citations },
  { type: "thinking", thinking: "Hm.", signature: "EqQB" },
  { type: "redacted_thinking", data: "EmwK" },
  { type: "tool_use", id: "toolu_1", name: "get_weather", input: { location: "SF" } },
  { type: "tool_use", id: "toolu_1", name: "left_click", toolset_name: "browser", input: {}, ...direct },
  {
    type: "tool_use",
    id: "toolu_1",
    name: "x",
    input: null,
    caller: { type: "code_execution_20990101", tool_id: "a" }
  },
  { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "otters" }, ...direct },
  { type: "server_tool_use", id: "srvtoolu_1", name: "a future tool", input: "text" },
  {
    ...direct,
    ...result("web_search_tool_result", [
      {
        type: "web_search_result",
        url: "https://a.example",
        title: "A",
        encrypted_content: "x",
        page_age: null
      }
    ])
  },
  result("web_search_tool_result", {
    type: "web_search_tool_result_error",
    error_code: "a code of tomorrow"
  }),
  result("web_search_tool_result", { type: "web_search_summary", text: "..." }),
  result("web_fetch_tool_result", {
    type: "web_fetch_result",
    url: "https://a.example",
    retrieved_at: "2025-08-25T10:30:00Z",
    content: {
      type: "document",
      source: { type: "text", media_type: "text/plain", data: "..." },
      title: null,
      citations: { enabled: true }
    }
  }),
  result("web_fetch_tool_result", {
    type: "web_fetch_tool_result_error",
    error_code: "url_not_accessible"
  }),
  result("code_execution_tool_result", { type: "code_execution_result", ...ran }),
  result("code_execution_tool_result", {
    type: "encrypted_code_execution_result",
    encrypted_stdout: "x",
    ...ran
  }),
  result("code_execution_tool_result", {
    type: "code_execution_tool_result_error",
    error_code: "unavailable"
  }),
  result("bash_code_execution_tool_result", {
    ...ran,
    type: "bash_code_execution_result",
    content: [{ type: "bash_code_execution_output", file_id: "file_1" }]
  }),
  result("text_editor_code_execution_tool_result", {
    type: "text_editor_code_execution_view_result",
    file_type: "text",
    content: "a\nb",
    num_lines: 2,
    start_line: 1,
    total_lines: 2
  }),
  result("text_editor_code_execution_tool_result", {
    type: "text_editor_code_execution_create_result",
    is_file_update: false
  }),
  result("text_editor_code_execution_tool_result", {
    type: "text_editor_code_execution_str_replace_result",
    lines: ["-a", "+b"],
    old_start: 1,
    old_lines: 1,
    new_start: 1,
    new_lines: 1
  }),
  result("text_editor_code_execution_tool_result", {
    type: "text_editor_code_execution_tool_result_error",
    error_code: "file_not_found",
    error_message: null
  }),
  result("tool_search_tool_result", {
    type: "tool_search_tool_search_result",
    tool_references: [{ type: "tool_reference", tool_name: "get_weather" }]
  }),
  {
    type: "mcp_tool_use",
    id: "mcptoolu_1",
    name: "echo",
    server_name: "example",
    input: { text: "hi" }
  },
  {
    type: "mcp_tool_result",
    tool_use_id: "mcptoolu_1",
    is_error: false,
    content: [{ type: "text", text: "hi" }]
  },
  { type: "container_upload", file_id: "file_1" }
]

/** Adds a field that no schema knows to every object, at every depth. */
const withMore = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(withMore)
    : typeof value === "object" && value !== null
      ? {
          ...Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withMore(inner)])),
          tomorrow: 1
        }
      : value

describe("a block of a response", () => {
  it.each(blocks)("8.4 $type decodes unchanged", (block) => {
    expect(decode(block)).toEqual(Either.right(block))
  })

  it.each(blocks)("8.4 $type keeps unknown fields at every depth", (block) => {
    expect(decode(withMore(block))).toEqual(Either.right(withMore(block)))
  })

  it("8.4 a block of an unknown type keeps all its fields", () => {
    const block = { type: "hologram", size: { height: 2 }, data: [1] }
    expect(decode(block)).toEqual(Either.right(block))
  })

  it.each([
    [{ type: "text", text: 1 }, "text", '["text"]'],
    [{ type: "text", text: "", citations: [{ type: "char_location" }] }, "text", "char_location"],
    [{ type: "thinking", thinking: "" }, "thinking", '["signature"]'],
    [{ type: "tool_use", id: "a", input: {} }, "tool_use", '["name"]'],
    [{ type: "tool_use", id: 1, name: "a", input: {} }, "tool_use", '["id"]'],
    [
      result("web_search_tool_result", [{ type: "web_search_result" }]),
      "web_search_tool_result",
      '["content"]'
    ],
    [
      result("web_search_tool_result", { type: "web_search_tool_result_error" }),
      "web_search_tool_result",
      '["error_code"]'
    ],
    [result("tool_search_tool_result", { type: "tool_search_tool_search_result" }), "tool_references"]
  ])("7.4 %j is invalid, and not a block of an unknown type", (block, ...said) => {
    const decoded = decode(block)
    const message = Either.isLeft(decoded) ? decoded.left.message : "it fits"
    for (const word of said) expect(message).toContain(word)
    expect(message).toContain(`"${block.type}" is a known type: its fields do not fit`)
    // The message names the types, without their fields.
    expect(message.length).toBeLessThan(1500)
  })

  it.each([null, "text", 1, [], {}, { type: 1 }, { text: "a" }])("7.4 %j is not a block", (value) => {
    expect(Either.isLeft(decode(value))).toBe(true)
  })
})
