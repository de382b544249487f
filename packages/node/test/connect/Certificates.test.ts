import { createSecureServer } from "node:http2"
import { createServer } from "node:https"
import type { TlsOptions } from "node:tls"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, ResponseDecoder } from "@effect-api/client"
import type { NodeTransport } from "@effect-api/node"
import { Deferred, Effect, Redacted, Stream } from "effect"
import { makeCertificates, type Pair } from "../fixtures/certificates.js"
import { clientOf, listening } from "../fixtures/clients.js"

const certificates = makeCertificates()
const { ca } = certificates
const get = ApiRequest.get("/x")

const secure = (pair: Pair, more: TlsOptions = {}) =>
  Effect.gen(function* () {
    const state = { requests: 0, connections: 0 }
    const { port } = yield* listening(() =>
      createServer({ ...pair, ...more }, (_request, response) => {
        state.requests++
        response.setHeader("content-type", "application/json")
        response.end('{"a":1}')
      }).on("connection", () => void state.connections++)
    )
    return { url: `https://127.0.0.1:${port}`, state }
  })

describe("a trusted certificate", () => {
  const trusted: ReadonlyArray<readonly [string, Pair, NodeTransport.Tls]> = [
    ["signed by a custom authority", certificates.local, { ca: [ca] }],
    [
      "self-signed and listed as an authority",
      certificates.selfSigned,
      { ca: [certificates.selfSigned.cert] }
    ],
    ["for the configured server name", certificates.elsewhere, { ca: [ca], serverName: "elsewhere.test" }],
    ["self-signed, without verification", certificates.selfSigned, { verify: false }],
    ["for another name, without verification", certificates.elsewhere, { verify: false }]
  ]
  it.scopedLive.each(trusted)("1.1 is accepted: %s", ([, pair, tls]) =>
    Effect.gen(function* () {
      const server = yield* secure(pair)
      const client = yield* clientOf(server, {}, { tls })
      expect(yield* client.execute(get)).toEqual({ a: 1 })
    })
  )

  it.scopedLive("1.1 a client certificate is sent to a server that requests one", () =>
    Effect.gen(function* () {
      const server = yield* secure(certificates.local, { ca, requestCert: true, rejectUnauthorized: true })
      const { cert, key } = certificates.client
      const client = yield* clientOf(server, {}, { tls: { ca: [ca], cert, key: Redacted.make(key) } })
      expect(yield* client.execute(get)).toEqual({ a: 1 })
      const anonymous = yield* clientOf(server, { retry: { maxRetries: 0 } }, { tls: { ca: [ca] } })
      expect(yield* Effect.flip(anonymous.execute(get))).toMatchObject({ _tag: "ConnectionError" })
      expect(server.state.requests).toBe(1)
    })
  )
})

describe("an untrusted certificate", () => {
  const refused: ReadonlyArray<readonly [string, Pair, NodeTransport.Tls, string]> = [
    ["self-signed", certificates.selfSigned, {}, "DEPTH_ZERO_SELF_SIGNED_CERT"],
    ["signed by an unknown authority", certificates.local, {}, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    ["expired", certificates.expired, { ca: [ca] }, "CERT_HAS_EXPIRED"],
    ["for another host", certificates.elsewhere, { ca: [ca] }, "ERR_TLS_CERT_ALTNAME_INVALID"]
  ]
  it.scopedLive.each(refused)("6.1 is not retried: %s", ([, pair, tls, code]) =>
    Effect.gen(function* () {
      const server = yield* secure(pair)
      const client = yield* clientOf(server, {}, { tls })
      const error = yield* Effect.flip(client.execute(get))
      expect(error).toMatchObject({ _tag: "ConnectionError", kind: "tls", code, delivery: "not-sent" })
      expect(error).toMatchObject({ stoppedBy: "not-retryable" })
      expect(server.state).toEqual({ requests: 0, connections: 1 })
    })
  )
})

describe("HTTP/2", () => {
  const h2 = Effect.gen(function* () {
    const versions: Array<string> = []
    const { port } = yield* listening(() =>
      createSecureServer({ ...certificates.local, allowHTTP1: true }, (request, response) => {
        versions.push(request.httpVersion)
        let size = 0
        request.on("data", (chunk: Buffer) => {
          size += chunk.length
        })
        request.on("end", () => {
          response.writeHead(request.url === "/busy" && versions.length === 1 ? 503 : 200, {
            "content-type": "application/json",
            "set-cookie": ["a=1", "b=2"]
          })
          response.end(JSON.stringify({ size }))
        })
      })
    )
    return { url: `https://127.0.0.1:${port}`, versions }
  })

  it.scopedLive("1.1 is used if allowed", () =>
    Effect.gen(function* () {
      const server = yield* h2
      const client = yield* clientOf(server, {}, { tls: { ca: [ca] }, allowH2: true })
      const response = yield* client.executeWithResponse(ApiRequest.get("/busy"))
      expect(response.attempts.map((attempt) => attempt.tag)).toEqual(["ServiceUnavailableError", undefined])
      const bytes = new Uint8Array(300_000)
      expect(yield* client.execute(ApiRequest.post("/x", { bytes }))).toEqual({ size: 300_000 })
      const many = yield* Effect.all(
        Array.from({ length: 50 }, () => client.execute(get)),
        { concurrency: "unbounded" }
      )
      expect(many).toHaveLength(50)
      expect(new Set(server.versions)).toEqual(new Set(["2.0"]))
    })
  )

  it.scopedLive("10.7 leaving a stream ends that stream alone", () =>
    Effect.gen(function* () {
      const closed = yield* Deferred.make<void>()
      const { port } = yield* listening(() =>
        createSecureServer(certificates.local, (request, response) => {
          if (request.url === "/x") return void response.end("1")
          response.writeHead(200, { "content-type": "application/octet-stream" })
          response.write("abc")
          request.stream.on("close", () => Deferred.unsafeDone(closed, Effect.void))
        })
      )
      const url = `https://127.0.0.1:${port}`
      const client = yield* clientOf({ url }, {}, { tls: { ca: [ca] }, allowH2: true })
      const file = ApiRequest.get("/file", { success: ResponseDecoder.stream() })
      const stream = yield* client.execute(file)
      const [first] = yield* Stream.runCollect(Stream.take(stream, 1))
      expect(Buffer.from(first ?? []).toString()).toBe("abc")
      yield* Deferred.await(closed)
      expect(yield* client.execute(get)).toBe(1)
    })
  )

  it.scopedLive("1.1 is not offered if disallowed", () =>
    Effect.gen(function* () {
      const server = yield* h2
      const client = yield* clientOf(server, {}, { tls: { ca: [ca] }, allowH2: false })
      expect(yield* client.execute(get)).toEqual({ size: 0 })
      expect(server.versions).toEqual(["1.1"])
    })
  )
})
