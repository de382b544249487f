import { createServer } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import { type ApiConfig, type ApiError, ApiRequest, ResponseDecoder } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Duration, Effect, Exit, Fiber, Scope, Stream } from "effect"
import { clientOf, listening, once, settled } from "./fixtures/clients.js"

const ok = TestServer.json({ a: 1 })
const busy = TestServer.json({ error: { message: "busy" } }, { status: 503 })
const text = TestServer.json("0123456789")
const brief = Duration.millis(150)
const get = ApiRequest.get("/x")

const served = (handler: TestServer.Handler, options: Partial<ApiConfig.Options> = {}) =>
  Effect.gen(function* () {
    const server = yield* TestServer.make({ "*": handler })
    return { server, client: yield* clientOf(server, options) }
  })

const failing = (handler: TestServer.Handler, options: Partial<ApiConfig.Options> = {}) =>
  Effect.gen(function* () {
    const { client, server } = yield* served(handler, { retry: once, ...options })
    return { server, error: (yield* Effect.flip(client.execute(get))) as ApiError.ApiError }
  })

describe("retries", () => {
  const faults: ReadonlyArray<readonly [string, TestServer.Reply, string]> = [
    ["an error status", busy, "ServiceUnavailableError"],
    ["a reset before the headers", TestServer.reset, "ConnectionError"],
    ["a closed connection before the headers", TestServer.hangUp, "ConnectionError"],
    ["a reset within the body", text.pipe(TestServer.resetAfter(4)), "ConnectionError"],
    ["a truncated body", text.pipe(TestServer.truncateAfter(4)), "ConnectionError"],
    [
      "a truncated chunked body",
      TestServer.chunks(['"0123', '456"']).pipe(TestServer.truncateAfter(5)),
      "ConnectionError"
    ],
    ["a response that is not HTTP", TestServer.garbage, "ConnectionError"],
    ["a truncated head", TestServer.raw("HTTP/1.1 200 OK\r\ncontent-le"), "ConnectionError"]
  ]
  it.scopedLive.each(faults)("6.1 a call is retried after %s", ([, fault, tag]) =>
    Effect.gen(function* () {
      const { client, server } = yield* served(TestServer.sequence(fault, ok))
      const response = yield* client.executeWithResponse(get)
      expect(response.value).toEqual({ a: 1 })
      expect(response.attempts.map((attempt) => attempt.tag)).toEqual([tag, undefined])
      expect(yield* server.requestCount).toBe(2)
    })
  )
})

