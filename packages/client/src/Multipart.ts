/**
 * `multipart/form-data` (RFC 7578, with the escaping of the WHATWG HTML standard), written here and not by the runtime's
 * `FormData`: one undici transport cannot send that, and no runtime can stream a part.
 *
 * @since 0.1.0
 */
import { Chunk, Either, Predicate, Redacted, Stream } from "effect"
import { type InvalidInput, invalid } from "./internal/invalid.js"

/**
 * Bytes that are produced while they are sent. A source can be read once.
 *
 * @since 0.1.0
 * @category models
 */
export type ByteSource =
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Stream.Stream<Uint8Array, unknown>

/**
 * A source, or a function that makes a new one for every attempt.
 *
 * @since 0.1.0
 * @category models
 */
export type BodyStream = ByteSource | (() => ByteSource)

/**
 * A part with a name and a type of its own.
 *
 * @since 0.1.0
 * @category models
 */
export interface FilePart {
  readonly content: string | Uint8Array | Blob | BodyStream
  readonly filename?: string | undefined
  readonly contentType?: string | undefined
}

/**
 * What a field may be: text, a file, or several of them. Lists are spelt `name[]`, objects `name[key]`; `null` and
 * `undefined` send nothing. A `File` brings its own name and type.
 *
 * @since 0.1.0
 * @category models
 */
export type Field =
  | string
  | number
  | bigint
  | boolean
  | Date
  | Redacted.Redacted<string>
  | Uint8Array
  | Blob
  | BodyStream
  | FilePart
  | null
  | undefined
  | ReadonlyArray<Field>
  | { readonly [name: string]: Field }

/**
 * The fields of a form.
 *
 * @since 0.1.0
 * @category models
 */
export interface Fields {
  readonly [name: string]: Field
}

/**
 * A form ready to be sent: bytes where all of it is at hand, else a stream with its length where that is known.
 *
 * @since 0.1.0
 * @category models
 */
export interface Encoded {
  readonly boundary: string
  readonly content: Uint8Array | Stream.Stream<Uint8Array, unknown>
  readonly length: number | undefined
  readonly replayable: boolean
}

interface Part {
  readonly name: string
  readonly filename: string | undefined
  readonly contentType: string | undefined
  readonly content: Uint8Array | Blob | BodyStream
}

const utf8 = new TextEncoder()

/**
 * Encodes a form. Fails with the field where a value is of a kind that no form can hold: nothing is lost in silence.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encode = (fields: Fields): Either.Either<Encoded, InvalidInput> => {
  const parts: Array<Part> = []
  for (const [name, field] of Object.entries(fields)) {
    const problem = collect(parts, name, field, ["multipart", name])
    if (problem !== undefined) return Either.left(problem)
  }
  const boundary = `effect-api-${crypto.randomUUID()}`
  const pieces: Array<Part["content"]> = []
  for (const part of parts) pieces.push(utf8.encode(head(boundary, part)), part.content, crlf)
  pieces.push(utf8.encode(`--${boundary}--\r\n`))
  const length = pieces.reduce<number | undefined>((sum, piece) => add(sum, sizeOf(piece)), 0)
  const whole = pieces.every((piece) => piece instanceof Uint8Array)
  return Either.right({
    boundary,
    content: whole
      ? join(pieces, length ?? 0)
      : Stream.concatAll(Chunk.fromIterable(pieces.map(pieceStream))),
    length,
    replayable: pieces.every((piece) => sizeOf(piece) !== undefined || typeof piece === "function")
  })
}

const crlf = utf8.encode("\r\n")

const add = (sum: number | undefined, size: number | undefined): number | undefined =>
  sum === undefined || size === undefined ? undefined : sum + size

const sizeOf = (content: Part["content"]): number | undefined =>
  content instanceof Uint8Array ? content.length : content instanceof Blob ? content.size : undefined

const join = (pieces: ReadonlyArray<Uint8Array>, length: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const piece of pieces) {
    bytes.set(piece, offset)
    offset += piece.length
  }
  return bytes
}

const pieceStream = (content: Part["content"]): Stream.Stream<Uint8Array, unknown> =>
  content instanceof Uint8Array
    ? Stream.make(content)
    : toStream(content instanceof Blob ? () => content.stream() : content)

/** WHATWG HTML, multipart/form-data encoding: a name must not be able to end its quotes or its line. */
const escapeName = (name: string): string => name.replace(/\r\n|\r|\n/g, "%0D%0A").replaceAll('"', "%22")

