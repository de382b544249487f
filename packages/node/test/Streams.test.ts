import { HttpClient, HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, EventStream, ResponseDecoder } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Chunk, Deferred, Duration, Effect, Fiber, Schema, Stream } from "effect"
import { clientOf, once, settled, transport } from "./fixtures/clients.js"

const sse = { headers: { "content-type": "text/event-stream" } }
const events = EventStream.make({ event: Schema.Struct({ n: Schema.Number }), terminal: "[DONE]" })
const watch = ApiRequest.get("/events", { events })
const file = ApiRequest.get("/file", { success: ResponseDecoder.stream() })
const piece = new Uint8Array(64 * 1024)

const event = (n: number): string => `data: {"n":${n}}\n\n`
const forever = function* () {
  for (let n = 0; ; n++) yield event(n)
}

/** A number of pieces, counted as they are read. */
const pieces = (count: number) => {
  const state = { made: 0 }
  const make = function* () {
    for (; state.made < count; state.made++) yield piece
  }
  return { state, make, stream: Stream.suspend(() => Stream.fromIterable(make())) }
}

const sizeOf = <E>(stream: Stream.Stream<Uint8Array, E>) =>
  Stream.runFold(stream, 0, (size, chunk) => size + chunk.length)

describe("events", () => {
  it.scopedLive("10.2 a stream ends at the terminal event and closes its socket", () =>
    Effect.gen(function* () {
      const reply = TestServer.chunks([event(1), event(2), "data: [DONE]\n\n", "more"], sse)
      const server = yield* TestServer.make({ "*": reply.pipe(TestServer.stallAfter(60)) })
      const client = yield* clientOf(server)
      expect(Chunk.toReadonlyArray(yield* Stream.runCollect(client.stream(watch)))).toEqual([
        { n: 1 },
        { n: 2 }
      ])
      yield* server.awaitClosed(0)
    })
  )

  it.scopedLive("10.7 leaving a stream early closes the socket", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": TestServer.chunks(forever, sse) })
      const client = yield* clientOf(server)
      const three = yield* Stream.runCollect(Stream.take(client.stream(watch), 3))
      expect(Chunk.toReadonlyArray(three)).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }])
      expect(yield* server.awaitClosed(0)).toBe("client")
    })
  )

  it.scopedLive("10.7 an interruption closes the socket", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "*": TestServer.chunks([event(1), event(2)], sse).pipe(TestServer.stallAfter(16))
      })
      const client = yield* clientOf(server)
      const first = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(
        Stream.runForEach(client.stream(watch), () => Deferred.succeed(first, undefined))
      )
      yield* Deferred.await(first)
      yield* Fiber.interrupt(fiber)
      expect(yield* server.awaitClosed(0)).toBe("client")
    })
  )

  it.scopedLive("10.3 a stream that breaks off fails", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "*": TestServer.chunks([event(1), event(2)], sse).pipe(TestServer.resetAfter(16))
      })
      const client = yield* clientOf(server)
      const seen: Array<number> = []
      const error = yield* Effect.flip(
        Stream.runForEach(client.stream(watch), ({ n }) => Effect.sync(() => void seen.push(n)))
      )
      expect([seen, error._tag]).toEqual([[1], "ConnectionError"])
      expect(yield* server.requestCount).toBe(1)
    })
  )

  it.scopedLive("7.3 a stream that falls silent fails at the idle timeout", () =>
    Effect.gen(function* () {
      const idle = Duration.millis(30)
      const server = yield* TestServer.make({
        "*": TestServer.chunks([event(1), event(2)], sse).pipe(TestServer.stallAfter(16))
      })
      const client = yield* clientOf(server, { timeouts: { idle } })
      const error = yield* Effect.flip(Stream.runDrain(client.stream(watch)))
      expect(error).toMatchObject({ _tag: "TimeoutError", phase: "idle", limit: idle })
      expect(yield* server.awaitClosed(0)).toBe("client")
    })
  )
})

describe("downloads", () => {
  it.scopedLive("10.7 a slow reader applies backpressure to the server", () =>
    Effect.gen(function* () {
      const { make, state } = pieces(1024)
      const server = yield* TestServer.make({ "*": TestServer.chunks(make) })
      const client = yield* clientOf(server)
      const stream = yield* client.execute(file)
      let reads = 0
      yield* Stream.runForEachWhile(stream, () => Effect.as(settled, ++reads < 20))
      expect(yield* server.awaitClosed(0)).toBe("client")
      // The two kernels buffer a few MiB; that is the most that may be ahead of the reader.
      expect(state.made).toBeLessThan(512)
    })
  )

  it.scopedLive("10.7 a download of 64 MiB arrives completely, and its socket is kept", () =>
    Effect.gen(function* () {
      const { make } = pieces(1024)
      const server = yield* TestServer.make({
        "GET /file": TestServer.chunks(make),
        "GET /x": TestServer.json(1)
      })
      const client = yield* clientOf(server)
      expect(yield* Effect.flatMap(client.execute(file), sizeOf)).toBe(64 * 1024 * 1024)
      yield* settled
      expect(yield* client.execute(ApiRequest.get("/x"))).toBe(1)
      expect(yield* server.socketsSeen).toBe(1)
    })
  )

  it.scopedLive("7.3 a download that breaks off fails", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "*": TestServer.chunks(["abc", "def"]).pipe(TestServer.truncateAfter(3))
      })
      const client = yield* clientOf(server)
      const error = yield* Effect.flip(Effect.flatMap(client.execute(file), sizeOf))
      expect(error).toMatchObject({ _tag: "ConnectionError", kind: "closed" })
    })
  )
})

