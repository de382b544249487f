/**
 * Decodes the bytes of a response to the value that a request promises.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { asEffect } from "../effect/ofProgram.js"
import * as Sync from "../effect/sync.js"
import { guarded } from "../schema/guarded.js"
import { combined } from "../schema/schemaSecrets.js"
import { memo } from "../shared/memo.js"
import { InvalidConfigError, refuseUnknown } from "../shared/settings.js"
import * as MediaType from "../wire/mediaType.js"
import * as ApiSchema from "./ApiSchema.js"
import * as ByStatus from "./ByStatus.js"
import { asText, isJson, parse } from "./bodyText.js"
import type { Body, Decodable, DecodableByStatus, ResponseDecoder, Success } from "./DecoderContract.js"
import * as Contract from "./DecoderContract.js"
import * as SchemaDecoder from "./schemaDecoder.js"
import { statusDecoder } from "./statusDecoder.js"
import { WholeBody } from "./WholeBody.js"

export type { Progress } from "../wire/Progress.js"
export {
  type Arriving,
  type Body,
  type Decodable,
  type DecodableByStatus,
  type ResponseDecoder,
  type Success,
  type Type,
  TypeId
} from "./DecoderContract.js"

const of = <A>(
  accept: string,
  decode: (body: Body) => Effect.Effect<A, ApiSchema.DecodeFailure>
): ResponseDecoder<A> => Contract.of({ accept, decode })

/**
 * The parsed JSON, unchecked; `undefined` for an empty body. A body that is no JSON is a `ResponseValidationError`.
 *
 * @since 0.1.0
 * @category decoders
 */
export const json: ResponseDecoder<unknown> = /*#__PURE__*/ of("application/json", (body) => parse(body))

/**
 * What a request without `success` gives: JSON where the media type is JSON or absent, else the text.
 *
 * @since 0.1.0
 * @category decoders
 */
export const auto: ResponseDecoder<unknown> = /*#__PURE__*/ of("application/json", (body) =>
  isJson(MediaType.parse(body.contentType).type) ? parse(body) : Exit.succeed(asText(body))
)

/**
 * The text, in the charset that the response names (UTF-8 by default).
 *
 * @since 0.1.0
 * @category decoders
 */
export const text: ResponseDecoder<string> = /*#__PURE__*/ of("text/plain, */*;q=0.8", (body) =>
  Exit.succeed(asText(body))
)

/**
 * The bytes as they came, up to `limits.responseBytes`: a plain `Uint8Array`, no `Buffer`, that has its memory to itself.
 *
 * @since 0.1.0
 * @category decoders
 */
export const bytes: ResponseDecoder<Uint8Array> = /*#__PURE__*/ of("*/*", (body) => Exit.succeed(body.bytes))

/**
 * Nothing: whatever the body holds is read and dropped.
 *
 * @since 0.1.0
 * @category decoders
 */
export const empty: ResponseDecoder<void> = /*#__PURE__*/ of("*/*", () => Exit.void)

/**
 * A decoder of your own, from the whole response: its bytes, text, status and headers. What the effect fails with, or
 * the promise rejects with, is the reason of the `ResponseValidationError`, and its `cause`.
 *
 * @example
 * ```ts
 * import { ApiRequest, ResponseDecoder } from "@effect-api/client"
 * import { Effect, Schema } from "effect"
 *
 * // A line of `name=value` pairs.
 * const pairs = ResponseDecoder.make({
 *   accept: "text/plain",
 *   decode: ({ text }) => Effect.try(() => Object.fromEntries(new URLSearchParams(text)))
 * })
 * const Quota = Schema.Struct({ left: Schema.NumberFromString })
 *
 * export const quota = ApiRequest.get("/quota", { success: pairs.pipe(ResponseDecoder.andThen(Quota)) })
 * ```
 * @since 3.1.0
 * @category constructors
 */
export const make = <A, E>(options: {
  /** The `accept` header of requests with this decoder. */
  readonly accept: string
  /** Decodes the response: an effect, a promise, or the value itself. An exception counts as a failure. */
  readonly decode: (body: Body) => Effect.Effect<A, E> | PromiseLike<A> | A
}): ResponseDecoder<A> => {
  refuseUnknown("success", options, ["accept", "decode"])
  const { accept, decode } = options
  if (typeof accept !== "string")
    throw new InvalidConfigError({ key: "success.accept", reason: "must be a string" })
  return of(
    accept,
    guarded(
      (body: Body) =>
        Sync.mapError(asEffect<A, E>(decode(body)), (error) => ({
          reason: reasonOf(error),
          path: [],
          thrown: error
        })),
      () => undefined
    )
  )
}

const reasonOf = (error: unknown): string =>
  Predicate.hasProperty(error, "message") ? String(error.message) : String(error)

