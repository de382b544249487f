import { createSecureServer } from "node:http2"
import * as zlib from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import { type ApiError, ApiRequest, ResponseDecoder } from "@effect-api/client"
import { NodeTransport } from "@effect-api/node"
import { TestServer } from "@effect-api/testing"
import { Cause, Effect, Exit, type Scope, Stream } from "effect"
import type * as undici7 from "undici"
import { makeCertificates } from "../fixtures/certificates.js"
import { listening, once, settled } from "../fixtures/clients.js"
import { httpProxy } from "../fixtures/proxies.js"
import { clientOn, majors, scoped, type Undici } from "../fixtures/undici.js"

const ok = TestServer.json({ a: 1 })
const get = ApiRequest.get("/x")
const file = ApiRequest.get("/x", { success: ResponseDecoder.stream() })
const piece = new Uint8Array(64 * 1024)

type Make = (undici: Undici, url: string) => Effect.Effect<NodeTransport.Dispatcher, never, Scope.Scope>

/** The types of the two versions differ in composed interceptors. */
const composed = (undici: Undici): typeof undici7 => undici as typeof undici7

/** The URL of a proxy that tunnels. */
const tunnel = Effect.map(httpProxy(), ({ port }) => `http://127.0.0.1:${port}`)

const kinds: ReadonlyArray<readonly [kind: string, make: Make]> = [
  ["an Agent", (undici) => scoped(() => new undici.Agent())],
  ["a Pool", (undici, url) => scoped(() => new undici.Pool(url))],
  ["a Client", (undici, url) => scoped(() => new undici.Client(url))],
  ["a BalancedPool", (undici, url) => scoped(() => new undici.BalancedPool(url))],
  [
    "a RetryAgent",
    (undici) => scoped(() => new (composed(undici).RetryAgent)(new (composed(undici).Agent)()))
  ],
  [
    "a ProxyAgent",
    (undici) =>
      Effect.flatMap(tunnel, (uri) => scoped(() => new undici.ProxyAgent({ uri, proxyTunnel: true })))
  ],
  ["an EnvHttpProxyAgent", (undici) => scoped(() => new undici.EnvHttpProxyAgent())],
  ["a MockAgent that allows connections", (undici) => scoped(() => new (composed(undici).MockAgent)())],
  [
    "interceptors",
    (undici) =>
      Effect.map(
        scoped(() => new (composed(undici).Agent)()),
        (agent) => {
          const { dns, redirect, responseError, retry } = composed(undici).interceptors
          return agent.compose(retry(), redirect({ maxRedirections: 1 }), dns(), responseError())
        }
      )
  ]
]

const cases = majors.flatMap(([major, undici]) =>
  kinds.map(([kind, make]) => [`${kind} of ${major}`, undici, make] as const)
)

const echo = TestServer.streaming((request, body) =>
  Effect.map(
    Stream.runFold(body, 0, (size, bytes) => size + bytes.length),
    (size) => TestServer.json({ size, length: request.headers["content-length"] ?? null })
  )
)

describe("supported dispatchers", () => {
  it.scopedLive.each(cases)("8.2 %s: values, bodies, headers and streams", ([, undici, make]) =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "GET /x": TestServer.json(
          { a: 1 },
          { headers: { "set-cookie": ["a=1", "b=2; Path=/"], "x-more": ["1", "2"] } }
        ),
        "POST /x": echo,
        "GET /large": TestServer.chunks(function* () {
          for (let count = 0; count < 64; count++) yield piece
        })
      })
      const dispatcher = yield* make(undici, server.url)
      const client = yield* clientOn(dispatcher, server)
      const response = yield* client.executeWithResponse(get)
      expect(response.value).toEqual({ a: 1 })
      expect(response.headers).toMatchObject({ "x-more": "1, 2", "set-cookie": "a=1, b=2; Path=/" })
      const { cookies } = yield* NodeTransport.fromDispatcher(dispatcher).get(`${server.url}/x`)
      expect(cookies.cookies).toMatchObject({ a: { value: "1" }, b: { value: "2" } })
      expect(yield* client.execute(ApiRequest.post("/x", { body: { a: "é" } }))).toEqual({
        size: 10,
        length: "10"
      })
      const stream = Stream.fromIterable([piece, piece, piece])
      expect(yield* client.execute(ApiRequest.post("/x", { bodyStream: stream }))).toEqual({
        size: 3 * piece.length,
        length: null
      })
      const large = yield* client.execute(ApiRequest.get("/large", { success: ResponseDecoder.stream() }))
      const slow = Stream.tap(large, () => settled)
      expect(yield* Stream.runFold(slow, 0, (size, bytes) => size + bytes.length)).toBe(64 * piece.length)
    })
  )
})

