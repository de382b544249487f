/**
 * An answer: the value with what came around it, or, by its status, one of the tagged errors.
 *
 * @since 0.1.0
 */
import type * as PlatformHeaders from "@effect/platform/Headers"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ApiError from "./ApiError.js"
import * as Call from "./Call.js"
import { excerpt, shownRequestId, textOf } from "./CallError.js"
import { owned } from "./internal/bytes.js"
import * as Headers from "./internal/headers.js"
import { isDeep } from "./internal/jsonDepth.js"
import { shownText } from "./internal/shownText.js"
import { reasons } from "./internal/statusReasons.js"
import type * as ResponseBody from "./ResponseBody.js"
import * as RetryAfter from "./RetryAfter.js"

export { excerpt, requestId, shownRequestId, textOf } from "./CallError.js"

/**
 * A decoded response. `headers` are by lower-case name and as they came, but for `content-encoding` and `content-length`,
 * which are dropped where the transport has decoded the body: they would not fit what is handed on. `attempts` is the ledger of the call, the last line
 * being the attempt that succeeded.
 *
 * @since 0.1.0
 * @category models
 */
export interface ApiResponse<out A> {
  readonly value: A
  readonly status: number
  readonly headers: PlatformHeaders.Headers
  readonly requestId: string | undefined
  readonly attempts: ReadonlyArray<ApiError.Attempt>
}

const classes = {
  BadRequestError: ApiError.BadRequestError,
  AuthenticationError: ApiError.AuthenticationError,
  PermissionDeniedError: ApiError.PermissionDeniedError,
  NotFoundError: ApiError.NotFoundError,
  ConflictError: ApiError.ConflictError,
  RequestTooLargeError: ApiError.RequestTooLargeError,
  UnprocessableEntityError: ApiError.UnprocessableEntityError,
  RateLimitError: ApiError.RateLimitError,
  InternalServerError: ApiError.InternalServerError,
  ServiceUnavailableError: ApiError.ServiceUnavailableError,
  DeadlineExceededError: ApiError.DeadlineExceededError,
  OverloadedError: ApiError.OverloadedError,
  UnexpectedStatusError: ApiError.UnexpectedStatusError
} as const satisfies {
  readonly [Tag in ApiError.StatusError["_tag"]]: new (
    fields: ApiError.StatusFields
  ) => ApiError.StatusError
}

/**
 * The tag of a status error.
 *
 * @since 0.1.0
 * @category models
 */
export type StatusTag = keyof typeof classes

const tagsByStatus = new Map<number, StatusTag>(
  (Object.keys(classes) as Array<StatusTag>).flatMap((tag) => {
    const status = ApiError.table[tag].status
    return status === undefined ? [] : [[status, tag] as const]
  })
)

/** Words of APIs that say more than a status can: https://docs.anthropic.com/en/api/errors and its kin. */
const tagsByType: Readonly<Record<string, StatusTag>> = {
  authentication_error: "AuthenticationError",
  permission_error: "PermissionDeniedError",
  not_found_error: "NotFoundError",
  request_too_large: "RequestTooLargeError",
  rate_limit_error: "RateLimitError",
  timeout_error: "DeadlineExceededError",
  overloaded_error: "OverloadedError"
}

/** Words for a whole family of statuses: they decide only where the status is not of that family itself. */
const tagsByFamily: Readonly<Record<string, readonly [family: number, tag: StatusTag]>> = {
  invalid_request_error: [4, "BadRequestError"],
  api_error: [5, "InternalServerError"]
}

/**
 * The tag for a status and the API's own word for the error. The word outranks the status where it is known and they
 * disagree: an `overloaded_error` inside a 200 stream is an `OverloadedError`.
 *
 * @since 0.1.0
 * @category decisions
 */
export const tagOf = (status: number, type: string | undefined): StatusTag => {
  if (type !== undefined) {
    const exact = Object.hasOwn(tagsByType, type) ? tagsByType[type] : undefined
    if (exact !== undefined) return exact
    const family = Object.hasOwn(tagsByFamily, type) ? tagsByFamily[type] : undefined
    if (family !== undefined && Math.floor(status / 100) !== family[0]) return family[1]
  }
  return tagsByStatus.get(status) ?? (status >= 500 ? "InternalServerError" : "UnexpectedStatusError")
}

/**
 * The tagged error of an answer that is no success, its body already read as far as it came. `body` is JSON where it
 * parses, else text, `undefined` where there is none; `cut` says that the body went on.
 *
 * @since 0.1.0
 * @category constructors
 */
