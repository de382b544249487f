/**
 * Decodes the bytes of a response to the value that a request promises.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as Stream from "effect/Stream"
import * as Sync from "../effect/sync.js"
import type * as ApiError from "../errors/ApiError.js"
import { guarded } from "../schema/guarded.js"
import type * as SchemaSecrets from "../schema/schemaSecrets.js"
import { memo } from "../shared/memo.js"
import { refuseUnknown } from "../shared/settings.js"
import * as MediaType from "../wire/mediaType.js"
import * as Progress from "../wire/Progress.js"
import * as ApiSchema from "./ApiSchema.js"
import * as SchemaDecoder from "./schemaDecoder.js"

/** Type id of {@link ResponseDecoder}. @since 0.1.0 @category type ids */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/ResponseDecoder")

export type { Progress } from "../wire/Progress.js"

/**
 * The complete body of a response. `bytes` is a plain `Uint8Array` with memory of its own. `view` is the same bytes,
 * perhaps as a part of a larger buffer, for a decoder that neither keeps nor changes them. `contentType` is the
 * unchanged header.
 *
 * @since 0.1.0
 * @category models
 */
export interface Body {
  readonly bytes: Uint8Array
  readonly view?: Uint8Array | undefined
  readonly contentType: string | undefined
}

/**
 * Decodes a response.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResponseDecoder<out A> {
  readonly [TypeId]: typeof TypeId
  readonly accept: string
  readonly decode: (body: Body) => Effect.Effect<A, ApiSchema.DecodeFailure>
  /** Finds the values in a body that the schema marks as secret, so that no error shows them. */
  readonly secrets?: SchemaSecrets.Finder | undefined
  /** Set if the value is the open body itself; `decode` is then not called. */
  readonly open?: ((body: Arriving) => A) | undefined
}

/**
 * An open body. `total` is its length, if the response gives it. `failAfterResponse` makes the error of a reader that
 * fails. `leave` ends the body, read or not.
 *
 * @since 0.1.0
 * @category models
 */
export interface Arriving {
  readonly chunks: Stream.Stream<Uint8Array, ApiError.ApiError>
  readonly total: number | undefined
  readonly failAfterResponse: (error: ApiError.ApiError) => Effect.Effect<never, ApiError.ApiError>
  readonly leave: () => void
}

/**
 * The types of a request's `success`: a decoder, an Effect `Schema`, a Standard Schema.
 *
 * @since 0.1.0
 * @category models
 */
export type Decodable = ResponseDecoder<unknown> | ApiSchema.ApiSchema

/**
 * The value that a {@link Decodable} decodes to.
 *
 * @since 0.1.0
 * @category models
 */
export type Type<D> = D extends ResponseDecoder<infer A> ? A : ApiSchema.Type<D>

const make = <A>(
  accept: string,
  decode: (body: Body) => Effect.Effect<A, ApiSchema.DecodeFailure>
): ResponseDecoder<A> => ({
  [TypeId]: TypeId,
  accept,
  decode
})

const utf8 = new TextDecoder()

const isJson = (type: string): boolean => type === "" || type === "application/json" || type.endsWith("+json")

const viewOf = (body: Body): Uint8Array => body.view ?? body.bytes

const parse = (body: Body): Exit.Exit<unknown, ApiSchema.DecodeFailure> => {
  const bytes = viewOf(body)
  if (bytes.length === 0) return Exit.succeed(undefined)
  try {
    return Exit.succeed(JSON.parse(markOf(bytes) === undefined ? utf8.decode(bytes) : asText(body)))
  } catch {
    // The parser's own message quotes the body; the error carries a redacted excerpt instead.
    const { type } = MediaType.parse(body.contentType)
    return Exit.fail({ reason: isJson(type) ? "is not valid JSON" : `is ${type}, not JSON`, path: [] })
  }
}

const asText = (body: Body): string => {
  const bytes = viewOf(body)
  let decoder = utf8
  try {
    decoder = new TextDecoder(markOf(bytes) ?? MediaType.parse(body.contentType).charset)
  } catch {
    // An unknown charset.
  }
  return decoder.decode(bytes)
}

/** A byte order mark takes precedence over the declared charset (WHATWG Encoding, "decode"). */
const markOf = ([first, second, third]: Uint8Array): string | undefined => {
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8"
  if (first === 0xfe && second === 0xff) return "utf-16be"
  return first === 0xff && second === 0xfe ? "utf-16le" : undefined
}

/**
 * The parsed JSON, unchecked; `undefined` for an empty body. A body that is no JSON is a `ResponseValidationError`.
 *
 * @since 0.1.0
 * @category decoders
 */
export const json: ResponseDecoder<unknown> = /*#__PURE__*/ make("application/json", parse)

/**
 * What a request without `success` gives: JSON where the media type is JSON or absent, else the text.
 *
 * @since 0.1.0
 * @category decoders
 */
export const auto: ResponseDecoder<unknown> = /*#__PURE__*/ make("application/json", (body) =>
  isJson(MediaType.parse(body.contentType).type) ? parse(body) : Exit.succeed(asText(body))
)

/**
 * The text, in the charset that the response names (UTF-8 by default).
 *
 * @since 0.1.0
 * @category decoders
 */
export const text: ResponseDecoder<string> = /*#__PURE__*/ make("text/plain, */*;q=0.8", (body) =>
  Exit.succeed(asText(body))
)

/**
 * The bytes as they came, up to `limits.responseBytes`: a plain `Uint8Array`, no `Buffer`, that has its memory to itself.
 *
 * @since 0.1.0
 * @category decoders
 */
export const bytes: ResponseDecoder<Uint8Array> = /*#__PURE__*/ make("*/*", (body) =>
  Exit.succeed(body.bytes)
)

