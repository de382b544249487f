/**
 * The content blocks of a request. The blocks of a response can be sent back unchanged.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import {
  extended,
  type Kind,
  kind,
  named,
  nullish,
  nullishString,
  ofUnknownType,
  open,
  openLiteral,
  unknownKind
} from "../shared/schema.js"
import * as Citation from "./Citation.js"
import * as ContentBlock from "./ContentBlock.js"
import * as ServerToolResult from "./ServerToolResult.js"

/**
 * Caches the request up to and including this block, for five minutes by default:
 * https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching
 *
 * @since 0.1.0
 * @category models
 */
export const CacheControl = kind("ephemeral", { ttl: Schema.optional(openLiteral("5m", "1h")) })

/** Caches the request up to and including this block. @since 0.1.0 @category models */
export interface CacheControl extends Schema.Schema.Type<typeof CacheControl> {}

const cacheable = { cache_control: nullish(named<CacheControl>(CacheControl)) }

/** A part of a request that can end the cached prefix. @since 0.1.0 @category models */
export interface Cacheable {
  readonly cache_control?: CacheControl | null | undefined
}

/** Text, with citations if it is part of an earlier response. @since 0.1.0 @category blocks */
export const TextBlockParam = kind("text", {
  text: Schema.String,
  citations: nullish(Schema.Array(Citation.Citation)),
  ...cacheable
})

/** Text, with citations if it is part of an earlier response. @since 0.1.0 @category blocks */
export interface TextBlockParam extends Schema.Schema.Type<typeof TextBlockParam> {}

const UrlSource = kind("url", { url: Schema.String })

const FileSource = kind("file", { file_id: Schema.String })

/** The source of an image: base64 bytes, a URL, or an uploaded file. @since 0.1.0 @category models */
export const ImageSource = Schema.Union(
  kind("base64", {
    media_type: openLiteral("image/jpeg", "image/png", "image/gif", "image/webp"),
    data: Schema.String
  }),
  UrlSource,
  FileSource
)

/** The source of an image: base64 bytes, a URL, or an uploaded file. @since 0.1.0 @category models */
export type ImageSource = Schema.Schema.Type<typeof ImageSource>

/** An image. @since 0.1.0 @category blocks */
export const ImageBlockParam = kind("image", {
  source: named<ImageSource>(ImageSource),
  transformations: nullish(
    Schema.Struct({ oversized_image: Schema.optional(openLiteral("downsize", "error")) })
  ),
  ...cacheable
})

/** An image. @since 0.1.0 @category blocks */
export interface ImageBlockParam extends Schema.Schema.Type<typeof ImageBlockParam> {}

/**
 * The source of a document: a PDF as base64 or by URL, plain text, blocks, or an uploaded file.
 *
 * @since 0.1.0
 * @category models
 */
export const DocumentSource = Schema.Union(
  kind("base64", { media_type: Schema.Literal("application/pdf"), data: Schema.String }),
  kind("text", { media_type: Schema.Literal("text/plain"), data: Schema.String }),
  kind("content", {
    content: Schema.Union(
      Schema.String,
      Schema.Array(
        Schema.Union(named<TextBlockParam>(TextBlockParam), named<ImageBlockParam>(ImageBlockParam))
      )
    )
  }),
  UrlSource,
  FileSource
)

/** The source of a document: a PDF as base64 or by URL, plain text, blocks, or an uploaded file. @since 0.1.0 @category models */
export type DocumentSource = Schema.Schema.Type<typeof DocumentSource>

const Citable = Schema.Struct({ enabled: Schema.optional(Schema.Boolean) })

/** A document. The model cites from it if `citations` is enabled. @since 0.1.0 @category blocks */
export const DocumentBlockParam = kind("document", {
  source: named<DocumentSource>(DocumentSource),
  title: nullishString,
  context: nullishString,
  citations: nullish(Citable),
  ...cacheable
})

/** A document. The model cites from it if `citations` is enabled. @since 0.1.0 @category blocks */
export interface DocumentBlockParam extends Schema.Schema.Type<typeof DocumentBlockParam> {}

/** A result of your own search, which the model can cite. @since 0.1.0 @category blocks */
export const SearchResultBlockParam = kind("search_result", {
  source: Schema.String,
  title: Schema.String,
  content: Schema.Array(named<TextBlockParam>(TextBlockParam)),
  citations: nullish(Citable),
  ...cacheable
})

/** A result of your own search, which the model can cite. @since 0.1.0 @category blocks */
export interface SearchResultBlockParam extends Schema.Schema.Type<typeof SearchResultBlockParam> {}

/** A reference to a tool that a search found. @since 0.1.0 @category blocks */
export const ToolReferenceBlockParam = kind("tool_reference", { tool_name: Schema.String, ...cacheable })

/** A reference to a tool that a search found. @since 0.1.0 @category blocks */
export interface ToolReferenceBlockParam extends Schema.Schema.Type<typeof ToolReferenceBlockParam> {}

