import { execFile } from "node:child_process"
import { createServer, type Socket } from "node:net"
import type { Duplex } from "node:stream"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Fiber } from "effect"
import { makeSelectProxy, type ProxyServer } from "../../src/proxy/selectProxy.js"
import { socks5Tunnel } from "../../src/proxy/socks5.js"
import { listening } from "../fixtures/clients.js"
import { locate } from "../fixtures/programs.js"
import { hostile, socksProxy } from "../fixtures/proxies.js"
import { closed, listenersOn, outcome, received, socketTo } from "../fixtures/tunnels.js"

const target = { host: "api.test", port: 443 }
const plain: ProxyServer = { kind: "socks5h", host: "127.0.0.1", port: 1080 }

const proxyOf = (url: string): ProxyServer =>
  Either.getOrThrow(makeSelectProxy({ url }, {}))({ protocol: "https:", ...target }) ?? plain

const tunnel = (socket: Duplex, proxy = plain, to: typeof target = target) =>
  outcome((listener) => socks5Tunnel(socket, proxy, to, listener))

const echo = listening(() => createServer((socket) => void socket.pipe(socket)))

/** Sends these replies in order, each after input, in pieces of a size, and records the input. */
const scripted = (lines: ReadonlyArray<ReadonlyArray<number>>, size = 1000, end = false) =>
  Effect.gen(function* () {
    const sent: Array<string> = []
    const { open, port } = yield* hostile((socket, first) => {
      const queue = lines.map((line) => Buffer.from(line))
      const reply = (bytes: Buffer): void => {
        sent.push(bytes.toString("hex"))
        const line = queue.shift()
        if (line !== undefined) send(line, 0)
      }
      const send = (line: Buffer, at: number): void => {
        if (at < line.length) {
          socket.write(line.subarray(at, at + size), () => setImmediate(send, line, at + size))
        } else if (end && queue.length === 0) socket.end()
      }
      socket.setNoDelay(true)
      socket.on("data", reply)
      reply(first)
    })
    return { port, open, sent }
  })

const open = [5, 0]
const asks = [5, 2]
const done = [5, 0, 0, 1, 127, 0, 0, 1, 0, 80]
const hello = [...Buffer.from("hello")]

