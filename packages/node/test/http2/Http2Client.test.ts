import { constants, createSecureServer, createServer, type ServerOptions } from "node:http2"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest } from "@effect-api/client"
import { Effect, Fiber } from "effect"
import { makeCertificates } from "../fixtures/certificates.js"
import { clientOf, listening, once } from "../fixtures/clients.js"
import { code, data, flag, goaway, headers, ok, reset, serving, type } from "../fixtures/frames.js"

const { ca, local } = makeCertificates()

const post = ApiRequest.post("/pay", { body: { a: 1 } })

/** A client with prior knowledge, its server, and the session of each request. */
const served = (options: ServerOptions = {}) =>
  Effect.gen(function* () {
    const sessionsSeen: Array<unknown> = []
    const { port } = yield* listening(() =>
      createServer(options).on("stream", (stream) => {
        sessionsSeen.push(stream.session)
        stream.respond({ ":status": 200, "content-type": "application/json" })
        stream.end('{"a":1}')
      })
    )
    const client = yield* clientOf(
      { url: `http://127.0.0.1:${port}` },
      { retry: once },
      { proxy: "none", allowH2: "prior-knowledge" }
    )
    return { client, sessionsSeen }
  })

describe("an origin that requires HTTP/1.1 for a request", () => {
  it.scopedLive("6.11 the request is replayed once, and HTTP/2 is no longer offered", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const { port } = yield* listening(() =>
        createSecureServer({ ...local, allowHTTP1: true }, (request, response) => {
          seen.push(request.httpVersion)
          if (request.httpVersion === "2.0") {
            response.stream.close(constants.NGHTTP2_HTTP_1_1_REQUIRED)
            return
          }
          response.setHeader("content-type", "application/json")
          response.end('{"paid":true}')
        })
      )
      const client = yield* clientOf(
        { url: `https://localhost:${port}` },
        { retry: once },
        { proxy: "none", tls: { ca: [ca] } }
      )
      for (let call = 0; call < 3; call++) expect(yield* client.execute(post)).toEqual({ paid: true })
      expect(seen).toEqual(["2.0", "1.1", "1.1", "1.1"])
    })
  )
})

describe("an origin that refuses a request whose response has begun", () => {
  const refusals = [
    ["REFUSED_STREAM", [reset(1, code.refused)]],
    ["HTTP_1_1_REQUIRED", [reset(1, code.http11)]],
    ["GOAWAY before the stream", [goaway(0, code.none), reset(1, code.cancel)]]
  ] as const

  it.scopedLive.each(refusals)(
    "6.11 it has processed the request, which is not repeated (%s)",
    ([, frames]) =>
      Effect.gen(function* () {
        const server = yield* serving()
        const client = yield* clientOf(
          { url: `http://127.0.0.1:${server.port}` },
          { retry: { maxRetries: 2, initialDelay: 0, retryUnsafe: "when-safe" } },
          { proxy: "none", allowH2: "prior-knowledge" }
        )
        const call = yield* Effect.fork(Effect.flip(client.execute(post)))
        const peer = yield* server.accept
        yield* Effect.promise(async () => {
          await peer.next(type.data, flag.end)
          await peer.arrived(headers(1, [...ok, ["content-type", "application/json"]]), data(1, "{"))
          peer.write(...frames)
        })
        expect(yield* Fiber.join(call)).toMatchObject({
          _tag: "ConnectionError",
          delivery: "maybe-applied",
          stoppedBy: "not-retryable"
        })
        expect(peer.of(type.headers)).toHaveLength(1)
      })
  )
})

describe("an origin that accepts small headers alone", () => {
  it.scopedLive("6.14 a request with larger ones is not sent, and the connection lives on", () =>
    Effect.gen(function* () {
      const { client, sessionsSeen } = yield* served({ settings: { maxHeaderListSize: 1000 } })
      expect(yield* client.execute(post)).toEqual({ a: 1 })
      const large = ApiRequest.post("/pay", { body: 1, headers: { "x-large": "a".repeat(1000) } })
      expect(yield* Effect.flip(client.execute(large))).toMatchObject({
        _tag: "InvalidRequestError",
        field: "headers",
        delivery: "not-sent"
      })
      expect(yield* client.execute(post)).toEqual({ a: 1 })
      expect([sessionsSeen.length, new Set(sessionsSeen).size]).toEqual([2, 1])
    })
  )
})

describe("an origin that accepts few requests per connection", () => {
  it.scopedLive("6.10 many calls succeed without a refusal on each new connection", () =>
    Effect.gen(function* () {
      const { port } = yield* listening(() =>
        createSecureServer({ ...local, settings: { maxConcurrentStreams: 2 } }).on("stream", (stream) => {
          stream.on("error", () => undefined)
          setTimeout(() => {
            if (stream.destroyed) return
            stream.respond({ ":status": 200, "content-type": "application/json" })
            stream.end('{"a":1}')
          }, 30)
        })
      )
      const client = yield* clientOf(
        { url: `https://localhost:${port}` },
        { retry: once },
        { proxy: "none", tls: { ca: [ca] } }
      )
      const calls = Array.from({ length: 60 }, () => client.execute(post))
      const values = yield* Effect.all(calls, { concurrency: "unbounded" })
      expect(values).toEqual(values.map(() => ({ a: 1 })))
    })
  )
})

describe("prior knowledge", () => {
  it.scopedLive("1.1 uses HTTP/2 without TLS, many calls on one connection", () =>
    Effect.gen(function* () {
      const { client, sessionsSeen } = yield* served()
      const calls = Array.from({ length: 50 }, () => client.execute(post))
      const values = yield* Effect.all(calls, { concurrency: "unbounded" })
      expect(values).toEqual(values.map(() => ({ a: 1 })))
      expect(new Set(sessionsSeen).size).toBe(1)
    })
  )
})
