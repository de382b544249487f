/**
 * Keeps a client's requests within limits: how many at once, how many in a minute, how many tokens. A program without it
 * does not bundle it.
 *
 * @since 3.3.0
 */
import type * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import type * as Permits from "../client/Permits.js"
import { type RateLimit, type Subject, TypeId } from "../limits/limiting.js"
import { type OfKey, Quotas } from "../limits/Quotas.js"
import * as Shared from "../limits/SharedLimits.js"
import { Windows } from "../limits/Windows.js"
import { toMillis } from "../shared/duration.js"
import { type InvalidInput, invalid } from "../shared/invalid.js"
import * as Settings from "../shared/settings.js"
import { rulesOf } from "./rules.js"

export { type RateLimit, type Subject, TypeId } from "../limits/limiting.js"

/**
 * A quota that the program knows: at most `limit` in any `window`. That holds whichever way the server counts: by fixed
 * windows, sliding windows or a token bucket.
 *
 * @since 3.3.0
 * @category models
 */
export interface Quota {
  /** The most of it in a window. */
  readonly limit: number
  /** How long a window is. */
  readonly window: Duration.DurationInput
}

/**
 * The options of {@link make}. Requests that none of them forbids go at once.
 *
 * @since 3.3.0
 * @category models
 */
export interface Options {
  /** The most requests in flight. A stream counts until it is closed. No limit by default. */
  readonly concurrency?: number | undefined
  /**
   * The most calls that wait for one key (10,000). One more fails with a `QueueFullError`, and nothing is sent. The wait
   * counts towards `timeouts.total`.
   */
  readonly maxQueue?: number | undefined
  /**
   * Quotas by what they count. `requests` counts every attempt as one; any other name counts what `cost` returns for
   * it.
   */
  readonly quotas?: Readonly<Record<string, Quota>> | undefined
  /**
   * Follow the limits that responses report (off): `ratelimit` and `ratelimit-policy` of the IETF draft, `x-ratelimit-*`,
   * `anthropic-ratelimit-*` and their kin. Until the first response has come, one request is sent at a time. A wait
   * above `retry.maxRetryAfter` is left to the server.
   */
  readonly learn?: boolean | undefined
  /**
   * What a request costs, by the names of `quotas` and of the server's limits: `{ tokens: 1200 }`. Without it a request
   * costs one of `requests`, and nothing of the rest. An attempt that is not sent costs nothing.
   */
  readonly cost?: ((request: Subject) => Readonly<Record<string, number>>) | undefined
  /**
   * What a request has used, from the decoded response or from an event of its stream: it replaces the estimate of
   * `cost`. `undefined` leaves it. A function that throws leaves it too.
   */
  readonly usage?: ((value: unknown) => Readonly<Record<string, number>> | undefined) | undefined
  /**
   * Requests of different keys do not wait for each other, such as those for two models. Origins and credentials have
   * their own limits without it.
   */
  readonly key?: ((request: Subject) => string) | undefined
  /**
   * Keep the quotas, and the waits that servers ask for, together with other processes: `RedisLimits` of
   * `@effect-api/redis`. Without it every client counts for itself. Requests of one origin and `key` then share their
   * limits whatever their credentials are.
   */
  readonly shared?: Shared.SharedLimits | undefined
}

/**
 * Makes the limits of a client. Calls that would exceed them wait, in the order in which they came; `priority` of a
 * request puts it before others. Bad options make every call fail with an `InvalidRequestError`, or the layer with an
 * `InvalidConfigError`.
 *
 * With or without them, a response 429 with a `retry-after` makes the calls of its origin and key wait until then.
 *
 * @example
 * ```ts
 * import { ApiClient, RateLimit } from "@effect-api/client"
 *
 * export const Live = ApiClient.layer({
 *   baseUrl: "https://api.example.com",
 *   rateLimit: RateLimit.make({
 *     concurrency: 16,
 *     quotas: { requests: { limit: 50, window: "1 minute" } },
 *     learn: true
 *   })
 * })
 * ```
 * @since 3.3.0
 * @category constructors
 */
export const make = (options: Options): RateLimit => {
  const problem = problemOf(options)
  const {
    concurrency = Number.POSITIVE_INFINITY,
    cost,
    key,
    learn = false,
    maxQueue = 10_000,
    shared,
    usage
  } = options
  const quotas = problem === undefined ? countedOf(options) : []
  const counterOf = (requests: OfKey): Shared.Counter =>
    shared === undefined ? new Windows(quotas) : shared.open({ ...requests, quotas, learns: learn })
  const made: Permits.Made = {
    [TypeId]: TypeId,
    rules: rulesOf({
      concurrency,
      maxQueue,
      quotas:
        quotas.length > 0 || learn || shared !== undefined
          ? (requests) => new Quotas(counterOf(requests), learn)
          : undefined,
      key,
      cost,
      usage
    }),
    problem
  }
  return made
}

const countedOf = ({ quotas = {} }: Options): ReadonlyArray<Shared.Quota> =>
  Object.entries(quotas).map(([unit, { limit, window }]) => ({ unit, limit, millis: toMillis(window) }))

const amount: Settings.Check = /*#__PURE__*/ Settings.kind(
  (value) => typeof value === "number" && value > 0 && !Number.isNaN(value),
  "must be a number above zero"
)

const whole: Settings.Check = /*#__PURE__*/ Settings.kind(
  (value) => value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && Number(value) >= 1),
  "must be a whole number above zero"
)

const checkNames: Settings.Check = /*#__PURE__*/ Settings.fields({
  limit: Settings.any,
  window: Settings.any
})

const checkQuota: Settings.Check = (quota) => {
  const { limit, window: length }: Partial<Quota> = Object(quota)
  const unfit = (name: string, problem: InvalidInput | undefined) => problem && Settings.within(name, problem)
  return checkNames(quota) ?? unfit("limit", amount(limit)) ?? unfit("window", Settings.duration(length))
}

const checkQuotas: Settings.Check = (value) => {
  if (!Settings.isRecord(value)) return invalid("", "must be an object of quotas by name")
  for (const [name, quota] of Object.entries(value)) {
    const problem = checkQuota(quota)
    if (problem !== undefined) return Settings.within(name, problem)
  }
  return undefined
}

const checkOptions = /*#__PURE__*/ Settings.fields({
  concurrency: whole,
  maxQueue: whole,
  quotas: checkQuotas,
  learn: Settings.flag,
  cost: Settings.callback,
  usage: Settings.callback,
  key: Settings.callback,
  shared: Settings.kind(
    (value) => Predicate.hasProperty(value, Shared.TypeId),
    "must be shared limits, such as RedisLimits makes"
  )
})

const problemOf = (options: Options): InvalidInput | undefined => {
  const problem = checkOptions(options)
  return problem && Settings.within("rateLimit", problem)
}
