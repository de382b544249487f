/**
 * What counts the limits of several processes together: `RateLimit.make({ shared })`. `@effect-api/redis` makes one on
 * Redis or Valkey.
 *
 * @since 3.3.0
 */

/**
 * Type id of {@link SharedLimits}.
 *
 * @since 3.3.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/SharedLimits")

/**
 * Limits that the clients of several processes keep together.
 *
 * @since 3.3.0
 * @category models
 */
export interface SharedLimits {
  /** Marks what is made for this. */
  readonly [TypeId]: typeof TypeId
  /** Begins to count for the requests of one key. */
  readonly open: (requests: Requests) => Counter
}

/**
 * What requests cost, by what is counted. A request costs one of `requests` unless it names another number.
 *
 * @since 3.3.0
 * @category models
 */
export type Costs = Readonly<Record<string, number>>

/**
 * A declared quota: the most of a unit in any window of so many milliseconds.
 *
 * @since 3.3.0
 * @category models
 */
export interface Quota {
  readonly unit: string
  readonly limit: number
  readonly millis: number
}

/**
 * The requests of one key in this process.
 *
 * @since 3.3.0
 * @category models
 */
export interface Requests {
  /** The origin and the key, the same in all processes. It holds no credential. */
  readonly key: string
  readonly quotas: ReadonlyArray<Quota>
  /** Whether the client follows the limits that responses report. */
  readonly learns: boolean
  /** The costs of the first requests that wait, at most so many. They could be in flight at once. */
  readonly waiting: (most: number) => ReadonlyArray<Costs>
  /** Makes the first request that waits look again. */
  readonly changed: () => void
  /** A server has asked another process to wait so many milliseconds from `now`; requests go again after `most`. */
  readonly closed: (millis: number, most: number, now: number) => void
}

/**
 * Counts the requests of one key. Times are milliseconds of a monotonic clock: `performance.now()` in a program, a test's
 * own under a test clock.
 *
 * @since 3.3.0
 * @category models
 */
export interface Counter {
  /**
   * How long until a request of these costs may go, in milliseconds; 0 if it may go now. Infinity waits for `changed`.
   * The first request in the queue asks, or one that comes while nobody waits.
   */
  readonly wait: (costs: Costs, now: number) => number
  /** A request goes. */
  readonly take: (costs: Costs, now: number) => Taken
  /** A response has reported what is left. */
  readonly observe?: ((limits: ReadonlyArray<Observed>, now: number) => void) | undefined
  /** The server has asked this process for a wait of so many milliseconds; requests go again after `most`. */
  readonly close?: ((millis: number, most: number) => void) | undefined
  /** Whether nothing is counted, so that the key can be forgotten. */
  readonly isEmpty: (now: number) => boolean
  /** The key is forgotten. */
  readonly end?: (() => void) | undefined
}

/**
 * What one request has taken.
 *
 * @since 3.3.0
 * @category models
 */
export interface Taken {
  /** The request has used so much more of a unit than its costs, or less. */
  readonly correct: (unit: string, difference: number) => void
  /** The request was never sent. */
  readonly giveBack: () => void
}

/**
 * A limit as a response reports it.
 *
 * @since 3.3.0
 * @category models
 */
export interface Observed {
  /** The limit's own name, such as `input-tokens`. */
  readonly name: string
  readonly unit: string
  readonly limit: number | undefined
  readonly remaining: number
  /** How long until the server has all of it again. */
  readonly resetMillis: number | undefined
}
