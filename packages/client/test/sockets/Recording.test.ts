/** A recording of real exchanges replays as the same values and errors, over every transport and for every kind of client. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { HttpClient, HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import {
  ApiClient,
  ApiRequest,
  Credentials,
  EventStream,
  FetchTransport,
  PromiseClient
} from "@effect-api/client"
import { Recording, TestServer } from "@effect-api/testing"
import { Effect, Layer, Logger, Redacted, Schema, Stream } from "effect"
import { todosClient } from "../fixtures/httpApis.js"
import { milk, Todo } from "../fixtures/requests.js"
import { transports } from "../fixtures/transports.js"

const token = "sk-live-0123456789"

const temporaryFile = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "recording-"))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
  ),
  (folder) => join(folder, "exchanges.har")
)

const events = TestServer.chunks(['data: "1"\n\n', `data: "${token}"\n\n`, 'data: "3"\n\ndata: [DONE]\n\n'], {
  headers: { "content-type": "text/event-stream" }
})

const bytes = Uint8Array.from({ length: 5000 }, (_, index) => index % 256)

const routes: TestServer.Routes = {
  "GET /todos/1": TestServer.json(milk, { headers: { "set-cookie": `session=${token}` } }),
  "POST /todos": TestServer.json({ id: 2, title: "Sleep" }, { status: 201 }),
  "GET /busy": TestServer.sequence(TestServer.empty(503), TestServer.json({ ok: true })),
  "GET /missing": ({ headers }) =>
    TestServer.json({ error: `${headers["authorization"]} finds none` }, { status: 404 }),
  "GET /moved": TestServer.empty(302, { location: `/todos/1?access_token=${token}` }),
  "GET /empty": TestServer.empty(204),
  "HEAD /todos/1": TestServer.json(milk),
  "GET /bytes": TestServer.bytes(bytes),
  "GET /nothing": TestServer.bytes(new Uint8Array(0)),
  "GET /events": events,
  "GET /cut": TestServer.text("0123456789").pipe(TestServer.resetAfter(4)),
  "GET /short": TestServer.chunks(["data: 1\n\n", "data: 2\n\n"], {
    headers: { "content-type": "text/event-stream" }
  }).pipe(TestServer.truncateAfter(9)),
  "GET /reset": TestServer.reset,
  "GET /early": TestServer.raw(
    "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n2\r\nok\r\n0\r\nx-sum: 1\r\n\r\n"
  ),
  "PUT /upload": ({ body }) => TestServer.json({ size: body.length })
}

const text = ApiRequest.get("/events", {
  events: EventStream.make({ event: Schema.String, terminal: "[DONE]" })
})

/** What a program sees of a result. */
const seen = <A, E extends { readonly _tag: string; readonly message: string }, R>(
  effect: Effect.Effect<A, E, R>
) =>
  Effect.match(effect, {
    onSuccess: (value) => [value instanceof Uint8Array ? [...value] : value] as const,
    onFailure: ({ _tag, message }) => [_tag, message] as const
  })

const calls = (url: string) =>
  Effect.gen(function* () {
    const client = yield* ApiClient.make({
      baseUrl: url,
      credentials: Credentials.bearer(Redacted.make(token)),
      retry: { maxRetries: 1, initialDelay: 0 }
    })
    const upload = ApiRequest.put("/upload", {
      bodyStream: Stream.make(new Uint8Array(3), new Uint8Array(4))
    })
    return yield* Effect.all([
      seen(client.get("/todos/1")),
      seen(client.post("/todos", { body: { title: "Sleep", key: Redacted.make(token) } })),
      seen(client.get("/busy")),
      seen(client.get("/missing")),
      seen(client.get("/moved")),
      seen(client.get("/empty")),
      seen(client.head("/todos/1")),
      seen(client.get("/nothing")),
      seen(client.get("/reset")),
      seen(client.execute(ApiRequest.get("/cut", { success: Schema.String }))),
      seen(client.execute(upload)),
      seen(Stream.runCollect(client.stream(text)).pipe(Effect.map((events) => [...events])))
    ])
  })

