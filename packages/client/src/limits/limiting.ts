/** What a client knows of rate limits. How it counts quotas comes with the setting, so that few programs bundle it. */
import * as Predicate from "effect/Predicate"
import type { InvalidInput } from "../shared/invalid.js"
import * as Settings from "../shared/settings.js"

/**
 * Type id of {@link RateLimit}.
 *
 * @since 3.3.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/RateLimit")

/**
 * How a client limits its own requests. Each client counts for itself, unless its limits are shared; the clients that
 * `withOptions` makes of it count together.
 *
 * @since 3.3.0
 * @category models
 */
export interface RateLimit {
  readonly [TypeId]: typeof TypeId
  /** Why it cannot be used. */
  readonly problem: InvalidInput | undefined
}

/**
 * A request, as the functions of the options see it.
 *
 * @since 3.3.0
 * @category models
 */
export interface Subject {
  /** The method of the request, in upper case. */
  readonly method: string
  /** The path template, without values. */
  readonly template: string
  /** The body as the program passed it. */
  readonly body: unknown
}

/** `false`: the client waits for nobody, and every call learns of a limit by itself. */
export type Setting = RateLimit | false

export const check: Settings.Check = /*#__PURE__*/ Settings.kind(
  (value) => value === false || Predicate.hasProperty(value, TypeId),
  "must come from RateLimit.make, or be false"
)
