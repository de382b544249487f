import * as zlib from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import { type ApiClient, type ApiError, ApiRequest, ResponseDecoder } from "@effect-api/client"
import { Effect, Fiber, Stream } from "effect"
import { clientOf, once } from "../fixtures/clients.js"
import { chunked, framed, rawServer } from "../fixtures/rawServer.js"

const MiB = 1024 * 1024
const buffered = ApiRequest.get("/x", { success: ResponseDecoder.bytes })
const file = ApiRequest.get("/x", { success: ResponseDecoder.stream() })
const gzip = "content-encoding: gzip\r\n"

const readBy = (way: string, client: ApiClient.ApiClient): Effect.Effect<unknown, ApiError.ApiError> =>
  way === "buffered" ? client.execute(buffered) : Effect.flatMap(client.execute(file), Stream.runDrain)

/** MiBs of zeros as consecutive gzip bodies. */
const zeros = (size: number): Buffer => {
  const member = zlib.gzipSync(Buffer.alloc(16 * MiB))
  return Buffer.concat(Array.from({ length: size / 16 }, () => member))
}

/** Counts the turns of the event loop while an effect runs. */
const turns = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<readonly [A, number], E> =>
  Effect.suspend(() => {
    let count = 0
    let next = setImmediate(function turn() {
      count++
      next = setImmediate(turn)
    })
    return Effect.ensuring(
      Effect.map(effect, (value) => [value, count] as const),
      Effect.sync(() => clearImmediate(next))
    )
  })

/** The peak of memory outside the heap while an effect runs, above its start. */
const memory = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<readonly [A, number], E> =>
  Effect.suspend(() => {
    const before = process.memoryUsage().arrayBuffers
    let most = 0
    const look = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    }, 1)
    return Effect.ensuring(
      Effect.map(effect, (value) => [value, most] as const),
      Effect.sync(() => clearInterval(look))
    )
  })

const nested = (layers: number, body: Uint8Array): readonly [string, Uint8Array] => [
  `content-encoding: ${Array.from({ length: layers }, () => "gzip").join(", ")}\r\n`,
  Array.from({ length: layers }).reduce<Uint8Array>((bytes) => zlib.gzipSync(bytes), body)
]

