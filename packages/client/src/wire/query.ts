/**
 * Query strings: layers of defaults, and one encoder for queries and urlencoded bodies.
 *
 * An encoder of our own rather than `qs`: a `null` must drop a default rather than send `a=`, a `Redacted` must be
 * unwrapped and remembered as a secret, bad values must be typed errors, and `qs` brings a tree of CommonJS packages.
 */
import * as Inspectable from "effect/Inspectable"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type { InvalidInput } from "../shared/invalid.js"
import { encodeComponent, invalid, loneSurrogate, notScalar, Problem, scalarText } from "../shared/invalid.js"
import { isPlainObject } from "../shared/isPlainObject.js"
import * as Result from "../shared/result.js"

/**
 * A query value. `null` and `undefined` send nothing. An object with `toJSON` stands for the value that it returns.
 */
export type QueryValue =
  | string
  | number
  | bigint
  | boolean
  | Date
  | Redacted.Redacted<string>
  | null
  | undefined
  | ReadonlyArray<QueryValue>
  | { readonly [name: string]: QueryValue }
  | ToJson

interface ToJson {
  readonly toJSON: (key?: string) => unknown
}

/** A query as a user writes it. At the top level `null` and `undefined` also drop the default of that name. */
export interface QueryInput {
  readonly [name: string]: QueryValue
}

/** How lists and objects are written. */
export interface QueryFormat {
  readonly arrays: "brackets" | "repeat" | "comma" | "indices"
  readonly nesting: "brackets" | "dots"
}

/** All array formats, for checking a configuration. */
export const arrayFormats: ReadonlyArray<QueryFormat["arrays"]> = ["brackets", "repeat", "comma", "indices"]

/** All nesting formats, for checking a configuration. */
export const nestingFormats: ReadonlyArray<QueryFormat["nesting"]> = ["brackets", "dots"]

/** `a[]=1&a[]=2`, `a[b]=1`. */
export const defaultFormat: QueryFormat = { arrays: "brackets", nesting: "brackets" }

/** One name of a layer. An empty `text` sends nothing, but still hides that name in the layers below. */
export interface QueryEntry {
  /** The name as given, decoded. */
  readonly name: string
  /** `name=value` pairs as they are sent, joined with `&`. */
  readonly text: string
  /** Whether a `Redacted` is among the values. */
  readonly secret: boolean
}

/** A prepared source of parameters: a client's defaults are encoded once, not for every request. */
export type QueryLayer = ReadonlyArray<QueryEntry>

/** The layer that changes nothing. */
export const empty: QueryLayer = Object.freeze([])

/** Deeper than any API needs, and far from a stack overflow. */
const maxDepth = 64

const badValue =
  "must be a string, number, bigint, boolean, Date, Redacted string, list, plain object, or have toJSON"
const unsupported = new Problem(badValue)
const badDate = new Problem("must be a valid Date")
const cyclic = new Problem("must not contain itself")
const tooDeep = new Problem(`must not be nested deeper than ${maxDepth} levels`)
const notInComma = new Problem("must be a single value: lists in the comma format cannot nest")
const badToJson = new Problem("has a toJSON that failed")
const effectData = new Problem("must not be an Effect data type such as Option, but the value it holds")

interface Writer {
  readonly format: QueryFormat
  /** The current path, for the error. A problem leaves it where it was found. */
  readonly trail: Array<string>
  /** The objects around the current one. */
  readonly ancestors: Array<object>
  text: string
  secret: boolean
}

const makeWriter = (format: QueryFormat): Writer => ({
  format,
  trail: [],
  ancestors: [],
  text: "",
  secret: false
})

const append = (w: Writer, key: string, encoded: string): void => {
  w.text = w.text === "" ? `${key}=${encoded}` : `${w.text}&${key}=${encoded}`
}

/** The encoded text of a single value: `undefined` if it sends nothing, `notScalar` for other values. */
const single = (w: Writer, value: unknown): string | undefined | Problem => {
  if (value === null || value === undefined) return undefined
  if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? badDate : encodeURIComponent(value.toISOString())
  }
  const text = scalarText(value)
  if (typeof text !== "string") return text
  if (Redacted.isRedacted(value)) w.secret = true
  return encodeComponent(text)
}

const write = (w: Writer, key: string, value: unknown): Problem | undefined => {
  const text = single(w, value)
  if (typeof text === "string") append(w, key, text)
  if (text !== notScalar) return text instanceof Problem ? text : undefined
  if (typeof value !== "object" || value === null) return unsupported
  if (w.ancestors.includes(value)) return cyclic
  if (w.ancestors.length >= maxDepth) return tooDeep
  w.ancestors.push(value)
  const problem = Array.isArray(value) ? writeArray(w, key, value) : writeObject(w, key, value)
  w.ancestors.pop()
  return problem
}

const writeArray = (w: Writer, key: string, values: ReadonlyArray<unknown>): Problem | undefined => {
  if (w.format.arrays === "comma") return writeComma(w, key, values)
  for (let i = 0; i < values.length; i++) {
    w.trail.push(String(i))
    // An index is the element's own position: a dropped null leaves a gap and never shifts its neighbours.
    const suffix = w.format.arrays === "repeat" ? "" : w.format.arrays === "indices" ? `%5B${i}%5D` : "%5B%5D"
    const problem = write(w, key + suffix, values[i])
    if (problem !== undefined) return problem
    w.trail.pop()
  }
  return undefined
}

