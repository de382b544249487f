import { gzipSync } from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import { type ApiError, ApiRequest, ResponseDecoder } from "@effect-api/client"
import { MockTransport, TestServer } from "@effect-api/testing"
import { Chunk, Deferred, Duration, Effect, Exit, Fiber, Schema, Stream, TestClock } from "effect"
import { textOf } from "../fixtures/bodies.js"
import { scripted, withoutDelay } from "../fixtures/requests.js"
import { clientOf } from "../fixtures/sockets.js"
import { transports } from "../fixtures/transports.js"

const mebibyte = 1024 * 1024

class Gone extends Schema.TaggedError<Gone>()("Gone", { message: Schema.String }) {}

const download = (onDownload?: (progress: ResponseDecoder.Progress) => void) =>
  ApiRequest.get("/file", { success: ResponseDecoder.stream({ onDownload }), failure: { 410: Gone } })

/** Chunks of 64 KiB, and how much of them was asked for. */
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

/** All that came, and how it ended. */
const read = <E>(stream: Stream.Stream<Uint8Array, E>) =>
  Effect.gen(function* () {
    let text = ""
    const exit = yield* Effect.exit(
      Stream.runForEach(stream, (chunk) => Effect.sync(() => void (text += textOf(chunk))))
    )
    return { text, error: Exit.isSuccess(exit) ? undefined : yield* Effect.flip(exit) }
  })

