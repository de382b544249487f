/**
 * Messages: the parameters of requests, and the responses: https://docs.anthropic.com/en/api/messages
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as ContentBlock from "../content/ContentBlock.js"
import * as ContentBlockParam from "../content/ContentBlockParam.js"
import type * as ToolParam from "../content/ToolParam.js"
import { named, nullish, nullishNumber, nullishString, open, openLiteral } from "../shared/schema.js"

/**
 * The ids of models. Editors suggest the known ones: https://docs.anthropic.com/en/docs/about-claude/models
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

/** Details of a refusal. @since 0.1.0 @category models */
export const StopDetails = Schema.Struct({
  type: openLiteral("refusal"),
  category: nullishString,
  explanation: nullishString
}).annotations({ identifier: "StopDetails" })

/** Details of a refusal. @since 0.1.0 @category models */
export interface StopDetails extends Schema.Schema.Type<typeof StopDetails> {}

/** How often the server ran its tools. @since 0.1.0 @category models */
export const ServerToolUsage = Schema.Struct({
  web_search_requests: Schema.optional(Schema.Number),
  web_fetch_requests: Schema.optional(Schema.Number)
}).annotations({ identifier: "ServerToolUsage" })

/** How often the server ran its tools. @since 0.1.0 @category models */
export interface ServerToolUsage extends Schema.Schema.Type<typeof ServerToolUsage> {}

const counts = {
  cache_creation_input_tokens: nullishNumber,
  cache_read_input_tokens: nullishNumber,
  output_tokens_details: nullish(Schema.Struct({ thinking_tokens: Schema.Number })),
  server_tool_use: nullish(named<ServerToolUsage>(ServerToolUsage))
}

/**
 * The usage of a message, in tokens. The total input is the sum of `input_tokens`, `cache_creation_input_tokens` and
 * `cache_read_input_tokens`.
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
  inference_geo: nullishString
}).annotations({ identifier: "Usage" })

/** The usage of a message, in tokens. @since 0.1.0 @category models */
export interface Usage extends Schema.Schema.Type<typeof Usage> {}

/** The usage of a streamed message so far: totals, not differences. @since 0.1.0 @category models */
export const UsageSoFar = Schema.Struct({
  output_tokens: Schema.Number,
  input_tokens: nullishNumber,
  ...counts
}).annotations({ identifier: "UsageSoFar" })

/** The usage of a streamed message so far. @since 0.1.0 @category models */
export interface UsageSoFar extends Schema.Schema.Type<typeof UsageSoFar> {}

/** The container of code execution. A later request can reuse it by its `id`. @since 0.1.0 @category models */
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

/** The container of code execution. A later request can reuse it by its `id`. @since 0.1.0 @category models */
export interface Container extends Schema.Schema.Type<typeof Container> {}

/** A message from the model. Unknown fields are kept. @since 0.1.0 @category models */
export const Message = open(
  Schema.Struct({
    id: Schema.String,
    type: Schema.Literal("message"),
    role: openLiteral("assistant"),
    model: Schema.String,
    content: Schema.Array(ContentBlock.ContentBlock),
    stop_reason: Schema.NullOr(StopReason),
    stop_sequence: nullishString,
    stop_details: nullish(named<StopDetails>(StopDetails)),
    usage: named<Usage>(Usage),
    container: nullish(named<Container>(Container)),
    diagnostics: nullish(Schema.Unknown),
    context_management: nullish(Schema.Unknown)
  }),
  "Message"
)

/** A message from the model. @since 0.1.0 @category models */
export interface Message extends Schema.Schema.Type<typeof Message> {}

/**
 * The text of a message: the concatenated text of its text blocks.
 *
 * @example
 * ```ts
 * import { Message } from "@effect-api/anthropic"
 *
 * const text = Message.text({ content: [{ type: "text", text: "Hello, " }, { type: "text", text: "world" }] })
 * // "Hello, world"
 * ```
 * @since 0.1.0
 * @category accessors
 */
export const text = (message: Pick<Message, "content">): string =>
  message.content.map((block) => (block.type === "text" ? block.text : "")).join("")

/**
 * The tool calls of a message that the program has to run.
 *
 * @example
 * ```ts
 * import { Message } from "@effect-api/anthropic"
 *
 * const show = (message: Message.Message) => Message.toolUses(message).map(({ id, input, name }) => ({ id, name, input }))
 * ```
 * @since 0.1.0
 * @category accessors
 */
export const toolUses = (message: Pick<Message, "content">): ReadonlyArray<ContentBlock.ToolUseBlock> =>
  message.content.filter((block) => block.type === "tool_use")

/** The number of input tokens that a message would use. @since 0.1.0 @category models */
export const MessageTokensCount = open(Schema.Struct({ input_tokens: Schema.Number }), "MessageTokensCount")

/** The number of input tokens that a message would use. @since 0.1.0 @category models */
export interface MessageTokensCount extends Schema.Schema.Type<typeof MessageTokensCount> {}

