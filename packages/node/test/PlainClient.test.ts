import { gzipSync } from "node:zlib"
import { HttpClient, HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import type { NodeTransport } from "@effect-api/node"
import { TestServer } from "@effect-api/testing"
import { Chunk, Effect, Fiber, Schema, Stream } from "effect"
import { settled, transport } from "./fixtures/clients.js"
import * as Frames from "./fixtures/frames.js"
import { framed, rawServer } from "./fixtures/rawServer.js"

/** Runs a test with a server and the transport as a plain `HttpClient`. */
const over = <A, E>(
  routes: TestServer.Routes,
  use: (server: TestServer.TestServer, http: HttpClient.HttpClient) => Effect.Effect<A, E>,
  options: NodeTransport.Options = {}
) =>
  Effect.gen(function* () {
    const server = yield* TestServer.make(routes)
    return yield* use(server, yield* HttpClient.HttpClient)
  }).pipe(Effect.provide(transport(options)))

const body = { a: 1 }

describe("a plain HttpClient", () => {
  it.scopedLive("8.1 reads a body as text, JSON, bytes and stream", () =>
    over({ "*": TestServer.json(body) }, (server, http) =>
      Effect.gen(function* () {
        const got = http.get(`${server.url}/x`)
        expect(yield* Effect.flatMap(got, (response) => response.text)).toBe('{"a":1}')
        expect(yield* Effect.flatMap(got, (response) => response.json)).toEqual(body)
        expect((yield* Effect.flatMap(got, (response) => response.arrayBuffer)).byteLength).toBe(7)
        const schema = HttpClientResponse.schemaBodyJson(Schema.Struct({ a: Schema.Number }))
        expect(yield* Effect.flatMap(got, schema)).toEqual(body)
        const parts = yield* Stream.runCollect(HttpClientResponse.stream(got))
        expect(Buffer.concat(Chunk.toReadonlyArray(parts)).toString()).toBe('{"a":1}')
      })
    )
  )

  it.scopedLive.each([200, 201, 204, 205, 304, 404, 503])("8.1 returns the status %i", (status) =>
    over({ "*": TestServer.empty(status, { "x-name": "a value" }) }, (server, http) =>
      Effect.gen(function* () {
        const response = yield* http.get(`${server.url}/x`)
        expect([response.status, response.headers["x-name"]]).toEqual([status, "a value"])
        expect(yield* response.text).toBe("")
      })
    )
  )

  /** Reads one response of a server, and the next one of the same client. */
  const twice = (url: string, options: NodeTransport.Options = {}) =>
    Effect.gen(function* () {
      const http = yield* HttpClient.HttpClient
      const read = Effect.gen(function* () {
        const response = yield* http.get(url)
        const accepted = yield* Effect.either(HttpClientResponse.filterStatusOk(response))
        return [response.status, response.headers["x-name"], yield* response.text, accepted._tag]
      })
      return [yield* read, yield* read]
    }).pipe(Effect.provide(transport(options)))

  it.scopedLive.each([599, 600, 700, 999])("8.1 returns the status %i of HTTP/1.1", (status) =>
    Effect.gen(function* () {
      const parts = framed(Buffer.from("hi"), "x-name: a value\r\n", `${status} Odd`)
      const server = yield* rawServer(() => ({ parts }))
      const expected = [status, "a value", "hi", "Left"]
      expect(yield* twice(server.url)).toEqual([expected, expected])
    })
  )

  it.scopedLive.each([599, 600, 700, 999])("8.1 returns the status %i of HTTP/2", (status) =>
    Effect.gen(function* () {
      const server = yield* Frames.serving()
      const respond = Effect.gen(function* () {
        const peer = yield* server.accept
        for (let count = 0; count < 2; count++) {
          const { id } = yield* Effect.promise(() => peer.next(Frames.type.headers))
          const head = Frames.headers(id, [
            [":status", String(status)],
            ["x-name", "a value"]
          ])
          peer.write(head, Frames.data(id, "hi", Frames.flag.end))
        }
      })
      yield* Effect.forkScoped(respond)
      const expected = [status, "a value", "hi", "Left"]
      const url = `http://127.0.0.1:${server.port}/x`
      expect(yield* twice(url, { allowH2: "prior-knowledge" })).toEqual([expected, expected])
    })
  )

  const bodiless = [204, 205, 304].flatMap((status) =>
    ["content-length: 2\r\n\r\n", "transfer-encoding: chunked\r\n\r\n2\r\n"].map((head) => ({ status, head }))
  )
  it.scopedLive.each(bodiless)("8.1 a body after $status is no defect: $head", ({ head, status }) =>
    Effect.gen(function* () {
      const server = yield* rawServer(() => ({
        parts: [`HTTP/1.1 ${status} Odd\r\nx-name: a value\r\n${head}hi`]
      }))
      const expected = [status, "a value", "", status === 304 ? "Left" : "Right"]
      expect(yield* twice(server.url)).toEqual([expected, expected])
    })
  )

  it.scopedLive.each(["000", "099", "101", "103"])(
    "7.3 %s as the only status is a transport error",
    (status) =>
      Effect.gen(function* () {
        const parts = framed(Buffer.from("hi"), "", `${status} Odd`)
        const server = yield* rawServer(() => ({ parts }))
        const error = yield* Effect.flip(twice(server.url))
        expect(error.message).toContain("Transport error")
      })
  )

  const odd = ["caf\xe9", "\xe2\x82\xac", "a\tb", "", '"'] as const
  it.scopedLive.each(odd)("8.1 returns the header value %j", (value) =>
    Effect.gen(function* () {
      const headers = `x-name: ${value}\r\nset-cookie: a=${value}; Path=/${value}\r\n`
      const parts = framed(Buffer.from("hi"), headers)
      const server = yield* rawServer(() => ({ parts }))
      const expected = [200, value, "hi", "Right"]
      expect(yield* twice(server.url)).toEqual([expected, expected])
    })
  )

  it.scopedLive("8.1 does not follow a redirect", () =>
    over({ "*": TestServer.empty(307, { location: "/elsewhere" }) }, (server, http) =>
      Effect.gen(function* () {
        expect((yield* http.get(`${server.url}/x`)).status).toBe(307)
        expect(yield* server.requestCount).toBe(1)
      })
    )
  )

  it.scopedLive("8.1 returns cookies separately", () =>
    over({ "*": TestServer.empty(200, { "set-cookie": ["a=1; Path=/", "b=2; HttpOnly"] }) }, (server, http) =>
      Effect.gen(function* () {
        const { cookies } = yield* http.get(`${server.url}/x`)
        expect(Object.keys(cookies.cookies)).toEqual(["a", "b"])
      })
    )
  )

  it.scopedLive("3.1 sends query, headers and body, but no fragment", () =>
    over({ "*": TestServer.json(body) }, (server, http) =>
      Effect.gen(function* () {
        const request = HttpClientRequest.post(`${server.url}/x#fragment`).pipe(
          HttpClientRequest.setUrlParam("q", "a b"),
          HttpClientRequest.setHeader("x-name", "v"),
          HttpClientRequest.bodyUnsafeJson([1])
        )
        yield* http.execute(request)
        const [seen] = yield* server.requests
        expect([seen?.method, seen?.url, seen?.headers["x-name"], seen?.json]).toEqual([
          "POST",
          "/x?q=a+b",
          "v",
          [1]
        ])
      })
    )
  )

  it.scopedLive.each(["small", "x".repeat(200_000)])("8.4 streams chunks that share no memory", (text) =>
    over({ "*": TestServer.text(text, { headers: { "set-cookie": "session=secret" } }) }, (server, http) =>
      Effect.gen(function* () {
        const { stream } = yield* http.get(`${server.url}/x`)
        const chunks = Chunk.toReadonlyArray(yield* Stream.runCollect(stream))
        expect(Buffer.concat(chunks).toString()).toBe(text)
        for (const chunk of chunks) {
          expect([chunk.constructor, chunk.buffer.byteLength]).toEqual([Uint8Array, chunk.length])
        }
      })
    )
  )

  it.scopedLive("8.4 drops the headers that describe the coded body after decoding", () =>
    over(
      { "*": TestServer.bytes(gzipSync('{"a":1}'), { headers: { "content-encoding": "gzip", etag: "1" } }) },
      (server, http) =>
        Effect.gen(function* () {
          const { headers } = yield* http.get(`${server.url}/x`)
          expect([headers["content-encoding"], headers["content-length"], headers.etag]).toEqual([
            undefined,
            undefined,
            "1"
          ])
        })
    )
  )

  it.scopedLive("8.2 decodes gzip", () =>
    over(
      { "*": TestServer.bytes(gzipSync('{"a":1}'), { headers: { "content-encoding": "gzip" } }) },
      (server, http) =>
        Effect.gen(function* () {
          const response = yield* http.get(`${server.url}/x`)
          expect(yield* response.json).toEqual(body)
        })
    )
  )

  it.scopedLive.each([
    ["the connection is refused", undefined],
    ["the connection is reset", TestServer.reset],
    ["the response is not HTTP", TestServer.garbage]
  ] as const)("7.3 fails with a RequestError if %s", ([, reply]) =>
    over({ "*": reply ?? TestServer.never }, (server, http) =>
      Effect.gen(function* () {
        const url = reply === undefined ? yield* TestServer.refusedUrl : server.url
        expect(yield* Effect.flip(http.get(`${url}/x`))).toMatchObject({
          message: expect.stringMatching(/^Transport error/)
        })
      })
    )
  )

  it.scopedLive("7.3 fails with a ResponseError if the body breaks off", () =>
    over({ "*": TestServer.text("0123456789").pipe(TestServer.resetAfter(4)) }, (server, http) =>
      Effect.gen(function* () {
        const response = yield* http.get(`${server.url}/x`)
        expect(yield* Effect.flip(response.text)).toMatchObject({
          message: expect.stringMatching(/^Decode error/)
        })
      })
    )
  )

  it.scopedLive("7.3 applies the timeouts of the transport", () =>
    over(
      { "*": TestServer.never },
      (server, http) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(http.get(`${server.url}/x`))
          expect(error.cause).toMatchObject({ code: "UND_ERR_HEADERS_TIMEOUT" })
          expect(yield* server.awaitClosed(0)).toBe("client")
        }),
      { timeouts: { response: "30 millis" } }
    )
  )

  it.scopedLive("10.7 an interruption aborts the request", () =>
    over({ "*": TestServer.never }, (server, http) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.fork(http.get(`${server.url}/x`))
        yield* server.awaitExchange(0, () => true)
        yield* Fiber.interrupt(fiber)
        expect(yield* server.awaitClosed(0)).toBe("client")
      })
    )
  )

  it.scopedLive("10.7 leaving a stream early aborts the request", () =>
    over({ "*": TestServer.chunks(["abc", "def"]).pipe(TestServer.stallAfter(3)) }, (server, http) =>
      Effect.gen(function* () {
        const stream = HttpClientResponse.stream(http.get(`${server.url}/x`))
        expect(yield* Stream.runCollect(Stream.take(stream, 1))).toHaveLength(1)
        expect(yield* server.awaitClosed(0)).toBe("client")
      })
    )
  )

  it.scopedLive("10.7 the end of a scope aborts an unread body", () =>
    over({ "*": TestServer.text("0123456789").pipe(TestServer.stallAfter(4)) }, (server, http) =>
      Effect.gen(function* () {
        const status = yield* Effect.scoped(
          Effect.map(HttpClient.withScope(http).get(`${server.url}/x`), (response) => response.status)
        )
        expect(status).toBe(200)
        expect(yield* server.awaitClosed(0)).toBe("client")
      })
    )
  )

  it.scopedLive("6.8 a fully read body leaves its socket reusable", () =>
    over({ "*": TestServer.json(body) }, (server, http) =>
      Effect.gen(function* () {
        for (let call = 0; call < 5; call++) {
          yield* Effect.flatMap(http.get(`${server.url}/x`), (response) => response.text)
          yield* settled
        }
        expect(yield* server.socketsSeen).toBe(1)
      })
    )
  )
})
