/**
 * The tools that a request offers, and whether the model has to use them.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import {
  kind,
  named,
  nullish,
  nullishBoolean,
  nullishNumber,
  nullishString,
  ofUnknownType,
  open,
  openLiteral,
  type UnknownKind,
  unknownKind
} from "../shared/schema.js"
import { CacheControl } from "./ContentBlockParam.js"

/** Fields that every tool may have. */
const common = {
  cache_control: nullish(named<CacheControl>(CacheControl)),
  defer_loading: Schema.optional(Schema.Boolean),
  strict: Schema.optional(Schema.Boolean),
  allowed_callers: Schema.optional(
    Schema.Array(openLiteral("direct", "code_execution_20250825", "code_execution_20260120"))
  )
}

const examples = {
  input_examples: Schema.optional(Schema.Array(Schema.Record({ key: Schema.String, value: Schema.Unknown })))
}

/** The JSON Schema of an object. @since 0.1.0 @category models */
export const InputSchema = Schema.Struct(
  {
    type: Schema.Literal("object"),
    properties: nullish(Schema.Unknown),
    required: nullish(Schema.Array(Schema.String))
  },
  { key: Schema.String, value: Schema.Unknown }
)

/** The JSON Schema of an object. @since 0.1.0 @category models */
export interface InputSchema extends Schema.Schema.Type<typeof InputSchema> {}

/** A custom tool that the program runs, with the schema of its input. @since 0.1.0 @category tools */
export const CustomTool = Schema.Struct({
  type: nullish(Schema.Literal("custom")),
  name: Schema.String,
  description: Schema.optional(Schema.String),
  input_schema: named<InputSchema>(InputSchema),
  eager_input_streaming: nullishBoolean,
  ...common,
  ...examples
}).annotations({ identifier: "CustomTool" })

/** A custom tool that the program runs, with the schema of its input. @since 0.1.0 @category tools */
export interface CustomTool extends Schema.Schema.Type<typeof CustomTool> {}

/** A shell that the program runs for the model. @since 0.1.0 @category tools */
export const BashTool = kind("bash_20250124", { name: Schema.Literal("bash"), ...common, ...examples })

/** A shell that the program runs for the model. @since 0.1.0 @category tools */
export interface BashTool extends Schema.Schema.Type<typeof BashTool> {}

/** A text editor, through which the program lets the model read and change files. @since 0.1.0 @category tools */
export const TextEditorTool = Schema.Struct({
  type: Schema.Literal("text_editor_20250124", "text_editor_20250429", "text_editor_20250728"),
  name: Schema.Literal("str_replace_editor", "str_replace_based_edit_tool"),
  max_characters: nullishNumber,
  ...common,
  ...examples
}).annotations({ identifier: "TextEditorTool" })

/** A text editor, through which the program lets the model read and change files. @since 0.1.0 @category tools */
export interface TextEditorTool extends Schema.Schema.Type<typeof TextEditorTool> {}

/** A directory of notes that the program stores for the model. @since 0.1.0 @category tools */
export const MemoryTool = kind("memory_20250818", { name: Schema.Literal("memory"), ...common, ...examples })

/** A directory of notes that the program stores for the model. @since 0.1.0 @category tools */
export interface MemoryTool extends Schema.Schema.Type<typeof MemoryTool> {}

/** A set of tools that the program runs, such as those of a browser or a computer. @since 0.1.0 @category tools */
export const Toolset = Schema.Struct({
  type: Schema.Literal("browser_toolset_20260801", "computer_toolset_20260801"),
  configs: nullish(
    Schema.Record({
      key: Schema.String,
      value: Schema.NullOr(Schema.Struct({ enabled: nullishBoolean, defer_loading: nullishBoolean }))
    })
  ),
  cache_control: common.cache_control
}).annotations({ identifier: "Toolset" })

/** A set of tools that the program runs, such as those of a browser or a computer. @since 0.1.0 @category tools */
export interface Toolset extends Schema.Schema.Type<typeof Toolset> {}

/** The approximate location of the user, for web searches. @since 0.1.0 @category models */
export const UserLocation = kind("approximate", {
  city: nullishString,
  region: nullishString,
  country: nullishString,
  timezone: nullishString
})

/** The approximate location of the user, for web searches. @since 0.1.0 @category models */
export interface UserLocation extends Schema.Schema.Type<typeof UserLocation> {}

const web = {
  allowed_domains: nullish(Schema.Array(Schema.String)),
  blocked_domains: nullish(Schema.Array(Schema.String)),
  max_uses: nullishNumber,
  response_inclusion: Schema.optional(openLiteral("full", "excluded")),
  ...common
}

