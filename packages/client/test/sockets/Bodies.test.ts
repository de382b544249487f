/** A reader gets the bytes of the body only, and no other bytes of the buffer they came in. */
import { gzipSync } from "node:zlib"
import { HttpClient, type HttpClientResponse } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient, type ApiError, ApiRequest, type Middleware, ResponseDecoder } from "@effect-api/client"
import { MockTransport, TestServer } from "@effect-api/testing"
import { Effect, Either, type Layer, Schema, Stream } from "effect"
import { bytesOf, textOf, utf8 } from "../fixtures/bodies.js"
import { clientOn } from "../fixtures/requests.js"
import { everyTransport } from "../fixtures/transports.js"

type Response = HttpClientResponse.HttpClientResponse

/** Expects a plain `Uint8Array` that fills its buffer. */
const expectOwned = (bytes: Uint8Array): string => {
  expect(bytes.constructor).toBe(Uint8Array)
  expect([bytes.byteOffset, bytes.buffer.byteLength]).toEqual([0, bytes.length])
  return textOf(bytes)
}

const ownedText = (chunks: Iterable<Uint8Array>): string => {
  for (const chunk of chunks) expectOwned(chunk)
  return textOf(bytesOf(chunks))
}

/** Every way to read a platform response, and the expected result for a body. */
const accessors: ReadonlyArray<{
  readonly accessor: string
  readonly read: (response: Response) => Effect.Effect<unknown, unknown>
  readonly expected: (body: string) => unknown
}> = [
  { accessor: "text", read: ({ text }) => text, expected: (body) => body },
  { accessor: "json", read: ({ json }) => json, expected: (body) => JSON.parse(body) },
  {
    accessor: "arrayBuffer",
    read: ({ arrayBuffer }) =>
      Effect.map(arrayBuffer, (buffer) => {
        expect(buffer).toBeInstanceOf(ArrayBuffer)
        return textOf(new Uint8Array(buffer))
      }),
    expected: (body) => body
  },
  {
    accessor: "stream",
    read: ({ stream }) => Effect.map(Stream.runCollect(stream), ownedText),
    expected: (body) => body
  },
  {
    accessor: "urlParamsBody",
    read: ({ urlParamsBody }) => Effect.map(urlParamsBody, (params) => [...params].flat().join("=")),
    expected: (body) => [...new URLSearchParams(body)].flat().join("=")
  },
  {
    accessor: "formData",
    read: ({ formData }) => Effect.map(formData, (form) => [...form.keys()]),
    expected: (body) => [...new URLSearchParams(body).keys()]
  }
]

/** Every decoder, and the expected result for a body. */
const decoders: ReadonlyArray<{
  readonly decoder: string
  readonly success: ResponseDecoder.Decodable
  readonly read?: (value: unknown) => Effect.Effect<unknown, ApiError.ApiError>
  readonly expected: (body: string) => unknown
}> = [
  { decoder: "text", success: ResponseDecoder.text, expected: (body) => body },
  { decoder: "json", success: ResponseDecoder.json, expected: (body) => JSON.parse(body) },
  { decoder: "a schema", success: Schema.Unknown, expected: (body) => JSON.parse(body) },
  { decoder: "empty", success: ResponseDecoder.empty, expected: () => undefined },
  {
    decoder: "bytes",
    success: ResponseDecoder.bytes,
    read: (value) => Effect.sync(() => expectOwned(value as Uint8Array)),
    expected: (body) => body
  },
  {
    decoder: "stream",
    success: ResponseDecoder.stream(),
    read: (value) =>
      Effect.map(Stream.runCollect(value as Stream.Stream<Uint8Array, ApiError.ApiError>), ownedText),
    expected: (body) => body
  },
  {
    decoder: "one of one's own",
    success: ResponseDecoder.make({
      accept: "*/*",
      decode: ({ bytes }) => Either.right(expectOwned(bytes))
    }),
    expected: (body) => body
  }
]

const small = '{"a":1}'
const large = JSON.stringify({ text: "é".repeat(100_000) })
const cookie = { "set-cookie": "session=topsecret", "content-type": "application/x-www-form-urlencoded" }

const bodies: ReadonlyArray<{
  readonly name: string
  readonly body: string
  readonly reply: TestServer.Reply
  readonly coded?: boolean
}> = [
  { name: "a small body", body: small, reply: TestServer.text(small, { headers: cookie }) },
  { name: "a large body", body: large, reply: TestServer.text(large, { headers: cookie }) },
  {
    name: "a body in chunks of one byte",
    body: small,
    reply: TestServer.chunks([...small], { headers: cookie })
  },
  {
    name: "a body in chunks of all sizes",
    body: JSON.stringify("x".repeat(20_000)),
    reply: TestServer.chunks(
      ['"', "x".repeat(1), "x".repeat(2_000), ..."x".repeat(99), "x".repeat(17_900), '"'],
      {
        headers: cookie
      }
    )
  },
  {
    name: "a body in gzip",
    body: small,
    reply: TestServer.bytes(new Uint8Array(gzipSync(small)), {
      headers: { ...cookie, "content-encoding": "gzip" }
    }),
    coded: true
  }
]

const sockets: ReadonlyArray<{
  readonly name: string
  readonly layer: Layer.Layer<HttpClient.HttpClient>
  readonly decodes: boolean
}> = [
  ...everyTransport.map(({ layer, name }) => ({ name, layer, decodes: name !== "platform undici" })),
  { name: "node:http", layer: NodeHttpClient.layer, decodes: false }
]

