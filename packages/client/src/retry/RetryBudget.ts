/** The budget that keeps a client from piling onto a server that is down. */
import type * as ApiError from "../errors/ApiError.js"

/** The numbers of a budget, in tokens. */
interface Costs {
  readonly capacity: number
  readonly retryCost: number
  readonly timeoutCost: number
  readonly successRefund: number
}

/**
 * A bucket of tokens that retries take from and successes refill. A client has one bucket. While a server is down the
 * client soon stops retrying; as requests succeed again, retries come back.
 */
export interface RetryBudget {
  /** Takes the cost of a retry after this error; `undefined` if the bucket holds less. */
  readonly take: (error: ApiError.ApiError) => number | undefined
  /** Refills after a success. `cost` is what its retry took. */
  readonly giveBack: (cost: number) => void
  readonly tokens: () => number
}

/** A full budget. */
export const make = (budget: false | Costs): RetryBudget => {
  if (budget === false)
    return { take: () => 0, giveBack: () => undefined, tokens: () => Number.POSITIVE_INFINITY }
  const { capacity, retryCost, successRefund, timeoutCost } = budget
  let tokens = capacity
  return {
    take: (error) => {
      const cost = error._tag === "TimeoutError" ? timeoutCost : retryCost
      if (cost > tokens) return undefined
      tokens -= cost
      return cost
    },
    giveBack: (cost) => {
      tokens = Math.min(capacity, tokens + Math.max(cost, successRefund))
    },
    tokens: () => tokens
  }
}
