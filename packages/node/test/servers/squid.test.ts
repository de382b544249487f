import { createServer as createSecureServer } from "node:https"
import { inspect } from "node:util"
import { gzipSync } from "node:zlib"
import { expect, layer } from "@effect/vitest"
import { type ApiConfig, ApiRequest, EventStream, ResponseDecoder } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Chunk, Effect, Schema, Stream } from "effect"
import { makeCertificates, type Pair } from "../fixtures/certificates.js"
import { clientOf, listening, once } from "../fixtures/clients.js"
import { environment } from "../fixtures/environment.js"
import { describeWith } from "../fixtures/programs.js"
import { password, Squid, layer as squid, user, via } from "../fixtures/squid.js"

const certificates = makeCertificates()
const tls = { ca: [certificates.ca] }
const get = ApiRequest.get("/x")

const event = (n: number): string => `data: {"n":${n}}\n\n`
const events = EventStream.make({ event: Schema.Struct({ n: Schema.Number }) })

/** Reports what arrived, and through which proxy. */
const origin = TestServer.make({
  "* /size": TestServer.streaming((request, body) =>
    Effect.map(
      Stream.runFold(body, 0, (size, bytes) => size + bytes.length),
      (size) => TestServer.json({ size, via: request.headers["via"] ?? null })
    )
  ),
  "GET /events": TestServer.chunks(Stream.concat(Stream.make(event(1), event(2)), Stream.never), {
    headers: { "content-type": "text/event-stream" }
  }),
  "GET /gzip": TestServer.bytes(gzipSync('"coded"'), {
    headers: { "content-encoding": "gzip", "content-type": "application/json" }
  }),
  "*": (request) => TestServer.json({ via: request.headers["via"] ?? null })
})

const secureOrigin = (pair: Pair = certificates.local) =>
  Effect.map(
    listening(() =>
      createSecureServer(pair, (request, response) => {
        let size = 0
        request.on("data", (bytes: Buffer) => void (size += bytes.length))
        request.on("end", () => {
          response.setHeader("content-type", "application/json")
          response.end(JSON.stringify({ from: request.socket.remoteAddress, size }))
        })
      })
    ),
    ({ port }) => ({ url: `https://127.0.0.1:${port}` })
  )

/** A client in an environment that names these proxies. */
const proxied = (
  server: { readonly url: string },
  variables: Readonly<Record<string, string>>,
  options: Partial<ApiConfig.Options> = {}
) => Effect.zipRight(environment(variables), clientOf(server, options, { tls }))

const isVia = { via: expect.stringContaining("squid.test") }

