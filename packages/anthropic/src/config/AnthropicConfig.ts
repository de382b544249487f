/**
 * The settings of a client of the Anthropic API, and where the environment gives them.
 *
 * @since 0.1.0
 */

import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { ApiConfig, Credentials, type Middleware, PlatformHeaders } from "@effect-api/client"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Records from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as Struct from "effect/Struct"
import * as CallOptions from "./CallOptions.js"

/** The version that this package tells the API. @since 0.1.0 @category constants */
export const packageVersion = "0.1.0"

const defaultBaseUrl = "https://api.anthropic.com"

/**
 * The settings: those of `ApiClient`, and what is Anthropic's own. A key or a token is required, or `credentials`, or a
 * header of your own in their place.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Omit<ApiConfig.Options, "baseUrl"> {
  /** Sent as `x-api-key`. */
  readonly apiKey?: Redacted.Redacted<string> | undefined
  /** Sent as a bearer token; besides the key, if there are both. */
  readonly authToken?: Redacted.Redacted<string> | undefined
  /** `https://api.anthropic.com` unless said otherwise. */
  readonly baseUrl?: string | URL | undefined
  /** The version of the API (`2023-06-01`). Answers of later versions can be read too. */
  readonly version?: string | undefined
  /** Features to switch on for every call, by their names. */
  readonly betas?: ReadonlyArray<string> | undefined
}

/**
 * What `withOptions` takes: see `ApiConfig.Overrides` of the client. A key, a token or `credentials` takes the place of all
 * that proved who calls before.
 *
 * @since 0.1.0
 * @category models
 */
export interface OverrideOptions
  extends ApiConfig.Overrides,
    Pick<Options, "apiKey" | "authToken" | "version"> {
  /** Features to switch on besides those that are on; a function of these replaces them. */
  readonly betas?: ReadonlyArray<string> | ((old: ReadonlyArray<string>) => ReadonlyArray<string>) | undefined
}

const optional = <A>(config: Config.Config<A>) => Config.withDefault(config, undefined)

/** Lines without a colon are passed over. */
const parseHeaders = (lines: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Array.from(lines.matchAll(/^([^:\n]+):(.*)$/gm), ([, name = "", value = ""]) => [
      name.trim(),
      value.trim()
    ])
  )

/**
 * The settings as the environment gives them, by the names that the vendor's SDKs have for them: `ANTHROPIC_API_KEY` or
 * else `ANTHROPIC_AUTH_TOKEN`, `ANTHROPIC_BASE_URL`, and `ANTHROPIC_CUSTOM_HEADERS`, each line `Name: value`.
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
    // What a gateway asks for may well be a secret.
    redact: { headers: Object.keys(rest.headers) }
  }))
)

/** A secret's text, where it has one. Plain JavaScript may give it as a string. */
const textOf = (secret: unknown): unknown => {
  try {
    return Redacted.isRedacted(secret) ? Redacted.value(secret) : secret
  } catch {
    return "wiped"
  }
}

/** What is blank counts as not given, and so does a `Redacted` of a variable that is not set. */
const isGiven = (secret: unknown): secret is Redacted.Redacted<string> => {
  const text = textOf(secret)
  return text !== undefined && text !== null && (typeof text !== "string" || text.trim() !== "")
}

const namesCredentials = ({ apiKey, authToken, credentials }: OverrideOptions): boolean =>
  credentials !== undefined || isGiven(apiKey) || isGiven(authToken)

/**
 * Settings over settings, by the rule of `ApiConfig.merge` of the client: betas are added, and a credential takes the place of
 * all those below it.
 *
 * @since 0.1.0
 * @category combinators
 */
export const merge = (self: Options, over: OverrideOptions): Options => {
  const under = namesCredentials(over) ? Struct.omit(self, "apiKey", "authToken", "credentials") : self
  const { betas, ...rest } = over
  return {
    // Settings that the client does not know of go through.
    ...ApiConfig.merge({ ...under, baseUrl: under.baseUrl ?? defaultBaseUrl }, rest),
    // One alone is a list too: in plain JavaScript a string would be taken for a list of letters.
    betas: typeof betas === "function" ? betas(self.betas ?? []) : [...(self.betas ?? []), betas ?? []].flat()
  }
}

/**
 * Fails with an `InvalidConfigError` where there is nothing to prove who calls, what there is is no text, or a setting is
 * unknown.
 *
 * @since 0.1.0
 * @category validation
 */
export const check = (options: Options): Either.Either<Options, ApiConfig.InvalidConfigError> => {
  const problem = ApiConfig.problem(options, ofAnthropic)
  if (problem !== undefined) return Either.left(problem)
  const refuse = (key: string, reason: string) =>
    Either.left(new ApiConfig.InvalidConfigError({ key, reason }))
  for (const key of ["apiKey", "authToken"] as const) {
    if (isGiven(options[key]) && typeof textOf(options[key]) !== "string")
      return refuse(key, "must be a Redacted or a string")
  }
  const { "x-api-key": key, authorization } = headersOf(options)
  return namesCredentials(options) || (key ?? authorization ?? undefined) !== undefined
    ? Either.right(options)
    : refuse(
        "apiKey",
        "is missing, and so is authToken: ANTHROPIC_API_KEY and ANTHROPIC_AUTH_TOKEN set them too"
      )
}

/** Besides the client's; the last three are those of a client of promises. */
const ofAnthropic = ["apiKey", "authToken", "version", "betas", "transport", "logger", "logLevel"]

/** By lower-case name, in whatever form they were given. */
const headersOf = ({ headers }: Options): ApiConfig.Merged["headers"] =>
  (ApiConfig.merge({ headers: {} }, { headers }) as Pick<ApiConfig.Merged, "headers">).headers

/**
 * The settings in the terms of `ApiClient`.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toClientOptions = (options: Options): ApiConfig.Options => {
  const { apiKey, authToken, betas = [], version = "2023-06-01", ...rest } = options
  const allBetas = [...split(headersOf(options)["anthropic-beta"]), ...betas]
  const defaults: ApiConfig.Options = {
    baseUrl: defaultBaseUrl,
    userAgent: `Anthropic/Effect ${packageVersion}`,
    platformHeaders: PlatformHeaders.make({ prefix: "x-stainless", packageVersion }),
    credentials: credentials(apiKey, authToken),
    headers: { "anthropic-version": version },
    middleware: allBetas.length === 0 ? [] : [addBetas(allBetas)]
  }
  const merged = ApiConfig.merge(defaults, rest)
  return ApiConfig.merge(merged, { headers: CallOptions.betaHeader(allBetas) })
}

/**
 * What `withOptions` of a client takes to have other settings. Credentials stay, and what they have cached, unless `over`
 * names some.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toOverrides = (self: Options, over: OverrideOptions): ApiConfig.Overrides => {
  const options = toClientOptions(merge(self, over))
  // All of them were merged here: they take the place of the client's.
  const replacing = Records.map({ ...options } as Readonly<Record<string, unknown>>, (value, name) =>
    ApiConfig.isMerging(name) ? () => value : value
  )
  return namesCredentials(over) ? replacing : Struct.omit(replacing, "credentials")
}

const credentials = (apiKey: Options["apiKey"], authToken: Options["authToken"]): Credentials.Credentials => {
  const key = isGiven(apiKey) ? Credentials.header("x-api-key", apiKey) : Credentials.none
  const token = isGiven(authToken) ? Credentials.bearer(authToken) : Credentials.none
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

/** A call's own betas would take the place of the client's. */
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
