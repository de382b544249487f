import { createServer, type Socket } from "node:net"
import { Duplex } from "node:stream"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Fiber } from "effect"
import { httpTunnel, readConnectResponse } from "../../src/proxy/httpTunnel.js"
import type { ProxyServer } from "../../src/proxy/proxyUrl.js"
import { makeSelectProxy } from "../../src/proxy/selectProxy.js"
import { markNotSent } from "../../src/shared/errors.js"
import { makeCertificates } from "../fixtures/certificates.js"
import { listening } from "../fixtures/clients.js"
import { hostile, httpProxy } from "../fixtures/proxies.js"
import { closed, listenersOn, outcome, received, socketTo } from "../fixtures/tunnels.js"

const target = { host: "api.test", port: 443 }
const plain: ProxyServer = { kind: "http", host: "127.0.0.1", port: 0 }

const proxyOf = (url: string): ProxyServer => {
  const server = Either.getOrThrow(makeSelectProxy({ url }, {}))({ protocol: "https:", ...target })
  return server ?? plain
}

const tunnel = (socket: Duplex, proxy = plain, to: typeof target = target) =>
  outcome((listener) => httpTunnel(socket, proxy, to, listener))

/** Sends a greeting first, as mail servers do. */
const greeting = (text: string) => listening(() => createServer((socket) => void socket.write(text)))

