/**
 * Credentials: a header with a secret in it, resolved anew for every attempt.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Sync from "../effect/sync.js"
import { kindOf, secretText } from "../secrets/secretText.js"
import { toMillis } from "../shared/duration.js"
import * as Result from "../shared/result.js"
import { refuseUnknown } from "../shared/settings.js"
import * as Headers from "../wire/headers.js"
import { hopeless } from "./noToken.js"
import { refusable, refuse } from "./refusable.js"
import {
  broken,
  type Credentials,
  checked,
  empty,
  type Failure,
  failedWith,
  fixed,
  fromResolver,
  isCredentials,
  ofProgram,
  type Resolved
} from "./resolver.js"
import { makeBackground } from "./singleFlight.js"
import { tokenCache } from "./tokenCache.js"
import type { Token } from "./tokenResponse.js"

export {
  type Credentials,
  type Failure,
  type Resolved,
  type Resolver,
  TypeId
} from "./resolver.js"
export type { Token } from "./tokenResponse.js"

/**
 * A text that no error, log or span shows: a `Redacted`. Options take it wherever they take a secret, and so do the
 * bodies, the queries and the headers of requests.
 *
 * @since 3.2.0
 * @category models
 */
export type Secret = Redacted.Redacted<string>

/**
 * Marks a text as secret, such as the client secret in a form.
 *
 * @example
 * ```ts
 * import { ApiRequest, Credentials } from "@effect-api/client"
 *
 * export const token = (clientSecret: string) =>
 *   ApiRequest.post("/token", {
 *     form: { grant_type: "client_credentials", client_secret: Credentials.secret(clientSecret) }
 *   })
 * ```
 * @since 3.2.0
 * @category secrets
 */
export const secret = (text: string): Secret => Redacted.make(text)

/** The text of a secret, to store it or to pass it on. @since 3.2.0 @category secrets */
export const reveal = (secret: Secret): string => Redacted.value(secret)

/**
 * No credentials.
 *
 * @since 0.1.0
 * @category constructors
 */
export const none: Credentials = /*#__PURE__*/ fixed(/*#__PURE__*/ Result.succeed(empty))

/**
 * A header whose value is the secret, such as `x-api-key`. A blank secret counts as none. A plain string is hidden as a
 * `Redacted` is.
 *
 * @example
 * ```ts
 * import { Credentials } from "@effect-api/client"
 * import { Redacted } from "effect"
 *
 * const credentials = Credentials.header("x-api-key", Redacted.make("secret"))
 * ```
 * @since 0.1.0
 * @category constructors
 */
export const header = (name: string, value: string | Redacted.Redacted<string>): Credentials =>
  typeof name === "string"
    ? fixed(headerOf(name, secretText("the value of the header", value)))
    : broken(`the header's name must be a string, and is ${kindOf(name)}`)

const headerOf = (
  name: string,
  value: Result.Result<string, string>,
  prefix = ""
): Result.Result<Resolved, Failure> => {
  if (!value.ok) return Result.fail(hopeless(value.error))
  const secret = value.value.trim()
  if (secret === "") return Result.succeed(empty)
  // Checked here, because transports would report it as a failed connection, and the call would be retried.
  const headers = Headers.compile({ [name]: prefix + secret }, "credentials")
  return headers.ok
    ? Result.succeed({ headers: Headers.finish(headers.value), secrets: [secret] })
    : Result.fail(hopeless(`${headers.error.field} ${headers.error.reason}`))
}

/**
 * `authorization: Bearer <token>` (RFC 6750). A blank token counts as none.
 *
 * @since 0.1.0
 * @category constructors
 */
export const bearer = (token: string | Redacted.Redacted<string>): Credentials =>
  fixed(headerOf("authorization", secretText("the bearer token", token), "Bearer "))

/**
 * `authorization: Basic <user:password>` (RFC 7617), in UTF-8.
 *
 * @since 0.1.0
 * @category constructors
 */
export const basic = (user: string, password: string | Redacted.Redacted<string>): Credentials => {
  const name = secretText("the user", user)
  if (!name.ok) return broken(name.error)
  // Everything after the first colon is the password (RFC 7617, section 2).
  if (name.value.includes(":")) return broken("the user must not contain a colon")
  const secret = secretText("the password", password)
  if (!secret.ok) return broken(secret.error)
  const bytes = new TextEncoder().encode(`${name.value}:${secret.value}`)
  const encoded = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
  return fixed(
    Result.succeed({ headers: { authorization: `Basic ${encoded}` }, secrets: [encoded, secret.value] })
  )
}

