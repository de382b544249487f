import { randomBytes } from "node:crypto"
import { createServer } from "node:http"
import { gzipSync } from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, ResponseDecoder } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Deferred, Effect, Fiber, Stream } from "effect"
import { listening, once, settled } from "../fixtures/clients.js"
import { interruptQueued } from "../fixtures/queues.js"
import { framed, rawServer } from "../fixtures/rawServer.js"
import { clientOn, majors, scoped } from "../fixtures/undici.js"

const ok = TestServer.json({ a: 1 })
const get = ApiRequest.get("/x")
const file = ApiRequest.get("/x", { success: ResponseDecoder.stream() })
const piece = new Uint8Array(64 * 1024)

describe.each(majors)("a dispatcher of %s", (_, undici) => {
  const agent = scoped(() => new undici.Agent())

  it.scopedLive("6.10 a dead kept-alive connection is replaced, uncounted", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "*": TestServer.sequence(ok.pipe(TestServer.closeOnReuse), ok)
      })
      const client = yield* clientOn(yield* agent, server)
      yield* Effect.zipLeft(client.execute(get), settled)
      const response = yield* client.executeWithResponse(get)
      expect(response.attempts).toHaveLength(1)
      expect((yield* server.exchanges).length).toBe(3)
    })
  )

  it.scopedLive("6.10 it stays open when its client closes", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": ok })
      const dispatcher = yield* agent
      const client = clientOn(dispatcher, server, {}, { decompress: false })
      yield* Effect.scoped(Effect.flatMap(client, (client) => client.execute(get)))
      expect(dispatcher.destroyed).toBe(false)
      expect((yield* server.requests)[0]?.headers["accept-encoding"]).toBeUndefined()
    })
  )

  it.scopedLive("6.1 a new connection that dies counts as an attempt", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": TestServer.sequence(TestServer.hangUp, ok) })
      const response = yield* (yield* clientOn(yield* agent, server)).executeWithResponse(get)
      expect(response.attempts.map(({ tag }) => tag)).toEqual(["ConnectionError", undefined])
    })
  )

  it.scopedLive.each([25, 50, 125])(
    "8.5 a coded body is decoded though the server closes after it (%s KiB)",
    (kib) =>
      Effect.gen(function* () {
        const text = randomBytes(kib * 1024).toString("hex")
        const parts = framed(gzipSync(text), "content-encoding: gzip\r\nconnection: close\r\n")
        const server = yield* rawServer(() => ({ parts, ending: "end" }))
        const client = yield* clientOn(yield* agent, server, { retry: once })
        expect(yield* client.execute(ApiRequest.get("/x", { success: ResponseDecoder.text }))).toBe(text)
      })
  )

  const limits: ReadonlyArray<readonly [string, TestServer.Reply]> = [
    ["response", TestServer.never],
    ["idle", TestServer.text("0123456789").pipe(TestServer.stallAfter(4))]
  ]
  it.scopedLive.each(limits)("3 the %s timeout ends a call and its socket", ([phase, reply]) =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": reply })
      const client = yield* clientOn(yield* agent, server, {
        retry: once,
        timeouts: { [phase]: "100 millis" }
      })
      expect(yield* Effect.flip(client.execute(get))).toMatchObject({ _tag: "TimeoutError", phase })
      expect(yield* server.awaitClosed(0)).toBe("client")
    })
  )

  it.scopedLive("9 an interruption ends a call and its socket", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "GET /x": TestServer.never,
        "GET /body": TestServer.text("0123456789").pipe(TestServer.stallAfter(4))
      })
      const client = yield* clientOn(yield* agent, server)
      const waiting = yield* Effect.fork(client.execute(get))
      yield* server.awaitExchange(0, () => true)
      yield* Fiber.interrupt(waiting)
      expect(yield* server.awaitClosed(0)).toBe("client")
      const stream = yield* client.execute(ApiRequest.get("/body", { success: ResponseDecoder.stream() }))
      const first = yield* Deferred.make<void>()
      const reading = yield* Effect.fork(Stream.runForEach(stream, () => Deferred.succeed(first, undefined)))
      yield* Deferred.await(first)
      yield* Fiber.interrupt(reading)
      expect(yield* server.awaitClosed(1)).toBe("client")
    })
  )

  it.scopedLive("9 a call interrupted in the queue is never sent", () =>
    Effect.gen(function* () {
      const sent = yield* interruptQueued((server) =>
        Effect.flatMap(
          scoped(() => new undici.Client(server.url)),
          (dispatcher) => clientOn(dispatcher, server)
        )
      )
      expect(sent).toEqual({ values: [{ a: 1 }, { a: 1 }], requests: 2 })
    })
  )

  it.scopedLive("10.6 a paused reader applies backpressure to the server", () =>
    Effect.gen(function* () {
      const pieces = 1024
      const server = yield* TestServer.make({
        "*": TestServer.chunks(function* () {
          for (let count = 0; count < pieces; count++) yield piece
        })
      })
      const stream = yield* (yield* clientOn(yield* agent, server)).execute(file)
      const gate = yield* Deferred.make<void>()
      const size = yield* Effect.fork(
        Stream.runFoldEffect(stream, 0, (size, bytes) =>
          Effect.as(size === 0 ? Deferred.await(gate) : Effect.void, size + bytes.length)
        )
      )
      yield* Effect.repeatN(settled, 100)
      const sent = (yield* server.exchanges)[0]?.bytesSent ?? 0
      expect(sent).toBeGreaterThan(0)
      expect(sent).toBeLessThan((pieces * piece.length) / 2)
      yield* Deferred.succeed(gate, undefined)
      expect(yield* Fiber.join(size)).toBe(pieces * piece.length)
    })
  )

  it.scopedLive("7.3 nothing was sent if the connection was refused", () =>
    Effect.gen(function* () {
      const url = yield* TestServer.refusedUrl
      const client = yield* clientOn(yield* agent, { url }, { retry: once })
      expect(yield* Effect.flip(client.execute(ApiRequest.post("/x")))).toMatchObject({
        _tag: "ConnectionError",
        kind: "refused",
        delivery: "not-sent"
      })
    })
  )

  it.scopedLive("7.1 a destroyed dispatcher is an invalid transport, without a retry", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": ok })
      const destroyed = yield* agent
      const client = yield* clientOn(destroyed, server)
      yield* Effect.promise(() => destroyed.destroy())
      const error = yield* Effect.flip(client.execute(get))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field: "transport", delivery: "not-sent" })
      expect(error.attempts).toHaveLength(1)
    })
  )

  it.scopedLive("6.15 interim responses are skipped", () =>
    Effect.gen(function* () {
      const { port } = yield* listening(() =>
        createServer((_, response) => {
          response.writeEarlyHints({ link: "</a>; rel=preload" })
          response.end('"late"')
        })
      )
      const client = yield* clientOn(yield* agent, { url: `http://127.0.0.1:${port}` })
      expect(yield* client.execute(ApiRequest.get("/x", { success: ResponseDecoder.text }))).toBe('"late"')
    })
  )
})
