/** How a client comes by the breaker of its setting. */
import type * as Breaking from "../retry/breaking.js"
import type { Permits } from "./Permits.js"

/** Puts the circuits of the calls with the same credentials before their permits. */
export type Guard = (permits: Permits | undefined) => Permits

/** A setting with what makes its circuits. */
export interface Made extends Breaking.CircuitBreaker {
  readonly makeGuard: () => Guard
}

const isMade = (setting: Breaking.CircuitBreaker): setting is Made => "makeGuard" in setting

/** Makes the circuits of a setting; `undefined` without one. */
export const make = (setting: Breaking.Setting | undefined): Guard | undefined =>
  setting && isMade(setting) ? setting.makeGuard() : undefined