/** A client whose middleware reads the response first. */
const reading = (look: (response: Response) => Effect.Effect<unknown, unknown>, seen: Array<unknown>) => {
  const middleware: Middleware.Middleware = (request, next) =>
    Effect.tap(next(request), (response) =>
      Effect.map(Effect.orDie(look(response)), (value) => void seen.push(value))
    )
  return { middleware: [middleware] }
}

describe.each(sockets)("on $name", ({ decodes, layer }) => {
  const rows = bodies.filter(({ coded }) => coded !== true || decodes)

  it.scopedLive.each(rows)("8.4 every accessor and decoder reads $name", ({ body, reply }) =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": reply })
      const http = yield* HttpClient.HttpClient
      for (const { accessor, expected, read } of accessors) {
        // Once through the HttpClient, and once in a middleware.
        const seen: Array<unknown> = []
        const client = yield* clientOn(http, { baseUrl: server.url, ...reading(read, seen) })
        const plain = yield* clientOn(http, { baseUrl: server.url })
        const response = yield* ApiClient.httpClient(plain).get("/x")
        expect([accessor, yield* read(response)]).toEqual([accessor, expected(body)])
        expect(yield* client.get("/x", { success: ResponseDecoder.text })).toBe(body)
        expect([accessor, ...seen]).toEqual([accessor, expected(body)])
      }
      const client = yield* clientOn(http, { baseUrl: server.url })
      for (const { decoder, expected, read = Effect.succeed, success } of decoders) {
        const value = yield* client.execute(ApiRequest.get("/x", { success }))
        expect([decoder, yield* read(value)]).toEqual([decoder, expected(body)])
      }
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("8.4 changing one reader's bytes does not change another's", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": TestServer.text(small) })
      const overwrite = (response: Response) =>
        Effect.gen(function* () {
          new Uint8Array(yield* response.arrayBuffer).fill(0)
          yield* Stream.runForEach(response.stream, (chunk) => Effect.sync(() => chunk.fill(0)))
        })
      const client = yield* clientOn(yield* HttpClient.HttpClient, {
        baseUrl: server.url,
        ...reading(overwrite, [])
      })
      expect(yield* client.get("/x", { success: ResponseDecoder.json })).toEqual({ a: 1 })
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("8.8 a success by status is no error's body, and may be as large as any", () =>
    Effect.gen(function* () {
      const large = "x".repeat(100_000)
      const server = yield* TestServer.make({ "*": TestServer.text(large, { status: 404 }) })
      const client = yield* clientOn(yield* HttpClient.HttpClient, { baseUrl: server.url })
      expect(yield* client.get("/x", { success: { 404: ResponseDecoder.text } })).toBe(large)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("8.4 a failure decoder owns the bytes of an error's body", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": TestServer.text(small, { status: 404 }) })
      const client = yield* clientOn(yield* HttpClient.HttpClient, { baseUrl: server.url })
      const request = ApiRequest.get("/x", {
        failure: {
          404: ResponseDecoder.make({
            accept: "*/*",
            decode: ({ bytes }) => Either.right(expectOwned(bytes))
          })
        }
      })
      expect(yield* Effect.flip(client.execute(request))).toBe(small)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("8.4 headers describe the decoded body", () =>
    Effect.gen(function* () {
      const coded = new Uint8Array(gzipSync(small))
      const server = yield* TestServer.make({
        "GET /gzip": TestServer.bytes(coded, { headers: { "content-encoding": "gzip", etag: '"1"' } }),
        "GET /other": TestServer.bytes(utf8(small), { headers: { "content-encoding": "of-tomorrow" } }),
        "GET /none": TestServer.bytes(utf8(small), { headers: { "content-encoding": "identity" } })
      })
      const client = yield* clientOn(yield* HttpClient.HttpClient, { baseUrl: server.url })
      const headersOf = (path: `/${string}`, success: ResponseDecoder.Decodable) =>
        Effect.map(client.executeWithResponse(ApiRequest.get(path, { success })), ({ headers, value }) => {
          expect(value).toBeDefined()
          return [headers["content-encoding"], headers["content-length"]]
        })
      for (const success of [ResponseDecoder.bytes, ResponseDecoder.stream()]) {
        const gzip = decodes ? [undefined, undefined] : ["gzip", String(coded.length)]
        expect(yield* headersOf("/gzip", success)).toEqual(gzip)
        expect(yield* headersOf("/other", success)).toEqual(["of-tomorrow", "7"])
        expect(yield* headersOf("/none", success)).toEqual(["identity", "7"])
      }
    }).pipe(Effect.provide(layer))
  )
})

describe("on a scripted transport", () => {
  /** A view of a larger buffer, as Node's own chunks are. */
  const view = Buffer.from(`secret${small}secret`).subarray(6, 6 + small.length)

  it.effect.each(accessors)("8.4 $accessor reads only the view of a larger buffer", ({ expected, read }) =>
    Effect.gen(function* () {
      const headers = { "content-type": "application/x-www-form-urlencoded" }
      const { client: http } = yield* MockTransport.make(() => MockTransport.stream([view], { headers }))
      const client = yield* clientOn(http)
      const response = yield* ApiClient.httpClient(client).get("/x")
      expect(yield* Effect.either(read(response))).toEqual(Either.right(expected(small)))
    })
  )

  it.effect.each(decoders)(
    "8.4 $decoder reads only the view of a larger buffer",
    ({ expected, read, success }) =>
      Effect.gen(function* () {
        const { client: http } = yield* MockTransport.make(() => MockTransport.stream([view]))
        const client = yield* clientOn(http)
        const value = yield* client.execute(ApiRequest.get("/x", { success }))
        expect(yield* (read ?? Effect.succeed)(value)).toEqual(expected(small))
      })
  )
})
