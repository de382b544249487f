/** What credentials are made of, and how their failures read. */

import type * as HttpBody from "@effect/platform/HttpBody"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Function from "effect/Function"
import * as Predicate from "effect/Predicate"
import { waiting } from "../effect/ofProgram.js"
import * as Sync from "../effect/sync.js"
import { rejectionOf } from "../effect/typeIds.js"
import * as ApiError from "../errors/ApiError.js"
import { ownCause } from "../errors/ownCause.js"
import * as Redaction from "../secrets/Redaction.js"
import { kindOf } from "../secrets/secretText.js"
import * as Result from "../shared/result.js"
import { hopeless, type NoToken } from "./noToken.js"
import type { Background } from "./singleFlight.js"

/** Type id of {@link Credentials}. @since 0.1.0 @category type ids */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/Credentials")

/**
 * The headers of one attempt, by lower-case name, and the values that must never be shown.
 *
 * @since 0.1.0
 * @category models
 */
export interface Resolved {
  readonly headers: Readonly<Record<string, string>>
  readonly secrets: ReadonlyArray<string>
  /** Makes more headers for each request that carries these credentials: see `Signing.credentials`. */
  readonly sign?: Sign | undefined
}

/**
 * Signs a request, unless its origin is not trusted. It carries its own code, so that programs without signatures do
 * not bundle it.
 *
 * @since 3.1.0
 * @category models
 */
export type Sign = <R extends Unsigned>(
  request: R,
  isTrusted: (origin: string) => boolean
) => Effect.Effect<Signed<R>, Failure>

/** The parts of a request that a signature covers. @since 3.1.0 @category models */
export interface Unsigned {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: HttpBody.HttpBody
}

/** The signed request, and the secrets of its signature. @since 3.1.0 @category models */
export interface Signed<out R> {
  readonly request: R
  readonly secrets: ReadonlyArray<string>
}

/**
 * A request as it is about to be sent, for its signature.
 *
 * @since 3.1.0
 * @category models
 */
export interface SigningRequest {
  readonly method: string
  /** The complete URL, with its query and without a fragment. */
  readonly url: string
  /**
   * By lower-case name. Without those that a transport adds for the connection, such as `host`: its value is the
   * URL's.
   */
  readonly headers: Readonly<Record<string, string>>
  /** The bytes of the body, none if it has no body; `undefined` for a body that is produced while it is sent. */
  readonly body: Uint8Array | undefined
}

/** Why credentials could not be resolved, and whether and when a retry may help. @since 0.1.0 @category models */
export interface Failure extends NoToken {}

/**
 * Credentials in use by one client. The client calls `resolve` before every attempt. If the credentials can be
 * refreshed, `invalidate` drops those that a 401 refused; it is true if better ones may follow.
 *
 * @since 0.1.0
 * @category models
 */
export interface Resolver {
  readonly resolve: Effect.Effect<Resolved, Failure>
  /** What `resolve` would give at once: a token that needs no renewal yet. */
  readonly ready?: ((clock: Clock.Clock) => Resolved | undefined) | undefined
  readonly invalidate: ((refused: Resolved) => boolean | Effect.Effect<boolean>) | undefined
}

/**
 * The credentials that need no effect to run.
 *
 * @internal
 */
export const ready = ({ ready, resolve }: Resolver, clock: Clock.Clock): Resolved | undefined =>
  Sync.isSync(resolve) ? Sync.match(resolve, Function.constUndefined, Function.identity) : ready?.(clock)

/**
 * A description of credentials. Each client makes its own {@link Resolver} from it, so a description may be shared.
 * `background` holds a client's background fibers, which are interrupted when the client is released.
 *
 * @since 0.1.0
 * @category models
 */
export interface Credentials {
  readonly [TypeId]: typeof TypeId
  readonly make: (background?: Background) => Resolver
}

/**
 * Whether a value is {@link Credentials}.
 *
 * @internal
 */
export const isCredentials = (u: unknown): u is Credentials => Predicate.hasProperty(u, TypeId)

export const fromResolver = (make: Credentials["make"]): Credentials => ({ [TypeId]: TypeId, make })

export const fixed = (resolve: Result.Result<Resolved, Failure>): Credentials => {
  const resolver: Resolver = { resolve: Sync.fromResult(resolve), invalidate: undefined }
  return fromResolver(() => resolver)
}

/** Invalid credentials: every call fails with the reason. */
export const broken = (reason: string): Credentials => fixed(Result.fail(hopeless(reason)))

/** Plain JavaScript may pass anything. */
export const checked = (name: string, value: unknown): Credentials =>
  isCredentials(value) ? value : broken(`${name} must be Credentials, and is ${kindOf(value)}`)

/** Nothing to send. */
export const empty: Resolved = { headers: {}, secrets: [] }

/** The failure of the program's own code, with the secrets removed from its message. */
export const failedWith = (failure: unknown, secrets: ReadonlyArray<string>): Failure => {
  const error = rejectionOf(failure)
  const message = Predicate.hasProperty(error, "message") ? error.message : undefined
  const tag = Predicate.hasProperty(error, "_tag") ? error._tag : undefined
  const reason = String(
    [error, message, tag].find((word) => Predicate.isString(word) && word !== "") ?? "the effect failed"
  )
  const { text } = Redaction.make({ secrets })
  return {
    reason: text(reason),
    retryable: ApiError.isApiError(error) && ApiError.isRetryable(error),
    retryAfter: ApiError.isApiError(error) && "retryAfter" in error ? error.retryAfter : undefined,
    ...ownCause(error, text)
  }
}

/**
 * What a function of the program gives: an effect, a promise, or the value itself. It may throw. The signal aborts when
 * nobody waits for the promise any more.
 */
export const ofProgram = <A>(
  run: (signal: AbortSignal) => Effect.Effect<A, unknown> | PromiseLike<A> | A
): Effect.Effect<A, unknown> =>
  Effect.suspend((): Effect.Effect<A, unknown> => {
    const ending = new AbortController()
    try {
      const given = run(ending.signal)
      if (Effect.isEffect(given)) return given
      if (!Predicate.isPromiseLike(given)) return Effect.succeed(given)
      return Effect.onInterrupt(waiting(given), () => Effect.sync(() => ending.abort()))
    } catch (error) {
      return Effect.fail(error)
    }
  })
