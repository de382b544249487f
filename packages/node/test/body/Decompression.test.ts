import * as zlib from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import { type ApiClient, ApiRequest, EventStream, ResponseDecoder } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Chunk, Effect, Schema, Stream } from "effect"
import { clientOf, once, settled } from "../fixtures/clients.js"

const value = { text: "hello ".repeat(2000) }
const plain = Buffer.from(JSON.stringify(value))
const { zstdCompressSync } = zlib as unknown as { readonly zstdCompressSync?: (bytes: Buffer) => Buffer }

const coded = (coding: string, bytes: Uint8Array, status = 200): TestServer.Reply =>
  TestServer.bytes(bytes, {
    status,
    headers: { "content-type": "application/json", "content-encoding": coding }
  })

const codings: ReadonlyArray<readonly [string, string, Uint8Array]> = [
  ["gzip", "gzip", zlib.gzipSync(plain)],
  ["gzip under its old name, in capitals", "X-GZip", zlib.gzipSync(plain)],
  ["deflate", "deflate", zlib.deflateSync(plain)],
  ["deflate without the zlib wrapper", "deflate", zlib.deflateRawSync(plain)],
  ["br", "br", zlib.brotliCompressSync(plain)],
  ["two codings, nested", "deflate, gzip", zlib.gzipSync(zlib.deflateSync(plain))],
  ["identity", "identity", plain],
  ...(zstdCompressSync === undefined ? [] : [["zstd", "zstd", zstdCompressSync(plain)] as const])
]

const get = ApiRequest.get("/x")
const file = ApiRequest.get("/x", { success: ResponseDecoder.stream() })
const bytes = ApiRequest.get("/x", { success: ResponseDecoder.bytes })

const joined = <E>(stream: Stream.Stream<Uint8Array, E>) =>
  Effect.map(Stream.runCollect(stream), (chunks) => Buffer.concat(Chunk.toReadonlyArray(chunks)))

