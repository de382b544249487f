/** A token that is fetched once for all callers, kept for its life, and renewed in the background ahead of its end. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Monotonic from "../shared/monotonic.js"
import { hopeless, type NoToken } from "./noToken.js"
import * as SingleFlight from "./singleFlight.js"
import * as TokenLife from "./tokenLife.js"

/** A token in the form in which it is sent, and its life as its server tells it. */
export interface Fetched<out A> {
  readonly sent: A
  readonly expiresIn: unknown
}

/** The token of one client. */
export interface TokenCache<in out A, out E> {
  readonly resolve: Effect.Effect<A, E | NoToken>
  /** Drops what the server has refused, and says whether it came from here. */
  readonly invalidate: (refused: A) => boolean
}

/** The token of one client, not fetched yet. */
export const tokenCache = <A extends object, E extends NoToken>(options: {
  readonly fetch: Effect.Effect<Fetched<A>, E>
  readonly aheadMillis: number
  readonly limitMillis: number
  readonly background: SingleFlight.Background
}): TokenCache<A, E> => {
  const { aheadMillis, background, fetch, limitMillis } = options
  let current: (TokenLife.TokenLife & { readonly sent: A }) | undefined
  /** The token's server has said that nobody is to ask it before then. */
  let held: { readonly failure: E | NoToken; readonly until: number } | undefined
  /** When a renewal that failed may be tried again. */
  let pausedUntil = Number.NEGATIVE_INFINITY
  /** A renewal that fails again and again is logged once. */
  let isLogged = false
  /** What is on its way began ahead of the token's end, with the little time that this leaves. */
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

  /** A renewal that hangs is left behind: whoever needs a token then has one fetched, with all the time there is for it. */
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
    invalidate: (refused) => {
      // Only what was refused is dropped: a late 401 must not throw away the fresh token another call has fetched.
      if (current?.sent === refused) current = undefined
      return issued.has(refused)
    }
  }
}

const died = hopeless("the effect died")

const late: NoToken = { reason: "the token's fetch took too long", retryable: true }

/** By the release of the client, as a rule, of which nobody needs to hear. */
const interrupted = hopeless("the token's fetch was interrupted")
