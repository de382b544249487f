import * as zlib from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import { type ApiClient, type ApiError, ApiRequest, EventStream, ResponseDecoder } from "@effect-api/client"
import { Chunk, Effect, Schema, Stream } from "effect"
import { clientOf, once } from "../fixtures/clients.js"
import { chunked, framed, rawServer } from "../fixtures/rawServer.js"

const plain = Buffer.from("hello ".repeat(5000))
const { zstdCompressSync } = zlib as unknown as { readonly zstdCompressSync?: (bytes: Uint8Array) => Buffer }

type Code = (bytes: Uint8Array) => Buffer

const coders: ReadonlyArray<readonly [name: string, coding: string, code: Code]> = [
  ["gzip", "gzip", zlib.gzipSync],
  ["deflate", "deflate", zlib.deflateSync],
  ["raw deflate", "deflate", zlib.deflateRawSync],
  ["br", "br", zlib.brotliCompressSync],
  ["two codings", "deflate, gzip", (bytes) => zlib.gzipSync(zlib.deflateSync(bytes))],
  [
    "two header lines",
    "br\r\ncontent-encoding: gzip",
    (bytes) => zlib.gzipSync(zlib.brotliCompressSync(bytes))
  ],
  ...(zstdCompressSync === undefined ? [] : [["zstd", "zstd", zstdCompressSync] as const])
]

const buffered = ApiRequest.get("/x", { success: ResponseDecoder.bytes })
const file = ApiRequest.get("/x", { success: ResponseDecoder.stream() })

type Way = (client: ApiClient.ApiClient) => Effect.Effect<Uint8Array, ApiError.ApiError>

const ways: ReadonlyArray<readonly [way: string, read: Way]> = [
  ["buffered", (client) => client.execute(buffered)],
  [
    "streaming",
    (client) =>
      Effect.flatMap(client.execute(file), (stream) =>
        Effect.map(Stream.runCollect(stream), (chunks) => Buffer.concat(Chunk.toReadonlyArray(chunks)))
      )
  ]
]

/** How the bytes are framed: with the head and a length, or in single bytes. */
const framings = [
  ["in one piece", (bytes: Uint8Array, coding: string) => framed(bytes, `content-encoding: ${coding}\r\n`)],
  [
    "in single bytes",
    (bytes: Uint8Array, coding: string) =>
      chunked(
        Array.from(bytes, (byte) => Uint8Array.of(byte)),
        `content-encoding: ${coding}\r\n`
      )
  ]
] as const

const table = coders.flatMap(([name, coding, code]) =>
  ways.flatMap(([way, read]) => framings.map(([how, send]) => ({ name, coding, code, way, read, how, send })))
)

const outcome = ({ read, send, coding }: (typeof table)[number], body: Uint8Array) =>
  Effect.gen(function* () {
    const server = yield* rawServer(() => ({ parts: send(body, coding) }))
    const client = yield* clientOf(server, { retry: once })
    return yield* Effect.either(read(client))
  })

