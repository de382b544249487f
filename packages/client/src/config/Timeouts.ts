/**
 * The four timeouts of a call. `Infinity` disables one.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Sync from "../effect/sync.js"
import * as Result from "../shared/result.js"
import * as Settings from "../shared/settings.js"
import { mergeTimeouts } from "./mergeTimeouts.js"

/**
 * The timeouts of a call, each a `DurationInput`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Until the request has a connection (5 s), including the wait for a free one, DNS, proxy and TLS. Enforced by
   * transports that can observe it. Retried.
   */
  readonly connect?: Duration.DurationInput | undefined
  /** From sending the request to the response's headers, per attempt (600 s). Retried. */
  readonly response?: Duration.DurationInput | undefined
  /** Between two chunks of a body (600 s). Retried as long as no part of the body has been returned. */
  readonly idle?: Duration.DurationInput | undefined
  /** The whole call: its attempts and the waits between them, to the end of the body (none). Never retried. */
  readonly total?: Duration.DurationInput | undefined
}

/**
 * The timeouts in milliseconds; `Infinity` if there is none.
 *
 * @since 0.1.0
 * @category models
 */
export interface Timeouts {
  readonly connect: number
  readonly response: number
  readonly idle: number
  readonly total: number
}

/**
 * The timeouts of a client that sets none.
 *
 * @since 0.1.0
 * @category constructors
 */
export const defaults: Timeouts = {
  connect: 5_000,
  response: 600_000,
  idle: 600_000,
  total: Number.POSITIVE_INFINITY
}

/**
 * Merges timeouts over others. Fails if one is not a duration above zero.
 *
 * @since 0.1.0
 * @category combinators
 */
export const merge = (
  self: Timeouts,
  options: Options | undefined
): Effect.Effect<Timeouts, Settings.InvalidConfigError> =>
  Sync.fromResult(Result.mapError(mergeTimeouts(self, options), Settings.configError))

/**
 * Finds invalid limits and unknown names.
 *
 * @since 0.1.0
 * @category validation
 */
export const check: Settings.Check = /*#__PURE__*/ Settings.fields({
  connect: Settings.any,
  response: Settings.any,
  idle: Settings.any,
  total: Settings.any
})
