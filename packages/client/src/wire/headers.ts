/**
 * Headers as layers. Each source (client defaults, credentials, config, body, request) is compiled and checked once,
 * then merged by plain object copies on the hot path.
 */
import * as Predicate from "effect/Predicate"
import type * as Redacted from "effect/Redacted"
import type { InvalidInput } from "../shared/invalid.js"
import { invalid, notScalar, Problem, scalarText } from "../shared/invalid.js"
import { isObject, isPlainObject } from "../shared/isPlainObject.js"
import { omitUndefined } from "../shared/omitUndefined.js"
import * as Result from "../shared/result.js"

type HeaderScalar = string | number | boolean | Redacted.Redacted<string>

/** `null` removes the header, `undefined` does nothing, a list is joined with `, ` (`cookie`: `; `). */
export type HeaderValue = HeaderScalar | ReadonlyArray<HeaderScalar> | null | undefined

/** Headers by name, in any case. */
export interface HeadersRecord {
  readonly [name: string]: HeaderValue
}

/**
 * Headers as a user writes them: by name, or as pairs, as a `Headers` and a `Map` yield. A name given twice is a
 * list.
 */
export type HeadersInput = HeadersRecord | Iterable<readonly [name: string, value: HeaderValue]>

/** Checked headers with lower-case names. `null` is a removed header, and stays removed. */
export type HeaderLayer = Readonly<Record<string, string | null>>

/** The layer that changes nothing. */
export const empty: HeaderLayer = Object.freeze({})

/** RFC 9110 section 5.6.2. */
export const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/**
 * RFC 9110 section 5.5: field-vchar, and SP or HTAB inside. `fetch` accepts other controls and Node's own clients
 * throw on them, but the bytes sent must not depend on the transport. Above U+00FF all of them throw (ByteString).
 */
const allowed = /^[\t\x20-\x7e\x80-\xff]*$/

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09

/**
 * The value without surrounding SP and HTAB, which are not part of it (RFC 9110 section 5.5). CR and LF stay for the
 * check to find. Two loops rather than a regular expression: `[ \t]+$` is quadratic, and servers choose values too.
 */
export const trimValue = (value: string): string => {
  let start = 0
  let end = value.length
  while (start < end && isSpace(value.charCodeAt(start))) start++
  while (end > start && isSpace(value.charCodeAt(end - 1))) end--
  return start === 0 && end === value.length ? value : value.slice(start, end)
}

const badName = "must be a header name: one or more RFC 9110 token characters"
const badInput =
  "must be a plain object of names and values, a Headers, a Map, or a list of [name, value] pairs"
const badKind = "must be a string, number, boolean, Redacted string, or a list of these"
const badBreak = new Problem("must not contain CR, LF or NUL")
const badControl = new Problem("must not contain control characters")
const badWide = new Problem("must not contain characters above U+00FF")

const whyForbidden = (text: string): Problem =>
  /[\r\n\0]/.test(text) ? badBreak : /[^\0-\xff]/.test(text) ? badWide : badControl

const fieldValue = (value: unknown): string | Problem => {
  const text = scalarText(value)
  if (typeof text !== "string") return text
  if (!allowed.test(text)) return whyForbidden(text)
  return trimValue(text)
}

const listValue = (name: string, values: ReadonlyArray<unknown>): string | null | Problem => {
  const texts: Array<string> = []
  for (const value of values) {
    if (value === null || value === undefined) continue
    const text = fieldValue(value)
    if (typeof text !== "string") return text
    texts.push(text)
  }
  // An empty list is a value too: it overrides a default, and sends nothing.
  return texts.length === 0 ? null : texts.join(name === "cookie" ? "; " : ", ")
}

const isPair = (pair: unknown): pair is [name: string, value: unknown] =>
  Array.isArray(pair) && pair.length === 2 && typeof pair[0] === "string"

/**
 * Headers by name; `undefined` for other values. An iterator is refused: it yields its pairs once, and a request may
 * be sent twice.
 */
const recordOf = (input: unknown): Readonly<Record<string, unknown>> | undefined => {
  if (!isObject(input)) return undefined
  if (!Predicate.isIterable(input)) {
    // An instance of another class may hold its content elsewhere, as a Date or a promise does.
    return isPlainObject(input) || Object.keys(input).length > 0 ? input : undefined
  }
  if ("next" in input) return undefined
  const record: Record<string, unknown> = Object.create(null)
  for (const pair of input) {
    if (!isPair(pair)) return undefined
    const [given, value] = pair
    const name = given.toLowerCase()
    const before = record[name]
    record[name] = before === undefined || before === null ? value : [before, value].flat()
  }
  return record
}

/** Headers as a record, for those who look for values in them: any iterable may hold its pairs where nobody else looks. */
export const read = (input: unknown): unknown => {
  try {
    return recordOf(input) ?? input
  } catch {
    // What throws here cannot be sent either.
    return undefined
  }
}

