import { createReadStream } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { HttpBody, HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient, ApiRequest, type Middleware, ResponseDecoder } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Deferred, Effect, Fiber, FiberId, Predicate, Stream } from "effect"
import { failingSources, form, parts, sources, untyped, upload, utf8 } from "../fixtures/bodies.js"
import { clientOf } from "../fixtures/sockets.js"
import { everyTransport, transports } from "../fixtures/transports.js"

const mebibyte = 1024 * 1024

/** A source as a body of the platform's. */
const bodyOf = (source: ApiRequest.ByteSource): HttpBody.HttpBody =>
  Predicate.hasProperty(source, Stream.StreamTypeId)
    ? HttpBody.stream(source as Stream.Stream<Uint8Array, unknown>)
    : HttpBody.raw(source)

/** Responds with the number of bytes received. */
const counting = TestServer.streaming((_request, body) =>
  Effect.map(
    Stream.runFold(body, 0, (size, bytes) => size + bytes.length),
    (size) => TestServer.json(size)
  )
)

/** Responds with the head and the body it received. */
const echo = (request: TestServer.SeenRequest) =>
  TestServer.json({ headers: request.headers, text: request.text })

interface Echo {
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

/** A source of 64 KiB chunks that reports how far it was pulled and when it was closed. */
const source = (chunks: number) => {
  const chunk = new Uint8Array(64 * 1024)
  const closed = Deferred.unsafeMake<void>(FiberId.none)
  const state = { pulled: 0, closed }
  const make = async function* () {
    try {
      for (let index = 0; index < chunks; index++) {
        state.pulled += chunk.length
        yield chunk
      }
    } finally {
      Deferred.unsafeDone(closed, Effect.void)
    }
  }
  return { state, make }
}

describe.each(everyTransport)("on $name", ({ layer, mayKnowLength, sendsLength }) => {
  const served = (handler: TestServer.Handler) =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": handler })
      return { server, client: yield* clientOf(server) }
    })

  it.scopedLive.each(Object.entries(sources))(
    "5.3 %s is sent in chunks, without a content-length",
    ([, make]) =>
      Effect.gen(function* () {
        const { client } = yield* served(echo)
        const { headers, text } = (yield* client.execute(upload(make()))) as Echo
        expect(text).toBe(parts.join(""))
        expect(headers["content-type"]).toBe("application/octet-stream")
        const sentLength = mayKnowLength ? headers["content-length"] : undefined
        expect([headers["transfer-encoding"], headers["content-length"]]).toEqual(
          sentLength === undefined ? ["chunked", undefined] : [undefined, String(text.length)]
        )
      }).pipe(Effect.provide(layer))
  )

