/**
 * Content blocks for the responses of the Anthropic test server, complete and as the events of a stream.
 *
 * @since 0.1.0
 */
import { slices, words } from "./text.js"

/**
 * A JSON object.
 *
 * @since 0.1.0
 * @category models
 */
export type JsonObject = { readonly [name: string]: unknown }

/**
 * How a stream splits a text into deltas: the number of UTF-16 units per delta, or the text of each delta.
 *
 * @since 0.1.0
 * @category models
 */
export type Deltas = number | ReadonlyArray<string>

/**
 * A content block, complete and as the events of a stream.
 *
 * @since 0.1.0
 * @category models
 */
export interface Block {
  /** The complete block, for a response without a stream. */
  readonly block: JsonObject
  /** The block in `content_block_start`. */
  readonly start: JsonObject
  /** The `delta` of each `content_block_delta`. */
  readonly deltas: ReadonlyArray<JsonObject>
}

const split = (text: string, deltas: Deltas | undefined, byDefault: ReadonlyArray<string>) =>
  deltas === undefined ? byDefault : typeof deltas === "number" ? slices(text, deltas) : deltas

/**
 * Makes a text block. A stream sends its citations after its text.
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
    /** The citations of the text (none). */
    readonly citations?: ReadonlyArray<JsonObject>
    /** How a stream splits the text (word by word). */
    readonly deltas?: Deltas
  } = {}
): Block => {
  const { citations, deltas } = options
  return {
    block: { type: "text", text, citations: citations ?? null },
    start: { type: "text", text: "", citations: citations === undefined ? null : [] },
    deltas: [
      ...split(text, deltas, words(text)).map((text) => ({ type: "text_delta", text })),
      ...(citations ?? []).map((citation) => ({ type: "citations_delta", citation }))
    ]
  }
}

/**
 * Makes a thinking block. A stream sends its signature last.
 *
 * @since 0.1.0
 * @category blocks
 */
export const thinking = (
  thinking: string,
  options: {
    /** The signature (a constant one). */
    readonly signature?: string
    /** How a stream splits the thinking (word by word). */
    readonly deltas?: Deltas
  } = {}
): Block => {
  const { deltas, signature = "c2lnbmF0dXJl" } = options
  return {
    block: { type: "thinking", thinking, signature },
    start: { type: "thinking", thinking: "", signature: "" },
    deltas: [
      ...split(thinking, deltas, words(thinking)).map((thinking) => ({ type: "thinking_delta", thinking })),
      { type: "signature_delta", signature }
    ]
  }
}

/**
 * Makes a block of any type that a stream sends complete, such as `redacted_thinking`, `web_search_tool_result`, or a block of
 * an unknown type.
 *
 * @since 0.1.0
 * @category blocks
 */
export const block = (block: JsonObject & { readonly type: string }): Block => ({
  block,
  start: block,
  deltas: []
})

/**
 * The options of a tool call.
 *
 * @since 0.1.0
 * @category models
 */
export interface ToolOptions {
  /** The id of the call (a generated one). */
  readonly id?: string | undefined
  /** The JSON text that a stream sends for the input, for custom escapes, spaces or mistakes (that of `JSON.stringify`). */
  readonly json?: string | undefined
  /** How a stream splits that text, even within an escape (12 UTF-16 units per delta). */
  readonly deltas?: Deltas | undefined
}

const call = (type: string, name: string, input: unknown, options: ToolOptions): Block => {
  const { id, json = JSON.stringify(input), deltas } = options
  const head = { type, ...(id === undefined ? {} : { id }), name }
  return {
    block: { ...head, input, caller: { type: "direct" } },
    start: { ...head, input: {}, caller: { type: "direct" } },
    deltas: ["", ...split(json, deltas, slices(json, 12))].map((partial_json) => ({
      type: "input_json_delta",
      partial_json
    }))
  }
}

/**
 * Makes a call of a tool that the client runs.
 *
 * @example
 * ```ts
 * import { AnthropicApi } from "@effect-api/testing"
 *
 * export const call = AnthropicApi.toolUse("weather", { city: "Zürich" }, {
 *   json: '{"city":"Z\\u00fcrich"}',
 *   deltas: ['{"city":"Z\\u0', '0fcrich"}']
 * })
 * ```
 *
 * @since 0.1.0
 * @category blocks
 */
export const toolUse = (name: string, input: unknown, options: ToolOptions = {}): Block =>
  call("tool_use", name, input, options)

/**
 * Makes a call of a tool that the API runs.
 *
 * @since 0.1.0
 * @category blocks
 */
export const serverToolUse = (name: string, input: unknown, options: ToolOptions = {}): Block =>
  call("server_tool_use", name, input, options)
