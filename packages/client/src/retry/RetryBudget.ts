/** The budget that keeps a client from piling onto a server that is down. */
import type * as ApiError from "../errors/ApiError.js"

/** The numbers of a budget, in tokens. */
interface Costs {
  readonly capacity: number
  readonly retryCost: number
  readonly timeoutCost: number
  readonly successRefund: number
}

/** The most buckets that are not full: whoever chooses the origins of a client's requests must not fill its memory. */
const maxBuckets = 1000

/**
 * Buckets of tokens that retries take from and successes refill, one for each account: an origin and a key. While a server is
 * down the client soon stops retrying there; as requests succeed again, retries come back. Other servers keep their retries.
 */
export class RetryBudget {
  private readonly costs: Costs | false
  /** The tokens of the buckets that are not full. */
  private readonly known = new Map<string, number>()

  constructor(costs: Costs | false) {
    this.costs = costs
  }

  /** Whether every bucket is full, so that a success refills nothing. */
  get isFull(): boolean {
    return this.known.size === 0
  }

  /** Takes the cost of a retry after this error, or after none; `undefined` if the bucket holds less. */
  take(account: string, error: ApiError.ApiError | undefined): number | undefined {
    if (this.costs === false) return 0
    const { retryCost, timeoutCost } = this.costs
    const cost = error?._tag === "TimeoutError" ? timeoutCost : retryCost
    const tokens = this.tokens(account)
    if (cost > tokens) return undefined
    this.set(account, tokens - cost)
    return cost
  }

  /** Refills after a success. `cost` is what its retry took. */
  giveBack(account: string, cost: number): void {
    const tokens = this.known.get(account)
    if (tokens === undefined || this.costs === false) return
    this.set(account, tokens + Math.max(cost, this.costs.successRefund))
  }

  tokens(account: string): number {
    return this.costs === false ? Number.POSITIVE_INFINITY : (this.known.get(account) ?? this.costs.capacity)
  }

  private set(account: string, tokens: number): void {
    const { costs, known } = this
    // In the order of their last use: the oldest goes first.
    known.delete(account)
    if (costs === false || tokens >= costs.capacity) return
    const [oldest] = known.keys()
    if (oldest !== undefined && known.size >= maxBuckets) known.delete(oldest)
    known.set(account, tokens)
  }
}