describe("failures", () => {
  const kinds: ReadonlyArray<readonly [string, TestServer.Reply, ReadonlyArray<string>]> = [
    ["a reset before the headers", TestServer.reset, ["reset"]],
    ["a closed connection", TestServer.hangUp, ["closed"]],
    ["a reset within the body", text.pipe(TestServer.resetAfter(4)), ["reset"]],
    ["a truncated body", text.pipe(TestServer.truncateAfter(4)), ["closed"]],
    ["a response that is not HTTP", TestServer.garbage, ["other"]]
  ]
  it.scopedLive.each(kinds)("7.3 the error names %s", ([, fault, expected]) =>
    Effect.gen(function* () {
      const { error } = yield* failing(fault)
      expect(error).toMatchObject({ _tag: "ConnectionError", delivery: "maybe-applied" })
      expect(expected).toContain((error as ApiError.ConnectionError).kind)
    })
  )

  it.scopedLive("7.3 a refused connection is named, and nothing was sent", () =>
    Effect.gen(function* () {
      const url = yield* TestServer.refusedUrl
      const client = yield* clientOf({ url }, { retry: once })
      expect(yield* Effect.flip(client.execute(get))).toMatchObject({
        _tag: "ConnectionError",
        kind: "refused",
        code: "ECONNREFUSED",
        delivery: "not-sent"
      })
    })
  )

  const limits: ReadonlyArray<readonly [string, TestServer.Reply, ApiConfig.Options["timeouts"]]> = [
    ["response", TestServer.never, { response: brief }],
    ["idle", text.pipe(TestServer.stallAfter(4)), { idle: brief }]
  ]
  it.scopedLive.each(limits)(
    "7.3 the %s timeout ends a call and closes its socket",
    ([phase, reply, timeouts]) =>
      Effect.gen(function* () {
        const { error, server } = yield* failing(reply, { timeouts })
        expect(error).toMatchObject({ _tag: "TimeoutError", phase, limit: brief })
        expect(yield* server.awaitClosed(0)).toBe("client")
      })
  )

  it.scopedLive(
    "7.3 the connect timeout ends a TLS handshake that never completes, and nothing was sent",
    () =>
      Effect.gen(function* () {
        const { port } = yield* listening(() => createServer(() => undefined))
        const client = yield* clientOf(
          { url: `https://127.0.0.1:${port}` },
          { retry: once, timeouts: { connect: brief } }
        )
        expect(yield* Effect.flip(client.execute(get))).toMatchObject({
          _tag: "TimeoutError",
          phase: "connect",
          limit: brief,
          delivery: "not-sent"
        })
      })
  )

  it.scopedLive("7.3 excess bytes after a body do not reach the next call", () =>
    Effect.gen(function* () {
      const { client } = yield* served(TestServer.sequence(text.pipe(TestServer.contentLength(4)), ok))
      const first = yield* client.execute(ApiRequest.get("/x", { success: ResponseDecoder.text }))
      expect(first).toBe('"012')
      expect(yield* client.execute(get)).toEqual({ a: 1 })
    })
  )

  it.scopedLive("7.1 a stalled body does not hide the status", () =>
    Effect.gen(function* () {
      const { error } = yield* failing(busy.pipe(TestServer.stallAfter(3)), { timeouts: { idle: brief } })
      expect(error).toMatchObject({ _tag: "ServiceUnavailableError", status: 503 })
    })
  )

  it.scopedLive("7.1 a large error body is truncated to the limit and its connection is closed", () =>
    Effect.gen(function* () {
      const big = TestServer.text("x".repeat(1024 * 1024), { status: 503 })
      const { error, server } = yield* failing(big, { limits: { errorBytes: 1000 } })
      expect((error as ApiError.ServiceUnavailableError).body).toBe("x".repeat(1000))
      expect(yield* server.awaitClosed(0)).toBe("client")
    })
  )

  it.scopedLive("1.3 a body above the limit is rejected", () =>
    Effect.gen(function* () {
      const { error, server } = yield* failing(TestServer.json("x".repeat(100_000)), {
        limits: { responseBytes: 1000 }
      })
      expect(error).toMatchObject({ _tag: "ResponseValidationError", reason: "is larger than 1000 bytes" })
      expect(yield* server.awaitClosed(0)).toBe("client")
    })
  )

  it.scopedLive.each([
    ["before the headers", TestServer.never],
    ["within the body", text.pipe(TestServer.stallAfter(4))]
  ] as const)("10.7 interruption %s closes the socket", ([, reply]) =>
    Effect.gen(function* () {
      const { client, server } = yield* served(reply)
      const fiber = yield* Effect.fork(client.execute(get))
      yield* server.awaitExchange(0, ({ bytesSent }) => reply === TestServer.never || bytesSent >= 4)
      yield* Fiber.interrupt(fiber)
      expect(yield* server.awaitClosed(0)).toBe("client")
    })
  )
})

