/**
 * All that a client can be configured with, its defaults and its validation.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import * as Schedule from "effect/Schedule"
import type * as ApiError from "./ApiError.js"
import * as Credentials from "./Credentials.js"
import * as Headers from "./internal/headers.js"
import { type InvalidInput, invalid } from "./internal/invalid.js"
import { given } from "./internal/options.js"
import * as Query from "./internal/query.js"
import * as Url from "./internal/url.js"
import type * as Middleware from "./Middleware.js"
import type * as PlatformHeaders from "./PlatformHeaders.js"
import * as RetryPolicy from "./RetryPolicy.js"
import * as Timeouts from "./Timeouts.js"

/**
 * A client cannot be built: `key` names the setting (`timeouts.connect`), `reason` what is wrong with it.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidConfigError extends /*#__PURE__*/ Data.TaggedError("InvalidConfigError")<{
  readonly key: string
  readonly reason: string
}> {
  override get message(): string {
    return `${this.key} ${this.reason}`
  }
}

/**
 * The settings of a client. Only `baseUrl` is required.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Where the API lives, http or https; a path is kept (`https://api.example.com/v1`), and so is a query. */
  readonly baseUrl: string | URL
  /** Sent to the base URL's origin and to `trustedOrigins`, nowhere else. */
  readonly credentials?: Credentials.Credentials | undefined
  /** Sent with every request; `null` removes a default. */
  readonly headers?: Headers.HeadersInput | undefined
  /** Sent with every request. */
  readonly query?: Query.QueryInput | undefined
  /** How lists and objects are spelt in queries and forms: `a[]=1` and `a[b]=1` unless said otherwise. */
  readonly queryFormat?: Partial<Query.QueryFormat> | undefined
  readonly timeouts?: Timeouts.Options | undefined
  /** A policy, or any schedule that takes the errors: it then decides when, and the table of errors still which. */
  readonly retry?: Retry | undefined
  readonly middleware?: ReadonlyArray<Middleware.Middleware> | undefined
  /** Other origins that may see the credentials when a request names an absolute URL. */
  readonly trustedOrigins?: ReadonlyArray<string> | undefined
  /** How many redirects a call follows (5). */
  readonly redirects?: number | undefined
  /** `strict` (default): the schema decides. `lenient`: an answer that does not fit is handed on as parsed, and logged. */
  readonly validation?: "strict" | "lenient" | undefined
  readonly limits?: Limits | undefined
  /** Send an idempotency key of this header's name, one per call, with every method but GET and HEAD. Off by default. */
  readonly idempotency?: { readonly header: string } | undefined
  /** What the client calls itself (`effect-api/<version>`); not sent from browsers. */
  readonly userAgent?: string | undefined
  /** Send headers that describe the platform. Off by default. */
  readonly platformHeaders?: PlatformHeaders.PlatformHeaders | undefined
  /** The response headers that hold the request's id, the first that is there (`request-id`, `x-request-id`). */
  readonly requestIdHeaders?: ReadonlyArray<string> | undefined
  /** Reads the API's own name for an error from its body (`body.error.type`). */
  readonly errorType?: ((body: unknown) => string | undefined) | undefined
  /** Headers and query parameters to hide by name, besides those that are always hidden. */
  readonly redact?:
    | {
        readonly headers?: ReadonlyArray<string> | undefined
        readonly query?: ReadonlyArray<string> | undefined
      }
    | undefined
  /** Write bodies into the debug log. Off by default: bodies hold what no header name tells. */
  readonly logBodies?: boolean | undefined
}

/**
 * Retries as a user gives them.
 *
 * @since 0.1.0
 * @category models
 */
export type Retry =
  | RetryPolicy.Options
  | RetryPolicy.RetryPolicy
  | Schedule.Schedule<unknown, ApiError.ApiError>

/**
 * Size limits in bytes: of a body that is decoded (256 MiB), of an error's body that is kept (64 KiB), of one event of a
 * stream (16 MiB).
 *
 * @since 0.1.0
 * @category models
 */
export interface Limits {
  readonly responseBytes?: number | undefined
  readonly errorBytes?: number | undefined
  readonly eventBytes?: number | undefined
}

/**
 * Settings that have been checked, in the form the client works with.
 *
 * @since 0.1.0
 * @category models
 */
export interface ApiConfig {
  readonly options: Options
  readonly base: Url.BaseUrl
  readonly baseQuery: Query.QueryLayer
  readonly credentials: Credentials.Credentials
  readonly headers: Headers.HeaderLayer
  readonly platformHeaders: Headers.HeaderLayer
  readonly query: Query.QueryLayer
  readonly queryFormat: Query.QueryFormat
  readonly timeouts: Timeouts.Timeouts
  readonly retry: ResolvedRetry
  readonly middleware: ReadonlyArray<Middleware.Middleware>
  readonly trustedOrigins: ReadonlySet<string>
  readonly redirects: number
  readonly lenient: boolean
  readonly limits: { readonly [K in keyof Limits]-?: number }
  readonly idempotencyHeader: string | undefined
  readonly requestIdHeaders: ReadonlyArray<string>
  readonly errorType: (body: unknown) => string | undefined
}

/**
 * The policy that classifies and counts, and the schedule that says when.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResolvedRetry {
  readonly policy: RetryPolicy.RetryPolicy
  readonly schedule: Schedule.Schedule<unknown, ApiError.ApiError>
}

const defaultLimits = {
  responseBytes: 256 * 1024 * 1024,
  errorBytes: 64 * 1024,
  eventBytes: 16 * 1024 * 1024
}

const bodyErrorType = (body: unknown): string | undefined => {
  const type = (body as { readonly error?: { readonly type?: unknown } } | undefined)?.error?.type
  return typeof type === "string" ? type : undefined
}

/**
 * Options over options, as `withOptions` lays them: headers, query and the single timeouts merge, the rest is replaced.
 * What is `undefined` changes nothing.
 *
 * @since 0.1.0
 * @category combinators
 */
