/**
 * Messages: what a request says and what comes back: https://docs.anthropic.com/en/api/messages
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as ContentBlock from "../content/ContentBlock.js"
import * as ContentBlockParam from "../content/ContentBlockParam.js"
import type * as ToolParam from "../content/ToolParam.js"
import { named, nullish, open, openLiteral } from "../shared/schema.js"

/**
 * The names of models, those that are known among them: https://docs.anthropic.com/en/docs/about-claude/models
 *
 * @since 0.1.0
 * @category models
 */
export type Model =
  | "claude-opus-5-5"
  | "claude-sonnet-5-5"
  | "claude-haiku-5-5"
  | "claude-opus-5"
  | "claude-sonnet-5"
  | "claude-opus-4-8"
  | "claude-opus-4-7"
  | "claude-opus-4-6"
  | "claude-sonnet-4-6"
  | "claude-opus-4-5"
  | "claude-sonnet-4-5"
  | "claude-haiku-4-5"
  | (string & {})

/** Why the model stopped. @since 0.1.0 @category models */
export const StopReason = openLiteral(
  "end_turn",
  "max_tokens",
  "stop_sequence",
  "tool_use",
  "pause_turn",
  "refusal",
  "model_context_window_exceeded",
  "compaction"
)

/** Why the model stopped. @since 0.1.0 @category models */
export type StopReason = Schema.Schema.Type<typeof StopReason>

/** More on a refusal. @since 0.1.0 @category models */
export const StopDetails = Schema.Struct({
  type: openLiteral("refusal"),
  category: nullish(Schema.String),
  explanation: nullish(Schema.String)
}).annotations({ identifier: "StopDetails" })

/** More on a refusal. @since 0.1.0 @category models */
export interface StopDetails extends Schema.Schema.Type<typeof StopDetails> {}

/** How often the server ran its own tools. @since 0.1.0 @category models */
export const ServerToolUsage = Schema.Struct({
  web_search_requests: Schema.optional(Schema.Number),
  web_fetch_requests: Schema.optional(Schema.Number)
}).annotations({ identifier: "ServerToolUsage" })

/** How often the server ran its own tools. @since 0.1.0 @category models */
export interface ServerToolUsage extends Schema.Schema.Type<typeof ServerToolUsage> {}

const counts = {
  cache_creation_input_tokens: nullish(Schema.Number),
  cache_read_input_tokens: nullish(Schema.Number),
  output_tokens_details: nullish(Schema.Struct({ thinking_tokens: Schema.Number })),
  server_tool_use: nullish(named<ServerToolUsage>(ServerToolUsage))
}

/**
 * What a message cost, in tokens. The input is `input_tokens` and what was written to and read from the cache.
 *
 * @since 0.1.0
 * @category models
 */
export const Usage = Schema.Struct({
  input_tokens: Schema.Number,
  output_tokens: Schema.Number,
  ...counts,
  cache_creation: nullish(
    Schema.Struct({ ephemeral_5m_input_tokens: Schema.Number, ephemeral_1h_input_tokens: Schema.Number })
  ),
  service_tier: nullish(openLiteral("standard", "priority", "batch")),
  speed: nullish(openLiteral("standard", "fast")),
  inference_geo: nullish(Schema.String)
}).annotations({ identifier: "Usage" })

/** What a message cost, in tokens. @since 0.1.0 @category models */
export interface Usage extends Schema.Schema.Type<typeof Usage> {}

/** What a message has cost so far, as a stream tells it: totals, not differences. @since 0.1.0 @category models */
export const UsageSoFar = Schema.Struct({
  output_tokens: Schema.Number,
  input_tokens: nullish(Schema.Number),
  ...counts
}).annotations({ identifier: "UsageSoFar" })

/** What a message has cost so far, as a stream tells it. @since 0.1.0 @category models */
export interface UsageSoFar extends Schema.Schema.Type<typeof UsageSoFar> {}

/** The machine that code execution runs on; its `id` lets a later request go on there. @since 0.1.0 @category models */
export const Container = Schema.Struct({
  id: Schema.String,
  expires_at: Schema.String,
  skills: nullish(
    Schema.Array(
      Schema.Struct({
        type: openLiteral("anthropic", "custom"),
        skill_id: Schema.String,
        version: Schema.String
      })
    )
  )
}).annotations({ identifier: "Container" })

/** The machine that code execution runs on; its `id` lets a later request go on there. @since 0.1.0 @category models */
export interface Container extends Schema.Schema.Type<typeof Container> {}

/** A message of the model. Unknown fields stay. @since 0.1.0 @category models */
export const Message = open(
  Schema.Struct({
    id: Schema.String,
    type: Schema.Literal("message"),
    role: openLiteral("assistant"),
    model: Schema.String,
    content: Schema.Array(ContentBlock.ContentBlock),
    stop_reason: Schema.NullOr(StopReason),
    stop_sequence: nullish(Schema.String),
    stop_details: nullish(named<StopDetails>(StopDetails)),
    usage: named<Usage>(Usage),
    container: nullish(named<Container>(Container)),
    diagnostics: nullish(Schema.Unknown),
    context_management: nullish(Schema.Unknown)
  }),
  "Message"
)

