/**
 * Checks settings that plain JavaScript may pass: an unknown name fails with the nearest known one, and so does a
 * value of another kind than the types allow.
 */
import * as Data from "effect/Data"
import * as Predicate from "effect/Predicate"
import { toMillis } from "./duration.js"
import { type InvalidInput, invalid } from "./invalid.js"
import { isPlainObject } from "./isPlainObject.js"

/**
 * A client cannot be built: `key` names the setting (`timeouts.connect`), `reason` what is wrong with it.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidConfigError extends /*#__PURE__*/ Data.TaggedError("InvalidConfigError")<{
  readonly key: string
  readonly reason: string
}> {
  override get message(): string {
    return `${this.key} ${this.reason}`
  }
}

/** The error of a client with an invalid setting. */
export const configError = ({ field, reason }: InvalidInput): InvalidConfigError =>
  new InvalidConfigError({ key: field, reason })

/**
 * The problem with the value of a setting, if there is one. The field is the path within the value, `""` for all of
 * it.
 */
export type Check = (value: unknown) => InvalidInput | undefined

/** The settings of one level, each with the check of its value. */
export type Shape = Readonly<Record<string, Check>>

/** A check by a test; the reason names what the value must be. */
export const kind = (test: (value: unknown) => boolean, reason: string): Check => {
  const problem = invalid("", reason)
  return (value) => (test(value) ? undefined : problem)
}

/** Accepts every value: another check covers it. */
export const any: Check = () => undefined
export const text: Check = /*#__PURE__*/ kind((value) => typeof value === "string", "must be a string")
export const flag: Check = /*#__PURE__*/ kind((value) => typeof value === "boolean", "must be true or false")
export const callback: Check = /*#__PURE__*/ kind(
  (value) => typeof value === "function",
  "must be a function"
)

/** One of some words. */
export const word = (words: ReadonlyArray<unknown>): Check =>
  kind((value) => words.includes(value), `must be one of ${words.join(", ")}`)

export const duration: Check = /*#__PURE__*/ kind((value) => {
  const millis = toMillis(value)
  return millis > 0 && millis < Number.POSITIVE_INFINITY
}, "must be a duration above zero")

/** The same problem, found within the setting of that name. */
export const within = (name: string, problem: InvalidInput): InvalidInput => ({
  ...problem,
  ...invalid(problem.field === "" ? name : `${name}.${problem.field}`, problem.reason)
})

/** A list whose elements all pass the check. */
export const list =
  (each: Check): Check =>
  (values) => {
    if (!Array.isArray(values)) return invalid("", "must be a list")
    for (const [index, value] of values.entries()) {
      const problem = each(value)
      if (problem !== undefined) return within(`${index}`, problem)
    }
    return undefined
  }

/** Whether a value can hold settings. A promise, a list or a Date cannot. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  Predicate.isRecord(value) && (isPlainObject(value) || Object.keys(value).length > 0)

/** Settings nested in a setting. */
export const fields = (shape: Shape): Check => {
  const problemOf = checker(shape)
  return (value) =>
    isRecord(value) ? problemOf(value) : invalid("", `must be an object of ${Object.keys(shape).join(", ")}`)
}

/**
 * Finds the first setting that is unknown or of the wrong kind; `undefined` counts as absent. Every call checks its
 * options: so names and paths are built only for a problem.
 */
export const checker = (shape: Shape): ((options: object) => InvalidInput | undefined) => {
  const checks = new Map(Object.entries(shape))
  return <A extends object>(options: A) => {
    let at = ""
    try {
      for (const name in options) {
        const check = checks.get(name)
        if (check === any) continue
        at = name
        if (check === undefined) {
          if (Object.hasOwn(options, name)) return invalid(name, unknownReason(name, Object.keys(shape)))
          continue
        }
        const value: unknown = options[name]
        const problem = value === undefined ? undefined : check(value)
        if (problem !== undefined) return within(name, problem)
      }
      return undefined
    } catch (cause) {
      return { ...invalid(at, "could not be read: a getter in it failed"), cause }
    }
  }
}

/** Throws an `InvalidConfigError` for the first unknown setting: for constructors that cannot fail otherwise. */
export const refuseUnknown = (what: string, options: object, known: ReadonlyArray<string>): void => {
  const problem = unknownIn(options, known)
  if (problem === undefined) return
  throw new InvalidConfigError({ key: `${what}.${problem.field}`, reason: problem.reason })
}

/** The problem with the first unknown option, if there is one: for other packages with settings of their own. */
export const unknownIn = (options: object, known: ReadonlyArray<string>): InvalidInput | undefined => {
  const name = Object.keys(options).find((name) => !known.includes(name))
  return name === undefined ? undefined : invalid(name, unknownReason(name, known))
}

/** Our names, which may be nested in another setting, with those of other libraries. */
const aliases: ReadonlyArray<readonly [ours: string, theirs: string]> = [
  ["credentials", "apikey auth token accesstoken bearertoken"],
  ["middleware", "interceptors hooks"],
  ["baseUrl", "url endpoint prefixurl"],
  ["retry.maxRetries", "maxretry maxretries retries"],
  ["transport", "fetch httpclient"],
  ["query", "params searchparams"],
  ["body", "json data payload"],
  ["success", "schema"]
]

const besideRequest =
  "PromiseClient takes it beside the request, execute(request, { signal }); an Effect is interrupted"

/** Why a name is refused, with the name that was most likely meant. */
const unknownReason = (name: string, known: ReadonlyArray<string>): string => {
  const lower = name.toLowerCase().replaceAll(/[-_]/g, "")
  if (lower === "signal") return `is unknown: ${besideRequest}`
  const spelt = known.find((candidate) => candidate.toLowerCase() === lower)
  return `is unknown: the nearest is ${spelt ?? aliasOf(lower, known) ?? nearest(lower, known)}`
}

/** Our name, at this level, for a name of another library. */
const aliasOf = (lower: string, known: ReadonlyArray<string>): string | undefined => {
  const alias = aliases.find(([, theirs]) => theirs.split(" ").includes(lower))?.[0] ?? ""
  const [outer = "", inner = ""] = alias.split(".")
  return known.includes(outer) ? alias : known.find((candidate) => candidate === inner)
}

const nearest = (name: string, known: ReadonlyArray<string>): string | undefined => {
  const distances = known.map((candidate) => {
    const other = candidate.toLowerCase()
    const letters = distance(name, other)
    // Apart from a typo, a name that contains the other is nearest: `total` for `totalPages`.
    return name.includes(other) || other.includes(name) ? Math.min(letters, 1 + letters / 100) : letters
  })
  return known[distances.indexOf(Math.min(...distances))]
}

/** Levenshtein distance: how many letters to insert, drop or change. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const change = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1)
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
