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
import { reasonOf } from "../fixtures/reasons.js"
import { clientOf } from "../fixtures/sockets.js"
import { direct, type Transport } from "../fixtures/transports.js"

type Request = ApiRequest.ApiRequest<unknown>

const post = (options: object): Request => ApiRequest.post("/x", options)
const withHeader = (name: string, value: string): Request =>
  post({ headers: { [name]: value }, body: { a: 1 } })
const ten = () => Stream.make(new Uint8Array(10))

/** Requests that cannot be sent, with the field that the error names. */
const invalidRequests: ReadonlyArray<readonly [name: string, field: string, request: Request]> = [
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
    "a content-length without a body",
    "headers.content-length",
    ApiRequest.get("/x", { headers: { "content-length": "5" } })
  ],
  [
    "a wrong content-length of a form",
    "headers.content-length",
    form({ a: "1" }, { headers: { "content-length": "5" } })
  ],
  [
    "a wrong content-length of bytes with progress",
    "headers.content-length",
    post({ bytes: utf8("0123"), headers: { "content-length": "5" }, onUpload: () => undefined })
  ],
  [
    "a stream longer than its content-length",
    "bodyStream",
    upload(ten, { headers: { "content-length": "9" } })
  ],
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
  ["a function that returns no stream", "bodyStream", upload(untyped(() => undefined))],
  [
    "a progress callback that throws",
    "bytes",
    post({
      bytes: utf8("0123"),
      onUpload: () => {
        throw new Error("no bar")
      }
    })
  ]
]

/** Middleware that makes a request invalid. */
const invalidMiddleware: ReadonlyArray<
  readonly [name: string, field: string, middleware: Middleware.Middleware]
