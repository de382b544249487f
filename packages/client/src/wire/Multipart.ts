/**
 * `multipart/form-data` (RFC 7578, with the escaping of the WHATWG HTML standard). We encode it ourselves rather than
 * use the runtime's `FormData`: one undici transport cannot send that, and no runtime can stream a part.
 */
import * as Predicate from "effect/Predicate"
import type * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"
import { each, joined } from "../effect/pulls.js"
import { concat } from "../shared/bytes.js"
import {
  hasLoneSurrogate,
  type InvalidInput,
  invalid,
  loneSurrogate,
  notScalar,
  Problem,
  scalarText
} from "../shared/invalid.js"
import { isPlainObject } from "../shared/isPlainObject.js"
import * as Result from "../shared/result.js"
import { uuid } from "../shared/uuid.js"
import { type BodyStream, isBodyStream, toStream } from "./byteSource.js"

/**
 * A part with a name and a type of its own. An object with any other key counts as an object of fields.
 *
 * @since 0.1.0
 * @category models
 */
export interface FilePart {
  /** The bytes or text of the part. A stream allows a single attempt; a function that makes one allows any number. */
  readonly content: string | Uint8Array | Blob | BodyStream
  /** The file name sent to the server. A `File` brings its own. */
  readonly filename?: string | undefined
  /**
   * The media type of the part, in visible ASCII. Default: that of the `Blob`, or `application/octet-stream`; none
   * for text.
   */
  readonly contentType?: string | undefined
}

/**
 * A field: text, a file, or several of them. Lists are written `name[]`, objects `name[key]`; `null` and `undefined`
 * send nothing. A `File` brings its own name and type.
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

/** The fields of a form. */
export interface Fields {
  readonly [name: string]: Field
}

/**
 * A form ready to be sent: bytes if it holds nothing else, otherwise a stream, with its length if that is known. If
 * no part streams, `blob` makes one `Blob` of it.
 */
