import { gzipSync } from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, ResponseDecoder } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Duration, Effect, Exit, Fiber, Schema, Stream } from "effect"
import { textOf } from "../fixtures/bodies.js"
import { withoutDelay } from "../fixtures/requests.js"
import { clientOf } from "../fixtures/sockets.js"
import { everyTransport } from "../fixtures/transports.js"

const mebibyte = 1024 * 1024

class Gone extends Schema.TaggedError<Gone>()("Gone", { message: Schema.String }) {}

const download = (onDownload?: (progress: ResponseDecoder.Progress) => void) =>
  ApiRequest.get("/file", { success: ResponseDecoder.stream({ onDownload }), failure: { 410: Gone } })

/** Chunks of 64 KiB, and how many bytes the server has taken. */
const content = (chunks: number) => {
  const chunk = new Uint8Array(64 * 1024)
  const state = { produced: 0 }
  const make = function* () {
    for (let index = 0; index < chunks; index++) {
      state.produced += chunk.length
      yield chunk
    }
  }
  return { state, make }
}

/** The text received, and the error that ended the stream. */
const read = <E>(stream: Stream.Stream<Uint8Array, E>) =>
  Effect.gen(function* () {
    let text = ""
    const exit = yield* Effect.exit(
      Stream.runForEach(stream, (chunk) => Effect.sync(() => void (text += textOf(chunk))))
    )
    return { text, error: Exit.isSuccess(exit) ? undefined : yield* Effect.flip(exit) }
  })