describe("decoding", () => {
  it.scopedLive.each(codings)("8.2 %s is decoded, buffered", ([, coding, body]) =>
    Effect.gen(function* () {
      const client = yield* clientOf(yield* TestServer.make({ "*": coded(coding, body) }))
      expect(yield* client.execute(get)).toEqual(value)
    })
  )

  it.scopedLive.each(codings)("8.2 %s is decoded as a stream, in single bytes", ([, coding, body]) =>
    Effect.gen(function* () {
      const parts = Array.from(body, (byte) => Uint8Array.of(byte))
      const reply = TestServer.chunks(parts, { headers: { "content-encoding": coding } })
      const client = yield* clientOf(yield* TestServer.make({ "*": reply }))
      expect(yield* Effect.flatMap(client.execute(file), joined)).toEqual(plain)
    })
  )

  it.scopedLive.each(["gzip", "deflate", "br"])("8.2 an empty body labelled %s stays empty", (coding) =>
    Effect.gen(function* () {
      const reply = TestServer.empty(200, { "content-encoding": coding })
      const client = yield* clientOf(yield* TestServer.make({ "*": reply }))
      expect(yield* client.execute(get)).toBeUndefined()
      expect(yield* Effect.flatMap(client.execute(file), joined)).toEqual(Buffer.of())
      expect(yield* client.head("/x", { success: ResponseDecoder.empty })).toBeUndefined()
    })
  )

  it.scopedLive("8.2 10 MiB are decoded at the reader's pace", () =>
    Effect.gen(function* () {
      const big = Buffer.alloc(10 * 1024 * 1024, "abcdefg")
      for (const [coding, body] of [
        ["gzip", zlib.gzipSync(big)],
        ["deflate", zlib.deflateSync(big)],
        ["deflate", zlib.deflateRawSync(big)]
      ] as const) {
        const client = yield* clientOf(yield* TestServer.make({ "*": coded(coding, body) }))
        const stream = yield* client.execute(file)
        const slow = Stream.tap(stream, () => settled)
        expect((yield* joined(slow)).equals(big)).toBe(true)
      }
    })
  )

  const layered = (count: number): TestServer.Reply => {
    const names = Array.from({ length: count }, () => "gzip")
    return coded(
      names.join(", "),
      names.reduce<Buffer>((body) => zlib.gzipSync(body), plain)
    )
  }

  it.scopedLive("8.5 five nested codings are decoded", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(yield* TestServer.make({ "*": layered(5) }))
      expect(yield* client.execute(get)).toEqual(value)
      expect(yield* Effect.flatMap(client.execute(file), joined)).toEqual(plain)
    })
  )

  it.scopedLive.each([6, 200])("8.5 %i codings are rejected, without a retry", (count) =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": layered(count) })
      const client = yield* clientOf(server)
      const events = ApiRequest.get("/x", {
        events: EventStream.jsonLines(Schema.Unknown, { contentType: "application/json" })
      })
      for (const run of [
        client.execute(get),
        Effect.flatMap(client.execute(file), joined),
        Stream.runCollect(client.stream(events))
      ]) {
        const error = yield* Effect.flip(run)
        expect(error).toMatchObject({ _tag: "ConnectionError", code: "ERR_TOO_MANY_CODINGS" })
        expect(error.message).toContain(`${count} content codings`)
        expect(error.attempts).toHaveLength(1)
      }
    })
  )

  const flushing: ReadonlyArray<
    readonly [string, () => zlib.Gzip | zlib.Deflate | zlib.BrotliCompress, number]
  > = [
    ["gzip", () => zlib.createGzip(), zlib.constants.Z_SYNC_FLUSH],
    ["deflate", () => zlib.createDeflate(), zlib.constants.Z_SYNC_FLUSH],
    ["br", () => zlib.createBrotliCompress(), zlib.constants.BROTLI_OPERATION_FLUSH]
  ]
  it.scopedLive.each(flushing)(
    "10.2 each event of a stream in %s arrives when it is flushed",
    ([coding, make, flush]) =>
      Effect.gen(function* () {
        const coder = make()
        // Since Node 26 a read returns one of the pending buffers instead of all of them.
        const read = (): ReadonlyArray<Buffer> => {
          const part: Buffer | null = coder.read()
          return part === null ? [] : [part, ...read()]
        }
        const code = (text: string): Promise<Buffer> =>
          new Promise((resolve) => {
            coder.write(text)
            coder.flush(flush, () => resolve(Buffer.concat(read())))
          })
        const first = yield* Effect.promise(() => code('data: {"n":1}\n\n'))
        // The server falls silent after the first event, which must not wait for the second.
        const reply = TestServer.chunks([first, Buffer.alloc(1)], {
          headers: { "content-type": "text/event-stream", "content-encoding": coding }
        }).pipe(TestServer.stallAfter(first.length))
        const server = yield* TestServer.make({ "*": reply })
        const client = yield* clientOf(server)
        const events = EventStream.make({ event: Schema.Struct({ n: Schema.Number }) })
        const seen = yield* Stream.runCollect(Stream.take(client.stream(ApiRequest.get("/x", { events })), 1))
        expect(Chunk.toReadonlyArray(seen)).toEqual([{ n: 1 }])
        expect(yield* server.awaitClosed(0)).toBe("client")
      })
  )
})

describe("no decoding", () => {
  it.scopedLive.each(["compress", "gzip, unheard-of", ","])(
    "8.2 a body in %s is returned as received",
    (coding) =>
      Effect.gen(function* () {
        const client = yield* clientOf(yield* TestServer.make({ "*": coded(coding, Uint8Array.of(1, 2, 3)) }))
        expect([...(yield* client.execute(bytes))]).toEqual([1, 2, 3])
        expect([...(yield* Effect.flatMap(client.execute(file), joined))]).toEqual([1, 2, 3])
      })
  )

  it.scopedLive("8.2 with decompress: false every body is returned as received", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": coded("gzip", zlib.gzipSync(plain)) })
      const client = yield* clientOf(server, {}, { decompress: false })
      expect(zlib.gunzipSync(yield* client.execute(bytes))).toEqual(plain)
      expect(zlib.gunzipSync(yield* Effect.flatMap(client.execute(file), joined))).toEqual(plain)
      expect((yield* server.requests)[0]?.headers["accept-encoding"]).toBeUndefined()
    })
  )

  it.scopedLive("4.1 the codings that a request names are sent", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": TestServer.json(1) })
      const client = yield* clientOf(server)
      yield* client.execute(get)
      yield* client.execute(ApiRequest.get("/x", { headers: { "accept-encoding": "identity" } }))
      yield* client.execute(ApiRequest.get("/x", { headers: { range: "bytes=0-6" } }))
      yield* client.execute(
        ApiRequest.get("/x", { headers: { range: "bytes=0-6", "accept-encoding": "br" } })
      )
      const zstd = zstdCompressSync === undefined ? "" : ", zstd"
      expect((yield* server.requests).map(({ headers }) => headers["accept-encoding"])).toEqual([
        `gzip, deflate, br${zstd}`,
        "identity",
        "identity",
        "br"
      ])
    })
  )
})

