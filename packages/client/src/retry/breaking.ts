/** What a client knows of circuit breakers. The breaker comes with the setting, so that few programs bundle it. */
import * as Predicate from "effect/Predicate"
import type { InvalidInput } from "../shared/invalid.js"
import * as Settings from "../shared/settings.js"

/**
 * Type id of {@link CircuitBreaker}.
 *
 * @since 3.3.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/CircuitBreaker")

/**
 * When a client stops calling a server that is down. Each client counts for itself; the clients that `withOptions` makes of
 * it count together.
 *
 * @since 3.3.0
 * @category models
 */
export interface CircuitBreaker {
  readonly [TypeId]: typeof TypeId
  /** Why it cannot be used. */
  readonly problem: InvalidInput | undefined
}

/** `false`: every call is sent. */
export type Setting = CircuitBreaker | false

export const check: Settings.Check = /*#__PURE__*/ Settings.kind(
  (value) => value === false || Predicate.hasProperty(value, TypeId),
  "must come from CircuitBreaker.make, or be false"
)
