import * as Predicate from "effect/Predicate"
import type { JsonSchema } from "./FromJsonSchema.js"

/** Where a value does not fit its JSON Schema, and why. */
export interface Misfit {
  readonly path: ReadonlyArray<string | number>
  readonly reason: string
}

/**
 * Checks a value by the keywords that give a JSON Schema its type: see `FromJsonSchema`. References to `$defs` are followed. Other
 * keywords, such as `pattern`, are left to the API.
 */
export const checkJson = (schema: JsonSchema, value: unknown): Misfit | undefined =>
  check(schema, value, [], schema, 0)

/** The depth that the API accepts in a request. */
const maxDepth = 1000

const check = (
  schema: unknown,
  value: unknown,
  path: Misfit["path"],
  root: JsonSchema,
  depth: number
): Misfit | undefined => {
  if (schema === true || !Predicate.isRecord(schema))
    return schema === false ? { path, reason: "is not allowed" } : undefined
  if (depth > maxDepth) return { path: [], reason: `is nested deeper than ${maxDepth} levels` }
  const within = (inner: unknown, found: unknown, ...more: Misfit["path"]) =>
    check(inner, found, more.length === 0 ? path : [...path, ...more], root, depth + 1)
  const { $ref, anyOf, enum: choices, items, oneOf, properties, required, type } = schema
  if (typeof $ref === "string") return within(referred($ref, root), value)
  if ("const" in schema && !isSame(schema["const"], value))
    return { path, reason: `must be ${shown(schema["const"])}` }
  if (Array.isArray(choices) && !choices.some((choice) => isSame(choice, value)))
    return { path, reason: `must be one of ${choices.map(shown).join(", ")}` }
  const alternatives = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : undefined
  if (alternatives !== undefined) {
    const misfits = alternatives.map((one) => within(one, value))
    // The choice that fits furthest explains most.
    const [closest] = misfits.includes(undefined) ? [] : misfits.sort((a, b) => lengthOf(b) - lengthOf(a))
    if (closest !== undefined) return closest
  }
  const types: ReadonlyArray<unknown> = Array.isArray(type) ? type : type === undefined ? [] : [type]
  if (types.length > 0 && !types.some((one) => isOfType(one, value)))
    return { path, reason: `must be ${types.map((one) => names.get(one) ?? String(one)).join(" or ")}` }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const misfit = items === undefined ? undefined : within(items, item, index)
      if (misfit !== undefined) return misfit
    }
    return undefined
  }
  if (!Predicate.isRecord(value)) return undefined
  for (const name of Array.isArray(required) ? required : []) {
    if (!Object.hasOwn(value, String(name))) return { path: [...path, String(name)], reason: "is missing" }
  }
  for (const [name, inner] of Object.entries(Predicate.isRecord(properties) ? properties : {})) {
    const misfit = Object.hasOwn(value, name) ? within(inner, value[name], name) : undefined
    if (misfit !== undefined) return misfit
  }
  return undefined
}

const lengthOf = (misfit: Misfit | undefined): number => misfit?.path.length ?? 0

/** JSON has no value with an identity. */
const isSame = (one: unknown, other: unknown): boolean =>
  one === other || (typeof one === "object" && typeof other === "object" && shown(one) === shown(other))

const shown = (value: unknown): string => JSON.stringify(value)

/** The schema that a JSON Pointer refers to (RFC 6901); one that does not exist allows anything. */
const referred = (reference: string, root: JsonSchema): unknown => {
  let found: unknown = root
  for (const part of reference.split("/").slice(1)) {
    const name = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~")
    found = Predicate.isRecord(found) && Object.hasOwn(found, name) ? found[name] : undefined
  }
  return found
}

const names: ReadonlyMap<unknown, string> = new Map([
  ["string", "a string"],
  ["number", "a number"],
  ["integer", "an integer"],
  ["boolean", "a boolean"],
  ["null", "null"],
  ["array", "an array"],
  ["object", "an object"]
])

const isOfType = (type: unknown, value: unknown): boolean => {
  switch (type) {
    case "integer":
      return Number.isInteger(value)
    case "null":
      return value === null
    case "array":
      return Array.isArray(value)
    case "object":
      return Predicate.isRecord(value)
    case "string":
    case "number":
    case "boolean":
      return typeof value === type
    default:
      return true
  }
}
