/** The bodies of requests, from the caller's value to bytes. */
import * as HttpBody from "@effect/platform/HttpBody"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import { each } from "../effect/pulls.js"
import * as Sync from "../effect/sync.js"
import { type InvalidInput, invalid } from "../shared/invalid.js"
import type * as Result from "../shared/result.js"
import * as Source from "./byteSource.js"
import * as EncodedValue from "./encodedValue.js"
import * as Json from "./json.js"
import * as Multipart from "./Multipart.js"
import * as Progress from "./Progress.js"
import * as Query from "./query.js"
import { lengthProblem } from "./sendable.js"
import * as Watched from "./watchedSource.js"
import { keepReplayable, withBlob, withBytes } from "./wholeBody.js"

/**
 * Bytes that are produced while they are sent. A source can be read once.
 *
 * @since 0.1.0
 * @category models
 */
export type ByteSource = Source.ByteSource

/**
 * A streamed body: a source, which allows a single attempt, or a function that makes a new one for every attempt.
 *
 * @since 0.1.0
 * @category models
 */
export type BodyStream = Source.BodyStream

/** The options that set a body. A request takes one of them. */
export interface Options<B, I, P = Query.QueryInput> {
  /** Any JSON value, encoded by `bodySchema` if there is one. */
  readonly body?: NoInfer<B> | undefined
  /** Encodes `body`. A value that does not fit fails with `InvalidRequestError`, and nothing is sent. */
  readonly bodySchema?: Schema.Schema<B, I> | undefined
  /** Sent as `application/x-www-form-urlencoded`, by the rules of the query. */
  readonly form?: P | undefined
  /** Sent as `multipart/form-data` (RFC 7578). */
  readonly multipart?: Multipart.Fields | undefined
  /** Sent as `text/plain`, unchanged. */
  readonly text?: string | undefined
  /** Sent as `application/octet-stream`, unchanged. */
  readonly bytes?: Uint8Array | ArrayBuffer | undefined
  /**
   * Sent as `application/octet-stream` while it is produced. A source allows a single attempt; a function that makes
   * one allows any number.
   */
  readonly bodyStream?: BodyStream | undefined
  /** Called as the body is sent. Every attempt counts from zero. */
  readonly onUpload?: ((progress: Progress.Progress) => void) | undefined
}

/** The options without their type parameters. */
export interface Erased extends Omit<Options<unknown, unknown>, "bodySchema"> {
  readonly bodySchema?: Schema.Schema.AnyNoContext | undefined
}

/**
 * A body ready to be sent. `replayable`: whether it can be sent again. `sourceFailure`: the failure of a streamed
 * body's own source.
 */
export interface EncodedBody {
  readonly body: HttpBody.HttpBody
  readonly replayable: boolean
  readonly sourceFailure: () => SourceFailure | undefined
}

/** The failure of a streamed body's source. */
export type SourceFailure = Watched.SourceFailure

/** The names of the options that set a body. */
export const kinds = ["body", "form", "multipart", "text", "bytes", "bodyStream"] as const

const noFailure = (): undefined => undefined

class BufferedBody implements EncodedBody {
  readonly body: HttpBody.HttpBody
  readonly replayable: boolean = true
  readonly sourceFailure: EncodedBody["sourceFailure"] = noFailure

  constructor(body: HttpBody.HttpBody) {
    this.body = body
  }
}

const whole = (body: HttpBody.HttpBody): EncodedBody => new BufferedBody(body)

const nothing = whole(HttpBody.empty)
const none = Exit.succeed(nothing)

/**
 * Encodes the body of the options. Fails with the field and the reason if it cannot be sent unchanged.
 * `contentLength` is the header that the request sets: the length of a body that does not know its own.
 */
export const encode = (
  options: Erased,
  format: Query.QueryFormat,
  contentLength?: string | null
): Effect.Effect<EncodedBody, InvalidInput> => {
  let kind: (typeof kinds)[number] | undefined
  for (const candidate of kinds) {
    if (options[candidate] === undefined) continue
    if (kind !== undefined)
      return Exit.fail(invalid(`${kind}, ${candidate}`, "must be one: a request has a single body"))
    kind = candidate
  }
  if (kind === undefined) return typeof contentLength === "string" ? fitting(contentLength)(nothing) : none
  const declared = typeof contentLength === "string" ? Number(contentLength) : undefined
  const encoded = encodeKind(kind, options, format, declared)
  const fitted = declared === undefined ? encoded : Sync.flatMap(encoded, fitting(contentLength))
  const { onUpload } = options
  if (onUpload === undefined) return fitted
  const field = kind
  return Sync.map(fitted, (encoded) => withProgress(field, encoded, onUpload))
}

const fitting =
  (contentLength: string | null | undefined) =>
  (encoded: EncodedBody): Exit.Exit<EncodedBody, InvalidInput> => {
    const problem = lengthProblem(contentLength, encoded.body)
    return problem === undefined ? Exit.succeed(encoded) : Exit.fail(problem)
  }

/**
 * The JSON text of a value, as a request body has it. Fails where JSON would silently drop or alter a part of the
 * value: the field of the failure is the path to that part, and `field` names the value itself. A `Redacted` becomes
 * its content, or `<redacted>` with `redacted: "mask"`.
 *
 * @since 0.1.0
 * @category encoding
 */
