/**
 * Settings as plain JavaScript may give them: a name that is none of them is an error that names the nearest, and so is a
 * value of another kind than the types say.
 */
import * as Data from "effect/Data"
import * as Predicate from "effect/Predicate"
import { type InvalidInput, invalid } from "./invalid.js"
import { isPlain } from "./plain.js"

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

/** What is wrong with the value of a setting, if anything is. */
export type Check = (value: unknown, key: string) => InvalidInput | undefined

/** The settings of one level, each with the check of its value. */
export type Shape = Readonly<Record<string, Check>>

/** A check by a test; the reason says what the value must be. */
export const kind =
  (test: (value: unknown) => boolean, reason: string): Check =>
  (value, key) =>
    test(value) ? undefined : invalid(key, reason)

/** Whatever it is, somebody else looks at it. */
export const any: Check = () => undefined
export const text: Check = /*#__PURE__*/ kind((value) => typeof value === "string", "must be a string")
export const flag: Check = /*#__PURE__*/ kind((value) => typeof value === "boolean", "must be true or false")
export const callback: Check = /*#__PURE__*/ kind(
  (value) => typeof value === "function",
  "must be a function"
)

/** A list, each of whose elements passes the check. */
export const list =
  (each: Check): Check =>
  (values, key) => {
    if (!Array.isArray(values)) return invalid(key, "must be a list")
    for (const [index, value] of values.entries()) {
      const problem = each(value, `${key}.${index}`)
      if (problem !== undefined) return problem
    }
    return undefined
  }

/** Whether a value can hold settings: a promise cannot, nor a list, nor a Date. */
export const isRecord = (value: unknown): value is object =>
  Predicate.isRecord(value) && (isPlain(value) || Object.keys(value).length > 0)

/** Settings within a setting. */
export const fields =
  (shape: Shape): Check =>
  (value, key) =>
    isRecord(value)
      ? problemIn(value, shape, key)
      : invalid(key, `must be an object of ${Object.keys(shape).join(", ")}`)

/** The first setting that is unknown or of the wrong kind. What is `undefined` counts as left out. */
export const problemIn = (options: object, shape: Shape, parent = ""): InvalidInput | undefined => {
  for (const name of Object.keys(options)) {
    const value = (options as Readonly<Record<string, unknown>>)[name]
    const key = parent === "" ? name : `${parent}.${name}`
    const check = Object.hasOwn(shape, name) ? shape[name] : undefined
    const problem =
      check === undefined
        ? invalid(key, unknownReason(name, Object.keys(shape), parent))
        : value === undefined
          ? undefined
          : check(value, key)
    if (problem !== undefined) return problem
  }
  return undefined
}

/** Throws an `InvalidConfigError` for the first setting that is unknown: for constructors that have no other way to fail. */
export const refuseUnknown = (what: string, options: object, known: ReadonlyArray<string>): void => {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    throw new InvalidConfigError({ key: `${what}.${name}`, reason: unknownReason(name, known, "") })
  }
}

/** What other libraries call it; the name here may lead into another setting. */
const aliases: Readonly<Record<string, string>> = {
  apikey: "credentials",
  auth: "credentials",
  token: "credentials",
  url: "baseUrl",
  endpoint: "baseUrl",
  prefixurl: "baseUrl",
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
export const unknownReason = (name: string, known: ReadonlyArray<string>, parent: string): string => {
  const lower = name.toLowerCase()
  const spelt = known.find((candidate) => candidate.toLowerCase() === lower)
  if (Object.hasOwn(hints, lower)) return `is unknown: ${hints[lower]}`
  const alias = Object.hasOwn(aliases, lower) ? aliases[lower] : undefined
  const within = parent === "" ? "" : `${parent}.`
  const isAlias = alias !== undefined && known.includes(alias.split(".")[0] ?? "")
  return `is unknown: the nearest is ${spelt === undefined && isAlias ? alias : `${within}${spelt ?? nearest(lower, known)}`}`
}

const nearest = (name: string, known: ReadonlyArray<string>): string | undefined => {
  const distances = known.map((candidate) => distance(name, candidate.toLowerCase()))
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
