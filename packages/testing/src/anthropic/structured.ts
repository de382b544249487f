import { Predicate } from "effect"
import type { JsonObject } from "./AnthropicBlock.js"

/** The JSON Schema that the output of a request must match, if it names one. */
export const outputSchema = ({ output_config }: JsonObject): JsonObject | undefined => {
  const format = Predicate.isRecord(output_config) ? output_config["format"] : undefined
  const schema = Predicate.isRecord(format) && format["type"] === "json_schema" ? format["schema"] : undefined
  return Predicate.isRecord(schema) ? schema : undefined
}

const unsupported: Readonly<Record<string, string>> = {
  object: "minProperties maxProperties patternProperties propertyNames",
  array: "maxItems uniqueItems contains prefixItems",
  string: "minLength maxLength",
  number: "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf",
  integer: "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf"
}

/** The rules for the format of an output: what the API compiles to a grammar. */
export function* formatProblems({ output_config }: JsonObject): Generator<string, void> {
  const format = Predicate.isRecord(output_config) ? output_config["format"] : undefined
  if (format === undefined || format === null) return
  if (!Predicate.isRecord(format)) return yield "output_config.format: Input should be a valid dictionary"
  if (format["type"] !== "json_schema")
    return yield "output_config.format.type: Input should be 'json_schema'"
  if (!Predicate.isRecord(format["schema"])) return yield "output_config.format.schema: Field required"
  yield* schemaProblems(format["schema"])
}

function* schemaProblems(schema: unknown): Generator<string, void> {
  if (!Predicate.isRecord(schema))
    return yield "output_config.format.schema: Input should be a valid dictionary"
  const at = "output_config.format.schema"
  const { $defs, allOf, anyOf, items, oneOf, properties, type } = schema
  if (oneOf !== undefined) yield `${at}: Schema type 'oneOf' is not supported`
  if (type === "object" && schema["additionalProperties"] !== false)
    yield `${at}: For 'object' type, 'additionalProperties' must be explicitly set to false`
  const refused = (typeof type === "string" ? unsupported[type] : undefined)?.split(" ") ?? []
  for (const name of refused.filter((name) => name in schema))
    yield `${at}: For '${type}' type, property '${name}' is not supported`
  for (const inner of [$defs, properties]) {
    for (const one of Predicate.isRecord(inner) ? Object.values(inner) : []) yield* schemaProblems(one)
  }
  for (const list of [anyOf, allOf])
    for (const one of Array.isArray(list) ? list : []) yield* schemaProblems(one)
  if (items !== undefined) yield* schemaProblems(items)
}

/** A value that matches a schema. Its strings are the given text, and what is optional is left out. */
export const sampleOf = (schema: JsonObject, text: string, root: JsonObject = schema, depth = 0): unknown => {
  const inner = (one: unknown): unknown =>
    Predicate.isRecord(one) && depth < 32 ? sampleOf(one, text, root, depth + 1) : null
  const { $ref, anyOf, enum: choices, items, properties, required, type } = schema
  if (typeof $ref === "string") return inner(definition(root, $ref))
  if ("const" in schema) return schema["const"]
  if (Array.isArray(choices)) return choices[0]
  // The last choice usually ends a recursion: `null`, or a plain value.
  if (Array.isArray(anyOf)) return inner(anyOf.at(-1))
  switch (Array.isArray(type) ? type[0] : type) {
    case "object": {
      const names: ReadonlyArray<unknown> = Array.isArray(required) ? required : []
      const fields = Object.entries(Predicate.isRecord(properties) ? properties : {})
      return Object.fromEntries(
        fields.filter(([name]) => names.includes(name)).map(([name, one]) => [name, inner(one)])
      )
    }
    case "array":
      return schema["minItems"] === 1 ? [inner(items)] : []
    case "string":
      return text
    case "number":
    case "integer":
      return 0
    case "boolean":
      return false
    default:
      return null
  }
}

const definition = ({ $defs }: JsonObject, reference: string): unknown => {
  const name = reference.split("/").at(-1) ?? ""
  return Predicate.isRecord($defs) ? $defs[name] : undefined
}
