/**
 * Which error a status is, by tables alone: the status, the API's own name for the error, and the message in its
 * body.
 */
import * as Predicate from "effect/Predicate"
import * as Struct from "effect/Struct"
import * as ApiError from "./ApiError.js"

/** Success is 2xx. */
export const isSuccess = (status: number): boolean => status >= 200 && status < 300

/** The class of each tag. */
export const classes = {
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

/** The tag of a status error. */
export type StatusTag = keyof typeof classes

const tagsByStatus = new Map<number, StatusTag>(
  Struct.keys(classes).flatMap((tag) => {
    const status = ApiError.table[tag].status
    return status === undefined ? [] : [[status, tag] as const]
  })
)

/** Error types of APIs that say more than a status: https://docs.anthropic.com/en/api/errors and similar APIs. */
const tagsByType: Readonly<Record<string, StatusTag>> = {
  authentication_error: "AuthenticationError",
  permission_error: "PermissionDeniedError",
  not_found_error: "NotFoundError",
  request_too_large: "RequestTooLargeError",
  rate_limit_error: "RateLimitError",
  timeout_error: "DeadlineExceededError",
  overloaded_error: "OverloadedError"
}

/** Error types for a whole family of statuses. They count only if the status is of another family. */
const tagsByFamily: Readonly<Record<string, readonly [family: number, tag: StatusTag]>> = {
  invalid_request_error: [4, "BadRequestError"],
  api_error: [5, "InternalServerError"]
}

/**
 * The tag for a status and the API's own error type. A known type takes precedence over the status: an
 * `overloaded_error` inside a 200 stream is an `OverloadedError`.
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

/** The body as JSON if it parses, else as text; `undefined` if it is empty. */
export const parse = (text: string): unknown => {
  if (text === "") return undefined
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The message in the body of an error, in the shapes that APIs use. */
export const messageOf = (body: unknown): string | undefined =>
  (Predicate.hasProperty(body, "error") ? ownMessageOf(body.error) : undefined) ?? ownMessageOf(body)

const ownMessageOf = (value: unknown): string | undefined =>
  Predicate.hasProperty(value, "message") && Predicate.isString(value.message) && value.message !== ""
    ? value.message
    : undefined
