/** The contract of every decoder of responses: what it gets of a response, and what it makes of it. */
import type * as Effect from "effect/Effect"
import type * as Pipeable from "effect/Pipeable"
import { pipeArguments } from "effect/Pipeable"
import * as Predicate from "effect/Predicate"
import type * as Stream from "effect/Stream"
import type * as Promised from "../effect/promised.js"
import type * as ApiError from "../errors/ApiError.js"
import type * as SchemaSecrets from "../schema/schemaSecrets.js"
import type * as ApiSchema from "./ApiSchema.js"
import type * as ByStatus from "./ByStatus.js"

/** Type id of {@link ResponseDecoder}. @since 0.1.0 @category type ids */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/ResponseDecoder")

/**
 * The complete body of a response, with its status and its headers by lower-case name. `bytes` is a plain
 * `Uint8Array` with memory of its own. `view` is the same bytes, perhaps as a part of a larger buffer, for a decoder
 * that neither keeps nor changes them. `text` is the bytes in the charset that the response names, UTF-8 by default.
 * `contentType` is the unchanged header.
 *
 * @since 0.1.0
 * @category models
 */
export interface Body {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** The lines of `set-cookie`, one by one, if the transport has them so. `headers` has them joined. */
  readonly setCookies?: ReadonlyArray<string> | undefined
  readonly bytes: Uint8Array
  readonly view?: Uint8Array | undefined
  readonly text: string
  readonly contentType: string | undefined
}

/**
 * Decodes a response.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResponseDecoder<out A> extends Pipeable.Pipeable {
  readonly [TypeId]: typeof TypeId
  readonly accept: string
  readonly decode: (body: Body) => Effect.Effect<A, ApiSchema.DecodeFailure>
  /** Finds the values in a body that the schema marks as secret, so that no error shows them. */
  readonly secrets?: SchemaSecrets.Finder | undefined
  /** Set if the value is the open body itself; `decode` is then not called. */
  readonly open?: ((body: Arriving) => A) | undefined
  /**
   * What the client does for an open body.
   *
   * @internal
   */
  readonly opening?: Opening | undefined
  /** Set if the statuses have decoders of their own. */
  readonly statuses?: ByStatus.ByStatus<ResponseDecoder<A>> | undefined
  /** The same decoder for the caller's own errors: a body without the `_tag` of a tagged class is read as if it had it. */
  readonly tagged?: (() => ResponseDecoder<A>) | undefined
}

/**
 * An open body, with the status, the headers and the URL of its response. `total` is its length, if the response gives
 * it. `failAfterResponse` makes the error of a reader that fails. `leave` ends the body, read or not. `run` runs effects
 * with all that the call carries.
 *
 * @since 0.1.0
 * @category models
 */
export interface Arriving {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** The lines of `set-cookie`, one by one, if the transport has them so. `headers` has them joined. */
  readonly setCookies?: ReadonlyArray<string> | undefined
  readonly url: string
  readonly run: Promised.Run
  readonly chunks: Stream.Stream<Uint8Array, ApiError.ApiError>
  readonly total: number | undefined
  readonly failAfterResponse: (error: ApiError.ApiError) => Effect.Effect<never, ApiError.ApiError>
  readonly leave: () => void
}

/** What opens a body, carried by its decoder so that a program without one does not bundle it. The functions are those of `openBodies`. */
export interface Opening {
  readonly attempt: (...args: never) => unknown
  readonly decode: (...args: never) => unknown
  readonly byStatus: <A>(statuses: ByStatus.ByStatus<ResponseDecoder<A>>) => (arriving: Arriving) => A
}

/**
 * What decodes a response: a decoder, an Effect `Schema`, a Standard Schema.
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

/**
 * Schemas and decoders by status: of single statuses, of ranges (`"4xx"`), and of all others (`default`).
 *
 * @since 3.1.0
 * @category models
 */
export type DecodableByStatus = ByStatus.ByStatus<Decodable>

/**
 * The value of a request's `success`: what its schema decodes to, or the union of what the schemas by status do.
 *
 * @since 3.1.0
 * @category models
 */
export type Success<S> = S extends Decodable ? Type<S> : Type<S[keyof S]>

/** The fields of a decoder, without what all decoders have. */
export type Fields<A> = Omit<ResponseDecoder<A>, typeof TypeId | "pipe">

/** A decoder of the fields. All are its own, so that a program may spread it. */
export const of = <A>(fields: Fields<A>): ResponseDecoder<A> => ({ ...all, ...fields })

const all: Omit<ResponseDecoder<never>, keyof Fields<never>> = {
  [TypeId]: TypeId,
  pipe() {
    // biome-ignore lint/complexity/noArguments: pipeArguments reads them without a copy
    return pipeArguments(this, arguments)
  }
}

/** Whether a value is a decoder. */
export const isResponseDecoder = (u: unknown): u is ResponseDecoder<unknown> =>
  Predicate.hasProperty(u, TypeId)
