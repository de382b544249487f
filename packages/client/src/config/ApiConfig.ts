/**
 * The settings of a client: defaults and validation.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Credentials from "../credentials/Credentials.js"
import type * as RetryPolicy from "../retry/RetryPolicy.js"
import * as RetrySettings from "../retry/RetrySettings.js"
import { type InvalidInput, invalid } from "../shared/invalid.js"
import { omitUndefined } from "../shared/omitUndefined.js"
import * as Settings from "../shared/settings.js"
import * as Headers from "../wire/headers.js"
import * as Query from "../wire/query.js"
import * as Url from "../wire/url.js"
import type { Limits, Options } from "./ClientOptions.js"
import type * as Middleware from "./Middleware.js"
import * as PlatformHeaders from "./PlatformHeaders.js"
import * as Timeouts from "./Timeouts.js"

export { InvalidConfigError } from "../shared/settings.js"
export type { Idempotency, Limits, Options, Redact } from "./ClientOptions.js"
export { blankAsMissing } from "./ConfigReader.js"
export {
  compose,
  isMerging,
  type Merged,
  merge,
  type Override,
  type Overrides,
  type Replace
} from "./Overrides.js"

/**
 * Validated settings, in the form that the client uses.
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
  readonly retry: RetryPolicy.Resolved
  readonly middleware: ReadonlyArray<Middleware.Middleware>
  readonly trustedOrigins: ReadonlySet<string>
  readonly redirects: number
  readonly lenient: boolean
  readonly limits: { readonly [K in keyof Limits]-?: number }
  readonly idempotencyHeader: string | undefined
  readonly requestIdHeaders: ReadonlyArray<string>
  readonly errorType: (body: unknown) => string | undefined
}

/** Kinds that plain JavaScript may get wrong. Settings marked `any` have their own check below. */
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
 * The first setting that is unknown, or of another kind than its type, as plain JavaScript may pass it.
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

/**
 * The first of these options that is not among the known names, with the nearest known one.
 *
 * @since 0.1.0 @category validation
 */
export const unknown: (options: object, known: ReadonlyArray<string>) => InvalidInput | undefined =
  Settings.unknownIn

/**
 * Validates every setting. Fails with an {@link InvalidConfigError} that names the first one that is unknown, of the
 * wrong kind or out of range. `more` names settings that the caller accepts in addition.
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
  const queryFormat = { ...Query.defaultFormat, ...omitUndefined(options.queryFormat ?? {}) }
  const limits = { ...defaultLimits, ...omitUndefined(options.limits ?? {}) }
  const redirects = options.redirects ?? 5
  const idempotencyHeader = options.idempotency?.header?.toLowerCase()
  const validation = options.validation ?? "strict"
  // Fails with the first invalid setting.
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
    platformHeaders: options.platformHeaders?.layer ?? Either.right(Headers.empty),
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

/** A setting that becomes a header: the error names the setting. */
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