/** A tool call of an earlier response. @since 0.1.0 @category blocks */
export const ToolUseBlockParam = Schema.Struct({ ...ContentBlock.ToolUseBlock.fields, ...cacheable })

/** A tool call of an earlier response. @since 0.1.0 @category blocks */
export interface ToolUseBlockParam extends Schema.Schema.Type<typeof ToolUseBlockParam> {}

const resultContent = [
  TextBlockParam,
  ImageBlockParam,
  DocumentBlockParam,
  SearchResultBlockParam,
  ToolReferenceBlockParam
] as const

/** A block of a tool's result. @since 0.1.0 @category models */
export const ToolResultContent: Schema.Schema<ToolResultContent> = Schema.Union(
  ...resultContent,
  unknownKind(...resultContent)
)

/** A block of a tool's result. @since 0.1.0 @category models */
export type ToolResultContent =
  | TextBlockParam
  | ImageBlockParam
  | DocumentBlockParam
  | SearchResultBlockParam
  | ToolReferenceBlockParam
  | ContentBlock.UnknownBlock

/** The result of a tool: text or blocks. `is_error` marks a failure. @since 0.1.0 @category blocks */
export const ToolResultBlockParam = kind("tool_result", {
  tool_use_id: Schema.String,
  content: Schema.optional(Schema.Union(Schema.String, Schema.Array(ToolResultContent))),
  is_error: Schema.optional(Schema.Boolean),
  toolset_name: nullishString,
  ...cacheable
})

/** The result of a tool: text or blocks. `is_error` marks a failure. @since 0.1.0 @category blocks */
export interface ToolResultBlockParam extends Schema.Schema.Type<typeof ToolResultBlockParam> {}

const cached = <Type extends string, Fields extends Schema.Struct.Fields>(block: Kind<Type, Fields>) =>
  extended(block, cacheable)

const known = [
  TextBlockParam,
  ImageBlockParam,
  DocumentBlockParam,
  SearchResultBlockParam,
  ContentBlock.ThinkingBlock,
  ContentBlock.RedactedThinkingBlock,
  ToolUseBlockParam,
  ToolResultBlockParam,
  cached(ContentBlock.ServerToolUseBlock),
  cached(ServerToolResult.WebSearchToolResultBlock),
  cached(ServerToolResult.WebFetchToolResultBlock),
  cached(ServerToolResult.CodeExecutionToolResultBlock),
  cached(ServerToolResult.BashCodeExecutionToolResultBlock),
  cached(ServerToolResult.TextEditorToolResultBlock),
  cached(ServerToolResult.ToolSearchToolResultBlock),
  cached(ContentBlock.McpToolUseBlock),
  cached(ContentBlock.McpToolResultBlock),
  cached(ContentBlock.ContainerUploadBlock)
] as const

/** A block of an earlier response about a tool that ran on a server. @since 0.1.0 @category models */
export type ServerToolBlockParam = Cacheable &
  (
    | ContentBlock.ServerToolUseBlock
    | ServerToolResult.WebSearchToolResultBlock
    | ServerToolResult.WebFetchToolResultBlock
    | ServerToolResult.CodeExecutionToolResultBlock
    | ServerToolResult.BashCodeExecutionToolResultBlock
    | ServerToolResult.TextEditorToolResultBlock
    | ServerToolResult.ToolSearchToolResultBlock
    | ContentBlock.McpToolUseBlock
    | ContentBlock.McpToolResultBlock
    | ContentBlock.ContainerUploadBlock
  )

/** The schema of a block of a request, for programs that store or check conversations. @since 0.1.0 @category models */
export const ContentBlockParam: Schema.Schema<ContentBlockParam> = open(
  Schema.Union(...known, unknownKind(...known)),
  "ContentBlockParam"
)

/**
 * A block of a request. All blocks of responses are included.
 *
 * @example
 * ```ts
 * import type { ContentBlockParam } from "@effect-api/anthropic"
 *
 * const blocks: ReadonlyArray<ContentBlockParam.ContentBlockParam> = [
 *   { type: "image", source: { type: "url", url: "https://example.com/cat.png" } },
 *   { type: "text", text: "Whose cat is this?", cache_control: { type: "ephemeral" } }
 * ]
 * ```
 * @since 0.1.0
 * @category models
 */
export type ContentBlockParam =
  | TextBlockParam
  | ImageBlockParam
  | DocumentBlockParam
  | SearchResultBlockParam
  | ContentBlock.ThinkingBlock
  | ContentBlock.RedactedThinkingBlock
  | ToolUseBlockParam
  | ToolResultBlockParam
  | ServerToolBlockParam
  | ContentBlock.UnknownBlock

/**
 * Makes a block of a type that this version does not know. It is sent unchanged.
 *
 * @example
 * ```ts
 * import { ContentBlockParam } from "@effect-api/anthropic"
 *
 * const hologram = ContentBlockParam.untyped({ type: "hologram", depth: 3 })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const untyped = (block: {
  readonly type: string
  readonly [field: string]: unknown
}): ContentBlock.UnknownBlock => ofUnknownType(block)
