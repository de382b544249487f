import {
  HttpClient,
  type HttpClientError,
  HttpClientRequest,
  type HttpClientResponse
} from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { type ApiConfig, type ApiError, ApiRequest, ResponseDecoder } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Chunk, Effect, Fiber, Stream } from "effect"
import * as TransportError from "../../src/request/TransportError.js"
import { answered, broken } from "../fixtures/answered.js"
import { type Asked, asked, type Sent, sent } from "../fixtures/asked.js"
import { clientOf } from "../fixtures/sockets.js"
import { transports } from "../fixtures/transports.js"

const ok = TestServer.json("ok")

interface Read {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Uint8Array
}

type Failure = ApiError.ApiError | ApiConfig.InvalidConfigError | HttpClientError.HttpClientError

interface Way {
  readonly way: string
  readonly isPlain: boolean
  readonly ask: (url: string, asked: Asked) => Effect.Effect<unknown, Failure, HttpClient.HttpClient>
  readonly send: (url: string, sent: Sent) => Effect.Effect<unknown, Failure, HttpClient.HttpClient>
  readonly read: (url: string, method: "GET" | "HEAD") => Effect.Effect<Read, Failure, HttpClient.HttpClient>
}

const readPlain = (response: HttpClientResponse.HttpClientResponse) =>
  Effect.map(response.arrayBuffer, (buffer): Read => {
    const { headers, status } = response
    return { status, headers, bytes: new Uint8Array(buffer) }
  })

const streamPlain = (response: HttpClientResponse.HttpClientResponse) =>
  Effect.map(Stream.runCollect(response.stream), (chunks): Read => {
    const { headers, status } = response
    return { status, headers, bytes: Buffer.concat(Chunk.toReadonlyArray(chunks)) }
  })

const execute = (request: HttpClientRequest.HttpClientRequest) =>
  Effect.flatMap(HttpClient.HttpClient, (http) => http.execute(request))

const viaClient: Way = {
  way: "by our client",
  isPlain: false,
  ask: (url, { headers, url: target }) =>
    Effect.flatMap(clientOf({ url }), (client) => client.execute(ApiRequest.get(target, { headers }))),
  send: (url, { options }) =>
    Effect.flatMap(clientOf({ url }), (client) => client.execute(ApiRequest.post("/x", options as object))),
  read: (url, method) =>
    Effect.gen(function* () {
      const client = yield* clientOf({ url })
      const options = { success: ResponseDecoder.bytes }
      const request = method === "HEAD" ? ApiRequest.head("/x", options) : ApiRequest.get("/x", options)
      const { headers, status, value } = yield* client.executeWithResponse(request)
      return { headers, status, bytes: value }
    })
}

const plain: Way = {
  way: "by the platform's interface",
  isPlain: true,
  ask: (url, { headers, url: target }) =>
    Effect.flatMap(
      execute(HttpClientRequest.setHeaders(HttpClientRequest.get(url + target), headers ?? {})),
      (response) => response.text
    ),
  send: (url, { body }) =>
    Effect.flatMap(
      execute(HttpClientRequest.setBody(HttpClientRequest.post(`${url}/x`), body())),
      (response) => response.text
    ),
  read: (url, method) => Effect.flatMap(execute(HttpClientRequest.make(method)(`${url}/x`)), readPlain)
}

const streamed: Way = {
  ...plain,
  way: "by the platform's interface, as it comes",
  read: (url, method) => Effect.flatMap(execute(HttpClientRequest.make(method)(`${url}/x`)), streamPlain)
}

const formOf = (request: TestServer.SeenRequest) =>
  Effect.promise(() =>
    new Response(request.body.slice(), {
      headers: { "content-type": request.headers["content-type"] ?? "" }
    }).formData()
  )

/** That the server has the body, whole and as what it is. */
const expectSent = (request: TestServer.SeenRequest, { bytes, type }: Sent, told: boolean) =>
  Effect.gen(function* () {
    const { headers } = request
    if (type instanceof RegExp) expect(headers["content-type"]).toMatch(type)
    else expect(headers["content-type"]).toBe(type)
    if (told) expect(headers["content-length"] ?? "none").toBe(String(request.body.length))
    else expect([headers["content-length"], headers["transfer-encoding"]]).toEqual([undefined, "chunked"])
    if (bytes === "form") {
      expect([...new URLSearchParams(request.text)]).toEqual([
        ["name", "Zoë & Co"],
        ["empty", ""]
      ])
    } else if (bytes === "multipart") {
      const form = yield* formOf(request)
      const file = form.get("file") as File
      expect([form.get("name"), file.name, file.type, file.size]).toEqual([
        "Zoë & Co",
        "every.bin",
        "application/x-every",
        256
      ])
      const content = yield* Effect.promise(() => file.arrayBuffer())
      expect([...new Uint8Array(content)]).toEqual(Array.from({ length: 256 }, (_, byte) => byte))
    } else expect(Buffer.compare(request.body, bytes)).toBe(0)
  })