describe.each(majors)("a dispatcher of %s", (_, undici) => {
  it.scopedLive("8.2 the headers that an interceptor returns take precedence", () =>
    Effect.gen(function* () {
      const coded = TestServer.bytes(zlib.gzipSync('{"a":1}'), {
        headers: { "content-type": "application/json", "content-encoding": "gzip" }
      })
      const server = yield* TestServer.make({ "*": coded })
      const agent = yield* scoped(() => new (composed(undici).Agent)())
      const inflating = agent.compose(composed(undici).interceptors.decompress({ skipErrorResponses: false }))
      const client = yield* clientOn(inflating, server)
      expect(yield* client.execute(get)).toEqual({ a: 1 })
      expect(yield* Effect.flatMap(client.execute(file), Stream.runCount)).toBeGreaterThan(0)
    })
  )

  it.scopedLive("6.1 a request that an interceptor repeats is one attempt", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "*": TestServer.sequence(TestServer.hangUp, TestServer.empty(503), ok)
      })
      const agent = yield* scoped(() => new (composed(undici).Agent)())
      const retrying = agent.compose(composed(undici).interceptors.retry({ minTimeout: 0, timeoutFactor: 1 }))
      const response = yield* (yield* clientOn(retrying, server)).executeWithResponse(get)
      expect(response.attempts).toHaveLength(1)
      expect(yield* server.requestCount).toBe(3)
    })
  )

  it.scopedLive("8.2 a MockAgent responds", () =>
    Effect.gen(function* () {
      const url = "http://api.test"
      const mock = yield* scoped(() => new (composed(undici).MockAgent)())
      mock.disableNetConnect()
      const client = yield* clientOn(mock, { url }, { retry: once })
      const pool = mock.get(url)
      pool
        .intercept({ path: "/x", method: "POST", body: (body) => body.length > 0 })
        .reply(
          201,
          { a: 1 },
          { headers: { "content-type": "application/json", "set-cookie": ["a=1", "b=2"] } }
        )
      const response = yield* client.executeWithResponse(ApiRequest.post("/x", { body: { b: 2 } }))
      expect(response).toMatchObject({ status: 201, value: { a: 1 } })
      expect(response.headers["set-cookie"]).toBe("a=1, b=2")
      pool.intercept({ path: "/x" }).reply(200, '{"a":1}').delay(5)
      expect(yield* client.execute(ApiRequest.get("/x", { success: ResponseDecoder.text }))).toBe('{"a":1}')
      pool.intercept({ path: "/x" }).reply(404, "")
      expect(yield* Effect.flip(client.execute(get))).toMatchObject({ _tag: "NotFoundError", status: 404 })
      pool
        .intercept({ path: "/x", method: "POST" })
        .replyWithError(Object.assign(new Error("gone"), { code: "ECONNRESET" }))
      const broken = yield* Effect.flip(client.execute(ApiRequest.post("/x")))
      expect(broken).toMatchObject({ _tag: "ConnectionError", kind: "reset" })
      const unknown = yield* Effect.flip(client.execute(ApiRequest.post("/unknown")))
      expect(unknown.message).toMatch(/not matched/i)
    })
  )

  const { ca, local } = makeCertificates()
  it.scopedLive("8.2 over HTTP/2", () =>
    Effect.gen(function* () {
      const { port } = yield* listening(() =>
        createSecureServer({ ...local, allowHTTP1: false }, (request, response) => {
          response.writeHead(200, { "content-type": "application/json", "set-cookie": ["a=1", "b=2"] })
          request.resume().on("end", () => response.end(JSON.stringify({ version: request.httpVersion })))
        })
      )
      const agent = yield* scoped(() => new undici.Agent({ allowH2: true, connect: { ca } }))
      const client = yield* clientOn(agent, { url: `https://127.0.0.1:${port}` })
      const response = yield* client.executeWithResponse(ApiRequest.post("/x", { body: { a: 1 } }))
      expect(response.value).toEqual({ version: "2.0" })
      expect(response.headers["set-cookie"]).toBe("a=1, b=2")
    })
  )
})

