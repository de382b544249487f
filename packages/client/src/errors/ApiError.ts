/**
 * Every error a call can end with: one flat class for each case that a caller would handle. The table below describes
 * each.
 *
 * Errors hold plain data without secrets, never a live request or response, so they may be logged as they are.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { ofStatus } from "./ofStatus.js"
import { reasons } from "./reasons.js"
import { TaggedError } from "./taggedError.js"

const row = <S extends number | undefined, R extends boolean, D extends Delivery>(
  status: S,
  retryable: R,
  delivery: D
) => ({ status, retryable, delivery }) as const

/**
 * Every error as data: its status, whether another attempt may help, and what may have happened to the request.
 * `ConnectionError` and `TimeoutError` depend on their kind and phase as well.
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
  // 503 and 504 often come from a proxy that has already passed the request on.
  InternalServerError: row(500, true, "maybe-applied"),
  ServiceUnavailableError: row(503, true, "maybe-applied"),
  DeadlineExceededError: row(504, true, "maybe-applied"),
  OverloadedError: row(529, true, "rejected"),
  // Of these only 408 is retried.
  UnexpectedStatusError: row(undefined, false, "rejected"),
  ConnectionError: row(undefined, true, "maybe-applied"),
  TimeoutError: row(undefined, true, "maybe-applied"),
  InvalidRequestError: row(undefined, false, "not-sent"),
  QueueFullError: row(undefined, false, "not-sent"),
  CircuitOpenError: row(undefined, false, "not-sent"),
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
 * One line of the attempt ledger. `startedAt` is in milliseconds since the epoch. `tag` and `status` are `undefined`
 * if the attempt has none. `delay` is the wait before the next attempt, `undefined` after the last.
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
 * The fields of every error: the request, the attempts, why they ended, and what the server may have done. After more
 * than a hundred attempts, `attempts` holds the first fifty and the last fifty.
 *
 * `client` is the `name` of the client's settings.
 *
 * `shouldRetry` is set by the server (`x-should-retry`) or by a middleware, and takes precedence over the table
 * above. `cause` is what code of the program failed with: a body's source, a middleware, credentials, a function of a
 * stream's contract. It is left out if it shows a secret.
 *
 * @since 0.1.0
 * @category models
 */
export interface Common {
  readonly message: string
  readonly client?: string | undefined
  readonly request: { readonly method: string; readonly url: string }
  readonly attempts: ReadonlyArray<Attempt>
  readonly stoppedBy: StoppedBy
  readonly delivery: Delivery
  readonly shouldRetry: boolean | undefined
  readonly cause?: unknown
}

/**
 * The fields of a response with an error status. `type` is the API's own type of the error (`error.type` of the body
 * unless configured otherwise, or the `type` of problem details). `title` and `detail` are those of problem details
 * (`application/problem+json`, RFC 9457). `body` is the parsed JSON or the text, `undefined` if it was empty or did not arrive.
 *
 * @since 0.1.0
 * @category models
 */
export interface StatusFields extends Common {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly requestId: string | undefined
  readonly type: string | undefined
  readonly title?: string | undefined
  readonly detail?: string | undefined
  readonly body: unknown
  /** How long the server asks to wait. `retryAfterMillis` of the error is the same in milliseconds. */
  readonly retryAfter: Duration.Duration | undefined
}

interface Hint {
  /** `retryAfter` in milliseconds, for code without durations. JSON and `inspect` show `retryAfter` alone. */
  readonly retryAfterMillis: number | undefined
}

/** A response with an error status. */
const Refusal: <Tag extends string>(
  tag: Tag
) => new (
  fields: StatusFields
) => Cause.YieldableError & { readonly _tag: Tag } & Readonly<StatusFields> & Hint = (tag) =>
  class extends TaggedError(tag)<StatusFields> implements Hint {
    get retryAfterMillis(): number | undefined {
      return millisOf(this.retryAfter)
    }
  }

const millisOf = (duration: Duration.Duration | undefined): number | undefined =>
  duration && Duration.toMillis(duration)

/** 400: the server does not understand the request. @since 0.1.0 @category errors */
export class BadRequestError extends Refusal("BadRequestError") {}

/**
 * 401: the credentials are missing or not accepted. Retried once, outside the count, if they can be refreshed.
 *
 * @since 0.1.0
 * @category errors
 */
export class AuthenticationError extends Refusal("AuthenticationError") {}

/** 403: the credentials do not allow this. @since 0.1.0 @category errors */
export class PermissionDeniedError extends Refusal("PermissionDeniedError") {}

/** 404: there is nothing at this path. @since 0.1.0 @category errors */
export class NotFoundError extends Refusal("NotFoundError") {}

/** 409: the request conflicts with the state of the resource. @since 0.1.0 @category errors */
export class ConflictError extends Refusal("ConflictError") {}