/** Web search, which the server runs. @since 0.1.0 @category tools */
export const WebSearchTool = Schema.Struct({
  type: Schema.Literal("web_search_20250305", "web_search_20260209", "web_search_20260318"),
  name: Schema.Literal("web_search"),
  user_location: nullish(named<UserLocation>(UserLocation)),
  ...web
}).annotations({ identifier: "WebSearchTool" })

/** Web search, which the server runs. @since 0.1.0 @category tools */
export interface WebSearchTool extends Schema.Schema.Type<typeof WebSearchTool> {}

/** Web fetch, which the server runs. @since 0.1.0 @category tools */
export const WebFetchTool = Schema.Struct({
  type: Schema.Literal(
    "web_fetch_20250910",
    "web_fetch_20260209",
    "web_fetch_20260309",
    "web_fetch_20260318"
  ),
  name: Schema.Literal("web_fetch"),
  citations: nullish(Schema.Struct({ enabled: Schema.optional(Schema.Boolean) })),
  max_content_tokens: nullishNumber,
  use_cache: Schema.optional(Schema.Boolean),
  url_sources: nullish(Schema.Record({ key: Schema.String, value: Schema.Unknown })),
  ...web
}).annotations({ identifier: "WebFetchTool" })

/** Web fetch, which the server runs. @since 0.1.0 @category tools */
export interface WebFetchTool extends Schema.Schema.Type<typeof WebFetchTool> {}

/** Code execution, which the server runs. @since 0.1.0 @category tools */
export const CodeExecutionTool = Schema.Struct({
  type: Schema.Literal(
    "code_execution_20250522",
    "code_execution_20250825",
    "code_execution_20260120",
    "code_execution_20260521"
  ),
  name: Schema.Literal("code_execution"),
  ...common
}).annotations({ identifier: "CodeExecutionTool" })

/** Code execution, which the server runs. @since 0.1.0 @category tools */
export interface CodeExecutionTool extends Schema.Schema.Type<typeof CodeExecutionTool> {}

/** Search among the tools with `defer_loading`, which the server runs. @since 0.1.0 @category tools */
export const ToolSearchTool = Schema.Struct({
  type: Schema.Literal(
    "tool_search_tool_bm25_20251119",
    "tool_search_tool_bm25",
    "tool_search_tool_regex_20251119",
    "tool_search_tool_regex"
  ),
  name: Schema.Literal("tool_search_tool_bm25", "tool_search_tool_regex"),
  ...common
}).annotations({ identifier: "ToolSearchTool" })

/** Search among the tools with `defer_loading`, which the server runs. @since 0.1.0 @category tools */
export interface ToolSearchTool extends Schema.Schema.Type<typeof ToolSearchTool> {}

const known = [
  BashTool,
  TextEditorTool,
  MemoryTool,
  Toolset,
  WebSearchTool,
  WebFetchTool,
  CodeExecutionTool,
  ToolSearchTool
] as const

/** A tool of a type that this version does not know. Make one with {@link untyped}. @since 0.1.0 @category tools */
export const UnknownTool: Schema.Schema<UnknownTool> = unknownKind(...known, kind("custom", {}))

/** A tool of a type that this version does not know. Make one with {@link untyped}. @since 0.1.0 @category tools */
export interface UnknownTool extends UnknownKind {}

/** A tool that a request offers to the model. @since 0.1.0 @category models */
export const ToolParam: Schema.Schema<ToolParam> = open(
  Schema.Union(CustomTool, ...known, UnknownTool),
  "ToolParam"
)

/** A tool that a request offers to the model. @since 0.1.0 @category models */
export type ToolParam =
  | CustomTool
  | BashTool
  | TextEditorTool
  | MemoryTool
  | Toolset
  | WebSearchTool
  | WebFetchTool
  | CodeExecutionTool
  | ToolSearchTool
  | UnknownTool

/**
 * Makes a tool of a type that this version does not know. It is sent unchanged.
 *
 * @example
 * ```ts
 * import { ToolParam } from "@effect-api/anthropic"
 *
 * const calendar = ToolParam.untyped({ type: "calendar_20270101", name: "calendar" })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const untyped = (tool: { readonly type: string; readonly [field: string]: unknown }): UnknownTool =>
  ofUnknownType(tool)

const parallel = { disable_parallel_tool_use: Schema.optional(Schema.Boolean) }

/** Whether the model may (`auto`), must (`any`, `tool`) or must not (`none`) use tools. @since 0.1.0 @category models */
export const ToolChoice = Schema.Union(
  kind("auto", { ...parallel }),
  kind("any", { ...parallel }),
  kind("tool", { name: Schema.String, ...parallel }),
  kind("none", {})
)

/** Whether the model may (`auto`), must (`any`, `tool`) or must not (`none`) use tools. @since 0.1.0 @category models */
export type ToolChoice = Schema.Schema.Type<typeof ToolChoice>