  it.scopedLive.each([
    { name: "bytes", request: upload(untyped(undefined), { bytes: utf8("0123") }), hasLength: true },
    { name: "a form of text", request: form({ a: "1" }), hasLength: true },
    {
      name: "bytes with progress",
      request: upload(untyped(undefined), { bytes: utf8("0123"), onUpload: () => undefined }),
      hasLength: sendsLength
    },
    { name: "a form with a Blob", request: form({ a: new Blob(["x"]) }), hasLength: sendsLength },
    {
      name: "a stream with a content-length header",
      request: upload(Stream.make(utf8("0123")), { headers: { "content-length": "4" } }),
      hasLength: sendsLength
    },
    { name: "a form with a stream", request: form({ a: Stream.make(utf8("0123")) }), hasLength: false }
  ])("5.2 $name is sent with a content-length: $hasLength", ({ request, hasLength }) =>
    Effect.gen(function* () {
      const { client } = yield* served(echo)
      const { headers, text } = (yield* client.execute(request)) as Echo
      expect(text).not.toBe("")
      expect(headers["content-length"]).toBe(hasLength ? String(text.length) : undefined)
      expect(headers["transfer-encoding"]).toBe(hasLength ? undefined : "chunked")
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("5.3 64 MiB are uploaded, and pulled no faster than they are sent", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served(counting)
      const { make, state } = source(1024)
      let inFlight = 0
      const onUpload = ({ bytes }: ResponseDecoder.Progress) => {
        const received = Effect.runSync(server.exchanges)[0]?.bytesReceived ?? 0
        inFlight = Math.max(inFlight, bytes - received)
      }
      expect(yield* client.execute(upload(make, { onUpload }))).toBe(64 * mebibyte)
      expect(state.pulled).toBe(64 * mebibyte)
      // The sockets' own buffers.
      expect(inFlight).toBeLessThan(16 * mebibyte)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("10.7 an interruption closes the socket and the source", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served(counting)
      const { make, state } = source(Number.POSITIVE_INFINITY)
      const fiber = yield* Effect.fork(client.execute(upload(make)))
      yield* server.awaitExchange(0, ({ bytesReceived }) => bytesReceived > mebibyte)
      yield* Fiber.interrupt(fiber)
      expect(yield* server.awaitClosed(0)).toBe("client")
      yield* Deferred.await(state.closed)
      expect(yield* server.requestCount).toBe(1)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("10.7 an interruption does not wait for a stalled source", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served(counting)
      const stuck = async function* () {
        yield utf8("x")
        await new Promise(() => undefined)
      }
      const fiber = yield* Effect.fork(client.execute(upload(stuck)))
      yield* server.awaitExchange(0, ({ bytesReceived }) => bytesReceived > 0)
      yield* Fiber.interrupt(fiber)
      expect(yield* server.awaitClosed(0)).toBe("client")
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive.each(Object.entries(failingSources("the disk is gone")))(
    "5.3 a failing source closes the connection, so the server never takes the body for complete: %s",
    ([, make]) =>
      Effect.gen(function* () {
        const { client, server } = yield* served(echo)
        const error = yield* Effect.flip(client.execute(upload(make)))
        expect(error).toMatchObject({
          _tag: "InvalidRequestError",
          field: "bodyStream",
          reason: "failed while it was sent: the disk is gone",
          stoppedBy: "not-retryable"
        })
        expect(yield* server.awaitOpenSockets((open) => open === 0)).toBe(0)
        expect(yield* server.requestCount).toBe(0)
      }).pipe(Effect.provide(layer))
  )

  class Broken extends Error {
    override get message(): string {
      throw new TypeError("no message")
    }
  }
  const unreadable = Object.defineProperties(new Error("no code"), {
    code: {
      get: () => {
        throw new TypeError("no code")
      }
    }
  })
  const causes: ReadonlyArray<readonly [string, unknown]> = [
    ["undefined", undefined],
    ["null", null],
    ["an empty text", ""],
    ["zero", 0],
    ["a null-prototype object", Object.create(null)],
    ["an error whose message throws", Object.create(Broken.prototype)],
    ["an error whose code throws", unreadable]
  ]
  const failing: Readonly<Record<string, (cause: unknown) => Parameters<typeof upload>[0]>> = {
    "an Effect stream": (cause) => Stream.concat(Stream.make(utf8("a")), Stream.fail(cause)),
    "a defect": (cause) => Stream.concat(Stream.make(utf8("a")), Stream.die(cause)),
    "a generator": (cause) =>
      async function* () {
        yield utf8("a")
        throw cause
      }
  }

  it.scopedLive.each(
    causes.flatMap(([what, cause]) =>
      Object.entries(failing).map(([name, make]) => [what, name, make, cause] as const)
    )
  )("5.3 a source may fail with anything: %s, of %s", ([, , make, cause]) =>
    Effect.gen(function* () {
      const { client } = yield* served(echo)
      const error = yield* Effect.flip(client.execute(upload(make(cause))))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field: "bodyStream" })
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive.each(Object.entries(failingSources("the disk is gone")))(
    "6.11 so does one that a middleware has set, and the error is the source's: %s",
    ([, make]) =>
      Effect.gen(function* () {
        const { client, server } = yield* served(echo)
        const set: Middleware.Middleware = (request, next) =>
          next(HttpClientRequest.setBody(request, bodyOf(make())))
        const request = ApiRequest.post("/files", { middleware: [set] })
        expect(yield* Effect.flip(client.execute(request))).toMatchObject({
          _tag: "InvalidRequestError",
          field: "body",
          reason: "failed while it was sent: the disk is gone",
          delivery: "maybe-applied",
          stoppedBy: "not-retryable"
        })
        expect(yield* server.awaitOpenSockets((open) => open === 0)).toBe(0)
        expect(yield* server.requestCount).toBe(0)
      }).pipe(Effect.provide(layer))
  )

  it.scopedLive.each(Object.entries(failingSources("the disk is gone")))(
    "6.11 and so does that of a platform request: %s",
    ([, make]) =>
      Effect.gen(function* () {
        const server = yield* TestServer.make({ "*": echo })
        const http = ApiClient.httpClient(yield* clientOf(server))
        const request = HttpClientRequest.put(`${server.url}/files/f`).pipe(
          HttpClientRequest.setBody(bodyOf(make()))
        )
        expect(yield* Effect.flip(http.execute(request))).toMatchObject({
          cause: { _tag: "InvalidRequestError", field: "body", delivery: "maybe-applied" }
        })
        expect(yield* server.requestCount).toBe(0)
      }).pipe(Effect.provide(layer))
  )

  it.scopedLive("5.3 a function is called for every attempt", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served(
        TestServer.sequence(TestServer.empty(503), TestServer.reset, echo)
      )
      let made = 0
      const body = () => Stream.make(utf8(`attempt ${++made}`))
      expect(yield* client.execute(upload(body))).toMatchObject({ text: "attempt 3" })
      const requests = yield* server.requests
      expect(requests.map(({ text }) => text)).toEqual(["attempt 1", "attempt 2", "attempt 3"])
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("5.3 a stream gets one attempt, and a status error is not retried", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served(TestServer.empty(503))
      const error = yield* Effect.flip(client.execute(upload(new Blob(["x"]).stream())))
      expect(error).toMatchObject({ _tag: "ServiceUnavailableError", stoppedBy: "not-replayable" })
      expect(yield* server.requestCount).toBe(1)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("5.3 a response before the end of the body is the result", () =>
    Effect.gen(function* () {
      const rejecting = TestServer.streaming(() => TestServer.json({ message: "too large" }, { status: 413 }))
      const { client } = yield* served(rejecting)
      const { make, state } = source(Number.POSITIVE_INFINITY)
      const error = yield* Effect.flip(client.execute(upload(make)))
      expect(error).toMatchObject({ _tag: "RequestTooLargeError", status: 413 })
      yield* Deferred.await(state.closed)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("5.3 reading the response while the body is sent does not end the upload", () =>
    Effect.gen(function* () {
      const { client } = yield* served(TestServer.streaming((_request, body) => TestServer.chunks(body)))
      const { make } = source(64)
      const response = yield* client.execute(
        ApiRequest.put("/", { bodyStream: make, success: ResponseDecoder.stream() })
      )
      expect(yield* Stream.runFold(response, 0, (size, bytes) => size + bytes.length)).toBe(4 * mebibyte)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("5.2 a parser reads back a form with files from the disk", () =>
    Effect.gen(function* () {
      const directory = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "upload-"))),
        (directory) => Effect.promise(() => rm(directory, { recursive: true }))
      )
      const path = join(directory, "data.bin")
      const content = new Uint8Array(300_000).map((_, index) => index * 7)
      yield* Effect.promise(() => writeFile(path, content))
      const { client } = yield* served((request) =>
        Effect.promise(async () => {
          const headers = { "content-type": request.headers["content-type"] ?? "" }
          const read = await new Response(request.body.slice(), { headers }).formData()
          const fields = [...read].map(async ([name, value]) =>
            typeof value === "string"
              ? [name, value]
              : [
                  name,
                  value.name,
                  value.type,
                  value.size,
                  Buffer.compare(content, new Uint8Array(await value.arrayBuffer()))
                ]
          )
          return TestServer.json(await Promise.all(fields))
        })
      )
      const open: ApiRequest.BodyStream = () => createReadStream(path)
      const request = form({
        purpose: "batch",
        tags: ["a", "ü"],
        file: { content: open, filename: 'a "b".bin', contentType: "application/x-data" },
        bytes: content,
        blob: new File([content], "c.bin")
      })
      const binary = "application/octet-stream"
      expect(yield* client.execute(request)).toEqual([
        ["purpose", "batch"],
        ["tags[]", "a"],
        ["tags[]", "ü"],
        ["file", 'a "b".bin', "application/x-data", content.length, 0],
        ["bytes", "blob", binary, content.length, 0],
        ["blob", "c.bin", binary, content.length, 0]
      ])
    }).pipe(Effect.provide(layer))
  )
})

const transportsWithoutBuffers = transports.filter(
  ({ buffersUploads, isRelayed }) => !buffersUploads && !isRelayed
)

describe.each(transportsWithoutBuffers)("on $name", ({ layer }) => {
  it.scopedLive("5.3 256 MiB are uploaded in constant memory", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": counting })
      const client = yield* clientOf(server)
      const start = process.memoryUsage()
      let [held, grown] = [0, 0]
      const fresh = async function* () {
        for (let index = 0; index < 4096; index++) {
          const { arrayBuffers, rss } = process.memoryUsage()
          held = Math.max(held, arrayBuffers - start.arrayBuffers)
          grown = Math.max(grown, rss - start.rss)
          yield new Uint8Array(64 * 1024)
        }
      }
      const size = yield* client.execute(form({ file: fresh }))
      expect(size).toBeGreaterThan(256 * mebibyte)
      // The rest is garbage that is not yet collected.
      expect(held).toBeLessThan(128 * mebibyte)
      expect(grown).toBeLessThan(192 * mebibyte)
    }).pipe(Effect.provide(layer))
  )
})
