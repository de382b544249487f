/**
 * A token that is fetched once for all callers, kept for its lifetime, and renewed in the background before it
 * expires.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Monotonic from "../effect/monotonic.js"
import { hopeless, type NoToken } from "./noToken.js"
import * as SingleFlight from "./singleFlight.js"
import * as TokenLife from "./tokenLife.js"

/** A token in the form in which it is sent, with the lifetime that its server gave. */
export interface Fetched<out A> {
  readonly sent: A
  readonly expiresIn: unknown
}

/** The token of one client. */
export interface TokenCache<in out A, out E> {
  readonly resolve: Effect.Effect<A, E | NoToken>
  /** The token if it needs no renewal yet. */
  readonly ready: (clock: Clock.Clock) => A | undefined
  /** Drops the token that the server refused; returns whether it came from this cache. */
  readonly invalidate: (refused: A) => boolean
}

/** The token of one client, not yet fetched. */
export const tokenCache = <A extends object, E extends NoToken>(options: {
  readonly fetch: Effect.Effect<Fetched<A>, E>
  readonly aheadMillis: number
  readonly limitMillis: number
  readonly background: SingleFlight.Background
}): TokenCache<A, E> => {
  const { aheadMillis, background, fetch, limitMillis } = options
  let current: (TokenLife.TokenLife & { readonly sent: A }) | undefined
  /** The token's server has asked for no request before this moment. */
  let held: { readonly failure: E | NoToken; readonly until: number } | undefined
  /** When a failed renewal may be retried. */
  let pausedUntil = Number.NEGATIVE_INFINITY
  /** A renewal that keeps failing is logged once. */
  let isLogged = false
  /** The current run started before the token expired, with the short limit that this allows. */
  let isRenewal = false
  const issued = new WeakSet<A>()

  const succeeded = ({ expiresIn, sent }: Fetched<A>, now: number): A => {
    issued.add(sent)
    current = { sent, ...TokenLife.tokenLife(expiresIn, aheadMillis, now) }
    held = undefined
    pausedUntil = Number.NEGATIVE_INFINITY
    isLogged = false
    return sent
  }

  const failed = (failure: E | NoToken, now: number): Effect.Effect<void> => {
    const hint = failure.retryAfter === undefined ? 0 : Duration.toMillis(failure.retryAfter)
    const asked = TokenLife.askedPause(hint)
    if (asked > 0) held = { failure, until: now + asked }
    pausedUntil = now + TokenLife.pauseAfter(hint)
    if (current === undefined || now >= current.expiresAt || isLogged || failure === interrupted)
      return Effect.void
    isLogged = true
    return Effect.logWarning(`a token could not be renewed, the one before goes on: ${failure.reason}`)
  }

  const flight = SingleFlight.singleFlight<A, E | NoToken>({
    effect: Effect.flatMap(fetch, (fetched) =>
      Effect.map(Effect.clock, (clock) => succeeded(fetched, Monotonic.now(clock)))
    ),
    unfinished: (why) => (why === "late" ? late : interrupted),
    ended: (exit) => {
      isRenewal = false
      if (Exit.isSuccess(exit)) return Effect.void
      const failure = Option.getOrElse(Cause.failureOption(exit.cause), () => died)
      return Effect.flatMap(Effect.clock, (clock) => failed(failure, Monotonic.now(clock)))
    },
    background
  })

  const renewed = (limitMillis: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      isRenewal = true
      return flight.start(limitMillis)
    })

  /** A renewal that hangs is abandoned: a caller that needs a token starts a new fetch with the full limit. */
  const joined = Effect.suspend(() => {
    const join = flight.join(limitMillis)
    return isRenewal
      ? Effect.catchIf(
          join,
          (failure) => failure === late,
          () => join
        )
      : join
  })

  return {
    resolve: Effect.flatMap(Effect.clock, (clock) => {
      const now = Monotonic.now(clock)
      if (current === undefined || now >= current.expiresAt) {
        if (held === undefined || now >= held.until) return joined
        return Effect.fail({ ...held.failure, retryAfter: Duration.millis(held.until - now) })
      }
      const { refreshAt, sent } = current
      return now < refreshAt || now < pausedUntil
        ? Effect.succeed(sent)
        : Effect.as(renewed(TokenLife.renewalLimit(limitMillis, current, now)), sent)
    }),
    ready: (clock) =>
      current !== undefined && Monotonic.now(clock) < Math.min(current.refreshAt, current.expiresAt)
        ? current.sent
        : undefined,
    invalidate: (refused) => {
      // Drop only the refused token: a late 401 must not discard the new token that another call fetched.
      if (current?.sent === refused) current = undefined
      return issued.has(refused)
    }
  }
}

const died = hopeless("the effect died")

const late: NoToken = { reason: "the token's fetch took too long", retryable: true }

/** Usually by the release of the client, which is not worth a log line. */
const interrupted = hopeless("the token's fetch was interrupted")