> = [
  [
    "a forbidden header",
    "headers.transfer-encoding",
    (request, next) => next(HttpClientRequest.setHeader(request, "transfer-encoding", "chunked"))
  ],
  ["a header name", "headers.x a", (request, next) => next(HttpClientRequest.setHeader(request, "x a", "1"))],
  [
    "a header value",
    "headers.x-a",
    (request, next) => next(HttpClientRequest.setHeader(request, "x-a", "1\r\nb: 2"))
  ],
  [
    "a content-length",
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

const rejection = (field: string) => ({
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

  it.scopedLive.each(invalidRequests)("6.14 %s is rejected before sending", ([, field, request]) =>
    Effect.gen(function* () {
      const { client, server } = yield* served
      const error = yield* Effect.flip(client.execute(request))
      expect(error).toMatchObject(rejection(field))
      expect(error).toHaveProperty("attempts.length", field.startsWith("headers") ? 0 : 1)
      expect(yield* server.requestCount).toBe(0)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive.each(invalidMiddleware)(
    "6.14 a request that a middleware gave %s fails in one attempt and sends nothing",
    ([, field, middleware]) =>
      Effect.gen(function* () {
        const { client, server } = yield* served
        const error = yield* Effect.flip(client.execute(post({ body: { a: 1 }, middleware: [middleware] })))
        expect(error).toMatchObject({ ...rejection(field), attempts: [{ tag: "InvalidRequestError" }] })
        expect(yield* server.requestCount).toBe(0)
      }).pipe(Effect.provide(layer))
  )

  it.scopedLive("6.14 a used response from a middleware is rejected once", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served
      const used = new Response("[]")
      yield* Effect.promise(() => used.text())
      const cached: Middleware.Middleware = (request) =>
        Effect.succeed(HttpClientResponse.fromWeb(request, used))
      const error = yield* Effect.flip(client.execute(post({ middleware: [cached] })))
      expect(error).toMatchObject({ ...rejection("middleware"), attempts: [{ tag: "InvalidRequestError" }] })
      expect(yield* server.requestCount).toBe(0)

      const draining: Middleware.Middleware = (request, next) =>
        Effect.tap(next(request), (response) => Stream.runDrain(response.stream))
      const read = yield* client.execute(post({ middleware: [draining] }))
      expect(read).toBe("ok")
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive.each([
    ["a forbidden header", HttpClientRequest.get("/x", { headers: { expect: "100-continue" } }), "Encode"],
    ["a header value", HttpClientRequest.get("/x", { headers: { "x-a": "1\n2" } }), "Encode"],
    ["a method", HttpClientRequest.setMethod(HttpClientRequest.get("/x"), untyped("CONNECT")), "Encode"],
    [
      "a stream of text",
      HttpClientRequest.bodyStream(HttpClientRequest.post("/x"), Stream.make(untyped("text"))),
      "Encode"
    ],
    ["another scheme", HttpClientRequest.get("ftp://127.0.0.1/x"), "InvalidUrl"]
  ] as const)("6.14 a request of the HttpClient with %s fails while it is sent", ([, request, reason]) =>
    Effect.gen(function* () {
      const { client, server } = yield* served
      const error = yield* Effect.flip(ApiClient.httpClient(client).execute(request))
      expect(reasonOf(error)).toBe(`sending: ${reason}`)
      expect(error).toMatchObject({ cause: { _tag: "InvalidRequestError", delivery: "not-sent" } })
      expect(yield* server.requestCount).toBe(0)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("6.14 a stream shorter than its content-length aborts the request once", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served
      const error = yield* Effect.flip(client.execute(upload(ten, { headers: { "content-length": "12" } })))
      expect(error).toMatchObject({
        ...rejection("bodyStream"),
        reason: "ended after 10 of the 12 bytes of its content-length",
        // The first bytes may have arrived.
        delivery: "maybe-applied",
        attempts: [{ tag: "InvalidRequestError" }]
      })
      expect(yield* server.requestCount).toBe(0)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("6.14 a form with a stream of text aborts the request once", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served
      const error = yield* Effect.flip(client.execute(form({ file: () => Stream.make(untyped("text")) })))
      expect(error).toMatchObject({
        ...rejection("multipart"),
        reason: "must give bytes (Uint8Array), and gave a value of type string",
        delivery: "maybe-applied",
        attempts: [{ tag: "InvalidRequestError" }]
      })
      expect(yield* server.requestCount).toBe(0)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("6.14 a Blob whose file changed aborts the request once", () =>
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
        ...rejection("multipart"),
        delivery: "maybe-applied",
        attempts: [{ tag: "InvalidRequestError" }]
      })
      expect(yield* server.requestCount).toBe(0)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("6.14 a response that a middleware read as a stream is rejected if it was not buffered", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served
      const draining: Middleware.Middleware = (request, next) =>
        Effect.tap(next(request), (response) => Stream.runDrain(response.stream))
      const request = ApiRequest.post("/x", { middleware: [draining], success: ResponseDecoder.stream() })
      const error = yield* Effect.flip(client.execute(request))
      // The server has responded to the request.
      expect(error).toMatchObject({ ...rejection("middleware"), delivery: "maybe-applied" })
      expect(yield* server.requestCount).toBe(1)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("5.3 a correct content-length is sent, and is the total of the progress", () =>
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
        // The client cannot know whether the cause holds a secret.
        expect(JSON.stringify(error)).not.toContain("cause")
      }
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive.runIf(isFetch(transport))("6.14 a GET with a body is rejected over fetch", () =>
    Effect.gen(function* () {
      const { client, server } = yield* served
      const error = yield* Effect.flip(client.execute(ApiRequest.get("/x", untyped({ body: {} }))))
      expect(error).toMatchObject({ ...rejection("body"), attempts: [{ tag: "InvalidRequestError" }] })
      expect((error as Error).cause).toBeInstanceOf(TypeError)
      expect(yield* server.requestCount).toBe(0)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive.runIf(isFetch(transport))("6.14 a port that fetch blocks is rejected", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ url: "http://127.0.0.1:6000" })
      const error = yield* Effect.flip(client.execute(ApiRequest.get("/x")))
      expect(error).toMatchObject({ ...rejection("url"), attempts: [{ tag: "InvalidRequestError" }] })
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive.runIf(transport.name === "NodeTransport")(
    "6.14 a request that was running when its transport was released is maybe-applied and not retried",
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

  it.scopedLive.runIf(!isFetch(transport))("6.14 a released transport rejects a request once", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": TestServer.json("ok") })
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(layer, scope)
      const client = yield* Effect.provide(clientOf(server), context)
      yield* Scope.close(scope, Exit.void)
      const error = yield* Effect.flip(client.execute(ApiRequest.get("/x")))
      expect(error).toMatchObject({
        ...rejection("transport"),
        message: "transport has been closed",
        attempts: [{ tag: "InvalidRequestError" }]
      })
      expect(yield* server.requestCount).toBe(0)
    })
  )
})

/** Reads the body and responds as if it were complete, as Cloudflare's fetch does. */
const completingFetch: typeof globalThis.fetch = async (_input, { body } = {}) => {
  const reader = new Response(body ?? null).body?.getReader()
  try {
    while ((await reader?.read())?.done === false);
  } catch {
    // The failure is ignored.
  }
  return Response.json("ok")
}

const completing = Layer.succeed(FetchHttpClient.Fetch, completingFetch)

describe.each([
  ["FetchTransport", Layer.provide(FetchTransport.layer, completing)],
  ["platform fetch", Layer.merge(FetchHttpClient.layer, completing)]
] as const)("on %s, with a fetch that completes a failed body", (_name, layer) => {
  it.effect("5.3 a failed source is the error in spite of a response", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ url: "http://api.test" })
      const cause = new Error("no disk")
      const half = Stream.concat(ten(), Stream.fail(cause))
      for (const success of [undefined, ResponseDecoder.stream()]) {
        const error = yield* Effect.flip(client.execute(upload(() => half, { success })))
        expect(error).toMatchObject({ ...rejection("bodyStream"), delivery: "maybe-applied" })
        expect((error as Error).cause).toBe(cause)
      }
      expect(yield* client.execute(upload(ten))).toBe("ok")
    }).pipe(Effect.provide(layer))
  )
})
