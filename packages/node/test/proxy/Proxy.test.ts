import { createServer } from "node:http"
import { createServer as createSecureServer } from "node:https"
import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest } from "@effect-api/client"
import { NodeTransport } from "@effect-api/node"
import { TestServer } from "@effect-api/testing"
import { Effect, Redacted } from "effect"
import { makeCertificates } from "../fixtures/certificates.js"
import { clientOf, listening, once } from "../fixtures/clients.js"
import { environment } from "../fixtures/environment.js"
import { openTunnel } from "../fixtures/proxies.js"

const get = ApiRequest.get("/x")

interface Seen {
  readonly line: string
  readonly authorization: string | undefined
}

/** Opens tunnels, and responds to requests in absolute form itself; 407 refuses both. */
const proxying = (status: 200 | 407 = 200) =>
  Effect.gen(function* () {
    const seen: Array<Seen> = []
    const note = (line: string, authorization: string | undefined) => seen.push({ line, authorization })
    const { port } = yield* listening(() =>
      createServer((request, response) => {
        note(`${request.method} ${request.url}`, request.headers["proxy-authorization"])
        response.writeHead(status, { "content-type": "application/json" })
        response.end('"from the proxy"')
      }).on("connect", (request, socket, head) => {
        note(`CONNECT ${request.url}`, request.headers["proxy-authorization"])
        if (status === 407) return void socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
        openTunnel(request, socket, head)
      })
    )
    return { url: `http://127.0.0.1:${port}`, port, seen }
  })

const origin = TestServer.make({ "*": TestServer.json("from the origin") })

const certificates = makeCertificates()
const secureOrigin = Effect.map(
  listening(() =>
    createSecureServer(certificates.local, (_request, response) => {
      response.setHeader("content-type", "application/json")
      response.end('"from the secure origin"')
    })
  ),
  ({ port }) => ({ url: `https://127.0.0.1:${port}`, port })
)
const tls = { ca: [certificates.ca] }

describe("the environment", () => {
  it.scopedLive.each(["HTTP_PROXY", "http_proxy"])("1.1 names the proxy for http in %s", (name) =>
    Effect.gen(function* () {
      const proxy = yield* proxying()
      yield* environment({ [name]: proxy.url })
      const server = yield* origin
      const client = yield* clientOf(server)
      expect(yield* client.execute(get)).toBe("from the proxy")
      expect(proxy.seen).toEqual([{ line: `GET ${server.url}/x`, authorization: undefined }])
    })
  )

  it.scopedLive.each(["HTTPS_PROXY", "https_proxy"])("1.1 names the proxy for https in %s", (name) =>
    Effect.gen(function* () {
      const proxy = yield* proxying()
      yield* environment({ [name]: proxy.url })
      const server = yield* secureOrigin
      const client = yield* clientOf(server, {}, { tls })
      expect(yield* client.execute(get)).toBe("from the secure origin")
      expect(yield* client.execute(get)).toBe("from the secure origin")
      expect(new Set(proxy.seen.map(({ line }) => line))).toEqual(
        new Set([`CONNECT 127.0.0.1:${server.port}`])
      )
    })
  )

  const direct: ReadonlyArray<readonly [string, Record<string, string>, NodeTransport.Options]> = [
    ["NO_PROXY names the host", { NO_PROXY: "localhost,127.0.0.1" }, {}],
    ["NO_PROXY is a star", { NO_PROXY: "*" }, {}],
    ["the variables are blank", { HTTP_PROXY: " ", HTTPS_PROXY: "" }, {}],
    ["the transport sets proxy: none", {}, { proxy: "none" }]
  ]
  it.scopedLive.each(direct)("1.1 is ignored if %s", ([, variables, options]) =>
    Effect.gen(function* () {
      const proxy = yield* proxying()
      yield* environment({ HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, ...variables })
      const client = yield* clientOf(yield* origin, {}, options)
      expect(yield* client.execute(get)).toBe("from the origin")
      expect(proxy.seen).toEqual([])
    })
  )

  it.scopedLive("1.2 an invalid value is an error with its key", () =>
    Effect.gen(function* () {
      yield* environment({ HTTP_PROXY: "not a url" })
      expect(yield* Effect.flip(NodeTransport.make())).toMatchObject({
        _tag: "InvalidConfigError",
        key: "HTTP_PROXY"
      })
    })
  )
})

