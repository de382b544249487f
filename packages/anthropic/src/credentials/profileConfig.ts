/** Finds the profile to use, and reads its settings. */
import { ApiConfig } from "@effect-api/client"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Redacted from "effect/Redacted"
import type { Files } from "./profileFiles.js"

type Invalid = ApiConfig.InvalidConfigError

/** Where the token of a workload comes from. */
export type IdentityToken =
  | { readonly _tag: "File"; readonly path: string }
  | { readonly _tag: "Value"; readonly token: Redacted.Redacted<string> }

interface Common {
  /** Where tokens are kept; `undefined` keeps them in memory. */
  readonly credentialsPath: string | undefined
  /** The base URL of the token endpoint. */
  readonly loginUrl: string | undefined
  /** The base URL of the API. */
  readonly baseUrl: string | undefined
  readonly workspaceId: string | undefined
}

/** A user who has signed in. */
export interface UserProfile extends Common {
  readonly _tag: "User"
  readonly credentialsPath: string
  /** Without an id there is no refresh. */
  readonly clientId: string | undefined
}

/** A workload that exchanges a token of its own platform. */
export interface WorkloadProfile extends Common {
  readonly _tag: "Workload"
  readonly ruleId: string
  readonly organizationId: string
  readonly serviceAccountId: string | undefined
  readonly identityToken: IdentityToken
}

export type Profile = UserProfile | WorkloadProfile

const optional = <A>(config: Config.Config<A>) => Config.withDefault(config, undefined)
/** Without the line end of a file that it was read from. */
const variable = (name: string) => optional(Config.map(Config.string(name), (text) => text.trim()))

const environment = ApiConfig.blankAsMissing(
  Config.all({
    profile: variable("ANTHROPIC_PROFILE"),
    configDir: variable("ANTHROPIC_CONFIG_DIR"),
    baseUrl: variable("ANTHROPIC_BASE_URL"),
    organizationId: variable("ANTHROPIC_ORGANIZATION_ID"),
    workspaceId: variable("ANTHROPIC_WORKSPACE_ID"),
    ruleId: variable("ANTHROPIC_FEDERATION_RULE_ID"),
    serviceAccountId: variable("ANTHROPIC_SERVICE_ACCOUNT_ID"),
    tokenFile: variable("ANTHROPIC_IDENTITY_TOKEN_FILE"),
    token: optional(Config.redacted("ANTHROPIC_IDENTITY_TOKEN")),
    appData: variable("APPDATA"),
    userProfile: variable("USERPROFILE"),
    xdgConfig: variable("XDG_CONFIG_HOME"),
    home: variable("HOME")
  })
)

type Environment = Effect.Effect.Success<typeof environment>

const invalid = (key: string, reason: string): Effect.Effect<never, Invalid> =>
  Effect.fail(new ApiConfig.InvalidConfigError({ key, reason }))

/** Whether the system has no permissions in the manner of POSIX, and other folders. */
export const isWindows = (globals: object = globalThis): boolean =>
  Predicate.hasProperty(globals, "process") &&
  Predicate.hasProperty(globals.process, "platform") &&
  globals.process.platform === "win32"

const folderOf = (env: Environment): string | undefined => {
  if (env.configDir !== undefined) return env.configDir
  if (isWindows()) {
    const roaming =
      env.appData ?? (env.userProfile === undefined ? undefined : `${env.userProfile}\\AppData\\Roaming`)
    return roaming === undefined ? undefined : `${roaming}\\Anthropic`
  }
  const folder = env.xdgConfig ?? (env.home === undefined ? undefined : `${env.home}/.config`)
  return folder === undefined ? undefined : `${folder}/anthropic`
}

/** Reads a file. A failure names the file. */
const read = (files: Files, key: string, path: string): Effect.Effect<string | undefined, Invalid> =>
  Effect.catchAll(files.read(path), (code) => invalid(key, `cannot be read from ${path} (${code})`))

/** The profile that the environment describes without a file, if it names a rule and an organization. */
const fromEnvironment = (env: Environment): Effect.Effect<WorkloadProfile, Invalid> | undefined => {
  const { organizationId, ruleId } = env
  if (ruleId === undefined || organizationId === undefined) return undefined
  const identityToken = identityTokenOf(env)
  if (identityToken === undefined) {
    return invalid(
      "ANTHROPIC_IDENTITY_TOKEN_FILE",
      "is missing, and so is ANTHROPIC_IDENTITY_TOKEN: a federation rule needs one"
    )
  }
  return Effect.succeed({
    _tag: "Workload",
    // Kept in memory: a file would serve the token of other variables.
    credentialsPath: undefined,
    loginUrl: env.baseUrl,
    baseUrl: env.baseUrl,
    workspaceId: env.workspaceId,
    ruleId,
    organizationId,
    serviceAccountId: env.serviceAccountId,
    identityToken
  })
}

const identityTokenOf = ({ token, tokenFile }: Environment): IdentityToken | undefined =>
  tokenFile !== undefined
    ? { _tag: "File", path: tokenFile }
    : token === undefined
      ? undefined
      : { _tag: "Value", token }

/**
 * The profile to use: the one that `profile` names, that of `ANTHROPIC_PROFILE`, the one that the environment describes by a
 * federation rule, or the active one.
 */
