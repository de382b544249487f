/** Why there is no token, as data: the program's own effects may fail with anything. */
import type * as Duration from "effect/Duration"

/** Why there is no token, whether a retry may help, and when at the earliest. */
export interface NoToken {
  readonly reason: string
  readonly retryable: boolean
  readonly retryAfter?: Duration.Duration | undefined
  /** The failure of the program's own effect, if it is more than a text. */
  readonly cause?: unknown
}

/** A failure that a retry will not change. */
export const hopeless = (reason: string): NoToken => ({ reason, retryable: false })
