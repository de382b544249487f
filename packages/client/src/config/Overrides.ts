/**
 * Merges settings, by one rule for clients and requests: a value merges with the old one if both can merge, and a
 * function of the old value replaces it.
 */
import type * as RetryPolicy from "../retry/RetryPolicy.js"
import * as RetrySettings from "../retry/RetrySettings.js"
import { type InvalidInput, invalid } from "../shared/invalid.js"
import { isObject } from "../shared/isPlainObject.js"
import { omitUndefined } from "../shared/omitUndefined.js"
import * as Result from "../shared/result.js"
import * as Settings from "../shared/settings.js"
import * as Headers from "../wire/headers.js"
import type * as Query from "../wire/query.js"
import type * as ClientOptions from "./ClientOptions.js"
import type * as Middleware from "./Middleware.js"
import type * as Timeouts from "./Timeouts.js"

/**
 * The settings that merge, as a function receives them: the current values, with `{}` and `[]` for those never set.
 *
 * @since 0.1.0
 * @category models
 */
export interface Merged {
  /** By lower-case name; `null` is a removed header. */
  readonly headers: Headers.HeadersRecord
  /** The parameters by name. */
  readonly query: Query.QueryInput
  /** The parts of the format that were set. */
  readonly queryFormat: Partial<Query.QueryFormat>
  /** The limits that were set. */
  readonly timeouts: Timeouts.Options
  /** The whole policy, and its schedule. */
  readonly retry: RetryPolicy.Resolved
  /** The current list, the outermost first. */
  readonly middleware: ReadonlyArray<Middleware.Middleware>
  /** The limits that were set. */
  readonly limits: ClientOptions.Limits
  /** The errors that were set. */
  readonly failure: ClientOptions.Failures
  /** The current names. */
  readonly redact: ClientOptions.Redact
}

/**
 * Replaces a setting: a function of its current value.
 *
 * @since 0.1.0
 * @category models
 */
export type Replace<K extends keyof Merged, A> = (old: Merged[K]) => Exclude<A, undefined>

/**
 * A setting to merge over another: a value, or a function from the old value to the new one.
 *
 * @since 0.1.0
 * @category models
 */
export type Override<K, A> = K extends keyof Merged ? A | Replace<K, A> : A

/**
 * The options of `withOptions`. Headers, query, queryFormat, timeouts, retry, limits and redact merge by field,
 * middleware is appended, the rest is replaced, and `undefined` changes nothing. A function of the old value replaces
 * it: `middleware: () => []` removes all, `retry: ({ schedule }) => Schedule.upTo(schedule, "1 minute")` changes when
 * to retry.
 *
 * @since 0.1.0
 * @category models
 */
export type Overrides<F extends ClientOptions.Failures = ClientOptions.NoFailures> = {
  readonly [K in keyof ClientOptions.Options<F>]?: Override<K, ClientOptions.Options<F>[K]> | undefined
}

/** Options without functions in place of settings. */
export type Plain<A> = { readonly [K in keyof A]: K extends keyof Merged ? Exclude<A[K], Replacing> : A[K] }

type Replacing = (old: never) => unknown

/** How a setting merges. A value of another kind passes through, for validation to refuse. */
interface Rule<A> {
  /** The value of a setting that was never set. */
  readonly nothing: A
  readonly lay: (old: unknown, over: unknown) => unknown
}

const byField = (old: unknown, over: unknown): unknown => {
  if (!Settings.isRecord(over)) return over
  return isObject(old) ? { ...old, ...omitUndefined(over) } : old
}

/** Here `undefined` has a meaning: it drops the parameter. */
const layQuery = (old: unknown, over: unknown): unknown => {
  if (!Settings.isRecord(over)) return over
  return isObject(old) ? { ...old, ...over } : old
}

const layList = (old: unknown, over: unknown): unknown => {
  if (!Array.isArray(over)) return over
  return Array.isArray(old) ? [...old, ...over] : old
}

const layRedact = (old: unknown, over: unknown): unknown => {
  if (!Settings.isRecord(over)) return over
  if (!isObject(old)) return old
  return { ...over, headers: united(old.headers, over.headers), query: united(old.query, over.query) }
}

const united = (old: unknown = [], over: unknown = []): unknown => {
  if (!Array.isArray(over)) return over
  return Array.isArray(old) ? [...new Set([...old, ...over])] : old
}

const layRetry = (old: unknown, over: unknown): unknown => {
  if (!RetrySettings.isRetry(over)) return over
  return RetrySettings.isRetry(old)
    ? RetrySettings.lay(RetrySettings.lay(RetrySettings.defaults, old), over)
    : old
}

const rules: { readonly [K in keyof Merged]: Rule<Merged[K]> } = {
  headers: { nothing: {}, lay: Headers.mergeInput },
  query: { nothing: {}, lay: layQuery },
  queryFormat: { nothing: {}, lay: byField },
  timeouts: { nothing: {}, lay: byField },
  retry: { nothing: RetrySettings.defaults, lay: layRetry },
  middleware: { nothing: [], lay: layList },
  limits: { nothing: {}, lay: byField },
  failure: { nothing: {}, lay: byField },
  redact: { nothing: {}, lay: layRedact }
}

