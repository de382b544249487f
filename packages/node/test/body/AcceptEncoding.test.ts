import * as zlib from "node:zlib"
import { HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient, ApiRequest, type Middleware, ResponseDecoder } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Chunk, Effect, Stream } from "effect"
import { clientOf } from "../fixtures/clients.js"

const value = { text: "hello" }
const plain = Buffer.from(JSON.stringify(value))
const get = ApiRequest.get("/x")
const file = ApiRequest.get("/x", { success: ResponseDecoder.stream() })

const joined = <E>(stream: Stream.Stream<Uint8Array, E>) =>
  Effect.map(Stream.runCollect(stream), (chunks) => String(Buffer.concat(Chunk.toReadonlyArray(chunks))))

const coded = TestServer.bytes(zlib.gzipSync(plain), {
  headers: { "content-type": "application/json", "content-encoding": "gzip" }
})

describe("accept-encoding: null", () => {
  const none = { "accept-encoding": null }
  const sentEncodings = (
    options: Parameters<typeof clientOf>[1],
    run: (client: ApiClient.ApiClient) => unknown
  ) =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "GET /from": TestServer.empty(307, { location: "/to" }),
        "*": coded
      })
      const client = yield* clientOf(server, options)
      const read = yield* run(client) as Effect.Effect<unknown>
      return [read, (yield* server.requests).map(({ headers }) => headers["accept-encoding"])]
    })
  const once = [undefined]

  it.scopedLive("4.1 the client, withOptions or a request can remove it", () =>
    Effect.gen(function* () {
      expect(yield* sentEncodings({ headers: none }, (client) => client.execute(get))).toEqual([value, once])
      expect(
        yield* sentEncodings({}, (client) => client.withOptions({ headers: none }).execute(get))
      ).toEqual([value, once])
      expect(yield* sentEncodings({}, (client) => client.get("/x", { headers: none }))).toEqual([value, once])
      expect(
        yield* sentEncodings({ headers: none }, (client) =>
          client.get("/x", { headers: { "Accept-Encoding": "br" } })
        )
      ).toEqual([value, ["br"]])
    })
  )

  it.scopedLive(
    "4.1 it stays removed for a stream, through middleware, after a redirect and for a range",
    () =>
      Effect.gen(function* () {
        const middleware = [
          (request: HttpClientRequest.HttpClientRequest, next: Middleware.Next) =>
            next(HttpClientRequest.setHeader(request, "x-other", "1"))
        ]
        const stream = (client: ApiClient.ApiClient) => Effect.flatMap(client.execute(file), joined)
        expect(yield* sentEncodings({ headers: none, middleware }, stream)).toEqual([String(plain), once])
        expect(
          yield* sentEncodings({ headers: none, middleware }, (client) =>
            client.execute(ApiRequest.get("/from"))
          )
        ).toEqual([value, [undefined, undefined]])
        expect(
          yield* sentEncodings({ headers: none }, (client) =>
            client.get("/x", { headers: { range: "bytes=0-6" } })
          )
        ).toEqual([value, once])
      })
  )

  it.scopedLive("4.1 it stays removed for a client used as an HttpClient", () =>
    Effect.gen(function* () {
      const read = (client: ApiClient.ApiClient) =>
        Effect.flatMap(ApiClient.httpClient(client).get("/x"), (response) => response.json)
      expect(yield* sentEncodings({ headers: none }, read)).toEqual([value, once])
    })
  )
})