describe("the head of a CONNECT response", () => {
  const read = (text: string, size = text.length) => {
    const next = readConnectResponse()
    for (let at = 0; at < text.length; at += size) {
      const outcome = next(Buffer.from(text.slice(at, at + size), "latin1"))
      if (outcome instanceof Error) return { code: Reflect.get(outcome, "code"), message: outcome.message }
      if (outcome !== undefined) return text.length - Math.min(text.length, at + size) + outcome
    }
    return undefined
  }

  const tunnels: ReadonlyArray<readonly [head: string, rest: number]> = [
    ["HTTP/1.1 200 OK\r\n\r\n", 0],
    ["HTTP/1.1 200\r\n\r\n", 0],
    ["HTTP/1.1 200 \r\n\r\n", 0],
    ["HTTP/1.0 200 Connection established\r\n\r\n", 0],
    ["HTTP/1.1 200 OK\n\n", 0],
    ["HTTP/1.1 200 OK\r\nvia: x\r\n\r\nTLS", 3],
    ["HTTP/1.1 200 OK\n\n\n", 1],
    ["HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", 5],
    ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 5],
    ["HTTP/1.1 204 No Content\r\n\r\n", 0],
    ["HTTP/1.1 299 ?\r\n\r\n\x16\x03", 2],
    ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx", 1],
    ["HTTP/1.1 103 Hints\r\nlink: x\r\n\r\nHTTP/1.1 100\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 0],
    [`HTTP/1.1 200 ${"long ".repeat(1000)}\r\n\r\n`, 0],
    [`HTTP/1.1 200 OK\r\nx: ${"y".repeat(65_000)}\r\n\r\n`, 0],
    [`HTTP/1.1 200 OK\r\n\r\n${"z".repeat(200_000)}`, 200_000]
  ]
  it.each(tunnels)("1.1 opens a tunnel, in pieces of any size: %j", (text, rest) => {
    for (const size of [1, 2, 3, 7, 64, text.length]) expect([size, read(text, size)]).toEqual([size, rest])
  })

  const others: ReadonlyArray<readonly [head: string, code: string, message: string]> = [
    [
      "HTTP/1.1 407 Proxy Authentication Required\r\n",
      "ERR_PROXY_STATUS",
      "the proxy responded 407 Proxy Authentication Required"
    ],
    [
      "HTTP/1.1 407 \xff\0\x1b[31m\r\n",
      "ERR_PROXY_STATUS",
      "the proxy responded 407 Proxy Authentication Required"
    ],
    ["HTTP/1.1 503\r\n", "ERR_PROXY_STATUS", "the proxy responded 503 Service Unavailable"],
    ["HTTP/1.1 999 Denied\r\n", "ERR_PROXY_STATUS", "the proxy responded 999"],
    ["HTTP/1.1 302 Found\r\n", "ERR_PROXY_STATUS", "the proxy responded 302 Found"],
    [
      "HTTP/1.1 101 Switching Protocols\r\n",
      "ERR_PROXY_STATUS",
      "the proxy responded 101 Switching Protocols"
    ],
    [
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 No\r\n",
      "ERR_PROXY_STATUS",
      "the proxy responded 403 Forbidden"
    ],
    [
      "\x15\x03\x01\0\x02\x02\x46",
      "ERR_PROXY_RESPONSE",
      "the proxy's response is TLS: its URL should begin with https://"
    ],
    ["\x16\x03\x01", "ERR_PROXY_RESPONSE", "the proxy's response is TLS: its URL should begin with https://"],
    ["SSH-2.0-OpenSSH", "ERR_PROXY_RESPONSE", "the proxy's response is not HTTP"],
    ["\0", "ERR_PROXY_RESPONSE", "the proxy's response is not HTTP"],
    ["\r\nHTTP/1.1 200 OK\r\n\r\n", "ERR_PROXY_RESPONSE", "the proxy's response is not HTTP"],
    ["\n", "ERR_PROXY_RESPONSE", "the proxy's response is not HTTP"],
    ["HTTP/2 200\r\n\r\n", "ERR_PROXY_RESPONSE", "the proxy's response is not HTTP"],
    ["HTTP/1.1 20\r\n\r\n", "ERR_PROXY_RESPONSE", "the proxy's response is not HTTP"],
    ["HTTP/1.1 2000\r\n\r\n", "ERR_PROXY_RESPONSE", "the proxy's response is not HTTP"],
    ["HTTP/1.1 000\r\n\r\n", "ERR_PROXY_RESPONSE", "the proxy's response is not HTTP"],
    ["HTTP/1.1  200 OK\r\n\r\n", "ERR_PROXY_RESPONSE", "the proxy's response is not HTTP"],
    ["HTTP/1.1 200OK\r\n\r\n", "ERR_PROXY_RESPONSE", "the proxy's response is not HTTP"],
    ["HTTP/1.1 -00 OK\r\n\r\n", "ERR_PROXY_RESPONSE", "the proxy's response is not HTTP"],
    ["HTTP/1.1\n\n", "ERR_PROXY_RESPONSE", "the proxy's response is not HTTP"],
    [
      "HTTP/1.1 200 OK\r\n\r".padEnd(70_000, "x"),
      "ERR_PROXY_RESPONSE",
      "the proxy's response has a head of more than 65536 bytes"
    ],
    [
      `HTTP/1.1 ${"2".repeat(70_000)}`,
      "ERR_PROXY_RESPONSE",
      "the proxy's response has a head of more than 65536 bytes"
    ],
    [
      "HTTP/1.1 100 Continue\r\n\r\n".repeat(5000),
      "ERR_PROXY_RESPONSE",
      "the proxy's response has a head of more than 65536 bytes"
    ]
  ]
  it.each(others)("6.14 opens no tunnel, in pieces of any size: %j", (text, code, message) => {
    for (const size of [1, 2, 3, 7, 64, text.length])
      expect([size, read(text, size)]).toEqual([size, { code, message }])
  })

  it.each([
    "",
    "H",
    "HTTP/1.1 200 OK",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\nvia: x\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n"
  ])("1.1 is incomplete: %j", (text) => expect(read(text, 1)).toBeUndefined())
})

