/** Which connection a request uses, and the outcome if that connection cannot carry it. */
import { createServer, type Socket } from "node:net"
import { HttpClient, HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, ResponseDecoder } from "@effect-api/client"
import type { NodeTransport } from "@effect-api/node"
import { TestServer } from "@effect-api/testing"
import { Duration, Effect, Fiber, Layer, Stream } from "effect"
import { clientOf, listening, once, settled, transport } from "../fixtures/clients.js"
import { rawServer } from "../fixtures/rawServer.js"
import { until } from "../fixtures/sockets.js"

const get = ApiRequest.get("/x")
const json = TestServer.json({ a: 1 })
const response = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n{"a":1}'

const passed = (millis: number): Effect.Effect<void> =>
  Effect.promise(() => {
    const start = performance.now()
    return until(() => performance.now() - start > millis)
  })

describe("a request that is rejected before it is written", () => {
  const refused = [
    { "transfer-encoding": "chunked" },
    { expect: "100-continue" },
    { a: "x\u0001" },
    { "a b": "c" }
  ]
  it.scopedLive.each(refused)("6.14 leaves its connection to the next request: %o", (headers) =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": json })
      const context = yield* Layer.build(transport())
      const client = yield* Effect.provide(HttpClient.HttpClient, context)
      const error = yield* Effect.flip(client.execute(HttpClientRequest.get(`${server.url}/x`, { headers })))
      expect(error).toMatchObject({ message: expect.stringMatching(/^Transport error/) })
      yield* settled
      expect((yield* client.get(`${server.url}/x`)).status).toBe(200)
      expect(yield* server.socketsSeen).toBe(1)
    })
  )
})

describe("kept connections", () => {
  const caps: ReadonlyArray<NodeTransport.Options> = [{}, { connections: 20 }]
  it.scopedLive.each(caps)("6.10 a GET costs one attempt, however many of them have died: %o", (options) =>
    Effect.gen(function* () {
      const served = new Set<Socket>()
      const waiting: Array<Socket> = []
      let isOld = false
      const { port } = yield* listening(() =>
        createServer((socket) => {
          socket.on("data", () => {
            if (served.has(socket)) return socket.resetAndDestroy()
            served.add(socket)
            if (isOld) return socket.write(response)
            waiting.push(socket)
            return waiting.length === 20 && waiting.forEach((each) => void each.write(response))
          })
        })
      )
      const client = yield* clientOf({ url: `http://127.0.0.1:${port}` }, { retry: once }, options)
      yield* Effect.all(
        Array.from({ length: 20 }, () => client.execute(get)),
        { concurrency: "unbounded" }
      )
      yield* settled
      isOld = true
      expect((yield* client.executeWithResponse(get)).attempts).toHaveLength(1)
    })
  )

  it.scopedLive("1.3 may stay for longer than a Node timer can wait", () =>
    Effect.gen(function* () {
      let sockets = 0
      const { port } = yield* listening(() =>
        createServer((socket) => {
          sockets++
          socket.on("data", () => socket.write(response))
        })
      )
      const keepAlive = Duration.days(30)
      const client = yield* clientOf({ url: `http://127.0.0.1:${port}` }, {}, { keepAlive })
      yield* client.execute(get)
      yield* passed(20)
      yield* client.execute(get)
      expect(sockets).toBe(1)
    })
  )

  it.scopedLive("6.14 one with unwritten bytes of a request carries no other request", () =>
    Effect.gen(function* () {
      const sockets = new Set<Socket>()
      const { port } = yield* listening(() =>
        createServer((socket) => {
          sockets.add(socket)
          socket.once("data", () => {
            if (sockets.size > 1) return socket.write(response)
            socket.pause()
            return socket.write("HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
          })
        })
      )
      const client = yield* clientOf({ url: `http://127.0.0.1:${port}` }, { retry: once })
      const large = ApiRequest.post("/x", { body: "x".repeat(16_000_000) })
      expect(yield* Effect.flip(client.execute(large))).toMatchObject({ status: 413 })
      yield* settled
      expect(yield* client.execute(ApiRequest.post("/x", { body: 1 }))).toEqual({ a: 1 })
      expect(sockets.size).toBe(2)
    })
  )

  it.scopedLive("5.3 an unread body costs no attempt if its connection dies first", () =>
    Effect.gen(function* () {
      const server = yield* rawServer((head) =>
        head.startsWith("GET")
          ? { parts: ["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"] }
          : { parts: [response] }
      )
      const client = yield* clientOf(server, { retry: once }, { pipelining: 2, connections: 1 })
      const bytes = ApiRequest.get("/x", { success: ResponseDecoder.stream() })
      const stream = yield* client.execute(bytes)
      const reader = yield* Effect.fork(Stream.runDrain(stream))
      let reads = 0
      const bodyStream = Stream.suspend(() => {
        reads++
        return Stream.make(new TextEncoder().encode("abc"))
      })
      const post = yield* Effect.fork(
        client.executeWithResponse(ApiRequest.post("/x", { bodyStream, success: ResponseDecoder.bytes }))
      )
      yield* settled
      yield* Fiber.interrupt(reader)
      expect((yield* Fiber.join(post)).attempts).toHaveLength(1)
      expect(reads).toBe(1)
    })
  )
})

describe("an expired timeout", () => {
  const waits = [{}, { acquireTimeout: "1 minute" }] as const
  it.scopedLive.each(waits)("7.3 names the pending second connection, with %o", (options) =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "GET /held": TestServer.never, "*": json })
      let lookups = 0
      const lookup: NodeTransport.Lookup = (_host, _options, done) => {
        if (++lookups === 1) done(null, "127.0.0.1")
      }
      const client = yield* clientOf(
        { url: server.url.replace("127.0.0.1", "api.test") },
        { retry: once },
        { lookup, proxy: "none", ...options }
      )
      yield* Effect.fork(client.execute(ApiRequest.get("/held")))
      yield* Effect.promise(() => until(() => lookups === 1))
      yield* server.awaitRequests(1)
      const impatient = client.withOptions({ timeouts: { connect: "50 millis" } })
      const error = yield* Effect.flip(impatient.execute(get))
      expect(error.message).toContain("the connect limit of 50ms passed")
    })
  )
})