describe("a tunnel", () => {
  const kinds: ReadonlyArray<readonly [url: string, host: string, seen: string]> = [
    ["socks5h://p.test", "localhost", "name localhost"],
    ["socks5h://p.test", "api.test", "name api.test"],
    ["socks5h://p.test", "127.0.0.1", "ipv4 127.0.0.1"],
    ["socks5://p.test", "localhost", "ipv4 127.0.0.1"],
    ["socks5://p.test", "127.0.0.1", "ipv4 127.0.0.1"],
    ["socks5://ada:p%40ss@p.test", "127.0.0.1", "ipv4 127.0.0.1"],
    ["socks5h://ada:p%40ss@p.test", "api.test", "name api.test"]
  ]
  it.scopedLive.each(kinds)("1.1 through %s to %s", ([url, host, seen]) =>
    Effect.gen(function* () {
      const proxy = yield* socksProxy(url.includes("@") ? { user: "ada", password: "p@ss" } : {})
      const { port } = yield* echo
      const socket = yield* socketTo(proxy.port)
      const before = listenersOn(socket)
      const through = yield* tunnel(socket, proxyOf(url), { host, port })
      expect(through).toBe(socket)
      expect(listenersOn(socket)).toBe(before)
      expect(socket.readableFlowing).toBe(null)
      through.write("ping")
      expect(yield* received(through, 4)).toBe("ping")
      expect(proxy.seen).toEqual([`${seen}:${port}`])
    })
  )

  it.scopedLive.each([
    ["::1", "::1"],
    ["[::1]", "::1"],
    ["[fe80::1%25lo]", "fe80::1"],
    ["2001:DB8:0:0:1::", "2001:db8:0:0:1::"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["::ffff:127.0.0.1", "::ffff:7f00:1"]
  ] as const)("1.1 to the address %s", ([host, seen]) =>
    Effect.gen(function* () {
      for (const kind of ["socks5", "socks5h"] as const) {
        const proxy = yield* socksProxy({ reply: 3 })
        yield* Effect.flip(tunnel(yield* socketTo(proxy.port), { ...plain, kind }, { host, port: 8080 }))
        expect(proxy.seen).toEqual([`ipv6 ${seen}:8080`])
      }
    })
  )

  it.scopedLive.each([1, 3, 1000])("1.1 keeps the bytes after the reply, in pieces of %s", (size) =>
    Effect.gen(function* () {
      for (const reply of [
        done,
        [5, 0, 0, 3, 4, ...Buffer.from("host"), 0, 80],
        [5, 0, 0, 3, 0, 0, 80],
        [5, 0, 0, 4, ...Buffer.alloc(16), 0, 80]
      ]) {
        const { port } = yield* scripted([open, [...reply, ...hello]], size)
        expect(yield* received(yield* tunnel(yield* socketTo(port)), 5)).toBe("hello")
      }
    })
  )

  it.scopedLive("1.1 accepts all bytes of the proxy in one piece, followed by its end", () =>
    Effect.gen(function* () {
      const { port, sent } = yield* scripted([[...open, ...done, ...hello]], 1000, true)
      expect(yield* received(yield* tunnel(yield* socketTo(port)), 99)).toBe("hello")
      expect(sent[0]).toBe("050100")
    })
  )

  it.scopedLive("12.4 user and password are offered and sent, up to 255 bytes each", () =>
    Effect.gen(function* () {
      const long = "ä".repeat(127)
      for (const [user, password] of [
        ["ada", "hunter2"],
        ["ada", ""],
        ["", "hunter2"],
        [long, long]
      ] as const) {
        const { port, sent } = yield* scripted([asks, [1, 0], done])
        const url = `socks5h://${encodeURIComponent(user)}:${encodeURIComponent(password)}@p.test`
        yield* tunnel(yield* socketTo(port), proxyOf(url))
        const parts = [user, password].map((text) => [Buffer.byteLength(text), ...Buffer.from(text)])
        expect(sent).toEqual([
          "05020002",
          Buffer.from([1, ...parts.flat()]).toString("hex"),
          `05010003${Buffer.from([8, ...Buffer.from("api.test"), 1, 0xbb]).toString("hex")}`
        ])
      }
    })
  )

  it.scopedLive("12.4 user and password are not sent to a proxy that requires neither", () =>
    Effect.gen(function* () {
      const { port, sent } = yield* scripted([open, done])
      yield* tunnel(yield* socketTo(port), proxyOf("socks5h://ada:hunter2@p.test"))
      expect(sent.join()).not.toContain(Buffer.from("hunter2").toString("hex"))
    })
  )
})

describe("a proxy that opens no tunnel", () => {
  const replies: ReadonlyArray<readonly [reply: number, code: string]> = [
    [1, "ERR_SOCKS_GENERAL_FAILURE"],
    [2, "ERR_SOCKS_NOT_ALLOWED"],
    [3, "ERR_SOCKS_NETWORK_UNREACHABLE"],
    [4, "ERR_SOCKS_HOST_UNREACHABLE"],
    [5, "ERR_SOCKS_CONNECTION_REFUSED"],
    [6, "ERR_SOCKS_TTL_EXPIRED"],
    [7, "ERR_SOCKS_COMMAND_NOT_SUPPORTED"],
    [8, "ERR_SOCKS_ADDRESS_TYPE_NOT_SUPPORTED"],
    [9, "ERR_SOCKS_UNKNOWN_REPLY"],
    [255, "ERR_SOCKS_UNKNOWN_REPLY"]
  ]
  it.scopedLive.each(replies)("6.14 it replies %s", ([reply, code]) =>
    Effect.gen(function* () {
      const proxy = yield* socksProxy({ reply })
      const socket = yield* socketTo(proxy.port)
      expect(yield* Effect.flip(tunnel(socket))).toMatchObject({ code, syscall: "connect" })
      expect(socket.destroyed).toBe(true)
      // A reply that is cut off after its code suffices.
      const { port } = yield* scripted([open, [5, reply]], 1, true)
      expect(yield* Effect.flip(tunnel(yield* socketTo(port)))).toMatchObject({ code })
    })
  )

  it.scopedLive("12.4 it rejects the user: no secret is revealed", () =>
    Effect.gen(function* () {
      const proxy = yield* socksProxy({ user: "ada", password: "hunter2" })
      const wrong = proxyOf("socks5h://ada:wrong-secret@p.test")
      const refused = yield* Effect.flip(tunnel(yield* socketTo(proxy.port), wrong))
      expect(refused).toMatchObject({
        code: "ERR_SOCKS_AUTHENTICATION",
        message: "the SOCKS proxy rejected the user and password"
      })
      const asked = yield* Effect.flip(tunnel(yield* socketTo(proxy.port)))
      expect(asked).toMatchObject({
        code: "ERR_SOCKS_NO_METHOD",
        message: "the SOCKS proxy requires a user and password"
      })
      const { port } = yield* scripted([[5, 0xff]])
      expect((yield* Effect.flip(tunnel(yield* socketTo(port), wrong))).message).toBe(
        "the SOCKS proxy accepts no user and password"
      )
      expect(proxy.seen).toEqual([])
    })
  )

  const garbage: ReadonlyArray<readonly [name: string, lines: ReadonlyArray<ReadonlyArray<number>>]> = [
    ["HTTP", [[...Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")]]],
    ["SOCKS4", [[0, 0x5b, 0, 0, 0, 0, 0, 0]]],
    ["a method that was not offered", [[5, 2]]],
    ["an unknown method", [[5, 0x80]]],
    ["another version in the reply", [open, [4, 0, 0, 1, 0, 0, 0, 0, 0, 0]]],
    ["an address of an unknown type", [open, [5, 0, 0, 2, 0, 0, 0, 0, 0, 0]]]
  ]
  it.scopedLive.each(garbage)("6.14 it sends %s", ([, lines]) =>
    Effect.gen(function* () {
      for (const size of [1, 1000]) {
        const { port } = yield* scripted(lines, size)
        const socket = yield* socketTo(port)
        expect(yield* Effect.flip(tunnel(socket))).toMatchObject({
          code: "ERR_SOCKS_RESPONSE",
          message: "the proxy does not speak SOCKS5"
        })
        expect(socket.destroyed).toBe(true)
      }
    })
  )

  const cuts: ReadonlyArray<readonly [name: string, lines: ReadonlyArray<ReadonlyArray<number>>]> = [
    ["before its first byte", [[]]],
    ["within its method", [[5]]],
    ["before its reply", [open, []]],
    ["within its reply", [open, [5]]],
    ["within the address", [open, [5, 0, 0, 1, 127]]],
    ["within a name", [open, [5, 0, 0, 3, 9, 1]]],
    ["before it accepts the user", [asks, []]],
    ["within its verdict on the user", [asks, [1]]]
  ]
  it.scopedLive.each(cuts)("6.14 it closes %s", ([, lines]) =>
    Effect.gen(function* () {
      const { port } = yield* scripted(lines, 1000, true)
      const socket = yield* socketTo(port)
      expect(yield* Effect.flip(tunnel(socket, proxyOf("socks5h://ada:pw@p.test")))).toMatchObject({
        code: expect.stringMatching(/^(ERR_PROXY_CLOSED|ECONNRESET)$/)
      })
      expect(socket.destroyed).toBe(true)
    })
  )

  it.scopedLive("6.14 a name that is too long for it, or that does not resolve locally", () =>
    Effect.gen(function* () {
      const { port, sent } = yield* scripted([open, done])
      const long = { host: "x".repeat(256), port: 80 }
      for (const kind of ["socks5", "socks5h"] as const) {
        const socket = yield* socketTo(port)
        expect(yield* Effect.flip(tunnel(socket, { ...plain, kind }, long))).toMatchObject({
          code: "ERR_SOCKS_NAME_TOO_LONG"
        })
        expect(socket.destroyed).toBe(true)
      }
      const socket = yield* socketTo(port)
      const nowhere = { host: "nowhere..invalid", port: 80 }
      expect(yield* Effect.flip(tunnel(socket, { ...plain, kind: "socks5" }, nowhere))).toMatchObject({
        code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/),
        syscall: "getaddrinfo"
      })
      expect(socket.destroyed).toBe(true)
      expect(sent).toEqual([])
    })
  )

  it.scopedLive("6.14 a socket that dies while a name is being resolved", () =>
    Effect.gen(function* () {
      const { port } = yield* scripted([open, done])
      const socket = yield* socketTo(port)
      const making = tunnel(socket, { ...plain, kind: "socks5" }, { host: "localhost", port: 80 })
      const fiber = yield* Effect.fork(Effect.flip(making))
      yield* Effect.yieldNow()
      socket.destroy(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }))
      expect(yield* Fiber.join(fiber)).toMatchObject({ code: "ECONNRESET", syscall: "connect" })
    })
  )
})

describe("an abort", () => {
  const stages: ReadonlyArray<readonly [name: string, lines: ReadonlyArray<ReadonlyArray<number>>]> = [
    ["before the first byte", []],
    ["within the method", [[5]]],
    ["before the user is accepted", [asks]],
    ["before the reply", [asks, [1, 0]]],
    ["within the reply", [asks, [1, 0], [5, 0, 0, 3, 9]]]
  ]
  it.scopedLive.each(stages)("6.15 %s destroys the socket, without a call to the listener", ([, lines]) =>
    Effect.gen(function* () {
      const { open: count, port, sent } = yield* scripted(lines)
      const socket = yield* socketTo(port)
      const making = yield* Effect.fork(tunnel(socket, proxyOf("socks5h://ada:pw@p.test")))
      // As much of it as arrives.
      yield* Effect.repeat(
        Effect.promise(() => new Promise(setImmediate)),
        {
          until: () => sent.length >= Math.max(1, lines.length)
        }
      )
      expect(count()).toBe(1)
      yield* Fiber.interrupt(making)
      expect(socket.destroyed).toBe(true)
      yield* closed(socket)
    })
  )

  it.scopedLive("6.15 works while a name is being resolved", () =>
    Effect.gen(function* () {
      const { port, sent } = yield* scripted([open, done])
      const never = { connected: () => expect.unreachable(), failed: () => expect.unreachable() }
      for (const host of ["localhost", "nowhere..invalid", "x".repeat(256)]) {
        for (const prepare of [
          () => undefined,
          (socket: Socket) => void socket.destroy(new Error("on its way"))
        ]) {
          const socket = yield* socketTo(port)
          const abort = socks5Tunnel(socket, { ...plain, kind: "socks5" }, { host, port: 80 }, never)
          prepare(socket)
          abort()
          abort()
          yield* closed(socket)
        }
      }
      expect(sent).toEqual([])
    })
  )
})

describe.skipIf(locate("curl") === undefined)("the proxy of these tests", () => {
  it.scopedLive("is compatible with curl", () =>
    Effect.gen(function* () {
      const proxy = yield* socksProxy({ user: "ada", password: "p@ss" })
      const { port } = yield* listening(() =>
        createServer((socket) => void socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"))
      )
      const said = yield* Effect.async<string>((resume) => {
        const via = `socks5h://ada:p%40ss@127.0.0.1:${proxy.port}`
        execFile(locate("curl") ?? "curl", ["-s", "-x", via, `http://api.test:${port}/`], (_, out) =>
          resume(Effect.succeed(out))
        )
      })
      expect(said).toBe("ok")
      expect(proxy.seen).toEqual([`name api.test:${port}`])
    })
  )
})
