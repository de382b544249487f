// Schemas that are made in another shape on Effect 4.
import ts from "typescript"
import { isObject, property } from "./syntax.mjs"

const list =
  (name) =>
  (node, { need, print }) =>
    node.arguments.length === 1 && ts.isSpreadElement(node.arguments[0])
      ? `${need("effect/Schema")}.${name}(${print(node.arguments[0].expression)})`
      : `${need("effect/Schema")}.${name}([${node.arguments.map(print).join(", ")}])`

const literal = (node, context) => {
  const { need, print } = context
  const [only] = node.arguments
  if (node.arguments.length !== 1 || ts.isSpreadElement(only)) return list("Literals")(node, context)
  if (only.kind === ts.SyntaxKind.NullKeyword) return `${need("effect/Schema")}.Null`
  return `${need("effect/Schema")}.Literal(${print(only)})`
}

/** A check of a value: `Schema.minLength(1)` in a pipe. */
const check =
  (name) =>
  (node, { need, print }) => {
    const schema = need("effect/Schema")
    return `${schema}.check(${schema}.${name}(${node.arguments.map(print).join(", ")}))`
  }

const transform =
  (name) =>
  (node, { need, print, refuse }) => {
    const schema = need("effect/Schema")
    const [from, to, options] = node.arguments
    if (!options || !isObject(options)) return refuse(node, `${name}: its options must stand there`)
    const steps = options.properties.filter((item) => item.name?.text !== "strict").map(print)
    return `${print(from)}.pipe(${schema}.decodeTo(${print(to)}, ${need("effect/SchemaTransformation")}.${name}({ ${steps.join(", ")} })))`
  }

/** The arguments of a record that is written `{ key, value }`. */
const recordOf = (fields, print) => {
  const value = isObject(fields) && property(fields, "value")
  return value ? `${print(property(fields, "key").initializer)}, ${print(value.initializer)}` : undefined
}

/** Calls by "module#member". */
export const schemaCalls = {
  "effect/Schema#Literal": literal,
  "effect/Schema#TemplateLiteral": list("TemplateLiteral"),
  "effect/Schema#Tuple": list("Tuple"),
  "effect/Schema#Union": list("Union"),
  "effect/Schema#Record": (node, { need, print }) => {
    const of = recordOf(node.arguments[0], print)
    return of && `${need("effect/Schema")}.Record(${of})`
  },
  "effect/Schema#optionalWith": (node, { need, print }) => {
    const [self, options] = node.arguments
    const [only, ...others] = isObject(options) ? options.properties : []
    if (others.length > 0 || only?.name?.text !== "exact") return undefined
    return `${need("effect/Schema")}.optionalKey(${print(self)})`
  },
  "effect/Schema#Struct": (node, { need, print }) => {
    const [fields, ...records] = node.arguments
    if (records.length === 0) return undefined
    const schema = need("effect/Schema")
    const rest = records.map((record) => recordOf(record, print) ?? print(record))
    return `${schema}.StructWithRest(${schema}.Struct(${print(fields)}), [${rest.map((of) => `${schema}.Record(${of})`).join(", ")}])`
  },
  "effect/Schema#filter": check("makeFilter"),
  "effect/Schema#between": check("isBetween"),
  "effect/Schema#greaterThan": check("isGreaterThan"),
  "effect/Schema#int": check("isInt"),
  "effect/Schema#maxItems": check("isMaxLength"),
  "effect/Schema#maxLength": check("isMaxLength"),
  "effect/Schema#minLength": check("isMinLength"),
  "effect/Schema#pattern": check("isPattern"),
  "effect/Schema#startsWith": check("isStartingWith"),
  "effect/Schema#parseJson": (node, { need, print }) =>
    node.arguments.length === 0
      ? `${need("effect/Schema")}.fromJsonString(${need("effect/Schema")}.Unknown)`
      : `${need("effect/Schema")}.fromJsonString(${node.arguments.map(print).join(", ")})`,
  "effect/Schema#transform": transform("transform"),
  "effect/Schema#transformOrFail": transform("transformEffect"),
  "effect/ParseResult#Type": (node, { need, print }) => {
    const [, actual, message] = node.arguments
    const value = `${need("effect/Option")}.some(${print(actual)})`
    const annotations = message ? `, { message: ${print(message)} }` : ""
    return `new ${need("effect/SchemaIssue")}.InvalidValue(${value}${annotations})`
  }
}

/** Types below `Schema.Schema`, of any schema and of schemas that need no services. */
const anySchema = { All: "Top", Any: "Codec<any, any, any, any>", AnyNoContext: "Codec<any, any>" }

/** Schemas in types: those of two sides are codecs on Effect 4. */
export const schemaMembers = {
  "effect/Schema#Schema": (node, { need }) => {
    const { parent } = node
    if (!ts.isTypeReferenceNode(parent) || (parent.typeArguments ?? []).length === 0) return undefined
    return `${need("effect/Schema")}.Codec`
  }
}

/** `Schema.Literal<["a"]>` and `Schema.Literal<["a", "b"]>`. */
export const literalTypes = (node, { idOf, need, print }) => {
  if (idOf(node.typeName) !== "effect/Schema#Literal") return undefined
  const [list] = node.typeArguments ?? []
  if (!list || !ts.isTupleTypeNode(list)) return undefined
  return list.elements.length === 1
    ? `${need("effect/Schema")}.Literal<${print(list.elements[0])}>`
    : `${need("effect/Schema")}.Literals<${print(list)}>`
}

/** `Schema.Schema.Any` and its kind. */
export const schemaTypes = (node, { idOf, need }) => {
  if (!ts.isQualifiedName(node.left) || idOf(node.left) !== "effect/Schema#Schema") return undefined
  const name = node.right.text
  if (Object.hasOwn(anySchema, name)) return `${need("effect/Schema")}.${anySchema[name]}`
  return name === "Encoded" ? `${need("effect/Schema")}.Codec.Encoded` : undefined
}
