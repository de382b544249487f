/**
 * How a client proves who it is: a header with a secret in it, resolved anew for every attempt.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as ApiError from "./ApiError.js"
import * as Headers from "./internal/headers.js"
import { singleFlight } from "./internal/singleFlight.js"
import * as Redaction from "./Redaction.js"

/**
 * Type id of {@link Credentials}.
 *
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/Credentials")

/**
 * The headers that one attempt carries, by lower-case name, and what must never be shown.
 *
 * @since 0.1.0
 * @category models
 */
export interface Resolved {
  readonly headers: Readonly<Record<string, string>>
  readonly secrets: ReadonlyArray<string>
}

/**
 * What resolving can fail with. `retryable` says whether asking again may help, `retryAfter` when at the earliest.
 *
 * @since 0.1.0
 * @category models
 */
export interface Failure {
  readonly reason: string
  readonly retryable: boolean
  readonly retryAfter?: Duration.Duration | undefined
}

/**
 * Credentials at work in one client: `resolve` is asked before every attempt; `invalidate`, where the credentials can be
 * refreshed, drops what a 401 has refused.
 *
 * @since 0.1.0
 * @category models
 */
export interface Resolver {
  readonly resolve: Effect.Effect<Resolved, Failure>
  readonly invalidate: ((refused: Resolved) => boolean) | undefined
}

/**
 * A description of credentials. Each client makes its own {@link Resolver} from it, so a description may be shared.
 *
 * @since 0.1.0
 * @category models
 */
export interface Credentials {
  readonly [TypeId]: typeof TypeId
  readonly make: () => Resolver
}

/**
 * A token with its life time. Without one it is kept until the server refuses it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Token {
  readonly token: Redacted.Redacted<string>
  readonly expiresIn?: Duration.DurationInput | undefined
}

const fromResolver = (make: () => Resolver): Credentials => ({ [TypeId]: TypeId, make })

const fixed = (resolve: Either.Either<Resolved, Failure>): Credentials => {
  const resolver: Resolver = { resolve, invalidate: undefined }
  return fromResolver(() => resolver)
}

const empty: Resolved = { headers: {}, secrets: [] }

/**
 * No credentials.
 *
 * @since 0.1.0
 * @category constructors
 */
export const none: Credentials = /*#__PURE__*/ fixed(/*#__PURE__*/ Either.right(empty))

/**
 * A header that holds the secret as it is, such as `x-api-key`. A blank secret counts as none.
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
export const header = (name: string, value: Redacted.Redacted<string>): Credentials =>
  fixed(headerOf(name, value))

const headerOf = (
  name: string,
  value: Redacted.Redacted<string>,
  prefix = ""
): Either.Either<Resolved, Failure> => {
  const secret = Redacted.value(value).trim()
  if (secret === "") return Either.right(empty)
  // Checked here, as transports would tell of it like of a connection that failed, and be asked again.
  return Either.mapBoth(Headers.compile({ [name]: prefix + secret }, "credentials"), {
    onLeft: ({ field, reason }) => ({ reason: `${field} ${reason}`, retryable: false }),
    onRight: (headers) => ({ headers: Headers.finish(headers), secrets: [secret] })
  })
}

/**
 * `authorization: Bearer <token>` (RFC 6750). A blank token counts as none.
 *
 * @since 0.1.0
 * @category constructors
 */
export const bearer = (token: Redacted.Redacted<string>): Credentials =>
  fixed(headerOf("authorization", token, "Bearer "))

/**
 * `authorization: Basic <user:password>` (RFC 7617), in UTF-8.
 *
 * @since 0.1.0
 * @category constructors
 */
export const basic = (user: string, password: Redacted.Redacted<string>): Credentials => {
  const bytes = new TextEncoder().encode(`${user}:${Redacted.value(password)}`)
  const encoded = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
  return fixed(
    Either.right({
      headers: { authorization: `Basic ${encoded}` },
      secrets: [encoded, Redacted.value(password)]
    })
  )
}

/**
 * Credentials from an effect that runs before every attempt: a token that something else keeps fresh. A bare `Redacted`
 * is sent as a bearer token. A failure of the effect ends the call with a `CredentialsError`.
 *
 * @example
 * ```ts
 * import { Credentials } from "@effect-api/client"
 * import { Effect, Redacted } from "effect"
 *
 * const credentials = Credentials.effect(
 *   Effect.sync(() => Credentials.header("x-api-key", Redacted.make("from a vault")))
 * )
 * ```
 * @since 0.1.0
 * @category constructors
 */
