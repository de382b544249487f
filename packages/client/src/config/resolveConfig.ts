/** Checks the settings of a client, and puts them into the form that the client works with. */
import * as Predicate from "effect/Predicate"
import * as Credentials from "../credentials/Credentials.js"
import type * as ApiError from "../errors/ApiError.js"
import type * as Limiting from "../limits/limiting.js"
import * as ByStatus from "../response/ByStatus.js"
import type * as Breaking from "../retry/breaking.js"
import type * as RetryPolicy from "../retry/RetryPolicy.js"
import * as RetrySettings from "../retry/RetrySettings.js"
import { type InvalidInput, invalid } from "../shared/invalid.js"
import { omitUndefined } from "../shared/omitUndefined.js"
import * as Result from "../shared/result.js"
import * as Settings from "../shared/settings.js"
import * as Headers from "../wire/headers.js"
import * as Query from "../wire/query.js"
import * as Url from "../wire/url.js"
import * as ApiConfig from "./ApiConfig.js"
import type * as Middleware from "./Middleware.js"
import { mergeTimeouts } from "./mergeTimeouts.js"
import * as Timeouts from "./Timeouts.js"

/** Validated settings, in the form that the client uses. */
export interface ResolvedConfig {
  readonly options: ApiConfig.Options<ApiConfig.Failures>
  readonly name: string | undefined
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
  readonly rateLimit: Limiting.Setting | undefined
  readonly circuitBreaker: Breaking.Setting | undefined
  readonly limits: { readonly [K in keyof ApiConfig.Limits]-?: number }
  readonly idempotencyHeader: string | undefined
  readonly requestIdHeaders: ReadonlyArray<string>
  readonly failure: ApiConfig.Failures
  readonly errorType: (body: unknown) => string | undefined
  /** What a call fails with for an error of `failure`, in place of the value itself. */
  readonly ownError?: ((own: unknown, error: ApiError.StatusError) => unknown) | undefined
}

const defaultLimits = {
  responseBytes: 256 * 1024 * 1024,
  errorBytes: 64 * 1024,
  eventBytes: 16 * 1024 * 1024
}

const bodyErrorType = (body: unknown): string | undefined => {
  const error = Predicate.hasProperty(body, "error") ? body.error : undefined
  return Predicate.hasProperty(error, "type") && typeof error.type === "string" ? error.type : undefined
}

/**
 * Checks every setting. Fails with the first that is unknown, of the wrong kind or out of range. `more` are the names of
 * settings that the caller takes besides.
 */
export const resolveConfig = (
  options: ApiConfig.Options<ApiConfig.Failures>,
  more: ReadonlyArray<string> = []
): Result.Result<ResolvedConfig, Settings.InvalidConfigError> => {
  const unfit = ApiConfig.problem(options, more)
  return unfit === undefined ? Result.mapError(resolved(options), Settings.configError) : Result.fail(unfit)
}

const resolved = (
  options: ApiConfig.Options<ApiConfig.Failures>
): Result.Result<ResolvedConfig, InvalidInput> => {
  const base = Url.parseBase(String(options.baseUrl ?? ""))
  if (!base.ok) return base
  const queryFormat = { ...Query.defaultFormat, ...omitUndefined(options.queryFormat ?? {}) }
  const limits = { ...defaultLimits, ...omitUndefined(options.limits ?? {}) }
  const redirects = options.redirects ?? 5
  const { circuitBreaker, compression, middleware = [], platformHeaders, rateLimit } = options
  const unfit =
    idempotencyProblem(options.idempotency) ??
    headerProblem("userAgent", "user-agent", options.userAgent) ??
    platformHeaders?.problem ??
    (compression ? compression.problem : undefined) ??
    (rateLimit ? rateLimit.problem : undefined) ??
    (circuitBreaker ? circuitBreaker.problem : undefined)
  if (unfit !== undefined) return Result.fail(unfit)
  const headers = clientHeaders(options.headers)
  if (!headers.ok) return headers
  const query = Query.fromInput(options.query, queryFormat)
  if (!query.ok) return query
  const timeouts = mergeTimeouts(Timeouts.defaults, options.timeouts)
  if (!timeouts.ok) return timeouts
  const retry = RetrySettings.resolve(options.retry)
  if (!retry.ok) return retry
  const trustedOrigins = originsOf(options.trustedOrigins ?? [])
  if (!trustedOrigins.ok) return trustedOrigins
  return Result.succeed({
    options,
    name: options.name,
    base: base.value,
    baseQuery: Query.fromString(base.value.query),
    credentials: options.credentials ?? Credentials.none,
    headers: headers.value,
    platformHeaders: platformHeaders?.layer ?? Headers.empty,
    query: query.value,
    queryFormat,
    timeouts: timeouts.value,
    retry: retry.value,
    middleware: compression ? [compression.middleware, ...middleware] : middleware,
    trustedOrigins: trustedOrigins.value,
    redirects,
    lenient: options.validation === "lenient",
    rateLimit,
    circuitBreaker,
    limits,
    idempotencyHeader: options.idempotency?.header.toLowerCase(),
    requestIdHeaders: (options.requestIdHeaders ?? ["request-id", "x-request-id"]).map((name) =>
      name.toLowerCase()
    ),
    failure: options.failure ?? ByStatus.none,
    errorType: options.errorType ?? bodyErrorType
  })
}

const idempotencyProblem = (idempotency: ApiConfig.Options["idempotency"]): InvalidInput | undefined => {
  if (idempotency === undefined) return undefined
  // Plain JavaScript may leave it out.
  const header: string | undefined = idempotency.header
  return header === undefined
    ? invalid("idempotency.header", "must be a string")
    : headerProblem("idempotency.header", header, "key")
}

/** A setting that becomes a header by itself: the error names the setting. */
const headerProblem = (key: string, name: string, value: string | undefined): InvalidInput | undefined => {
  const compiled = value === undefined ? undefined : Headers.compile({ [name]: value }, key)
  return compiled === undefined || compiled.ok ? undefined : invalid(key, compiled.error.reason)
}

const clientHeaders = (
  input: ApiConfig.Options["headers"]
): Result.Result<Headers.HeaderLayer, InvalidInput> => {
  const headers = Headers.compile(input, "headers")
  return headers.ok && typeof headers.value["content-length"] === "string"
    ? Result.fail(invalid("headers.content-length", "must be set by the request whose body it measures"))
    : headers
}

const originsOf = (origins: ReadonlyArray<string>): Result.Result<ReadonlySet<string>, InvalidInput> => {
  const found = new Set<string>()
  for (const [index, origin] of origins.entries()) {
    const base = Url.parseBase(origin)
    if (!base.ok) return Result.fail(invalid(`trustedOrigins.${index}`, base.error.reason))
    found.add(base.value.origin)
  }
  return Result.succeed(found)
}