describe("the CONNECT request", () => {
  const rows: ReadonlyArray<readonly [url: string, to: typeof target, text: string]> = [
    ["http://p.test", target, "CONNECT api.test:443 HTTP/1.1\r\nhost: api.test:443\r\n\r\n"],
    ["http://p.test", { host: "::1", port: 80 }, "CONNECT [::1]:80 HTTP/1.1\r\nhost: [::1]:80\r\n\r\n"],
    ["http://p.test", { host: "[::1]", port: 80 }, "CONNECT [::1]:80 HTTP/1.1\r\nhost: [::1]:80\r\n\r\n"],
    [
      "http://ada:hunter2@p.test",
      target,
      `CONNECT api.test:443 HTTP/1.1\r\nhost: api.test:443\r\nproxy-authorization: Basic ${btoa("ada:hunter2")}\r\n\r\n`
    ],
    [
      "http://ada@p.test",
      target,
      `CONNECT api.test:443 HTTP/1.1\r\nhost: api.test:443\r\nproxy-authorization: Basic ${btoa("ada:")}\r\n\r\n`
    ]
  ]
  it.scopedLive.each(rows)("12.4 to %s for %j", ([url, to, text]) =>
    Effect.gen(function* () {
      let said = ""
      const { port } = yield* hostile((socket, first) => {
        said = first.toString("latin1")
        socket.write("HTTP/1.1 200 OK\r\n\r\n")
      })
      yield* tunnel(yield* socketTo(port), proxyOf(url), to)
      expect(said).toBe(text)
    })
  )
})

describe("a tunnel", () => {
  const certificates = makeCertificates()
  const echo = listening(() => createServer((socket) => void socket.pipe(socket)))

  it.scopedLive.each([
    ["without TLS", undefined],
    ["over TLS", certificates.ca]
  ] as const)("1.1 through a proxy %s carries both directions, without listeners of ours", ([, ca]) =>
    Effect.gen(function* () {
      const authorization = `Basic ${btoa("ada:hunter2")}`
      const proxy = yield* httpProxy({
        authorization,
        ...(ca === undefined ? {} : { tls: certificates.local })
      })
      const { port } = yield* echo
      const socket = yield* socketTo(proxy.port, ca)
      const before = listenersOn(socket)
      const through = yield* tunnel(socket, proxyOf("ada:hunter2@p.test"), { host: "127.0.0.1", port })
      expect(through).toBe(socket)
      expect(listenersOn(socket)).toBe(before)
      expect(socket.readableFlowing).toBe(null)
      through.write("ping")
      expect(yield* received(through, 4)).toBe("ping")
      expect(proxy.seen.map(({ line }) => line)).toEqual([`CONNECT 127.0.0.1:${port}`])
    })
  )

  it.scopedLive.each([1, 5, 1000])("1.1 keeps the bytes after the head, in pieces of %s", (size) =>
    Effect.gen(function* () {
      const text = `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nhello`
      const { port } = yield* hostile((socket) => {
        socket.setNoDelay(true)
        const send = (at: number): void => {
          if (at < text.length) socket.write(text.slice(at, at + size), () => setImmediate(send, at + size))
        }
        send(0)
      })
      expect(yield* received(yield* tunnel(yield* socketTo(port)), 5)).toBe("hello")
    })
  )

  it.scopedLive("1.1 that ends at once keeps its bytes", () =>
    Effect.gen(function* () {
      const { port } = yield* hostile((socket) => socket.end("HTTP/1.1 200 OK\r\n\r\nbye"))
      expect(yield* received(yield* tunnel(yield* socketTo(port)), 99)).toBe("bye")
    })
  )

  it.scopedLive("1.1 starts with bytes that the socket has already read", () =>
    Effect.gen(function* () {
      const { port } = yield* greeting("HTTP/1.1 200 OK\r\n\r\nearly")
      const socket = yield* socketTo(port)
      yield* Effect.async<void>((resume) => {
        const read = (): void => resume(Effect.void)
        socket.once("readable", () => queueMicrotask(read))
      })
      expect(yield* received(yield* tunnel(socket), 5)).toBe("early")
    })
  )
})

