import { ApiSchema } from "@effect-api/client"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"

/** A string with known values. The API may add more at any time. */
export const openLiteral = <const Known extends ReadonlyArray<string>>(
  ..._known: Known
): Schema.Codec<Known[number] | (string & {})> => Schema.String

/** The same schema under the name of its type: editors then show that name for the values that contain one. */
export const named = <A>(schema: Schema.Codec<A>): Schema.Codec<A> => schema

/** A field that may be missing or null. */
export const nullish = <A, I>(schema: Schema.Codec<A, I>) => Schema.optional(Schema.NullOr(schema))

/** Most of these fields, made once. */
export const nullishString = nullish(Schema.String)
export const nullishNumber = nullish(Schema.Number)
export const nullishBoolean = nullish(Schema.Boolean)

/** The schema of an object with one `type`. */
export type Kind<Type extends string, Fields extends Schema.Struct.Fields> = Schema.Struct<
  { readonly type: Schema.Literal<Type> } & Fields
>

/** An object with one `type`. Errors name the object by it, rather than list the fields of all members of a union. */
export const kind = <const Type extends string, Fields extends Schema.Struct.Fields>(
  type: Type,
  fields: Fields
) => Schema.Struct({ type: Schema.Literal(type), ...fields }).annotate({ identifier: type })

/** The same kind of object with more fields. */
export const extended = <
  Type extends string,
  Fields extends Schema.Struct.Fields,
  More extends Schema.Struct.Fields
>(
  { fields }: Kind<Type, Fields>,
  more: More
) => kind(fields.type.literal, { ...fields, ...more })

/** The schemas without their unknown fields, by those with them. */
const closed = new WeakMap<AST.AST, AST.AST>()

/** Keeps unknown fields, at every depth. Errors name the value by `identifier`. */
export const open = <S extends Schema.Top>(schema: S, identifier?: string): S["Rebuild"] => {
  const named = identifier === undefined ? schema : schema.annotate({ identifier })
  // The same kind of node, as it has the same tag.
  const ast = opened(named.ast) as S["ast"]
  closed.set(ast, named.ast)
  return schema.rebuild(ast)
}

/** A schema that checks a value and returns that very value: see `ApiSchema.asSent`. It keeps all fields by itself. */
export const asSent: typeof ApiSchema.asSent = (schema, complete) => {
  const ast = closed.get(schema.ast)
  return ApiSchema.asSent(ast === undefined ? schema : Schema.make<typeof schema>(ast), complete)
}

const everyOther = new AST.IndexSignature(AST.string, AST.unknown)

/** The nodes with their unknown fields, by those without: most schemas are parts of several others. */
const known = new WeakMap<AST.AST, AST.AST>()

const opened = (ast: AST.AST): AST.AST => {
  const made = known.get(ast) ?? withUnknown(ast)
  // An open schema is open as it is.
  known.set(ast, made).set(made, made)
  return made
}

/** On Effect 4 no option of a schema keeps unknown fields: each object gets an index signature. */
const withUnknown = (ast: AST.AST): AST.AST => {
  const { annotations, checks, context, encoding } = ast
  switch (ast._tag) {
    case "Objects": {
      const { encodingChecks, indexSignatures, propertySignatures } = ast
      const fields = propertySignatures.map(({ name, type }) => new AST.PropertySignature(name, opened(type)))
      const records = indexSignatures.map(
        ({ parameter, type }) => new AST.IndexSignature(parameter, opened(type))
      )
      const rest = fields.length > 0 && records.length === 0 ? [everyOther] : records
      return new AST.Objects(fields, rest, annotations, checks, encoding, context, encodingChecks)
    }
    case "Arrays": {
      const { elements, encodingChecks, isMutable, rest } = ast
      return new AST.Arrays(
        isMutable,
        elements.map(opened),
        rest.map(opened),
        annotations,
        checks,
        encoding,
        context,
        encodingChecks
      )
    }
    case "Union": {
      const { encodingChecks, options, types } = ast
      return new AST.Union(types.map(opened), options, annotations, checks, encoding, context, encodingChecks)
    }
    default:
      return ast
  }
}

/**
 * An unknown `type`: any string but the known ones, which only an enum can express. With a branded string,
 * `block.type === "text"` would no longer narrow a block to text blocks.
 */
export declare enum UnknownType {
  Any = "not among the known"
}

/** An object of an unknown type, with all its fields. */
export interface UnknownKind {
  readonly type: UnknownType
  readonly [field: string]: unknown
}

interface AnyKind extends Schema.Constraint {
  readonly fields: {
    readonly type: { readonly literal: string } | { readonly literals: ReadonlyArray<string> }
  }
}

/** An object whose `type` is none of the known ones. An object of a known type with wrong fields does not match. */
export const unknownKind = (...known: ReadonlyArray<AnyKind>): Schema.Codec<UnknownKind> => {
  const names = new Set(
    known.flatMap(({ fields: { type } }) => ("literal" in type ? type.literal : type.literals))
  )
  const type: Schema.Codec<UnknownType> = Schema.String.check(
    Schema.makeFilter(
      (type) => !names.has(type) || `${JSON.stringify(type)} is a known type: its fields do not fit`
    )
  ).pipe(
    Schema.refine((_type): _type is UnknownType => true),
    Schema.toType
  )
  return Schema.StructWithRest(Schema.Struct({ type }), [
    Schema.Record(Schema.String, Schema.Unknown)
  ]).annotate({
    identifier: "unknown"
  })
}

/** Marks a type as unknown without a check: a request sends the value unchanged. */
export const ofUnknownType = (value: {
  readonly type: string
  readonly [field: string]: unknown
}): UnknownKind => value as UnknownKind
