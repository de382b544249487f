/**
 * Settings as plain JavaScript may give them: a name that is none of them is an error that names the nearest, and so is a
 * value of another kind than the types say.
 */
import * as Data from "effect/Data"
import * as Predicate from "effect/Predicate"
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

/** What is wrong with the value of a setting, if anything is. The field is the place within the value, `""` for all of it. */
export type Check = (value: unknown) => InvalidInput | undefined

/** The settings of one level, each with the check of its value. */
export type Shape = Readonly<Record<string, Check>>

/** A check by a test; the reason says what the value must be. */
export const kind = (test: (value: unknown) => boolean, reason: string): Check => {
  const problem = invalid("", reason)
  return (value) => (test(value) ? undefined : problem)
}

/** Whatever it is, somebody else looks at it. */
export const any: Check = () => undefined
export const text: Check = /*#__PURE__*/ kind((value) => typeof value === "string", "must be a string")
export const flag: Check = /*#__PURE__*/ kind((value) => typeof value === "boolean", "must be true or false")
export const callback: Check = /*#__PURE__*/ kind(
  (value) => typeof value === "function",
  "must be a function"
)

const within = (name: string, problem: InvalidInput): InvalidInput => ({
  ...problem,
  ...invalid(problem.field === "" ? name : `${name}.${problem.field}`, problem.reason)
})

/** A list, each of whose elements passes the check. */
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

/** Whether a value can hold settings: a promise cannot, nor a list, nor a Date. */
export const isRecord = (value: unknown): value is object =>
  Predicate.isRecord(value) && (isPlainObject(value) || Object.keys(value).length > 0)

/** Settings within a setting. */
export const fields = (shape: Shape): Check => {
  const problemOf = checker(shape)
  return (value) =>
    isRecord(value) ? problemOf(value) : invalid("", `must be an object of ${Object.keys(shape).join(", ")}`)
}

/**
 * Finds the first setting that is unknown or of the wrong kind. What is `undefined` counts as left out. Requests are made
 * anew for every call: names and places are put together only where something is wrong.
 */
export const checker = (shape: Shape): ((options: object) => InvalidInput | undefined) => {
  const checks = new Map(Object.entries(shape))
  return (options) => {
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
        const value = (options as Readonly<Record<string, unknown>>)[name]
        const problem = value === undefined ? undefined : check(value)
        if (problem !== undefined) return within(name, problem)
      }
      return undefined
    } catch (cause) {
      return { ...invalid(at, "could not be read: a getter in it failed"), cause }
    }
  }
}

/** Throws an `InvalidConfigError` for the first setting that is unknown: for constructors that have no other way to fail. */
export const refuseUnknown = (what: string, options: object, known: ReadonlyArray<string>): void => {
  const problem = unknownIn(options, known)
  if (problem === undefined) return
  throw new InvalidConfigError({ key: `${what}.${problem.field}`, reason: problem.reason })
}

/** Why these options cannot be taken, if one of them is unknown: for other packages, whose settings this one does not know. */
export const unknownIn = (options: object, known: ReadonlyArray<string>): InvalidInput | undefined => {
  const name = Object.keys(options).find((name) => !known.includes(name))
  return name === undefined ? undefined : invalid(name, unknownReason(name, known))
}

/** What other libraries call it; the name here may lead into another setting. */
const aliases: Readonly<Record<string, string>> = {
  apikey: "credentials",
  auth: "credentials",
  token: "credentials",
  accesstoken: "credentials",
  bearertoken: "credentials",
  interceptors: "middleware",
  hooks: "middleware",
  url: "baseUrl",
  endpoint: "baseUrl",
  prefixurl: "baseUrl",
  maxretry: "retry.maxRetries",
  maxretries: "retry.maxRetries",
  retries: "retry.maxRetries",
  fetch: "transport",
  httpclient: "transport",
  params: "query",
  searchparams: "query",
  json: "body",
  data: "body",
  payload: "body",
  schema: "success"
}

/** What no option of the same level means. */
const hints: Readonly<Record<string, string>> = {
  signal: "PromiseClient takes it beside the request, execute(request, { signal }); an Effect is interrupted"
}

/** Why a name is refused, with the one that was most likely meant. */
const unknownReason = (name: string, known: ReadonlyArray<string>): string => {
  const lower = name.toLowerCase().replaceAll(/[-_]/g, "")
  if (Object.hasOwn(hints, lower)) return `is unknown: ${hints[lower]}`
  const spelt = known.find((candidate) => candidate.toLowerCase() === lower)
  return `is unknown: the nearest is ${spelt ?? aliasOf(lower, known) ?? nearest(lower, known)}`
}

/** What another library's name is here, as it is called at this level. */
const aliasOf = (lower: string, known: ReadonlyArray<string>): string | undefined => {
  const alias = Object.hasOwn(aliases, lower) ? (aliases[lower] ?? "") : ""
  const [outer = "", inner = ""] = alias.split(".")
  return known.includes(outer) ? alias : known.find((candidate) => candidate === inner)
}

const nearest = (name: string, known: ReadonlyArray<string>): string | undefined => {
  const distances = known.map((candidate) => {
    const other = candidate.toLowerCase()
    const letters = distance(name, other)
    // A part of a name is nearer than anything but a slip of the pen: `total` for `totalPages`.
    return name.includes(other) || other.includes(name) ? Math.min(letters, 1 + letters / 100) : letters
  })
  return known[distances.indexOf(Math.min(...distances))]
}

/** Levenshtein's distance: how many letters to insert, leave out or change. */
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
