/** Reads, exchanges and keeps the tokens of a profile. */
import { ApiError, ApiRequest, type Tokens } from "@effect-api/client"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { isWindows, type Profile, parseJson, type WorkloadProfile } from "./profileConfig.js"
import type { Files } from "./profileFiles.js"

/** The beta that requests with such a token need. */
export const oauthBeta = "oauth-2025-04-20"
const federationBeta = "oidc-federation-2026-04-01"

/**
 * A file of a profile cannot be used: the `cause` of the `CredentialsError` with which calls then fail. It holds nothing of the
 * file's content.
 *
 * @since 3.2.0
 * @category errors
 */
export class ProfileError extends Data.TaggedError("ProfileError")<{
  readonly message: string
  readonly file: string
  /** The field of the file, if the file itself could be read. */
  readonly field: string | undefined
}> {}

const wrong = (file: string, reason: string, field?: string): Effect.Effect<never, ProfileError> =>
  Effect.fail(
    new ProfileError({
      message: `${field === undefined ? "" : `${field} of `}${file} ${reason}`,
      file,
      field
    })
  )

/** The content of a file of tokens. */
interface Kept {
  /** All fields, also the unknown ones, which are written back. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly accessToken: string
  readonly refreshToken: string | undefined
  /** In milliseconds. */
  readonly expiresAt: number | undefined
}

interface Fresh {
  readonly accessToken: Redacted.Redacted<string>
  readonly refreshToken: string | undefined
  readonly expiresAt: number
}

const Secret = Schema.Redacted(Schema.String)

const TokenResponse = Schema.Struct({
  access_token: Secret,
  expires_in: Schema.Union(Schema.Number, Schema.String),
  refresh_token: Schema.optional(Schema.NullOr(Secret)),
  token_type: Schema.optional(Schema.NullOr(Schema.String))
})

/** Runs a request for a token. */
export type Execute<out E> = <A>(request: ApiRequest.ApiRequest<A>) => Effect.Effect<A, E>

/** A token this close to its end is not used any more. */
const marginMillis = 30_000

/** The largest token that the token endpoint takes. */
const maxIdentityChars = 16 * 1024

/** Checks the permissions of a file of tokens: others could read the tokens, or plant some. */
const checkMode = (files: Files, path: string): Effect.Effect<void, ProfileError> =>
  isWindows()
    ? Effect.void
    : Effect.flatMap(
        Effect.catchAll(files.mode(path), (code) => wrong(path, `cannot be read (${code})`)),
        (mode) =>
          mode === undefined || (mode & 0o066) === 0
            ? Effect.void
            : wrong(
                path,
                `may be read or changed by others (mode ${(mode & 0o777).toString(8)}): use chmod 600`
              )
      )

const readKept = (files: Files, path: string): Effect.Effect<Kept | undefined, ProfileError> =>
  Effect.gen(function* () {
    yield* checkMode(files, path)
    const text = yield* Effect.catchAll(files.read(path), (code) => wrong(path, `cannot be read (${code})`))
    if (text === undefined) return undefined
    const value = parseJson(text)
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return yield* wrong(path, "must be a JSON object")
    }
    const fields: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(value))
    const { access_token, expires_at, refresh_token, type } = fields
    if ((type ?? "oauth_token") !== "oauth_token") return yield* wrong(path, "must be oauth_token", "type")
    if (typeof access_token !== "string" || access_token === "") {
      return yield* wrong(path, "must be a string that is not empty", "access_token")
    }
    if ((refresh_token ?? "") !== "" && typeof refresh_token !== "string") {
      return yield* wrong(path, "must be a string", "refresh_token")
    }
    if ((expires_at ?? undefined) !== undefined && typeof expires_at !== "number") {
      return yield* wrong(path, "must be a number of seconds", "expires_at")
    }
    return {
      fields,
      accessToken: access_token,
      refreshToken: typeof refresh_token === "string" && refresh_token !== "" ? refresh_token : undefined,
      expiresAt: typeof expires_at === "number" ? expires_at * 1000 : undefined
    }
  })

