import type * as Effect from "effect/Effect"
import type * as CallOptions from "../config/CallOptions.js"
import type * as ContentBlock from "../content/ContentBlock.js"
import type * as Message from "../messages/Message.js"
import type * as Tool from "./Tool.js"

/**
 * The options of a run. The others are those of every call of the API.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<Tools extends ReadonlyArray<Tool.Any>>
  extends Omit<CallOptions.CallOptions, "idempotencyKey"> {
  /** The tools that the model may call. They are offered after the request's own `tools`, such as server tools. */
  readonly tools: Tools
  /**
   * Tools that the request does not offer (none). They run once a `Tool.addition` is in the conversation. The prompt cache then stays
   * valid, as `tools` stays the same.
   */
  readonly laterTools?: ReadonlyArray<Tool.Tool<never, unknown, Tool.Context<Tools[number]>>> | undefined
  /**
   * The most calls of the API, at least 1 (no limit). Without a limit the loop ends when the model calls no tool. Set one with a
   * `tool_choice` that forces a tool, as the model then calls a tool every time.
   */
  readonly maxIterations?: number | undefined
  /** How many tools of one message run concurrently (`unbounded`). */
  readonly concurrency?: number | "unbounded" | undefined
  /**
   * Changes the next request. It gets the parameters with the last message and the results of its tools, and the last turn. It
   * also runs after a message that calls no tool: the loop goes on if the conversation then ends with a turn of the user.
   */
  readonly editParams?:
    | ((
        params: Message.MessageCreateParams,
        turn: Turn
      ) => Message.MessageCreateParams | Effect.Effect<Message.MessageCreateParams>)
    | undefined
  /**
   * Decides after each turn whether to compact the conversation before the next one (never). The run then requests a summary, emits
   * that message as well, and goes on with the summary in place of the conversation. `maxIterations` does not count the request. It
   * needs the beta `compact-2026-09-04`, which the run enables.
   */
  readonly compactWhen?: ((turn: Turn) => boolean | Compaction) | undefined
}

/**
 * The options of a run that streams its messages.
 *
 * @since 3.2.0
 * @category models
 */
export interface StreamOptions<Tools extends ReadonlyArray<Tool.Any>> extends Options<Tools> {
  /**
   * Whether a tool starts while the message still streams (`false`): as soon as the model has gone on to the next block, or has
   * stopped to wait for the tools. If the stream fails then, the tool may have run for nothing. A function decides for each call;
   * others wait for the end of the message.
   */
  readonly eager?: boolean | ((call: ContentBlock.ToolUseBlock) => boolean) | undefined
}

/**
 * How to compact a conversation. Fields are sent unchanged.
 *
 * @since 3.2.0
 * @category models
 */
export interface Compaction {
  readonly type: "summarize"
  readonly [field: string]: unknown
}

/**
 * A message from the model, and the conversation up to and including it, from which another run can continue.
 *
 * @since 0.1.0
 * @category models
 */
export interface Turn {
  readonly message: Message.Message
  /** The conversation up to and including the message. */
  readonly messages: ReadonlyArray<Message.MessageParam>
}
