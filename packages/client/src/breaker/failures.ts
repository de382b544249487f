/** What the error of an attempt means for the health of its server: a table. */
import * as ApiError from "../errors/ApiError.js"
import { ofStatus } from "../errors/ofStatus.js"
import { reasons } from "../errors/reasons.js"
import * as StatusTag from "../errors/StatusTag.js"
import { toMillis } from "../shared/duration.js"

/** `nothing`: the attempt has not found out how the server is. */
export type Verdict = "well" | "failed" | "nothing"

/** What the program decides of an error. */
export type IsFailure = (error: ApiError.ApiError) => boolean | undefined

/**
 * What an error means for its server: the program decides first, then the table.
 *
 * | error | |
 * |---|---|
 * | a connection failure, a timeout but `total`, a status of 5xx | `failed`, if another attempt may help |
 * | `total` | `failed`, if the attempt had at least half of it: an attempt late in a call finds out nothing |
 * | any other status, a response or a stream that breaks its contract | `well`: the server responds |
 * | everything else: a failure of TLS, credentials, an invalid request | `nothing` |
 *
 * `millis` is how long the attempt ran.
 */
export const verdictOf = (
  error: ApiError.ApiError,
  isFailure: IsFailure | undefined,
  millis: number
): Verdict => {
  const own = ownDecision(error, isFailure)
  if (own === true) return "failed"
  switch (error._tag) {
    case "ConnectionError":
      return own !== false && ApiError.isRetryable(error) ? "failed" : "nothing"
    case "TimeoutError":
      if (own === false) return "nothing"
      if (error.phase === "total") return millis >= toMillis(error.limit) / 2 ? "failed" : "nothing"
      return ApiError.isRetryable(error) ? "failed" : "nothing"
    case "StreamTruncatedError":
    case "StreamProtocolError":
    case "ResponseValidationError":
      return "well"
    default:
      if (!ApiError.isStatusError(error)) return "nothing"
      if (own === false || error.status < 500) return "well"
      return ApiError.isRetryable(error) ? "failed" : "nothing"
  }
}

/** A function that throws, or that returns something else, decides nothing. */
const ownDecision = (error: ApiError.ApiError, isFailure: IsFailure | undefined): boolean | undefined => {
  // A request that was not sent for another reason has not met the server.
  if (isFailure === undefined || !isSent(error)) return undefined
  try {
    const decided: unknown = isFailure(error)
    return typeof decided === "boolean" ? decided : undefined
  } catch {
    return undefined
  }
}

const isSent = (error: ApiError.ApiError): boolean =>
  error.delivery !== "not-sent" || error._tag === "ConnectionError" || error._tag === "TimeoutError"

/** How long the server asks to be left alone, in milliseconds. */
export const hintOf = (error: ApiError.ApiError): number => {
  const hint = ApiError.isStatusError(error) ? toMillis(error.retryAfter) : 0
  return Number.isNaN(hint) ? 0 : Math.max(hint, 0)
}

/**
 * An error without what belongs to its own call: other calls show it, perhaps to other people. `undefined` for one that quotes
 * a body.
 */
export const summaryOf = (error: ApiError.ApiError, origin: string): ApiError.ApiError | undefined => {
  const request = { method: error.request.method, url: origin }
  if (error._tag === "ConnectionError" || error._tag === "TimeoutError")
    return ApiError.update(error, { request, attempts: [], cause: undefined })
  if (!ApiError.isStatusError(error)) return undefined
  const { _tag, client, delivery, requestId, retryAfter, shouldRetry, status, stoppedBy } = error
  const known = { client, delivery, requestId, retryAfter, shouldRetry, status, stoppedBy }
  const message = `${status} ${reasons[status] ?? "error"}`
  return new StatusTag.classes[_tag]({ ...ofStatus, ...known, message, request, attempts: [] })
}
