import * as zlib from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import { Either } from "effect"
import { decodeSmall, isSmall, parseCodings } from "../../src/body/contentCodings.js"

const namesOf = (header: string | undefined) =>
  Either.match(parseCodings(header), {
    onLeft: (error) => error.message,
    onRight: (codings) => codings.map(({ name }) => name)
  })

describe("the codings of a response", () => {
  const many = (count: number, name = "gzip"): string => Array.from({ length: count }, () => name).join(",")
  const six = "the response has 6 content codings; at most 5 are decoded"

  it.each<readonly [header: string | undefined, ReadonlyArray<string> | string]>([
    [undefined, []],
    ["", []],
    [" , ,", []],
    ["identity", []],
    ["identity, Identity", []],
    [many(9, "identity"), []],
    ["gzip", ["gzip"]],
    ["GZip", ["gzip"]],
    ["x-gzip", ["gzip"]],
    ["X-GZIP", ["gzip"]],
    ["\tbr ", ["br"]],
    ["gzip, br", ["br", "gzip"]],
    ["deflate,gzip,br", ["br", "gzip", "deflate"]],
    [",gzip,,identity, br,", ["br", "gzip"]],
    ["compress", []],
    ["x-compress", []],
    ["gzip, unheard-of", []],
    ["unheard-of, gzip", []],
    ["gzip;q=1", []],
    ["gzip br", []],
    ["constructor", []],
    ["__proto__", []],
    [many(5), ["gzip", "gzip", "gzip", "gzip", "gzip"]],
    [many(6), six],
    [`${many(6)}, identity`, six],
    [`${many(6)}, unheard-of`, []]
  ])("8.5 %j is parsed", (header, expected) => {
    expect(namesOf(header)).toEqual(expected)
  })
})

describe("decoding in one turn", () => {
  const plain = Buffer.from("hello ".repeat(100))
  const codings = (header: string) => Either.getOrThrow(parseCodings(header))

  it.each<readonly [string, string, Uint8Array, number | undefined]>([
    ["a small body", "gzip", zlib.gzipSync(plain), plain.length],
    ["the wrapped form", "deflate", zlib.deflateSync(plain), plain.length],
    ["the raw form", "deflate", zlib.deflateRawSync(plain), plain.length],
    // RFC 1950, 2.2: the two bytes are a multiple of 31 and name method 8.
    ["a raw form that looks wrapped", "deflate", Buffer.from([0x18, 0, 0, 0xff, 0xff]), undefined],
    ["two codings", "gzip, gzip", zlib.gzipSync(zlib.gzipSync(plain)), undefined],
    ["brotli, whose window the server chooses", "br", zlib.brotliCompressSync(plain), undefined],
    ["a body that decodes to many bytes", "gzip", zlib.gzipSync(Buffer.alloc(1024 * 1024)), undefined],
    ["a corrupt body", "gzip", plain, undefined],
    ["a truncated body", "gzip", zlib.gzipSync(plain).subarray(0, 30), undefined],
    ["a large body", "gzip", zlib.gzipSync(Buffer.alloc(40 * 1024), { level: 0 }), undefined]
  ])("8.5 %s", (_, header, bytes, length) => {
    expect(decodeSmall(codings(header), bytes)?.length).toBe(length)
  })

  it("8.5 a body of no bytes", () => {
    expect(isSmall([], 0)).toBe(false)
  })
})