/**
 * Credentials from an effect that runs before every attempt, for a token that other code keeps fresh. A bare
 * `Redacted` is sent as a bearer token. If the effect fails, the call fails with a `CredentialsError` that has the
 * failure as its `cause`.
 *
 * After a 401 `invalidate` runs with what the effect had given, and the call is replayed once with what it gives then.
 * Calls that sent the same share one run. If it fails, the client logs that, and the call fails with the 401.
 *
 * @example
 * ```ts
 * import { Credentials } from "@effect-api/client"
 * import { Effect, Redacted, Ref } from "effect"
 *
 * declare const token: Ref.Ref<Redacted.Redacted>
 * declare const login: Effect.Effect<Redacted.Redacted, Error>
 *
 * const credentials = Credentials.effect(Ref.get(token), {
 *   invalidate: () => Effect.flatMap(login, (fresh) => Ref.set(token, fresh))
 * })
 * ```
 * @since 0.1.0
 * @category constructors
 */
export const effect = <
  E,
  A extends string | Redacted.Redacted<string> | Credentials = Redacted.Redacted<string> | Credentials,
  E2 = never
>(
  effect: Effect.Effect<A, E>,
  options: {
    /** Runs after a 401, before the call is replayed: an effect, or a function of what was refused. */
    readonly invalidate?:
      | Effect.Effect<unknown, E2>
      | ((refused: A) => Effect.Effect<unknown, E2>)
      | undefined
  } = {}
): Credentials => {
  refuseUnknown("credentials", options, ["invalidate"])
  const { invalidate } = options
  if (!Effect.isEffect(effect))
    return broken(`what gives credentials must be an Effect, and is ${kindOf(effect)}`)
  if (invalidate !== undefined && !Effect.isEffect(invalidate) && typeof invalidate !== "function")
    return broken(`invalidate must be an Effect or a function, and is ${kindOf(invalidate)}`)
  return fromResolver((background) =>
    refusable<A, E>({
      give: effect,
      toCredentials,
      invalidate: Effect.isEffect(invalidate) ? () => invalidate : invalidate,
      background
    })
  )
}

/**
 * Credentials from a function, which may be async. It runs before every attempt, for a token that other code keeps fresh.
 * A string or a `Redacted` is sent as a bearer token. If the function fails, the call fails with a `CredentialsError`
 * that has the failure as its `cause`. `signal` aborts when the call ends first. For a token that nobody else keeps, use
 * {@link cached}.
 *
 * After a 401 `invalidate` runs with what the function had given, and the call is replayed once: see {@link effect}.
 *
 * @example
 * ```ts
 * import { Credentials } from "@effect-api/client"
 *
 * declare const session: {
 *   readonly token: () => Promise<string>
 *   readonly renew: () => Promise<void>
 * }
 *
 * const credentials = Credentials.from(() => session.token(), { invalidate: () => session.renew() })
 * ```
 * @since 3.2.0
 * @category constructors
 */
export const from = <A extends string | Redacted.Redacted<string> | Credentials>(
  give: (signal: AbortSignal) => A | PromiseLike<A>,
  options: {
    /** Runs after a 401, before the call is replayed. May be async. */
    readonly invalidate?: ((refused: A) => unknown) | undefined
  } = {}
): Credentials => {
  refuseUnknown("credentials", options, ["invalidate"])
  const { invalidate } = options
  if (typeof give !== "function")
    return broken(`what gives credentials must be a function, and is ${kindOf(give)}`)
  if (invalidate !== undefined && typeof invalidate !== "function")
    return broken(`invalidate must be a function, and is ${kindOf(invalidate)}`)
  return fromResolver((background) =>
    refusable<A, unknown>({ give: ofProgram(give), toCredentials, invalidate, background })
  )
}

const toCredentials = (value: string | Redacted.Redacted<string> | Credentials): Credentials =>
  isCredentials(value) ? value : bearer(value)

/**
 * A token that is fetched once for all callers and kept. After a 401 it is fetched again at once, and the call is
 * replayed once.
 *
 * - A fetch serves all callers: no caller ends it by leaving, so that a rotated refresh token is not lost. It ends by
 *   itself, by `timeout`, or when the client is released. Two never run at once, unless one cannot be interrupted at its
 *   `timeout`.
 * - Callers that wait for a fetch share its failure. The next call fetches again, but not before a `retryAfter` (at most
 *   one minute).
 * - A background renewal that fails is logged once and retried after 5 seconds or its `retryAfter`. The token that it
 *   would replace serves until it expires.
 *
 * @example
 * ```ts
 * import { Credentials } from "@effect-api/client"
 * import { Effect, Redacted } from "effect"
 *
 * const credentials = Credentials.cached({
 *   fetch: Effect.succeed({ token: Redacted.make("short-lived"), expiresIn: "1 hour" }),
 *   refreshAhead: "2 minutes"
 * })
 * ```
 * @since 0.1.0
 * @category constructors
 */
export const cached = <E>(options: {
  /**
   * Fetches a token: an effect, or a function that may be async, whose signal aborts at the `timeout`. It runs outside
   * the call that triggers it: with a trace of its own, and one attempt per request.
   */
  readonly fetch:
    | Effect.Effect<string | Redacted.Redacted<string> | Token, E>
    | ((signal: AbortSignal) => PromiseLike<string | Redacted.Redacted<string> | Token>)
  /** Fetch a new token in the background when less than this remains of its lifetime (1 minute). */
  readonly refreshAhead?: Duration.DurationInput | undefined
  /** The longest time for a fetch (2 minutes). It is then interrupted, and all callers that wait for it fail. */
  readonly timeout?: Duration.DurationInput | undefined
  /** How to send the token ({@link bearer}). */
  readonly as?: ((token: Redacted.Redacted<string>) => Credentials) | undefined
}): Credentials => kept(options)