const save = (files: Files, path: string, old: Kept | undefined, fresh: Fresh) =>
  files.write(
    path,
    JSON.stringify(
      {
        ...old?.fields,
        version: "1.0",
        type: "oauth_token",
        access_token: Redacted.value(fresh.accessToken),
        expires_at: Math.floor(fresh.expiresAt / 1000),
        ...(fresh.refreshToken === undefined ? {} : { refresh_token: fresh.refreshToken })
      },
      null,
      2
    )
  )

/** Asks the token endpoint for a token. */
const exchange = <E>(
  execute: Execute<E>,
  betas: ReadonlyArray<string>,
  body: Readonly<Record<string, string | Redacted.Redacted<string> | undefined>>
): Effect.Effect<Fresh, E | ProfileError> =>
  Effect.gen(function* () {
    const { access_token, expires_in, refresh_token, token_type } = yield* execute(
      ApiRequest.post("/v1/oauth/token", {
        headers: { "anthropic-beta": betas.join(",") },
        body,
        success: TokenResponse
      })
    )
    const endpoint = "the token endpoint's response"
    const seconds = typeof expires_in === "string" ? Number.parseFloat(expires_in) : expires_in
    if (!Number.isFinite(seconds)) return yield* wrong(endpoint, "must be a number", "expires_in")
    if ((token_type ?? "bearer").toLowerCase() !== "bearer") {
      return yield* wrong(endpoint, "must be bearer", "token_type")
    }
    return {
      accessToken: access_token,
      refreshToken:
        refresh_token === undefined || refresh_token === null ? undefined : Redacted.value(refresh_token),
      expiresAt: (yield* Clock.currentTimeMillis) + seconds * 1000
    }
  })

const identityToken = (
  files: Files,
  { identityToken: from }: WorkloadProfile
): Effect.Effect<Redacted.Redacted<string>, ProfileError> =>
  Effect.gen(function* () {
    // Read anew for each exchange: the platform rotates it.
    const name = from._tag === "File" ? from.path : "ANTHROPIC_IDENTITY_TOKEN"
    const text =
      from._tag === "File"
        ? yield* Effect.catchAll(files.read(name), (code) => wrong(name, `cannot be read (${code})`))
        : Redacted.value(from.token)
    const token = text?.trim() ?? ""
    if (token === "") return yield* wrong(name, text === undefined ? "does not exist" : "is empty")
    if (token.length > maxIdentityChars) return yield* wrong(name, "is longer than 16 KiB")
    return Redacted.make(token)
  })

const isFresh = ({ expiresAt }: Kept, now: number): boolean =>
  expiresAt === undefined || now < expiresAt - marginMillis

/** Whether the server will not take this refresh token later either (RFC 6749, 5.2). */
const isRefusal = (error: unknown): boolean =>
  ApiError.isApiError(error) && (error._tag === "BadRequestError" || error._tag === "AuthenticationError")

/** The last token that a client has got: the file may hold the same one after the server has refused it. */
export interface Given {
  token: string | undefined
}

/**
 * Fetches tokens of a profile: the kept one while it is fresh, otherwise a new one, which is then kept. One fetch runs at a time,
 * and nothing interrupts it between the exchange and the file.
 */