export const statusError = (
  call: Call.Call,
  answer: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly text: string
    readonly cut?: boolean | undefined
    readonly refusal?: string | undefined
    readonly now: number
  }
): ApiError.StatusError => {
  const { text } = answer
  const { errorBytes } = call.config.limits
  // Where nothing arrived, there is nothing that was cut.
  const cut = (answer.cut === true && text !== "") || text.length > errorBytes
  const parsed = answer.cut === true || isDeep(text) ? text || undefined : parse(text)
  const shown = Call.redactorFor(call, text, parsed)
  const type = typeOf(call, parsed)
  const tag = tagOf(answer.status, type)
  const said =
    answer.refusal ??
    messageOf(parsed) ??
    (excerpt(call, text, cut, shown) ||
      reasons[answer.status] ||
      (Math.floor(answer.status / 100) === 3 ? "a redirect to nowhere" : "error"))
  const done = isSuccess(answer.status) && Call.isNamed(call, answer.status)
  const shouldRetry = done ? "false" : Headers.single(answer.headers["x-should-retry"] ?? "")
  return new classes[tag]({
    ...Call.common(
      call,
      `${answer.status} ${said}`,
      done ? "maybe-applied" : ApiError.table[tag].delivery,
      shown
    ),
    shouldRetry: shouldRetry === "true" ? true : shouldRetry === "false" ? false : undefined,
    status: answer.status,
    headers: shown.headers(answer.headers),
    requestId: shownRequestId(call, answer.headers),
    type: type === undefined ? undefined : shownText(shown.text, type),
    body: cut ? shown.text(text.slice(0, errorBytes), { cut }) : shown.json(parsed),
    retryAfter: Option.getOrUndefined(RetryAfter.parse(answer.headers, answer.now))
  })
}

/** The caller's own reader may not know this body: it must not hide the status. */
const typeOf = (call: Call.Call, body: unknown): string | undefined => {
  try {
    const type: unknown = call.config.errorType(body)
    return typeof type === "string" ? type : undefined
  } catch {
    return undefined
  }
}

const parse = (text: string): unknown => {
  if (text === "") return undefined
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

interface Saying {
  readonly message?: unknown
  readonly error?: Saying
}

const messageOf = (body: unknown): string | undefined => {
  const said = body as Saying | undefined
  return [said?.error?.message, said?.message].find(
    (message): message is string => typeof message === "string" && message !== ""
  )
}

/**
 * Success is 2xx.
 *
 * @since 0.1.0
 * @category decisions
 */
export const isSuccess = (status: number): boolean => status >= 200 && status < 300

/**
 * Whether a status is an error of this call: all but 2xx, and those of them that the request's `failure` names. A 202 that it
 * names is over and done with: it is never retried.
 *
 * @since 0.1.0
 * @category decisions
 */
export const isFailure = (call: Call.Call, status: number): boolean =>
  !isSuccess(status) || Call.isNamed(call, status)

/**
 * Lets a success through and turns any other answer into its error.
 *
 * @since 0.1.0
 * @category combinators
 */
export const failOnStatus = (
  call: Call.Call,
  response: ResponseBody.GuardedResponse
): Effect.Effect<ResponseBody.GuardedResponse, ApiError.StatusError> =>
  isFailure(call, response.status) ? fail(call, response) : Effect.succeed(response)

/**
 * Fails with the error of an answer. Its body is read up to `limits.errorBytes`; one that fails to arrive never hides the
 * status.
 *
 * @since 0.1.0
 * @category combinators
 */
export const fail = (
  call: Call.Call,
  response: ResponseBody.GuardedResponse
): Effect.Effect<never, ApiError.StatusError> =>
  Effect.flatMap(response.salvage(call.config.limits.errorBytes), ({ bytes, complete }) => {
    const { headers, status } = response
    call.refused = { status, body: { bytes: owned(bytes), contentType: headers["content-type"] } }
    return failUnread(call, response, textOf(bytes, !complete), !complete)
  })

/**
 * The same without a look at the body, of which `text` is what is known.
 *
 * @since 0.1.0
 * @category combinators
 */
export const failUnread = (
  call: Call.Call,
  { headers, refusal, status }: ResponseBody.GuardedResponse,
  text = "",
  cut = false
): Effect.Effect<never, ApiError.StatusError> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.fail(statusError(call, { status, headers, text, cut, refusal, now }))
  )
