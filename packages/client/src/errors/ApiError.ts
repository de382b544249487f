/**
 * Every error a call can end with: one flat class per case a caller would act on. The table below says what each is.
 *
 * Errors hold plain data with the secrets taken out, never a live request or response: they may be logged as they are.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import { TaggedError } from "./taggedError.js"

const row = <S extends number | undefined, R extends boolean, D extends Delivery>(
  status: S,
  retryable: R,
  delivery: D
) => ({ status, retryable, delivery }) as const

/**
 * Every error as data: the status it stands for, whether another attempt may help, and what it says of the delivery.
 * `ConnectionError` and `TimeoutError` say more by their kind and phase.
 *
 * @since 0.1.0
 * @category tables
 */
export const table = {
  BadRequestError: row(400, false, "rejected"),
  AuthenticationError: row(401, false, "rejected"),
  PermissionDeniedError: row(403, false, "rejected"),
  NotFoundError: row(404, false, "rejected"),
  ConflictError: row(409, true, "rejected"),
  RequestTooLargeError: row(413, false, "rejected"),
  UnprocessableEntityError: row(422, false, "rejected"),
  RateLimitError: row(429, true, "rejected"),
  // 503 and 504 often come from a proxy that has already handed the request on.
  InternalServerError: row(500, true, "maybe-applied"),
  ServiceUnavailableError: row(503, true, "maybe-applied"),
  DeadlineExceededError: row(504, true, "maybe-applied"),
  OverloadedError: row(529, true, "rejected"),
  // 408 is the one of these that is retried.
  UnexpectedStatusError: row(undefined, false, "rejected"),
  ConnectionError: row(undefined, true, "maybe-applied"),
  TimeoutError: row(undefined, true, "maybe-applied"),
  InvalidRequestError: row(undefined, false, "not-sent"),
  CredentialsError: row(undefined, false, "not-sent"),
  ResponseValidationError: row(undefined, false, "maybe-applied"),
  StreamTruncatedError: row(undefined, false, "maybe-applied"),
  StreamProtocolError: row(undefined, false, "maybe-applied"),
  PaginationError: row(undefined, false, "maybe-applied")
} as const satisfies Record<
  ApiError["_tag"],
  { readonly status: number | undefined; readonly retryable: boolean; readonly delivery: Delivery }
>

/** What may have happened to the request on the server's side. @since 0.1.0 @category models */
export type Delivery = "not-sent" | "rejected" | "maybe-applied"

/** Why a call made no further attempt. @since 0.1.0 @category models */
export type StoppedBy =
  | "not-retryable"
  | "attempts"
  | "budget"
  | "deadline"
  | "retry-after"
  | "not-replayable"
  | "nested"

/**
 * One line of the attempt ledger. `startedAt` is in milliseconds since the epoch; `tag` and `status` are absent where
 * the attempt has none; `delay` is the wait before the next attempt, absent after the last.
 *
 * @since 0.1.0
 * @category models
 */
export interface Attempt {
  readonly startedAt: number
  readonly duration: Duration.Duration
  readonly tag: string | undefined
  readonly status: number | undefined
  readonly delay: Duration.Duration | undefined
}

/**
 * What every error tells: which request, what was tried, why it ended, what the server may have done with it. Of a call that
 * tried more than a hundred times, `attempts` holds the first fifty and the last fifty.
 *
 * `shouldRetry` is the word of the server (`x-should-retry`) or of a middleware; it outranks the table above. `cause` is what
 * code of the program's own failed with (a body's source, a middleware, credentials, a function of a stream's contract), unless
 * it shows a secret.
 *
 * @since 0.1.0
 * @category models
 */
export interface Common {
  readonly message: string
  readonly request: { readonly method: string; readonly url: string }
  readonly attempts: ReadonlyArray<Attempt>
  readonly stoppedBy: StoppedBy
  readonly delivery: Delivery
  readonly shouldRetry: boolean | undefined
  readonly cause?: unknown
}