describe("coded bodies", () => {
  it.scopedLive.each(table)("8.2 $name is decoded, $way, $how", (row) =>
    Effect.gen(function* () {
      const read = yield* outcome(row, row.code(plain))
      expect(read._tag === "Right" && plain.equals(read.right)).toBe(true)
    })
  )

  it.scopedLive.each(table)("8.2 an empty body in $name, and one of no bytes, $way, $how", (row) =>
    Effect.gen(function* () {
      for (const body of [row.code(Buffer.alloc(0)), Buffer.alloc(0)]) {
        expect(yield* outcome(row, body)).toMatchObject({ _tag: "Right", right: { length: 0 } })
      }
    })
  )

  it.scopedLive.each(table)("7.3 truncated $name is an error, $way, $how", (row) =>
    Effect.gen(function* () {
      const body = row.code(plain)
      for (const length of [1, body.length >> 1, body.length - 1]) {
        expect([length, yield* outcome(row, body.subarray(0, length))]).toMatchObject([
          length,
          { _tag: "Left", left: { _tag: "ConnectionError", kind: "other", code: "ERR_CODED_BODY_CUT" } }
        ])
      }
    })
  )

  const tails: ReadonlyArray<readonly [string, string, Code, ReadonlyArray<number>, number]> = [
    ["gzip followed by zeros", "gzip", zlib.gzipSync, [0, 0, 0, 0], 1],
    ["deflate followed by zeros", "deflate", zlib.deflateSync, [0, 0, 0, 0], 1],
    ["br followed by zeros", "br", zlib.brotliCompressSync, [0, 0, 0, 0], 1],
    ["gzip followed by a second gzip body", "gzip", zlib.gzipSync, [...zlib.gzipSync(plain)], 2],
    ["gzip followed by an empty gzip body", "gzip", zlib.gzipSync, [...zlib.gzipSync(Buffer.alloc(0))], 1],
    ...(zstdCompressSync === undefined
      ? []
      : ([
          ["zstd followed by zeros", "zstd", zstdCompressSync, [0, 0, 0, 0], 1],
          ["zstd followed by a second frame", "zstd", zstdCompressSync, [...zstdCompressSync(plain)], 2]
        ] as const))
  ]
  const behind = tails.flatMap(([name, coding, code, tail, times]) =>
    ways.flatMap(([way, read]) =>
      framings.map(([how, send]) => ({ name, coding, code, tail, times, way, read, how, send }))
    )
  )
  it.scopedLive.each(behind)("8.2 $name is decoded, $way, $how", (row) =>
    Effect.gen(function* () {
      const body = Buffer.concat([row.code(plain), Buffer.from(row.tail)])
      const read = yield* outcome(row, body)
      const expected = Buffer.concat(Array.from({ length: row.times }, () => plain))
      expect(read._tag === "Right" && expected.equals(read.right)).toBe(true)
    })
  )

  it.scopedLive.each(ways)("6.1 a truncated body is retried, a corrupt one is not, %s", ([, read]) =>
    Effect.gen(function* () {
      const coded = zlib.gzipSync(plain)
      const corrupt = Buffer.from(coded).fill(0xff, 20, 40)
      for (const [body, code, sent] of [
        [coded.subarray(0, -1), "ERR_CODED_BODY_CUT", 3],
        [corrupt, "ERR_CODED_BODY_CORRUPT", 1],
        [Buffer.concat([coded, Buffer.from("garbage")]), "ERR_CODED_BODY_CORRUPT", 1],
        [plain, "ERR_CODED_BODY_CORRUPT", 1]
      ] as const) {
        const server = yield* rawServer(() => ({ parts: framed(body, "content-encoding: gzip\r\n") }))
        const client = yield* clientOf(server)
        expect(yield* Effect.flip(read(client))).toMatchObject({ _tag: "ConnectionError", code })
        // A stream that was returned to the caller cannot be retried.
        expect(server.requests).toHaveLength(read === ways[0]?.[1] ? sent : 1)
      }
    })
  )

  it.scopedLive.each(["HEAD", "204 No Content", "304 Not Modified"])(
    "8.2 the coding headers of %s describe no body",
    (kind) =>
      Effect.gen(function* () {
        const status = kind === "HEAD" ? "200 OK" : kind
        const codings = "gzip, gzip, gzip, gzip, gzip, gzip, gzip"
        const server = yield* rawServer(() => ({
          parts: [`HTTP/1.1 ${status}\r\ncontent-encoding: ${codings}\r\n\r\n`]
        }))
        const client = yield* clientOf(server, { retry: once })
        const request = kind === "HEAD" ? ApiRequest.head("/x") : ApiRequest.get("/x")
        const read = yield* Effect.either(client.execute(request))
        if (kind.startsWith("304")) expect(read).toMatchObject({ _tag: "Left", left: { status: 304 } })
        else expect(read).toMatchObject({ _tag: "Right", right: undefined })
      })
  )

  it.scopedLive("10.3 the events before a truncation are emitted, and then the error", () =>
    Effect.gen(function* () {
      const text = Array.from({ length: 3 }, (_, n) => `data: {"n":${n}}\n\n`).join("")
      const body = zlib.gzipSync(text)
      const headers = "content-type: text/event-stream\r\ncontent-encoding: gzip\r\n"
      const server = yield* rawServer(() => ({ parts: framed(body.subarray(0, -4), headers) }))
      const client = yield* clientOf(server, { retry: once })
      const events = EventStream.make({ event: Schema.Struct({ n: Schema.Number }) })
      const seen: Array<number> = []
      const error = yield* Effect.flip(
        Stream.runForEach(client.stream(ApiRequest.get("/x", { events })), ({ n }) =>
          Effect.sync(() => void seen.push(n))
        )
      )
      expect(seen).toEqual([0, 1, 2])
      expect(error).toMatchObject({ _tag: "ConnectionError", code: "ERR_CODED_BODY_CUT" })
    })
  )
})
