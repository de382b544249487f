/** What requests cost, in whole units: a quota is never counted too low. */
import type { SharedLimits } from "@effect-api/client"

/** The cost of a request in a unit. One that names none costs one request. */
export const costOf = (costs: SharedLimits.Costs, unit: string): number =>
  Math.ceil(costs[unit] ?? (unit === "requests" ? 1 : 0))