describe("a proxy that opens no tunnel", () => {
  type Act = (socket: Socket) => void
  // Node sends an end before a reset: either may arrive first.
  const reset = expect.stringMatching(/^(ECONNRESET|ERR_PROXY_CLOSED)$/)
  const rows: ReadonlyArray<readonly [name: string, act: Act, expected: object]> = [
    [
      "responds 407",
      (socket) => socket.write("HTTP/1.1 407 Who Are You\r\n"),
      { code: "ERR_PROXY_STATUS", status: 407 }
    ],
    [
      "responds 502 with a body",
      (socket) => socket.end("HTTP/1.1 502 No\r\ncontent-length: 2\r\n\r\nno"),
      { code: "ERR_PROXY_STATUS", status: 502 }
    ],
    ["closes", (socket) => socket.end(), { code: "ERR_PROXY_CLOSED" }],
    ["destroys", (socket) => socket.destroy(), { code: "ERR_PROXY_CLOSED" }],
    ["resets", (socket) => socket.resetAndDestroy(), { code: reset }],
    ["closes within the status line", (socket) => socket.end("HTTP/1.1 2"), { code: "ERR_PROXY_CLOSED" }],
    [
      "closes within the head",
      (socket) => socket.end("HTTP/1.1 200 OK\r\nvia: x\r\n"),
      { code: "ERR_PROXY_CLOSED" }
    ],
    [
      "closes after a 100",
      (socket) => socket.end("HTTP/1.1 100 Continue\r\n\r\n"),
      { code: "ERR_PROXY_CLOSED" }
    ],
    [
      "resets within the head",
      (socket) => socket.write("HTTP/1.1 200 OK\r\n", () => socket.resetAndDestroy()),
      { code: reset }
    ],
    ["speaks TLS", (socket) => socket.write("\x15\x03\x03\0\x02\x02\x46"), { code: "ERR_PROXY_RESPONSE" }],
    [
      "speaks another protocol",
      (socket) => socket.write("220 mail.test ESMTP\r\n"),
      { code: "ERR_PROXY_RESPONSE" }
    ],
    [
      "echoes its input",
      (socket) => socket.write("CONNECT api.test:443 HTTP/1.1\r\n"),
      { code: "ERR_PROXY_RESPONSE" }
    ],
    [
      "sends an endless head",
      (socket) => socket.write(`HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(20_000)}`),
      { code: "ERR_PROXY_RESPONSE" }
    ],
    ["floods", (socket) => socket.write(Buffer.alloc(4_000_000, "x")), { code: "ERR_PROXY_RESPONSE" }]
  ]
  it.scopedLive.each(rows)("6.14 it %s: the socket is destroyed", ([, act, expected]) =>
    Effect.gen(function* () {
      const { port } = yield* hostile(act)
      const socket = yield* socketTo(port)
      const error = yield* Effect.flip(tunnel(socket))
      expect(error).toMatchObject({ ...expected, syscall: "connect" })
      // The mark of a failure before the request keeps the error's own properties.
      expect(markNotSent(error)).toBe(error)
      expect(socket.destroyed).toBe(true)
      yield* closed(socket)
    })
  )

  it.scopedLive("12.4 no error quotes the request", () =>
    Effect.gen(function* () {
      const { port } = yield* hostile((socket, first) => {
        const sent = /proxy-authorization: (.*)/.exec(first.toString("latin1"))?.[1]
        socket.end(`HTTP/1.1 407 ${sent} hunter2-secret\r\nx: ${sent}\r\n\r\n${sent}`)
      })
      const error = yield* Effect.flip(tunnel(yield* socketTo(port), proxyOf("ada:hunter2-secret@p.test")))
      expect(error.message).toBe("the proxy responded 407 Proxy Authentication Required")
    })
  )

  it.scopedLive("6.14 a socket that is destroyed or has ended fails", () =>
    Effect.gen(function* () {
      const { port } = yield* hostile(() => undefined)
      const gone = yield* socketTo(port)
      gone.destroy()
      expect(yield* Effect.flip(tunnel(gone))).toMatchObject({ code: "ERR_PROXY_CLOSED" })
      const broken = yield* socketTo(port)
      broken.on("error", () => undefined)
      broken.destroy(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }))
      expect(yield* Effect.flip(tunnel(broken))).toMatchObject({ code: "ECONNRESET", syscall: "connect" })
      const ended = yield* socketTo(
        (yield* listening(() => createServer((socket) => void socket.end()))).port
      )
      ended.resume()
      yield* Effect.async<void>((resume) => void ended.once("end", () => resume(Effect.void)))
      expect(yield* Effect.flip(tunnel(ended))).toMatchObject({ code: "ERR_PROXY_CLOSED" })
      expect(ended.destroyed).toBe(true)
    })
  )

  it.scopedLive.each([
    ["ECONNRESET", Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" })],
    ["ERR_PROXY_CLOSED", new Error("a stream of another kind says no code")]
  ] as const)(
    "6.14 a connection that breaks during the handshake has carried no request: %s",
    ([code, cause]) =>
      Effect.gen(function* () {
        const breaking = new Duplex({
          read: () => undefined,
          write: (_chunk, _encoding, done) => done(cause)
        })
        const error = yield* Effect.flip(tunnel(breaking))
        expect(error).toMatchObject({ code, syscall: "connect" })
        expect(error.message).toBe(`the connection to the proxy broke: ${cause.message}`)
      })
  )
})