/**
 * What an answer with an error status tells. `type` is the API's own word for the error (`error.type` of the body unless
 * configured otherwise), `body` the parsed JSON or the text, `undefined` where it was empty or did not arrive.
 *
 * @since 0.1.0
 * @category models
 */
export interface StatusFields extends Common {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly requestId: string | undefined
  readonly type: string | undefined
  readonly body: unknown
  readonly retryAfter: Duration.Duration | undefined
}

/** 400: the server cannot make sense of the request. @since 0.1.0 @category errors */
export class BadRequestError extends TaggedError("BadRequestError")<StatusFields> {}

/**
 * 401: the credentials are missing or not accepted. Retried once, outside the count, where they can be refreshed.
 *
 * @since 0.1.0
 * @category errors
 */
export class AuthenticationError extends TaggedError("AuthenticationError")<StatusFields> {}

/** 403: the credentials do not allow this. @since 0.1.0 @category errors */
export class PermissionDeniedError extends TaggedError("PermissionDeniedError")<StatusFields> {}

/** 404: there is nothing at this path. @since 0.1.0 @category errors */
export class NotFoundError extends TaggedError("NotFoundError")<StatusFields> {}

/** 409: the request collides with the state of the resource. @since 0.1.0 @category errors */
export class ConflictError extends TaggedError("ConflictError")<StatusFields> {}

/** 413: the body is larger than the server takes. @since 0.1.0 @category errors */
export class RequestTooLargeError extends TaggedError("RequestTooLargeError")<StatusFields> {}

/** 422: the request is well-formed and its content is refused. @since 0.1.0 @category errors */
export class UnprocessableEntityError extends TaggedError("UnprocessableEntityError")<StatusFields> {}

/** 429: too many requests; `retryAfter` is the server's hint. @since 0.1.0 @category errors */
export class RateLimitError extends TaggedError("RateLimitError")<StatusFields> {}

/** 5xx: the server failed, where no closer tag says how. @since 0.1.0 @category errors */
export class InternalServerError extends TaggedError("InternalServerError")<StatusFields> {}

/** 503: the service, or a proxy before it, is unavailable. @since 0.1.0 @category errors */
export class ServiceUnavailableError extends TaggedError("ServiceUnavailableError")<StatusFields> {}

/** 504: the server, or a proxy before it, ran out of time. @since 0.1.0 @category errors */
export class DeadlineExceededError extends TaggedError("DeadlineExceededError")<StatusFields> {}

/** 529: the API is overloaded and did not take the request. @since 0.1.0 @category errors */
export class OverloadedError extends TaggedError("OverloadedError")<StatusFields> {}

/** Any other status that is not a success, a refused redirect among them. @since 0.1.0 @category errors */
export class UnexpectedStatusError extends TaggedError("UnexpectedStatusError")<StatusFields> {}

/**
 * No answer came: the name did not resolve, the connection was refused, reset or closed, or TLS failed. `code` is the
 * system's code (`ECONNREFUSED`), found along the chain of causes. `delivery` is `not-sent` where no byte of the request
 * was written.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectionError extends TaggedError("ConnectionError")<
  Common & {
    readonly kind: "dns" | "refused" | "reset" | "tls" | "closed" | "other"
    readonly code: string | undefined
  }
> {}

/**
 * A limit passed: `phase` says which, `limit` how long it was. `delivery` is `not-sent` in the phase `connect`.
 *
 * @since 0.1.0
 * @category errors
 */
export class TimeoutError extends TaggedError("TimeoutError")<
  Common & {
    readonly phase: "connect" | "response" | "idle" | "first-event" | "content-idle" | "total"
    readonly limit: Duration.Duration
  }
> {}

/**
 * The request cannot be sent as it was written: `field` names the part (`path.id`, `headers.x-trace`), `reason` what is
 * wrong with it. Nothing was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidRequestError extends TaggedError("InvalidRequestError")<
  Common & { readonly field: string; readonly reason: string }
> {}

/** The credentials could not be had; `retryAfter` is their server's hint. @since 0.1.0 @category errors */
export class CredentialsError extends TaggedError("CredentialsError")<
  Common & { readonly reason: string; readonly retryAfter: Duration.Duration | undefined }
