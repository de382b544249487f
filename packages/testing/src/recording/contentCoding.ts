/** Content codings (RFC 9110, section 8.4): what was compressed is searched and written as it was before. */
import * as zlib from "node:zlib"

interface Coding {
  readonly decode: (bytes: Uint8Array) => Uint8Array
  readonly encode: (bytes: Uint8Array) => Uint8Array
}

/** More than a recording is for. */
const maxOutputLength = 256 * 1024 * 1024

const gzip: Coding = {
  decode: (bytes) => zlib.gunzipSync(bytes, { maxOutputLength }),
  encode: (bytes) => zlib.gzipSync(bytes)
}

const codings: ReadonlyMap<string, Coding> = new Map([
  ["gzip", gzip],
  ["x-gzip", gzip],
  [
    "deflate",
    {
      decode: (bytes) => zlib.inflateSync(bytes, { maxOutputLength }),
      encode: (bytes) => zlib.deflateSync(bytes)
    }
  ],
  [
    "br",
    {
      decode: (bytes) => zlib.brotliDecompressSync(bytes, { maxOutputLength }),
      encode: (bytes) => zlib.brotliCompressSync(bytes)
    }
  ]
])

const isCoded = (coding: string | undefined): coding is string =>
  coding !== undefined && coding.trim() !== "" && coding.trim().toLowerCase() !== "identity"

/** The bytes without their content coding, and the way back. `undefined`: the coding is not known, or they are not in it. */
export const decode = (
  bytes: Uint8Array,
  header: string | undefined
): { readonly bytes: Uint8Array; readonly encode: Coding["encode"] } | undefined => {
  if (!isCoded(header) || bytes.length === 0) return { bytes, encode: (bytes) => bytes }
  const coding = codings.get(header.trim().toLowerCase())
  if (coding === undefined) return undefined
  try {
    return { bytes: coding.decode(bytes), encode: coding.encode }
  } catch {
    return undefined
  }
}

/**
 * Whether bytes that {@link decode} does not read are plain all the same: text, or those of which a transport took off a coding
 * that is known here. Of a body that was cut off, nobody can tell.
 */
export const isPlain = (bytes: Uint8Array, header: string | undefined, isCut: boolean): boolean =>
  isText(bytes) ||
  !isCoded(header) ||
  (codings.has(header.trim().toLowerCase()) && !isCut && !beginsCoded(bytes))

/** Whether bytes begin as gzip (RFC 1952) or zlib (RFC 1950) do: others may come behind. */
const beginsCoded = ([first = 0, second = 0]: Uint8Array): boolean =>
  (first === 0x1f && second === 0x8b) || (first === 0x78 && (first * 256 + second) % 31 === 0)

/** Whether bytes are UTF-8. */
export const isText = (bytes: Uint8Array): boolean => {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}
