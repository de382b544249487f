/**
 * Credentials from tokens that others issue: refresh tokens, one for each tenant.
 *
 * @since 3.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import { kindOf } from "../secrets/secretText.js"
import { kept } from "./Credentials.js"
import { rotation, type Store, stored } from "./refreshing.js"
import { broken, type Credentials, ofProgram } from "./resolver.js"
import type { Refreshed } from "./tokenResponse.js"

export { perTenant } from "./perTenant.js"
export type { Store } from "./refreshing.js"
export { fromResponse, type Refreshed, type Token } from "./tokenResponse.js"

/**
 * A token that a refresh token brings (RFC 6749, section 6), kept and renewed as by {@link cached}. Use one value for
 * each user: see {@link perTenant}.
 *
 * - **Rotation.** A new refresh token is stored before the new access token is used. If the store fails, the call fails,
 *   and the next one stores it first. Nothing interrupts a refresh between the request and the store.
 * - **One refresh at a time,** in all clients that use this value. Another process may rotate the token as well: what the
 *   store has then is tried once.
 * - **A refused refresh token** (`isRefused`, such as `invalid_grant`) is not sent again until the store has another one.
 *   Meanwhile calls fail with a `CredentialsError` whose `cause` is the error.
 *
 * @example
 * ```ts
 * import { Tokens } from "@effect-api/client"
 * import { Data, Effect, Redacted } from "effect"
 *
 * class InvalidGrant extends Data.TaggedError("InvalidGrant") {}
 *
 * declare const tokens: {
 *   readonly get: (user: string) => Effect.Effect<Redacted.Redacted, Error>
 *   readonly set: (user: string, token: Redacted.Redacted) => Effect.Effect<void, Error>
 * }
 * declare const exchange: (token: Redacted.Redacted) => Effect.Effect<Tokens.Refreshed, InvalidGrant>
 *
 * const credentialsOf = Tokens.perTenant((user: string) =>
 *   Tokens.refreshing({
 *     store: { get: tokens.get(user), set: (token) => tokens.set(user, token) },
 *     refresh: exchange,
 *     isRefused: (error) => error._tag === "InvalidGrant"
 *   })
 * )
 * ```
 * @since 3.1.0
 * @category constructors
 */
export const refreshing = <E, E2>(options: {
  /** Where the refresh token is kept. */
  readonly store: Store<E>
  /** Exchanges a refresh token for a token, and for the next refresh token if the server rotates it. */
  readonly refresh: (
    refreshToken: Redacted.Redacted<string>
  ) => Effect.Effect<Refreshed, E2> | PromiseLike<Refreshed>
  /** Whether an error of `refresh` means that the server will never take this refresh token again (never). */
  readonly isRefused?: ((error: E2) => boolean) | undefined
  /** Fetch a new token in the background when less than this remains of its lifetime (1 minute). */
  readonly refreshAhead?: Duration.DurationInput | undefined
  /** The longest time to wait for a refresh (2 minutes). The refresh itself continues. */
  readonly timeout?: Duration.DurationInput | undefined
  /** How to send the token ({@link bearer}). */
  readonly as?: ((token: Redacted.Redacted<string>) => Credentials) | undefined
}): Credentials => {
  const { isRefused = () => false, refresh, store, ...rest } = options
  if (typeof refresh !== "function") return broken(`refresh must be a function, and is ${kindOf(refresh)}`)
  if (!(Effect.isEffect(store?.get) || typeof store?.get === "function") || typeof store.set !== "function")
    return broken("store must have `get`, an Effect or a function, and the function `set`")
  const { fetch, secrets } = rotation<Refreshed>({
    store: stored(store),
    refresh: (token) => ofProgram<Refreshed>(() => refresh(token)),
    isRefused
  })
  return kept({ ...rest, fetch }, secrets)
}
