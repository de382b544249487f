import * as JSONSchema from "effect/JSONSchema"
import * as Predicate from "effect/Predicate"
import type * as Schema from "effect/Schema"

/** A JSON Schema of an object, as the API takes it. */
export interface InputSchema {
  readonly type: "object"
  readonly [keyword: string]: unknown
}

type Json = { readonly [keyword: string]: unknown }

/**
 * The JSON Schema of what a schema decodes. At the top stands the object itself, which a class would only refer to, and
 * nothing has an `$id`, which is the library's own. Throws where the top is no object, and where a part has no JSON Schema.
 */
export const inputSchema = (name: string, schema: Schema.Schema.All): InputSchema => {
  const definitions: Record<string, JSONSchema.JsonSchema7> = {}
  const root = JSONSchema.fromAST(schema.ast, {
    definitions,
    definitionPath: "#/$defs/",
    target: "jsonSchema2020-12",
    topLevelReferenceStrategy: "skip"
  })
  const json = withoutId({
    ...root,
    ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions })
  })
  if (json["type"] === "object") return json as InputSchema
  // Any object, and so the one of a tool that takes nothing.
  if ("$id" in root && root.$id === "/schemas/%7B%7D") return { type: "object", properties: {} }
  throw new TypeError(`The input of tool ${name} must be an object, such as a Schema.Struct`)
}

/** Where the keys are the user's names and not keywords. */
const named: ReadonlySet<string> = new Set(["properties", "patternProperties", "$defs"])
/** Where the values are data and not schemas. */
const data: ReadonlySet<string> = new Set(["enum", "const", "default", "examples", "required"])

const withoutId = (schema: Json): Json => {
  const kept = Object.entries(schema).filter(([keyword]) => keyword !== "$id")
  return Object.fromEntries(kept.map(([keyword, value]) => [keyword, cleaned(keyword, value)]))
}

const cleaned = (keyword: string, value: unknown): unknown => {
  if (data.has(keyword)) return value
  if (named.has(keyword) && Predicate.isRecord(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, schemaIn(inner)]))
  }
  return Array.isArray(value) ? value.map(schemaIn) : schemaIn(value)
}

const schemaIn = (value: unknown): unknown => (Predicate.isRecord(value) ? withoutId(value) : value)