/**
 * Nothing: whatever the body holds is read and dropped.
 *
 * @since 0.1.0
 * @category decoders
 */
export const empty: ResponseDecoder<void> = /*#__PURE__*/ make("*/*", () => Exit.void)

type Chunks = Stream.Stream<Uint8Array, ApiError.ApiError>

/**
 * The bytes as they arrive, in constant memory, under the idle limit. The call, with its retries, ends at the
 * headers; a body that breaks off later fails the stream. Run the stream once; leaving it early closes the
 * connection. `onDownload` reports the progress.
 *
 * @example
 * ```ts
 * import { ApiClient, ApiRequest, ResponseDecoder } from "@effect-api/client"
 * import { Effect, Stream } from "effect"
 *
 * const download = ApiClient.execute(
 *   ApiRequest.get("/files/{id}/content", { path: { id: "f1" }, success: ResponseDecoder.stream() })
 * ).pipe(Effect.flatMap(Stream.runFold(0, (size, chunk) => size + chunk.length)))
 * ```
 * @since 0.1.0
 * @category decoders
 */
export const stream = (
  options: {
    /** Called as the body arrives, with the total if it is known. */
    readonly onDownload?: ((progress: Progress.Progress) => void) | undefined
  } = {}
): ResponseDecoder<Chunks> => {
  refuseUnknown("success", options, ["onDownload"])
  const { onDownload } = options
  return {
    [TypeId]: TypeId,
    accept: "*/*",
    decode: (body) => Exit.succeed(Stream.make(body.bytes)),
    open: ({ chunks: arriving, failAfterResponse: late, total }) => {
      const chunks = Stream.catchAll(arriving, (error) => Stream.fromEffect(late(error)))
      return onDownload === undefined ? chunks : Progress.counted(chunks, total, onDownload)
    }
  }
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
  const reasonOf = (error: E): string =>
    Predicate.hasProperty(error, "message") ? String(error.message) : String(error)
  const decodeValue = guarded(
    (value: unknown) =>
      Sync.mapError(Sync.fromEither(decode(value)), (error) => ({
        reason: reasonOf(error),
        path: [],
        parsed: { value }
      })),
    (value) => ({ value })
  )
  return make("application/json", (body) => Sync.flatMap(parse(body), decodeValue))
}

/**
 * A decoder from an Effect `Schema` or a Standard Schema: JSON, then the schema.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromSchema = <S extends ApiSchema.ApiSchema>(schema: S): ResponseDecoder<ApiSchema.Type<S>> =>
  fromValue(schema, (value) => value)

const fromValue = <S extends ApiSchema.ApiSchema>(
  schema: S,
  prepare: (value: unknown) => unknown
): ResponseDecoder<ApiSchema.Type<S>> => {
  const decode = ApiSchema.decoder(schema)
  const decoder = make("application/json", (body) =>
    Sync.flatMap(parse(body), (value) => decode(prepare(value)))
  )
  return { ...decoder, secrets: SchemaDecoder.secretsOf(schema) }
}

/**
 * The decoder of a request's `success`. Made once per schema: every call builds its request anew, but not its
 * schemas.
 *
 * @since 0.1.0
 * @category constructors
 */
export const from: <D extends Decodable>(decodable: D) => ResponseDecoder<Type<D>> = /*#__PURE__*/ memo(
  /*#__PURE__*/ new WeakMap<Decodable, ResponseDecoder<never>>(),
  // One map holds all decoders; the type of a decodable is that of its decoder's value.
  (decodable) => (isResponseDecoder(decodable) ? decodable : fromSchema(decodable)) as ResponseDecoder<never>
)

/**
 * The decoder of a caller's own error. The `_tag` of a `Schema.TaggedError` is the program's name for it, which no API
 * sends: a body without one is read as if it had it.
 *
 * @internal
 */
export const fromFailure: typeof from = /*#__PURE__*/ memo(
  /*#__PURE__*/ new WeakMap<Decodable, ResponseDecoder<never>>(),
  (decodable) => {
    const _tag = Schema.isSchema(decodable) ? tagOf(decodable.ast) : undefined
    const tagged = (value: unknown): unknown =>
      value === undefined || Predicate.isRecord(value) ? { _tag, ...value } : value
    const decoder: ResponseDecoder<unknown> =
      isResponseDecoder(decodable) || _tag === undefined ? from(decodable) : fromValue(decodable, tagged)
    // As for `from`.
    return decoder as ResponseDecoder<never>
  }
)

/** The tag that a schema of a tagged class expects, in its encoded form. */
const tagOf = (ast: SchemaAST.AST): SchemaAST.LiteralValue | undefined => {
  const encoded = SchemaAST.encodedAST(ast)
  if (!SchemaAST.isTypeLiteral(encoded)) return undefined
  const tag = encoded.propertySignatures.find(({ name }) => name === "_tag")?.type
  return tag !== undefined && SchemaAST.isLiteral(tag) ? tag.literal : undefined
}

/**
 * Runs a decoder, which may be the program's own: an exception counts as a value that does not fit.
 *
 * @internal
 */
export const run = <A>(decoder: ResponseDecoder<A>, body: Body): Effect.Effect<A, ApiSchema.DecodeFailure> =>
  guarded(decoder.decode, () => undefined)(body)

const isResponseDecoder = (decodable: Decodable): decodable is ResponseDecoder<unknown> => TypeId in decodable

/**
 * Whether a value can be turned into a decoder.
 *
 * @internal
 */
export const isDecodable = (u: unknown): u is Decodable =>
  Predicate.hasProperty(u, TypeId) || SchemaDecoder.isApiSchema(u)