describeWith("squid", () => {
  layer(squid, { excludeTestServices: true })((it) => {
    it.scoped("1.1 HTTP_PROXY: http goes through it", () =>
      Effect.gen(function* () {
        const { open } = yield* Squid
        const server = yield* origin
        const client = yield* proxied(server, { HTTP_PROXY: open })
        expect(yield* client.execute(get)).toMatchObject(isVia)
        expect(yield* client.execute(ApiRequest.get("/gzip"))).toBe("coded")
        const head = ApiRequest.head("/x", { success: ResponseDecoder.empty })
        expect((yield* client.executeWithResponse(head)).status).toBe(200)
        expect((yield* server.requests)[0]?.url).toBe("/x")
      })
    )

    it.scoped("5 HTTP_PROXY: bodies with a length and without", () =>
      Effect.gen(function* () {
        const { open } = yield* Squid
        const client = yield* proxied(yield* origin, { HTTP_PROXY: open })
        const bytes = new Uint8Array(300_000)
        expect(yield* client.execute(ApiRequest.post("/size", { bytes }))).toMatchObject({
          ...isVia,
          size: 300_000
        })
        const bodyStream = () => Stream.make(bytes, bytes, bytes)
        expect(yield* client.execute(ApiRequest.post("/size", { bodyStream }))).toMatchObject({
          size: 900_000
        })
      })
    )

    it.scoped("10.7 HTTP_PROXY: events arrive as they are sent, and leaving them reaches the origin", () =>
      Effect.gen(function* () {
        const { open } = yield* Squid
        const server = yield* origin
        const client = yield* proxied(server, { HTTP_PROXY: open })
        const two = yield* Stream.runCollect(
          Stream.take(client.stream(ApiRequest.get("/events", { events })), 2)
        )
        expect(Chunk.toReadonlyArray(two)).toEqual([{ n: 1 }, { n: 2 }])
        expect(yield* server.awaitClosed(0)).toBe("client")
      })
    )

    it.scoped("1.1 HTTPS_PROXY: https goes through a tunnel, verified at its end", () =>
      Effect.gen(function* () {
        const { open } = yield* Squid
        const server = yield* secureOrigin()
        const client = yield* proxied(server, { HTTPS_PROXY: open })
        const bytes = new Uint8Array(300_000)
        for (let call = 0; call < 3; call++) {
          expect(yield* client.execute(ApiRequest.post("/x", { bytes }))).toEqual({
            from: via,
            size: 300_000
          })
        }
      })
    )

    it.scoped("1.1 HTTPS_PROXY applies to https alone, HTTP_PROXY to http, and ALL_PROXY to both", () =>
      Effect.gen(function* () {
        const { open } = yield* Squid
        const plain = yield* proxied(yield* origin, { HTTPS_PROXY: open })
        expect(yield* plain.execute(get)).toEqual({ via: null })
        const other = yield* proxied(yield* secureOrigin(), { HTTP_PROXY: open })
        expect(yield* other.execute(get)).toMatchObject({ from: "127.0.0.1" })
        const secure = yield* proxied(yield* secureOrigin(), { ALL_PROXY: open })
        expect(yield* secure.execute(get)).toMatchObject({ from: via })
      })
    )

    it.scoped.each(["127.0.0.1", "*", "127.0.0.0/8"])("1.1 NO_PROXY=%s bypasses it", (hosts) =>
      Effect.gen(function* () {
        const { open } = yield* Squid
        const variables = { HTTP_PROXY: open, HTTPS_PROXY: open, NO_PROXY: hosts }
        const plain = yield* proxied(yield* origin, variables)
        expect(yield* plain.execute(get)).toEqual({ via: null })
        const secure = yield* proxied(yield* secureOrigin(), variables)
        expect(yield* secure.execute(get)).toMatchObject({ from: expect.stringContaining("127.0.0.1") })
      })
    )

    const faults: ReadonlyArray<readonly [string, Pair, string]> = [
      ["expired", certificates.expired, "CERT_HAS_EXPIRED"],
      ["self-signed", certificates.selfSigned, "DEPTH_ZERO_SELF_SIGNED_CERT"],
      ["for another host", certificates.elsewhere, "ERR_TLS_CERT_ALTNAME_INVALID"]
    ]
    it.scoped.each(faults)("6.1 a certificate that is %s is rejected through the tunnel", ([, pair, code]) =>
      Effect.gen(function* () {
        const { open } = yield* Squid
        const client = yield* proxied(yield* secureOrigin(pair), { HTTPS_PROXY: open })
        expect(yield* Effect.flip(client.execute(get))).toMatchObject({
          _tag: "ConnectionError",
          kind: "tls",
          code,
          delivery: "not-sent",
          stoppedBy: "not-retryable"
        })
      })
    )

    it.scoped("7.3 a refusing origin yields squid's page for http, and no tunnel for https", () =>
      Effect.gen(function* () {
        const { open } = yield* Squid
        const url = yield* TestServer.refusedUrl
        const plain = yield* proxied({ url }, { HTTP_PROXY: open }, { retry: once })
        expect(yield* Effect.flip(plain.execute(get))).toMatchObject({
          _tag: "ServiceUnavailableError",
          body: expect.stringContaining("squid")
        })
        const target = { url: url.replace("http:", "https:") }
        const secure = yield* proxied(target, { HTTPS_PROXY: open }, { retry: once })
        expect(yield* Effect.flip(secure.execute(get))).toMatchObject({
          _tag: "ConnectionError",
          delivery: "not-sent",
          message: expect.stringContaining("503")
        })
      })
    )

    it.scoped("12.4 a proxy with a password accepts the right one", () =>
      Effect.gen(function* () {
        const { guarded } = yield* Squid
        const proxy = guarded.as(user, password)
        const variables = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy }
        const server = yield* origin
        const plain = yield* proxied(server, variables)
        expect(yield* plain.execute(get)).toMatchObject(isVia)
        expect((yield* server.requests)[0]?.headers).not.toHaveProperty("proxy-authorization")
        const secure = yield* proxied(yield* secureOrigin(), variables)
        expect(yield* secure.execute(get)).toMatchObject({ from: via })
      })
    )

    const strangers: ReadonlyArray<readonly [string, string, string]> = [
      ["http", "a stranger", ""],
      ["http", "a wrong password", `${user}:wrong-secret@`],
      ["https", "a stranger", ""],
      ["https", "a wrong password", `${user}:wrong-secret@`]
    ]
    it.scoped.each(strangers)("12.4 for %s it refuses %s, and no error reveals a secret", ([scheme, , who]) =>
      Effect.gen(function* () {
        const { guarded } = yield* Squid
        const proxy = `http://${who}127.0.0.1:${guarded.port}`
        const server = scheme === "http" ? yield* origin : yield* secureOrigin()
        const client = yield* proxied(
          server,
          { HTTP_PROXY: proxy, HTTPS_PROXY: proxy },
          { retry: { initialDelay: 0 } }
        )
        const error = yield* Effect.flip(client.execute(get))
        expect(error).toMatchObject({
          _tag: "ConnectionError",
          message: expect.stringContaining("407"),
          delivery: "not-sent",
          stoppedBy: "not-retryable"
        })
        const shown = inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error) + error.stack
        expect(shown).not.toContain("secret")
        expect(shown).not.toContain(btoa(`${user}:wrong-secret`))
      })
    )

    it.scoped("6.8 many calls, a few of which fail, all go through it", () =>
      Effect.gen(function* () {
        const { open } = yield* Squid
        const unlucky = new Set<string>()
        const server = yield* TestServer.make({
          "GET /{id}": ({ params }) => {
            const id = params["id"] ?? ""
            if (Number(id) % 5 > 0 || unlucky.has(id)) return TestServer.json(Number(id))
            unlucky.add(id)
            return Number(id) % 2 === 0 ? TestServer.empty(503) : TestServer.reset
          }
        })
        const client = yield* proxied(
          server,
          { HTTP_PROXY: open },
          { retry: { initialDelay: 0, budget: false } }
        )
        const ids = Array.from({ length: 60 }, (_, id) => id)
        const values = yield* Effect.forEach(
          ids,
          (id) => client.execute(ApiRequest.get("/{id}", { path: { id } })),
          { concurrency: 20 }
        )
        expect(values).toEqual(ids)
      })
    )
  })
})
