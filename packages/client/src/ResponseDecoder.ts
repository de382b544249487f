/**
 * From the bytes of an answer to the value a request promises.
 *
 * @since 0.1.0
 */
import { Effect, Either, ParseResult, Predicate, Schema } from "effect"

/**
 * Type id of {@link ResponseDecoder}.
 *
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/ResponseDecoder")

/**
 * The body of an answer, read to its end. `contentType` is the header as it came.
 *
 * @since 0.1.0
 * @category models
 */
export interface Body {
  readonly bytes: Uint8Array
  readonly contentType: string | undefined
}

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
 * A way to read an answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResponseDecoder<out A> {
  readonly [TypeId]: typeof TypeId
  readonly accept: string
  readonly decode: (body: Body) => Effect.Effect<A, Misfit>
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
 * All that may stand as a request's `success`: a decoder, an Effect `Schema`, a Standard Schema.
 *
 * @since 0.1.0
 * @category models
 */
export type Decodable = ResponseDecoder<unknown> | Schema.Schema.AnyNoContext | StandardSchema

/**
 * The value that a {@link Decodable} gives.
 *
 * @since 0.1.0
 * @category models
 */
export type Type<D> =
  D extends ResponseDecoder<infer A>
    ? A
    : D extends Schema.Schema.AnyNoContext
      ? Schema.Schema.Type<D>
      : D extends StandardSchema<infer A>
        ? A
        : never

const make = <A>(accept: string, decode: (body: Body) => Effect.Effect<A, Misfit>): ResponseDecoder<A> => ({
  [TypeId]: TypeId,
  accept,
  decode
})

const utf8 = new TextDecoder()

const mediaType = (body: Body): string =>
  (body.contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? ""

const isJson = (type: string): boolean => type === "" || type === "application/json" || type.endsWith("+json")

const parse = (body: Body): Either.Either<unknown, Misfit> => {
  if (body.bytes.length === 0) return Either.right(undefined)
  try {
    return Either.right(JSON.parse(utf8.decode(body.bytes)))
  } catch {
    // The parser's own message quotes the body; the error carries a redacted excerpt instead.
    const type = mediaType(body)
    return Either.left({ reason: isJson(type) ? "is not valid JSON" : `is ${type}, not JSON`, path: [] })
  }
}

const asText = (body: Body): string => {
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(body.contentType ?? "")?.[1]
  if (charset === undefined) return utf8.decode(body.bytes)
  try {
    return new TextDecoder(charset).decode(body.bytes)
  } catch {
    return utf8.decode(body.bytes)
  }
}

/**
 * The parsed JSON, unchecked; `undefined` for an empty body. A body that is no JSON is a `ResponseValidationError`.
 *
 * @since 0.1.0
 * @category decoders
 */
export const json: ResponseDecoder<unknown> = make("application/json", parse)

/**
 * What a request without `success` gives: JSON where the media type is JSON or absent, else the text.
 *
 * @since 0.1.0
 * @category decoders
 */
export const auto: ResponseDecoder<unknown> = make("application/json", (body) =>
  isJson(mediaType(body)) ? parse(body) : Either.right(asText(body))
)

/**
 * The text, in the charset the answer names (UTF-8 where it names none).
 *
 * @since 0.1.0
 * @category decoders
 */
export const text: ResponseDecoder<string> = make("text/plain, */*;q=0.8", (body) =>
  Either.right(asText(body))
)

/**
 * The bytes as they came, up to `limits.responseBytes`.
 *
 * @since 0.1.0
 * @category decoders
 */
export const bytes: ResponseDecoder<Uint8Array> = make("*/*", (body) => Either.right(body.bytes))

/**
 * Nothing: whatever the body holds is read and dropped.
 *
 * @since 0.1.0
 * @category decoders
 */
export const empty: ResponseDecoder<void> = make("*/*", () => Either.void)

/**
 * A decoder of your own over the parsed JSON, given as a function to an `Either`. With it, schemas of the frozen
 * `@effect/schema` package keep working: hand over what its `decodeUnknownEither` returns.
 *
 * @example
 * ```ts
 * import { ApiRequest, ResponseDecoder } from "@effect-api/client"
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
export const fromEither = <A, E>(decode: (input: unknown) => Either.Either<A, E>): ResponseDecoder<A> =>
  make("application/json", (body) =>
    Either.flatMap(parse(body), (value) =>
      Either.mapLeft(decode(value), (error) => ({
        reason: Predicate.hasProperty(error, "message") ? String(error.message) : String(error),
        path: [],
        parsed: { value }
      }))
    )
  )

/**
 * A decoder from an Effect `Schema`. Schemas that need no async work decode without a fiber.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromSchema = <A, I>(schema: Schema.Schema<A, I>): ResponseDecoder<A> => {
  const decode = ParseResult.decodeUnknown(schema)
  return make("application/json", (body) => {
    const parsed = parse(body)
    if (Either.isLeft(parsed)) return Either.left(parsed.left)
    const value = parsed.right
    // A sync schema answers with an Either, which spares the happy path an operation.
    const decoded = decode(value)
    if (Either.isEither(decoded) && Either.isRight(decoded)) return decoded as Either.Right<never, A>
    return Effect.mapError(decoded, (issue) => schemaMisfit(issue, value))
  })
}

const schemaMisfit = (issue: ParseResult.ParseIssue, value: unknown): Misfit => ({
  reason: ParseResult.TreeFormatter.formatIssueSync(issue),
  path: (ParseResult.ArrayFormatter.formatIssueSync(issue)[0]?.path ?? []).map(pathKey),
  parsed: { value }
})

const pathKey = (key: PropertyKey): string | number => (typeof key === "symbol" ? key.toString() : key)

/**
 * A decoder from a Standard Schema.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromStandardSchema = <A>(schema: StandardSchema<A>): ResponseDecoder<A> =>
  make("application/json", (body) =>
    Effect.flatMap(parse(body), (value) => {
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
    })
  )

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

const cache = new WeakMap<object, ResponseDecoder<unknown>>()

/**
 * The decoder of whatever stands as a request's `success`. Made once per schema: requests are built anew for every call,
 * schemas are not.
 *
 * @since 0.1.0
 * @category constructors
 */
export const from = <D extends Decodable>(decodable: D): ResponseDecoder<Type<D>> => {
  const known = cache.get(decodable)
  if (known !== undefined) return known as ResponseDecoder<Type<D>>
  const decoder: ResponseDecoder<unknown> =
    TypeId in decodable
      ? decodable
      : Schema.isSchema(decodable)
        ? fromSchema(decodable)
        : fromStandardSchema(decodable as StandardSchema)
  cache.set(decodable, decoder)
  return decoder as ResponseDecoder<Type<D>>
}
