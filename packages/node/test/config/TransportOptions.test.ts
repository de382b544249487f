import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { type ApiClient, ApiRequest } from "@effect-api/client"
import { NodeTransport } from "@effect-api/node"
import { TestServer } from "@effect-api/testing"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { clientOf, listening, once, settled } from "../fixtures/clients.js"
import { interruptQueued } from "../fixtures/queues.js"

const ok = TestServer.json({ a: 1 })
const get = ApiRequest.get("/x")

describe("invalid options", () => {
  const bad: ReadonlyArray<readonly [string, NodeTransport.Options]> = [
    ["connections", { connections: 0 }],
    ["connections", { connections: 1.5 }],
    ["connections", { connections: Number.NaN }],
    ["connections", { connections: Number.POSITIVE_INFINITY }],
    ["keepAliveConnections", { keepAliveConnections: -1 }],
    ["pipelining", { pipelining: 0 }],
    ["keepAlive", { keepAlive: 0 }],
    ["keepAlive", { keepAlive: Number.NaN }],
    ["keepAlive", { keepAlive: "nonsense" as "1 second" }],
    ["keepAlive", { keepAlive: Number.POSITIVE_INFINITY }],
    ["tcpKeepAlive", { tcpKeepAlive: -5 }],
    ["timeouts.connect", { timeouts: { connect: 0 } }],
    ["timeouts.idle", { timeouts: { idle: -1 } }],
    ["proxy.url", { proxy: { url: "not a url" } }],
    ["proxy.url", { proxy: { url: "" } }]
  ]
  const untyped: ReadonlyArray<readonly [string, unknown]> = [
    ["options", null],
    ["options", 5],
    ["options", []],
    ["connections", { connections: "10" }],
    ["allowH2", { allowH2: "false" }],
    ["lookup", { lookup: "8.8.8.8" }],
    ["socketPath", { socketPath: 80 }],
    ["socketPath", { socketPath: "" }],
    ["decompress", { decompress: "no" }],
    ["graceful", { graceful: 1 }],
    ["timeouts", { timeouts: 5_000 }],
    ["tls", { tls: null }],
    ["tls", { tls: "none" }],
    ["tls.ca", { tls: { ca: null } }],
    ["tls.ca", { tls: { ca: [5] } }],
    ["tls.verify", { tls: { verify: "false" } }],
    ["tls.serverName", { tls: { serverName: "" } }],
    ["proxy", { proxy: null }],
    ["proxy.tls", { proxy: { url: "https://proxy.test", tls: true } }],
    ["proxy.tls.verify", { proxy: { url: "https://proxy.test", tls: { verify: 0 } } }]
  ]
  it.scoped.each(untyped)("1.5 an option of another type is rejected by name: %s", ([key, options]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(NodeTransport.make(options as NodeTransport.Options))
      expect(error).toMatchObject({ _tag: "InvalidConfigError", key })
    })
  )

  it.scoped.each(bad)("1.2 an invalid value is rejected by name: %s", ([key, options]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(NodeTransport.make(options))
      expect(error).toMatchObject({ _tag: "InvalidConfigError", key })
    })
  )
})

describe("a Unix socket", () => {
  it.scopedLive.each([{}, { proxy: "environment" }] as const)("1.1 it is used whatever the host", (more) =>
    Effect.gen(function* () {
      const path = join(tmpdir(), `effect-api-${process.pid}-${Math.random().toString(36).slice(2)}.sock`)
      const hosts: Array<string | undefined> = []
      yield* listening(
        () =>
          createServer((request, response) => {
            hosts.push(request.headers.host)
            response.setHeader("content-type", "application/json")
            response.end('"unix"')
          }),
        path
      )
      const client = yield* clientOf({ url: "http://api.test" }, {}, { socketPath: path, ...more })
      expect(yield* client.execute(get)).toBe("unix")
      expect(hosts).toEqual(["api.test"])
    })
  )
})