describe("uploads", () => {
  const counting = TestServer.streaming((request, body) =>
    Effect.map(sizeOf(body), (size) =>
      TestServer.json({
        size,
        length: request.headers["content-length"] ?? null,
        encoding: request.headers["transfer-encoding"] ?? null
      })
    )
  )

  it.scopedLive("5.3 a stream of unknown length is sent chunked", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": counting })
      const client = yield* clientOf(server)
      const bodyStream = () => pieces(64).stream
      expect(yield* client.execute(ApiRequest.post("/x", { bodyStream }))).toEqual({
        size: 4 * 1024 * 1024,
        length: null,
        encoding: "chunked"
      })
    })
  )

  it.scopedLive("5.3 a known length is sent", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": counting })
      const client = yield* clientOf(server)
      const request = ApiRequest.post("/x", {
        bodyStream: () => pieces(2).stream,
        headers: { "content-length": String(2 * piece.length) }
      })
      expect(yield* client.execute(request)).toEqual({ size: 131072, length: "131072", encoding: null })
    })
  )

  it.scopedLive("5.3 a stream is created again for the next attempt", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": TestServer.sequence(TestServer.empty(503), counting) })
      const client = yield* clientOf(server)
      const response = yield* client.executeWithResponse(
        ApiRequest.post("/x", { bodyStream: () => pieces(4).stream })
      )
      expect(response.value).toMatchObject({ size: 4 * piece.length })
      expect(response.attempts).toHaveLength(2)
    })
  )

  it.scopedLive("5.3 a failing source is an invalid request", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": counting })
      const client = yield* clientOf(server)
      const bodyStream = () => Stream.concat(pieces(2).stream, Stream.fail(new Error("no such file")))
      const error = yield* Effect.flip(client.execute(ApiRequest.post("/x", { bodyStream })))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field: "bodyStream" })
    })
  )

  it.scopedLive("5.3 an interruption closes the socket and ends the source", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": counting })
      const client = yield* clientOf(server)
      const ended = yield* Deferred.make<void>()
      const bodyStream = () =>
        Stream.concat(Stream.make(piece), Stream.never).pipe(
          Stream.ensuring(Deferred.succeed(ended, undefined))
        )
      const fiber = yield* Effect.fork(client.execute(ApiRequest.post("/x", { bodyStream })))
      yield* server.awaitExchange(0, ({ bytesReceived }) => bytesReceived > 0)
      yield* Fiber.interrupt(fiber)
      expect(yield* server.awaitClosed(0)).toBe("client")
      yield* Deferred.await(ended)
    })
  )

  it.scopedLive("5.2 a multipart body is sent", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": TestServer.json("ok") })
      const client = yield* clientOf(server, { retry: once })
      const multipart = {
        a: "1",
        file: { content: pieces(1).stream, filename: "f.bin" },
        small: new Blob(["xyz"])
      }
      yield* client.execute(ApiRequest.post("/x", { multipart }))
      const [seen] = yield* server.requests
      const form = yield* Effect.promise(() =>
        new Response(seen?.body.slice(), {
          headers: { "content-type": String(seen?.headers["content-type"]) }
        }).formData()
      )
      expect(form.get("a")).toBe("1")
      expect((form.get("file") as File).size).toBe(piece.length)
      expect((form.get("small") as File).size).toBe(3)
    })
  )

  it.scopedLive("5.2 the platform's form data is sent", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": TestServer.json("ok") })
      const form = new FormData()
      form.set("a", "1")
      form.set("f", new Blob(["xyz"]), "f.txt")
      const http = yield* HttpClient.HttpClient
      const response = yield* http.execute(
        HttpClientRequest.post(`${server.url}/x`).pipe(HttpClientRequest.bodyFormData(form))
      )
      expect(yield* response.json).toBe("ok")
      const [seen] = yield* server.requests
      expect(seen?.headers["content-type"]).toMatch(/^multipart\/form-data; ?boundary=/)
      expect(seen?.text).toContain('name="f"; filename="f.txt"')
    }).pipe(Effect.provide(transport()))
  )
})