/**
 * The joining comma is sent as it is, a comma in a value as `%2C`, so that a server can distinguish them (RFC 3986,
 * 2.2).
 */
const writeComma = (w: Writer, key: string, values: ReadonlyArray<unknown>): Problem | undefined => {
  const texts: Array<string> = []
  for (let i = 0; i < values.length; i++) {
    w.trail.push(String(i))
    const text = single(w, values[i])
    if (text instanceof Problem) {
      return text !== notScalar ? text : typeof values[i] === "object" ? notInComma : unsupported
    }
    if (text !== undefined) texts.push(text)
    w.trail.pop()
  }
  if (texts.length > 0) append(w, key, texts.join(","))
  return undefined
}

const writeObject = (w: Writer, key: string, value: object): Problem | undefined => {
  if (hasToJson(value)) return writeJson(w, key, value)
  if (!isPlainObject(value)) return unsupported
  for (const [name, inner] of Object.entries(value)) {
    w.trail.push(name)
    const encoded = encodeComponent(name)
    if (typeof encoded !== "string") return encoded
    const innerKey = w.format.nesting === "dots" ? `${key}.${encoded}` : `${key}%5B${encoded}%5D`
    const problem = write(w, innerKey, inner)
    if (problem !== undefined) return problem
    w.trail.pop()
  }
  return undefined
}

const hasToJson = (value: object): value is ToJson => "toJSON" in value && typeof value.toJSON === "function"

const writeJson = (w: Writer, key: string, value: ToJson): Problem | undefined => {
  let json: unknown
  try {
    json = value.toJSON("")
  } catch {
    return badToJson
  }
  // Effect's data types describe themselves in `toJSON`; no API wants `a[_id]=Option`.
  const described = Inspectable.NodeInspectSymbol in value && Predicate.hasProperty(json, "_id")
  return described ? effectData : write(w, key, json)
}

/** Checks and encodes a user's query. `root` names the source in the error (`query.limit`). */
export const fromInput = (
  query: QueryInput | undefined,
  format: QueryFormat,
  root = "query"
): Result.Result<QueryLayer, InvalidInput> => {
  if (query === undefined) return Result.succeed(empty)
  if (!isPlainObject(query)) {
    return Result.fail(invalid(root, "must be a plain object of names and values"))
  }
  const layer: Array<QueryEntry> = []
  for (const name of Object.keys(query)) {
    const key = encodeComponent(name)
    if (typeof key !== "string") return Result.fail(invalid(`${root}.${name}`, loneSurrogate.reason))
    const writer = makeWriter(format)
    const problem = write(writer, key, query[name])
    if (problem !== undefined) {
      return Result.fail(invalid([root, name, ...writer.trail].join("."), problem.reason))
    }
    const { secret, text } = writer
    layer.push({ name, text, secret })
  }
  return Result.succeed(layer)
}

const decodeName = (name: string): string => {
  try {
    return decodeURIComponent(name.replaceAll("+", " "))
  } catch {
    return name
  }
}

/** A layer from an encoded query (of a base URL, a template, a link), kept byte for byte. */
export const fromString = (query: string): QueryLayer => {
  if (query === "") return empty
  const layer: Array<QueryEntry> = []
  for (const text of query.split("&")) {
    if (text === "") continue
    const equals = text.indexOf("=")
    layer.push({ name: decodeName(equals < 0 ? text : text.slice(0, equals)), text, secret: false })
  }
  return layer
}

/**
 * `filter` covers `filter[status]` and `filter[]` (and `filter.status` where dots nest), but not `filters`.
 */
const covers = (over: string, under: string, format: QueryFormat): boolean => {
  if (!under.startsWith(over)) return false
  if (under.length === over.length) return true
  const next = under[over.length]
  return over !== "" && (next === "[" || (next === "." && format.nesting === "dots"))
}

/** `over` wins by name; a name that it drops stays dropped when the result is merged over another layer. */
export const merge = (under: QueryLayer, over: QueryLayer, format: QueryFormat): QueryLayer => {
  if (over.length === 0) return under
  if (under.length === 0) return over
  return [...under.filter((entry) => !over.some(({ name }) => covers(name, entry.name, format))), ...over]
}

/** The query as it is sent, without `?`. */
export const render = (layer: QueryLayer): string => {
  let query = ""
  for (const { text } of layer) if (text !== "") query = query === "" ? text : `${query}&${text}`
  return query
}

/** A query in one step, without layers. */
export const encode = (
  query: QueryInput | undefined,
  format: QueryFormat
): Result.Result<string, InvalidInput> => Result.map(fromInput(query, format), render)

/** An `application/x-www-form-urlencoded` body by the same rules. Form parsers read `%20` as they read `+`. */
export const formEncode = (
  form: QueryInput | undefined,
  format: QueryFormat
): Result.Result<string, InvalidInput> => Result.map(fromInput(form, format, "form"), render)
