/**
 * Settings from the profiles that Anthropic's command line tools write: a user who has signed in, or a workload with a token of its
 * own platform.
 *
 * @since 3.2.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import { ApiClient, ApiConfig, Credentials, type Tokens } from "@effect-api/client"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as AnthropicConfig from "../config/AnthropicConfig.js"
import { defaultBaseUrl } from "../config/AnthropicConfig.js"
import { find, type Profile } from "./profileConfig.js"
import { make as makeFiles, type NodeFiles, type PlatformFiles } from "./profileFiles.js"
import { type Execute, fetching, type Given, oauthBeta } from "./profileTokens.js"

export type { NodeFiles, PlatformFiles } from "./profileFiles.js"
export { ProfileError } from "./profileTokens.js"

/**
 * Which profile to load, and how to read its files.
 *
 * @since 3.2.0
 * @category models
 */
export interface Options {
  /** `node:fs/promises`, or a `FileSystem`. */
  readonly fs: NodeFiles | PlatformFiles
  /** The name of the profile (that of `ANTHROPIC_PROFILE`, or the active one). */
  readonly profile?: string | undefined
  /** The folder of the profiles (`ANTHROPIC_CONFIG_DIR`, or `anthropic` in the user's folder of settings). */
  readonly configDir?: string | undefined
}

/**
 * Loads a profile as settings of a client: its credentials, its base URL, its workspace, and the beta that its tokens need.
 *
 * - **Which.** The profile that `profile` or `ANTHROPIC_PROFILE` names. Otherwise a federation rule in the environment with an
 *   identity token, and then the active profile, which is `default` unless `active_config` names another.
 * - **Tokens.** The client reads the kept token before the first call, refreshes it two minutes before it ends, and once after a 401.
 *   It writes the new one to the same file, which replaces the old one at once and is readable by its owner alone.
 * - **Errors.** Fails with an `InvalidConfigError` that names the field and the file. Calls fail with a `CredentialsError` whose
 *   `cause` is a {@link ProfileError} or the error of the token endpoint. Neither holds a token.
 *
 * @example
 * ```ts
 * import * as fs from "node:fs/promises"
 * import { Anthropic, Profile } from "@effect-api/anthropic"
 * import { NodeTransport } from "@effect-api/node"
 * import { Effect, Layer } from "effect"
 *
 * const Live = Effect.map(Profile.load({ fs }), Anthropic.layer).pipe(
 *   Layer.unwrapEffect,
 *   Layer.provide(NodeTransport.layer)
 * )
 * ```
 * @since 3.2.0
 * @category constructors
 */
export const load = (
  options: Options
): Effect.Effect<
  AnthropicConfig.Options,
  ApiConfig.InvalidConfigError | ConfigError.ConfigError,
  HttpClient.HttpClient
> =>
  Effect.flatMap(located(options), ([files, profile]) =>
    Effect.map(ApiClient.make(loginOptions(profile)), (login) =>
      settingsOf(
        profile,
        fetching(files, profile, (request) => login.execute(request))
      )
    )
  )

/**
 * {@link load}, with a way to run requests for tokens that makes a client for each.
 *
 * @internal
 */
export const loadWith = (
  options: Options,
  withLogin: (options: ApiConfig.Options) => Execute<unknown>
): Effect.Effect<AnthropicConfig.Options, ApiConfig.InvalidConfigError | ConfigError.ConfigError> =>
  Effect.map(located(options), ([files, profile]) =>
    settingsOf(profile, fetching(files, profile, withLogin(loginOptions(profile))))
  )

const located = (options: Options) =>
  Effect.gen(function* () {
    const problem = problemOf(options)
    if (problem !== undefined) return yield* Effect.fail(new ApiConfig.InvalidConfigError(problem))
    const files = makeFiles(options.fs)
    const profile = yield* find(files, options)
    yield* checkSecure(profile.loginUrl ?? defaultBaseUrl)
    return [files, profile] as const
  })

/** What plain JavaScript may pass. */
const problemOf = (options: Options): { readonly key: string; readonly reason: string } | undefined => {
  const known: ReadonlyArray<string> = ["fs", "profile", "configDir"]
  const unknown = ApiConfig.unknown(options ?? {}, known)
  if (unknown !== undefined) return { key: unknown.field, reason: unknown.reason }
  const fs: unknown = options?.fs
  const reads =
    (Predicate.hasProperty(fs, "readFile") && typeof fs.readFile === "function") ||
    (Predicate.hasProperty(fs, "readFileString") && typeof fs.readFileString === "function")
  if (!reads) return { key: "fs", reason: "must be node:fs/promises or a FileSystem" }
  return typeof (options.configDir ?? "") === "string"
    ? undefined
    : { key: "configDir", reason: "must be a string" }
}

const loginOptions = ({ loginUrl = defaultBaseUrl }: Profile): ApiConfig.Options => ({
  name: "anthropic-login",
  baseUrl: loginUrl,
  // A redirect would take the token along.
  redirects: 0,
  retry: { maxRetries: 0 },
  timeouts: { total: "1 minute" },
  limits: { responseBytes: 1 << 20 }
})

const settingsOf = <E>(
  { _tag, baseUrl, workspaceId }: Profile,
  fetch: (given: Given) => Effect.Effect<Tokens.Token, E>
): AnthropicConfig.Options => ({
  credentials: {
    [Credentials.TypeId]: Credentials.TypeId,
    // Each client remembers the token that it sent: after a 401 the file may still hold that one.
    make: (background) =>
      Credentials.cached({ fetch: fetch({ token: undefined }), refreshAhead: "2 minutes" }).make(background)
  },
  betas: [oauthBeta],
  ...(baseUrl === undefined ? {} : { baseUrl }),
  // The token of a workload belongs to a workspace itself.
  ...(_tag === "User" && workspaceId !== undefined
    ? { headers: { "anthropic-workspace-id": workspaceId } }
    : {})
})

/** Tokens go over https, or stay on this machine. */
const checkSecure = (baseUrl: string): Effect.Effect<void, ApiConfig.InvalidConfigError> => {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined
  const isLocal = url?.protocol === "http:" && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname)
  return url?.protocol === "https:" || isLocal
    ? Effect.void
    : Effect.fail(
        new ApiConfig.InvalidConfigError({
          key: "base_url",
          reason: "must be an https URL, because the token endpoint receives secrets"
        })
      )
}