describe("closing the layer", () => {
  /** A client with a call in flight, and the scope of its transport. */
  const underWay = (options: NodeTransport.Options) =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const server = yield* TestServer.make({ "*": Effect.as(Deferred.await(gate), ok) })
      const scope = yield* Scope.make()
      const client = yield* Scope.extend(clientOf(server, { retry: once }, options), scope)
      const call = yield* Effect.fork(Effect.exit(client.execute(get)))
      yield* server.awaitExchange(0, () => true)
      return { server, call, gate, close: Scope.close(scope, Exit.void), client }
    })

  it.scopedLive("9 aborts requests in flight", () =>
    Effect.gen(function* () {
      const { call, client, close, server } = yield* underWay({})
      yield* close
      const exit = yield* Fiber.join(call)
      expect(yield* Effect.flip(exit)).toMatchObject({ _tag: "ConnectionError", kind: "closed" })
      expect(yield* server.awaitClosed(0)).toBe("client")
      expect(yield* Effect.flip(client.execute(get))).toMatchObject({
        _tag: "InvalidRequestError",
        field: "transport",
        delivery: "not-sent"
      })
    })
  )

  it.scopedLive("9 waits for requests in flight with graceful: true", () =>
    Effect.gen(function* () {
      const { call, close, gate, server } = yield* underWay({ graceful: true })
      const closing = yield* Effect.fork(close)
      yield* settled
      yield* Deferred.succeed(gate, undefined)
      expect(yield* Effect.flatten(Fiber.join(call))).toEqual({ a: 1 })
      yield* Fiber.join(closing)
      expect(yield* server.awaitOpenSockets((open) => open === 0)).toBe(0)
    })
  )
})

describe("the pool", () => {
  const burst = (count: number, client: ApiClient.ApiClient) =>
    Effect.all(
      Array.from({ length: count }, () => client.execute(get)),
      { concurrency: "unbounded" }
    )

  it.scopedLive("9 closes idle connections above keepAliveConnections", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": ok })
      const client = yield* clientOf(server, {}, { keepAliveConnections: 5, keepAlive: "1 minute" })
      yield* burst(20, client)
      expect(yield* server.awaitOpenSockets((open) => open <= 5)).toBeLessThanOrEqual(5)
      yield* client.execute(get)
    })
  )

  it.scopedLive("9 reuses connections above keepAliveConnections while they are busy", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": ok })
      const client = yield* clientOf(server, {}, { keepAliveConnections: 5 })
      const worker = Effect.repeatN(client.execute(get), 9)
      yield* Effect.all(
        Array.from({ length: 20 }, () => worker),
        { concurrency: "unbounded" }
      )
      // Without reuse there would be 200. A stalled event loop may let some reach their idle timeout.
      expect(yield* server.socketsSeen).toBeLessThan(100)
    })
  )

  it.scopedLive("9 opens no more than `connections`", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": ok })
      const client = yield* clientOf(server, {}, { connections: 3 })
      expect(yield* burst(40, client)).toHaveLength(40)
      expect(yield* server.socketsSeen).toBeLessThanOrEqual(3)
    })
  )

  it.scopedLive("9 acquireTimeout limits the wait for a connection instead of timeouts.connect", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const server = yield* TestServer.make({ "*": Effect.as(Deferred.await(gate), ok) })
      const options = { connections: 1, acquireTimeout: "10 seconds" } as const
      const client = yield* clientOf(server, { retry: once }, options)
      const first = yield* Effect.fork(client.execute(get))
      yield* server.awaitExchange(0, () => true)
      const connect = "20 millis"
      const second = yield* Effect.fork(client.withOptions({ timeouts: { connect } }).execute(get))
      yield* Effect.sleep("50 millis")
      yield* Deferred.succeed(gate, undefined)
      expect(yield* Fiber.join(first)).toEqual({ a: 1 })
      expect(yield* Fiber.join(second)).toEqual({ a: 1 })
      expect(yield* server.socketsSeen).toBe(1)
    })
  )

  it.scopedLive("9 never sends a call that was interrupted in the queue", () =>
    Effect.gen(function* () {
      const sent = yield* interruptQueued((server) => clientOf(server, {}, { connections: 1 }))
      expect(sent).toEqual({ values: [{ a: 1 }, { a: 1 }], requests: 2 })
    })
  )
})
