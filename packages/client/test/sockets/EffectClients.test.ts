/** Libraries on Effect's `HttpClient` work with the client, over every transport. */
import {
  HttpApi,
  HttpApiClient,
  HttpApiEndpoint,
  HttpApiGroup,
  HttpApiSchema,
  type HttpClient,
  HttpRouter,
  Multipart
} from "@effect/platform"
import { NodeContext, NodeHttpClient } from "@effect/platform-node"
import { Rpc, RpcClient, RpcGroup, RpcSerialization, RpcServer } from "@effect/rpc"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient, Credentials } from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Chunk, Effect, Layer, Logger, Redacted, Schema, Stream } from "effect"
import { utf8 } from "../fixtures/bodies.js"
import { Todo, TodoMissing, withoutDelay } from "../fixtures/requests.js"
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

const Fields = Schema.Struct({ a: Schema.String, b: Schema.String })

const Api = HttpApi.make("api").add(
  HttpApiGroup.make("things")
    .add(HttpApiEndpoint.get("json", "/json").addSuccess(Todo).addError(TodoMissing, { status: 404 }))
    .add(HttpApiEndpoint.get("missing", "/missing").addSuccess(Todo).addError(TodoMissing, { status: 404 }))
    .add(HttpApiEndpoint.get("text", "/text").addSuccess(HttpApiSchema.Text()))
    .add(HttpApiEndpoint.get("bytes", "/bytes").addSuccess(HttpApiSchema.Uint8Array()))
    .add(
      HttpApiEndpoint.get("params", "/params").addSuccess(
        HttpApiSchema.withEncoding(Fields, { kind: "UrlParams" })
      )
    )
    .add(HttpApiEndpoint.get("empty", "/empty").addSuccess(HttpApiSchema.NoContent))
    .add(
      HttpApiEndpoint.post("send", "/send")
        .setPayload(Schema.Struct({ title: Schema.String }))
        .setHeaders(Schema.Struct({ "x-of-mine": Schema.String }))
        .addSuccess(Schema.Unknown)
    )
    .add(
      HttpApiEndpoint.post("upload", "/upload")
        .setPayload(HttpApiSchema.Multipart(Schema.Struct({ file: Multipart.SingleFileSchema })))
        .addSuccess(Schema.Unknown)
    )
)

const milk = { id: 1, title: "Buy milk" }
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

class NotThere extends Schema.TaggedError<NotThere>()("NotThere", { id: Schema.Number }) {}

const Group = RpcGroup.make(
  Rpc.make("Get", { payload: { id: Schema.Number }, success: Todo, error: NotThere }),
  Rpc.make("Count", { payload: { to: Schema.Number }, success: Schema.Number, stream: true })
)

/** A server of remote procedures behind a test server. */
const procedures = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() =>
      RpcServer.toWebHandler(Group, {
        layer: Layer.mergeAll(
          Group.toLayer({
            Get: ({ id }) => (id === 1 ? Effect.succeed(new Todo(milk)) : Effect.fail(new NotThere({ id }))),
            Count: ({ to }) => Stream.range(1, to)
          }),
          RpcSerialization.layerNdjson,
          NodeContext.layer,
          Layer.provideMerge(HttpRouter.Default.Live, NodeContext.layer)
        ) as never
      })
    ),
    ({ dispose }) => Effect.promise(() => dispose())
  ),
  ({ handler }): TestServer.Handler =>
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
        const { things } = yield* HttpApiClient.make(Api)
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
      const server = yield* TestServer.make({ "POST /rpc": yield* procedures })
      const protocol = RpcClient.layerProtocolHttp({ url: "/rpc" }).pipe(
        Layer.provide(RpcSerialization.layerNdjson),
        Layer.provide(clientOver(layer, server))
      )
      yield* Effect.gen(function* () {
        const client = yield* RpcClient.make(Group)
        expect(yield* client.Get({ id: 1 })).toEqual(new Todo(milk))
        expect(yield* Effect.flip(client.Get({ id: 2 }))).toEqual(new NotThere({ id: 2 }))
        const counted = yield* Stream.runCollect(client.Count({ to: 500 }))
        expect(Chunk.toReadonlyArray(counted)).toEqual(Array.from({ length: 500 }, (_, index) => index + 1))
      }).pipe(Effect.provide(protocol))
      const [request] = yield* server.requests
      expect(request?.headers["authorization"]).toBe("Bearer token")
    })
  )
})
