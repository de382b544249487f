/** Turns schemas of any kind into decoders: of a whole response, and of the many small values of a stream. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { CannotAwaitError } from "../effect/awaits.js"
import { waiting } from "../effect/ofProgram.js"
import * as Parsing from "../effect/parsing.js"
import * as Sync from "../effect/sync.js"
import { compile, type FastDecoder, misfit } from "../schema/fastDecode.js"
import { guarded } from "../schema/guarded.js"
import * as SchemaSecrets from "../schema/schemaSecrets.js"
import { memo } from "../shared/memo.js"
import { clipped } from "../shared/shownText.js"

/**
 * Why a response does not fit: the reason, the path in the value, and the parsed value, which `lenient` validation
 * returns. `parsed` is absent if nothing could be parsed; `thrown` is an exception of a decoder.
 *
 * @since 0.1.0
 * @category models
 */
export interface DecodeFailure {
  readonly reason: string
  readonly path: ReadonlyArray<string | number>
  readonly parsed?: { readonly value: unknown }
  readonly thrown?: unknown
}

/**
 * Any schema that implements Standard Schema v1 (zod, valibot, arktype and others): https://standardschema.dev
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
 * The result of a Standard Schema.
 *
 * @since 0.1.0
 * @category models
 */
export type StandardResult<A> =
  | { readonly value: A; readonly issues?: undefined }
  | { readonly issues: ReadonlyArray<StandardIssue> }

/**
 * One issue that a Standard Schema reports.
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
export type ApiSchema = Schema.Schema.AnyNoContext | StandardSchema

/**
 * The value that a schema decodes to.
 *
 * @since 0.1.0
 * @category models
 */
export type Type<S> = S extends Schema.Schema.AnyNoContext
  ? Schema.Schema.Type<S>
  : S extends StandardSchema<infer A>
    ? A
    : never

/** Whether a value is an Effect `Schema`. */
export const isEffectSchema = (u: unknown): u is Schema.Schema.AnyNoContext => Schema.isSchema(u)

/** Whether a value is a schema of any kind. */
export const isApiSchema = (u: unknown): u is ApiSchema =>
  isEffectSchema(u) || Predicate.hasProperty(u, "~standard")

/**
 * Decodes a parsed value.
 *
 * @since 0.1.0
 * @category models
 */
export type Decode<A> = (value: unknown) => Effect.Effect<A, DecodeFailure>

/**
 * The decoder of a schema, made once per schema. It returns an `Exit` unless the schema is asynchronous.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decoder: <S extends ApiSchema>(schema: S) => Decode<Type<S>> = /*#__PURE__*/ memo(
  /*#__PURE__*/ new WeakMap<ApiSchema, Decode<never>>(),
  (schema) => {
    const decode: Decode<unknown> = isEffectSchema(schema) ? effectDecoder(schema) : standardDecoder(schema)
    // One map holds the decoders of all schemas; the type of a schema is that of its decoder's value.
    return guarded(decode, asParsed) as Decode<never>
  }
)

/** Finds the values in a body that a schema marks as secret with `Redacted`. Standard Schemas have no such mark. */
export const secretsOf = (schema: ApiSchema): SchemaSecrets.Finder | undefined =>
  isEffectSchema(schema) ? SchemaSecrets.finderOf(schema) : undefined

const asParsed = (value: unknown) => ({ value })

const effectDecoder = <A, I>(schema: Schema.Schema<A, I>): Decode<A> => {
  const decode = Parsing.decoder(schema)
  return (value) => Sync.mapError(decode(value), (misfit) => ({ ...misfit, parsed: { value } }))
}

/** Marks a value that does not fit, or whose schema is asynchronous, with the result of `decoder`. */
export class Undecodable<out A> {
  readonly decoded: Effect.Effect<A, DecodeFailure>

  constructor(decoded: Effect.Effect<A, DecodeFailure>) {
    this.decoded = decoded
  }
}

/**
 * Decodes the many small values of a stream, mostly without an `Exit`.
 *
 * `isSlotSafe`: whether other strings and numbers in place of the sentinels in a value would change nothing but their
 * own place in the result; `false` if that is uncertain.
 */
export interface EventDecoder<out A> {
  readonly decode: (value: unknown) => A | Undecodable<A>
  readonly isSlotSafe: (value: unknown, isSentinel: (value: unknown) => boolean) => boolean
}