/** Records a program over a transport, and replays it after the server is gone. */
const both = <A, E>(
  layer: Layer.Layer<HttpClient.HttpClient>,
  program: (url: string) => Effect.Effect<A, E, HttpClient.HttpClient>
) =>
  Effect.gen(function* () {
    const file = yield* temporaryFile
    const { real, url } = yield* Effect.scoped(
      Effect.gen(function* () {
        const { url } = yield* TestServer.make(routes)
        const recording = Layer.provide(Recording.record({ file }), layer)
        return { url, real: yield* Effect.provide(program(url), recording) }
      })
    )
    const replay = Effect.zipLeft(program(url), Recording.expectAllUsed)
    return {
      real,
      replayed: yield* Effect.provide(replay, Recording.replay({ file })),
      file: readFileSync(file, "utf8")
    }
  }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))

describe.each(transports)("over $name", ({ layer }) => {
  it.scopedLive(
    "a client's calls, errors, retries, redirects, uploads and events replay, without its secrets",
    () =>
      Effect.gen(function* () {
        const { file, real, replayed } = yield* both(layer, calls)
        const shown = JSON.stringify(real)
          .replaceAll(token, "<redacted>")
          .replaceAll("Bearer <redacted>", "<redacted>")
        expect(JSON.stringify(replayed)).toBe(shown)
        expect(file).not.toContain(token)
        expect(real[2]).toEqual([{ ok: true }])
        expect(real[4]).toEqual([milk])
        expect(real.at(-2)).toEqual([{ size: 7 }])
        expect(real.at(-1)).toEqual([["1", token, "3"]])
      })
  )

  it.scopedLive(
    "a plain client's exchanges replay: bytes, informational responses, trailers, broken bodies",
    () =>
      Effect.gen(function* () {
        const { real, replayed } = yield* both(layer, (url) =>
          Effect.gen(function* () {
            const client = yield* HttpClient.HttpClient
            const read = (path: string) =>
              Effect.flatMap(client.get(`${url}${path}`), (response) =>
                Effect.map(response.arrayBuffer, (bytes) => [response.status, ...new Uint8Array(bytes)])
              )
            const events = Effect.flatMap(client.get(`${url}/short`), (response) =>
              Stream.runCollect(Stream.decodeText(response.stream))
            )
            return yield* Effect.all([
              seen(read("/bytes")),
              seen(read("/early")),
              seen(read("/empty")),
              seen(read("/nothing")),
              seen(read("/cut")),
              seen(events)
            ])
          })
        )
        expect(replayed).toEqual(real)
        expect(real[1]).toEqual([[200, ...Buffer.from("ok")]])
      })
  )
})

const fetch = FetchTransport.layer

describe("a recording serves", () => {
  it.scopedLive("HttpApiClient on a client", () =>
    Effect.gen(function* () {
      const { replayed } = yield* both(fetch, (baseUrl) =>
        Effect.flatMap(todosClient, (todos) => todos.get(1)).pipe(
          Effect.provide(Layer.provide(ApiClient.layerHttpClient, ApiClient.layer({ baseUrl })))
        )
      )
      expect(replayed).toEqual(new Todo(milk))
    })
  )

  it.scopedLive("HttpApiClient without a client", () =>
    Effect.gen(function* () {
      const { replayed } = yield* both(fetch, (url) =>
        Effect.gen(function* () {
          const client = yield* HttpClient.HttpClient
          const based = HttpClient.mapRequest(client, HttpClientRequest.prependUrl(url))
          const todos = yield* Effect.provideService(todosClient, HttpClient.HttpClient, based)
          return yield* todos.get(1)
        })
      )
      expect(replayed).toEqual(new Todo(milk))
    })
  )

  it.scopedLive("a promise client, which writes the file when it closes", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const server = yield* TestServer.make(routes)
      const run = (transport: Layer.Layer<HttpClient.HttpClient, unknown>) =>
        Effect.promise(async () => {
          await using client = PromiseClient.make({ baseUrl: server.url, transport })
          return await client.execute(ApiRequest.get("/todos/1", { success: Todo }))
        })
      expect(yield* run(Layer.provide(Recording.record({ file }), fetch))).toEqual(new Todo(milk))
      expect(yield* run(Recording.replay({ file }))).toEqual(new Todo(milk))
      expect(yield* server.requests).toHaveLength(1)
    })
  )
})
