/**
 * Stops calling a server that is down: calls fail at once, until a probe finds it well again. A program without it does not
 * bundle it.
 *
 * @since 3.3.0
 */
import type * as Duration from "effect/Duration"
import type { Made } from "../client/guarding.js"
import type * as ApiError from "../errors/ApiError.js"
import { type CircuitBreaker, TypeId } from "../retry/breaking.js"
import { toMillis } from "../shared/duration.js"
import type { InvalidInput } from "../shared/invalid.js"
import * as Settings from "../shared/settings.js"
import type * as Circuit from "./Circuit.js"
import { Circuits } from "./Circuits.js"
import { Guard } from "./Guard.js"

export { type CircuitBreaker, TypeId } from "../retry/breaking.js"

/**
 * The options of {@link make}. Attempts are counted, not calls: a call with two retries may count as three failures.
 *
 * @since 3.3.0
 * @category models
 */
export interface Options {
  /**
   * How many failures in a row open the circuit (5, as in Envoy's outlier detection); `false` for no such rule. A single
   * success starts the count anew.
   */
  readonly consecutiveFailures?: number | false | undefined
  /**
   * The share of failures in `window` that opens the circuit, above 0 and up to 1 (0.5, as in Hystrix and resilience4j);
   * `false` for no such rule. The client counts from the first failure on.
   */
  readonly failureRate?: number | false | undefined
  /** How many attempts `window` must hold before `failureRate` counts (20, as in Hystrix). */
  readonly minimumCalls?: number | undefined
  /** How far back `failureRate` looks (10 s, as in Hystrix). */
  readonly window?: Duration.DurationInput | undefined
  /**
   * How long the circuit stays open before the first probe (5 s, as in Hystrix and Polly). Each probe that fails doubles
   * it. A `retry-after` of the failed response makes it longer, up to `maxOpenFor`.
   */
  readonly openFor?: Duration.DurationInput | undefined
  /** The longest time between two probes (1 min). */
  readonly maxOpenFor?: Duration.DurationInput | undefined
  /** The share by which random jitter may shorten that time, 0 to 1 (0.25). */
  readonly jitter?: number | undefined
  /**
   * How many probes must succeed before the circuit closes (3). The first goes alone, the others after it at once. One that
   * fails opens the circuit again.
   */
  readonly probes?: number | undefined
  /**
   * Decides whether an error is a failure of the server, before the table does; `undefined` leaves it to the table. So does
   * a function that throws. It does not see errors of requests that were not sent.
   */
  readonly isFailure?: ((error: ApiError.ApiError) => boolean | undefined) | undefined
}

/**
 * Makes a circuit breaker. Each origin has a circuit, and so have each `key` of `RateLimit` and each credentials. While a
 * circuit is open, calls fail at once with a `CircuitOpenError`, and nothing is sent. Bad options make every call fail with
 * an `InvalidRequestError`, or the layer with an `InvalidConfigError`.
 *
 * Failures are connection failures, timeouts and statuses of 5xx that may be retried. A 4xx, 429 included, is a response of
 * a server that is well. An interruption and a defect are neither. `timeouts.total` is a failure if the attempt had at least
 * half of it. For a stream or a body that is returned open, the attempt ends with its first event or its headers: one that
 * is cut off later is ignored.
 *
 * @example
 * ```ts
 * import { ApiClient, CircuitBreaker } from "@effect-api/client"
 * import { Duration, Effect } from "effect"
 *
 * export const Live = ApiClient.layer({
 *   baseUrl: "https://api.example.com",
 *   circuitBreaker: CircuitBreaker.make({ consecutiveFailures: 10, openFor: "2 seconds" })
 * })
 *
 * export const report = ApiClient.get("/report").pipe(
 *   Effect.catchTag("CircuitOpenError", ({ origin, retryAfter }) =>
 *     Effect.succeed(`${origin} is down, come back in ${Duration.format(retryAfter)}`)
 *   )
 * )
 * ```
 * @since 3.3.0
 * @category constructors
 */
export const make = (options: Options = {}): CircuitBreaker => {
  const problem = problemOf(options)
  const settings = problem === undefined ? settingsOf(options) : defaults
  const made: Made = {
    [TypeId]: TypeId,
    problem,
    makeGuard: () => {
      const circuits = new Circuits(settings)
      return (permits) => new Guard(circuits, permits, options.isFailure)
    }
  }
  return made
}

const defaults: Circuit.Settings = {
  consecutiveFailures: 5,
  failureRate: 0.5,
  minimumCalls: 20,
  windowMillis: 10_000,
  openMillis: 5000,
  maxOpenMillis: 60_000,
  jitter: 0.25,
  probes: 3
}

const settingsOf = (options: Options): Circuit.Settings => {
  const millis = (input: Duration.DurationInput | undefined, otherwise: number): number =>
    input === undefined ? otherwise : toMillis(input)
  const openMillis = millis(options.openFor, defaults.openMillis)
  return {
    consecutiveFailures: orNever(options.consecutiveFailures ?? defaults.consecutiveFailures),
    failureRate: orNever(options.failureRate ?? defaults.failureRate),
    minimumCalls: options.minimumCalls ?? defaults.minimumCalls,
    windowMillis: millis(options.window, defaults.windowMillis),
    openMillis,
    maxOpenMillis: Math.max(openMillis, millis(options.maxOpenFor, defaults.maxOpenMillis)),
    jitter: options.jitter ?? defaults.jitter,
    probes: options.probes ?? defaults.probes
  }
}

const orNever = (limit: number | false): number => (limit === false ? Number.POSITIVE_INFINITY : limit)

const isWhole = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 1

const whole: Settings.Check = /*#__PURE__*/ Settings.kind(isWhole, "must be a whole number above zero")

const checkOptions = /*#__PURE__*/ Settings.fields({
  consecutiveFailures: /*#__PURE__*/ Settings.kind(
    (value) => value === false || isWhole(value),
    "must be a whole number above zero, or false"
  ),
  failureRate: /*#__PURE__*/ Settings.kind(
    (value) => value === false || (typeof value === "number" && value > 0 && value <= 1),
    "must be above 0 and at most 1, or false"
  ),
  minimumCalls: whole,
  window: Settings.duration,
  openFor: Settings.duration,
  maxOpenFor: Settings.duration,
  jitter: /*#__PURE__*/ Settings.kind(
    (value) => typeof value === "number" && value >= 0 && value <= 1,
    "must be between 0 and 1"
  ),
  probes: whole,
  isFailure: Settings.callback
})

const problemOf = (options: Options): InvalidInput | undefined => {
  const problem = checkOptions(options)
  return problem && Settings.within("circuitBreaker", problem)
}
