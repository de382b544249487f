/**
 * The requests of the Messages API: https://docs.anthropic.com/en/api/messages
 *
 * @since 0.1.0
 */
import { ApiRequest } from "@effect-api/client"
import * as CallOptions from "../config/CallOptions.js"
import { lazy } from "../shared/lazy.js"
import { asSent } from "../shared/schema.js"
import { withFields } from "../shared/withFields.js"
import { failing } from "./failing.js"
import { fillFinishedMessage } from "./fillMissing.js"
import { rejectLong } from "./longMessages.js"
import * as Message from "./Message.js"
import * as MessageEvent from "./MessageEvent.js"
import * as OutputFormat from "./OutputFormat.js"

/** Servers other than Anthropic's leave fields out. */
const message = lazy(() => asSent(Message.Message, fillFinishedMessage))

/**
 * Requests a complete message.
 *
 * If `max_tokens` could take more than ten minutes to generate, the call fails with an `InvalidRequestError` and sends
 * nothing. Connections that are idle for so long tend to break. Use {@link stream} for such messages, or set
 * `timeouts.response` or `timeouts.total`.
 *
 * @example
 * ```ts
 * import { Anthropic, Messages, RateLimits } from "@effect-api/anthropic"
 * import { Effect } from "effect"
 *
 * const request = Messages.create({
 *   model: "claude-sonnet-5-5",
 *   max_tokens: 1024,
 *   messages: [{ role: "user", content: "Hello" }]
 * })
 *
 * const program = Effect.gen(function* () {
 *   const { client } = yield* Anthropic.Anthropic
 *   const response = yield* client.executeWithResponse(request)
 *   return { message: response.value, remaining: RateLimits.from(response).requests?.remaining }
 * })
 * ```
 * @since 0.1.0
 * @category requests
 */
export const create = (
  params: Message.MessageCreateParams,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<Message.Message> => {
  const request = ApiRequest.post("/v1/messages", {
    ...CallOptions.toOverrides(options),
    body: params,
    success: message()
  })
  return rejectLong(request, params, options?.timeouts)
}

/**
 * Requests a complete message for `OutputFormat.parse`. Fails with an `InvalidRequestError`, and sends nothing, if
 * `output_config.format` is none of `OutputFormat.make`.
 *
 * @since 3.2.0
 * @category requests
 */
export const createParsable = <A>(
  params: OutputFormat.Params<A>,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<Message.Message> => {
  const request = create(params, options)
  // Plain JavaScript may pass anything.
  const isParsable = OutputFormat.isOutputFormat(params?.output_config?.format)
  return isParsable ? request : ApiRequest.override(request, { middleware: [rejectFormat] })
}

const rejectFormat = /*#__PURE__*/ failing("output_config.format", "must be made by OutputFormat.make")

/**
 * Requests a message as a stream of events, under the {@link MessageEvent.contract}.
 *
 * @example
 * ```ts
 * import { Anthropic, Messages, MessageStream } from "@effect-api/anthropic"
 * import { Console, Effect, Stream } from "effect"
 *
 * const request = Messages.stream({
 *   model: "claude-sonnet-5-5",
 *   max_tokens: 64_000,
 *   messages: [{ role: "user", content: "Tell me a story" }]
 * })
 *
 * const program = Effect.flatMap(Anthropic.Anthropic, ({ client }) =>
 *   client.stream(request).pipe(MessageStream.textDeltas, Stream.runForEach(Console.log))
 * )
 * ```
 * @since 0.1.0
 * @category requests
 */
export const stream = (
  params: Message.MessageCreateParams,
  options?: CallOptions.CallOptions
): ApiRequest.StreamRequest<MessageEvent.MessageEvent> =>
  ApiRequest.post("/v1/messages", {
    ...CallOptions.toOverrides(options),
    body: withFields(params, { stream: true }),
    events: MessageEvent.contract
  })

const count = lazy(() => asSent(Message.MessageTokensCount))

/**
 * Counts the input tokens of a message without creating it.
 *
 * @since 0.1.0
 * @category requests
 */
export const countTokens = (
  params: Message.ConversationParams,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<Message.MessageTokensCount> =>
  ApiRequest.post("/v1/messages/count_tokens", {
    ...CallOptions.toOverrides(options),
    body: params,
    success: count()
  })
