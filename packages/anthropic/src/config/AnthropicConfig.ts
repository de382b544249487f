/**
 * The settings of a client of the Anthropic API, and the environment variables that set them.
 *
 * @since 0.1.0
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { type ApiClient, ApiConfig, Credentials, type Middleware, PlatformHeaders } from "@effect-api/client"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Records from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as Struct from "effect/Struct"
import * as CallOptions from "./CallOptions.js"
import type { Instrument } from "./Instrument.js"

/** The version of this package, which requests send in their headers. @since 0.1.0 @category constants */
export const packageVersion = "3.3.0"

/** The base URL of the API. @internal */
export const defaultBaseUrl = "https://api.anthropic.com"

/**
 * The settings of a client: those of `ApiClient`, and Anthropic's own. A client needs an `apiKey`, an `authToken`,
 * `credentials`, or a header of your own that authenticates its calls.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Omit<ApiConfig.Options, "baseUrl"> {
  /** The API key, sent as a bearer token: see `apiKeyHeader`. A blank key counts as missing. */
  readonly apiKey?: Redacted.Redacted<string> | undefined
  /** An OAuth token, sent as a bearer token. */
  readonly authToken?: Redacted.Redacted<string> | undefined
  /**
   * The header of the API key (`authorization`, as `Bearer <key>`). With `x-api-key`, which gateways may look for, the client
   * may send an `authToken` as well; otherwise it takes one of the two.
   */
  readonly apiKeyHeader?: "authorization" | "x-api-key" | undefined
  /** The base URL of the API (`https://api.anthropic.com`). */
  readonly baseUrl?: string | URL | undefined
  /**
   * The version of the API, sent as `anthropic-version` (`2026-10-21`). With `2023-06-01` the API takes `temperature`, `top_k` and
   * `top_p`. Responses of both decode.
   */
  readonly version?: string | undefined
  /** The names of beta features to enable for every call (none). */
  readonly betas?: ReadonlyArray<string> | undefined
  /** Spans and metrics of messages: `GenAi.make()` (none, besides those of the client). */
  readonly telemetry?: Instrument | undefined
}

/**
 * Settings that `withOptions` changes: see `ApiConfig.Overrides` of the client. An `apiKey`, an `authToken` or `credentials`
 * replaces all earlier credentials.
 *
 * @since 0.1.0
 * @category models
 */
export interface Overrides
  extends ApiConfig.Overrides,
    Pick<Options, "apiKey" | "authToken" | "apiKeyHeader" | "version"> {
  /** The names of further beta features to enable. A function of the enabled ones replaces them. */
  readonly betas?: ReadonlyArray<string> | ((old: ReadonlyArray<string>) => ReadonlyArray<string>) | undefined
}

const optional = <A>(config: Config.Config<A>) => Config.withDefault(config, undefined)

/** Reads lines of the form `Name: value`, and ignores lines without a colon. */
const parseHeaders = (lines: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Array.from(lines.matchAll(/^([^:\n]+):(.*)$/gm), ([, name = "", value = ""]) => [
      name.trim(),
      value.trim()
    ])
  )

/**
 * Reads the settings from the environment variables of Anthropic's SDKs: `ANTHROPIC_API_KEY` or else
 * `ANTHROPIC_AUTH_TOKEN`, `ANTHROPIC_BASE_URL`, and `ANTHROPIC_CUSTOM_HEADERS`, which holds lines of the form `Name: value`.
 *
 * @since 0.1.0
 * @category config
 */
export const fromEnvironment: Config.Config<Options> = Config.all({
  apiKey: optional(Config.redacted("ANTHROPIC_API_KEY")),
  authToken: optional(Config.redacted("ANTHROPIC_AUTH_TOKEN")),
  baseUrl: optional(Config.string("ANTHROPIC_BASE_URL")),
  headers: Config.map(Config.withDefault(Config.string("ANTHROPIC_CUSTOM_HEADERS"), ""), parseHeaders)
}).pipe(
  Config.map(({ authToken, ...rest }) => ({
    ...rest,
    authToken: rest.apiKey === undefined ? authToken : undefined,
    // A custom header, such as one for a gateway, may hold a secret.
    redact: { headers: Object.keys(rest.headers) }
  }))
)

