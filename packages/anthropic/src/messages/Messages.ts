/**
 * The requests for messages: https://docs.anthropic.com/en/api/messages
 *
 * @since 0.1.0
 */
import {
  ApiConfig,
  ApiError,
  ApiRequest,
  ApiSchema,
  type Middleware,
  type Timeouts
} from "@effect-api/client"
import * as Effect from "effect/Effect"
import * as CallOptions from "../config/CallOptions.js"
import { withFields } from "../shared/withFields.js"
import * as Begun from "./begun.js"
import * as Message from "./Message.js"
import * as MessageEvent from "./MessageEvent.js"

/** Servers that are not the vendor's say less of a message. */
const message = ApiSchema.asSent(Message.Message, Begun.finished)

/**
 * Asks for a message, whole. A `max_tokens` that may take more than ten minutes to write fails with an
 * `InvalidRequestError` before anything is sent, unless `timeouts.response` or `timeouts.total` is set: a
 * connection that is idle for so long does not last, so {@link stream} it.
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
 *   return { message: response.value, left: RateLimits.from(response).requests?.remaining }
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
    success: message
  })
  return isLong(params) && !isLimited(options?.timeouts)
    ? ApiRequest.override(request, { middleware: [refuse] })
    : request
}

/**
 * Asks for a message, event by event, under the {@link MessageEvent.contract}.
 *
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

const count = ApiSchema.asSent(Message.MessageTokensCount)

/**
 * Asks how many tokens the input of a message would be.
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
    success: count
  })

/**
 * The options of a {@link create} on a client with these settings: its timeouts say how long a message may take, too.
 *
 * @since 0.1.0
 * @category requests
 */
export const within = (
  settings: { readonly timeouts?: Timeouts.Options | undefined },
  options: CallOptions.CallOptions | undefined
): CallOptions.CallOptions | undefined =>
  isLimited(settings.timeouts)
    ? { ...options, timeouts: ApiConfig.compose("timeouts", settings.timeouts, options?.timeouts) }
    : options

/** The arithmetic of the vendor's SDKs: 128,000 tokens take an hour to write, and ten minutes are too long. */
const mostTokens = (128_000 * 10) / 60

/** Models that are slower than that. */
const mostTokensOf: Readonly<Record<string, number>> = {
  "claude-opus-4@20250514": 8192,
  "claude-opus-4-1@20250805": 8192,
  "anthropic.claude-opus-4-1-20250805-v1:0": 8192
}

const isLimited = (timeouts: CallOptions.CallOptions["timeouts"]): boolean =>
  typeof timeouts === "function" || timeouts?.response !== undefined || timeouts?.total !== undefined

const isLong = ({ max_tokens, model }: Message.MessageCreateParams): boolean =>
  max_tokens > ((Object.hasOwn(mostTokensOf, model) ? mostTokensOf[model] : undefined) ?? mostTokens)

const refuse: Middleware.Middleware = ({ method, url }) => {
  const reason = "may take more than ten minutes to write: stream the message, or set timeouts.response"
  return Effect.fail(
    new ApiError.InvalidRequestError({
      message: `max_tokens ${reason}`,
      request: { method, url },
      attempts: [],
      stoppedBy: "not-retryable",
      delivery: "not-sent",
      shouldRetry: undefined,
      field: "max_tokens",
      reason
    })
  )
}