describe("decompression bombs", { timeout: 60_000 }, () => {
  it.scopedLive.each([
    ["once", nested(1, Buffer.alloc(64 * MiB))],
    ["five times", nested(5, Buffer.alloc(64 * MiB))],
    ["by brotli", ["content-encoding: br\r\n", zlib.brotliCompressSync(Buffer.alloc(64 * MiB))]]
  ] as const)("1.3 a bomb compressed %s ends at the limit, long before its own end", ([, [headers, body]]) =>
    Effect.gen(function* () {
      const server = yield* rawServer(() => ({ parts: framed(body, headers) }))
      const client = yield* clientOf(server, { limits: { responseBytes: MiB } })
      const [error, most] = yield* memory(Effect.flip(client.execute(buffered)))
      expect(error).toMatchObject({ _tag: "ResponseValidationError", reason: "is larger than 1048576 bytes" })
      expect(error.attempts).toHaveLength(1)
      // Brotli's window alone takes 16 MiB.
      expect(most).toBeLessThan(40 * MiB)
    })
  )

  it.scopedLive("1.3 the limit counts decoded bytes", () =>
    Effect.gen(function* () {
      const noise = Buffer.from(Array.from({ length: 64 * 1024 }, (_, n) => (n * 2_654_435_761) >>> 13))
      const body = zlib.gzipSync(noise, { level: 0 })
      expect(body.length).toBeGreaterThan(noise.length)
      const server = yield* rawServer(() => ({ parts: framed(body, gzip) }))
      const read = (responseBytes: number) =>
        Effect.flatMap(clientOf(server, { limits: { responseBytes }, retry: once }), (client) =>
          client.execute(buffered)
        )
      expect(noise.equals(yield* read(noise.length))).toBe(true)
      expect(yield* Effect.flip(read(noise.length - 1))).toMatchObject({ _tag: "ResponseValidationError" })
    })
  )

  it.scopedLive("1.3 endless input that decodes to nothing ends too", () =>
    Effect.gen(function* () {
      const nothing = Buffer.concat(Array.from({ length: 1000 }, () => zlib.gzipSync(Buffer.alloc(0))))
      const endless = function* () {
        for (;;) yield nothing
      }
      const server = yield* rawServer(() => ({ parts: chunked(endless(), gzip) }))
      const client = yield* clientOf(server, { limits: { responseBytes: MiB }, retry: once })
      expect(yield* Effect.flip(client.execute(buffered))).toMatchObject({ _tag: "ResponseValidationError" })
      yield* server.allClosed
    })
  )

  it.scopedLive("8.6 the event loop keeps turning while 64 MiB are decoded and joined", () =>
    Effect.gen(function* () {
      const server = yield* rawServer(() => ({ parts: framed(zeros(64), gzip) }))
      const client = yield* clientOf(server)
      const [bytes, count] = yield* turns(client.execute(buffered))
      expect(bytes).toHaveLength(64 * MiB)
      expect(bytes.buffer.byteLength).toBe(64 * MiB)
      // Decoding takes steps of 64 KiB, joining takes steps of 2 MiB.
      expect(count).toBeGreaterThan(100)
    })
  )

  it.scopedLive.each(["buffered", "streaming"])("6.5 `total` expires during decoding, %s", (way) =>
    Effect.gen(function* () {
      const server = yield* rawServer(() => ({ parts: framed(zeros(4096), gzip) }))
      const client = yield* clientOf(server, {
        limits: { responseBytes: 8192 * MiB },
        timeouts: { total: "60 millis" }
      })
      const read = readBy(way, client)
      expect(yield* Effect.flip(read)).toMatchObject({ _tag: "TimeoutError", phase: "total" })
      yield* server.allClosed
    })
  )

  it.scopedLive.each(["buffered", "streaming"])("8.6 an interruption during decoding ends it, %s", (way) =>
    Effect.gen(function* () {
      const coded = zeros(4096)
      const server = yield* rawServer(() => ({ parts: framed(coded, gzip) }))
      const client = yield* clientOf(server, { limits: { responseBytes: 8192 * MiB } })
      const read = readBy(way, client)
      const fiber = yield* Effect.fork(read)
      while (server.requests.length === 0) yield* Effect.promise(() => new Promise(setImmediate))
      yield* Fiber.interrupt(fiber)
      yield* server.allClosed
    })
  )

  it.scopedLive("8.5 too many codings are rejected at the head", () =>
    Effect.gen(function* () {
      const [headers] = nested(6, Buffer.alloc(0))
      // The body never arrives.
      const server = yield* rawServer(() => ({
        parts: [`HTTP/1.1 200 OK\r\n${headers}content-length: 1000\r\n\r\n`]
      }))
      const client = yield* clientOf(server)
      for (const read of [readBy("buffered", client), readBy("streaming", client)]) {
        expect(yield* Effect.flip(read)).toMatchObject({
          _tag: "ConnectionError",
          code: "ERR_TOO_MANY_CODINGS"
        })
        yield* server.allClosed
      }
      expect(server.requests).toHaveLength(2)
    })
  )

  it.scopedLive("7.1 too many codings do not hide an error's status", () =>
    Effect.gen(function* () {
      const [headers, body] = nested(6, Buffer.from("{}"))
      const server = yield* rawServer(() => ({ parts: framed(body, headers, "503 Service Unavailable") }))
      const client = yield* clientOf(server, { retry: once })
      for (const read of [readBy("buffered", client), readBy("streaming", client)]) {
        expect(yield* Effect.flip(read)).toMatchObject({ status: 503, body: undefined })
      }
    })
  )

  it.scopedLive("10.7 a slow reader applies backpressure to the decoder and the server", () =>
    Effect.gen(function* () {
      let sent = 0
      const noise = Buffer.from(Array.from({ length: 256 * 1024 }, (_, n) => (n * 2_654_435_761) >>> 13))
      const member = zlib.gzipSync(noise, { level: 0 })
      const members = function* () {
        for (; sent < 100; sent++) yield member
      }
      const server = yield* rawServer(() => ({ parts: chunked(members(), gzip) }))
      const client = yield* clientOf(server)
      const size = yield* Effect.flatMap(client.execute(file), (stream) =>
        Stream.runFoldEffect(stream, 0, (read, chunk) =>
          Effect.sync(() => {
            // Apart from the TCP buffers of both sides, little is in flight.
            expect(sent * noise.length - read).toBeLessThan(16 * MiB)
            return read + chunk.length
          })
        )
      )
      expect(size).toBe(100 * noise.length)
    })
  )
})

describe("bodies in single bytes", () => {
  const count = 300_000
  const chunks = function* () {
    const [head = "", chunk = "", end = ""] = chunked([Uint8Array.of(0x61)])
    yield head
    const many = Buffer.concat(Array.from({ length: 1000 }, () => Buffer.from(chunk)))
    for (let part = 0; part < count / 1000; part++) yield many
    yield end
  }

  it.scopedLive("10.7 a stream delivers them in few chunks", () =>
    Effect.gen(function* () {
      const server = yield* rawServer(() => ({ parts: chunks() }))
      const client = yield* clientOf(server)
      let pieces = 0
      const size = yield* Effect.flatMap(client.execute(file), (stream) =>
        Stream.runFold(stream, 0, (size, { length }) => {
          pieces++
          return size + length
        })
      )
      expect(size).toBe(count)
      expect(pieces).toBeLessThan(count / 20)
    })
  )
})