export const fetching = <E>(
  files: Files,
  profile: Profile,
  execute: Execute<E>
): ((given: Given) => Effect.Effect<Tokens.Token, E | ProfileError>) => {
  type Failure = E | ProfileError
  const alone = Effect.unsafeMakeSemaphore(1).withPermits(1)
  /** Not in the file yet: the token that it replaces is spent. */
  let unsaved: { readonly old: Kept; readonly fresh: Fresh } | undefined
  /** The refresh token that the server refused, and how. */
  let refused: { readonly token: string; readonly error: Failure } | undefined

  const keep = (path: string, old: Kept, fresh: Fresh): Effect.Effect<Fresh, ProfileError> => {
    unsaved = { old, fresh }
    return Effect.map(
      Effect.catchAll(save(files, path, old, fresh), (code) => wrong(path, `cannot be written (${code})`)),
      () => {
        unsaved = undefined
        return fresh
      }
    )
  }

  const refreshed = (
    path: string,
    old: Kept,
    clientId: string | undefined
  ): Effect.Effect<Fresh, Failure> => {
    const { refreshToken } = old
    if (clientId === undefined)
      return wrong(path, "has ended, and the profile has no client_id", "access_token")
    if (refreshToken === undefined)
      return wrong(path, "has ended, and there is no refresh_token", "access_token")
    if (refused?.token === refreshToken) return Effect.fail(refused.error)
    const body = {
      grant_type: "refresh_token",
      refresh_token: Redacted.make(refreshToken),
      client_id: clientId
    }
    return exchange(execute, [oauthBeta], body).pipe(
      Effect.tapError((error) =>
        Effect.sync(() => {
          if (isRefusal(error)) refused = { token: refreshToken, error }
        })
      ),
      Effect.flatMap((fresh) =>
        keep(path, old, { ...fresh, refreshToken: fresh.refreshToken ?? refreshToken })
      )
    )
  }

  const ofWorkload = (workload: WorkloadProfile, old: Kept | undefined): Effect.Effect<Fresh, Failure> =>
    Effect.gen(function* () {
      const fresh = yield* exchange(execute, [oauthBeta, federationBeta], {
        grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
        assertion: yield* identityToken(files, workload),
        federation_rule_id: workload.ruleId,
        organization_id: workload.organizationId,
        service_account_id: workload.serviceAccountId,
        workspace_id: workload.workspaceId
      })
      const { credentialsPath } = workload
      if (credentialsPath !== undefined) {
        // The token can be exchanged again: a file that cannot be written costs only that.
        yield* Effect.catchAll(save(files, credentialsPath, old, fresh), (code) =>
          Effect.logWarning(`${credentialsPath} cannot be written (${code}): tokens stay in memory`)
        )
      }
      return fresh
    })

  /** What the file holds. A workload's file is a cache: what is no token in it is replaced. */
  const keptTokens = (path: string): Effect.Effect<Kept | undefined, ProfileError> =>
    profile._tag === "User"
      ? Effect.flatMap(readKept(files, path), (kept) =>
          kept === undefined ? wrong(path, "does not exist") : Effect.succeed(kept)
        )
      : Effect.zipRight(
          checkMode(files, path),
          Effect.orElseSucceed(readKept(files, path), () => undefined)
        )

  /** Another program may have used the refresh token in the meantime, and written the next one. */
  const unlessRotated = (
    path: string,
    old: Kept,
    clientId: string | undefined
  ): Effect.Effect<Fresh, Failure> =>
    Effect.catchAll(refreshed(path, old, clientId), (error) =>
      isRefusal(error)
        ? Effect.flatMap(Effect.zip(keptTokens(path), Clock.currentTimeMillis), ([kept, now]) => {
            if (kept === undefined || kept.refreshToken === old.refreshToken) return Effect.fail(error)
            const { accessToken, expiresAt, refreshToken } = kept
            return expiresAt !== undefined && isFresh(kept, now)
              ? Effect.succeed({ accessToken: Redacted.make(accessToken), expiresAt, refreshToken })
              : unlessRotated(path, kept, clientId)
          })
        : Effect.fail(error)
    )

  const fetched = (given: Given): Effect.Effect<Tokens.Token, Failure> =>
    Effect.gen(function* () {
      const { credentialsPath: path } = profile
      let kept = path === undefined ? undefined : yield* keptTokens(path)
      if (unsaved !== undefined && path !== undefined) {
        const { fresh, old } = unsaved
        if (kept === undefined || kept.accessToken === old.accessToken) {
          yield* keep(path, old, fresh)
          kept = yield* keptTokens(path)
        }
        // Another program has put its own there, after a new sign-in perhaps.
        else unsaved = undefined
      }
      const now = yield* Clock.currentTimeMillis
      if (kept !== undefined && kept.accessToken !== given.token && isFresh(kept, now)) {
        given.token = kept.accessToken
        const token = Redacted.make(kept.accessToken)
        return kept.expiresAt === undefined ? { token } : { token, expiresIn: kept.expiresAt - now }
      }
      const fresh =
        profile._tag === "Workload"
          ? yield* ofWorkload(profile, kept)
          : kept === undefined
            ? yield* wrong(profile.credentialsPath, "does not exist")
            : yield* unlessRotated(profile.credentialsPath, kept, profile.clientId)
      given.token = Redacted.value(fresh.accessToken)
      return { token: fresh.accessToken, expiresIn: Math.max(0, fresh.expiresAt - now) }
    })

  return (given) => alone(Effect.uninterruptible(fetched(given)))
}
