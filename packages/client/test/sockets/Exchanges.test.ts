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
import { reasonOf } from "../fixtures/reasons.js"
import { type BodyCase, bodyCases, type RequestCase, requestCases } from "../fixtures/requestCases.js"
import { failureCases, responseCases } from "../fixtures/responseCases.js"
import { clientOf } from "../fixtures/sockets.js"
import { transports } from "../fixtures/transports.js"

const ok = TestServer.json("ok")

interface Read {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Uint8Array
}

type Failure = ApiError.ApiError | ApiConfig.InvalidConfigError | HttpClientError.HttpClientError

interface Interface {
  readonly title: string
  readonly isPlatform: boolean
  readonly get: (
    url: string,
    requestCase: RequestCase
  ) => Effect.Effect<unknown, Failure, HttpClient.HttpClient>
  readonly send: (url: string, bodyCase: BodyCase) => Effect.Effect<unknown, Failure, HttpClient.HttpClient>
  readonly read: (url: string, method: "GET" | "HEAD") => Effect.Effect<Read, Failure, HttpClient.HttpClient>
}

const readBuffered = (response: HttpClientResponse.HttpClientResponse) =>
  Effect.map(response.arrayBuffer, (buffer): Read => {
    const { headers, status } = response
    return { status, headers, bytes: new Uint8Array(buffer) }
  })

const readStreamed = (response: HttpClientResponse.HttpClientResponse) =>
  Effect.map(Stream.runCollect(response.stream), (chunks): Read => {
    const { headers, status } = response
    return { status, headers, bytes: Buffer.concat(Chunk.toReadonlyArray(chunks)) }
  })

const execute = (request: HttpClientRequest.HttpClientRequest) =>
  Effect.flatMap(HttpClient.HttpClient, (http) => http.execute(request))

