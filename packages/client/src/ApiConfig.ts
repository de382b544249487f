/**
 * All that a client can be configured with, its defaults and its validation.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Credentials from "./Credentials.js"
import * as Headers from "./internal/headers.js"
import { type InvalidInput, invalid } from "./internal/invalid.js"
import { given } from "./internal/options.js"
import * as Query from "./internal/query.js"
import * as Settings from "./internal/settings.js"
import * as Url from "./internal/url.js"
import type * as Middleware from "./Middleware.js"
import * as PlatformHeaders from "./PlatformHeaders.js"
import * as RetrySettings from "./RetrySettings.js"
import * as Timeouts from "./Timeouts.js"

export { InvalidConfigError } from "./internal/settings.js"

/**
 * The settings of a client. Only `baseUrl` is required. `withOptions` lays settings over these: headers, query, queryFormat,
 * timeouts, retry, limits and redact merge by field, middleware is appended, all else is replaced. A function of the old
 * value replaces it: see `Overrides.Overrides`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Where the API lives, http or https; a path is kept (`https://api.example.com/v1`), and so is a query. */
  readonly baseUrl: string | URL
  /** Sent to the base URL's origin and to `trustedOrigins`, nowhere else. */
  readonly credentials?: Credentials.Credentials | undefined
  /** Sent with every request; `null` removes a default. A plain object, a `Headers`, a `Map` or pairs. */
  readonly headers?: Headers.HeadersInput | undefined
  /** Sent with every request. A parameter of the request's own takes the place of the one of that name. */
  readonly query?: Query.QueryInput | undefined
  /** How lists and objects are spelt in queries and forms: `a[]=1` and `a[b]=1` unless set. */
  readonly queryFormat?: Partial<Query.QueryFormat> | undefined
  /** How long a call may take: `connect`, `response`, `idle` and `total`. */
  readonly timeouts?: Timeouts.Options | undefined
  /**
   * How calls are retried: single settings, a whole policy, or any schedule that takes the errors. A schedule decides when;
   * which errors are retried stays with the policy.
   */
  readonly retry?: RetrySettings.Retry | undefined
  /** Code around every attempt; the first of the list is the outermost. */
  readonly middleware?: ReadonlyArray<Middleware.Middleware> | undefined
  /** Other origins that may see the credentials when a request names an absolute URL. */
  readonly trustedOrigins?: ReadonlyArray<string> | undefined
  /** How many redirects a call follows (5). */
  readonly redirects?: number | undefined
  /** `strict` (default): the schema decides. `lenient`: a response that does not fit is handed on as parsed, and logged. */
  readonly validation?: "strict" | "lenient" | undefined
  /** Size limits in bytes. */
  readonly limits?: Limits | undefined
  /** Send an idempotency key of this header's name, one per call, with every method but GET and HEAD. Off by default. */
  readonly idempotency?: Idempotency | undefined
  /** What the client calls itself (`effect-api/<version>`); not sent from browsers. */
  readonly userAgent?: string | undefined
  /** Send headers that describe the platform. Off by default. */
  readonly platformHeaders?: PlatformHeaders.PlatformHeaders | undefined
  /** The response headers that hold the request's id, the first that is there (`request-id`, `x-request-id`). */
  readonly requestIdHeaders?: ReadonlyArray<string> | undefined
  /** Reads the API's own name for an error from its body (`body.error.type`). */
  readonly errorType?: ((body: unknown) => string | undefined) | undefined
  /** Headers and query parameters to hide by name, besides those that are always hidden. */
  readonly redact?: Redact | undefined
  /** Write bodies into the debug log. Off by default: bodies hold secrets that no header name gives away. */
  readonly logBodies?: boolean | undefined
}

/**
 * Size limits in bytes. What is larger fails, but for an error's body, which is cut.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limits {
  /** The body of a response that is decoded (256 MiB). */
  readonly responseBytes?: number | undefined
  /** How much is kept of the body of an error (64 KiB). */
  readonly errorBytes?: number | undefined
  /** One event of a stream (16 MiB). */
  readonly eventBytes?: number | undefined
}

/**
 * How a client names its idempotency keys.
 *
 * @since 0.1.0
 * @category models
 */
export interface Idempotency {
  /** The header that carries the key, such as `idempotency-key`. */
  readonly header: string
}

/**
 * What to hide by name in errors, logs and spans. Names are compared without regard to case.
 *
 * @since 0.1.0
 * @category models
 */
