import * as Schema from "effect/Schema"

/** A string of which some values are known: the API may say more tomorrow. */
export const openLiteral = <const Known extends ReadonlyArray<string>>(
  ..._known: Known
): Schema.Schema<Known[number] | (string & {})> => Schema.String

/** The same schema, its type called by its name, which is what editors then show of values that hold one. */
export const named = <A>(schema: Schema.Schema<A>): Schema.Schema<A> => schema

/** A field that may be missing or null. */
export const nullish = <A, I>(schema: Schema.Schema<A, I>) => Schema.optional(Schema.NullOr(schema))

/** An object of one `type`, which is its name in errors: without a name, a message would spell all fields of all kinds. */
export const kind = <const Type extends string, Fields extends Schema.Struct.Fields>(
  type: Type,
  fields: Fields
) => Schema.Struct({ type: Schema.Literal(type), ...fields }).annotations({ identifier: type })

/** Fields that the schema does not know stay, in all that is inside too. `identifier` is its name in errors. */
export const open = <S extends Schema.Annotable.All>(
  schema: S,
  identifier?: string
): Schema.Annotable.Self<S> =>
  schema.annotations({
    parseOptions: { onExcessProperty: "preserve" },
    ...(identifier === undefined ? {} : { identifier })
  })

declare enum Unknown {
  Type = "not among the known"
}

/**
 * The name of a kind that is not known: any string but the known ones, which only an enum can stand for. A branded string
 * would keep `block.type === "text"` from leaving nothing but text blocks.
 */
export type UnknownType = Unknown

interface Kind extends Schema.Schema.Any {
  readonly fields: { readonly type: { readonly literals: ReadonlyArray<string> } }
}

/** What has a `type` that none of the known kinds has. A known kind whose fields do not fit is none of these. */
export const unknownKind = (...known: ReadonlyArray<Kind>) => {
  const names = new Set(known.flatMap((kind) => kind.fields.type.literals))
  const type: Schema.Schema.Any = Schema.String.pipe(
    Schema.filter((type) => !names.has(type)),
    Schema.annotations({
      message: ({ actual }) => `${JSON.stringify(actual)} is a known type: its fields do not fit`
    })
  )
  return Schema.Struct(
    { type: type as Schema.Schema<UnknownType> },
    { key: Schema.String, value: Schema.Unknown }
  ).annotations({ identifier: "unknown" })
}