/** The text of a secret. Plain JavaScript may pass a string. */
const textOf = (secret: unknown): unknown => {
  try {
    return Redacted.isRedacted(secret) ? Redacted.value(secret) : secret
  } catch {
    // `Redacted.unsafeWipe` removed the text.
    return "wiped"
  }
}

/** Whether a secret is set. A blank one counts as missing, and so does a `Redacted` of an unset variable. */
const isSet = (secret: unknown): secret is Redacted.Redacted<string> => {
  const text = textOf(secret)
  return text !== undefined && text !== null && (typeof text !== "string" || text.trim() !== "")
}

const hasCredentials = ({ apiKey, authToken, credentials }: Overrides): boolean =>
  credentials !== undefined || isSet(apiKey) || isSet(authToken)

/**
 * Merges settings by the rules of `ApiConfig.merge`. Betas are added, and new credentials replace all earlier ones.
 *
 * @example
 * ```ts
 * import { AnthropicConfig } from "@effect-api/anthropic"
 *
 * const settings = AnthropicConfig.merge(
 *   { betas: ["context-management-2025-06-27"], retry: { maxRetries: 4 } },
 *   { betas: ["files-api-2025-04-14"], timeouts: { total: "5 minutes" } }
 * )
 * ```
 * @since 0.1.0
 * @category combinators
 */
export const merge = (self: Options, over: Overrides): Options => {
  const under = hasCredentials(over) ? Struct.omit(self, "apiKey", "authToken", "credentials") : self
  const { betas, ...rest } = over
  return {
    // Unknown settings are kept, so that `check` can reject them.
    ...ApiConfig.merge({ ...under, baseUrl: under.baseUrl ?? defaultBaseUrl }, rest),
    // Plain JavaScript may pass one beta as a string, which a spread would split into letters.
    betas: typeof betas === "function" ? betas(self.betas ?? []) : [...(self.betas ?? []), betas ?? []].flat()
  }
}

/**
 * Checks the settings. Fails with an `InvalidConfigError` that names the setting if credentials are missing, a credential is
 * not text, or a setting is unknown.
 *
 * @internal
 */
export const check = (options: Options): Either.Either<Options, ApiConfig.InvalidConfigError> => {
  const problem = ApiConfig.problem(options, ownSettings)
  if (problem !== undefined) return Either.left(problem)
  const invalid = (key: string, reason: string) =>
    Either.left(new ApiConfig.InvalidConfigError({ key, reason }))
  for (const key of ["apiKey", "authToken"] as const) {
    if (isSet(options[key]) && typeof textOf(options[key]) !== "string")
      return invalid(key, "must be a Redacted or a string")
  }
  if (options.telemetry !== undefined && typeof options.telemetry?.instrument !== "function")
    return invalid("telemetry", "must come from GenAi.make")
  const conflict = conflictIn(options)
  if (conflict !== undefined) return Either.left(conflict)
  const { "x-api-key": key, authorization } = headersOf(options)
  return hasCredentials(options) || (key ?? authorization ?? undefined) !== undefined
    ? Either.right(options)
    : invalid(
        "apiKey",
        "is missing, and so is authToken: ANTHROPIC_API_KEY and ANTHROPIC_AUTH_TOKEN set them too"
      )
}

const keyHeaders: ReadonlyArray<unknown> = ["authorization", "x-api-key", undefined]

/** Two credentials that would need one header, or a header that no key is sent in. */
const conflictIn = (options: Options): ApiConfig.InvalidConfigError | undefined => {
  const { apiKey, apiKeyHeader, authToken, credentials } = options
  const invalid = (key: string, reason: string) => new ApiConfig.InvalidConfigError({ key, reason })
  if (!keyHeaders.includes(apiKeyHeader))
    return invalid("apiKeyHeader", 'must be "authorization" or "x-api-key"')
  if (credentials !== undefined && (isSet(apiKey) || isSet(authToken)))
    return invalid("credentials", "cannot be set with an apiKey or an authToken")
  return apiKeyHeader !== "x-api-key" && isSet(apiKey) && isSet(authToken)
    ? invalid("authToken", 'cannot be set with an apiKey, unless apiKeyHeader is "x-api-key"')
    : undefined
}

