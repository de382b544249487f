/**
 * The responses of the Anthropic test server as values: messages, failures, and the steps of a script.
 *
 * @since 0.1.0
 */
import type { Duration, Effect } from "effect"
import type { Reply } from "../server/Reply.js"
import type { SeenRequest } from "../server/SeenRequest.js"
import { type Block, type JsonObject, text } from "./AnthropicBlock.js"

/**
 * The fields of a message besides its content, and how to stream it. The defaults are those of the API.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResponseOptions {
  /** The stop reason (`tool_use` if the content has a tool call, otherwise `end_turn`). */
  readonly stopReason?: string | undefined
  /** The stop sequence that ended the message. It makes the stop reason `stop_sequence`. */
  readonly stopSequence?: string | undefined
  /** Details of the stop reason, such as `{ type: "refusal", category: "cyber", explanation: null }` (null). */
  readonly stopDetails?: JsonObject | undefined
  /** Fields that replace those of the counted `usage`. */
  readonly usage?: JsonObject | undefined
  /** Fields that replace other generated fields of the message, such as `id` or `container`. */
  readonly message?: JsonObject | undefined
  /** For a stream: the real time between two writes (none). */
  readonly delay?: Duration.DurationInput | undefined
  /** For a stream: the bytes per write, which may split lines, events and characters (one event per write). */
  readonly chunkBytes?: number | undefined
  /**
   * For a stream: the number of events, pings included, after which it ends early (never). With a `failure` an `error` event
   * ends it, otherwise the end of the body.
   */
  readonly failsAfter?: { readonly events: number; readonly failure?: Failure | undefined } | undefined
}

/**
 * A message as the response to a request. The server streams it if the request sets `stream`.
 *
 * @since 0.1.0
 * @category models
 */
export interface MessageResponse extends ResponseOptions {
  readonly _tag: "MessageResponse"
  readonly content: ReadonlyArray<Block>
}

/**
 * The error types that the API documents.
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
 * An error response of the API: its status, the fields of its body, and its headers.
 *
 * @since 0.1.0
 * @category models
 */
export interface Failure {
  readonly _tag: "Failure"
  readonly type: string
  readonly status: number
  readonly message: string
  /** Further fields of the error, such as `{ error_code: "file_expired" }`. */
  readonly details: JsonObject | undefined
  readonly headers: Readonly<Record<string, string>>
}

/**
 * A request for a message, either a request of its own or one of a batch.
 *
 * @since 0.1.0
 * @category models
 */
export interface MessageRequest {
  /** The validated parameters. */
  readonly params: MessageParams
  /** The text of the last message, from its text blocks and tool results. */
  readonly text: string
  /** The `custom_id` of a request in a batch. */
  readonly customId: string | undefined
  /** The HTTP request. */
  readonly seen: SeenRequest
}

/**
 * The parameters of a message that the server checks.
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
 * A scripted response: a text, a message, a failure, or a reply of the test server.
 *
 * @since 0.1.0
 * @category models
 */
export type ScriptedResponse = string | MessageResponse | Failure | Reply

/**
 * One step of a script: a response, or a function of the request, which may be async. A function that returns `undefined` echoes
 * the request.
 *
 * @since 0.1.0
 * @category models
 */
export type Step =
  | ScriptedResponse
  | ((
      request: MessageRequest
    ) =>
      | ScriptedResponse
      | undefined
      | PromiseLike<ScriptedResponse | undefined>
      | Effect.Effect<ScriptedResponse | undefined, unknown>)

/**
 * A fault of one response: a failure of the API, a reply or fault of the test server, or a change to the response, such as
 * `TestServer.truncateAfter(200)`.
 *
 * @since 0.1.0
 * @category models
 */
export type Fault = Reply | Failure | ((reply: Reply) => Reply)

/**
 * The outcome of one request of a batch.
 *
 * @since 0.1.0
 * @category models
 */
export type Ending = "canceled" | "expired" | Step

/**
 * Makes a message response from a text, a block, or several blocks.
 *
 * @example
 * ```ts
 * import { AnthropicApi } from "@effect-api/testing"
 *
 * export const call = AnthropicApi.response(
 *   [AnthropicApi.thinking("Which city?"), AnthropicApi.toolUse("weather", { city: "Bern" })],
 *   { usage: { input_tokens: 12 }, chunkBytes: 7 }
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const response = (
  content: string | Block | ReadonlyArray<Block>,
  options: ResponseOptions = {}
): MessageResponse => ({
  ...options,
  _tag: "MessageResponse",
  content: typeof content === "string" ? [text(content)] : "block" in content ? [content] : content
})

/** The status and the usual message of each documented type. */
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
 * Makes an error response of the API. Its documented type determines the status.
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
    /** The message of the error (the usual one of the type). */
    readonly message?: string | undefined
    /** The HTTP status (that of the type). */
    readonly status?: number | undefined
    /** Further fields of the error (none). */
    readonly details?: JsonObject | undefined
    /** The `retry-after` header, in seconds (none). */
    readonly retryAfter?: number | undefined
    /** Further headers of the response (none). */
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
