import { createServer } from "node:http"
import { createServer as createSecureServer } from "node:https"
import type { Socket } from "node:net"
import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest } from "@effect-api/client"
import { NodeTransport } from "@effect-api/node"
import { Deferred, Effect, Either, Fiber, Layer, Redacted } from "effect"
import { makeCertificates } from "../fixtures/certificates.js"
import { clientOf, listening, once } from "../fixtures/clients.js"
import { environment } from "../fixtures/environment.js"
import { hostile, httpProxy, socksProxy } from "../fixtures/proxies.js"
import { until } from "../fixtures/sockets.js"

const certificates = makeCertificates()
const tls = { ca: [certificates.ca] }
const get = ApiRequest.get("/x")

const json = (body: unknown) => (_: unknown, response: import("node:http").ServerResponse) => {
  response.setHeader("content-type", "application/json")
  response.end(JSON.stringify(body))
}

const origins = Effect.all({
  http: Effect.map(
    listening(() => createServer(json("plain"))),
    ({ port }) => `http://127.0.0.1:${port}`
  ),
  https: Effect.map(
    listening(() => createSecureServer(certificates.local, json("secure"))),
    ({ port }) => `https://127.0.0.1:${port}`
  )
})

/** One call to each origin. */
const both = (options: NodeTransport.Options = {}) =>
  Effect.flatMap(origins, ({ http, https }) =>
    Effect.forEach([http, https], (url) =>
      Effect.flatMap(clientOf({ url }, { retry: once }, { tls, ...options }), (client) => client.execute(get))
    )
  )

const fetched = ["plain", "secure"]

describe("kinds of proxies", () => {
  it.scopedLive.each(["http", "https"] as const)(
    "1.1 %s, with a user only, from ALL_PROXY and from an option",
    (kind) =>
      Effect.gen(function* () {
        const authorization = `Basic ${btoa("ada:")}`
        const proxy = yield* httpProxy({
          authorization,
          ...(kind === "https" ? { tls: certificates.local } : {})
        })
        const url = `${kind}://ada@127.0.0.1:${proxy.port}`
        yield* environment({ ALL_PROXY: url, https_proxy: "", HTTP_PROXY: " " })
        expect(yield* both()).toEqual(fetched)
        expect(yield* both({ proxy: { url: Redacted.make(url) } })).toEqual(fetched)
        expect(proxy.seen.map(({ line }) => line.split(" ")[0])).toEqual(["GET", "CONNECT", "GET", "CONNECT"])
        expect(new Set(proxy.seen.map(({ headers }) => headers["proxy-authorization"]))).toEqual(
          new Set([authorization])
        )
      })
  )

  it.scopedLive.each(["socks5", "socks5h", "socks"])("1.1 %s, from ALL_PROXY and from an option", (kind) =>
    Effect.gen(function* () {
      const proxy = yield* socksProxy({ user: "ada", password: "p@ss" })
      const url = `${kind}://ada:p%40ss@127.0.0.1:${proxy.port}`
      yield* environment({ ALL_PROXY: url })
      expect(yield* both()).toEqual(fetched)
      expect(yield* both({ proxy: { url } })).toEqual(fetched)
      expect(proxy.seen).toHaveLength(4)
    })
  )

  it.scopedLive("1.1 a host without a scheme is an http proxy", () =>
    Effect.gen(function* () {
      const proxy = yield* httpProxy()
      yield* environment({ HTTP_PROXY: `127.0.0.1:${proxy.port}`, HTTPS_PROXY: `127.0.0.1:${proxy.port}` })
      expect(yield* both()).toEqual(fetched)
      expect(proxy.seen).toHaveLength(2)
    })
  )

  it.scopedLive("1.1 a network in NO_PROXY bypasses it", () =>
    Effect.gen(function* () {
      const proxy = yield* httpProxy()
      yield* environment({
        ALL_PROXY: `http://127.0.0.1:${proxy.port}`,
        no_proxy: "",
        NO_PROXY: "127.0.0.0/8"
      })
      expect(yield* both()).toEqual(fetched)
      expect(proxy.seen).toEqual([])
    })
  )

  it.scopedLive(
    "12.4 a proxy's certificate is verified regardless of tls.verify, unless proxy.tls.verify is false",
    () =>
      Effect.gen(function* () {
        const proxy = yield* httpProxy({ tls: certificates.selfSigned })
        const url = `https://127.0.0.1:${proxy.port}`
        const careless = { ...tls, verify: false }
        expect(yield* Effect.flip(both({ tls: careless, proxy: { url } }))).toMatchObject({
          _tag: "ConnectionError",
          kind: "tls",
          delivery: "not-sent"
        })
        expect(proxy.seen).toEqual([])
        expect(yield* both({ proxy: { url, tls: { verify: false } } })).toEqual(fetched)
        expect(yield* both({ proxy: { url, tls: { ca: [certificates.selfSigned.cert] } } })).toEqual(fetched)
      })
  )
})