/** 413: the body is larger than the server accepts. @since 0.1.0 @category errors */
export class RequestTooLargeError extends Refusal("RequestTooLargeError") {}

/** 422: the request is well-formed, and its content is rejected. @since 0.1.0 @category errors */
export class UnprocessableEntityError extends Refusal("UnprocessableEntityError") {}

/** 429: too many requests; `retryAfter` is the server's hint. @since 0.1.0 @category errors */
export class RateLimitError extends Refusal("RateLimitError") {}

/** 5xx: the server failed, and no other tag is more specific. @since 0.1.0 @category errors */
export class InternalServerError extends Refusal("InternalServerError") {}

/** 503: the service, or a proxy in front of it, is unavailable. @since 0.1.0 @category errors */
export class ServiceUnavailableError extends Refusal("ServiceUnavailableError") {}

/** 504: the server, or a proxy in front of it, timed out. @since 0.1.0 @category errors */
export class DeadlineExceededError extends Refusal("DeadlineExceededError") {}

/** 529: the API is overloaded and did not accept the request. @since 0.1.0 @category errors */
export class OverloadedError extends Refusal("OverloadedError") {}

/** Any other status that is not a success, including a redirect that was not followed. @since 0.1.0 @category errors */
export class UnexpectedStatusError extends Refusal("UnexpectedStatusError") {}

/**
 * No response arrived: the name did not resolve, the connection was refused, reset or closed, or TLS failed. `code`
 * is the system's code (`ECONNREFUSED`), found along the chain of causes. `delivery` is `not-sent` if no byte of the
 * request was written.
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
 * A time limit passed: `phase` is which one, `limit` how long it was. `delivery` is `not-sent` in the phase
 * `connect`.
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
 * The request cannot be sent as written: `field` names the part (`path.id`, `headers.x-trace`), `reason` what is
 * wrong with it. This request was not sent; `delivery` also covers a request whose redirect led to it.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidRequestError extends TaggedError("InvalidRequestError")<
  Common & { readonly field: string; readonly reason: string }
> {}

/**
 * As many calls wait for the client's own limits as may: `length` of them, and `limit` is `maxQueue` of `RateLimit`.
 *
 * @since 3.3.0
 * @category errors
 */
export class QueueFullError extends /*#__PURE__*/ TaggedError("QueueFullError")<
  Common & { readonly length: number; readonly limit: number }
> {}

/**
 * The server is down, and the client's `CircuitBreaker` sends nothing to it: `since` is when it went down, in milliseconds
 * since the epoch, `retryAfter` how long until the next probe. `cause` is how the server failed last, as another error of this
 * list without its body, headers and path.
 *
 * @since 3.3.0
 * @category errors
 */
export class CircuitOpenError extends /*#__PURE__*/ TaggedError("CircuitOpenError")<
  Common & { readonly origin: string; readonly since: number; readonly retryAfter: Duration.Duration }
> {
  /** `retryAfter` in milliseconds. */
  get retryAfterMillis(): number {
    return Duration.toMillis(this.retryAfter)
  }
}

/** The client could not get its credentials; `retryAfter` is the hint of their server. @since 0.1.0 @category errors */
export class CredentialsError extends TaggedError("CredentialsError")<
  Common & { readonly reason: string; readonly retryAfter: Duration.Duration | undefined }
> {
  /** `retryAfter` in milliseconds. */
  get retryAfterMillis(): number | undefined {
    return millisOf(this.retryAfter)
  }
}

/**
 * A response arrived and does not fit: `reason` is the schema's message, `path` where in the value, `excerpt` the
 * start of the body.
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
 * A stream breaks its contract: another media type, an event above the size limit, an unknown event where none is
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

/** The pages would never end: a cursor came twice, or there are more than the limit. @since 0.1.0 @category errors */
export class PaginationError extends /*#__PURE__*/ TaggedError("PaginationError")<
  Common & { readonly reason: string; readonly pages: number }
> {}

/** A response with a status that is not a success. @since 0.1.0 @category models */
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

/** All errors of a call, besides the caller's own `failure` errors. @since 0.1.0 @category models */
export type ApiError =
  | StatusError
  | ConnectionError
  | TimeoutError
  | InvalidRequestError
  | QueueFullError
  | CircuitOpenError
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
  // A spread of an `Error` leaves out both.
  const hidden = error.cause === undefined ? {} : { cause: error.cause }
  const copy: E = Reflect.construct(error.constructor, [
    { ...error, message: error.message, ...hidden, ...fields }
  ])
  // Keeps the stack of the original. Its first line is the message, which may have changed to hide something.
  if (error.stack !== undefined) copy.stack = error.stack.replace(error.message, () => copy.message)
  return copy
}

