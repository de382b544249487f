import { openAsBlob } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { FetchHttpClient, HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient, ApiRequest, FetchTransport, type Middleware, ResponseDecoder } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Data, Effect, Exit, Fiber, Layer, Scope, Stream } from "effect"
import { form, untyped, upload, utf8 } from "../fixtures/bodies.js"
import { clientOf } from "../fixtures/sockets.js"
import { direct, type Transport } from "../fixtures/transports.js"

type Request = ApiRequest.ApiRequest<unknown>

const post = (options: object): Request => ApiRequest.post("/x", options)
const withHeader = (name: string, value: string): Request =>
  post({ headers: { [name]: value }, body: { a: 1 } })
const ten = () => Stream.make(new Uint8Array(10))

/** What cannot be sent as it is written, by the field that the error names. */
const refused: ReadonlyArray<readonly [name: string, field: string, request: Request]> = [
  ...[
    ["transfer-encoding", "chunked"],
    ["expect", "100-continue"],
    ["keep-alive", "timeout=5"],
    ["upgrade", "websocket"],
    ["te", "gzip"],
    ["connection", "upgrade"],
    ["connection", "x-mine"],
    ["proxy-connection", "keep-alive"],
    ["http2-settings", "AAMAAABk"],
    ["content-length", "3"],
    ["content-length", "8"],
    ["content-length", "7, 7"],
    ["content-length", "-1"]
  ].map(
    ([name = "", value = ""]) => [`${name}: ${value}`, `headers.${name}`, withHeader(name, value)] as const
  ),
  [
    "a length without a body",
    "headers.content-length",
    ApiRequest.get("/x", { headers: { "content-length": "5" } })
  ],
  [
    "a length that a form has not",
    "headers.content-length",
    form({ a: "1" }, { headers: { "content-length": "5" } })
  ],
  [
    "a length that bytes have not, with progress",
    "headers.content-length",
    post({ bytes: utf8("0123"), headers: { "content-length": "5" }, onUpload: () => undefined })
  ],
  ["a stream longer than its length", "bodyStream", upload(ten, { headers: { "content-length": "9" } })],
  ...Object.entries({
    text: "chunk",
    null: null,
    undefined: undefined,
    "a number": 1,
    "an object": { chunk: 1 },
    "an ArrayBuffer": new ArrayBuffer(4),
    "a list of numbers": [1, 2]
  }).flatMap(([what, chunk]) => [
    [`an Effect stream of ${what}`, "bodyStream", upload(() => Stream.make(untyped(chunk)))] as const,
    [
      `an async iterable of ${what}`,
      "bodyStream",
      upload(async function* () {
        yield untyped(chunk)
      })
    ] as const,
    [
      `a ReadableStream of ${what}`,
      "bodyStream",
      upload(
        () =>
          new ReadableStream({
            start(controller) {
              controller.enqueue(untyped(chunk))
              controller.close()
            }
          })
      )
    ] as const
  ]),
  ["a source that fails at once", "bodyStream", upload(() => Stream.fail("no disk"))],
  ["a function that gives no stream", "bodyStream", upload(untyped(() => undefined))],
  [
    "a callback that throws",
    "bytes",
    post({
      bytes: utf8("0123"),
      onUpload: () => {
        throw new Error("no bar")
      }
    })
  ]
]

