import * as Predicate from "effect/Predicate"
import type { JsonSchema } from "./FromJsonSchema.js"

/** The formats of strings that the API enforces. */
const formats: ReadonlySet<unknown> = new Set([
  "date-time",
  "time",
  "date",
  "duration",
  "email",
  "hostname",
  "uri",
  "ipv4",
  "ipv6",
  "uuid"
])

/**
 * A JSON Schema in the form that the API enforces on its output, as Anthropic's SDKs send it: objects without further
 * properties, `anyOf` in place of `oneOf`. The description lists the keywords that the API does not enforce.
 *
 * Throws a `TypeError` if a part of the schema has no type.
 */
export const strictSchema = (schema: JsonSchema): JsonSchema => strict(schema, "the schema")

const strict = (schema: unknown, path: string): JsonSchema => {
  if (!Predicate.isRecord(schema)) throw new TypeError(`${path} must be a JSON Schema`)
  const { $defs, $ref, $schema: _, allOf, anyOf, oneOf, type, ...rest } = schema
  const defs = $defs === undefined ? {} : { $defs: strictEach($defs, `${path}.$defs`) }
  if ($ref !== undefined) return { ...defs, $ref }
  const result: Record<string, unknown> = { ...defs }
  const left: Record<string, unknown> = { ...rest }
  const take: Take = (name, ...given) => {
    const [value] = given.length === 0 ? [left[name]] : given
    delete left[name]
    if (value !== undefined) result[name] = value
  }
  if (Array.isArray(left["enum"]) && left["enum"].length > 0 && left["enum"].every(isPrimitive)) take("enum")
  if (left["const"] !== undefined && isPrimitive(left["const"])) take("const")
  const isLiteral = "enum" in result || "const" in result
  const choices = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : undefined
  if (choices !== undefined) result["anyOf"] = choices.map((one, at) => strict(one, `${path}.anyOf.${at}`))
  else if (Array.isArray(allOf)) result["allOf"] = allOf.map((one, at) => strict(one, `${path}.allOf.${at}`))
  else if (!isLiteral) {
    if (type === undefined)
      throw new TypeError(`${path} must have a type, or anyOf, oneOf, allOf, enum or const`)
    result["type"] = type
  }
  take("description")
  take("title")
  if (!isLiteral) takeByType(type, take, left, path)
  const notes = Object.entries(left).map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
  if (notes.length > 0) {
    const note = `{${notes.join(", ")}}`
    result["description"] = [result["description"], note].filter(Boolean).join("\n\n")
  }
  return result
}

/** Moves a keyword to the result, with another value if there is one. `undefined` drops it. */
type Take = (name: string, ...value: readonly [value?: unknown]) => void

const takeByType = (type: unknown, take: Take, left: Record<string, unknown>, path: string): void => {
  const { format, items, minItems, properties = {} } = left
  switch (type) {
    case "object":
      take("properties", strictEach(properties, path))
      take("additionalProperties", false)
      take("required")
      break
    case "string":
      // What the API does not enforce moves to the end of the description.
      take("format", formats.has(format) ? format : undefined)
      if (format !== undefined && !formats.has(format)) left["format"] = format
      break
    case "array":
      if (items !== undefined) take("items", strict(items, `${path}.items`))
      take("minItems", minItems === 0 || minItems === 1 ? minItems : undefined)
      if (minItems !== undefined && minItems !== 0 && minItems !== 1) left["minItems"] = minItems
  }
}

const strictEach = (schemas: unknown, path: string): JsonSchema =>
  Object.fromEntries(
    Object.entries(Predicate.isRecord(schemas) ? schemas : {}).map(([name, one]) => [
      name,
      strict(one, `${path}.${name}`)
    ])
  )

const isPrimitive = (value: unknown): boolean => value === null || typeof value !== "object"