/**
 * JSON by another parser than `JSON.parse`, such as one that keeps big integers: `lossless-json`, `json-bigint`.
 *
 * @example
 * ```ts
 * import { ResponseDecoder } from "@effect-api/client"
 * import { Schema } from "effect"
 *
 * declare const parse: (text: string) => unknown
 *
 * export const transfer = ResponseDecoder.jsonWith({ parse }).pipe(
 *   ResponseDecoder.andThen(Schema.Struct({ amount: Schema.BigIntFromSelf }))
 * )
 * ```
 * @since 3.1.0
 * @category constructors
 */
export const jsonWith = (options: {
  /** Parses the text. An exception means that it is no JSON. */
  readonly parse: (text: string) => unknown
}): ResponseDecoder<unknown> => {
  refuseUnknown("success", options, ["parse"])
  const { parse: read } = options
  return of("application/json", (body) => parse(body, read))
}

/**
 * A decoder of your own over the parsed JSON, such as a parser of another library. The `Either` that it returns holds
 * the value, or why the value does not fit.
 *
 * @example
 * ```ts
 * import { ApiClient, ApiRequest, ResponseDecoder } from "@effect-api/client"
 * import { Either } from "effect"
 *
 * const count = ResponseDecoder.fromEither((input) =>
 *   typeof input === "number" ? Either.right(input) : Either.left(new Error("expected a number"))
 * )
 * const getCount = ApiRequest.get("/count", { success: count })
 * ```
 * @since 0.1.0
 * @category constructors
 */
export const fromEither = <A, E>(decode: (input: unknown) => Either.Either<A, E>): ResponseDecoder<A> => {
  const decodeValue = guarded(
    (value: unknown) =>
      Sync.mapError(Sync.fromEither(decode(value)), (error) => ({
        reason: reasonOf(error),
        path: [],
        parsed: { value }
      })),
    (value) => ({ value })
  )
  return of("application/json", (body) => Sync.flatMap(parse(body), decodeValue))
}

/**
 * A decoder from an Effect `Schema` or a Standard Schema: JSON, then the schema.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromSchema = <S extends ApiSchema.ApiSchema>(schema: S): ResponseDecoder<ApiSchema.Type<S>> =>
  through(json, schema)

/** A decoder's value through a schema. `prepare` changes the value before the schema gets it. */
const through = <S extends ApiSchema.ApiSchema>(
  self: ResponseDecoder<unknown>,
  schema: S,
  prepare?: (value: unknown) => unknown
): ResponseDecoder<ApiSchema.Type<S>> => {
  const decode = ApiSchema.decoder(schema)
  const quickest = (body: Body) => (body instanceof WholeBody ? body.decoderOf?.(schema) : undefined)
  return Contract.of({
    accept: self.accept,
    decode:
      prepare === undefined
        ? (body) => Sync.flatMap(self.decode(body), quickest(body) ?? decode)
        : (body) => Sync.flatMap(self.decode(body), (value) => decode(prepare(value))),
    secrets: combined([self.secrets, SchemaDecoder.secretsOf(schema)]),
    tagged: () => {
      const [tag, ...others] = Schema.isSchema(schema) ? tagsOf(schema.ast) : []
      if (tag === undefined) return through(self, schema)
      const decoderOf = (tag: SchemaAST.LiteralValue) => through(self, schema, tagging(tag))
      return others.map(decoderOf).reduce(orElse, decoderOf(tag))
    }
  })
}

/**
 * Checks and decodes what a decoder returns with a schema: a text, an XML document, JSON of another parser.
 *
 * @example
 * ```ts
 * import { ApiRequest, ResponseDecoder } from "@effect-api/client"
 * import { Schema } from "effect"
 *
 * // ApiRequest<number>
 * export const visitors = ApiRequest.get("/visitors.txt", {
 *   success: ResponseDecoder.text.pipe(ResponseDecoder.andThen(Schema.NumberFromString))
 * })
 * ```
 * @since 3.1.0
 * @category combinators
 */
export const andThen: {
  <S extends ApiSchema.ApiSchema>(
    schema: S
  ): (self: ResponseDecoder<unknown>) => ResponseDecoder<ApiSchema.Type<S>>
  <S extends ApiSchema.ApiSchema>(
    self: ResponseDecoder<unknown>,
    schema: S
  ): ResponseDecoder<ApiSchema.Type<S>>
} = /*#__PURE__*/ dual(
  2,
  <S extends ApiSchema.ApiSchema>(
    self: ResponseDecoder<unknown>,
    schema: S
  ): ResponseDecoder<ApiSchema.Type<S>> => {
    if (!SchemaDecoder.isApiSchema(schema))
      throw new InvalidConfigError({ key: "success", reason: "andThen takes a schema" })
    if (self.open !== undefined)
      throw new InvalidConfigError({ key: "success", reason: "a body that is still arriving fits no schema" })
    return through(self, schema)
  }
)