/** A message of the model. @since 0.1.0 @category models */
export interface Message extends Schema.Schema.Type<typeof Message> {}

/** The text of a message: that of its text blocks, one after the other. @since 0.1.0 @category accessors */
export const text = (message: Pick<Message, "content">): string =>
  message.content.map((block) => (block.type === "text" ? block.text : "")).join("")

/** The tools that a message asks the program to run. @since 0.1.0 @category accessors */
export const toolUses = (message: Pick<Message, "content">): ReadonlyArray<ContentBlock.ToolUseBlock> =>
  message.content.filter((block) => block.type === "tool_use")

/** How many tokens a message would cost. @since 0.1.0 @category models */
export const MessageTokensCount = open(Schema.Struct({ input_tokens: Schema.Number }), "MessageTokensCount")

/** How many tokens a message would cost. @since 0.1.0 @category models */
export interface MessageTokensCount extends Schema.Schema.Type<typeof MessageTokensCount> {}

/** A turn of a conversation, for those who store or check conversations. @since 0.1.0 @category models */
export const MessageParam = open(
  Schema.Struct({
    role: openLiteral("user", "assistant", "system"),
    content: Schema.Union(Schema.String, Schema.Array(ContentBlockParam.ContentBlockParam))
  }),
  "MessageParam"
)

/**
 * A turn of a conversation. That of a {@link Message} is `{ role: message.role, content: message.content }`: the API refuses
 * its other fields.
 *
 * @since 0.1.0
 * @category models
 */
export interface MessageParam extends Schema.Schema.Type<typeof MessageParam> {}

/**
 * Whether the model thinks before it answers: https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking
 *
 * @since 0.1.0
 * @category models
 */
export type ThinkingConfig =
  | {
      readonly type: "enabled"
      /** At least 1,024, and less than `max_tokens`. */
      readonly budget_tokens: number
      readonly display?: "summarized" | "omitted" | null | undefined
    }
  | { readonly type: "adaptive"; readonly display?: "summarized" | "omitted" | null | undefined }
  | { readonly type: "disabled" }
  | { readonly type: "between_tools" }

/** How hard the model tries, and the JSON Schema that its answer has to fit. @since 0.1.0 @category models */
export interface OutputConfig {
  readonly effort?: "low" | "medium" | "high" | "xhigh" | "max" | null | undefined
  readonly format?:
    | { readonly type: "json_schema"; readonly schema: { readonly [keyword: string]: unknown } }
    | null
    | undefined
}

/** A server whose tools the API may call by the Model Context Protocol. @since 0.1.0 @category models */
export interface McpServer {
  readonly type: "url"
  readonly name: string
  readonly url: string
  readonly authorization_token?: string | null | undefined
}

/**
 * What a request for a message and the count of its tokens have in common. It is sent as it is, so fields that are not listed
 * here work too.
 *
 * @since 0.1.0
 * @category models
 */
export interface ConversationParams {
  /** A field that this package does not know yet. */
  readonly [field: string]: unknown
  readonly model: Model
  /** The conversation so far; its last turn is what the model answers, or goes on with. */
  readonly messages: ReadonlyArray<MessageParam>
  readonly system?: string | ReadonlyArray<ContentBlockParam.TextBlockParam> | undefined
  readonly tools?: ReadonlyArray<ToolParam.ToolParam> | undefined
  readonly tool_choice?: ToolParam.ToolChoice | undefined
  readonly thinking?: ThinkingConfig | undefined
  readonly output_config?: OutputConfig | undefined
  /** Caches up to the last block that can be. */
  readonly cache_control?: ContentBlockParam.CacheControl | null | undefined
  /** Needs a beta of its own. */
  readonly mcp_servers?: ReadonlyArray<McpServer> | undefined
  /** Needs a beta of its own. */
  readonly context_management?: { readonly [field: string]: unknown } | null | undefined
  readonly speed?: "standard" | "fast" | null | undefined
}

/** A request for a message. @since 0.1.0 @category models */
export interface MessageCreateParams extends ConversationParams {
  /** Not a field to set: `messages.stream` asks for a stream. */
  readonly stream?: false | undefined
  /** The most tokens to write. Much of it takes long: above about 21,000, `create` asks for a stream. */
  readonly max_tokens: number
  readonly metadata?: { readonly user_id?: string | null | undefined } | undefined
  readonly stop_sequences?: ReadonlyArray<string> | undefined
  /** From 0 to 1. Not taken any more by API versions after 2023-06-01, like `top_k` and `top_p`. */
  readonly temperature?: number | undefined
  readonly top_k?: number | undefined
  readonly top_p?: number | undefined
  readonly service_tier?: "auto" | "standard_only" | undefined
  readonly container?:
    | string
    | {
        readonly id?: string | null | undefined
        readonly skills?:
          | ReadonlyArray<{
              readonly type: "anthropic" | "custom"
              readonly skill_id: string
              readonly version?: string | undefined
            }>
          | null
          | undefined
      }
    | null
    | undefined
  readonly inference_geo?: string | null | undefined
  readonly diagnostics?: { readonly previous_message_id?: string | null | undefined } | null | undefined
}