export const effect = <E>(effect: Effect.Effect<Redacted.Redacted<string> | Credentials, E>): Credentials =>
  fromResolver(() => {
    let last = empty
    return {
      resolve: effect.pipe(
        Effect.mapError((error) => discreet(failure(error), last)),
        Effect.flatMap((value) => (Redacted.isRedacted(value) ? bearer(value) : value).make().resolve),
        Effect.tap((resolved) => void (last = resolved))
      ),
      invalidate: undefined
    }
  })

/**
 * A token that is fetched once for all callers and kept. It is fetched anew in the background when less than
 * `refreshAhead` (default 60 seconds) of its life is left, and at once after a 401, which is then replayed one time.
 * `as` says how it is sent (default {@link bearer}). Callers that wait for the same fetch share its outcome; when the last
 * of them is interrupted, so is the fetch.
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
  readonly fetch: Effect.Effect<Redacted.Redacted<string> | Token, E>
  readonly refreshAhead?: Duration.DurationInput | undefined
  readonly as?: ((token: Redacted.Redacted<string>) => Credentials) | undefined
}): Credentials =>
  fromResolver(() => {
    const refreshAhead = Duration.toMillis(options.refreshAhead ?? "60 seconds")
    const as = options.as ?? bearer
    let current:
      | { readonly resolved: Resolved; readonly refreshAt: number; readonly expiresAt: number }
      | undefined
    let last = empty
    const issued = new WeakSet<Resolved>()
    const shared = singleFlight(
      Effect.gen(function* () {
        const fetched = yield* Effect.mapError(options.fetch, (error) => discreet(failure(error), last))
        const { token, expiresIn } = Redacted.isRedacted(fetched)
          ? { token: fetched, expiresIn: undefined }
          : fetched
        const resolved = yield* as(token).make().resolve
        const lifetime = Duration.toMillis(expiresIn ?? Duration.infinity)
        const expiresAt = (yield* Clock.currentTimeMillis) + lifetime
        issued.add(resolved)
        last = resolved
        // A life shorter than the head start is used to its half: else every attempt would fetch.
        current = { resolved, expiresAt, refreshAt: expiresAt - Math.min(refreshAhead, lifetime / 2) }
        return resolved
      })
    )
    return {
      resolve: Effect.flatMap(Clock.currentTimeMillis, (now) => {
        if (current === undefined || now >= current.expiresAt) return shared.join
        const { resolved, refreshAt } = current
        return now < refreshAt ? Effect.succeed(resolved) : Effect.as(shared.start, resolved)
      }),
      invalidate: (refused) => {
        // Only what was refused is dropped: a late 401 must not throw away the fresh token another call has fetched.
        if (current?.resolved === refused) current = undefined
        return issued.has(refused)
      }
    }
  })

/**
 * The first of several that has something to send: one that is blank or fails is passed over. Fails only where at least
 * one failed and none had anything.
 *
 * @since 0.1.0
 * @category constructors
 */
export const firstOf = (candidates: ReadonlyArray<Credentials>): Credentials =>
  fromResolver(() => {
    const resolvers = candidates.map((candidate) => candidate.make())
    const from = (index: number, failed: Failure | undefined): Effect.Effect<Resolved, Failure> => {
      const resolver = resolvers[index]
      if (resolver === undefined) return failed === undefined ? Effect.succeed(empty) : Effect.fail(failed)
      return Effect.matchEffect(resolver.resolve, {
        onSuccess: (resolved) => (resolved === empty ? from(index + 1, failed) : Effect.succeed(resolved)),
        onFailure: (failure) => from(index + 1, failed === undefined ? failure : both(failed, failure))
      })
    }
    const refreshable = resolvers.filter((resolver) => resolver.invalidate !== undefined)
    return {
      resolve: from(0, undefined),
      invalidate:
        refreshable.length === 0
          ? undefined
          : (refused) => refreshable.map((resolver) => resolver.invalidate?.(refused)).includes(true)
    }
  })

const both = (first: Failure, second: Failure): Failure => ({
  reason: `${first.reason}; ${second.reason}`,
  retryable: first.retryable || second.retryable
})

const failure = (error: unknown): Failure => {
  const told = error as { readonly message?: unknown; readonly _tag?: unknown } | undefined
  return {
    reason: String([error, told?.message, told?._tag].find(isWord) ?? "the effect failed"),
    retryable: ApiError.isApiError(error) && ApiError.isRetryable(error),
    retryAfter: ApiError.isApiError(error) && "retryAfter" in error ? error.retryAfter : undefined
  }
}

const isWord = (said: unknown): boolean => typeof said === "string" && said !== ""

/** What cannot be replaced is often named in the failure, and no longer known as a secret of the call that fails. */
const discreet = (failure: Failure, last: Resolved): Failure => ({
  ...failure,
  reason: Redaction.make({ secrets: last.secrets }).text(failure.reason)
})