describe.each(everyTransport)("on $name", ({ truncatedBody, layer, resendsOnStale }) => {
  const served = (handler: TestServer.Handler, options?: Parameters<typeof clientOf>[1]) =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": handler })
      return { server, client: yield* clientOf(server, options) }
    })

  it.scopedLive("8.4 64 MiB are downloaded in constant memory, and sent no faster than they are read", () =>
    Effect.gen(function* () {
      const { make, state } = content(1024)
      // The limit of decoded bodies does not apply to streams.
      const { client } = yield* served(TestServer.chunks(make), { limits: { responseBytes: 1024 } })
      let [inFlight, received] = [0, 0]
      yield* Stream.runForEach(yield* client.execute(download()), (chunk) =>
        Effect.sync(() => {
          received += chunk.length
          inFlight = Math.max(inFlight, state.produced - received)
        })
      )
      expect(received).toBe(64 * mebibyte)
      // The sockets' own buffers.
      expect(inFlight).toBeLessThan(16 * mebibyte)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("10.7 an interruption closes the socket", () =>
    Effect.gen(function* () {
      const { make } = content(Number.POSITIVE_INFINITY)
      const { client, server } = yield* served(TestServer.chunks(make))
      const fiber = yield* Effect.fork(Effect.flatMap(client.execute(download()), Stream.runDrain))
      yield* server.awaitExchange(0, ({ bytesSent }) => bytesSent > mebibyte)
      yield* Fiber.interrupt(fiber)
      expect(yield* server.awaitClosed(0)).toBe("client")
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("10.7 leaving early closes the socket", () =>
    Effect.gen(function* () {
      const { make } = content(Number.POSITIVE_INFINITY)
      const { client, server } = yield* served(TestServer.chunks(make))
      const first = yield* Stream.runHead(yield* client.execute(download()))
      expect(first._tag).toBe("Some")
      expect(yield* server.awaitClosed(0)).toBe("client")
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("8.4 a socket is reused after its body was read", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served(TestServer.text("0123456789"))
      for (const _ of Array.from({ length: 10 }))
        expect((yield* read(yield* client.execute(download()))).text).toBe("0123456789")
      // Undici opens another socket if the last one is not free yet.
      expect(yield* server.socketsSeen).toBeLessThanOrEqual(2)
    }).pipe(Effect.provide(layer))
  )

  const text = TestServer.text("0123456789")
  // Long enough for a response on a busy machine.
  const brief = Duration.millis(300)

  it.scopedLive.each([
    {
      name: "a reset",
      reply: text.pipe(TestServer.resetAfter(4)),
      expected: { _tag: "ConnectionError", kind: expect.stringMatching(/^(reset|closed)$/) }
    },
    {
      name: "a truncated body",
      reply: text.pipe(TestServer.truncateAfter(4)),
      expected: { _tag: "ConnectionError", kind: truncatedBody }
    },
    {
      name: "a truncated chunked body",
      reply: TestServer.chunks(["0123", "456789"]).pipe(TestServer.truncateAfter(4)),
      expected: { _tag: "ConnectionError", kind: truncatedBody }
    },
    {
      name: "a stalled body",
      reply: text.pipe(TestServer.stallAfter(4)),
      expected: { _tag: "TimeoutError", phase: "idle", limit: brief }
    }
  ])("7.3 $name fails the stream after the bytes received, and is not retried", ({ reply, expected }) =>
    Effect.gen(function* () {
      const { client, server } = yield* served(reply, { timeouts: { idle: brief }, retry: withoutDelay })
      const { error, text } = yield* read(yield* client.execute(download()))
      expect(text).toBe("0123")
      expect(error).toMatchObject({ ...expected, delivery: "maybe-applied", stoppedBy: "not-replayable" })
      expect(error?.attempts).toMatchObject([{ tag: error?._tag, status: 200 }])
      expect(yield* server.awaitClosed(0)).toBeDefined()
      expect(yield* server.requestCount).toBe(1)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("6.1 failures before the headers are retried", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served(
        TestServer.sequence(TestServer.empty(503), TestServer.reset, text)
      )
      const response = yield* client.executeWithResponse(download())
      expect(response).toMatchObject({ status: 200, headers: { "content-length": "10" } })
      expect(response.attempts.map(({ status, tag }) => tag ?? status)).toEqual([
        "ServiceUnavailableError",
        // The server reset the 503's kept socket during the second request.
        ...(resendsOnStale ? [] : ["ConnectionError"]),
        200
      ])
      expect((yield* read(response.value)).text).toBe("0123456789")
      expect(yield* server.requestCount).toBe(3)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("7.1 an error status fails before the stream, with its body", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served(
        TestServer.json({ error: { message: "no file" } }, { status: 404 })
      )
      const error = yield* Effect.flip(client.execute(download()))
      expect(error).toMatchObject({
        _tag: "NotFoundError",
        message: "404 no file",
        body: { error: { message: "no file" } }
      })
      const [request] = yield* server.requests
      expect(request?.headers["accept"]).toBe("*/*")
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("7.5 a failure status is the caller's own error", () =>
    Effect.gen(function* () {
      const { client } = yield* served(TestServer.json({ message: "deleted" }, { status: 410 }))
      expect(yield* Effect.flip(client.execute(download()))).toEqual(new Gone({ message: "deleted" }))
    }).pipe(Effect.provide(layer))
  )

  const compressed = new Uint8Array(gzipSync("0123456789"))

  it.scopedLive.each([
    { name: "with a content-length", reply: text, total: 10 },
    { name: "in chunks", reply: TestServer.chunks(["01234", "56789"]), total: undefined },
    {
      name: "in gzip, where the content-length counts other bytes",
      reply: TestServer.bytes(compressed, { headers: { "content-encoding": "gzip" } }),
      total: undefined
    }
  ])("8.4 progress of a body $name", ({ reply, total }) =>
    Effect.gen(function* () {
      const { client } = yield* served(reply)
      const expected: Array<ResponseDecoder.Progress> = []
      const stream = yield* client.execute(download((progress) => void expected.push(progress)))
      expect(expected).toEqual([])
      const size = yield* Stream.runFold(stream, 0, (size, chunk) => size + chunk.length)
      expect(expected.at(-1)).toEqual({ bytes: size, total })
      expect(expected.every((progress) => progress.total === total)).toBe(true)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive.each([
    { name: "204", reply: TestServer.empty(204) },
    { name: "an empty 200", reply: TestServer.empty(200) },
    { name: "an empty chunked body", reply: TestServer.chunks([]) }
  ])("8.2 $name is an empty stream", ({ reply }) =>
    Effect.gen(function* () {
      const { client } = yield* served(reply)
      expect(yield* read(yield* client.execute(download()))).toEqual({ text: "", error: undefined })
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("8.4 reading a stream twice fails", () =>
    Effect.gen(function* () {
      const { client } = yield* served(text)
      const stream = yield* client.execute(download())
      expect((yield* read(stream)).text).toBe("0123456789")
      expect((yield* read(stream)).error).toMatchObject({ _tag: "ResponseValidationError" })
    }).pipe(Effect.provide(layer))
  )
})