describe("settings", () => {
  it.scopedLive.each(["HTTP_PROXY", "https_proxy", "ALL_PROXY"])(
    "1.2 an invalid %s fails each layer with its name",
    (name) =>
      Effect.gen(function* () {
        yield* environment({ [name]: "socks4://me:hunter2-secret@proxy.test" })
        for (const layer of [
          NodeTransport.layer,
          NodeTransport.layerWith({}),
          NodeTransport.layerWith({ tls })
        ]) {
          const exit = yield* Effect.either(Effect.scoped(Layer.build(layer as typeof NodeTransport.layer)))
          const error = Either.isLeft(exit) ? exit.left : expect.unreachable()
          expect(error).toMatchObject({ _tag: "InvalidConfigError", key: name })
          expect(inspect(error, { depth: Infinity })).not.toContain("secret")
        }
      })
  )
})

describe("failing proxies", () => {
  type Act = (socket: Socket) => void
  const rows: ReadonlyArray<readonly [name: string, act: Act, attempts: number, expected: object]> = [
    ["responds 407", (socket) => socket.end("HTTP/1.1 407 No\r\n\r\n"), 1, { code: "ERR_PROXY_STATUS" }],
    ["responds 403", (socket) => socket.end("HTTP/1.1 403 No\r\n\r\n"), 1, { code: "ERR_PROXY_STATUS" }],
    ["responds 502", (socket) => socket.end("HTTP/1.1 502 No\r\n\r\n"), 3, { code: "ERR_PROXY_STATUS" }],
    ["responds 503", (socket) => socket.end("HTTP/1.1 503 No\r\n\r\n"), 3, { code: "ERR_PROXY_STATUS" }],
    ["responds 504", (socket) => socket.end("HTTP/1.1 504 No\r\n\r\n"), 3, { code: "ERR_PROXY_STATUS" }],
    ["closes", (socket) => socket.end(), 3, { code: "ERR_PROXY_CLOSED" }],
    [
      "closes within its head",
      (socket) => socket.end("HTTP/1.1 200 OK\r\n"),
      3,
      { code: "ERR_PROXY_CLOSED" }
    ],
    [
      "speaks another protocol",
      (socket) => socket.write("220 mail.test\r\n"),
      3,
      { code: "ERR_PROXY_RESPONSE" }
    ],
    [
      "floods",
      (socket) => socket.write(`HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(20_000)}`),
      3,
      { code: "ERR_PROXY_RESPONSE" }
    ],
    [
      "opens a tunnel that closes at once",
      (socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n"),
      3,
      { delivery: "not-sent" }
    ],
    [
      "opens a tunnel to plain http",
      (socket) => socket.write("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 400 Bad Request\r\n\r\n"),
      1,
      { kind: "tls" }
    ]
  ]
  it.scopedLive.each(rows)("6.14 a POST was not sent if the proxy %s", ([, act, attempts, expected]) =>
    Effect.gen(function* () {
      let connections = 0
      const { open, port } = yield* hostile((socket) => {
        connections++
        act(socket)
      })
      const url = `http://127.0.0.1:${port}`
      const client = yield* clientOf(
        { url: "https://api.test" },
        { retry: { maxRetries: 2, initialDelay: 0 } },
        { proxy: { url } }
      )
      const error = yield* Effect.flip(client.execute(ApiRequest.post("/x", { body: { a: 1 } })))
      expect(error).toMatchObject({ _tag: "ConnectionError", delivery: "not-sent", ...expected })
      expect(connections).toBe(attempts)
      yield* Effect.promise(() => until(() => open() === 0))
    })
  )

  it.scopedLive("6.15 the connect timeout ends a hanging handshake and leaves no socket open", () =>
    Effect.gen(function* () {
      for (const text of ["", "HTTP/1.1 2", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"]) {
        const { open, port } = yield* hostile((socket) => void socket.write(text))
        for (const url of [`http://127.0.0.1:${port}`, `socks5h://127.0.0.1:${port}`]) {
          const hangs = text === "" || url.startsWith("http:")
          const client = yield* clientOf(
            { url: "https://api.test" },
            { retry: once, timeouts: hangs ? { connect: 30 } : {} },
            { proxy: { url } }
          )
          const error = yield* Effect.flip(client.execute(get))
          if (hangs) {
            expect(error).toMatchObject({ _tag: "TimeoutError", phase: "connect", delivery: "not-sent" })
          } else expect(error).toMatchObject({ code: "ERR_SOCKS_RESPONSE", delivery: "not-sent" })
          yield* Effect.promise(() => until(() => open() === 0))
        }
      }
    })
  )

  const stages: ReadonlyArray<
    readonly [stage: string, kind: string, target: string, lines: ReadonlyArray<string>]
  > = [
    ["TLS with it", "https", "https://api.test", []],
    ["its response", "http", "http://api.test", []],
    ["its tunnel", "http", "https://api.test", []],
    ["TLS through it", "http", "https://api.test", ["HTTP/1.1 200 OK\r\n\r\n"]],
    ["its method", "socks5h", "http://api.test", []],
    ["its reply", "socks5h", "http://api.test", ["\x05\0"]],
    ["a response through it", "socks5h", "http://api.test", ["\x05\0", "\x05\0\0\x01\0\0\0\0\0\x50"]],
    ["TLS through it", "socks5h", "https://api.test", ["\x05\0", "\x05\0\0\x01\0\0\0\0\0\x50"]]
  ]
  it.scopedLive.each(stages)(
    "6.15 an interruption while waiting for %s (%s) leaves no socket open",
    ([, kind, target, lines]) =>
      Effect.gen(function* () {
        const silent = yield* Deferred.make<void>()
        const { open, port } = yield* hostile((socket, first) => {
          const rest = [...lines]
          const reply = (_: Buffer): void => {
            const line = rest.shift()
            if (line === undefined) Deferred.unsafeDone(silent, Effect.void)
            else socket.write(line, "latin1")
          }
          socket.on("data", reply)
          reply(first)
        })
        const url = `${kind}://127.0.0.1:${port}`
        const client = yield* clientOf({ url: target }, { retry: once }, { proxy: { url } })
        const call = yield* Effect.fork(client.execute(get))
        yield* Deferred.await(silent)
        expect(open()).toBe(1)
        yield* Fiber.interrupt(call)
        yield* Effect.promise(() => until(() => open() === 0))
      })
  )

  it.scopedLive("12.4 no error reveals the response of an http proxy", () =>
    Effect.gen(function* () {
      const secret = "hunter2-secret"
      const { port } = yield* hostile((socket, first) => {
        const sent = /proxy-authorization: (.*)/i.exec(first.toString("latin1"))?.[1] ?? ""
        const pair = Buffer.from(sent.split(" ")[1] ?? "", "base64").toString()
        const body = `${sent} ${pair} ${pair.split(":")[1]}`
        socket.end(
          `HTTP/1.1 407 ${body}\r\nproxy-authenticate: Basic realm="${body}"\r\nx-echo: ${body}\r\ncontent-length: ${body.length}\r\n\r\n${body}`
        )
      })
      const url = `http://ada:${secret}@127.0.0.1:${port}`
      const targets = ["http://api.test", "https://api.test"]
      for (const target of targets) {
        const client = yield* clientOf({ url: target }, { retry: once }, { proxy: { url } })
        const error = yield* Effect.flip(client.execute(get))
        const shown = inspect(error, { depth: Infinity, showHidden: true }) + JSON.stringify(error)
        expect(shown).toContain("407")
        expect(shown).not.toContain("hunter2")
        expect(shown).not.toContain(btoa(`ada:${secret}`).slice(0, 12))
      }
    })
  )
})