describe("connections", () => {
  it.scopedLive("6.8 two hundred calls with retries leave no socket open after the layer closes", () =>
    Effect.gen(function* () {
      const seen = new Set<string>()
      const server = yield* TestServer.make({
        "GET /{id}": ({ params }) => {
          const id = params["id"] ?? ""
          if (seen.has(id)) return ok
          seen.add(id)
          return [busy, TestServer.reset, text.pipe(TestServer.truncateAfter(4))][seen.size % 3] ?? busy
        }
      })
      const scope = yield* Scope.make()
      const client = yield* Scope.extend(
        clientOf(server, { retry: { initialDelay: 0, budget: false } }),
        scope
      )
      const ids = Array.from({ length: 200 }, (_, id) => id)
      const values = yield* Effect.forEach(
        ids,
        (id) => client.execute(ApiRequest.get("/{id}", { path: { id } })),
        {
          concurrency: "unbounded"
        }
      )
      expect(values).toHaveLength(200)
      yield* Scope.close(scope, Exit.void)
      expect(yield* server.awaitOpenSockets((open) => open === 0)).toBe(0)
      expect(yield* server.requestCount).toBe(400)
    })
  )

  it.scopedLive("6.8 sequential calls share a socket", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served(TestServer.sequence(ok, busy, TestServer.empty(204), ok))
      for (let call = 0; call < 10; call++) yield* Effect.zipRight(settled, client.execute(get))
      expect(yield* server.socketsSeen).toBe(1)
    })
  )

  const stale: ReadonlyArray<readonly [string, (reply: TestServer.Reply) => TestServer.Reply]> = [
    ["closes", TestServer.closeOnReuse],
    ["resets", TestServer.resetOnReuse]
  ]
  it.scopedLive.each(stale)(
    "6.10 a GET is replayed for free if the server %s a kept-alive socket",
    ([, kill]) =>
      Effect.gen(function* () {
        const { client, server } = yield* served(TestServer.sequence(kill(ok), ok))
        yield* Effect.zipLeft(client.execute(get), settled)
        const response = yield* client.executeWithResponse(get)
        expect(response.attempts).toHaveLength(1)
        expect((yield* server.exchanges).length).toBe(3)
        expect(yield* server.requestCount).toBe(2)
      })
  )

  it.scopedLive.each(stale)("6.10 so is a PUT with a body if the server %s it", ([, kill]) =>
    Effect.gen(function* () {
      const { client, server } = yield* served(TestServer.sequence(kill(ok), ok))
      yield* Effect.zipLeft(client.execute(get), settled)
      const response = yield* client.executeWithResponse(ApiRequest.put("/x", { body: { b: 2 } }))
      expect(response.attempts).toHaveLength(1)
      expect((yield* server.requests)[1]?.json).toEqual({ b: 2 })
    })
  )

  it.scopedLive.each(stale)("6.10 a POST is not replayed if the server %s it", ([, kill]) =>
    Effect.gen(function* () {
      const { client } = yield* served(TestServer.sequence(kill(ok), ok), { retry: once })
      yield* Effect.zipLeft(client.execute(get), settled)
      expect(yield* Effect.flip(client.execute(ApiRequest.post("/x", { body: 1 })))).toMatchObject({
        _tag: "ConnectionError",
        delivery: "maybe-applied"
      })
    })
  )

  it.scopedLive.each(stale)("6.10 a streaming GET is replayed for free if the server %s it", ([, kill]) =>
    Effect.gen(function* () {
      const { client, server } = yield* served(TestServer.sequence(kill(ok), ok), { retry: once })
      yield* Effect.zipLeft(client.execute(get), settled)
      const stream = yield* client.execute(ApiRequest.get("/x", { success: ResponseDecoder.stream() }))
      expect(yield* Stream.mkString(Stream.decodeText(stream))).toBe('{"a":1}')
      expect((yield* server.exchanges).length).toBe(3)
    })
  )

  const alive: ReadonlyArray<readonly [string, TestServer.Reply, string]> = [
    ["sends no response", TestServer.never, "TimeoutError"],
    ["sends a response that is not HTTP", TestServer.garbage, "ConnectionError"]
  ]
  it.scopedLive.each(alive)("6.10 a GET is not replayed if the server %s", ([, reply, tag]) =>
    Effect.gen(function* () {
      const { client, server } = yield* served(TestServer.sequence(ok, reply), { retry: once })
      yield* Effect.zipLeft(client.execute(get), settled)
      const impatient = client.withOptions({ timeouts: { response: brief } })
      expect(yield* Effect.flip(impatient.execute(get))).toMatchObject({ _tag: tag })
      yield* server.awaitRequests(2)
      expect([yield* server.requestCount, yield* server.socketsSeen]).toEqual([2, 1])
    })
  )

  it.scopedLive("6.10 a new socket that dies counts as an attempt", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served(TestServer.sequence(TestServer.hangUp, ok))
      const response = yield* client.executeWithResponse(get)
      expect(response.attempts).toHaveLength(2)
      expect((yield* server.exchanges).length).toBe(2)
    })
  )
})

describe("interim responses", () => {
  /** Sends interim responses repeatedly, and never a final one. */
  const interim = Effect.map(
    listening(() =>
      createServer((socket) => {
        const timer = setInterval(() => socket.write("HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"), 5)
        socket.on("close", () => clearInterval(timer))
        socket.resume()
      })
    ),
    ({ port }) => ({ url: `http://127.0.0.1:${port}` })
  )

  it.scopedLive.each([Duration.millis(200), Duration.millis(5_100)])(
    "6.15 interim responses do not extend a response timeout of %s",
    (limit) =>
      Effect.gen(function* () {
        const client = yield* clientOf(yield* interim, { retry: once, timeouts: { response: limit } })
        expect(yield* Effect.flip(client.execute(get))).toMatchObject({
          _tag: "TimeoutError",
          phase: "response",
          limit
        })
      })
  )
})
