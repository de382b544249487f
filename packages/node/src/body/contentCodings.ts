/** Content codings (RFC 9110, 8.4.1): what we ask for, which a response has, and what undoes them. */
import type { Transform } from "node:stream"
import * as zlib from "node:zlib"
import * as Either from "effect/Either"
import { ZstdFrames } from "./ZstdFrames.js"

/** A coding that can be undone. */
export interface Coding {
  readonly name: string
  /** How many of its first bytes tell what undoes it. */
  readonly headBytes: number
  readonly engine: (head: Uint8Array, options: { readonly chunkSize: number }) => Transform
  /**
   * Undoes a whole body within the turn. Only where that takes time and memory for what goes in and comes out alone: a brotli of
   * 27 bytes makes Node prepare 16 MiB.
   */
  readonly sync?: (bytes: Uint8Array, options: zlib.ZlibOptions) => Uint8Array
  readonly frames?: () => ZstdFrames
}

/** Younger than the oldest runtime we serve, and so are its types. */
const createZstdDecompress: unknown = Reflect.get(zlib, "createZstdDecompress")

const makesTransform = (value: unknown): value is (options: object) => Transform =>
  typeof value === "function"

const zstdConstant = (name: "ZSTD_e_flush" | "ZSTD_d_windowLogMax"): unknown =>
  Reflect.get(zlib.constants, name)

// What has come is handed on: a stream of events must not wait for the coder's next block. The end is not flushed but finished,
// so that a body that is cut is noticed.
const flush = { flush: zlib.constants.Z_SYNC_FLUSH }

/** RFC 9659: nobody sends a window above 8 MiB, which the reader would have to keep. */
const windowLog = 23

/** Some servers send the bare stream (RFC 1951) in place of the wrapped one: the method and the check of RFC 1950, 2.2, tell. */
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

/** Where Node has it: from 22.15 and 23.8 on. */
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

/** What to tell a server that we take. */
export const acceptEncoding: string = codings.map(({ name }) => name).join(", ")

/** As many as other clients undo. A server may name any number, and each multiplies what a few bytes cost. */
const maxCodings = 5

const noCodings: ReadonlyArray<Coding> = []

/**
 * The codings of a response in the order in which they are undone: that of a server is the order in which it applied them. None
 * where one of them is unknown: the body is handed on as it is. A failure where there are too many.
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
  Object.assign(
    new Error(`the response has ${count} content codings, of which at most ${maxCodings} are undone`),
    { code: "ERR_TOO_MANY_CODINGS" }
  )

/** What may be undone within the turn: about half a millisecond of it. */
const maxSyncBytes = 32 * 1024
const syncOutput = { maxOutputLength: 128 * 1024, chunkSize: 32 * 1024 }

/** Whether a body of so many bytes, or a longer one that begins with them, may yet be undone within the turn. */
export const isSmall = ([coding, ...others]: ReadonlyArray<Coding>, size: number): boolean =>
  size <= maxSyncBytes && others.length === 0 && coding?.sync !== undefined

/** A whole body that is small, undone. `undefined` where that has to be done as it comes, or cannot be done. */
export const decodeSmall = (codings: ReadonlyArray<Coding>, bytes: Uint8Array): Uint8Array | undefined => {
  if (!isSmall(codings, bytes.length)) return undefined
  try {
    return codings[0]?.sync?.(bytes, syncOutput)
  } catch {
    return undefined
  }
}

/** Why a body cannot be undone. One that was cut may come whole the next time, others will not. */
export const decodeError = ({ name }: Coding, cause: Error): Error => {
  const code = "code" in cause ? cause.code : undefined
  if (code === "Z_MEM_ERROR") return cause
  const isCut = code === "Z_BUF_ERROR"
  const what = isCut ? "the body ends before its content does" : "the body is not what its coding says"
  return Object.assign(new Error(`${what} (${name}: ${cause.message})`, { cause }), {
    code: isCut ? "ERR_CODED_BODY_CUT" : "ERR_CODED_BODY_CORRUPT"
  })
}