export const json = (
  value: unknown,
  field: string,
  options?: {
    /** What a `Redacted` becomes: its value (`reveal`, default), or `<redacted>` (`mask`). */
    readonly redacted: "reveal" | "mask"
  }
): Effect.Effect<string, InvalidInput> => Sync.fromResult(Json.stringify(value, field, options))

/**
 * The secrets of a body: every `Redacted` in the value and in its encoded form, and every value that the schema marks
 * as one.
 */
export const secrets = (options: Pick<Erased, "body" | "bodySchema">): ReadonlySet<string> =>
  EncodedValue.secretsOf(options.body, options.bodySchema, options)

const encodeKind = (
  kind: (typeof kinds)[number],
  options: Erased,
  format: Query.QueryFormat,
  declared: number | undefined
): Effect.Effect<EncodedBody, InvalidInput> => {
  switch (kind) {
    case "body":
      return Sync.flatMap(EncodedValue.body(options.body, options.bodySchema, options), (value) =>
        encoded(Json.stringify(value, "body"), (text) => whole(HttpBody.text(text, "application/json")))
      )
    case "form":
      return encoded(Query.formEncode(options.form, format), (text) =>
        whole(HttpBody.text(text, "application/x-www-form-urlencoded"))
      )
    case "multipart":
      return encoded(
        Multipart.encode(options.multipart),
        ({ blob, boundary, content, length, replayable }) => {
          const type = `multipart/form-data; boundary=${boundary}`
          if (content instanceof Uint8Array) return whole(HttpBody.uint8Array(content, type))
          const form = streamed(kind, content, type, length ?? declared, replayable, options.onUpload)
          // The progress of a Blob cannot be observed.
          if (blob !== undefined && options.onUpload === undefined) withBlob(form.body, blob)
          return form
        }
      )
    case "text":
      return typeof options.text === "string"
        ? Exit.succeed(whole(HttpBody.text(options.text, "text/plain; charset=utf-8")))
        : Exit.fail(invalid("text", "must be a string"))
    case "bytes": {
      const { bytes } = options
      return bytes instanceof Uint8Array || bytes instanceof ArrayBuffer
        ? Exit.succeed(whole(HttpBody.uint8Array(asBytes(bytes), "application/octet-stream")))
        : Exit.fail(invalid("bytes", "must be a Uint8Array or an ArrayBuffer"))
    }
    case "bodyStream": {
      const { bodyStream } = options
      if (!Source.isBodyStream(bodyStream)) {
        return Exit.fail(invalid("bodyStream", "must be a stream of bytes, or a function that makes one"))
      }
      const replayable = typeof bodyStream === "function"
      const source = Source.toStream(bodyStream)
      return Exit.succeed(
        streamed(kind, source, "application/octet-stream", declared, replayable, options.onUpload)
      )
    }
  }
}

const encoded = <A>(
  result: Result.Result<A, InvalidInput>,
  toBody: (value: A) => EncodedBody
): Exit.Exit<EncodedBody, InvalidInput> =>
  result.ok ? Exit.succeed(toBody(result.value)) : Exit.fail(result.error)

const asBytes = (bytes: Uint8Array | ArrayBuffer): Uint8Array =>
  bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes)

type OnUpload = (progress: Progress.Progress) => void

/** Progress is counted inside the watched source: a callback that throws is the program's own failure too. */
const streamed = (
  field: string,
  stream: Stream.Stream<Uint8Array, unknown>,
  type: string | undefined,
  length: number | undefined,
  replayable: boolean,
  onUpload?: OnUpload
): EncodedBody => {
  const source = onUpload === undefined ? stream : Progress.counted(stream, length, onUpload)
  const watched = new Watched.WatchedSource(field, source, length)
  const body = HttpBody.stream(watched.stream, type, length)
  if (replayable) keepReplayable(body)
  return {
    body,
    replayable,
    sourceFailure: () => watched.failure
  }
}

/**
 * The body of a platform request. A streamed one can be sent once. `contentLength` is the header that the request sets: the length
 * of a body that does not know its own.
 */
export const fromHttpBody = (body: HttpBody.HttpBody, contentLength: string | undefined): EncodedBody => {
  const source = sourceOf(body)
  const length = contentLength === undefined ? undefined : Number(contentLength)
  return source === undefined || body._tag === "Empty"
    ? { body, replayable: body._tag !== "Raw" || typeof body.body === "string", sourceFailure: noFailure }
    : streamed("body", source, body.contentType, body.contentLength ?? length, false)
}

const sourceOf = (body: HttpBody.HttpBody): Stream.Stream<Uint8Array, unknown> | undefined => {
  if (body._tag === "Stream") return body.stream
  const isSource = body._tag === "Raw" && typeof body.body !== "function" && Source.isBodyStream(body.body)
  return isSource ? Source.toStream(body.body) : undefined
}

/** Small enough to show progress, large enough to be cheap. */
const pieceBytes = 64 * 1024

/** A streamed body counts its own bytes. */
const withProgress = (field: string, encoded: EncodedBody, onUpload: OnUpload): EncodedBody => {
  const { body } = encoded
  if (body._tag !== "Uint8Array") return encoded
  const source = each(() => pieces(body.body))
  const counted = streamed(field, source, body.contentType, body.contentLength, true, onUpload)
  withBytes(counted.body, body.body)
  return counted
}

function* pieces(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}
