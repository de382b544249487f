/** How long a token serves. Times are in milliseconds, of a clock that goes forward only. */
import { toMillis } from "../shared/duration.js"

/** When a token ends, and when it is time to fetch the next one in the background. */
export interface TokenLife {
  readonly refreshAt: number
  readonly expiresAt: number
}

/**
 * The life of a token that was fetched just now. What is no duration says nothing about its end, so the token is kept until
 * the server refuses it; one that has no life left serves those who waited for it.
 */
export const tokenLife = (expiresIn: unknown, refreshAheadMillis: number, now: number): TokenLife => {
  const millis = expiresIn === undefined || expiresIn === null ? Number.NaN : toMillis(expiresIn)
  const life = Number.isNaN(millis) ? Number.POSITIVE_INFINITY : Math.max(0, millis)
  if (life === Number.POSITIVE_INFINITY) return { refreshAt: life, expiresAt: life }
  const expiresAt = now + life
  // A life shorter than the head start is used to its half: else every attempt would fetch.
  return { expiresAt, refreshAt: expiresAt - Math.min(refreshAheadMillis, life / 2) }
}

/** A renewal in the background that failed is tried again after this long, if its server does not say when. */
const pauseMillis = 5_000

/** A hint of the token's server is honoured up to this long: a client is not to be out of order for days. */
const maxPauseMillis = 60_000

/** How long nobody asks for a token again after a failure in the background. */
export const pauseAfter = (hintMillis: number | undefined): number => askedPause(hintMillis) || pauseMillis

/** How long nobody asks for a token again at all, because its server has said so; zero if it has not. */
export const askedPause = (hintMillis: number | undefined): number =>
  hintMillis !== undefined && hintMillis > 0 ? Math.min(hintMillis, maxPauseMillis) : 0

/** One that begins in the last moments of a token is not cut off at once: the server may have issued the next. */
const minRenewalMillis = 1_000

/** How long a renewal may take in the background: when the token ends, callers need one, and join no fetch that hangs. */
export const renewalLimit = (limitMillis: number, { expiresAt }: TokenLife, now: number): number =>
  Math.min(limitMillis, Math.max(expiresAt - now, minRenewalMillis))
