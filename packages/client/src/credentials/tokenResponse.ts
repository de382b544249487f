/** The token response of OAuth 2. */
import type * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"

/**
 * A token with its lifetime. Without a valid one it is kept until the server refuses it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Token {
  readonly token: string | Redacted.Redacted<string>
  readonly expiresIn?: Duration.DurationInput | undefined
}

/** A token, and the refresh token that comes next, if the server has rotated it. @since 3.1.0 @category models */
export interface Refreshed extends Token {
  readonly refreshToken?: string | Redacted.Redacted<string> | undefined
}

/**
 * The token of an OAuth 2 token response (RFC 6749, section 5.1), as its JSON has it or as a library has parsed it.
 *
 * @example
 * ```ts
 * import { type ApiClient, Credentials, Tokens } from "@effect-api/client"
 * import { Effect, Schema } from "effect"
 *
 * const TokenResponse = Schema.Struct({
 *   access_token: Schema.Redacted(Schema.String),
 *   expires_in: Schema.optional(Schema.Number)
 * })
 *
 * const credentials = (login: ApiClient.ApiClient) =>
 *   Credentials.cached({
 *     fetch: Effect.map(
 *       login.post("/token", { form: { grant_type: "client_credentials" }, success: TokenResponse }),
 *       Tokens.fromResponse
 *     )
 *   })
 * ```
 * @since 3.1.0
 * @category conversions
 */
export const fromResponse = (response: {
  readonly access_token: string | Redacted.Redacted<string>
  /** In seconds. */
  readonly expires_in?: number | undefined
  readonly refresh_token?: string | Redacted.Redacted<string> | undefined
}): Refreshed => {
  const { access_token, expires_in, refresh_token } = response
  return {
    token: redacted(access_token),
    // Some servers send a number as text, and some send null.
    ...(expires_in === undefined || expires_in === null ? {} : { expiresIn: Number(expires_in) * 1000 }),
    ...(refresh_token === undefined || refresh_token === null
      ? {}
      : { refreshToken: redacted(refresh_token) })
  }
}

/** A secret that is hidden. */
export const redacted = (secret: string | Redacted.Redacted<string>): Redacted.Redacted<string> =>
  typeof secret === "string" ? Redacted.make(secret) : secret