describe("corrupt bodies", () => {
  const bomb = zlib.gzipSync(Buffer.alloc(64 * 1024 * 1024))

  it.scopedLive("1.3 a body that decodes above the limit is rejected", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": coded("gzip", bomb) })
      const client = yield* clientOf(server, { limits: { responseBytes: 1024 * 1024 } })
      const before = process.memoryUsage().arrayBuffers
      const error = yield* Effect.flip(client.execute(get))
      expect(error).toMatchObject({ _tag: "ResponseValidationError", reason: "is larger than 1048576 bytes" })
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024)
    })
  )

  const broken = Buffer.from(zlib.gzipSync(plain)).fill(0xff, 20, 40)
  const corrupt: ReadonlyArray<readonly [string, Uint8Array]> = [
    ["does not match its coding", plain],
    ["is corrupt inside", broken],
    ["stops halfway", zlib.gzipSync(plain).subarray(0, 40)]
  ]
  it.scopedLive.each(corrupt)("7.1 a body that %s fails, and the error names the cause", ([, body]) =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": coded("gzip", body) })
      const client = yield* clientOf(server, { retry: once })
      const error = yield* Effect.flip(client.execute(get))
      expect(error).toMatchObject({ _tag: "ConnectionError", kind: "other" })
      expect(error.message).toMatch(/header|distance|code|length|unexpected|block/)
    })
  )

  it.scopedLive("7.1 a stream that does not match its coding fails and releases its socket", () =>
    Effect.gen(function* () {
      const reply = TestServer.chunks([plain, plain], { headers: { "content-encoding": "gzip" } })
      const server = yield* TestServer.make({ "*": reply.pipe(TestServer.stallAfter(plain.length)) })
      const client = yield* clientOf(server, { retry: once })
      const error = yield* Effect.flip(Effect.flatMap(client.execute(file), joined))
      expect(error).toMatchObject({ _tag: "ConnectionError" })
      expect(yield* server.awaitClosed(0)).toBe("client")
    })
  )

  it.scopedLive("7.3 a coded stream that breaks off fails with the cause", () =>
    Effect.gen(function* () {
      const body = zlib.gzipSync(plain)
      const server = yield* TestServer.make({
        "*": TestServer.sequence(
          coded("gzip", body).pipe(TestServer.resetAfter(30)),
          coded("gzip", body).pipe(TestServer.stallAfter(30))
        )
      })
      const client = yield* clientOf(server, { retry: once })
      const readBy = (client: ApiClient.ApiClient) =>
        Effect.flip(Effect.flatMap(client.execute(file), joined))
      expect(yield* readBy(client)).toMatchObject({ _tag: "ConnectionError", kind: "reset" })
      const impatient = client.withOptions({ timeouts: { idle: "150 millis" } })
      expect(yield* readBy(impatient)).toMatchObject({ _tag: "TimeoutError", phase: "idle" })
    })
  )

  const errors: ReadonlyArray<readonly [string, TestServer.Reply]> = [
    ["does not match its coding", coded("gzip", plain, 503)],
    ["decodes above the limit", coded("gzip", bomb, 503)],
    ["is truncated", coded("gzip", zlib.gzipSync(plain), 503).pipe(TestServer.truncateAfter(20))]
  ]
  it.scopedLive.each(errors)("7.1 an error body that %s does not hide the status", ([, reply]) =>
    Effect.gen(function* () {
      const client = yield* clientOf(yield* TestServer.make({ "*": reply }), { retry: once })
      const error = yield* Effect.flip(client.execute(get))
      expect(error).toMatchObject({ _tag: "ServiceUnavailableError", status: 503, body: undefined })
    })
  )
})