describe.each(transports)("on $name", (transport) => {
  const { layer, name } = transport
  // By the platform's interface our own fetch is the platform's.
  const plainly = name === "our own fetch" ? [] : [plain]
  const whole = name === "our own fetch" ? [] : [plain, streamed]

  describe.each([viaClient, ...plainly])("$way", (way) => {
    it.scopedLive.each(asked.filter((asked) => way.isPlain || asked.plain !== true))(
      "2 $name arrives",
      (asked) =>
        Effect.gen(function* () {
          const server = yield* TestServer.make(ok)
          yield* way.ask(server.url, asked)
          const [request] = yield* server.requests
          expect(request?.url).toBe(asked.but?.[name] ?? asked.seen)
          expect(request?.headers).toMatchObject(asked.headers ?? {})
        }).pipe(Effect.provide(layer))
    )

    it.scopedLive.each(sent)("5 $name is sent", (sent) =>
      Effect.gen(function* () {
        const server = yield* TestServer.make(ok)
        const refusal = way.isPlain ? sent.cannot?.[name] : undefined
        if (refusal !== undefined) {
          const error = yield* Effect.flip(way.send(server.url, sent))
          expect(String(TransportError.findCode(error).message)).toMatch(refusal)
          return expect(yield* server.requestCount).toBe(0)
        }
        yield* way.send(server.url, sent)
        const [request] = yield* server.awaitRequests(1)
        expect(request?.method).toBe("POST")
        const told = sent.length === "stream" ? transport.tellsLength : sent.length
        const chunked =
          sent.unsized?.includes(name) === true || (way.isPlain && sent.chunked?.includes(name) === true)
        if (request !== undefined) yield* expectSent(request, sent, told && !chunked)
      }).pipe(Effect.provide(layer))
    )
  })

  describe.each([viaClient, ...whole])("$way", (way) => {
    it.scopedLive.each(answered)("8 $name is read", (answered) =>
      Effect.gen(function* () {
        const server = yield* TestServer.make(answered.reply)
        const reading = way.read(server.url, answered.method ?? "GET")
        if (way === streamed && answered.unstreamed?.includes(name) === true) {
          return expect(yield* Effect.flip(reading)).toMatchObject({ reason: "EmptyBody" })
        }
        const { bytes, headers, status } = yield* reading
        expect(status).toBe(answered.status ?? 200)
        expect(headers).toMatchObject(answered.headers ?? {})
        expect(Buffer.compare(bytes, answered.but?.[name] ?? answered.bytes)).toBe(0)
      }).pipe(Effect.provide(layer))
    )
  })

  const failing = (reply: (typeof broken)[number]["reply"]) =>
    reply === "refused"
      ? TestServer.refusedUrl
      : reply === "unresolved"
        ? // RFC 6761: no resolver may know a name under .invalid.
          Effect.succeed("http://name.invalid")
        : Effect.map(TestServer.make(reply), ({ url }) => url)

  // Where a proxy connects, its status is the response.
  const failures = broken.filter(
    ({ passes, reply }) =>
      passes?.includes(name) !== true && (typeof reply === "object" || transport.refused !== undefined)
  )

  describe.each(whole)("$way", ({ read }) => {
    it.scopedLive.each(failures)("7.3 $name is told of", ({ but, code, in: where, reply }) =>
      Effect.gen(function* () {
        const url = yield* failing(reply)
        const error = yield* Effect.flip(read(url, "GET"))
        const found = TransportError.findCode(error)
        expect(found.code ?? found.message).toMatch(but?.[name] ?? code)
        expect(error).toMatchObject(
          where === "head" ? { _tag: "RequestError", reason: "Transport" } : { _tag: "ResponseError" }
        )
      }).pipe(Effect.provide(layer))
    )
  })

  describe.each(plainly)("$way", ({ read }) => {
    it.scopedLive.each([
      { when: "before the headers", reply: TestServer.never, bytes: 0 },
      {
        when: "within the body",
        reply: TestServer.text("0123456789").pipe(TestServer.stallAfter(4)),
        bytes: 4
      }
    ])("10.7 an interruption $when closes the socket", ({ bytes, reply }) =>
      Effect.gen(function* () {
        const server = yield* TestServer.make(reply)
        const fiber = yield* Effect.fork(read(server.url, "GET"))
        yield* server.awaitExchange(0, ({ bytesSent }) => bytesSent >= bytes)
        yield* Fiber.interrupt(fiber)
        expect(yield* server.awaitClosed(0)).toBe("client")
      }).pipe(Effect.provide(layer))
    )
  })
})