const head = (boundary: string, part: Part): string => {
  const filename = part.filename === undefined ? "" : `; filename="${escapeName(part.filename)}"`
  const type = part.contentType === undefined ? "" : `content-type: ${part.contentType}\r\n`
  return `--${boundary}\r\ncontent-disposition: form-data; name="${escapeName(part.name)}"${filename}\r\n${type}\r\n`
}

const collect = (
  parts: Array<Part>,
  name: string,
  field: unknown,
  trail: ReadonlyArray<string>
): InvalidInput | undefined => {
  const add = (content: Part["content"], filename?: string, contentType?: string): undefined => {
    parts.push({ name, content, filename, contentType })
  }
  const reject = (reason: string): InvalidInput => invalid(trail.join("."), reason)
  if (field === null || field === undefined) return undefined
  const text = textOf(field)
  if (typeof text === "string") return add(utf8.encode(text))
  if (text !== undefined) return reject(text.problem)
  if (field instanceof Uint8Array) return add(field, "blob", "application/octet-stream")
  if (field instanceof Blob) {
    const filename = "name" in field && typeof field.name === "string" ? field.name : "blob"
    return add(field, filename, field.type || "application/octet-stream")
  }
  if (isBodyStream(field)) return add(field, "blob", "application/octet-stream")
  if (Array.isArray(field))
    return each(field.entries(), (key, value) => collect(parts, `${name}[]`, value, [...trail, `${key}`]))
  if (!isPlain(field))
    return reject("must be text, bytes, a Blob, a stream, a file part, a list or a plain object")
  if (!("content" in field)) {
    return each(Object.entries(field), (key, value) =>
      collect(parts, `${name}[${key}]`, value, [...trail, key])
    )
  }
  const { content, contentType, filename } = field as unknown as FilePart
  if (contentType !== undefined && !/^[\x20-\x7e]+$/.test(contentType)) {
    return invalid([...trail, "contentType"].join("."), "must be a media type in visible ASCII")
  }
  if (typeof content === "string") return add(utf8.encode(content), filename, contentType)
  if (!(content instanceof Uint8Array || content instanceof Blob || isBodyStream(content))) {
    return invalid([...trail, "content"].join("."), "must be a string, bytes, a Blob or a stream")
  }
  const own = content instanceof Blob ? content.type || undefined : undefined
  return add(content, filename, contentType ?? own ?? "application/octet-stream")
}

const each = <K>(
  entries: Iterable<[K, unknown]>,
  visit: (key: K, value: unknown) => InvalidInput | undefined
): InvalidInput | undefined => {
  for (const [key, value] of entries) {
    const problem = visit(key, value)
    if (problem !== undefined) return problem
  }
  return undefined
}

const textOf = (field: unknown): string | { readonly problem: string } | undefined => {
  switch (typeof field) {
    case "string":
      return field
    case "boolean":
    case "bigint":
      return String(field)
    case "number":
      return Number.isFinite(field) ? String(field) : { problem: "must be a finite number" }
    default:
      if (field instanceof Date) {
        return Number.isNaN(field.getTime()) ? { problem: "must be a valid date" } : field.toISOString()
      }
      return Redacted.isRedacted(field) ? String(Redacted.value(field)) : undefined
  }
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  Predicate.isRecord(value) &&
  (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)

/**
 * Whether a value is a source of bytes, or a function that may make one.
 *
 * @since 0.1.0
 * @category guards
 */
export const isBodyStream = (u: unknown): u is BodyStream =>
  typeof u === "function" ||
  u instanceof ReadableStream ||
  isStream(u) ||
  Predicate.hasProperty(u, Symbol.asyncIterator)

const isStream = (u: unknown): u is Stream.Stream<Uint8Array, unknown> =>
  Predicate.hasProperty(u, Stream.StreamTypeId)

/**
 * A source as a `Stream`; a function is asked for a new one each time the stream runs.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toStream = (source: BodyStream): Stream.Stream<Uint8Array, unknown> => {
  if (typeof source === "function") return Stream.suspend(() => toStream(source()))
  if (isStream(source)) return source
  if (source instanceof ReadableStream)
    return Stream.fromReadableStream(
      () => source,
      (cause) => cause
    )
  return Stream.fromAsyncIterable(source, (cause) => cause)
}