/**
 * The request of an error that a middleware made: the call fills it in.
 *
 * @internal
 */
export const unknownRequest: Common["request"] = { method: "", url: "" }

/** The fields that an error has no default for. */
interface Needed {
  readonly UnexpectedStatusError: "status"
  readonly TimeoutError: "phase" | "limit"
  readonly InvalidRequestError: "field" | "reason"
  readonly QueueFullError: "length" | "limit"
  readonly CircuitOpenError: "origin" | "since" | "retryAfter"
  readonly CredentialsError: "reason"
  readonly ResponseValidationError: "status" | "reason"
  readonly StreamTruncatedError: "received"
  readonly StreamProtocolError: "status" | "reason"
  readonly PaginationError: "reason" | "pages"
}

/**
 * The class of each error.
 *
 * @since 3.1.0
 * @category models
 */
export type Of<Tag extends ApiError["_tag"]> = Extract<ApiError, { readonly _tag: Tag }>

type FieldsOf<Tag extends ApiError["_tag"]> = Omit<
  Of<Tag>,
  "_tag" | "name" | "stack" | "retryAfterMillis" | keyof Effect.Effect<never>
>

/**
 * The fields to make an error of: those without a default, and any others.
 *
 * @since 3.1.0
 * @category models
 */
export type Given<Tag extends ApiError["_tag"]> = Pick<
  FieldsOf<Tag>,
  Extract<Tag extends keyof Needed ? Needed[Tag] : never, keyof FieldsOf<Tag>>
> &
  Partial<FieldsOf<Tag>>

/**
 * Makes an error of this package, for a middleware or a test. The status, `delivery` and the message come from the
 * tables; the request and the client's name from the call in which the error occurs. `cause` is kept.
 *
 * @example
 * ```ts
 * import { ApiError, type Middleware } from "@effect-api/client"
 * import { Effect } from "effect"
 *
 * // A service that reports a full queue as a success.
 * export const queueIsFull: Middleware.Middleware = (request, next) =>
 *   Effect.filterOrFail(
 *     next(request),
 *     ({ headers }) => headers["x-queue"] !== "full",
 *     () => ApiError.make("OverloadedError", { message: "the queue is full" })
 *   )
 * ```
 * @since 3.1.0
 * @category constructors
 */
export const make = <Tag extends ApiError["_tag"]>(
  tag: Tag,
  ...[fields]: {} extends Given<Tag> ? [fields?: Given<Tag>] : [fields: Given<Tag>]
): Of<Tag> => {
  const given: { readonly [field: string]: unknown } = { ...fields }
  const { delivery, status } = table[tag]
  const defaults = {
    ...common,
    delivery,
    ...(status === undefined ? undefined : { ...ofStatus, status }),
    ...byTag[tag]
  }
  const all: Record<string, unknown> = { ...defaults, ...given }
  const reason = all.reason ?? (typeof all.status === "number" ? reasons[all.status] : undefined) ?? tag
  return Reflect.construct(classes[tag], [
    {
      ...all,
      message: given.message ?? (typeof all.status === "number" ? `${all.status} ${reason}` : String(reason))
    }
  ])
}

const common = {
  request: unknownRequest,
  attempts: [],
  stoppedBy: "not-retryable",
  shouldRetry: undefined
} as const

const byTag: { readonly [Tag in ApiError["_tag"]]?: Partial<FieldsOf<Tag>> } = {
  InternalServerError: ofStatus,
  UnexpectedStatusError: ofStatus,
  ConnectionError: { kind: "other", code: undefined },
  CredentialsError: { retryAfter: undefined },
  ResponseValidationError: { requestId: undefined, path: [], excerpt: "" },
  StreamTruncatedError: { requestId: undefined },
  StreamProtocolError: { requestId: undefined, excerpt: "" }
}

const classes = {
  BadRequestError,
  AuthenticationError,
  PermissionDeniedError,
  NotFoundError,
  ConflictError,
  RequestTooLargeError,
  UnprocessableEntityError,
  RateLimitError,
  InternalServerError,
  ServiceUnavailableError,
  DeadlineExceededError,
  OverloadedError,
  UnexpectedStatusError,
  ConnectionError,
  TimeoutError,
  InvalidRequestError,
  QueueFullError,
  CircuitOpenError,
  CredentialsError,
  ResponseValidationError,
  StreamTruncatedError,
  StreamProtocolError,
  PaginationError
} as const satisfies { readonly [Tag in ApiError["_tag"]]: new (fields: never) => Of<Tag> }

/** Whether an error is a response with an error status. @since 0.1.0 @category guards */
export const isStatusError = (u: unknown): u is StatusError => isApiError(u) && "body" in u

/**
 * Whether another attempt may help: the server or a middleware decides first, then the table.
 *
 * @since 0.1.0
 * @category guards
 */
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
