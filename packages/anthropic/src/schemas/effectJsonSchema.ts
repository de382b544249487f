import * as JSONSchema from "effect/JSONSchema"
import * as Predicate from "effect/Predicate"
import type * as Schema from "effect/Schema"

type Json = { readonly [keyword: string]: unknown }

/**
 * The JSON Schema of a schema's encoded side. The schema is inlined at the top level, where a class would be a reference, and
 * Effect's own `$id`s are removed. Throws if a part of it, which `what` names, has no JSON Schema.
 */
export const effectJsonSchema = (_what: string, schema: Schema.Schema.All): Json => {
  const definitions: Record<string, JSONSchema.JsonSchema7> = {}
  const root = JSONSchema.fromAST(schema.ast, {
    definitions,
    definitionPath: "#/$defs/",
    target: "jsonSchema2020-12",
    topLevelReferenceStrategy: "skip"
  })
  // `{}` accepts any object, and so describes a tool without input.
  if ("$id" in root && root.$id === "/schemas/%7B%7D") return { type: "object", properties: {} }
  return withoutId({
    ...root,
    ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions })
  })
}

/** Keywords whose keys are the user's names. */
const byName: ReadonlySet<string> = new Set(["properties", "patternProperties", "$defs"])
/** Keywords whose values are data, not schemas. */
const data: ReadonlySet<string> = new Set(["enum", "const", "default", "examples", "required"])

const withoutId = (schema: Json): Json => {
  const kept = Object.entries(schema).filter(([keyword]) => keyword !== "$id")
  return Object.fromEntries(kept.map(([keyword, value]) => [keyword, cleaned(keyword, value)]))
}

const cleaned = (keyword: string, value: unknown): unknown => {
  if (data.has(keyword)) return value
  if (byName.has(keyword) && Predicate.isRecord(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, schemaIn(inner)]))
  }
  return Array.isArray(value) ? value.map(schemaIn) : schemaIn(value)
}

const schemaIn = (value: unknown): unknown => (Predicate.isRecord(value) ? withoutId(value) : value)