/** Middleware that makes something of a request that cannot be sent. */
const spoiling: ReadonlyArray<readonly [name: string, field: string, middleware: Middleware.Middleware]> = [
  [
    "a forbidden header",
    "headers.transfer-encoding",
    (request, next) => next(HttpClientRequest.setHeader(request, "transfer-encoding", "chunked"))
  ],
  [
    "a header's name",
    "headers.x a",
    (request, next) => next(HttpClientRequest.setHeader(request, "x a", "1"))
  ],
  [
    "a header's value",
    "headers.x-a",
    (request, next) => next(HttpClientRequest.setHeader(request, "x-a", "1\r\nb: 2"))
  ],
  [
    "a length",
    "headers.content-length",
    (request, next) => next(HttpClientRequest.setHeader(request, "content-length", "3"))
  ],
  ["another scheme", "url", (request, next) => next(HttpClientRequest.setUrl(request, "ftp://127.0.0.1/x"))],
  ["a relative URL", "url", (request, next) => next(HttpClientRequest.setUrl(request, "/x"))],
  [
    "a URL with a password",
    "url",
    (request, next) => next(HttpClientRequest.setUrl(request, "http://a:b@127.0.0.1/x"))
  ],
  ["a method", "method", (request, next) => next(HttpClientRequest.setMethod(request, untyped("TRACE")))]
]

const isFetch = ({ name }: Transport): boolean => name === "FetchTransport" || name === "platform fetch"

const refusal = (field: string) => ({
  _tag: "InvalidRequestError",
  field,
  delivery: "not-sent",
  stoppedBy: "not-retryable"
})

