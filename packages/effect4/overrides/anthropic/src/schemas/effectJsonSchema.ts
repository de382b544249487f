import * as Predicate from "effect/Predicate"
import type * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import * as SchemaRepresentation from "effect/SchemaRepresentation"

type Json = { readonly [keyword: string]: unknown }

/**
 * The JSON Schema of a schema's encoded side. The schema is inlined at the top level, where a named schema would be a
 * reference. Throws if a part of it has no JSON Schema: `what` names the schema then.
 */
export const effectJsonSchema = (what: string, schema: Schema.Constraint): Json => {
  const ast = jsonSide(what, AST.toEncoded(schema.ast))
  // `{}` accepts any object, and so describes a tool without input.
  if (AST.isObjects(ast) && ast.propertySignatures.length + ast.indexSignatures.length === 0)
    return { type: "object", properties: {} }
  const json = jsonSchema(ast)
  // The encoded side of a class has no description.
  const description = json["description"] ?? AST.resolveDescription(schema.ast)
  return { ...json, ...(description === undefined ? {} : { description }) }
}

/** What JSON can hold: a field is missing where it would be `undefined`. */
const jsonSide = (what: string, root: AST.AST): AST.AST => {
  const known = new Map<AST.AST, AST.AST>()
  const side = (ast: AST.AST): AST.AST => {
    const made = known.get(ast) ?? make(ast)
    known.set(ast, made)
    return made
  }
  const make = (ast: AST.AST): AST.AST => {
    const { annotations, checks, context } = ast
    switch (ast._tag) {
      case "Objects":
        return new AST.Objects(
          ast.propertySignatures.map(({ name, type }) => new AST.PropertySignature(name, side(type))),
          ast.indexSignatures.map(({ parameter, type }) => new AST.IndexSignature(parameter, side(type))),
          annotations,
          checks,
          undefined,
          context
        )
      case "Arrays": {
        const { elements, isMutable, rest } = ast
        return new AST.Arrays(
          isMutable,
          elements.map(side),
          rest.map(side),
          annotations,
          checks,
          undefined,
          context
        )
      }
      case "Union": {
        const types = ast.types.filter((type) => !AST.isUndefined(type)).map(side)
        return new AST.Union(types, ast.options, annotations, checks, undefined, context)
      }
      case "Suspend":
        return new AST.Suspend(() => side(ast.thunk()), annotations, undefined, undefined, context)
      case "Void":
        return AST.unknown
      default:
        if (isJson(ast)) return ast
        throw new TypeError(`${what} has a part without a JSON Schema: ${ast._tag}`)
    }
  }
  return side(root)
}

/** Whether JSON has such values. */
const isJson = (ast: AST.AST): boolean => {
  switch (ast._tag) {
    case "Declaration": {
      const representation = ast.annotations?.["representation"]
      return Predicate.hasProperty(representation, "id") && representation.id === "effect/schema/Json"
    }
    case "Literal":
      return typeof ast.literal !== "bigint"
    default:
      return !["Undefined", "BigInt", "Symbol", "UniqueSymbol"].includes(ast._tag)
  }
}

const jsonSchema = (ast: AST.AST): Json => {
  const document = SchemaRepresentation.toRepresentation(ast, {
    // Only a schema that refers to itself needs a name at the top.
    referencePolicy: ({ ast: inner, identifier, occurrences }) =>
      inner === ast && occurrences === 1 ? undefined : identifier
  })
  const { definitions, schema } = SchemaRepresentation.toJsonSchemaDocument(document, {
    onExcessProperty: "error"
  })
  const root = schema["$ref"] === undefined ? schema : definitions[nameIn(String(schema["$ref"]))]
  return plain({ ...root, ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions }) })
}

/** The name that a JSON Pointer in a URL fragment ends with (RFC 6901, 6). */
const nameIn = (reference: string): string =>
  decodeURIComponent(reference.replace("#/$defs/", "")).replaceAll("~1", "/").replaceAll("~0", "~")

/** Keywords whose keys are the user's names. */
const byName: ReadonlySet<string> = new Set(["properties", "patternProperties", "$defs"])
/** Keywords whose values are data, not schemas. */
const data: ReadonlySet<string> = new Set(["enum", "const", "default", "examples", "required"])

/** Without the words for numbers that are not finite, which decoding refuses, and without a choice of one. */
const plain = ({ anyOf, ...schema }: Json): Json => {
  const choices: ReadonlyArray<unknown> = Array.isArray(anyOf)
    ? anyOf.filter((choice) => !isNotFinite(choice))
    : []
  const [first, second] = choices
  const only = second === undefined && Predicate.isObject(first) ? first : undefined
  const all = { ...(only ?? (choices.length === 0 ? {} : { anyOf: choices })), ...schema }
  return Object.fromEntries(Object.entries(all).map(([keyword, value]) => [keyword, cleaned(keyword, value)]))
}

const notFinite: ReadonlyArray<unknown> = ["Infinity", "-Infinity", "NaN"]

const isNotFinite = (choice: unknown): boolean =>
  Predicate.hasProperty(choice, "enum") &&
  Array.isArray(choice.enum) &&
  choice.enum.length === notFinite.length &&
  choice.enum.every((word) => notFinite.includes(word))

const cleaned = (keyword: string, value: unknown): unknown => {
  if (data.has(keyword)) return value
  if (byName.has(keyword) && Predicate.isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, schemaIn(inner)]))
  }
  return Array.isArray(value) ? value.map(schemaIn) : schemaIn(value)
}

const schemaIn = (value: unknown): unknown => (Predicate.isObject(value) ? plain(value) : value)
