/**
 * The content blocks of a response: https://docs.anthropic.com/en/api/messages
 *
 * A block of an unknown type decodes as an {@link UnknownBlock}, and unknown fields are kept. New features of the API
 * therefore do not break programs.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { kind, named, nullish, nullishString, open, type UnknownKind, unknownKind } from "../shared/schema.js"
import * as Citation from "./Citation.js"
import * as ServerToolResult from "./ServerToolResult.js"

/**
 * @since 0.1.0
 */
export * from "./Citation.js"

/**
 * @since 0.1.0
 */
export * from "./ServerToolResult.js"

/** Text, with citations if the request enabled them. @since 0.1.0 @category blocks */
export const TextBlock = kind("text", {
  text: Schema.String,
  citations: nullish(Schema.Array(Citation.Citation))
})

/** Text, with citations if the request enabled them. @since 0.1.0 @category blocks */
export interface TextBlock extends Schema.Schema.Type<typeof TextBlock> {}

/** Thinking of the model. The API checks `signature` when a request sends the block back. @since 0.1.0 @category blocks */
export const ThinkingBlock = kind("thinking", { thinking: Schema.String, signature: Schema.String })

/** Thinking of the model. The API checks `signature` when a request sends the block back. @since 0.1.0 @category blocks */
export interface ThinkingBlock extends Schema.Schema.Type<typeof ThinkingBlock> {}

/** Encrypted thinking, which only the server can read. @since 0.1.0 @category blocks */
export const RedactedThinkingBlock = kind("redacted_thinking", { data: Schema.String })

/** Encrypted thinking, which only the server can read. @since 0.1.0 @category blocks */
export interface RedactedThinkingBlock extends Schema.Schema.Type<typeof RedactedThinkingBlock> {}

/**
 * A call of a tool that the program runs. The model wrote the JSON in `input`: decode it with the tool's schema.
 *
 * @since 0.1.0
 * @category blocks
 */
export const ToolUseBlock = kind("tool_use", {
  id: Schema.String,
  name: Schema.String,
  input: Schema.Unknown,
  caller: nullish(named<ServerToolResult.ToolCaller>(ServerToolResult.ToolCaller)),
  toolset_name: nullishString
})

/** A call of a tool that the program runs. @since 0.1.0 @category blocks */
export interface ToolUseBlock extends Schema.Schema.Type<typeof ToolUseBlock> {}

/** A call of a tool that the server runs. @since 0.1.0 @category blocks */
export const ServerToolUseBlock = kind("server_tool_use", {
  id: Schema.String,
  name: Schema.String,
  input: Schema.Unknown,
  caller: nullish(named<ServerToolResult.ToolCaller>(ServerToolResult.ToolCaller))
})

/** A call of a tool that the server runs. @since 0.1.0 @category blocks */
export interface ServerToolUseBlock extends Schema.Schema.Type<typeof ServerToolUseBlock> {}

/** A call that the API makes to a tool of an MCP server. @since 0.1.0 @category blocks */
export const McpToolUseBlock = kind("mcp_tool_use", {
  id: Schema.String,
  name: Schema.String,
  server_name: Schema.String,
  input: Schema.Unknown
})

/** A call that the API makes to a tool of an MCP server. @since 0.1.0 @category blocks */
export interface McpToolUseBlock extends Schema.Schema.Type<typeof McpToolUseBlock> {}

/** The result of a tool of an MCP server. @since 0.1.0 @category blocks */
export const McpToolResultBlock = kind("mcp_tool_result", {
  tool_use_id: Schema.String,
  is_error: Schema.Boolean,
  content: Schema.Union(Schema.String, Schema.Array(named<TextBlock>(TextBlock)))
})

/** The result of a tool of an MCP server. @since 0.1.0 @category blocks */
export interface McpToolResultBlock extends Schema.Schema.Type<typeof McpToolResultBlock> {}

/** A file made available to the code execution tool. @since 0.1.0 @category blocks */
export const ContainerUploadBlock = kind("container_upload", { file_id: Schema.String })

/** A file made available to the code execution tool. @since 0.1.0 @category blocks */
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

/** A block of a type that this version does not know, with all its fields. @since 0.1.0 @category blocks */
export const UnknownBlock: Schema.Schema<UnknownBlock> = unknownKind(...known)

/** A block of a type that this version does not know, with all its fields. @since 0.1.0 @category blocks */
export interface UnknownBlock extends UnknownKind {}

/**
 * A content block of a response. Its `type` discriminates the union.
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

/** A content block of a response. Its `type` discriminates the union. @since 0.1.0 @category models */
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
