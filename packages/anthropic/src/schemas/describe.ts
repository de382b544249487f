/** Schemas of any kind, as the model sees them and as they decode what it writes. */
import { ApiSchema } from "@effect-api/client"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { checkJson, type Misfit } from "./checkJson.js"
import { effectJsonSchema } from "./effectJsonSchema.js"
import type { JsonSchema } from "./FromJsonSchema.js"

/** Any schema of values of a type: an Effect `Schema`, a Standard Schema, or a JSON Schema. */
export type AnySchema<A, I, R> = Schema.Schema<A, I, R> | ApiSchema.StandardSchema<A> | JsonSchema

/** A schema with the JSON Schema of what it decodes. */
export interface Described<out A, out R> {
  readonly json: JsonSchema
  readonly decode: (value: unknown) => Effect.Effect<A, Misfit, R>
}

/**
 * Describes a schema. `what` names it in errors, and `jsonSchema` takes precedence over its own JSON Schema. Throws a `TypeError` if
 * the schema has no JSON Schema.
 */
export const describe = <A, I, R>(
  what: string,
  schema: AnySchema<A, I, R>,
  jsonSchema: JsonSchema | undefined
): Described<A, R> => {
  if (jsonSchema !== undefined && !Predicate.isRecord(jsonSchema))
    throw new TypeError(`${what} must have a JSON Schema`)
  if (isEffectSchema(schema)) {
    const decode = Schema.decodeUnknown(schema, { errors: "all" })
    return {
      json: jsonSchema ?? effectJsonSchema(what, schema),
      decode: (value) => Effect.mapError(decode(value), ({ message }) => ({ path: [], reason: message }))
    }
  }
  if (isStandard(schema)) {
    return { json: jsonSchema ?? standardJsonSchema(what, schema), decode: ApiSchema.decoder(schema) }
  }
  if (!Predicate.isRecord(schema))
    throw new TypeError(`${what} must be a schema: of Effect, a Standard Schema, or a JSON Schema`)
  return { json: jsonSchema ?? schema, decode: checking(schema) }
}

/** Whether a schema is one of Effect. */
export const isEffectSchema = <A, I, R>(schema: AnySchema<A, I, R>): schema is Schema.Schema<A, I, R> =>
  Schema.isSchema(schema)

const isStandard = <A>(
  schema: ApiSchema.StandardSchema<A> | JsonSchema
): schema is ApiSchema.StandardSchema<A> =>
  Predicate.hasProperty(schema, "~standard") && Predicate.hasProperty(schema["~standard"], "validate")

const checking = <A>(schema: JsonSchema): Described<A, never>["decode"] => {
  const fits = (value: unknown): value is A => checkJson(schema, value) === undefined
  return (value) => (fits(value) ? Exit.succeed(value) : Exit.fail(named(checkJson(schema, value))))
}

/** The same failure with the place in its reason. */
const named = ({ path, reason }: Misfit = { path: [], reason: "does not fit" }): Misfit => ({
  path,
  reason: `${path.length === 0 ? "it" : path.join(".")} ${reason}`
})

/** The JSON Schema of a Standard Schema that implements Standard JSON Schema, as zod 4 and arktype do. */
const standardJsonSchema = (what: string, schema: ApiSchema.StandardSchema): JsonSchema => {
  const standard: object = schema["~standard"]
  const converter = Predicate.hasProperty(standard, "jsonSchema") ? standard.jsonSchema : undefined
  const convert = Predicate.hasProperty(converter, "input") ? converter.input : undefined
  if (!Predicate.isFunction(convert)) {
    const { vendor } = schema["~standard"]
    throw new TypeError(`${what} is a schema of ${vendor} without a JSON Schema: pass one as jsonSchema`)
  }
  const json: unknown = convert.call(converter, { target: "draft-2020-12" })
  if (!Predicate.isRecord(json)) throw new TypeError(`${what} must have a JSON Schema`)
  return json
}