describe.each(direct)("on $name", (transport) => {
  const { layer } = transport
  const served = Effect.gen(function* () {
    const server = yield* TestServer.make({ "*": TestServer.json("ok") })
    return { server, client: yield* clientOf(server) }
  })

  it.scopedLive.each(refused)("6.14 %s is refused before anything is sent", ([, field, request]) =>
    Effect.gen(function* () {
      const { client, server } = yield* served
      const error = yield* Effect.flip(client.execute(request))
      expect(error).toMatchObject(refusal(field))
      expect(error).toHaveProperty("attempts.length", field.startsWith("headers") ? 0 : 1)
      expect(yield* server.requestCount).toBe(0)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive.each(spoiling)(
    "6.14 a middleware spoils %s: one attempt, and nothing is sent",
    ([, field, spoil]) =>
      Effect.gen(function* () {
        const { client, server } = yield* served
        const error = yield* Effect.flip(client.execute(post({ body: { a: 1 }, middleware: [spoil] })))
        expect(error).toMatchObject({ ...refusal(field), attempts: [{ tag: "InvalidRequestError" }] })
        expect(yield* server.requestCount).toBe(0)
      }).pipe(Effect.provide(layer))
  )

  it.scopedLive("6.14 a used response that a middleware gives back is refused, once", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served
      const used = new Response("[]")
      yield* Effect.promise(() => used.text())
      const cached: Middleware.Middleware = (request) =>
        Effect.succeed(HttpClientResponse.fromWeb(request, used))
      const error = yield* Effect.flip(client.execute(post({ middleware: [cached] })))
      expect(error).toMatchObject({ ...refusal("middleware"), attempts: [{ tag: "InvalidRequestError" }] })
      expect(yield* server.requestCount).toBe(0)

      const draining: Middleware.Middleware = (request, next) =>
        Effect.tap(next(request), (response) => Stream.runDrain(response.stream))
      const read = yield* client.execute(post({ middleware: [draining] }))
      expect(read).toBe("ok")
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive.each([
    ["a forbidden header", HttpClientRequest.get("/x", { headers: { expect: "100-continue" } }), "Encode"],
    ["a header's value", HttpClientRequest.get("/x", { headers: { "x-a": "1\n2" } }), "Encode"],
    ["a method", HttpClientRequest.setMethod(HttpClientRequest.get("/x"), untyped("CONNECT")), "Encode"],
    [
      "a stream of text",
      HttpClientRequest.bodyStream(HttpClientRequest.post("/x"), Stream.make(untyped("text"))),
      "Encode"
    ],
    ["another scheme", HttpClientRequest.get("ftp://127.0.0.1/x"), "InvalidUrl"]
  ] as const)("6.14 a plain client's request with %s is a RequestError", ([, request, reason]) =>
    Effect.gen(function* () {
      const { client, server } = yield* served
      const error = yield* Effect.flip(ApiClient.httpClient(client).execute(request))
      expect(error).toMatchObject({
        _tag: "RequestError",
        reason,
        cause: { _tag: "InvalidRequestError", delivery: "not-sent" }
      })
      expect(yield* server.requestCount).toBe(0)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("6.14 a stream shorter than its length breaks the request off, once", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served
      const error = yield* Effect.flip(client.execute(upload(ten, { headers: { "content-length": "12" } })))
      expect(error).toMatchObject({
        ...refusal("bodyStream"),
        reason: "ended after 10 of the 12 bytes of its content-length",
        // The part before may have arrived.
        delivery: "maybe-applied",
        attempts: [{ tag: "InvalidRequestError" }]
      })
      expect(yield* server.requestCount).toBe(0)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("6.14 a form with a stream of text breaks the request off, once", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served
      const error = yield* Effect.flip(client.execute(form({ file: () => Stream.make(untyped("text")) })))
      expect(error).toMatchObject({
        ...refusal("multipart"),
        reason: "must give bytes (Uint8Array), and gave a value of type string",
        delivery: "maybe-applied",
        attempts: [{ tag: "InvalidRequestError" }]
      })
      expect(yield* server.requestCount).toBe(0)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("6.14 a file that changed under its Blob breaks the request off, once", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served
      const directory = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "blob-"))),
        (directory) => Effect.promise(() => rm(directory, { recursive: true }))
      )
      const path = join(directory, "data.bin")
      const file = yield* Effect.promise(async () => {
        await writeFile(path, new Uint8Array(100_000))
        const blob = await openAsBlob(path)
        await writeFile(path, new Uint8Array(50_000))
        return blob
      })
      const error = yield* Effect.flip(client.execute(form({ file })))
      expect(error).toMatchObject({
        ...refusal("multipart"),
        delivery: "maybe-applied",
        attempts: [{ tag: "InvalidRequestError" }]
      })
      expect(yield* server.requestCount).toBe(0)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive(
    "6.14 a response that a middleware has read as a stream is refused where it was not kept",
    () =>
      Effect.gen(function* () {
        const { client, server } = yield* served
        const draining: Middleware.Middleware = (request, next) =>
          Effect.tap(next(request), (response) => Stream.runDrain(response.stream))
        const request = ApiRequest.post("/x", { middleware: [draining], success: ResponseDecoder.stream() })
        const error = yield* Effect.flip(client.execute(request))
        // The request itself was answered.
        expect(error).toMatchObject({ ...refusal("middleware"), delivery: "maybe-applied" })
        expect(yield* server.requestCount).toBe(1)
      }).pipe(Effect.provide(layer))
  )

  it.scopedLive("5.3 a length that fits is sent, and is the total of the progress", () =>
    Effect.gen(function* () {
      const { client } = yield* served
      const seen: Array<unknown> = []
      const request = upload(ten, {
        headers: { "content-length": "10" },
        onUpload: (p: unknown) => seen.push(p)
      })
      expect(yield* client.execute(request)).toBe("ok")
      expect(seen).toEqual([{ bytes: 10, total: 10 }])
      for (const value of ["close", "Keep-Alive"]) {
        expect(yield* client.execute(withHeader("connection", value))).toBe("ok")
      }
      expect(yield* client.execute(withHeader("content-length", "7"))).toBe("ok")
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("5.3 the failure of a source is the cause", () =>
    Effect.gen(function* () {
      class Mine extends Data.TaggedError("Mine") {}
      const mine = new Mine()
      const { client } = yield* served
      for (const bodyStream of [
        Stream.fail(mine),
        Stream.concat(ten(), Stream.fail(mine)),
        Stream.die(mine)
      ]) {
        const error = yield* Effect.flip(client.execute(upload(bodyStream)))
        expect(error).toMatchObject({ _tag: "InvalidRequestError", field: "bodyStream" })
        expect((error as Error).cause).toBe(mine)
        // Nobody knows what it holds.
        expect(JSON.stringify(error)).not.toContain("cause")
      }
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive.runIf(isFetch(transport))(
    "6.14 a GET with a body is refused where fetch cannot send it",
    () =>
      Effect.gen(function* () {
        const { client, server } = yield* served
        const error = yield* Effect.flip(client.execute(ApiRequest.get("/x", untyped({ body: {} }))))
        expect(error).toMatchObject({ ...refusal("body"), attempts: [{ tag: "InvalidRequestError" }] })
        expect((error as Error).cause).toBeInstanceOf(TypeError)
        expect(yield* server.requestCount).toBe(0)
      }).pipe(Effect.provide(layer))
  )

  it.scopedLive.runIf(isFetch(transport))("6.14 a port that fetch blocks is refused", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ url: "http://127.0.0.1:6000" })
      const error = yield* Effect.flip(client.execute(ApiRequest.get("/x")))
      expect(error).toMatchObject({ ...refusal("url"), attempts: [{ tag: "InvalidRequestError" }] })
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive.runIf(transport.name === "NodeTransport")(
    "6.14 what was under way as the transport was released may have arrived, and is not tried again",
    () =>
      Effect.gen(function* () {
        const server = yield* TestServer.make({ "*": Effect.never })
        const scope = yield* Scope.make()
        const context = yield* Layer.buildWithScope(layer, scope)
        const client = yield* Effect.provide(clientOf(server), context)
        const fiber = yield* Effect.fork(Effect.flip(client.execute(post({ body: {} }))))
        yield* server.awaitExchange(0, ({ bytesReceived }) => bytesReceived > 0)
        yield* Scope.close(scope, Exit.void)
        expect(yield* Fiber.join(fiber)).toMatchObject({
          _tag: "ConnectionError",
          kind: "closed",
          delivery: "maybe-applied",
          stoppedBy: "not-retryable",
          attempts: [{ tag: "ConnectionError" }]
        })
      })
  )

  it.scopedLive.runIf(!isFetch(transport))("6.14 a transport that was released is asked once", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": TestServer.json("ok") })
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(layer, scope)
      const client = yield* Effect.provide(clientOf(server), context)
      yield* Scope.close(scope, Exit.void)
      const error = yield* Effect.flip(client.execute(ApiRequest.get("/x")))
      expect(error).toMatchObject({
        ...refusal("transport"),
        message: "transport has been closed",
        attempts: [{ tag: "InvalidRequestError" }]
      })
      expect(yield* server.requestCount).toBe(0)
    })
  )
})

/** Takes what comes of a body, and answers as if that were all of it, as Cloudflare's does. */
const polite: typeof globalThis.fetch = async (_input, { body } = {}) => {
  const reader = new Response(body ?? null).body?.getReader()
  try {
    while ((await reader?.read())?.done === false);
  } catch {
    // Nobody is told.
  }
  return Response.json("ok")
}

const politely = Layer.succeed(FetchHttpClient.Fetch, polite)

describe.each([
  ["FetchTransport", Layer.provide(FetchTransport.layer, politely)],
  ["platform fetch", Layer.merge(FetchHttpClient.layer, politely)]
] as const)("on %s that ends a broken body as if it were whole", (_name, layer) => {
  it.effect("5.3 a source that failed is the error, whatever was answered", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ url: "http://api.test" })
      const cause = new Error("no disk")
      const half = Stream.concat(ten(), Stream.fail(cause))
      for (const success of [undefined, ResponseDecoder.stream()]) {
        const error = yield* Effect.flip(client.execute(upload(() => half, { success })))
        expect(error).toMatchObject({ ...refusal("bodyStream"), delivery: "maybe-applied" })
        expect((error as Error).cause).toBe(cause)
      }
      expect(yield* client.execute(upload(ten))).toBe("ok")
    }).pipe(Effect.provide(layer))
  )
})
