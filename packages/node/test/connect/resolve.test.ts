import { createServer, type Socket } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, type Scope } from "effect"
import type { Lookup } from "../../src/config/TransportOptions.js"
import { tcp } from "../../src/connect/tcp.js"
import { socks5Tunnel } from "../../src/proxy/socks5.js"
import { listening } from "../fixtures/clients.js"
import { socksProxy } from "../fixtures/proxies.js"
import { activeSockets, activeSocketsNow, finds, until } from "../fixtures/sockets.js"
import { type Failure, outcome, socketTo } from "../fixtures/tunnels.js"

/** Connects to `api.test` with a lookup and returns the address that was reached. */
type Way = (lookup: Lookup, port: number) => Effect.Effect<string, Failure, Scope.Scope>

const directly: Way = (lookup, port) =>
  Effect.map(
    outcome((listener) => tcp({ host: "api.test", port }, { tcpKeepAlive: 60_000, lookup }, listener)),
    (socket) => {
      const { remoteAddress } = socket as Socket
      socket.destroy()
      return String(remoteAddress)
    }
  )

const throughSocks5: Way = (lookup, port) =>
  Effect.gen(function* () {
    const { port: proxyPort, seen } = yield* socksProxy()
    const socket = yield* socketTo(proxyPort)
    const proxy = { kind: "socks5", host: "127.0.0.1", port: proxyPort } as const
    const to = { host: "api.test", port }
    const made = outcome((listener) => socks5Tunnel(socket, proxy, to, listener, lookup))
    // A failure has destroyed the socket by now, and an interruption too.
    yield* Effect.onError(made, () => Effect.sync(() => expect(socket.destroyed).toBe(true)))
    socket.destroy()
    return String(seen[0]?.split(" ")[1]?.replace(`:${port}`, ""))
  })

const counting = Effect.gen(function* () {
  const counted = { accepted: 0, open: 0 }
  const { port } = yield* listening(() =>
    createServer((socket) => {
      counted.accepted++
      counted.open++
      socket.on("close", () => counted.open--).resume()
    })
  )
  return { port, counted }
})

const ways: ReadonlyArray<readonly [string, Way]> = [
  ["directly", directly],
  ["through a socks5 proxy", throughSocks5]
]