describe.each(transports)("on $name", ({ truncatedBody, layer, resendsOnStale }) => {
  const served = (handler: TestServer.Handler, options?: Parameters<typeof clientOf>[1]) =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": handler })
      return { server, client: yield* clientOf(server, options) }
    })

  it.scopedLive("8.4 64 MiB come down in constant memory, sent no faster than they are read", () =>
    Effect.gen(function* () {
      const { make, state } = content(1024)
      // The cap of decoded bodies is none of a stream's.
      const { client } = yield* served(TestServer.chunks(make), { limits: { responseBytes: 1024 } })
      let [underWay, received] = [0, 0]
      yield* Stream.runForEach(yield* client.execute(download()), (chunk) =>
        Effect.sync(() => {
          received += chunk.length
          underWay = Math.max(underWay, state.produced - received)
        })
      )
      expect(received).toBe(64 * mebibyte)
      // What the system's own socket buffers take.
      expect(underWay).toBeLessThan(16 * mebibyte)
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

  it.scopedLive("8.4 read to its end, the socket is used again", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served(TestServer.text("0123456789"))
      for (const _ of Array.from({ length: 10 }))
        expect((yield* read(yield* client.execute(download()))).text).toBe("0123456789")
      // The pool of undici opens another where the one that has just answered is not free yet.
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
      told: { _tag: "ConnectionError", kind: expect.stringMatching(/^(reset|closed)$/) }
    },
    {
      name: "a body that is cut off",
      reply: text.pipe(TestServer.truncateAfter(4)),
      told: { _tag: "ConnectionError", kind: truncatedBody }
    },
    {
      name: "a chunked body that is cut off",
      reply: TestServer.chunks(["0123", "456789"]).pipe(TestServer.truncateAfter(4)),
      told: { _tag: "ConnectionError", kind: truncatedBody }
    },
    {
      name: "a body that falls silent",
      reply: text.pipe(TestServer.stallAfter(4)),
      told: { _tag: "TimeoutError", phase: "idle", limit: brief }
    }
  ])("7.3 $name fails the stream behind what came, and nothing is asked for again", ({ reply, told }) =>
    Effect.gen(function* () {
      const { client, server } = yield* served(reply, { timeouts: { idle: brief }, retry: withoutDelay })
      const { error, text } = yield* read(yield* client.execute(download()))
      expect(text).toBe("0123")
      expect(error).toMatchObject({ ...told, delivery: "maybe-applied", stoppedBy: "not-replayable" })
      expect(error?.attempts).toMatchObject([{ tag: error?._tag, status: 200 }])
      expect(yield* server.awaitClosed(0)).toBeDefined()
      expect(yield* server.requestCount).toBe(1)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("6.1 what fails before the headers is asked for again", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served(
        TestServer.sequence(TestServer.empty(503), TestServer.reset, text)
      )
      const response = yield* client.executeWithResponse(download())
      expect(response).toMatchObject({ status: 200, headers: { "content-length": "10" } })
      expect(response.attempts.map(({ status, tag }) => tag ?? status)).toEqual([
        "ServiceUnavailableError",
        // The socket of the 503 was kept, and died under the second request.
        ...(resendsOnStale ? [] : ["ConnectionError"]),
        200
      ])
      expect((yield* read(response.value)).text).toBe("0123456789")
      expect(yield* server.requestCount).toBe(3)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("7.1 a status that is no success is an error with its body, before any stream", () =>
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

  it.scopedLive("7.5 the caller's own error", () =>
    Effect.gen(function* () {
      const { client } = yield* served(TestServer.json({ message: "deleted" }, { status: 410 }))
      expect(yield* Effect.flip(client.execute(download()))).toEqual(new Gone({ message: "deleted" }))
    }).pipe(Effect.provide(layer))
  )

  const compressed = new Uint8Array(gzipSync("0123456789"))

  it.scopedLive.each([
    { name: "with a length", reply: text, total: 10 },
    { name: "in chunks", reply: TestServer.chunks(["01234", "56789"]), total: undefined },
    {
      name: "compressed: its length counts other bytes",
      reply: TestServer.bytes(compressed, { headers: { "content-encoding": "gzip" } }),
      total: undefined
    }
  ])("8.4 progress of a body $name", ({ reply, total }) =>
    Effect.gen(function* () {
      const { client } = yield* served(reply)
      const told: Array<ResponseDecoder.Progress> = []
      const stream = yield* client.execute(download((progress) => void told.push(progress)))
      expect(told).toEqual([])
      const size = yield* Stream.runFold(stream, 0, (size, chunk) => size + chunk.length)
      expect(told.at(-1)).toEqual({ bytes: size, total })
      expect(told.every((progress) => progress.total === total)).toBe(true)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive.each([
    { name: "204", reply: TestServer.empty(204) },
    { name: "an empty 200", reply: TestServer.empty(200) },
    { name: "no chunk", reply: TestServer.chunks([]) }
  ])("8.2 $name is an empty stream", ({ reply }) =>
    Effect.gen(function* () {
      const { client } = yield* served(reply)
      expect(yield* read(yield* client.execute(download()))).toEqual({ text: "", error: undefined })
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("8.4 a stream can be read once: a second time it says so", () =>
    Effect.gen(function* () {
      const { client } = yield* served(text)
      const stream = yield* client.execute(download())
      expect((yield* read(stream)).text).toBe("0123456789")
      expect((yield* read(stream)).error).toMatchObject({ _tag: "ResponseValidationError" })
    }).pipe(Effect.provide(layer))
  )
})

describe("on a clock", () => {
  it.effect("8.4 a slow reader's own time is no silence of the server's", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([MockTransport.stream(["a", { delay: "5 seconds" }, "b", "c"])], {
        timeouts: { idle: "10 seconds" }
      })
      const stream = yield* client.execute(download())
      const fiber = yield* Effect.fork(
        Stream.runCollect(
          Stream.mapEffect(stream, (chunk) => Effect.delay(Effect.succeed(textOf(chunk)), "1 hour"))
        )
      )
      yield* TestClock.adjust("4 hours")
      expect(Chunk.toReadonlyArray(yield* Fiber.join(fiber))).toEqual(["a", "b", "c"])
    })
  )

  it.effect("6.5 the deadline of the call is that of its body, too", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([MockTransport.stream(["a", { delay: "1 minute" }, "b"])], {
        timeouts: { total: "10 seconds" }
      })
      const stream = yield* client.execute(download())
      const read = yield* Deferred.make<string, ApiError.ApiError>()
      yield* Effect.fork(
        Deferred.complete(
          read,
          Stream.runFold(stream, "", (text, chunk) => text + textOf(chunk))
        )
      )
      yield* TestClock.adjust("10 seconds")
      expect(yield* Effect.flip(Deferred.await(read))).toMatchObject({
        _tag: "TimeoutError",
        phase: "total",
        stoppedBy: "deadline",
        attempts: [{ tag: "TimeoutError", status: 200 }]
      })
    })
  )
})