describe("an abort", () => {
  const stages: ReadonlyArray<readonly [name: string, text: string]> = [
    ["before the response", ""],
    ["within the status line", "HTTP/1.1 2"],
    ["within the head", "HTTP/1.1 200 OK\r\nvia: x\r\n"],
    ["after a 100", "HTTP/1.1 100 Continue\r\n\r\n"]
  ]
  it.scopedLive.each(stages)("6.15 %s destroys the socket, without a call to the listener", ([, text]) =>
    Effect.gen(function* () {
      let come = (): void => undefined
      const asked = Effect.async<void>((resume) => {
        come = () => resume(Effect.void)
      })
      const { open, port } = yield* hostile((socket) => (text === "" ? come() : socket.write(text, come)))
      const socket = yield* socketTo(port)
      const waiting = yield* Effect.fork(asked)
      yield* Effect.yieldNow()
      const making = yield* Effect.fork(tunnel(socket))
      yield* Fiber.join(waiting)
      expect(open()).toBe(1)
      yield* Fiber.interrupt(making)
      expect(socket.destroyed).toBe(true)
      yield* closed(socket)
    })
  )

  it.scopedLive("6.15 works immediately, twice, and with a pending error", () =>
    Effect.gen(function* () {
      const { port } = yield* hostile(() => undefined)
      const never = { connected: () => expect.unreachable(), failed: () => expect.unreachable() }
      for (const prepare of [
        () => undefined,
        (socket: Socket) => void socket.destroy(new Error("on its way")),
        (socket: Socket) => void socket.destroy()
      ]) {
        const socket = yield* socketTo(port)
        const abort = httpTunnel(socket, plain, target, never)
        prepare(socket)
        abort()
        abort()
        yield* closed(socket)
        const later = httpTunnel(socket, plain, target, never)
        later()
      }
    })
  )

  it.scopedLive("6.15 after success has no effect", () =>
    Effect.gen(function* () {
      const { port } = yield* hostile((socket) => socket.write("HTTP/1.1 200 OK\r\n\r\n"))
      const socket = yield* socketTo(port)
      let abort = (): void => undefined
      yield* outcome((listener) => {
        abort = httpTunnel(socket, plain, target, listener)
        return abort
      })
      abort()
      expect(socket.destroyed).toBe(false)
    })
  )
})
