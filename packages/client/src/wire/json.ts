/**
 * JSON for the wire. A part that `JSON.stringify` would silently drop or alter is an error with the path to it.
 * `JSON.stringify` sees own enumerable properties and `toJSON` only: it turns a `FormData`, a stream or a promise
 * into `{}`.
 */
import * as Inspectable from "effect/Inspectable"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { isEffects, isRecordOfEffect } from "../effect/typeIds.js"
import { type InvalidInput, invalid, Problem, wiped } from "../shared/invalid.js"
import { isObject, isPlainObject } from "../shared/isPlainObject.js"
import * as Result from "../shared/result.js"

/** Deeper than any API accepts, and far from a stack overflow. */
const maxDepth = 1000

const notFinite = new Problem("must be a finite number: JSON has no NaN and no Infinity")
const bigint = new Problem("must not be a bigint, which JSON cannot hold: send a number or a string")
const aFunction = new Problem("must not be a function, which JSON cannot hold")
const aSymbol = new Problem("must not be a symbol, which JSON cannot hold")
const badDate = new Problem("must be a valid date")
const badToJson = "could not be turned into JSON: its toJSON failed"
const unreadable = "could not be turned into JSON: reading it failed"
const cyclic = new Problem("must not refer back to itself")
const tooDeep = new Problem(`must not be nested deeper than ${maxDepth} levels`)
const effectData = new Problem(
  "must not be an Effect data type, but the value it holds: `bodySchema` encodes such types"
)

/** An exception of the program's own code, and where it happened. */
class Thrown extends Problem {
  readonly cause: unknown

  constructor(reason: string, cause: unknown) {
    super(reason)
    this.cause = cause
  }
}

/** What to use instead, by the runtime's name for the value (`Object.prototype.toString`). */
const instead: Readonly<Record<string, string>> = {
  FormData: "send its fields as `multipart`",
  URLSearchParams: "send its names and values as `form`",
  Blob: "send files as `multipart`",
  File: "send files as `multipart`",
  ArrayBuffer: "send bytes as `bytes`",
  SharedArrayBuffer: "send bytes as `bytes`",
  ReadableStream: "send it as `bodyStream`",
  AsyncGenerator: "send it as `bodyStream`",
  Promise: "await it",
  Map: "make it one with Object.fromEntries",
  Headers: "make it one with Object.fromEntries",
  Set: "make it an array",
  Generator: "make it an array",
  Error: "send its message",
  RegExp: "send its source"
}

/** How to write a `Redacted`: its content for the wire (`reveal`), or `<redacted>` for people (`mask`). */
export interface Options {
  readonly redacted: "reveal" | "mask"
}

const revealing: Options = { redacted: "reveal" }

class Walk {
  readonly path: Array<string | number>
  /** The objects being walked, set only to locate a cycle. */
  readonly parents: Set<object> | undefined
  readonly redacted: Options["redacted"]
  /** The contents of each `Redacted` that was found. */
  readonly revealed: Array<unknown> = []
  depth = 0

  constructor(field: string, options: Options, parents?: Set<object>) {
    this.path = [field]
    this.redacted = options.redacted
    this.parents = parents
  }
}

/**
 * The value as `JSON.stringify` may have it: itself if nothing prevents that. Throws a {@link Problem}; the path then
 * leads to it.
 */
const walk = (self: Walk, value: unknown, key: string | number): unknown => {
  switch (typeof value) {
    case "object":
      return isObject(value) ? walkObject(self, value, key) : null
    case "number":
      if (Number.isFinite(value)) return value
      throw notFinite
    case "bigint":
      throw bigint
    case "function":
      throw key === "then" ? refusal("Promise") : aFunction
    case "symbol":
      throw aSymbol
    default:
      return value
  }
}

const walkObject = (self: Walk, value: Record<string, unknown>, key: string | number): unknown => {
  if (self.depth >= maxDepth) throw tooDeep
  if (self.parents?.has(value) === true) throw cyclic
  self.parents?.add(value)
  self.depth++
  const plain = Array.isArray(value)
    ? items(self, value)
    : isRecord(value)
      ? members(self, value)
      : walkOther(self, value, key)
  self.depth--
  self.parents?.delete(value)
  return plain
}

/** An object with a `toJSON` chooses its own JSON. */
const isRecord = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || prototype === null) && !hasToJson(value)
}

const items = (self: Walk, values: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
  let copy: Array<unknown> | undefined
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (typeof value === "string") continue
    self.path.push(i)
    const plain = walk(self, value, i)
    self.path.pop()
    if (plain === value) continue
    copy ??= [...values]
    copy[i] = plain
  }
  return copy ?? values
}

const members = (self: Walk, value: Record<string, unknown>): object => {
  let copy: Record<string, unknown> | undefined
  const keys = Object.keys(value)
  for (const key of keys) {
    const member = value[key]
    if (typeof member === "string") continue
    self.path.push(key)
    const plain = walk(self, member, key)
    self.path.pop()
    if (plain === member) continue
    copy ??= { ...value }
    copy[key] = plain
  }
  if (keys.length === 0) refuseHidden(value)
  return copy ?? value
}