describe.each(ways)("a lookup %s", (_, connect) => {
  const failsWith =
    (error: Error): Lookup =>
    (_host, _options, callback) =>
      setImmediate(() => callback(error, []))

  const failures: ReadonlyArray<readonly [string, Lookup, object]> = [
    [
      "a failure of the system's lookup",
      failsWith(
        Object.assign(new Error("getaddrinfo ENOTFOUND api.test"), {
          code: "ENOTFOUND",
          syscall: "getaddrinfo"
        })
      ),
      { message: "getaddrinfo ENOTFOUND api.test", code: "ENOTFOUND", syscall: "getaddrinfo" }
    ],
    [
      "a failure of c-ares",
      failsWith(
        Object.assign(new Error("queryA ESERVFAIL api.test"), { code: "ESERVFAIL", syscall: "queryA" })
      ),
      { code: "ESERVFAIL", syscall: "queryA" }
    ],
    [
      "a failure without a code",
      failsWith(new Error("no")),
      { message: "api.test did not resolve: no", code: "ENOTFOUND" }
    ],
    [
      "a failure because the network is down",
      failsWith(
        Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED", syscall: "connect" })
      ),
      { message: "api.test did not resolve: connect ECONNREFUSED", syscall: "getaddrinfo" }
    ],
    [
      "an empty result",
      finds(),
      { message: "api.test did not resolve: it has no address", code: "ENOTFOUND" }
    ],
    [
      "an exception",
      () => {
        throw new Error("thrown")
      },
      { message: "api.test did not resolve: thrown", code: "ENOTFOUND", syscall: "getaddrinfo" }
    ],
    [
      "a synchronous failure",
      (_host, _options, callback) => callback(new Error("at once"), []),
      { message: "api.test did not resolve: at once" }
    ],
    [
      "a result without addresses",
      (_host, _options, callback) => callback(null, "elsewhere.test"),
      { code: "ENOTFOUND" }
    ]
  ]
  it.scopedLive.each(failures)("7.3 is reported as a dns failure: %s", ([, lookup, told]) =>
    Effect.gen(function* () {
      expect(yield* Effect.flip(connect(lookup, 443))).toMatchObject(told)
    })
  )

  const successes: ReadonlyArray<readonly [string, Lookup]> = [
    ["synchronously", (_host, _options, callback) => callback(null, [{ address: "127.0.0.1", family: 4 }])],
    ["as text", (_host, _options, callback) => setImmediate(() => callback(null, "127.0.0.1"))],
    ["among others", (_host, _options, callback) => callback(null, ["x", "127.0.0.1"] as never)],
    [
      "twice",
      (host, options, callback) => {
        finds("127.0.0.1")(host, options, callback)
        finds("127.0.0.1")(host, options, callback)
      }
    ]
  ]
  it.scopedLive.each(successes)("8.6 may return its addresses %s", ([, lookup]) =>
    Effect.gen(function* () {
      const { counted, port } = yield* counting
      const names: Array<unknown> = []
      const named: Lookup = (host, options, callback) => {
        names.push(host, options)
        lookup(host, options, callback)
      }
      expect(yield* connect(named, port)).toBe("127.0.0.1")
      expect(names).toEqual(["api.test", { all: true }])
      yield* Effect.promise(() => until(() => counted.accepted === 1 && counted.open === 0))
    })
  )

  const addresses = ["127.0.0.1", "127.0.0.2"].map((address) => ({ address, family: 4 }))
  const several: ReadonlyArray<readonly [string, Lookup]> = [
    [
      "calls back and throws",
      (_host, _options, callback) => {
        callback(null, addresses)
        throw new Error("both")
      }
    ],
    [
      "calls back twice and throws",
      (_host, _options, callback) => {
        callback(null, addresses)
        callback(null, addresses)
        throw new Error("both")
      }
    ],
    [
      "calls back soon and throws",
      (_host, _options, callback) => {
        process.nextTick(callback, null, addresses)
        throw new Error("both")
      }
    ],
    [
      "fails, calls back and throws",
      (_host, _options, callback) => {
        callback(new Error("both"), [])
        callback(null, addresses)
        throw new Error("neither")
      }
    ]
  ]
  it.scopedLive.each(several)("6.16 that %s has failed, and leaves no socket open", ([, lookup]) =>
    Effect.gen(function* () {
      const { counted, port } = yield* counting
      const failed = yield* Effect.flip(connect(lookup, port))
      expect(failed).toMatchObject({ code: "ENOTFOUND", syscall: "getaddrinfo" })
      yield* Effect.promise(() => activeSocketsNow())
      yield* Effect.promise(() => until(() => counted.open === 0))
    })
  )

  it.scopedLive.each([null, new Error("late")])("8.6 that ends after an abort is ignored: %s", (error) =>
    Effect.gen(function* () {
      const { counted, port } = yield* counting
      const callbacks: Array<() => void> = []
      const lookup: Lookup = (_host, _options, callback) =>
        void callbacks.push(() => callback(error, addresses))
      const fiber = yield* Effect.fork(connect(lookup, port))
      yield* Effect.promise(() => until(() => callbacks.length > 0))
      yield* Fiber.interrupt(fiber)
      const before = yield* Effect.promise(() => activeSocketsNow())
      for (const callback of callbacks) callback()
      yield* Effect.promise(() => activeSocketsNow())
      expect([activeSockets(), counted.accepted]).toEqual([before, 0])
    })
  )
})

describe("several addresses", () => {
  it.scopedLive.each([
    [["::1", "127.0.0.1"], "127.0.0.1"],
    [["127.0.0.2", "127.0.0.1"], "127.0.0.2"]
  ] as const)("1.1 of %j, a socks5 proxy gets %s", ([found, expected]) =>
    Effect.gen(function* () {
      const port = 8080
      const proxy = yield* socksProxy({ reply: 3 })
      const socket = yield* socketTo(proxy.port)
      const server = { kind: "socks5", host: "127.0.0.1", port: proxy.port } as const
      const made = outcome((listener) =>
        socks5Tunnel(socket, server, { host: "api.test", port }, listener, finds(...found))
      )
      yield* Effect.flip(made)
      expect(proxy.seen).toEqual([`ipv4 ${expected}:${port}`])
    })
  )
})
