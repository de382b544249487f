/** Content codings (RFC 9110, 8.4.1): which to request, which a response has, and their decoders. */
import type { Transform } from "node:stream"
import * as zlib from "node:zlib"
import * as Either from "effect/Either"
import { ZstdFrames } from "./ZstdFrames.js"

/** A coding with a decoder. */
export interface Coding {
  readonly name: string
  /** How many leading bytes select the engine. */
  readonly headBytes: number
  readonly engine: (head: Uint8Array, options: { readonly chunkSize: number }) => Transform
  /**
   * Decodes a complete body in one turn. Only for codings whose cost depends on the input and output: 27 bytes of
   * brotli make Node allocate 16 MiB.
   */
  readonly sync?: (bytes: Uint8Array, options: zlib.ZlibOptions) => Uint8Array
  readonly frames?: () => ZstdFrames
}

/** Node 20 and its types lack it. */
const createZstdDecompress: unknown = Reflect.get(zlib, "createZstdDecompress")

const makesTransform = (value: unknown): value is (options: object) => Transform =>
  typeof value === "function"

const zstdConstant = (name: "ZSTD_e_flush" | "ZSTD_d_windowLogMax"): unknown =>
  Reflect.get(zlib.constants, name)

// Each decoded part is flushed: an event stream must not wait for the coder's next block. The end is finished instead
// of flushed, so that truncation is detected.
const flush = { flush: zlib.constants.Z_SYNC_FLUSH }

/** RFC 9659: windows above 8 MiB are not sent, and the reader would have to allocate them. */
const windowLog = 23

/**
 * Some servers send raw deflate (RFC 1951) without the zlib wrapper. The method and checksum of RFC 1950, 2.2,
 * distinguish the two.
 */
const isWrapped = (head: Uint8Array): boolean => {
  const [method = 0, check = 0] = head
  return (method & 0x0f) === 8 && method >> 4 <= 7 && (method * 256 + check) % 31 === 0
}

const gzip: Coding = {
  name: "gzip",
  headBytes: 1,
  engine: (_, options) => zlib.createGunzip({ ...options, ...flush }),
  sync: (bytes, options) => zlib.gunzipSync(bytes, options)
}

const deflate: Coding = {
  name: "deflate",
  headBytes: 2,
  engine: (head, options) =>
    isWrapped(head)
      ? zlib.createInflate({ ...options, ...flush })
      : zlib.createInflateRaw({ ...options, ...flush }),
  sync: (bytes, options) =>
    isWrapped(bytes) ? zlib.inflateSync(bytes, options) : zlib.inflateRawSync(bytes, options)
}

const br: Coding = {
  name: "br",
  headBytes: 1,
  engine: (_, options) =>
    zlib.createBrotliDecompress({ ...options, flush: zlib.constants.BROTLI_OPERATION_FLUSH })
}

/** Available since Node 22.15 and 23.8. */
const zstdCodings: ReadonlyArray<Coding> = !makesTransform(createZstdDecompress)
  ? []
  : [
      {
        name: "zstd",
        headBytes: 1,
        engine: (_, options) =>
          createZstdDecompress({
            ...options,
            flush: zstdConstant("ZSTD_e_flush"),
            params: { [String(zstdConstant("ZSTD_d_windowLogMax"))]: windowLog }
          }),
        frames: () => new ZstdFrames()
      }
    ]

const codings: ReadonlyArray<Coding> = [gzip, deflate, br, ...zstdCodings]

const byName: ReadonlyMap<string, Coding> = new Map([
  ...codings.map((coding) => [coding.name, coding] as const),
  ["x-gzip", gzip]
])

/** The value of `accept-encoding`. */
export const acceptEncoding: string = codings.map(({ name }) => name).join(", ")

/** The same maximum as in other clients. A server may name any number, and each multiplies the cost of a few bytes. */
const maxCodings = 5

const noCodings: ReadonlyArray<Coding> = []

/**
 * The codings of a response in decoding order, which reverses the header's. Empty if one is unknown: the body is
 * returned as received. A failure if there are too many.
 */
export const parseCodings = (header: string | undefined): Either.Either<ReadonlyArray<Coding>, Error> => {
  if (header === undefined) return nothingToDecode
  const codings: Array<Coding> = []
  for (const member of header.split(",")) {
    const name = member.trim().toLowerCase()
    if (name === "" || name === "identity") continue
    const coding = byName.get(name)
    if (coding === undefined) return nothingToDecode
    codings.unshift(coding)
  }
  return codings.length > maxCodings ? Either.left(tooManyError(codings.length)) : Either.right(codings)
}

const nothingToDecode: Either.Either<ReadonlyArray<Coding>, Error> = Either.right(noCodings)

const tooManyError = (count: number): Error =>
  Object.assign(new Error(`the response has ${count} content codings; at most ${maxCodings} are decoded`), {
    code: "ERR_TOO_MANY_CODINGS"
  })

/** Limit for decoding in one turn, which takes about half a millisecond. */
const maxSyncBytes = 32 * 1024
const syncOutput = { maxOutputLength: 128 * 1024, chunkSize: 32 * 1024 }

/** Whether a body of at least this size may still be decoded in one turn. */
export const isSmall = ([coding, ...others]: ReadonlyArray<Coding>, size: number): boolean =>
  size <= maxSyncBytes && others.length === 0 && coding?.sync !== undefined

/** Decodes a complete small body, or returns `undefined` if it needs a streaming decoder or is corrupt. */
export const decodeSmall = (codings: ReadonlyArray<Coding>, bytes: Uint8Array): Uint8Array | undefined => {
  if (!isSmall(codings, bytes.length)) return undefined
  try {
    return codings[0]?.sync?.(bytes, syncOutput)
  } catch {
    return undefined
  }
}

/**
 * The error of a body that cannot be decoded. A truncated body may arrive complete on a retry; a corrupt one will not.
 */
export const decodeError = ({ name }: Coding, cause: Error): Error => {
  const code = "code" in cause ? cause.code : undefined
  if (code === "Z_MEM_ERROR") return cause
  const isCut = code === "Z_BUF_ERROR"
  const what = isCut ? "the body is truncated" : "the body does not match its content coding"
  return Object.assign(new Error(`${what} (${name}: ${cause.message})`, { cause }), {
    code: isCut ? "ERR_CODED_BODY_CUT" : "ERR_CODED_BODY_CORRUPT"
  })
}
