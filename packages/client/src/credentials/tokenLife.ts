/** The lifetime of a token. Times are milliseconds of a monotonic clock. */
import { toMillis } from "../shared/duration.js"

/** When a token expires, and when to fetch the next one in the background. */
export interface TokenLife {
  readonly refreshAt: number
  readonly expiresAt: number
}

/**
 * The lifetime of a token that was just fetched. Without a valid duration the token is kept until the server refuses
 * it; a token without any lifetime left serves the callers that waited for it.
 */
export const tokenLife = (expiresIn: unknown, refreshAheadMillis: number, now: number): TokenLife => {
  const millis = expiresIn === undefined || expiresIn === null ? Number.NaN : toMillis(expiresIn)
  const life = Number.isNaN(millis) ? Number.POSITIVE_INFINITY : Math.max(0, millis)
  if (life === Number.POSITIVE_INFINITY) return { refreshAt: life, expiresAt: life }
  const expiresAt = now + life
  // A lifetime shorter than the head start is used for its first half: otherwise every attempt would fetch.
  return { expiresAt, refreshAt: expiresAt - Math.min(refreshAheadMillis, life / 2) }
}

/** The pause after a failed background renewal, if its server gives none. */
const pauseMillis = 5_000

/** The longest pause to honour: a hint must not disable a client for days. */
const maxPauseMillis = 60_000

/** The pause after a failure in the background. */
export const pauseAfter = (hintMillis: number | undefined): number => askedPause(hintMillis) || pauseMillis

/** The pause that the token's server asked for, during which no caller fetches; zero if it asked for none. */
export const askedPause = (hintMillis: number | undefined): number =>
  hintMillis !== undefined && hintMillis > 0 ? Math.min(hintMillis, maxPauseMillis) : 0

/** A renewal in a token's last moments is not cut off at once: the server may have issued the next token. */
const minRenewalMillis = 1_000

/**
 * The limit of a background renewal: once the token expires, callers need one and must not join a fetch that hangs.
 */
export const renewalLimit = (limitMillis: number, { expiresAt }: TokenLife, now: number): number =>
  Math.min(limitMillis, Math.max(expiresAt - now, minRenewalMillis))