/** Refuses an object that has content but no property to send: `JSON.stringify` would not see it. */
const refuseHidden = (value: object): void => {
  // Effect's own records may be empty: their content is their properties, by definition.
  if (Reflect.ownKeys(value).length === 0 && (isPlainObject(value) || isRecordOfEffect(value))) return
  throw refusal(nameOf(value))
}

const walkOther = (self: Walk, value: Record<string, unknown>, key: string | number): unknown => {
  if (Redacted.isRedacted(value) && self.redacted === "reveal") {
    const plain = walk(self, unwrap(value), key)
    self.revealed.push(plain)
    return plain
  }
  if (ArrayBuffer.isView(value)) throw refusal(nameOf(value), "ArrayBuffer")
  if (value instanceof Number || value instanceof String || value instanceof Boolean) {
    return walk(self, value.valueOf(), key)
  }
  if (hasToJson(value)) return spoken(self, value, key)
  if (isEffects(value)) throw effectData
  const name = nameOf(value)
  if (Object.hasOwn(instead, name)) throw refusal(name)
  if ("then" in value && typeof value.then === "function") throw refusal(name, "Promise")
  if (Symbol.asyncIterator in value) throw refusal(name, "ReadableStream")
  if (Symbol.iterator in value) throw refusal(name, "Set")
  return members(self, value)
}

const hasToJson = (value: object): value is { readonly toJSON: (key: string) => unknown } =>
  "toJSON" in value && typeof value.toJSON === "function"

/** The result of `toJSON` is not asked for its own `toJSON`: it may be the value itself. */
const spoken = (
  self: Walk,
  value: { readonly toJSON: (key: string) => unknown },
  key: string | number
): unknown => {
  let json: unknown
  try {
    json = value.toJSON(String(key))
  } catch (error) {
    throw new Thrown(badToJson, error)
  }
  if (json === null && nameOf(value) === "Date") throw badDate
  // Effect's data types describe themselves in `toJSON`; no API wants `{"_id":"Option"}`.
  if (Inspectable.NodeInspectSymbol in value && Predicate.hasProperty(json, "_id")) throw effectData
  return json === value && isObject(json) ? members(self, json) : walk(self, json, key)
}

/** The content of a Redacted. */
const unwrap = (redacted: Redacted.Redacted<unknown>): unknown => {
  try {
    return Redacted.value(redacted)
  } catch {
    throw wiped
  }
}

/** `FormData`, `Map`; otherwise the name of its class. */
const nameOf = (value: object): string => {
  const tag = Object.prototype.toString.call(value).slice("[object ".length, -1)
  if (tag !== "Object") return tag
  const { constructor } = value
  return typeof constructor === "function" && constructor !== Object ? constructor.name : ""
}

const refusal = (name: string, like = name): Problem => {
  const hint = Object.hasOwn(instead, like) ? instead[like] : "give it a toJSON"
  const what =
    name === ""
      ? "an object whose content is elsewhere than in its own properties"
      : `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`
  return new Problem(`must be a plain object or an array, not ${what}: ${hint}`)
}

/** The JSON value of every `Redacted` in a value, up to the first failure. */
export const revealed = (value: unknown): ReadonlyArray<unknown> => {
  const self = new Walk("", revealing)
  try {
    walk(self, value, "")
  } catch {
    // A value that cannot be encoded was never sent.
  }
  return self.revealed
}

/**
 * The JSON text of a value. A `Redacted` is unwrapped unless it is to be masked; `field` names the value in the
 * error.
 */
export const stringify = (
  value: unknown,
  field: string,
  options: Options = revealing
): Result.Result<string, InvalidInput> => {
  const self = new Walk(field, options)
  try {
    const text = JSON.stringify(walk(self, value, ""))
    return text === undefined
      ? Result.fail(invalid(field, "must be a value that JSON can hold"))
      : Result.succeed(text)
  } catch (error) {
    if (error !== tooDeep) return Result.fail(problemOf(self, error))
  }
  // A second walk, only after a failure, finds the cycle and where it closes.
  const again = new Walk(field, options, new Set())
  try {
    walk(again, value, "")
    return Result.fail(problemOf(self, tooDeep))
  } catch (error) {
    return Result.fail(problemOf(again, error))
  }
}

const problemOf = (self: Walk, error: unknown): InvalidInput => {
  // The stack overflows early if the caller is deep in it.
  const outOfStack = self.depth > 1 && error instanceof RangeError
  const problem = error instanceof Problem ? error : outOfStack ? tooDeep : new Thrown(unreadable, error)
  const input = invalid(self.path.join("."), problem.reason)
  return problem instanceof Thrown ? { ...input, cause: problem.cause } : input
}
