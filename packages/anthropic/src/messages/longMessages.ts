/** Messages that may take too long to generate for a response without a stream. */
import { ApiConfig, ApiRequest, type Middleware, type Timeouts } from "@effect-api/client"
import type * as CallOptions from "../config/CallOptions.js"
import { failing } from "./failing.js"
import type * as Message from "./Message.js"

/** The limit of Anthropic's SDKs: at 128,000 tokens an hour, more than this takes over ten minutes. */
const maxTokens = (128_000 * 10) / 60

/** The limits of slower models. */
const maxTokensByModel: Readonly<Record<string, number>> = {
  "claude-opus-4@20250514": 8192,
  "claude-opus-4-1@20250805": 8192,
  "anthropic.claude-opus-4-1-20250805-v1:0": 8192
}

const isLong = ({ max_tokens, model }: Message.MessageCreateParams): boolean =>
  max_tokens > ((Object.hasOwn(maxTokensByModel, model) ? maxTokensByModel[model] : undefined) ?? maxTokens)

const isLimited = (timeouts: CallOptions.CallOptions["timeouts"]): boolean =>
  typeof timeouts === "function" || timeouts?.response !== undefined || timeouts?.total !== undefined

/** Makes a request fail before it is sent if its message may take too long and no timeout limits it. */
export const rejectLong = <A>(
  request: ApiRequest.ApiRequest<A>,
  params: Message.MessageCreateParams,
  timeouts: CallOptions.CallOptions["timeouts"]
): ApiRequest.ApiRequest<A> =>
  isLong(params) && !isLimited(timeouts) ? ApiRequest.override(request, { middleware: [reject] }) : request

/** Adds the client's timeouts to the options of a call, so that they allow long messages too. */
export const withClientTimeouts = (
  settings: { readonly timeouts?: Timeouts.Options | undefined },
  options: CallOptions.CallOptions | undefined
): CallOptions.CallOptions | undefined =>
  isLimited(settings.timeouts)
    ? { ...options, timeouts: ApiConfig.compose("timeouts", settings.timeouts, options?.timeouts) }
    : options

const reject: Middleware.Middleware = /*#__PURE__*/ failing(
  "max_tokens",
  "may take more than ten minutes to write: stream the message, or set timeouts.response"
)
