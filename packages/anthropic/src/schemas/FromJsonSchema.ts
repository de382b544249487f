/** The types that JSON Schemas describe. */

/** A JSON Schema as a plain object. @since 3.2.0 @category models */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

/**
 * The type of the values that a JSON Schema describes, by its keywords `type`, `properties`, `required`, `items`, `enum`, `const`,
 * `anyOf` and `oneOf`. What it does not say is `unknown`.
 *
 * @since 3.2.0
 * @category models
 */
export type FromJsonSchema<S> = S extends { readonly const: infer A }
  ? A
  : S extends { readonly enum: ReadonlyArray<infer A> }
    ? A
    : S extends
          | { readonly anyOf: ReadonlyArray<infer Choice> }
          | { readonly oneOf: ReadonlyArray<infer Choice> }
      ? FromEach<Choice>
      : S extends { readonly type: infer Type }
        ? OfType<S, Type>
        : unknown

/** The union of the types of several schemas. */
type FromEach<S> = S extends unknown ? FromJsonSchema<S> : never

type OfType<S, Type> = Type extends "string"
  ? string
  : Type extends "number" | "integer"
    ? number
    : Type extends "boolean"
      ? boolean
      : Type extends "null"
        ? null
        : Type extends "array"
          ? ReadonlyArray<S extends { readonly items: infer Item } ? FromJsonSchema<Item> : unknown>
          : Type extends "object"
            ? S extends { readonly properties: infer Properties }
              ? FromProperties<
                  Properties,
                  S extends { readonly required: ReadonlyArray<infer Name> } ? Name : never
                >
              : { readonly [name: string]: unknown }
            : Type extends ReadonlyArray<infer One>
              ? OfType<S, One>
              : unknown

type FromProperties<Properties, Required> = Simplify<
  {
    readonly [Name in keyof Properties as Name extends Required ? Name : never]: FromJsonSchema<
      Properties[Name]
    >
  } & {
    readonly [Name in keyof Properties as Name extends Required ? never : Name]?:
      | FromJsonSchema<Properties[Name]>
      | undefined
  }
>

type Simplify<A> = { readonly [Name in keyof A]: A[Name] }
