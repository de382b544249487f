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
  check(schema, value, [], { root: schema, checked: new Map() }, 0)

interface Run {
  readonly root: JsonSchema
  /** What came of each schema and each part of the value. Choices within choices would be checked again and again. */
  readonly checked: Map<object, Map<object, Misfit | undefined>>
}

/** The depth that the API accepts in a request. */
const maxDepth = 1000

const check = (
  schema: unknown,
  value: unknown,
  path: Misfit["path"],
  run: Run,
  depth: number
): Misfit | undefined => {
  if (!Predicate.isObject(schema) || !Predicate.isObject(value))
    return misfitOf(schema, value, path, run, depth)
  const known = run.checked.get(schema) ?? new Map<object, Misfit | undefined>()
  run.checked.set(schema, known)
  if (known.has(value)) return known.get(value)
  const misfit = misfitOf(schema, value, path, run, depth)
  known.set(value, misfit)
  return misfit
}

const misfitOf = (
  schema: unknown,
  value: unknown,
  path: Misfit["path"],
  run: Run,
  depth: number
): Misfit | undefined => {
  if (schema === true || !Predicate.isRecord(schema))
    return schema === false ? { path, reason: "is not allowed" } : undefined
  if (depth > maxDepth) return { path: [], reason: `is nested deeper than ${maxDepth} levels` }
  const within = (inner: unknown, found: unknown, ...more: Misfit["path"]) =>
    check(inner, found, more.length === 0 ? path : [...path, ...more], run, depth + 1)
  const { $ref, anyOf, enum: choices, items, oneOf, properties, required, type } = schema
  if (typeof $ref === "string") return within(referred($ref, run.root), value)
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

/** JSON has no value with an identity, and its fields have no order. */
const isSame = (one: unknown, other: unknown): boolean => {
  if (one === other) return true
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((item, index) => isSame(item, other[index]))
  if (!Predicate.isRecord(one) || !Predicate.isRecord(other)) return false
  const names = Object.keys(one)
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isSame(one[name], other[name]))
  )
}

const shown = (value: unknown): string => JSON.stringify(value)

/** The schema that a JSON Pointer refers to (RFC 6901); one that does not exist allows anything. */
const referred = (reference: string, root: JsonSchema): unknown => {
  let found: unknown = root
  for (const part of reference.split("/").slice(1)) {
    const name = unescaped(part).replaceAll("~1", "/").replaceAll("~0", "~")
    found = Predicate.isRecord(found) && Object.hasOwn(found, name) ? found[name] : undefined
  }
  return found
}

const unescaped = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
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