> {}

/**
 * The answer came and does not fit: `reason` is the schema's message, `path` where in the value, `excerpt` the start of
 * the body.
 *
 * @since 0.1.0
 * @category errors
 */
export class ResponseValidationError extends TaggedError("ResponseValidationError")<
  Common & {
    readonly status: number
    readonly requestId: string | undefined
    readonly reason: string
    readonly path: ReadonlyArray<string | number>
    readonly excerpt: string
  }
> {}

/** A stream ended before its terminal event, after `received` events. @since 0.1.0 @category errors */
export class StreamTruncatedError extends /*#__PURE__*/ TaggedError("StreamTruncatedError")<
  Common & { readonly requestId: string | undefined; readonly received: number }
> {}

/**
 * A stream is not what it should be: another media type, an event above the size cap, an unknown event where none is
 * allowed, or data that does not fit the event's schema.
 *
 * @since 0.1.0
 * @category errors
 */
export class StreamProtocolError extends /*#__PURE__*/ TaggedError("StreamProtocolError")<
  Common & {
    readonly status: number
    readonly requestId: string | undefined
    readonly reason: string
    readonly excerpt: string
  }
> {}

/** The pages would never end: one cursor came twice, or their limit passed. @since 0.1.0 @category errors */
export class PaginationError extends /*#__PURE__*/ TaggedError("PaginationError")<
  Common & { readonly reason: string; readonly pages: number }
> {}

/** An answer with a status that is not a success. @since 0.1.0 @category models */
export type StatusError =
  | BadRequestError
  | AuthenticationError
  | PermissionDeniedError
  | NotFoundError
  | ConflictError
  | RequestTooLargeError
  | UnprocessableEntityError
  | RateLimitError
  | InternalServerError
  | ServiceUnavailableError
  | DeadlineExceededError
  | OverloadedError
  | UnexpectedStatusError

/** All that a call can fail with, besides the caller's own `failure` errors. @since 0.1.0 @category models */
export type ApiError =
  | StatusError
  | ConnectionError
  | TimeoutError
  | InvalidRequestError
  | CredentialsError
  | ResponseValidationError
  | StreamTruncatedError
  | StreamProtocolError
  | PaginationError

/** Whether a value is one of this package's errors. @since 0.1.0 @category guards */
export const isApiError = (u: unknown): u is ApiError =>
  u instanceof Error &&
  Predicate.hasProperty(u, "_tag") &&
  typeof u._tag === "string" &&
  Object.hasOwn(table, u._tag) &&
  "stoppedBy" in u

/**
 * The same error with other fields, as a new value: errors may be shared, so they are never changed in place.
 *
 * @since 0.1.0
 * @category combinators
 */
export const update = <E extends ApiError>(error: E, fields: Partial<Common>): E => {
  // `Error` keeps both of these out of a spread.
  const hidden = error.cause === undefined ? {} : { cause: error.cause }
  const copy: E = Reflect.construct(error.constructor, [
    { ...error, message: error.message, ...hidden, ...fields }
  ])
  // Where the error came about stays; its first line is the message, and a message may be changed to hide something.
  if (error.stack !== undefined) copy.stack = error.stack.replace(error.message, () => copy.message)
  return copy
}

/** Whether an error is an answer with an error status. @since 0.1.0 @category guards */
export const isStatusError = (u: unknown): u is StatusError => isApiError(u) && "body" in u

/** Whether another attempt may help: the word of a server or a middleware, else the table. @since 0.1.0 @category guards */
export const isRetryable = (error: ApiError): boolean => {
  if (error._tag === "InvalidRequestError") return false
  if (error.shouldRetry !== undefined) return error.shouldRetry
  switch (error._tag) {
    case "UnexpectedStatusError":
      return error.status === 408
    case "ConnectionError":
      return error.kind !== "tls"
    case "TimeoutError":
      return error.phase !== "total"
    default:
      return table[error._tag].retryable
  }
}