describe("a custom dispatcher", () => {
  interface Handler {
    readonly onRequestStart: (controller: object, context: object) => void
    readonly onResponseStart: (controller: object, status: number, headers: object) => void
    readonly onResponseData: (controller: object, chunk: unknown) => void
    readonly onResponseEnd: (controller: object, trailers: object) => void
    readonly onResponseError: (controller: object | null, cause: unknown) => void
  }
  const controller = { abort: () => undefined, pause: () => undefined, resume: () => undefined }
  const respondingWith = (run: (handler: Handler) => void): NodeTransport.Dispatcher => ({
    dispatch: (_, handler) => {
      run(handler as Handler)
      return true
    }
  })
  const server = { url: "http://api.test" }

  it.scopedLive("8.2 needs no more than `dispatch`", () =>
    Effect.gen(function* () {
      const dispatcher = respondingWith((handler) => {
        handler.onRequestStart(controller, {})
        handler.onResponseStart(controller, 200, { "content-type": "application/json" })
        handler.onResponseData(controller, Buffer.from('{"a":1}'))
        handler.onResponseEnd(controller, {})
      })
      expect(yield* (yield* clientOn(dispatcher, server)).execute(get)).toEqual({ a: 1 })
    })
  )

  it("1.2 is rejected without a `dispatch` method", () => {
    expect(() => NodeTransport.fromDispatcher({} as NodeTransport.Dispatcher)).toThrow(/FetchTransport/)
  })

  const wrong: ReadonlyArray<readonly [string, (handler: Handler) => void]> = [
    ["within the body", (handler) => handler.onResponseData(controller, null)],
    [
      "at its end",
      (handler) => {
        handler.onResponseData(controller, "no bytes")
        handler.onResponseEnd(controller, {})
      }
    ]
  ]
  it.scopedLive.each(wrong)(
    "7.3 an exception in the transport is a defect, not a connection failure: %s",
    ([, run]) =>
      Effect.gen(function* () {
        const dispatcher = respondingWith((handler) => {
          handler.onRequestStart(controller, {})
          run(handler)
        })
        const exit = yield* Effect.exit((yield* clientOn(dispatcher, server, { retry: once })).execute(get))
        expect(Exit.isFailure(exit) && Cause.isDie(exit.cause)).toBe(true)
        expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toBeInstanceOf(TypeError)
      })
  )

  it.scopedLive("7.3 an exception in a streaming body is a defect, too", () =>
    Effect.gen(function* () {
      const dispatcher = respondingWith((handler) => {
        handler.onRequestStart(controller, {})
        handler.onResponseStart(controller, 200, { "content-type": "application/octet-stream" })
        handler.onResponseData(controller, null)
      })
      const request = ApiRequest.get("/x", { success: ResponseDecoder.stream() })
      const client = yield* clientOn(dispatcher, server, { retry: once })
      const exit = yield* Effect.exit(Effect.flatMap(client.execute(request), Stream.runDrain))
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toBeInstanceOf(TypeError)
    })
  )

  it.scopedLive("7.3 a dispatcher that throws has sent nothing", () =>
    Effect.gen(function* () {
      const dispatcher = {
        dispatch: () => {
          throw Object.assign(new Error("no"), { code: "E_NO" })
        }
      }
      const error: ApiError.ApiError = yield* Effect.flip((yield* clientOn(dispatcher, server)).execute(get))
      expect(error).toMatchObject({ _tag: "ConnectionError", code: "E_NO", delivery: "not-sent" })
    })
  )
})