/**
 * The decoder of a schema for the many small values of a stream, made once per schema. About four times as fast as
 * `decoder`, and a little slower to make. It returns the same values; one that does not fit goes to `decoder`, which
 * finds the reason.
 */
export const eventDecoder: <S extends ApiSchema>(schema: S) => EventDecoder<Type<S>> = /*#__PURE__*/ memo(
  /*#__PURE__*/ new WeakMap<ApiSchema, EventDecoder<never>>(),
  (schema) =>
    // As for `decoder`.
    makeEventDecoder(schema, isEffectSchema(schema) ? compile(schema) : undefined) as EventDecoder<never>
)

const makeEventDecoder = (
  schema: ApiSchema,
  fast: FastDecoder<unknown> | undefined
): EventDecoder<unknown> => {
  const decode: Decode<unknown> = decoder(schema)
  const slow = (value: unknown): unknown => {
    const decoded = decode(value)
    return Sync.isSync(decoded) && decoded._tag === "Success" ? decoded.value : new Undecodable(decoded)
  }
  if (fast === undefined) return { decode: slow, isSlotSafe: () => false }
  return {
    decode: (value) => {
      const fitting = fast.decode(value)
      return fitting === misfit ? slow(value) : fitting
    },
    isSlotSafe: fast.isSlotSafe
  }
}

/** Makes the decoder of a schema. */
export type DecoderOf = <S extends ApiSchema>(schema: S) => Decode<Type<S>>

/**
 * The same as `decoder`, in a fraction of the time if a value fits: it needs no result, options and list of issues for each of
 * its fields. A value that does not fit is decoded once more, to find the reason. So a schema that runs code of its own, such as
 * a transformation, has no other decoder here.
 */
export const quickDecoder: DecoderOf = /*#__PURE__*/ memo(
  /*#__PURE__*/ new WeakMap<ApiSchema, Decode<never>>(),
  (schema) =>
    // As for `decoder`.
    (isEffectSchema(schema) ? makeQuickDecoder(schema) : decoder(schema)) as Decode<never>
)

const makeQuickDecoder = <A, I>(schema: Schema.Schema<A, I>): Decode<A> => {
  const slow: Decode<A> = decoder(schema)
  const compiled = (): Decode<A> => {
    const fast = compile(schema)
    if (fast?.isPure !== true) return slow
    return (value) => {
      const fitting = fast.decode(value)
      return fitting === misfit ? slow(value) : Exit.succeed(fitting)
    }
  }
  // A schema that is made for a single call is not worth compiling.
  let decode: Decode<A> = (value) => {
    decode = compiled()
    return slow(value)
  }
  return (value) => decode(value)
}

const pathKey = (key: PropertyKey): string | number => (typeof key === "symbol" ? key.toString() : key)

const standardDecoder = <A>(schema: StandardSchema<A>): Decode<A> => {
  return (value) => {
    const settle = (result: StandardResult<A>): Exit.Exit<A, DecodeFailure> =>
      result.issues === undefined
        ? Exit.succeed(result.value)
        : Exit.fail(standardMisfit(result.issues, value))
    const result = schema["~standard"].validate(value)
    return Predicate.isPromiseLike(result) ? Effect.flatMap(settledOf(result), settle) : settle(result)
  }
}

/** A promise that rejects is a defect of the schema, as one that throws is. */
const settledOf = <A>(result: PromiseLike<A>): Effect.Effect<A, DecodeFailure> =>
  Effect.catchAll(waiting(result, "this schema"), (cause) =>
    cause instanceof CannotAwaitError ? Effect.fail({ reason: cause.message, path: [] }) : Effect.die(cause)
  )

/** More issues than anyone reads. */
const maxIssues = 20
const maxMessage = 1000

const standardMisfit = (all: ReadonlyArray<StandardIssue>, value: unknown): DecodeFailure => {
  const issues = Array.from(all).slice(0, maxIssues)
  const paths = issues.map((issue) =>
    (issue.path ?? []).map((key) => pathKey(typeof key === "object" ? key.key : key))
  )
  return {
    reason: issues
      .map(({ message }, index) => [paths[index]?.join("."), message].filter(Boolean))
      .map((words) => clipped(words.join(": "), maxMessage))
      .join("; "),
    path: paths[0] ?? [],
    parsed: { value }
  }
}