/**
 * {@link cached}, with more secrets to hide from the reason of a failure.
 *
 * @internal
 */
export const kept = <E>(
  options: Parameters<typeof cached<E>>[0],
  secrets: () => ReadonlyArray<string> = noSecrets
): Credentials => {
  refuseUnknown("credentials", options, ["fetch", "refreshAhead", "timeout", "as"])
  const { as = bearer, fetch, refreshAhead = "1 minute", timeout = "2 minutes" } = options
  if (!Effect.isEffect(fetch) && typeof fetch !== "function")
    return broken(`fetch must be an Effect or a function, and is ${kindOf(fetch)}`)
  const given: Effect.Effect<unknown, unknown> = Effect.isEffect(fetch) ? fetch : ofProgram<unknown>(fetch)
  const fetching = Effect.flatMap(given, (got) => ofProgram(() => tokenOf(got)))
  const aheadMillis = toMillis(refreshAhead)
  if (!(aheadMillis >= 0)) return broken("refreshAhead must be a duration that is not negative")
  const limitMillis = toMillis(timeout)
  if (!(limitMillis > 0)) return broken("timeout must be a duration above zero")
  return fromResolver((background = makeBackground()) => {
    let last = empty
    const fetched = Effect.gen(function* () {
      const { expiresIn, token } = yield* Effect.mapError(fetching, (error) =>
        failedWith(error, [...last.secrets, ...secrets()])
      )
      const secret = secretText("the fetched token", token)
      if (!secret.ok) return yield* Effect.fail(hopeless(secret.error))
      last = yield* sentAs(as, Redacted.make(secret.value)).make(background).resolve
      return { sent: last, expiresIn }
    })
    return tokenCache<Resolved, Failure>({ fetch: fetched, aheadMillis, limitMillis, background })
  })
}

const noSecrets = (): ReadonlyArray<string> => []

/** A copy of what a fetch has given: its getters may throw, and run once. */
const tokenOf = (got: unknown): { readonly token: unknown; readonly expiresIn: unknown } =>
  isToken(got) ? { token: got.token, expiresIn: got.expiresIn } : { token: got, expiresIn: undefined }

const isToken = (value: unknown): value is { readonly token: unknown; readonly expiresIn?: unknown } =>
  !Redacted.isRedacted(value) && Predicate.hasProperty(value, "token")

/** A function of the program: it may throw, or return something else. */
const sentAs = (
  as: (token: Redacted.Redacted<string>) => Credentials,
  token: Redacted.Redacted<string>
): Credentials => {
  try {
    return checked("what `as` returns", as(token))
  } catch (error) {
    return fixed(Result.fail(failedWith(error, [Redacted.value(token)])))
  }
}

/**
 * The first of several candidates that has something to send; blank and failing ones are skipped. Fails only if at
 * least one failed and none had anything.
 *
 * @since 0.1.0
 * @category constructors
 */
export const firstOf = (candidates: ReadonlyArray<Credentials>): Credentials => {
  if (!Array.isArray(candidates)) return broken(`candidates must be a list, and is ${kindOf(candidates)}`)
  return fromResolver((background) => {
    const resolvers = candidates.map((given, index) => checked(`candidate ${index}`, given).make(background))
    const from = (index: number, failed: Failure | undefined): Effect.Effect<Resolved, Failure> => {
      const resolver = resolvers[index]
      if (resolver === undefined) return failed === undefined ? Exit.succeed(empty) : Exit.fail(failed)
      const { resolve } = resolver
      const onSuccess = (resolved: Resolved): Effect.Effect<Resolved, Failure> =>
        resolved === empty ? from(index + 1, failed) : Exit.succeed(resolved)
      const onFailure = (failure: Failure): Effect.Effect<Resolved, Failure> =>
        from(index + 1, failed === undefined ? failure : both(failed, failure))
      return Sync.isSync(resolve)
        ? Sync.match(resolve, onFailure, onSuccess)
        : Effect.matchEffect(resolve, { onFailure, onSuccess })
    }
    const refreshable = resolvers.filter((resolver) => resolver.invalidate !== undefined)
    return {
      resolve: from(0, undefined),
      invalidate:
        refreshable.length === 0
          ? undefined
          : (refused) =>
              Effect.map(
                Effect.forEach(refreshable, (resolver) => refuse(resolver, refused)),
                (dropped) => dropped.includes(true)
              )
    }
  })
}

const both = (first: Failure, second: Failure): Failure => ({
  ...second,
  ...first,
  reason: `${first.reason}; ${second.reason}`,
  retryable: first.retryable || second.retryable,
  retryAfter: first.retryAfter ?? second.retryAfter
})
