/**
 * Rate limits that processes share on Redis 6.2 or later, or on Valkey: the quotas, and the waits that servers ask for.
 *
 * Redis reserves times for requests, many in one round trip, and each process sends its requests at those times. While Redis
 * is away, each process keeps to its part of the quotas, and comes back by itself.
 *
 * @since 3.3.0
 */
import { ApiConfig, SharedLimits } from "@effect-api/client"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import type { RedisConnection } from "./connection/Connection.js"
import { keyOf } from "./leases/keys.js"
import { Lease } from "./leases/Lease.js"
import { Link, type Settings } from "./leases/Link.js"
import type * as LinkState from "./leases/State.js"

/**
 * Whether processes share their limits, or each of them keeps to its part because Redis is away. `cause` is why.
 *
 * @since 3.3.0
 * @category models
 */
export type State = LinkState.State

/**
 * The options of {@link make} and {@link start}. Processes that share limits have the same.
 *
 * @since 3.3.0
 * @category models
 */
export interface Options {
  /** The connection: `RedisConnection.fromIoredis` or `RedisConnection.fromNodeRedis` of the program's client. */
  readonly connection: RedisConnection
  /**
   * How the keys in Redis begin (`effect-api`). Programs with other credentials, and so with other limits, have another
   * one.
   */
  readonly prefix?: string | undefined
  /** How long Redis may take to reply (250 ms). After that it counts as away. A finite duration above zero. */
  readonly timeout?: Duration.DurationInput | undefined
  /**
   * How far ahead a process reserves times (100 ms). A longer one takes fewer round trips; a process that ends loses what
   * it had reserved. A finite duration above zero.
   */
  readonly horizon?: Duration.DurationInput | undefined
  /**
   * How many processes share the limits (10), for one that has never reached Redis. Otherwise it goes by those that took
   * part at last. A whole number above zero.
   */
  readonly processes?: number | undefined
  /** Takes each change between `Shared` and `Alone`. By default a warning names it, in the log or on the console. */
  readonly onChange?: ((state: State) => void) | undefined
}

/**
 * Shared limits with their end, for programs without Effect.
 *
 * @since 3.3.0
 * @category models
 */
export interface RedisLimits extends SharedLimits.SharedLimits {
  /** Ends the subscription. The program closes its own Redis client. */
  readonly close: () => Promise<void>
}

/**
 * Makes limits that are shared until the scope closes. It connects at the first request. Fails with an `InvalidConfigError`
 * that names the invalid option.
 *
 * @example
 * ```ts
 * import { ApiClient, RateLimit } from "@effect-api/client"
 * import { RedisConnection, RedisLimits } from "@effect-api/redis"
 * import { Effect, Layer } from "effect"
 * import { Redis } from "ioredis"
 *
 * export const Live = Layer.unwrapScoped(
 *   Effect.gen(function* () {
 *     const redis = yield* Effect.acquireRelease(
 *       Effect.sync(() => new Redis("redis://127.0.0.1:6379")),
 *       (redis) => Effect.sync(() => redis.disconnect())
 *     )
 *     const shared = yield* RedisLimits.make({ connection: RedisConnection.fromIoredis(redis) })
 *     return ApiClient.layer({
 *       baseUrl: "https://api.example.com",
 *       rateLimit: RateLimit.make({ shared, quotas: { requests: { limit: 1000, window: "1 second" } } })
 *     })
 *   })
 * )
 * ```
 * @since 3.3.0
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<SharedLimits.SharedLimits, ApiConfig.InvalidConfigError, Scope.Scope> =>
  Effect.gen(function* () {
    const problem = problemOf(options)
    if (problem !== undefined) return yield* problem
    const run = yield* FiberSet.makeRuntime<never>()
    const warn = (message: string) => {
      run(Effect.logWarning(message))
    }
    return yield* Effect.acquireRelease(
      Effect.sync(() => limitsOf(options, warn)),
      (limits) => Effect.promise(limits.close)
    )
  })

/**
 * The same for programs without Effect. Throws the `InvalidConfigError`.
 *
 * @example
 * ```ts
 * import { PromiseClient, RateLimit } from "@effect-api/client"
 * import { RedisConnection, RedisLimits } from "@effect-api/redis"
 * import { createClient } from "redis"
 *
 * const redis = await createClient({ url: "redis://127.0.0.1:6379" }).connect()
 * const shared = RedisLimits.start({ connection: RedisConnection.fromNodeRedis(redis) })
 *
 * export const client = PromiseClient.make({
 *   baseUrl: "https://api.example.com",
 *   rateLimit: RateLimit.make({ shared, quotas: { requests: { limit: 50, window: "1 minute" } } })
 * })
 *
 * export const stop = async () => {
 *   await shared.close()
 *   redis.destroy()
 * }
 * ```
 * @since 3.3.0
 * @category constructors
 */
export const start = (options: Options): RedisLimits => {
  const problem = problemOf(options)
  if (problem !== undefined) throw problem
  return limitsOf(options, (message) => console.warn(message))
}

const limitsOf = (options: Options, warn: (message: string) => void): RedisLimits => {
  const link = new Link(settingsOf(options, warn))
  return {
    [SharedLimits.TypeId]: SharedLimits.TypeId,
    open: (requests) => new Lease(link, requests, keyOf(requests.key)),
    close: () => link.end()
  }
}

const settingsOf = (
  { connection, horizon = 100, onChange, prefix = "effect-api", processes = 10, timeout = 250 }: Options,
  warn: (message: string) => void
): Settings => ({
  connection,
  prefix,
  processes,
  timeoutMillis: ApiConfig.toMillis(timeout),
  horizonMillis: ApiConfig.toMillis(horizon),
  onChange: onChange ?? ((state) => warn(messageOf(state)))
})

const messageOf = (state: State): string =>
  state._tag === "Shared"
    ? "rate limits: Redis is back, and processes share their limits again"
    : `rate limits: Redis is away, and each of ${state.processes} processes keeps to its part (${String(state.cause)})`

const problemOf = (options: Options): ApiConfig.InvalidConfigError | undefined => {
  const given: Readonly<Record<string, unknown>> = { ...options }
  const unknown = ApiConfig.unknown(given, Object.keys(checks))
  if (unknown !== undefined)
    return new ApiConfig.InvalidConfigError({ key: unknown.field, reason: unknown.reason })
  for (const [key, { isValid, reason }] of Object.entries(checks))
    if ((given[key] !== undefined || key === "connection") && !isValid(given[key]))
      return new ApiConfig.InvalidConfigError({ key, reason })
  return undefined
}

interface Check {
  readonly isValid: (value: unknown) => boolean
  readonly reason: string
}

const isTime = (value: unknown): boolean => {
  const millis = ApiConfig.toMillis(value)
  return millis > 0 && Number.isFinite(millis)
}

const time: Check = { isValid: isTime, reason: "must be a finite duration above zero" }

const checks: Readonly<Record<keyof Options, Check>> = {
  connection: {
    isValid: (value) => typeof value === "object" && value !== null && "run" in value && "subscribe" in value,
    reason: "must come from RedisConnection"
  },
  prefix: {
    isValid: (value) => typeof value === "string" && value !== "",
    reason: "must be a non-empty string"
  },
  timeout: time,
  horizon: time,
  processes: {
    isValid: (value) => Number.isInteger(value) && Number(value) > 0,
    reason: "must be a whole number above zero"
  },
  onChange: { isValid: (value) => typeof value === "function", reason: "must be a function" }
}
