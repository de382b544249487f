/** The errors of requests that were not sent. */

import * as Duration from "effect/Duration"
import type { ResolvedConfig } from "../config/resolveConfig.js"
import type * as Credentials from "../credentials/Credentials.js"
import * as ApiError from "../errors/ApiError.js"
import { ownCause } from "../errors/ownCause.js"
import type { InvalidInput } from "../shared/invalid.js"
import { shownText } from "../shared/shownText.js"
import type * as ApiRequest from "./ApiRequest.js"
import type * as Call from "./Call.js"
import * as CallError from "./CallError.js"
import * as CallSecrets from "./CallSecrets.js"
import * as StatusError from "./StatusError.js"

/** Why a request never became a call: it cannot be sent as written, or encoding it took all of the call's time. */
export type Unsent = ApiError.InvalidRequestError | ApiError.TimeoutError

/** A request that cannot be sent as written, found before it is a call. */
export const invalidRequest = (
  config: ResolvedConfig,
  request: ApiRequest.Request,
  problem: InvalidInput
): ApiError.InvalidRequestError => {
  const redactor = CallSecrets.makeRedactor({ config, request })
  const reason = shownText(redactor.text, problem.reason)
  const message = `${problem.field} ${reason}`
  return new ApiError.InvalidRequestError({
    ...CallError.ofRequest(config, request, redactor, message, "not-retryable"),
    field: problem.field,
    reason,
    ...ownCause(problem.cause, redactor.text)
  })
}

/** The `total` limit passed while a schema encoded the request. */
export const encodingTimeout = (
  config: ResolvedConfig,
  request: ApiRequest.Request,
  totalMillis: number
): ApiError.TimeoutError => {
  const limit = Duration.millis(totalMillis)
  const redactor = CallSecrets.makeRedactor({ config, request })
  const message = `the total limit of ${Duration.format(limit)} passed while the request was encoded`
  return new ApiError.TimeoutError({
    ...CallError.ofRequest(config, request, redactor, message, "deadline"),
    phase: "total",
    limit
  })
}

/** The queue of the client's own limits is full. */
export const queueFull = (call: Call.Call, length: number, limit: number): ApiError.QueueFullError =>
  new ApiError.QueueFullError({
    ...CallError.ofCall(call, `not sent: ${length} calls wait already, and at most ${limit} may`, "not-sent"),
    length,
    limit
  })

/** The server has asked the client to wait, and the call cannot wait that long: its error is that of the refused call. */
export const heldBack = (call: Call.Call, millis: number, now: number): ApiError.StatusError => {
  const wait = Math.ceil(millis)
  const refusal = `not sent: the server takes no request for ${Duration.format(Duration.millis(wait))}`
  const head = { status: 429, headers: { "retry-after-ms": String(wait) }, text: "" }
  return ApiError.update(StatusError.statusError(call, { ...head, now, refusal }), { delivery: "not-sent" })
}

/** The circuit of the call's origin is open: its server is down since then, and the next probe goes after so many milliseconds. */
export const circuitOpen = (
  call: Call.Call,
  since: number,
  millis: number,
  cause: ApiError.ApiError | undefined
): ApiError.CircuitOpenError => {
  const { text } = CallSecrets.redactor(call)
  const retryAfter = Duration.millis(Math.ceil(millis))
  const { origin } = call.encoded
  const down = `${origin} is down since ${new Date(since).toISOString()}`
  return new ApiError.CircuitOpenError({
    ...CallError.ofCall(
      call,
      `not sent: ${down}, the next probe goes in ${Duration.format(retryAfter)}`,
      "not-sent"
    ),
    ...ownCause(cause, text),
    origin: text(origin),
    since,
    retryAfter
  })
}

/** An attempt without credentials. A token fetch is a single attempt inside the call's loop, which retries it if that may help. */
export const noCredentials = (
  call: Call.Call,
  { cause, reason, retryAfter, retryable }: Credentials.Failure
): ApiError.CredentialsError => {
  const fields = CallError.ofCall(call, `no credentials: ${reason}`, "not-sent")
  return new ApiError.CredentialsError({
    ...fields,
    ...ownCause(cause, CallSecrets.redactor(call).text),
    shouldRetry: retryable ? true : undefined,
    reason: fields.message,
    retryAfter
  })
}
