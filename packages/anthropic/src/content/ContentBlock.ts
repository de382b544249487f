/**
 * The blocks that an answer is made of: https://docs.anthropic.com/en/api/messages
 *
 * Kinds that are not known yet come as an {@link UnknownBlock}, and unknown fields of known kinds stay: a new feature of
 * the API breaks no program.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { kind, named, nullish, open, unknownKind } from "../shared/schema.js"
import * as Citation from "./Citation.js"
import * as ServerToolResult from "./ServerToolResult.js"

/** Text, with where it comes from if the request asked for citations. @since 0.1.0 @category blocks */
export const TextBlock = kind("text", {
  text: Schema.String,
  citations: nullish(Schema.Array(Citation.Citation))
})

/** Text, with where it comes from if the request asked for citations. @since 0.1.0 @category blocks */
export interface TextBlock extends Schema.Schema.Type<typeof TextBlock> {}

/** What the model thought; `signature` lets it be sent back. @since 0.1.0 @category blocks */
export const ThinkingBlock = kind("thinking", { thinking: Schema.String, signature: Schema.String })

/** What the model thought; `signature` lets it be sent back. @since 0.1.0 @category blocks */
export interface ThinkingBlock extends Schema.Schema.Type<typeof ThinkingBlock> {}

/** What the model thought, readable for the server only. @since 0.1.0 @category blocks */
export const RedactedThinkingBlock = kind("redacted_thinking", { data: Schema.String })

/** What the model thought, readable for the server only. @since 0.1.0 @category blocks */
export interface RedactedThinkingBlock extends Schema.Schema.Type<typeof RedactedThinkingBlock> {}

/**
 * A tool that the program is asked to run. `input` is JSON that the model wrote: decode it with the tool's schema.
 *
 * @since 0.1.0
 * @category blocks
 */
export const ToolUseBlock = kind("tool_use", {
  id: Schema.String,
  name: Schema.String,
  input: Schema.Unknown,
  caller: nullish(named<ServerToolResult.ToolCaller>(ServerToolResult.ToolCaller)),
  toolset_name: nullish(Schema.String)
})

/** A tool that the program is asked to run. @since 0.1.0 @category blocks */
export interface ToolUseBlock extends Schema.Schema.Type<typeof ToolUseBlock> {}

/** A tool that the server runs by itself. @since 0.1.0 @category blocks */
export const ServerToolUseBlock = kind("server_tool_use", {
  id: Schema.String,
  name: Schema.String,
  input: Schema.Unknown,
  caller: nullish(named<ServerToolResult.ToolCaller>(ServerToolResult.ToolCaller))
})

/** A tool that the server runs by itself. @since 0.1.0 @category blocks */
export interface ServerToolUseBlock extends Schema.Schema.Type<typeof ServerToolUseBlock> {}

/** A tool of an MCP server that the API calls. @since 0.1.0 @category blocks */
export const McpToolUseBlock = kind("mcp_tool_use", {
  id: Schema.String,
  name: Schema.String,
  server_name: Schema.String,
  input: Schema.Unknown
})

/** A tool of an MCP server that the API calls. @since 0.1.0 @category blocks */
export interface McpToolUseBlock extends Schema.Schema.Type<typeof McpToolUseBlock> {}

/** What a tool of an MCP server gave. @since 0.1.0 @category blocks */
export const McpToolResultBlock = kind("mcp_tool_result", {
  tool_use_id: Schema.String,
  is_error: Schema.Boolean,
  content: Schema.Union(Schema.String, Schema.Array(named<TextBlock>(TextBlock)))
})

/** What a tool of an MCP server gave. @since 0.1.0 @category blocks */
export interface McpToolResultBlock extends Schema.Schema.Type<typeof McpToolResultBlock> {}

/** A file that is there for the code execution tool. @since 0.1.0 @category blocks */
export const ContainerUploadBlock = kind("container_upload", { file_id: Schema.String })

/** A file that is there for the code execution tool. @since 0.1.0 @category blocks */
export interface ContainerUploadBlock extends Schema.Schema.Type<typeof ContainerUploadBlock> {}

const known = [
  TextBlock,
  ThinkingBlock,
  RedactedThinkingBlock,
  ToolUseBlock,
  ServerToolUseBlock,
  ServerToolResult.WebSearchToolResultBlock,
  ServerToolResult.WebFetchToolResultBlock,
  ServerToolResult.CodeExecutionToolResultBlock,
  ServerToolResult.BashCodeExecutionToolResultBlock,
  ServerToolResult.TextEditorToolResultBlock,
  ServerToolResult.ToolSearchToolResultBlock,
  McpToolUseBlock,
  McpToolResultBlock,
  ContainerUploadBlock
] as const

/** A kind of block that this version does not know, with all its fields. @since 0.1.0 @category blocks */
export const UnknownBlock = unknownKind(...known)

/** A kind of block that this version does not know, with all its fields. @since 0.1.0 @category blocks */
export interface UnknownBlock extends Schema.Schema.Type<typeof UnknownBlock> {}

/**
 * A block of an answer, told apart by its `type`.
 *
 * @example
 * ```ts
 * import { ContentBlock } from "@effect-api/anthropic"
 *
 * const show = (block: ContentBlock.ContentBlock): string => {
 *   switch (block.type) {
 *     case "text":
 *       return block.text
 *     case "tool_use":
 *       return `${block.name}(${JSON.stringify(block.input)})`
 *     default:
 *       return ""
 *   }
 * }
 * ```
 * @since 0.1.0
 * @category models
 */
export const ContentBlock: Schema.Schema<ContentBlock> = open(
  Schema.Union(...known, UnknownBlock),
  "ContentBlock"
)

/** A block of an answer, told apart by its `type`. @since 0.1.0 @category models */
export type ContentBlock =
  | TextBlock
  | ThinkingBlock
  | RedactedThinkingBlock
  | ToolUseBlock
  | ServerToolUseBlock
  | ServerToolResult.WebSearchToolResultBlock
  | ServerToolResult.WebFetchToolResultBlock
  | ServerToolResult.CodeExecutionToolResultBlock
  | ServerToolResult.BashCodeExecutionToolResultBlock
  | ServerToolResult.TextEditorToolResultBlock
  | ServerToolResult.ToolSearchToolResultBlock
  | McpToolUseBlock
  | McpToolResultBlock
  | ContainerUploadBlock
  | UnknownBlock