/**
 * Headers of the connection and of message framing belong to the transport (RFC 9110, 7.6.1 and 10.1.1; RFC 9113,
 * 8.2.2), except with these values. Each transport would refuse some of them, with an error of its own, and drop
 * others.
 */
const reserved: ReadonlyMap<string, RegExp | undefined> = new Map([
  ["connection", /^(?:close|keep-alive)$/i],
  ["content-length", /^\d{1,15}$/],
  ["expect", undefined],
  ["http2-settings", undefined],
  ["keep-alive", undefined],
  ["proxy-connection", undefined],
  ["te", /^trailers$/i],
  ["transfer-encoding", undefined],
  ["upgrade", undefined]
])

const ofConnection = "belongs to the connection, which is the transport's to keep"

/** Why a well-formed header cannot be sent. */
const reservedProblem = (name: string, value: string): string | undefined => {
  if (!reserved.has(name) || reserved.get(name)?.test(value) === true) return undefined
  return name === "content-length" ? "must be a whole number of bytes" : ofConnection
}

/** The problem with the first of these headers that cannot be sent. For headers that did not pass {@link compile}. */
export const checkHeaders = (headers: Readonly<Record<string, string>>): InvalidInput | undefined => {
  for (const name of Object.keys(headers)) {
    const value: unknown = headers[name]
    const field = `headers.${name}`
    if (!token.test(name)) return invalid(field, badName)
    if (typeof value !== "string") return invalid(field, badKind)
    if (!allowed.test(value)) return invalid(field, whyForbidden(value).reason)
    const problem = reservedProblem(name.toLowerCase(), value)
    if (problem !== undefined) return invalid(field, problem)
  }
  return undefined
}

/**
 * Checks names and values and lower-cases the names. `field` names the source in the error (`headers.x-name`). A name
 * given twice in different case is one header: the later one wins.
 */
export const compile = (
  input: HeadersInput | undefined,
  field: string
): Result.Result<HeaderLayer, InvalidInput> => {
  if (input === undefined) return Result.succeed(empty)
  const record = recordOf(input)
  if (record === undefined) return Result.fail(invalid(field, badInput))
  const layer: Record<string, string | null> = {}
  for (const given of Object.keys(record)) {
    const value: unknown = record[given]
    // `__proto__` is a token, but a plain object cannot carry it: assigning it would replace the prototype.
    if (!token.test(given) || given === "__proto__") return Result.fail(invalid(`${field}.${given}`, badName))
    if (value === undefined) continue
    const name = given.toLowerCase()
    const text = value === null ? null : Array.isArray(value) ? listValue(name, value) : fieldValue(value)
    if (text instanceof Problem) {
      return Result.fail(invalid(`${field}.${name}`, text === notScalar ? badKind : text.reason))
    }
    const problem = text === null ? undefined : reservedProblem(name, text)
    if (problem !== undefined) return Result.fail(invalid(`${field}.${name}`, problem))
    layer[name] = text
  }
  return Result.succeed(layer)
}

const lowerCase = (input: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(omitUndefined(input)).map(([name, value]) => [name.toLowerCase(), value]))

/**
 * Merges headers as users write them: the same name in another case is the same header. A value that is not headers
 * passes through, for {@link compile} to refuse.
 */
export const mergeInput = (under: unknown, over: unknown): unknown => {
  const below = recordOf(under === undefined ? {} : under)
  const above = recordOf(over === undefined ? {} : over)
  if (below === undefined || above === undefined) return above === undefined ? over : under
  return { ...lowerCase(below), ...lowerCase(above) }
}

/**
 * The value of a header that can have only one. Transports join two lines with `, `, and a server or a proxy may send
 * the same line twice. Different values stay joined.
 */
export const single = (value: string): string => {
  if (!value.includes(", ")) return value
  const parts = value.split(", ")
  for (let period = 1; period * 2 <= parts.length; period++) {
    if (parts.length % period === 0 && parts.every((part, i) => part === parts[i % period])) {
      return parts.slice(0, period).join(", ")
    }
  }
  return value
}

/** Bytes above ASCII, one character each, as HTTP clients return headers. */
const latin1 = /^(?=.*[\x80-\xff])[\0-\xff]*$/s

/**
 * Decodes a header whose bytes are UTF-8, as WHATWG fetch reads `Location`. Other text, or text that is decoded
 * already, stays unchanged.
 */
export const utf8 = (value: string): string => {
  if (!latin1.test(value)) return value
  try {
    const bytes = Uint8Array.from(value, (character) => character.charCodeAt(0))
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return value
  }
}

/** `over` wins: its values replace and its removals remove. */
export const merge = (under: HeaderLayer, over: HeaderLayer): HeaderLayer =>
  over === empty ? under : under === empty ? over : Object.assign({}, under, over)

/** The headers to send, without the removed ones. */
export const finish = (layer: HeaderLayer): Record<string, string> => {
  const headers: Record<string, string> = {}
  for (const name of Object.keys(layer)) {
    const value = layer[name]
    if (typeof value === "string") headers[name] = value
  }
  return headers
}
