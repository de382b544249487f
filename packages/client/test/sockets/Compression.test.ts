import { gunzipSync } from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, Compression } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Chunk, Effect, Stream } from "effect"
import { clientOf } from "../fixtures/sockets.js"
import { everyTransport } from "../fixtures/transports.js"

/** Responds with the headers of the body, and what it holds. */
const echo = TestServer.streaming(({ headers }, body) =>
  Effect.map(Stream.runCollect(body), (chunks) => {
    const bytes = Buffer.concat([...Chunk.toReadonlyArray(chunks)])
    const encoding = headers["content-encoding"]
    return TestServer.json({
      encoding,
      length: headers["content-length"],
      sent: bytes.length,
      size: encoding === "gzip" ? gunzipSync(bytes).length : bytes.length
    })
  })
)

interface Echo {
  readonly encoding?: string
  readonly length?: string
  readonly sent: number
  readonly size: number
}

const chunk = new TextEncoder().encode("all work and no play ".repeat(3000))
const chunks = 64

describe.each(everyTransport)("on $name", ({ layer }) => {
  const answered = (request: ApiRequest.ApiRequest<unknown>, handler: TestServer.Handler = echo) =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": handler })
      const client = yield* clientOf(server, { compression: Compression.gzip() })
      return (yield* client.execute(request)) as Echo
    }).pipe(Effect.provide(layer))

  it.scopedLive("5.5 a body is compressed, and its length is that of the bytes sent", () =>
    Effect.gen(function* () {
      const { encoding, length, sent, size } = yield* answered(ApiRequest.post("/x", { bytes: chunk }))
      expect([encoding, size]).toEqual(["gzip", chunk.length])
      expect(sent).toBeLessThan(chunk.length / 10)
      expect(length).toBe(String(sent))
    })
  )

  it.scopedLive("5.5 a stream is compressed while it is sent, without a length", () =>
    Effect.gen(function* () {
      const source = () => Stream.map(Stream.range(1, chunks), () => chunk)
      let last: unknown
      const request = ApiRequest.post("/x", {
        bodyStream: source,
        headers: { "content-length": chunk.length * chunks },
        onUpload: (progress) => {
          last = progress
        }
      })
      const { encoding, length, size } = yield* answered(request)
      expect([encoding, length, size]).toEqual(["gzip", undefined, chunk.length * chunks])
      expect(last).toEqual({ bytes: chunk.length * chunks, total: chunk.length * chunks })
    })
  )

  it.scopedLive("5.6 a server that refuses gets the request as it is", () =>
    Effect.gen(function* () {
      const refusing = TestServer.streaming((request, body) =>
        request.headers["content-encoding"] === undefined
          ? Effect.map(Stream.runCount(body), () => TestServer.json({ sent: 1, size: 1 }))
          : Effect.succeed(TestServer.empty(415))
      )
      const source = () => Stream.map(Stream.range(1, chunks), () => chunk)
      for (const request of [
        ApiRequest.post("/x", { bytes: chunk }),
        ApiRequest.post("/x", { bodyStream: source })
      ])
        expect(yield* answered(request, refusing)).toEqual({ sent: 1, size: 1 })
    })
  )
})
