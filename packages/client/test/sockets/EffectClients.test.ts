/** Libraries on Effect's `HttpClient` work with the client, over every transport. */
import type { HttpClient } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { RpcClient, RpcSerialization } from "@effect/rpc"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient, Credentials } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Chunk, Effect, Layer, Logger, Redacted, Stream } from "effect"
import { utf8 } from "../fixtures/bodies.js"
import { thingsClient } from "../fixtures/httpApis.js"
import { NotThere, Procedures, proceduresHandler } from "../fixtures/procedures.js"
import { milk, Todo, TodoMissing, withoutDelay } from "../fixtures/requests.js"
import { transports } from "../fixtures/transports.js"

const sockets: ReadonlyArray<{
  readonly name: string
  readonly layer: Layer.Layer<HttpClient.HttpClient>
}> = [
  ...transports,
  { name: "node:http", layer: Layer.merge(NodeHttpClient.layer, Logger.remove(Logger.defaultLogger)) }
]

/** The client over a transport, as an `HttpClient`. */
const clientOver = (layer: Layer.Layer<HttpClient.HttpClient>, { url }: { readonly url: string }) =>
  ApiClient.layerHttpClient.pipe(
    Layer.provide(
      ApiClient.layer({
        baseUrl: url,
        credentials: Credentials.bearer(Redacted.make("token")),
        retry: withoutDelay,
        // A timeout must not change the response that is read.
        timeouts: { total: "1 minute" }
      })
    ),
    Layer.provideMerge(layer)
  )

const file = utf8("é".repeat(2000))

const routes: TestServer.Routes = {
  "GET /json": TestServer.sequence(TestServer.empty(503), TestServer.json(milk)),
  "GET /missing": TestServer.json({ _tag: "TodoMissing", message: "no such todo" }, { status: 404 }),
  "GET /text": TestServer.text("plain ✓"),
  "GET /bytes": TestServer.bytes(file, { headers: { "set-cookie": "session=secret" } }),
  "GET /params": TestServer.text("a=1&b=%C3%A9", {
    headers: { "content-type": "application/x-www-form-urlencoded" }
  }),
  "GET /empty": TestServer.empty(204),
  "POST /send": ({ headers, json }) =>
    TestServer.json([json, headers["x-of-mine"], headers["authorization"]]),
  "POST /upload": (request) =>
    Effect.promise(async () => {
      const form = await new Response(request.body.slice(), {
        headers: { "content-type": request.headers["content-type"] ?? "" }
      }).formData()
      const sent = form.get("file") as File
      return TestServer.json([sent.name, sent.size])
    })
}

/** The same server behind a test server. */
const procedures = Effect.map(
  proceduresHandler,
  (handler): TestServer.Handler =>
    ({ body, headers, method }) =>
      Effect.promise(async () => {
        const response = await handler(
          new Request("http://rpc.test/rpc", { method, headers: headers as never, body: body.slice() })
        )
        const { "content-type": type = "" } = Object.fromEntries(response.headers)
        return TestServer.bytes(new Uint8Array(await response.arrayBuffer()), {
          status: response.status,
          headers: { "content-type": type }
        })
      })
)

describe.each(sockets)("on $name", ({ layer }) => {
  it.scopedLive("8.4 HttpApiClient reads every kind of response and sends every kind of request", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make(routes)
      yield* Effect.gen(function* () {
        const things = yield* thingsClient
        expect(yield* things.json()).toEqual(new Todo(milk))
        expect(yield* Effect.flip(things.missing())).toEqual(new TodoMissing({ message: "no such todo" }))
        expect(yield* things.text()).toBe("plain ✓")
        const bytes = yield* things.bytes()
        expect(Buffer.compare(bytes, file)).toBe(0)
        expect(bytes.buffer.byteLength).toBe(file.length)
        expect(yield* things.params()).toEqual({ a: "1", b: "é" })
        expect(yield* things.empty()).toBeUndefined()
        const sent = yield* things.send({ payload: { title: "Sleep" }, headers: { "x-of-mine": "1" } })
        expect(sent).toEqual([{ title: "Sleep" }, "1", "Bearer token"])
        const form = new FormData()
        form.set("file", new File([file.slice()], "all.txt"))
        expect(yield* things.upload({ payload: form })).toEqual(["all.txt", file.length])
      }).pipe(Effect.provide(clientOver(layer, server)))
    })
  )

  it.scopedLive("8.4 @effect/rpc calls procedures and streams their results", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({ "*": yield* procedures })
      const protocol = RpcClient.layerProtocolHttp({ url: "/rpc" }).pipe(
        Layer.provide(RpcSerialization.layerNdjson),
        Layer.provide(clientOver(layer, server))
      )
      yield* Effect.gen(function* () {
        const client = yield* RpcClient.make(Procedures)
        expect(yield* client.Get({ id: 1 })).toEqual(new Todo(milk))
        expect(yield* Effect.flip(client.Get({ id: 2 }))).toEqual(new NotThere({ id: 2 }))
        const counted = yield* Stream.runCollect(client.Count({ to: 500 }))
        expect(Chunk.toReadonlyArray(counted)).toEqual(Array.from({ length: 500 }, (_, index) => index + 1))
      }).pipe(Effect.provide(protocol))
      const [request] = yield* server.requests
      expect(request?.headers["authorization"]).toBe("Bearer token")
      // Effect 4 appends a slash.
      expect(request?.url).toMatch(/^\/rpc\/?$/)
    })
  )
})
