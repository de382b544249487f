/**
 * All that a client can be configured with, its defaults and its validation.
 *
 * @since 0.1.0
 */
import { Config, ConfigError, ConfigProvider, Data, Effect, Either, Predicate, Schedule } from "effect"
import type * as ApiError from "./ApiError.js"
import * as Credentials from "./Credentials.js"
import * as Headers from "./internal/headers.js"
import { type InvalidInput, invalid } from "./internal/invalid.js"
import { given } from "./internal/options.js"
import * as Query from "./internal/query.js"
import * as Url from "./internal/url.js"
import type * as Middleware from "./Middleware.js"
import * as RetryPolicy from "./RetryPolicy.js"
import * as Timeouts from "./Timeouts.js"

/**
 * A client cannot be built: `key` names the setting (`timeouts.connect`), `reason` what is wrong with it.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidConfigError extends Data.TaggedError("InvalidConfigError")<{
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
  /** Send headers that describe the platform, each named `<prefix>-<what>`. Off by default. */
  readonly platformHeaders?: { readonly prefix: string; readonly packageVersion: string } | undefined
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

const bodyErrorType = (body: unknown): string | undefined =>
  Predicate.hasProperty(body, "error") &&
  Predicate.hasProperty(body.error, "type") &&
  typeof body.error.type === "string"
    ? body.error.type
    : undefined

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
export const make = (options: Options): Either.Either<ApiConfig, InvalidConfigError> =>
  Either.mapLeft(
    Either.gen(function* () {
      const base = yield* Url.parseBase(String(options.baseUrl ?? ""))
      const queryFormat = yield* checkFormat({ ...Query.defaultFormat, ...given(options.queryFormat ?? {}) })
      const limits = { ...defaultLimits, ...given(options.limits ?? {}) }
      for (const [name, bytes] of Object.entries(limits)) {
        if (!(bytes > 0))
          yield* Either.left(invalid(`limits.${name}`, "must be a number of bytes above zero"))
      }
      const redirects = options.redirects ?? 5
      if (!(Number.isInteger(redirects) && redirects >= 0)) {
        yield* Either.left(invalid("redirects", "must be a whole number that is not negative"))
      }
      const idempotencyHeader = options.idempotency?.header.toLowerCase()
      if (idempotencyHeader !== undefined) yield* checkHeader("idempotency.header", idempotencyHeader, "key")
      if (options.userAgent !== undefined) yield* checkHeader("userAgent", "user-agent", options.userAgent)
      if (options.platformHeaders !== undefined) {
        const { packageVersion, prefix } = options.platformHeaders
        yield* checkHeader("platformHeaders.prefix", prefix, "js")
        yield* checkHeader("platformHeaders.packageVersion", "package-version", packageVersion)
      }
      const validation: unknown = options.validation ?? "strict"
      if (validation !== "strict" && validation !== "lenient") {
        yield* Either.left(invalid("validation", "must be strict or lenient"))
      }
      return {
        options,
        base,
        baseQuery: Query.fromString(base.query),
        credentials: options.credentials ?? Credentials.none,
        headers: yield* Headers.compile(options.headers, "headers"),
        query: yield* Query.fromInput(options.query, queryFormat),
        queryFormat,
        timeouts: yield* Timeouts.merge(Timeouts.defaults, options.timeouts),
        retry: yield* resolveRetry(options.retry),
        middleware: options.middleware ?? [],
        trustedOrigins: yield* checkOrigins(options.trustedOrigins ?? []),
        redirects,
        lenient: validation === "lenient",
        limits,
        idempotencyHeader,
        requestIdHeaders: (options.requestIdHeaders ?? ["request-id", "x-request-id"]).map((name) =>
          name.toLowerCase()
        ),
        errorType: options.errorType ?? bodyErrorType
      }
    }),
    ({ field, reason }) => new InvalidConfigError({ key: field, reason })
  )

/** A setting that becomes a header by itself: the error names the setting. */
const checkHeader = (key: string, name: string, value: string): Either.Either<unknown, InvalidInput> =>
  Either.mapLeft(Headers.compile({ [name]: value }, key), ({ reason }) => invalid(key, reason))

const checkFormat = (format: Query.QueryFormat): Either.Either<Query.QueryFormat, InvalidInput> =>
  !Query.arrayFormats.includes(format.arrays)
    ? Either.left(invalid("queryFormat.arrays", `must be one of ${Query.arrayFormats.join(", ")}`))
    : !Query.nestingFormats.includes(format.nesting)
      ? Either.left(invalid("queryFormat.nesting", `must be one of ${Query.nestingFormats.join(", ")}`))
      : Either.right(format)

const checkOrigins = (origins: ReadonlyArray<string>): Either.Either<ReadonlySet<string>, InvalidInput> =>
  Either.map(
    Either.all(
      origins.map((origin, index) =>
        Either.mapLeft(Url.parseBase(origin), ({ reason }) => invalid(`trustedOrigins.${index}`, reason))
      )
    ),
    (bases) => new Set(bases.map((base) => base.origin))
  )

const merging: ReadonlySet<string> = new Set(["headers", "query", "timeouts"])

/**
 * The part of wrapped settings that explicit ones leave open: a variable that nobody needs may be missing.
 *
 * @since 0.1.0
 * @category config
 */
export const leftOpen = (
  config: Config.Config.Wrap<Options>,
  explicit: Partial<Options>
): Config.Config.Wrap<Options> => {
  if (Config.isConfig(config)) return config
  const set = given(explicit)
  const open = Object.entries(config).filter(([key]) => merging.has(key) || !Object.hasOwn(set, key))
  // Config.unwrap cannot take an object without keys.
  const rest: unknown = open.length === 0 ? Config.succeed({}) : Object.fromEntries(open)
  return rest as Config.Config.Wrap<Options>
}

/**
 * Reads a `Config` with blank values counting as unset, so that defaults and options apply to them.
 *
 * @since 0.1.0
 * @category config
 */
export const ignoreBlank = <A>(config: Config.Config<A>): Effect.Effect<A, ConfigError.ConfigError> =>
  Effect.configProviderWith(({ flattened }) => {
    const provider = ConfigProvider.fromFlat(
      ConfigProvider.makeFlat({
        ...flattened,
        load: (path, primitive, split) =>
          Effect.flatMap(
            flattened.load(path, Config.string() as Config.Config.Primitive<string>, false),
            ([text = ""]) =>
              text.trim() === ""
                ? Effect.fail(ConfigError.MissingData([...path], "Expected a value that is not blank"))
                : flattened.load(path, primitive, split)
          )
      })
    )
    return provider.load(config)
  })