const viaClient: Interface = {
  title: "through the client",
  isPlatform: false,
  get: (url, { headers, url: target }) =>
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

const viaPlatform: Interface = {
  title: "through the platform interface",
  isPlatform: true,
  get: (url, { headers, url: target }) =>
    Effect.flatMap(
      execute(HttpClientRequest.setHeaders(HttpClientRequest.get(url + target), headers ?? {})),
      (response) => response.text
    ),
  send: (url, { body }) =>
    Effect.flatMap(
      execute(HttpClientRequest.setBody(HttpClientRequest.post(`${url}/x`), body())),
      (response) => response.text
    ),
  read: (url, method) => Effect.flatMap(execute(HttpClientRequest.make(method)(`${url}/x`)), readBuffered)
}

const viaPlatformStreamed: Interface = {
  ...viaPlatform,
  title: "through the platform interface, streamed",
  read: (url, method) => Effect.flatMap(execute(HttpClientRequest.make(method)(`${url}/x`)), readStreamed)
}

const formOf = (request: TestServer.SeenRequest) =>
  Effect.promise(() =>
    new Response(request.body.slice(), {
      headers: { "content-type": request.headers["content-type"] ?? "" }
    }).formData()
  )

/** The server received the complete body, with its type. */
const expectSent = (
  request: TestServer.SeenRequest,
  { bytes, type }: BodyCase,
  { expectsLength, mayHaveLength }: { readonly expectsLength: boolean; readonly mayHaveLength: boolean }
) =>
  Effect.gen(function* () {
    const { headers } = request
    if (type instanceof RegExp) expect(headers["content-type"]).toMatch(type)
    else expect(headers["content-type"]).toBe(type)
    const hasLength = mayHaveLength && headers["content-length"] !== undefined
    if (expectsLength || hasLength)
      expect(headers["content-length"] ?? "none").toBe(String(request.body.length))
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
  // Through the platform interface, FetchTransport is the platform's own fetch client.
  const platformBuffered = name === "FetchTransport" ? [] : [viaPlatform]
  const platformInterfaces = name === "FetchTransport" ? [] : [viaPlatform, viaPlatformStreamed]

  describe.each([viaClient, ...platformBuffered])("$title", (via) => {
    it.scopedLive.each(
      requestCases.filter((requestCase) => via.isPlatform || requestCase.platformOnly !== true)
    )("2 the server receives $name", (requestCase) =>
      Effect.gen(function* () {
        const server = yield* TestServer.make(ok)
        yield* via.get(server.url, requestCase)
        const [request] = yield* server.requests
        expect(request?.url).toBe(requestCase.except?.[name] ?? requestCase.expectedUrl)
        expect(request?.headers).toMatchObject(requestCase.headers ?? {})
      }).pipe(Effect.provide(layer))
    )

    it.scopedLive.each(bodyCases)("5 the server receives the body: $name", (bodyCase) =>
      Effect.gen(function* () {
        const server = yield* TestServer.make(ok)
        const refusal = via.isPlatform ? bodyCase.failsOn?.[name] : undefined
        if (refusal !== undefined) {
          const error = yield* Effect.flip(via.send(server.url, bodyCase))
          expect(String(TransportError.findCode(error).message)).toMatch(refusal)
          return expect(yield* server.requestCount).toBe(0)
        }
        yield* via.send(server.url, bodyCase)
        const [request] = yield* server.awaitRequests(1)
        expect(request?.method).toBe("POST")
        const expectsLength = bodyCase.length === "stream" ? transport.sendsLength : bodyCase.length
        const chunked =
          bodyCase.sizeUnknown?.includes(name) === true ||
          (via.isPlatform && bodyCase.stillChunked?.includes(name) === true)
        if (request !== undefined)
          yield* expectSent(request, bodyCase, {
            expectsLength: expectsLength && !chunked,
            mayHaveLength: transport.mayKnowLength
          })
      }).pipe(Effect.provide(layer))
    )
  })

  describe.each([viaClient, ...platformInterfaces])("$title", (via) => {
    it.scopedLive.each(responseCases)("8 reads $name", (responseCase) =>
      Effect.gen(function* () {
        const server = yield* TestServer.make(responseCase.reply)
        const reading = via.read(server.url, responseCase.method ?? "GET")
        if (via === viaPlatformStreamed && responseCase.emptyStreamFails?.includes(name) === true) {
          return expect(reasonOf(yield* Effect.flip(reading))).toBe("reading: EmptyBody")
        }
        const { bytes, headers, status } = yield* reading
        expect(status).toBe(responseCase.status ?? 200)
        expect(headers).toMatchObject(responseCase.headers ?? {})
        expect(Buffer.compare(bytes, responseCase.except?.[name] ?? responseCase.bytes)).toBe(0)
      }).pipe(Effect.provide(layer))
    )
  })

  const urlFor = (reply: (typeof failureCases)[number]["reply"]) =>
    reply === "refused"
      ? TestServer.refusedUrl
      : reply === "unresolved"
        ? // RFC 6761: no resolver may resolve a name under `.invalid`.
          Effect.succeed("http://name.invalid")
        : Effect.map(TestServer.make(reply), ({ url }) => url)

  // An HTTP proxy turns a failed connect into a response with a status.
  const failures = failureCases.filter(
    ({ succeedsOn, reply }) =>
      succeedsOn?.includes(name) !== true && (typeof reply === "object" || transport.refused !== undefined)
  )

  describe.each(platformInterfaces)("$title", ({ read }) => {
    it.scopedLive.each(failures)(
      "7.3 $name has its error code along the causes",
      ({ except, code, in: where, reply }) =>
        Effect.gen(function* () {
          const url = yield* urlFor(reply)
          const error = yield* Effect.flip(read(url, "GET"))
          const found = TransportError.findCode(error)
          expect(found.code ?? found.message).toMatch(except?.[name] ?? code)
          expect(reasonOf(error)).toMatch(where === "head" ? /^sending: Transport$/ : /^reading: /)
        }).pipe(Effect.provide(layer))
    )
  })

  describe.each(platformBuffered)("$title", ({ read }) => {
    it.scopedLive.each([
      { when: "before the headers", reply: TestServer.never, bytes: 0 },
      {
        when: "inside the body",
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