export interface EncodedForm {
  readonly boundary: string
  readonly content: Uint8Array | Stream.Stream<Uint8Array, unknown>
  readonly blob: (() => Blob) | undefined
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

/** Encodes a form. Fails with the field whose value no form can hold; nothing is dropped silently. */
export const encode = (fields: unknown): Result.Result<EncodedForm, InvalidInput> => {
  const parts: Array<Part> = []
  // A FormData or a Map has no own keys: as a record it would be an empty form.
  if (!isPlainObject(fields)) return Result.fail(invalid("multipart", "must be a plain object of fields"))
  const problem = findProblem(Object.entries(fields), (name, field) =>
    collect(parts, name, field, ["multipart", name])
  )
  if (problem !== undefined) return Result.fail(problem)
  const boundary = `effect-api-${uuid()}`
  const pieces: Array<Part["content"]> = []
  for (const part of parts) pieces.push(utf8.encode(head(boundary, part)), part.content, crlf)
  pieces.push(utf8.encode(`--${boundary}--\r\n`))
  const length = pieces.reduce<number | undefined>((sum, piece) => add(sum, sizeOf(piece)), 0)
  const whole = pieces.every((piece) => piece instanceof Uint8Array)
  return Result.succeed({
    boundary,
    content: whole ? concat(pieces, length ?? 0) : joined(() => pieces, pieceStream),
    blob: pieces.every(isPart) ? () => new Blob(pieces.filter(isPart)) : undefined,
    length,
    replayable: pieces.every((piece) => sizeOf(piece) !== undefined || typeof piece === "function")
  })
}

const isPart = (piece: Part["content"]): piece is Blob | Uint8Array<ArrayBuffer> =>
  piece instanceof Uint8Array || piece instanceof Blob

const crlf = utf8.encode("\r\n")

const add = (sum: number | undefined, size: number | undefined): number | undefined =>
  sum === undefined || size === undefined ? undefined : sum + size

const sizeOf = (content: Part["content"]): number | undefined =>
  content instanceof Uint8Array ? content.length : content instanceof Blob ? content.size : undefined

const pieceStream = (content: Part["content"]): Stream.Stream<Uint8Array, unknown> =>
  content instanceof Uint8Array
    ? each(() => [content])
    : toStream(content instanceof Blob ? () => content.stream() : content)

/** WHATWG HTML, multipart/form-data encoding: a name must not be able to end its quotes or its line. */
const escape = (name: string): string =>
  name.replaceAll("\n", "%0A").replaceAll("\r", "%0D").replaceAll('"', "%22")

/** The same algorithm turns every line break in a field's name, though not in a file's, into CRLF. */
const escapeName = (name: string): string => escape(name.replace(/\r\n?|\n/g, "\r\n"))

const head = (boundary: string, part: Part): string => {
  const filename = part.filename === undefined ? "" : `; filename="${escape(part.filename)}"`
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
  const reject = ({ reason }: Problem, ...key: ReadonlyArray<string>): InvalidInput =>
    invalid([...trail, ...key].join("."), reason)
  if (field === null || field === undefined) return undefined
  if (hasLoneSurrogate(name)) return reject(loneSurrogate)
  const text = textOf(field)
  if (typeof text === "string") return add(utf8.encode(text))
  if (text !== notScalar) return reject(text)
  if (field instanceof Uint8Array) return add(field, "blob", "application/octet-stream")
  if (field instanceof Blob) {
    return add(field, nameOf(field) ?? "blob", field.type || "application/octet-stream")
  }
  if (isBodyStream(field)) return add(field, "blob", "application/octet-stream")
  if (trail.length > maxDepth) return reject(tooDeep)
  if (Array.isArray(field)) {
    return findProblem(field.entries(), (key, value) =>
      collect(parts, `${name}[]`, value, [...trail, `${key}`])
    )
  }
  if (!isPlainObject(field)) return reject(unsupported)
  if (!isFilePart(field)) {
    return findProblem(Object.entries(field), (key, value) =>
      collect(parts, `${name}[${key}]`, value, [...trail, key])
    )
  }
  const { content, contentType, filename } = field
  if (contentType !== undefined && !(typeof contentType === "string" && /^[\x20-\x7e]+$/.test(contentType))) {
    return reject(badType, "contentType")
  }
  if (filename !== undefined && (typeof filename !== "string" || hasLoneSurrogate(filename))) {
    return reject(badFilename, "filename")
  }
  if (typeof content === "string") {
    return hasLoneSurrogate(content)
      ? reject(loneSurrogate, "content")
      : add(utf8.encode(content), filename, contentType)
  }
  if (!(content instanceof Uint8Array || content instanceof Blob || isBodyStream(content))) {
    return reject(badContent, "content")
  }
  const own = content instanceof Blob ? content : undefined
  return add(content, filename ?? nameOf(own), contentType ?? (own?.type || "application/octet-stream"))
}

/** As in queries: deeper than any API needs, and the depth that a list containing itself reaches. */
const maxDepth = 64

const tooDeep = new Problem(`must not be nested deeper than ${maxDepth} levels`)
const unsupported = new Problem(
  "must be text, bytes, a Blob, a stream, a file part, a list or a plain object"
)
const badType = new Problem("must be a media type in visible ASCII")
const badFilename = new Problem("must be a string of well-formed Unicode")
const badContent = new Problem("must be a string, bytes, a Blob or a stream")
const badDate = new Problem("must be a valid date")

/** The name of a `File`. That class is newer than the oldest supported runtimes. */
const nameOf = (blob: Blob | undefined): string | undefined =>
  Predicate.hasProperty(blob, "name") && typeof blob.name === "string" ? blob.name : undefined

const partKeys: ReadonlySet<string> = new Set(["content", "filename", "contentType"])

const isFilePart = (field: Record<string, unknown>): field is Record<keyof FilePart, unknown> =>
  "content" in field && Object.keys(field).every((key) => partKeys.has(key))

const findProblem = <K>(
  entries: Iterable<[K, unknown]>,
  visit: (key: K, value: unknown) => InvalidInput | undefined
): InvalidInput | undefined => {
  for (const [key, value] of entries) {
    const problem = visit(key, value)
    if (problem !== undefined) return problem
  }
  return undefined
}

/** The text of a single value; `notScalar` (by identity) for other values. */
const textOf = (field: unknown): string | Problem => {
  if (field instanceof Date) return Number.isNaN(field.getTime()) ? badDate : field.toISOString()
  const text = scalarText(field)
  return typeof text === "string" && hasLoneSurrogate(text) ? loneSurrogate : text
}
