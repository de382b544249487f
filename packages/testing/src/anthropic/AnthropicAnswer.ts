/**
 * What the Anthropic test server answers, as values: answers, failures, and the steps of a script.
 *
 * @since 0.1.0
 */
import type { Duration, Effect } from "effect"
import type { Reply } from "../server/Reply.js"
import type { SeenRequest } from "../server/SeenRequest.js"
import { type Block, type JsonObject, text } from "./AnthropicBlock.js"

/**
 * What an answer has beyond its content. What is left out is what the API would say.
 *
 * @since 0.1.0
 * @category models
 */
export interface AnswerOptions {
  /** `tool_use` where the content has a tool call, else `end_turn`. */
  readonly stopReason?: string | undefined
  /** The sequence it stopped at; makes the stop reason `stop_sequence`. */
  readonly stopSequence?: string | undefined
  /** Such as `{ type: "refusal", category: "cyber", explanation: null }`. */
  readonly stopDetails?: JsonObject | undefined
  /** Fields of `usage` in place of those counted. */
  readonly usage?: JsonObject | undefined
  /** Other fields of the message in place of those made up, such as `id` or `container`. */
  readonly message?: JsonObject | undefined
  /** Streamed: real time between two writes. */
  readonly delay?: Duration.DurationInput | undefined
  /** Streamed: bytes of each write, wherever they cut lines, events and characters. One event a write by default. */
  readonly chunkBytes?: number | undefined
  /** Streamed: after so many events, pings included, an `error` event; or without a failure an orderly end, too early. */
  readonly failsAfter?: { readonly events: number; readonly failure?: Failure | undefined } | undefined
}

/**
 * An answer to a request for a message; streamed or not as the request wants it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answer extends AnswerOptions {
  readonly _tag: "Answer"
  readonly content: ReadonlyArray<Block>
}

/**
 * The types of error that the API documents.
 *
 * @since 0.1.0
 * @category models
 */
export type FailureType =
  | "invalid_request_error"
  | "authentication_error"
  | "billing_error"
  | "permission_error"
  | "not_found_error"
  | "conflict_error"
  | "request_too_large"
  | "rate_limit_error"
  | "api_error"
  | "timeout_error"
  | "overloaded_error"

/**
 * An error of the API: its status, the fields of its body, and headers.
 *
 * @since 0.1.0
 * @category models
 */
export interface Failure {
  readonly _tag: "Failure"
  readonly type: string
  readonly status: number
  readonly message: string
  /** Such as `{ error_code: "file_expired" }`. */
  readonly details: JsonObject | undefined
  readonly headers: Readonly<Record<string, string>>
}

/**
 * A request for a message: on its own, or one of a batch.
 *
 * @since 0.1.0
 * @category models
 */
export interface MessageRequest {
  /** The parameters, found valid. */
  readonly params: MessageParams
  /** The text of the last message: of its text blocks and of its tool results. */
  readonly text: string
  /** Its name in a batch. */
  readonly customId: string | undefined
  /** The request that carried it. */
  readonly seen: SeenRequest
}

/**
 * The parameters of a message, as far as the API checks them.
 *
 * @since 0.1.0
 * @category models
 */
export interface MessageParams extends JsonObject {
  readonly model: string
  readonly max_tokens: number
  readonly messages: ReadonlyArray<{
    readonly role: string
    readonly content: string | ReadonlyArray<JsonObject>
  }>
  readonly stream?: boolean
  readonly stop_sequences?: ReadonlyArray<string>
}

/**
 * What a script says to one request: a text, an answer, a failure, or a reply of the test server as it is.
 *
 * @since 0.1.0
 * @category models
 */
export type Said = string | Answer | Failure | Reply

/**
 * One step of a script: what to say, or how to find it from the request. `undefined` is the echo of what was asked.
 *
 * @since 0.1.0
 * @category models
 */
export type Step =
  | Said
  | ((request: MessageRequest) => Said | undefined | Effect.Effect<Said | undefined, unknown>)

/**
 * An answer: a text, a block, or blocks.
 *
 * @example
 * ```ts
 * import { AnthropicApi } from "@effect-api/testing"
 *
 * export const answer = AnthropicApi.answer(
 *   [AnthropicApi.thinking("Which city?"), AnthropicApi.toolUse("weather", { city: "Bern" })],
 *   { usage: { input_tokens: 12 }, chunkBytes: 7 }
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const answer = (
  content: string | Block | ReadonlyArray<Block>,
  options: AnswerOptions = {}
): Answer => ({
  ...options,
  _tag: "Answer",
  content: typeof content === "string" ? [text(content)] : "whole" in content ? [content] : content
})

/** Each documented type with its status and what it commonly says. */
const failures: Readonly<Record<FailureType, readonly [status: number, message: string]>> = {
  invalid_request_error: [400, "Invalid request data"],
  authentication_error: [401, "invalid x-api-key"],
  billing_error: [402, "Your credit balance is too low to access the Anthropic API."],
  permission_error: [403, "Your API key does not have permission to use the specified resource."],
  not_found_error: [404, "Not found"],
  conflict_error: [409, "The request conflicts with the current state of the resource."],
  request_too_large: [413, "Request exceeds the maximum size"],
  rate_limit_error: [429, "Number of requests has exceeded your rate limit."],
  api_error: [500, "Internal server error"],
  timeout_error: [504, "Request timed out"],
  overloaded_error: [529, "Overloaded"]
}

/**
 * An error of the API by its documented type, which gives the status. `retryAfter` is in seconds.
 *
 * @example
 * ```ts
 * import { AnthropicApi } from "@effect-api/testing"
 *
 * export const busy = AnthropicApi.failure("overloaded_error", { retryAfter: 1 })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const failure = (
  type: FailureType,
  options: {
    /** What the error says. */
    readonly message?: string | undefined
    /** The status (that of the type). */
    readonly status?: number | undefined
    /** Fields of the error besides its type and message. */
    readonly details?: JsonObject | undefined
    /** Sent as `retry-after`, in seconds. */
    readonly retryAfter?: number | undefined
    /** More headers of the response. */
    readonly headers?: Readonly<Record<string, string>> | undefined
  } = {}
): Failure => {
  const [status, message] = failures[type]
  return {
    _tag: "Failure",
    type,
    status: options.status ?? status,
    message: options.message ?? message,
    details: options.details,
    headers: {
      ...(options.retryAfter === undefined ? {} : { "retry-after": String(options.retryAfter) }),
      ...options.headers
    }
  }
}
