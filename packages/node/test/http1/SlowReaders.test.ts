import { randomBytes } from "node:crypto"
import { createServer, type Socket } from "node:net"
import { createServer as createSecureServer } from "node:tls"
import * as zlib from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, ResponseDecoder } from "@effect-api/client"
import { Effect, Stream } from "effect"
import { makeCertificates } from "../fixtures/certificates.js"
import { clientOf, listening, once, settled } from "../fixtures/clients.js"
import { framed, rawServer } from "../fixtures/rawServer.js"

const { ca, local } = makeCertificates()

/** More than the client buffers before its reader comes. */
const size = 100_000
const body = Buffer.alloc(size, "x")

const chunk = Buffer.concat([Buffer.from(`${size.toString(16)}\r\n`), body, Buffer.from("\r\n0\r\n\r\n")])

const framings: ReadonlyArray<readonly [how: string, headers: string, sent: Buffer]> = [
  ["by the end of the connection", "", body],
  ["by its length", `content-length: ${size}\r\n`, body],
  ["by its length, with connection: close", `content-length: ${size}\r\nconnection: close\r\n`, body],
  ["in chunks", "transfer-encoding: chunked\r\n", chunk],
  ["in chunks, with connection: close", "transfer-encoding: chunked\r\nconnection: close\r\n", chunk]
]

const schemes = [
  ["http", (serve: (socket: Socket) => void) => createServer(serve)],
  ["https", (serve: (socket: Socket) => void) => createSecureServer(local, serve)]
] as const

const cases = framings.flatMap(([how, headers, sent]) =>
  schemes.flatMap(([scheme, make]) =>
    [1, 2].map((pipelining) => ({ how, headers, sent, scheme, make, pipelining }))
  )
)

const file = ApiRequest.get("/x", { success: ResponseDecoder.stream() })

/** Opens the body, lets `leave` end the connection, and reads the body after that. */
const readingLate = (
  { headers, make, pipelining, scheme, sent }: (typeof cases)[number],
  leave: (socket: Socket, done: () => void) => void
) =>
  Effect.gen(function* () {
    let left = (): void => undefined
    const isLeft = new Promise<void>((resolve) => {
      left = resolve
    })
    let go = (): void => undefined
    const opened = new Promise<void>((resolve) => {
      go = resolve
    })
    const { port } = yield* listening(() =>
      make((socket) => {
        socket.once("data", () => {
          socket.write(`HTTP/1.1 200 OK\r\n${headers}\r\n`)
          socket.write(sent)
          void opened.then(() => leave(socket, left))
        })
      })
    )
    const url = `${scheme}://127.0.0.1:${port}`
    const client = yield* clientOf({ url }, { retry: once }, { pipelining, tls: { ca: [ca] } })
    const chunks = yield* client.execute(file)
    for (let turn = 0; turn < 5; turn++) yield* settled
    go()
    yield* Effect.promise(() => isLeft)
    for (let turn = 0; turn < 5; turn++) yield* settled
    return yield* Stream.runFold(chunks, 0, (length, bytes) => length + bytes.length).pipe(
      Effect.match({ onFailure: (error) => error._tag, onSuccess: (length) => length })
    )
  })

/** The client may have closed the connection already: it had the whole body. */
const reset = (socket: Socket, done: () => void): void => {
  if (socket.closed) done()
  else socket.on("close", done).resetAndDestroy()
}

describe("a server that ends the connection while the reader of its response is slow", () => {
  it.scopedLive.each(cases)("8.4 the whole body arrives ($how, $scheme, pipelining: $pipelining)", (each) =>
    Effect.gen(function* () {
      const read = yield* readingLate(each, (socket, done) => socket.end(done))
      expect(read).toBe(size)
    })
  )

  it.scopedLive.each(cases.filter(({ scheme }) => scheme === "http"))(
    "8.4 a reset is a failure of the body at most ($how, pipelining: $pipelining)",
    (each) =>
      Effect.gen(function* () {
        const read = yield* readingLate(each, reset)
        expect([size, "ConnectionError"]).toContain(read)
      })
  )
})

const coders = [
  ["gzip", zlib.gzipSync],
  ["deflate", zlib.deflateSync],
  ["br", zlib.brotliCompressSync]
] as const

const coded = coders.flatMap(([coding, code]) => [8, 17, 25, 50, 125].map((kib) => ({ coding, code, kib })))

describe("a server that closes after a coded body", () => {
  it.scopedLive.each(coded)(
    "8.5 the body is decoded, however long that takes ($coding, $kib KiB of hexadecimal digits)",
    ({ code, coding, kib }) =>
      Effect.gen(function* () {
        const text = randomBytes(kib * 1024).toString("hex")
        const parts = framed(code(Buffer.from(text)), `content-encoding: ${coding}\r\nconnection: close\r\n`)
        const server = yield* rawServer(() => ({ parts, ending: "end" }))
        const client = yield* clientOf(server, { retry: once })
        expect(yield* client.execute(ApiRequest.get("/x", { success: ResponseDecoder.text }))).toBe(text)
      })
  )
})
