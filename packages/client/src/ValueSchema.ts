/**
 * Schemas for values: Effect's own, and any that speaks Standard Schema.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { compile, misfit } from "./internal/fastDecode.js"

/**
 * An answer that does not fit: what is wrong, where in the value, and the value as it was parsed, which `lenient`
 * validation hands on. `parsed` is absent where nothing could be parsed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Misfit {
  readonly reason: string
  readonly path: ReadonlyArray<string | number>
  readonly parsed?: { readonly value: unknown }
}

/**
 * Any schema that speaks Standard Schema v1 (zod, valibot, arktype and others): https://standardschema.dev
 *
 * @since 0.1.0
 * @category models
 */
export interface StandardSchema<out A = unknown> {
  readonly "~standard": {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<A> | Promise<StandardResult<A>>
    readonly types?: { readonly input: unknown; readonly output: A } | undefined
  }
}

/**
 * What a Standard Schema answers.
 *
 * @since 0.1.0
 * @category models
 */
export type StandardResult<A> =
  | { readonly value: A; readonly issues?: undefined }
  | { readonly issues: ReadonlyArray<StandardIssue> }

/**
 * One thing a Standard Schema finds wrong.
 *
 * @since 0.1.0
 * @category models
 */
export interface StandardIssue {
  readonly message: string
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined
}

/**
 * A schema of either kind.
 *
 * @since 0.1.0
 * @category models
 */
export type ValueSchema = Schema.Schema.AnyNoContext | StandardSchema

/**
 * The value that a schema gives.
 *
 * @since 0.1.0
 * @category models
 */
export type Type<S> = S extends Schema.Schema.AnyNoContext
  ? Schema.Schema.Type<S>
  : S extends StandardSchema<infer A>
    ? A
    : never

/**
 * Whether a value is an Effect `Schema`.
 *
 * @since 0.1.0
 * @category guards
 */
export const isEffectSchema = (u: unknown): u is Schema.Schema.AnyNoContext => Schema.isSchema(u)

/**
 * From a parsed value to what a schema makes of it.
 *
 * @since 0.1.0
 * @category models
 */
export type Decode<A> = (value: unknown) => Effect.Effect<A, Misfit>

const cache = new WeakMap<object, Decode<unknown>>()

/**
 * The decoder of a schema, made once per schema. A schema that needs no async work answers with an `Either`.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decoder = <S extends ValueSchema>(schema: S): Decode<Type<S>> => {
  const known = cache.get(schema)
  if (known !== undefined) return known as Decode<Type<S>>
  const made: Decode<unknown> = Schema.isSchema(schema)
    ? effectDecoder(schema as Schema.Schema.AnyNoContext)
    : standardDecoder(schema as StandardSchema)
  cache.set(schema, made)
  return made as Decode<Type<S>>
}

const effectDecoder = <A, I>(schema: Schema.Schema<A, I>): Decode<A> => {
  const decode = ParseResult.decodeUnknown(schema)
  return (value) => {
    const decoded = decode(value)
    if (!Either.isEither(decoded)) return Effect.mapError(decoded, (issue) => schemaMisfit(issue, value))
    return Either.mapLeft(decoded as Either.Either<A, ParseResult.ParseIssue>, (issue) =>
      schemaMisfit(issue, value)
    )
  }
}

const eventDecoders = new WeakMap<object, EventDecode<unknown>>()

/**
 * From a parsed value to what a schema makes of it, or, where it does not fit at once, to what `decoder` says of it.
 *
 * @since 0.1.0
 * @category models
 */
export type EventDecode<A> = (value: unknown) => A | Unfitting<A>

/**
 * A value that does not fit, or of which only async work can tell.
 *
 * @since 0.1.0
 * @category models
 */
export class Unfitting<out A> {
  readonly decoded: Effect.Effect<A, Misfit>

  constructor(decoded: Effect.Effect<A, Misfit>) {
    this.decoded = decoded
  }
}

/**
 * The decoder of a schema for the many small values of a stream, made once per schema: about four times as fast as `decoder`,
 * and a little longer in the making. It gives the same; what does not fit goes to `decoder`, which tells why.
 *
 * @since 0.1.0
 * @category decoding
 */
export const eventDecoder = <S extends ValueSchema>(schema: S): EventDecode<Type<S>> => {
  const known = eventDecoders.get(schema)
  if (known !== undefined) return known as EventDecode<Type<S>>
  const fast = isEffectSchema(schema) ? compile(schema) : undefined
  const decode: Decode<unknown> = decoder(schema)
  const slow: EventDecode<unknown> = (value) => {
    const decoded = decode(value)
    return Either.isEither(decoded) && Either.isRight(decoded) ? decoded.right : new Unfitting(decoded)
  }
  const made: EventDecode<unknown> =
    fast === undefined
      ? slow
      : (value) => {
          const fitting = fast(value)
          return fitting === misfit ? slow(value) : fitting
        }
  eventDecoders.set(schema, made)
  return made as EventDecode<Type<S>>
}

const schemaMisfit = (issue: ParseResult.ParseIssue, value: unknown): Misfit => ({
  reason: ParseResult.TreeFormatter.formatIssueSync(issue),
  path: (ParseResult.ArrayFormatter.formatIssueSync(issue)[0]?.path ?? []).map(pathKey),
  parsed: { value }
})

const pathKey = (key: PropertyKey): string | number => (typeof key === "symbol" ? key.toString() : key)

const standardDecoder = <A>(schema: StandardSchema<A>): Decode<A> => {
  return (value) => {
    const settle = (result: StandardResult<A>): Either.Either<A, Misfit> =>
      result.issues === undefined
        ? Either.right(result.value)
        : Either.left(standardMisfit(result.issues, value))
    const result = schema["~standard"].validate(value)
    return result instanceof Promise
      ? Effect.flatMap(
          Effect.promise(() => result),
          settle
        )
      : settle(result)
  }
}

const standardMisfit = (issues: ReadonlyArray<StandardIssue>, value: unknown): Misfit => {
  const paths = issues.map((issue) =>
    (issue.path ?? []).map((key) => pathKey(typeof key === "object" ? key.key : key))
  )
  return {
    reason: issues
      .map((issue, index) => [paths[index]?.join("."), issue.message].filter(Boolean).join(": "))
      .join("; "),
    path: paths[0] ?? [],
    parsed: { value }
  }
}
