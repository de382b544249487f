/** Why there are no credentials, as data: what a program's own effects fail with may be anything. */
import type * as Duration from "effect/Duration"

/** Why there is no token, whether asking again may help, and when at the earliest. */
export interface NoToken {
  readonly reason: string
  readonly retryable: boolean
  readonly retryAfter?: Duration.Duration | undefined
  /** What the program's own effect failed with, where that is more than a word. */
  readonly cause?: unknown
}

/** What asking again will not change. */
export const hopeless = (reason: string): NoToken => ({ reason, retryable: false })