/**
 * Whether a setting merges.
 *
 * @since 0.1.0
 * @category guards
 */
export const isMerging = (name: string): name is keyof Merged => Object.hasOwn(rules, name)

const merging = Object.keys(rules).filter(isMerging)

/** An exception of the function that was to replace a setting. */
class Failed extends Settings.InvalidConfigError {
  readonly problem: InvalidInput

  constructor(name: string, cause: unknown) {
    const { field, reason } = invalid(name, "could not be replaced: the function of the old value threw")
    super({ key: field, reason })
    this.problem = { field, reason, cause }
  }
}

const replacement = (name: string, replace: () => unknown): unknown => {
  try {
    return replace()
  } catch (error) {
    throw error instanceof Failed ? error : new Failed(name, error)
  }
}

/** Merges one setting over another; either may be absent. */
const lay = (name: keyof Merged, old: unknown, over: unknown): unknown => {
  if (over === undefined) return old
  const rule = rules[name]
  const under = old === undefined ? rule.nothing : rule.lay(rule.nothing, old)
  if (typeof over !== "function") return rule.lay(under, over)
  const replaced = replacement(name, () => over(under))
  // A schedule decides only when to retry, wherever it comes from.
  return name === "retry" && RetrySettings.isRetry(replaced)
    ? layRetry(RetrySettings.isOptions(replaced) ? RetrySettings.defaults : under, replaced)
    : replaced
}

/** Settings over settings, of which those that merge are laid by a rule. */
const laid = <A extends object>(
  self: A,
  over: object,
  rule: (name: keyof Merged, old: unknown, over: unknown) => unknown
): A => {
  const all = { ...self, ...omitUndefined(over) }
  const ruled: Record<string, unknown> = {}
  for (const name of merging) {
    if (name in all) ruled[name] = rule(name, Reflect.get(self, name), Reflect.get(over, name))
  }
  return { ...all, ...ruled }
}

/**
 * Merges settings over settings: see {@link Overrides}.
 *
 * @since 0.1.0
 * @category combinators
 */
export const merge = <A extends Partial<ClientOptions.Options<ClientOptions.Failures>>>(
  self: A,
  over: Overrides<ClientOptions.Failures>
): A => laid(self, over, lay)

/** The same, or the setting whose function of the old value threw. */
export const tryMerge = <A extends Partial<ClientOptions.Options<ClientOptions.Failures>>>(
  self: A,
  over: Overrides<ClientOptions.Failures>
): Result.Result<A, InvalidInput> => {
  try {
    return Result.succeed(merge(self, over))
  } catch (error) {
    if (error instanceof Failed) return Result.fail(error.problem)
    throw error
  }
}

const replaceable = ["compression", "headers", "middleware", "query", "retry", "timeouts"] as const

/** The settings of a request that another client is made for: functions of the client's, and its own compression. */
export const functionsOf = (
  options: {
    readonly [K in keyof Merged | "compression"]?: unknown
  }
): Overrides | undefined => {
  let found: Record<string, unknown> | undefined
  for (const name of replaceable) {
    const value = options[name]
    if (typeof value === "function" || (name === "compression" && value !== undefined)) {
      found ??= {}
      found[name] = value
    }
  }
  return found
}

/** The same settings, all `undefined`. */
export const cleared = (overrides: Overrides): object =>
  Object.fromEntries(Object.keys(overrides).map((name) => [name, undefined]))

/**
 * Combines two settings of requests, to be merged over a client's later. `then` is merged over `first`.
 *
 * @since 0.1.0
 * @category combinators
 */
export const compose = <K extends keyof Merged, A>(
  name: K,
  first: Override<K, A> | undefined,
  then: Override<K, A> | undefined
): Override<K, A> | undefined =>
  // Two settings of a kind give one of that kind: each rule sees to it.
  composed(name, first, then) as Override<K, A> | undefined

const composed = (name: keyof Merged, first: unknown, then: unknown): unknown => {
  if (first === undefined || then === undefined) return first ?? then
  const plain = typeof first !== "function" && typeof then !== "function"
  if (plain && name !== "retry") return lay(name, first, then)
  if (plain && isOptions(first) && isOptions(then)) {
    const budget =
      Settings.isRecord(first.budget) && Settings.isRecord(then.budget) && byField(first.budget, then.budget)
    return { ...first, ...omitUndefined(then), ...(budget === false ? {} : { budget }) }
  }
  return (old: unknown) => lay(name, lay(name, old, first), then)
}

/** The options of a request with others merged over them. */
export const composeAll = <A extends object>(first: A, then: object): A => laid(first, then, composed)

const isOptions = (retry: unknown): retry is { readonly budget?: unknown } =>
  RetrySettings.isRetry(retry) && RetrySettings.isOptions(retry)