/** The settings besides those of `ApiClient`. The last four belong to the promise client. */
const ownSettings = [
  "apiKey",
  "authToken",
  "apiKeyHeader",
  "version",
  "betas",
  "telemetry",
  "transport",
  "logger",
  "logLevel",
  "openTelemetry"
]

/** The headers by lower-case name. */
const headersOf = ({ headers }: Options): ApiConfig.Merged["headers"] =>
  (ApiConfig.merge({ headers: {} }, { headers }) as Pick<ApiConfig.Merged, "headers">).headers

/**
 * Converts the settings to those of `ApiClient`.
 *
 * @internal
 */
export const toClientOptions = (options: Options): ApiConfig.Options => {
  const { apiKey, apiKeyHeader, authToken, betas = [], telemetry, version = "2026-10-21", ...rest } = options
  const allBetas = [...split(headersOf(options)["anthropic-beta"]), ...betas]
  const defaults: ApiConfig.Options = {
    name: "anthropic",
    baseUrl: defaultBaseUrl,
    userAgent: `Anthropic/Effect ${packageVersion}`,
    platformHeaders: PlatformHeaders.make({ prefix: "x-stainless", packageVersion }),
    credentials: credentials(options),
    headers: { "anthropic-version": version },
    middleware: allBetas.length === 0 ? [] : [addBetas(allBetas)]
  }
  const merged = ApiConfig.merge(defaults, rest)
  return ApiConfig.merge(merged, { headers: CallOptions.betaHeader(allBetas) })
}

/**
 * Converts changed settings to the overrides that `withOptions` of an `ApiClient` takes. Existing credentials and their cache
 * are kept unless `over` sets new ones.
 *
 * @internal
 */
export const toOverrides = (self: Options, over: Overrides): ApiConfig.Overrides => {
  const settings: Readonly<Record<string, unknown>> = { ...toClientOptions(merge(self, over)) }
  // They are merged already, and so replace the client's.
  const replacing = Records.map(settings, (value, name) => (ApiConfig.isMerging(name) ? () => value : value))
  return hasCredentials(over) || (over.apiKeyHeader !== undefined && self.credentials === undefined)
    ? replacing
    : Struct.omit(replacing, "credentials")
}

const credentials = (options: Options): Credentials.Credentials => {
  const { apiKey, apiKeyHeader, authToken } = options
  const conflict = conflictIn(options)
  // `withOptions` reports it with the next call.
  if (conflict !== undefined) return Credentials.effect(Effect.fail(conflict))
  const key = !isSet(apiKey)
    ? Credentials.none
    : apiKeyHeader === "x-api-key"
      ? Credentials.header("x-api-key", apiKey)
      : Credentials.bearer(apiKey)
  const token = isSet(authToken) ? Credentials.bearer(authToken) : Credentials.none
  return key === Credentials.none ? token : token === Credentials.none ? key : both(key, token)
}

const both = (first: Credentials.Credentials, second: Credentials.Credentials): Credentials.Credentials => ({
  [Credentials.TypeId]: Credentials.TypeId,
  make: (background) => ({
    resolve: Effect.zipWith(
      first.make(background).resolve,
      second.make(background).resolve,
      (first, second) => ({
        headers: { ...first.headers, ...second.headers },
        secrets: [...first.secrets, ...second.secrets]
      })
    ),
    invalidate: undefined
  })
})

const split = (betas: unknown): ReadonlyArray<string> =>
  typeof betas !== "string"
    ? []
    : betas
        .split(",")
        .map((beta) => beta.trim())
        .filter(Boolean)

/** Merges the betas of a call with those of the client. Otherwise the header of the call would replace the client's. */
const addBetas =
  (betas: ReadonlyArray<string>): Middleware.Middleware =>
  (request, next) => {
    const own = request.headers["anthropic-beta"]
    return next(
      own === undefined
        ? request
        : HttpClientRequest.setHeaders(request, CallOptions.betaHeader([...betas, ...split(own)]))
    )
  }

/**
 * The same client, watched if the settings say so.
 *
 * @internal
 */
export const instrument = (
  { baseUrl = defaultBaseUrl, telemetry }: Options,
  client: ApiClient.ApiClient
): ApiClient.ApiClient => (telemetry === undefined ? client : telemetry.instrument(client, String(baseUrl)))