export const find = (
  files: Files,
  options: { readonly profile?: string | undefined; readonly configDir?: string | undefined }
): Effect.Effect<Profile, Invalid | ConfigError.ConfigError> =>
  Effect.gen(function* () {
    const env = yield* environment
    const named = options.profile ?? env.profile
    const described = named === undefined ? fromEnvironment(env) : undefined
    if (described !== undefined && identityTokenOf(env) !== undefined) return yield* described
    const folder = options.configDir ?? folderOf(env)
    if (folder === undefined) {
      return yield* described ?? invalid("configDir", "is missing, and so are ANTHROPIC_CONFIG_DIR and HOME")
    }
    const name = named ?? ((yield* read(files, "profile", `${folder}/active_config`))?.trim() || "default")
    const problem = nameProblem(name)
    if (problem !== undefined) return yield* invalid("profile", problem)
    const path = `${folder}/configs/${name}.json`
    const text = yield* read(files, "profile", path)
    if (text !== undefined) return yield* parse(text, path, `${folder}/credentials/${name}.json`, env)
    return yield* (named === undefined ? described : undefined) ??
      invalid("profile", `is ${JSON.stringify(name)}, and ${path} does not exist`)
  })

/** A name is part of a path. */
const nameProblem = (name: unknown): string | undefined =>
  typeof name !== "string"
    ? "must be a string"
    : name === "." || name === ".." || !/^[A-Za-z0-9_.-]+$/.test(name)
      ? `${JSON.stringify(name)} must consist of letters, digits, "_", "." and "-"`
      : undefined

/** The fields of a file of settings. A failure names the field and the file. */
const fieldsOf = (value: object, path: string, prefix = "") => {
  const entries = new Map<string, unknown>(Object.entries(value))
  return {
    text: (name: string): Effect.Effect<string | undefined, Invalid> => {
      const field = entries.get(name)
      if (field === undefined || field === null || field === "") return Effect.succeed(undefined)
      return typeof field === "string"
        ? Effect.succeed(field)
        : invalid(`${prefix}${name}`, `must be a string in ${path}`)
    },
    object: (name: string): Effect.Effect<object | undefined, Invalid> => {
      const field = entries.get(name)
      if (field === undefined || field === null) return Effect.succeed(undefined)
      return typeof field === "object" && !Array.isArray(field)
        ? Effect.succeed(field)
        : invalid(`${prefix}${name}`, `must be an object in ${path}`)
    }
  }
}

const parse = (
  text: string,
  path: string,
  defaultCredentials: string,
  env: Environment
): Effect.Effect<Profile, Invalid> =>
  Effect.gen(function* () {
    const file = fieldsOf(yield* objectIn(text, path), path)
    const authentication = yield* file.object("authentication")
    if (authentication === undefined) return yield* invalid("authentication", `is missing in ${path}`)
    const own = fieldsOf(authentication, path, "authentication.")
    const type = yield* own.text("type")
    const loginUrl = (yield* file.text("base_url")) ?? env.baseUrl
    const common = {
      credentialsPath: (yield* own.text("credentials_path")) ?? defaultCredentials,
      loginUrl,
      baseUrl: env.baseUrl ?? loginUrl,
      workspaceId: (yield* file.text("workspace_id")) ?? env.workspaceId
    }
    if (type === "user_oauth") return { ...common, _tag: "User", clientId: yield* own.text("client_id") }
    if (type !== "oidc_federation") {
      return yield* invalid("authentication.type", `must be user_oauth or oidc_federation in ${path}`)
    }
    const organizationId = (yield* file.text("organization_id")) ?? env.organizationId
    if (organizationId === undefined) {
      return yield* invalid("organization_id", `is missing in ${path}, and so is ANTHROPIC_ORGANIZATION_ID`)
    }
    const ruleId = (yield* own.text("federation_rule_id")) ?? env.ruleId
    if (ruleId === undefined) {
      return yield* invalid(
        "authentication.federation_rule_id",
        `is missing in ${path}, and so is ANTHROPIC_FEDERATION_RULE_ID`
      )
    }
    const identityToken = (yield* identityTokenIn(own, path)) ?? identityTokenOf(env)
    if (identityToken === undefined) {
      return yield* invalid(
        "authentication.identity_token",
        `is missing in ${path}, and so are ANTHROPIC_IDENTITY_TOKEN_FILE and ANTHROPIC_IDENTITY_TOKEN`
      )
    }
    const serviceAccountId = (yield* own.text("service_account_id")) ?? env.serviceAccountId
    return { ...common, _tag: "Workload", ruleId, organizationId, serviceAccountId, identityToken }
  })

const identityTokenIn = (
  fields: ReturnType<typeof fieldsOf>,
  path: string
): Effect.Effect<IdentityToken | undefined, Invalid> =>
  Effect.gen(function* () {
    const token = yield* fields.object("identity_token")
    if (token === undefined) return undefined
    const own = fieldsOf(token, path, "authentication.identity_token.")
    if ((yield* own.text("source")) !== "file") {
      return yield* invalid("authentication.identity_token.source", `must be file in ${path}`)
    }
    const file = yield* own.text("path")
    return file === undefined
      ? yield* invalid("authentication.identity_token.path", `is missing in ${path}`)
      : { _tag: "File", path: file }
  })

const objectIn = (text: string, path: string): Effect.Effect<object, Invalid> => {
  const value = parseJson(text)
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Effect.succeed(value)
    : invalid("profile", `must be a JSON object in ${path}`)
}

/** The value of a text, `undefined` if it is no JSON. The parser's own error repeats a part of the text. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