describe("a proxy in the options", () => {
  const token = "Bearer sk-proxy-secret"
  const password = "hunter2-secret"

  it.scopedLive("12.4 receives its token, which a tunnel keeps from the origin", () =>
    Effect.gen(function* () {
      yield* environment({})
      const proxy = yield* proxying()
      const server = yield* secureOrigin
      const client = yield* clientOf(
        server,
        {},
        { tls, proxy: { url: proxy.url, token: Redacted.make(token) } }
      )
      expect(yield* client.execute(get)).toBe("from the secure origin")
      expect(proxy.seen).toEqual([{ line: `CONNECT 127.0.0.1:${server.port}`, authorization: token }])
    })
  )

  it.scopedLive("12.4 accepts a password in a redacted URL", () =>
    Effect.gen(function* () {
      const proxy = yield* proxying()
      const url = Redacted.make(`http://me:${password}@127.0.0.1:${proxy.port}`)
      const client = yield* clientOf(yield* origin, {}, { proxy: { url } })
      expect(yield* client.execute(get)).toBe("from the proxy")
      expect(proxy.seen[0]?.authorization).toBe(`Basic ${btoa(`me:${password}`)}`)
    })
  )

  it.scopedLive.each(["http", "https"])("12.4 that refuses %s yields an error without a secret", (scheme) =>
    Effect.gen(function* () {
      const proxy = yield* proxying(407)
      const server = scheme === "http" ? yield* origin : yield* secureOrigin
      const url = Redacted.make(`http://127.0.0.1:${proxy.port}`)
      const options = { tls, proxy: { url, token: Redacted.make(token) } }
      const client = yield* clientOf(server, { retry: once }, options)
      const error = yield* Effect.flip(client.execute(get))
      // It has forwarded nothing, and a retry would fail the same way.
      expect(error).toMatchObject({
        _tag: "ConnectionError",
        delivery: "not-sent",
        stoppedBy: "not-retryable"
      })
      expect(proxy.seen).toHaveLength(1)
      expect(error.message).toContain("407")
      expect(proxy.seen[0]?.authorization).toBe(token)
      expect(inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error)).not.toContain("secret")
    })
  )

  it.scopedLive("7.3 that refuses the connection is a refused connection, and nothing was sent", () =>
    Effect.gen(function* () {
      const url = yield* TestServer.refusedUrl
      const client = yield* clientOf(yield* origin, { retry: once }, { proxy: { url } })
      expect(yield* Effect.flip(client.execute(get))).toMatchObject({ kind: "refused", delivery: "not-sent" })
    })
  )
})

describe("a proxy that echoes its input", () => {
  const secret = "LIVE-PROXY-SECRET"
  const url = (port: number) => `http://me:${secret}@127.0.0.1:${port}`
  const echoing = listening(() =>
    createServer((request, response) => {
      const sent = request.headers["proxy-authorization"] ?? ""
      response.writeHead(403, { "content-type": "text/plain", "x-echo": sent })
      response.end(`no: ${sent} ${Buffer.from(sent.split(" ")[1] ?? "", "base64").toString()}`)
    })
  )
  const given: ReadonlyArray<
    readonly [name: string, options: (port: number) => NodeTransport.Options, variables: boolean]
  > = [
    ["a URL", (port) => ({ proxy: { url: url(port) } }), false],
    ["a redacted URL", (port) => ({ proxy: { url: Redacted.make(url(port)) } }), false],
    [
      "a token",
      (port) => ({
        proxy: {
          url: `http://127.0.0.1:${port}`,
          token: Redacted.make(`Basic ${Buffer.from(`me:${secret}`).toString("base64")}`)
        }
      }),
      false
    ],
    [
      "a token that is not a Redacted",
      (port) => ({
        proxy: {
          url: `http://127.0.0.1:${port}`,
          token: `Basic ${Buffer.from(`me:${secret}`).toString("base64")}` as never
        }
      }),
      false
    ],
    ["the environment", () => ({}), true]
  ]

  it.scopedLive.each(given)("12.4 reveals no credentials of %s", ([, options, isNamed]) =>
    Effect.gen(function* () {
      const { port } = yield* echoing
      yield* environment(isNamed ? { HTTP_PROXY: url(port) } : {})
      const client = yield* clientOf(yield* origin, { retry: once }, options(port))
      const error = yield* Effect.flip(client.withOptions({ headers: { "x-a": "1" } }).execute(get))
      expect(error).toMatchObject({ status: 403 })
      const shown = `${inspect(error, { depth: Infinity })} ${JSON.stringify(error)}`
      expect(shown).toContain("<redacted>")
      expect(shown).not.toContain(Buffer.from(`me:${secret}`).toString("base64").slice(0, 12))
      expect(shown).not.toContain("PROXY-SECRET")
    })
  )
})
