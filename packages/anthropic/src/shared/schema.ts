import { ApiSchema } from "@effect-api/client"
import * as Schema from "effect/Schema"

/** A string with known values. The API may add more at any time. */
export const openLiteral = <const Known extends ReadonlyArray<string>>(
  ..._known: Known
): Schema.Schema<Known[number] | (string & {})> => Schema.String

/** The same schema under the name of its type: editors then show that name for the values that contain one. */
export const named = <A>(schema: Schema.Schema<A>): Schema.Schema<A> => schema

/** A field that may be missing or null. */
export const nullish = <A, I>(schema: Schema.Schema<A, I>) => Schema.optional(Schema.NullOr(schema))

/** Most of these fields, made once. */
export const nullishString = nullish(Schema.String)
export const nullishNumber = nullish(Schema.Number)
export const nullishBoolean = nullish(Schema.Boolean)

/** The schema of an object with one `type`. */
export type Kind<Type extends string, Fields extends Schema.Struct.Fields> = Schema.Struct<
  { readonly type: Schema.Literal<[Type]> } & Fields
>

/** An object with one `type`. Errors name the object by it, rather than list the fields of all members of a union. */
export const kind = <const Type extends string, Fields extends Schema.Struct.Fields>(
  type: Type,
  fields: Fields
) => Schema.Struct({ type: Schema.Literal(type), ...fields }).annotations({ identifier: type })

/** The same kind of object with more fields. */
export const extended = <
  Type extends string,
  Fields extends Schema.Struct.Fields,
  More extends Schema.Struct.Fields
>(
  { fields }: Kind<Type, Fields>,
  more: More
) => kind(fields.type.literals[0], { ...fields, ...more })

/** Keeps unknown fields, at every depth. Errors name the value by `identifier`. */
export const open = <S extends Schema.Annotable.All>(
  schema: S,
  identifier?: string
): Schema.Annotable.Self<S> =>
  schema.annotations({
    parseOptions: { onExcessProperty: "preserve" },
    ...(identifier === undefined ? {} : { identifier })
  })

/** A schema that checks a value and returns that very value: see `ApiSchema.asSent`. */
export const asSent: typeof ApiSchema.asSent = ApiSchema.asSent

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

interface AnyKind extends Schema.Schema.Any {
  readonly fields: { readonly type: { readonly literals: ReadonlyArray<string> } }
}

/** An object whose `type` is none of the known ones. An object of a known type with wrong fields does not match. */
export const unknownKind = (...known: ReadonlyArray<AnyKind>): Schema.Schema<UnknownKind> => {
  const names = new Set(known.flatMap((kind) => kind.fields.type.literals))
  const type: Schema.Schema<UnknownType> = Schema.String.pipe(
    Schema.filter((type): type is UnknownType => !names.has(type)),
    Schema.annotations({
      message: ({ actual }) => `${JSON.stringify(actual)} is a known type: its fields do not fit`
    }),
    Schema.typeSchema
  )
  return Schema.Struct({ type }, { key: Schema.String, value: Schema.Unknown }).annotations({
    identifier: "unknown"
  })
}

/** Marks a type as unknown without a check: a request sends the value unchanged. */
export const ofUnknownType = (value: {
  readonly type: string
  readonly [field: string]: unknown
}): UnknownKind => value as UnknownKind