/**
 * Changes what a decoder returns. An exception of the function is a `ResponseValidationError`.
 *
 * @example
 * ```ts
 * import { ApiRequest, ResponseDecoder } from "@effect-api/client"
 *
 * // ApiRequest<ReadonlyArray<string>>
 * export const lines = ApiRequest.get("/log.txt", {
 *   success: ResponseDecoder.text.pipe(ResponseDecoder.map((text) => text.split("\n")))
 * })
 * ```
 * @since 3.1.0
 * @category combinators
 */
export const map: {
  <A, B>(f: (value: A) => B): (self: ResponseDecoder<A>) => ResponseDecoder<B>
  <A, B>(self: ResponseDecoder<A>, f: (value: A) => B): ResponseDecoder<B>
} = /*#__PURE__*/ dual(2, <A, B>(self: ResponseDecoder<A>, f: (value: A) => B): ResponseDecoder<B> => {
  const { accept, open, opening, secrets, tagged } = self
  return Contract.of({
    accept,
    secrets,
    decode: (body) => Sync.map(self.decode(body), f),
    ...(open !== undefined && { open: (arriving) => f(open(arriving)), opening }),
    ...(tagged !== undefined && { tagged: () => map(tagged(), f) })
  })
})

/** One map holds all decoders; the type of a decodable is that of its decoder's value. */
const decoderOf: (decodable: Decodable) => ResponseDecoder<never> = /*#__PURE__*/ memo(
  /*#__PURE__*/ new WeakMap<Decodable, ResponseDecoder<never>>(),
  (decodable) =>
    (Contract.isResponseDecoder(decodable) ? decodable : fromSchema(decodable)) as ResponseDecoder<never>
)

/**
 * The decoder of a request's `success`. Made once per schema: every call builds its request anew, but not its
 * schemas.
 *
 * @since 0.1.0
 * @category constructors
 */
export const from: <D extends Decodable>(decodable: D) => ResponseDecoder<Contract.Type<D>> = decoderOf

/**
 * The decoder of a request's `success` in either form.
 *
 * @internal
 */
export const fromSuccess = <S extends Decodable | DecodableByStatus>(
  success: S
): ResponseDecoder<Success<S>> =>
  // The values of the decoders by status are the union that `Success` names.
  (isDecodable(success) ? from(success) : statusDecoder(ByStatus.map(success, from))) as ResponseDecoder<
    Success<S>
  >

/**
 * The decoder of a caller's own error. The `_tag` of a `Schema.TaggedError` is the program's name for it, which no API
 * sends: a body without one is read as if it had it.
 *
 * @internal
 */
export const fromFailure: typeof from = /*#__PURE__*/ memo(
  /*#__PURE__*/ new WeakMap<Decodable, ResponseDecoder<never>>(),
  (decodable) => {
    const decoder = decoderOf(decodable)
    return decoder.tagged?.() ?? decoder
  }
)

const tagging =
  (_tag: SchemaAST.LiteralValue) =>
  (value: unknown): unknown =>
    value === undefined || Predicate.isRecord(value) ? { _tag, ...value } : value

/** The tags that a schema of tagged classes expects, in its encoded form: several where it is a union. */
const tagsOf = (ast: SchemaAST.AST): ReadonlyArray<SchemaAST.LiteralValue> => {
  const encoded = SchemaAST.encodedAST(ast)
  if (SchemaAST.isUnion(encoded)) return encoded.types.flatMap(tagsOf)
  if (!SchemaAST.isTypeLiteral(encoded)) return []
  const tag = encoded.propertySignatures.find(({ name }) => name === "_tag")?.type
  return tag !== undefined && SchemaAST.isLiteral(tag) ? [tag.literal] : []
}

/** The first of two decoders that fits. */
const orElse = <A>(first: ResponseDecoder<A>, second: ResponseDecoder<A>): ResponseDecoder<A> => ({
  ...first,
  decode: (body) => {
    const decoded = first.decode(body)
    const next = () => second.decode(body)
    return Sync.isSync(decoded) ? Sync.match(decoded, next, () => decoded) : Effect.catchAll(decoded, next)
  }
})

/**
 * Runs a decoder, which may be the program's own: an exception counts as a value that does not fit.
 *
 * @internal
 */
export const run = <A>(decoder: ResponseDecoder<A>, body: Body): Effect.Effect<A, ApiSchema.DecodeFailure> =>
  guarded(decoder.decode, () => undefined)(body)

/**
 * Whether a value can be turned into a decoder.
 *
 * @internal
 */
export const isDecodable = (u: unknown): u is Decodable =>
  Contract.isResponseDecoder(u) || SchemaDecoder.isApiSchema(u)