export interface Redact {
  /** Names of headers. */
  readonly headers?: ReadonlyArray<string> | undefined
  /** Names of query parameters. */
  readonly query?: ReadonlyArray<string> | undefined
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
  readonly retry: RetrySettings.Resolved
  readonly middleware: ReadonlyArray<Middleware.Middleware>
  readonly trustedOrigins: ReadonlySet<string>
  readonly redirects: number
  readonly lenient: boolean
  readonly limits: { readonly [K in keyof Limits]-?: number }
  readonly idempotencyHeader: string | undefined
  readonly requestIdHeaders: ReadonlyArray<string>
  readonly errorType: (body: unknown) => string | undefined
}

/** What plain JavaScript may get wrong; what is not looked at here has a check of its own below. */
const shape = {
  baseUrl: Settings.any,
  credentials: Settings.kind(
    (value) => Predicate.hasProperty(value, Credentials.TypeId),
    "must be Credentials, such as Credentials.bearer(...)"
  ),
  headers: Settings.any,
  query: Settings.any,
  queryFormat: Settings.fields({ arrays: Settings.any, nesting: Settings.any }),
  timeouts: Timeouts.check,
  retry: RetrySettings.check,
  middleware: Settings.list(Settings.callback),
  trustedOrigins: Settings.list(Settings.text),
  redirects: Settings.kind(
    (value) => typeof value === "number",
    "must be a whole number that is not negative"
  ),
  validation: Settings.text,
  limits: Settings.fields({
    responseBytes: Settings.any,
    errorBytes: Settings.any,
    eventBytes: Settings.any
  }),
  idempotency: Settings.fields({ header: Settings.text }),
  userAgent: Settings.text,
  platformHeaders: Settings.kind(PlatformHeaders.isPlatformHeaders, "must come from PlatformHeaders.make"),
  requestIdHeaders: Settings.list(Settings.text),
  errorType: Settings.callback,
  redact: Settings.fields({ headers: Settings.list(Settings.text), query: Settings.list(Settings.text) }),
  logBodies: Settings.flag
} satisfies { readonly [K in keyof Options]-?: Settings.Check }

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
 * The first setting that is unknown, or of another kind than the types say, as plain JavaScript may have it.
 *
 * @since 0.1.0
 * @category validation
 */
export const problem = (
  options: object,
  more: ReadonlyArray<string> = []
): Settings.InvalidConfigError | undefined => {
  const others = Object.fromEntries(more.map((name) => [name, Settings.any]))
  const found = Settings.checker({ ...shape, ...others })(options)
  return found && configError(found)
}

/** The first of these options that is not among the known names, and the nearest. @since 0.1.0 @category validation */
export const unknown: (options: object, known: ReadonlyArray<string>) => InvalidInput | undefined =
  Settings.unknownIn

/**
 * Checks every setting. Fails with an {@link InvalidConfigError} that names the first that is unknown, of the wrong kind or
 * out of range. `more` are the names of settings that the caller takes besides.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options,
  more: ReadonlyArray<string> = []
): Either.Either<ApiConfig, Settings.InvalidConfigError> => {
  const unfit = problem(options, more)
  if (unfit !== undefined) return Either.left(unfit)
  const queryFormat = { ...Query.defaultFormat, ...given(options.queryFormat ?? {}) }
  const limits = { ...defaultLimits, ...given(options.limits ?? {}) }
  const redirects = options.redirects ?? 5
  const idempotencyHeader = options.idempotency?.header?.toLowerCase()
  const validation = options.validation ?? "strict"
  // All of them is the first that is bad, or none.
  const checked = Either.all({
    base: Url.parseBase(String(options.baseUrl ?? "")),
    queryFormat: checkFormat(queryFormat),
    limits: Either.all(
      Object.entries(limits).map(([name, bytes]: [string, unknown]) =>
        check(
          `limits.${name}`,
          typeof bytes === "number" && bytes > 0,
          "must be a number of bytes above zero"
        )
      )
    ),
    redirects: check(
      "redirects",
      Number.isInteger(redirects) && redirects >= 0,
      "must be a whole number that is not negative"
    ),
    idempotency:
      options.idempotency !== undefined && idempotencyHeader === undefined
        ? Either.left(invalid("idempotency.header", "must be a string"))
        : checkHeader("idempotency.header", idempotencyHeader, "key"),
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
    retry: RetrySettings.resolve(options.retry),
    trustedOrigins: checkOrigins(options.trustedOrigins ?? [])
  })
  return Either.mapBoth(checked, {
    onLeft: configError,
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

const configError = ({ field, reason }: InvalidInput): Settings.InvalidConfigError =>
  new Settings.InvalidConfigError({ key: field, reason })

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