/** The schema of a turn of a conversation, for programs that store or check conversations. @since 0.1.0 @category models */
export const MessageParam = open(
  Schema.Struct({
    role: openLiteral("user", "assistant", "system"),
    content: Schema.Union(Schema.String, Schema.Array(ContentBlockParam.ContentBlockParam))
  }),
  "MessageParam"
)

/**
 * A turn of a conversation. To send a {@link Message} back, use `{ role: message.role, content: message.content }`: the API
 * rejects its other fields.
 *
 * @since 0.1.0
 * @category models
 */
export interface MessageParam extends Schema.Schema.Type<typeof MessageParam> {}

/**
 * Whether the model thinks before it responds: https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking
 *
 * @since 0.1.0
 * @category models
 */
export type ThinkingConfig =
  | {
      readonly type: "enabled"
      /** The most tokens to think with: at least 1,024, and less than `max_tokens`. */
      readonly budget_tokens: number
      /** Whether the response contains a summary of the thinking, or omits it. */
      readonly display?: "summarized" | "omitted" | null | undefined
    }
  | {
      readonly type: "adaptive"
      /** Whether the response contains a summary of the thinking, or omits it. */
      readonly display?: "summarized" | "omitted" | null | undefined
    }
  | { readonly type: "disabled" }
  | { readonly type: "between_tools" }

/** The model's effort, and the JSON Schema of its output. @since 0.1.0 @category models */
export interface OutputConfig {
  /** How many tokens the model tends to spend. */
  readonly effort?: "low" | "medium" | "high" | "xhigh" | "max" | null | undefined
  /** The JSON Schema that the text of the response must match. */
  readonly format?:
    | { readonly type: "json_schema"; readonly schema: { readonly [keyword: string]: unknown } }
    | null
    | undefined
}

/** A server whose tools the API may call over the Model Context Protocol. @since 0.1.0 @category models */
export interface McpServer {
  readonly type: "url"
  /** A name of your own, which the calls of its tools have as `server_name`. */
  readonly name: string
  /** The `https` URL of the server. */
  readonly url: string
  /** The OAuth token that the API sends to the server. */
  readonly authorization_token?: string | null | undefined
}

/**
 * The parameters shared by creating a message and counting its tokens. They are sent unchanged, so fields that are not listed
 * here work as well.
 *
 * @since 0.1.0
 * @category models
 */
export interface ConversationParams {
  /** Any field that this package does not know. */
  readonly [field: string]: unknown
  /** The id of the model. */
  readonly model: Model
  /** The conversation so far. The model responds to the last turn, or continues it if it is the assistant's. */
  readonly messages: ReadonlyArray<MessageParam>
  /** The system prompt. */
  readonly system?: string | ReadonlyArray<ContentBlockParam.TextBlockParam> | undefined
  /** The tools that the model may call. */
  readonly tools?: ReadonlyArray<ToolParam.ToolParam> | undefined
  /** Whether and which tools the model must call (`auto`). */
  readonly tool_choice?: ToolParam.ToolChoice | undefined
  /** Whether the model thinks before it responds. */
  readonly thinking?: ThinkingConfig | undefined
  /** The model's effort, and the JSON Schema of its output. */
  readonly output_config?: OutputConfig | undefined
  /** Caches the request up to the last block that can be cached. */
  readonly cache_control?: ContentBlockParam.CacheControl | null | undefined
  /** Servers whose tools the API may call. Needs a beta. */
  readonly mcp_servers?: ReadonlyArray<McpServer> | undefined
  /** How the API trims a long context. Needs a beta. */
  readonly context_management?: { readonly [field: string]: unknown } | null | undefined
  /** How fast the model generates, on models that offer a choice. */
  readonly speed?: "standard" | "fast" | null | undefined
}

/** The parameters of a request for a message. @since 0.1.0 @category models */
export interface MessageCreateParams extends ConversationParams {
  /** Do not set this field: use `messages.stream` for a stream. */
  readonly stream?: false | undefined
  /**
   * The most tokens to generate. Above about 21,000, `create` fails with an `InvalidRequestError` unless a timeout is set: use
   * `messages.stream`.
   */
  readonly max_tokens: number
  /** `user_id` is an opaque id of your user, for the detection of abuse. */
  readonly metadata?: { readonly user_id?: string | null | undefined } | undefined
  /** Texts at which the model stops. */
  readonly stop_sequences?: ReadonlyArray<string> | undefined
  /** The randomness of sampling, from 0 to 1. API versions after 2023-06-01 reject this field, `top_k` and `top_p`. */
  readonly temperature?: number | undefined
  /** Samples from the `top_k` most likely tokens only. */
  readonly top_k?: number | undefined
  /** Samples from the most likely tokens whose probabilities add up to `top_p`, from 0 to 1. */
  readonly top_p?: number | undefined
  /** Whether the request may use priority capacity (`auto`). */
  readonly service_tier?: "auto" | "standard_only" | undefined
  /** The container of code execution to reuse, by its id, or the skills to load into a new one. */
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
  /** The region where inference runs. */
  readonly inference_geo?: string | null | undefined
  /** The previous message, for diagnostics of the prompt cache. */
  readonly diagnostics?: { readonly previous_message_id?: string | null | undefined } | null | undefined
}