export const merge = (self: Options, over: Partial<Options>): Options => ({
  ...self,
  ...given(over),
  headers: Headers.mergeInput(self.headers, over.headers),
  query: { ...self.query, ...over.query },
  timeouts: { ...self.timeouts, ...given(over.timeouts ?? {}) }
})

/**
 * Retries in the form the client works with, from any form a user gives. Options are laid over `base`, and a schedule says
 * no more than when: what `base` forbids stays forbidden. A whole policy takes its place.
 *
 * @since 0.1.0
 * @category constructors
 */
export const resolveRetry = (
  retry: Retry | undefined,
  base: RetryPolicy.RetryPolicy = RetryPolicy.make()
): Either.Either<ResolvedRetry, InvalidInput> => {
  if (Schedule.isSchedule(retry)) {
    const schedule = retry as Schedule.Schedule<unknown, ApiError.ApiError>
    return Either.right({ policy: base, schedule })
  }
  const policy = RetryPolicy.isRetryPolicy(retry)
    ? retry
    : RetryPolicy.override(base, (retry ?? {}) as RetryPolicy.Options)
  const problem = RetryPolicy.problem(policy)
  return problem === undefined
    ? Either.right({ policy, schedule: RetryPolicy.schedule(policy) })
    : Either.left(invalid(`retry.${problem.field}`, problem.reason))
}

/**
 * Checks every setting. Fails with an {@link InvalidConfigError} that names the first that makes no sense.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Either.Either<ApiConfig, InvalidConfigError> => {
  const queryFormat = { ...Query.defaultFormat, ...given(options.queryFormat ?? {}) }
  const limits = { ...defaultLimits, ...given(options.limits ?? {}) }
  const redirects = options.redirects ?? 5
  const idempotencyHeader = options.idempotency?.header.toLowerCase()
  const validation = options.validation ?? "strict"
  // All of them is the first that is bad, or none.
  const checked = Either.all({
    base: Url.parseBase(String(options.baseUrl ?? "")),
    queryFormat: checkFormat(queryFormat),
    limits: Either.all(
      Object.entries(limits).map(([name, bytes]) =>
        check(`limits.${name}`, bytes > 0, "must be a number of bytes above zero")
      )
    ),
    redirects: check(
      "redirects",
      Number.isInteger(redirects) && redirects >= 0,
      "must be a whole number that is not negative"
    ),
    idempotency: checkHeader("idempotency.header", idempotencyHeader, "key"),
    userAgent: checkHeader("userAgent", "user-agent", options.userAgent),
    platformHeaders: options.platformHeaders?.standing ?? Either.right(Headers.empty),
    validation: checkWord("validation", validation, ["strict", "lenient"]),
    headers: Either.filterOrLeft(
      Headers.compile(options.headers, "headers"),
      (headers) => typeof headers["content-length"] !== "string",
      () => invalid("headers.content-length", "must be set by the request whose body it measures")
    ),
    query: Query.fromInput(options.query, queryFormat),
    timeouts: Timeouts.merge(Timeouts.defaults, options.timeouts),
    retry: resolveRetry(options.retry),
    trustedOrigins: checkOrigins(options.trustedOrigins ?? [])
  })
  return Either.mapBoth(checked, {
    onLeft: ({ field, reason }) => new InvalidConfigError({ key: field, reason }),
    onRight: ({ base, headers, platformHeaders, query, retry, timeouts, trustedOrigins }) => ({
      options,
      base,
      baseQuery: Query.fromString(base.query),
      credentials: options.credentials ?? Credentials.none,
      headers,
      platformHeaders,
      query,
      queryFormat,
      timeouts,
      retry,
      middleware: options.middleware ?? [],
      trustedOrigins,
      redirects,
      lenient: validation === "lenient",
      limits,
      idempotencyHeader,
      requestIdHeaders: (options.requestIdHeaders ?? ["request-id", "x-request-id"]).map((name) =>
        name.toLowerCase()
      ),
      errorType: options.errorType ?? bodyErrorType
    })
  })
}

const check = (key: string, fits: boolean, reason: string): Either.Either<void, InvalidInput> =>
  fits ? Either.void : Either.left(invalid(key, reason))

/** A setting that becomes a header by itself: the error names the setting. */
const checkHeader = (
  key: string,
  name: string | undefined,
  value: string | undefined
): Either.Either<unknown, InvalidInput> =>
  name === undefined || value === undefined
    ? Either.void
    : Either.mapLeft(Headers.compile({ [name]: value }, key), ({ reason }) => invalid(key, reason))

const checkFormat = ({ arrays, nesting }: Query.QueryFormat): Either.Either<unknown, InvalidInput> =>
  Either.all([
    checkWord("queryFormat.arrays", arrays, Query.arrayFormats),
    checkWord("queryFormat.nesting", nesting, Query.nestingFormats)
  ])

const checkWord = (
  key: string,
  word: string,
  words: ReadonlyArray<string>
): Either.Either<void, InvalidInput> => check(key, words.includes(word), `must be one of ${words.join(", ")}`)

const checkOrigins = (origins: ReadonlyArray<string>): Either.Either<ReadonlySet<string>, InvalidInput> =>
  Either.map(
    Either.all(
      origins.map((origin, index) =>
        Either.mapLeft(Url.parseBase(origin), ({ reason }) => invalid(`trustedOrigins.${index}`, reason))
      )
    ),
    (bases) => new Set(bases.map((base) => base.origin))
  )
