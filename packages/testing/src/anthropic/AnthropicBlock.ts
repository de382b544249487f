/**
 * Blocks of content for the answers of the Anthropic test server: whole, and as a stream tells them.
 *
 * @since 0.1.0
 */
import { slices, words } from "./pieces.js"

/**
 * A JSON object, as it stands on the wire.
 *
 * @since 0.1.0
 * @category models
 */
export type JsonObject = { readonly [name: string]: unknown }

/**
 * How a text is split over the deltas of a stream: so many UTF-16 units each, or exactly these pieces.
 *
 * @since 0.1.0
 * @category models
 */
export type Pieces = number | ReadonlyArray<string>

/**
 * One block of content: whole, and as the stream tells it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Block {
  /** The block in an answer that is not streamed. */
  readonly whole: JsonObject
  /** The block in its `content_block_start`. */
  readonly start: JsonObject
  /** The `delta` of each `content_block_delta`. */
  readonly deltas: ReadonlyArray<JsonObject>
}

const split = (text: string, pieces: Pieces | undefined, byDefault: ReadonlyArray<string>) =>
  pieces === undefined ? byDefault : typeof pieces === "number" ? slices(text, pieces) : pieces

/**
 * A block of text, told word by word unless `pieces` says otherwise; citations follow the text.
 *
 * @example
 * ```ts
 * import { AnthropicApi } from "@effect-api/testing"
 *
 * export const cited = AnthropicApi.text("The grass is green.", {
 *   citations: [{ type: "char_location", cited_text: "green", document_index: 0, start_char_index: 0, end_char_index: 5 }]
 * })
 * ```
 *
 * @since 0.1.0
 * @category blocks
 */
export const text = (
  text: string,
  options: {
    /** The citations of the text. */ readonly citations?: ReadonlyArray<JsonObject> /** How a stream cuts it. */
    /** How a stream cuts it. */
    readonly pieces?: Pieces
  } = {}
): Block => {
  const { citations, pieces } = options
  return {
    whole: { type: "text", text, citations: citations ?? null },
    start: { type: "text", text: "", citations: citations === undefined ? null : [] },
    deltas: [
      ...split(text, pieces, words(text)).map((text) => ({ type: "text_delta", text })),
      ...(citations ?? []).map((citation) => ({ type: "citations_delta", citation }))
    ]
  }
}

/**
 * A block of thinking and its signature, which comes last.
 *
 * @since 0.1.0
 * @category blocks
 */
export const thinking = (
  thinking: string,
  options: {
    /** The signature at its end. */ readonly signature?: string /** How a stream cuts it. */
    /** How a stream cuts it. */
    readonly pieces?: Pieces
  } = {}
): Block => {
  const { pieces, signature = "c2lnbmF0dXJl" } = options
  return {
    whole: { type: "thinking", thinking, signature },
    start: { type: "thinking", thinking: "", signature: "" },
    deltas: [
      ...split(thinking, pieces, words(thinking)).map((thinking) => ({ type: "thinking_delta", thinking })),
      { type: "signature_delta", signature }
    ]
  }
}

/**
 * A block that comes whole, of any type: `redacted_thinking`, `web_search_tool_result`, one not known yet.
 *
 * @since 0.1.0
 * @category blocks
 */
export const block = (whole: JsonObject & { readonly type: string }): Block => ({
  whole,
  start: whole,
  deltas: []
})

/**
 * How the input of a tool is told.
 *
 * @since 0.1.0
 * @category models
 */
export interface ToolOptions {
  /** The id of the call; the server counts its own. */
  readonly id?: string | undefined
  /** The JSON text of the input as it is streamed, for spellings of your own: escapes, spaces, mistakes. */
  readonly json?: string | undefined
  /** How that text is split, in the middle of an escape too; 12 units each by default. */
  readonly pieces?: Pieces | undefined
}

const call = (type: string, name: string, input: unknown, options: ToolOptions): Block => {
  const { id, json = JSON.stringify(input), pieces } = options
  const named = { type, ...(id === undefined ? {} : { id }), name }
  return {
    whole: { ...named, input, caller: { type: "direct" } },
    start: { ...named, input: {}, caller: { type: "direct" } },
    deltas: ["", ...split(json, pieces, slices(json, 12))].map((partial_json) => ({
      type: "input_json_delta",
      partial_json
    }))
  }
}

/**
 * A call of a tool of the client.
 *
 * @example
 * ```ts
 * import { AnthropicApi } from "@effect-api/testing"
 *
 * export const call = AnthropicApi.toolUse("weather", { city: "Zürich" }, {
 *   json: '{"city":"Z\\u00fcrich"}',
 *   pieces: ['{"city":"Z\\u0', '0fcrich"}']
 * })
 * ```
 *
 * @since 0.1.0
 * @category blocks
 */
export const toolUse = (name: string, input: unknown, options: ToolOptions = {}): Block =>
  call("tool_use", name, input, options)

/**
 * A call of a tool that the API runs itself.
 *
 * @since 0.1.0
 * @category blocks
 */
export const serverToolUse = (name: string, input: unknown, options: ToolOptions = {}): Block =>
  call("server_tool_use", name, input, options)
