import { createServer } from "node:http"
import { createServer as createSecureServer } from "node:https"
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import type { TLSSocket } from "node:tls"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, type Scope } from "effect"
import { Client } from "undici"
import { secureContext } from "../../src/connect/secureContext.js"
import { tcp } from "../../src/connect/tcp.js"
import { tls } from "../../src/connect/tls.js"
import { absoluteForm } from "../../src/proxy/absoluteForm.js"
import { httpTunnel } from "../../src/proxy/httpTunnel.js"
import { makeSelectProxy, type ProxyServer } from "../../src/proxy/selectProxy.js"
import { socks5Tunnel } from "../../src/proxy/socks5.js"
import { makeCertificates } from "../fixtures/certificates.js"
import { listening } from "../fixtures/clients.js"
import { type HttpProxy, httpProxy, type Socks, socksProxy } from "../fixtures/proxies.js"
import { outcome } from "../fixtures/sockets.js"

const certificates = makeCertificates()
const context = Either.getOrThrow(secureContext({ ca: [certificates.ca] }))

const owned = <S extends Duplex>(
  begin: Parameters<typeof outcome<S>>[0]
): Effect.Effect<S, unknown, Scope.Scope> =>
  Effect.acquireRelease(Effect.tryPromise({ try: () => outcome(begin), catch: (cause) => cause }), (socket) =>
    Effect.sync(() => socket.destroy())
  )

const secured = (socket: Duplex, host: string, alpn: ReadonlyArray<"h2" | "http/1.1">) =>
  owned<TLSSocket>((listener) => tls(socket, { host, context, verify: true, alpn }, listener))

const proxyOf = (url: string): ProxyServer => {
  const server = Either.getOrThrow(makeSelectProxy({ url }, {}))({ protocol: "http:", host: "", port: 0 })
  return server ?? expect.unreachable()
}

/** A connection to the proxy, with TLS if it uses that. */
const to = (proxy: ProxyServer) =>
  Effect.gen(function* () {
    const socket = yield* owned<Socket>((listener) =>
      tcp({ host: proxy.host, port: proxy.port }, { tcpKeepAlive: 1000 }, listener)
    )
    return proxy.kind === "https" ? yield* secured(socket, proxy.host, ["http/1.1"]) : socket
  })

const through = (proxy: ProxyServer, target: { readonly host: string; readonly port: number }) =>
  Effect.flatMap(to(proxy), (socket) =>
    owned<Duplex>((listener) =>
      (proxy.kind.startsWith("socks") ? socks5Tunnel : httpTunnel)(socket, proxy, target, listener)
    )
  )

const get = (socket: Duplex, origin: string, path: string, headers: Array<string> = []) =>
  Effect.acquireUseRelease(
    Effect.sync(
      () =>
        // undici's types require a TCP socket, but any stream works. In the same turn undici would wait forever.
        new Client(origin, {
          connect: (_, callback) => process.nextTick(callback, null, socket as Socket)
        })
    ),
    (client) =>
      Effect.promise(async () => {
        const { body, headers: received, statusCode } = await client.request({ path, method: "GET", headers })
        return { status: statusCode, headers: received, body: await body.text() }
      }),
    (client) => Effect.promise(() => client.destroy())
  )

const secureOrigin = listening(() =>
  createSecureServer(certificates.local, (request, response) => void response.end(`secure ${request.url}`))
)
const origin = listening(() =>
  createServer((request, response) => void response.end(JSON.stringify([request.url, request.headers])))
)

const kinds: ReadonlyArray<
  readonly [kind: string, proxy: Effect.Effect<HttpProxy | Socks, never, Scope.Scope>]
> = [
  ["http", httpProxy()],
  ["https", httpProxy({ tls: certificates.local })],
  ["http", httpProxy({ authorization: `Basic ${btoa("ada:p@ss")}` })],
  ["https", httpProxy({ authorization: `Basic ${btoa("ada:p@ss")}`, tls: certificates.local })],
  ["socks5", socksProxy()],
  ["socks5h", socksProxy()],
  ["socks5", socksProxy({ user: "ada", password: "p@ss" })],
  ["socks5h", socksProxy({ user: "ada", password: "p@ss" })]
]

describe("an https origin", () => {
  it.scopedLive.each(kinds)("1.1 through a %s proxy, verified at both ends", ([kind, making]) =>
    Effect.gen(function* () {
      const proxy = yield* making
      const { port } = yield* secureOrigin
      const server = proxyOf(`${kind}://ada:p%40ss@127.0.0.1:${proxy.port}`)
      const socket = yield* through(server, { host: "localhost", port })
      const secure = yield* secured(socket, "localhost", ["h2", "http/1.1"])
      expect(secure.authorized).toBe(true)
      expect(secure.alpnProtocol).toBe("http/1.1")
      expect(yield* get(secure, `https://localhost:${port}`, "/x")).toMatchObject({
        status: 200,
        body: "secure /x"
      })
      expect(proxy.seen).toHaveLength(1)
      expect(proxy.open()).toBe(1)
    })
  )

  it.scopedLive.each(kinds)("7.3 a refusing origin, through %s, yields no tunnel", ([kind, running]) =>
    Effect.gen(function* () {
      const proxy = yield* running
      const { port, server } = yield* origin
      server.close()
      const making = through(proxyOf(`${kind}://ada:p%40ss@127.0.0.1:${proxy.port}`), {
        host: "127.0.0.1",
        port
      })
      expect(yield* Effect.flip(making)).toMatchObject(
        kind.startsWith("socks")
          ? { code: "ERR_SOCKS_CONNECTION_REFUSED" }
          : { code: "ERR_PROXY_STATUS", status: 502 }
      )
    })
  )
})

describe("an http origin", () => {
  const authorization = `Basic ${btoa("ada:p@ss")}`
  it.scopedLive.each(["http", "https"])("1.1 in absolute form, through a %s proxy", (kind) =>
    Effect.gen(function* () {
      const proxy = yield* httpProxy({
        authorization,
        ...(kind === "https" ? { tls: certificates.local } : {})
      })
      const { port } = yield* origin
      const server = proxyOf(`${kind}://ada:p%40ss@127.0.0.1:${proxy.port}`)
      const { headers, path } = absoluteForm(server, `http://localhost:${port}`, "/x?y=1", ["x-a", "1"])
      const response = yield* get(yield* to(server), `http://localhost:${port}`, path, headers)
      const [url, received] = JSON.parse(response.body)
      expect(url).toBe("/x?y=1")
      expect(received).toMatchObject({ host: `localhost:${port}`, "x-a": "1" })
      expect(received).not.toHaveProperty("proxy-authorization")
      expect(proxy.seen).toMatchObject([
        { line: `GET http://localhost:${port}/x?y=1`, headers: { "proxy-authorization": authorization } }
      ])
    })
  )

  it.scopedLive("12.4 a 407 is an ordinary response, with the proxy's body", () =>
    Effect.gen(function* () {
      const proxy = yield* httpProxy({ authorization })
      const server = proxyOf(`http://ada:wrong@127.0.0.1:${proxy.port}`)
      const { headers, path } = absoluteForm(server, "http://api.test", "/", [])
      expect(yield* get(yield* to(server), "http://api.test", path, headers)).toMatchObject({
        status: 407,
        headers: { "proxy-authenticate": 'Basic realm="proxy"' },
        body: "who are you?"
      })
      expect(proxy.seen).toHaveLength(1)
    })
  )
})
