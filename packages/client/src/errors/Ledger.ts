/** The ledger of a call: one line for each attempt. */
import * as Duration from "effect/Duration"
import type * as ApiError from "./ApiError.js"

/** The lines of a call that is running. `omitted` counts the lines that were dropped from the middle. */
export interface Ledger {
  attempts: Array<ApiError.Attempt>
  omitted: number
}

/** A resumed stream may run for days, so the ledger is bounded. */
const maxAttempts = 100

/** Adds a line. A full ledger keeps its first lines and its last. */
export const record = (ledger: Ledger, line: ApiError.Attempt): void => {
  const { attempts } = ledger
  attempts.push(line)
  if (attempts.length > maxAttempts) {
    attempts.splice(maxAttempts / 2, 1)
    ledger.omitted++
  }
}

/** How many attempts have ended. */
export const tries = ({ attempts, omitted }: Readonly<Ledger>): number => attempts.length + omitted

/**
 * One line: `startedAt` by the wall clock, `duration` by the monotonic clock, both and the delay before the next attempt in
 * milliseconds.
 */
export const line = (
  startedAt: number,
  duration: number,
  tag: string | undefined,
  status: number | undefined,
  delay?: number
): ApiError.Attempt => ({
  startedAt,
  duration: Duration.millis(duration),
  tag,
  status,
  delay: delay === undefined ? undefined : Duration.millis(delay)
})
