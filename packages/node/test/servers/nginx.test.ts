import { expect, layer } from "@effect/vitest"
import { type ApiConfig, ApiRequest, EventStream, ResponseDecoder } from "@effect-api/client"
import type { NodeTransport } from "@effect-api/node"
import { Chunk, Effect, Redacted, Schema, Stream } from "effect"
import { clientOf, once, settled } from "../fixtures/clients.js"
import * as Server from "../fixtures/nginx.js"
import { describeWith } from "../fixtures/programs.js"

const { ca, client: shown } = Server.certificates

interface Said {
  readonly connection: number
  readonly protocol: string
  readonly tls: string
  readonly client: string
}

const said = ApiRequest.get("/said", {
  success: Schema.Struct({
    connection: Schema.Number,
    protocol: Schema.String,
    tls: Schema.String,
    client: Schema.String
  })
})

type Name = keyof Server.Nginx["url"]

/** A client of one of nginx's servers that trusts its authority. */
const over = (
  name: Name,
  options: Partial<ApiConfig.Options> = {},
  transport: NodeTransport.Options = { tls: { ca: [ca] } }
) =>
  Effect.flatMap(Server.Nginx, ({ url }) =>
    clientOf({ url: url[name] }, options, { proxy: "none", ...transport })
  )

const h2 = { tls: { ca: [ca] }, allowH2: true } as const

const joined = <E>(stream: Stream.Stream<Uint8Array, E>) =>
  Effect.map(Stream.runCollect(stream), (chunks) => Buffer.concat(Chunk.toReadonlyArray(chunks)).toString())

const events = EventStream.make({ event: Schema.Struct({ n: Schema.Number }) })
const pieces = Stream.fromIterable(Array.from({ length: 64 }, () => new Uint8Array(64 * 1024)))

/** The behaviour over every kind of connection. */
const ways: ReadonlyArray<readonly [string, Name, NodeTransport.Options]> = [
  ["HTTP/1.1", "plain", {}],
  ["TLS", "tls", { tls: { ca: [ca] } }],
  ["HTTP/2", "h2", h2]
]

describeWith("nginx", () => {
  layer(Server.layer, { excludeTestServices: true })((it) => {
    it.scoped.each(ways)("8.2 over %s: a value, a HEAD, an empty response", ([, name, options]) =>
      Effect.gen(function* () {
        const client = yield* over(name, {}, options)
        const { protocol } = yield* client.execute(said)
        expect(protocol).toBe(name === "h2" ? "HTTP/2.0" : "HTTP/1.1")
        const head = yield* client.executeWithResponse(
          ApiRequest.head("/plain.json", { success: ResponseDecoder.empty })
        )
        expect(head.headers["content-length"]).toBe(String(Server.document.length))
        expect(yield* client.execute(ApiRequest.get("/empty"))).toBeUndefined()
      })
    )

    it.scoped.each(ways)("8.2 over %s: a document plain, gzipped and chunked", ([, name, options]) =>
      Effect.gen(function* () {
        const client = yield* over(name, {}, options)
        for (const path of ["/plain.json", "/document.json"] as const) {
          const whole = yield* client.executeWithResponse(
            ApiRequest.get(path, { success: ResponseDecoder.text })
          )
          expect(whole.value).toBe(Server.document)
          expect(whole.headers["content-encoding"]).toBeUndefined()
          const stream = yield* client.execute(ApiRequest.get(path, { success: ResponseDecoder.stream() }))
          expect(yield* joined(stream)).toBe(Server.document)
        }
        const chunked = yield* client.executeWithResponse(ApiRequest.get("/chunked"))
        expect(chunked.value).toBe("in chunks")
        expect(chunked.headers["transfer-encoding"]).toBe(name === "h2" ? undefined : "chunked")
      })
    )

    it.scoped.each(ways)("5 over %s: bodies, with a length and without", ([, name, options]) =>
      Effect.gen(function* () {
        const client = yield* over(name, {}, options)
        const bytes = new Uint8Array(300_000)
        expect(yield* client.execute(ApiRequest.post("/origin/size", { bytes }))).toEqual({
          size: 300_000,
          length: "300000"
        })
        const bodyStream = () => pieces
        expect(yield* client.execute(ApiRequest.post("/origin/size", { bodyStream }))).toEqual({
          size: 4 * 1024 * 1024,
          length: null
        })
      })
    )

    it.scoped.each(ways)("10.7 over %s: leaving an event stream reaches the origin", ([, name, options]) =>
      Effect.gen(function* () {
        const { origin } = yield* Server.Nginx
        const asked = yield* origin.requestCount
        const client = yield* over(name, {}, options)
        const stream = client.stream(ApiRequest.get("/origin/events", { events }))
        const two = yield* Stream.runCollect(Stream.take(stream, 2))
        expect(Chunk.toReadonlyArray(two)).toEqual([{ n: 1 }, { n: 2 }])
        expect(yield* origin.awaitClosed(asked)).toBe("client")
        // Leaving a stream costs an HTTP/1.1 connection, but over HTTP/2 only that stream.
        expect((yield* client.execute(said)).connection).toBeGreaterThan(0)
      })
    )

    const refusals: ReadonlyArray<readonly [string, ApiRequest.ApiRequest<unknown>, object, object?]> = [
      [
        "a body above its limit",
        ApiRequest.post("/small", { bytes: new Uint8Array(1024 * 1024) }),
        { _tag: "RequestTooLargeError", body: expect.stringContaining("<html>") }
      ],
      [
        "a header above its limit",
        ApiRequest.get("/said", { headers: { "x-long": "v".repeat(40_000) } }),
        { _tag: "BadRequestError", body: expect.stringContaining("Too Large") },
        // Over HTTP/1.1 it closes without a notice.
        { _tag: "ConnectionError", kind: "reset", code: "ERR_HTTP2_ENHANCE_YOUR_CALM" }
      ],
      [
        "too many requests",
        ApiRequest.get("/busy"),
        { _tag: "RateLimitError", message: expect.stringContaining("429") }
      ],
      ["an origin that is down", ApiRequest.get("/dead"), { _tag: "InternalServerError", status: 502 }],
      ["an origin that breaks off", ApiRequest.get("/origin/broken"), { _tag: "ConnectionError" }]
    ]
    for (const [way, name, options] of ways) {
      it.scoped.each(refusals)(`7.1 over ${way}: %s`, ([, request, told, overH2]) =>
        Effect.gen(function* () {
          const client = yield* over(name, { retry: once }, options)
          const error = yield* Effect.flip(client.execute(request))
          expect(error).toMatchObject(name === "h2" ? (overH2 ?? told) : told)
          expect(yield* client.execute(said)).toMatchObject({ connection: expect.any(Number) })
        })
      )
    }

    it.scoped("8.1 a redirect is followed over the same connection", () =>
      Effect.gen(function* () {
        const client = yield* over("plain")
        const first = yield* client.execute(said)
        const second = (yield* client.execute(ApiRequest.get("/moved"))) as Said
        expect(second.connection).toBe(first.connection)
      })
    )

    it.scoped("6.10 a connection limited to three requests closes after the third without a retry", () =>
      Effect.gen(function* () {
        const client = yield* over("few")
        const connections: Array<number> = []
        for (let call = 0; call < 12; call++) {
          yield* settled
          const { attempts, value } = yield* client.executeWithResponse(said)
          expect(attempts).toHaveLength(1)
          connections.push(value.connection)
        }
        expect(new Set(connections).size).toBe(4)
      })
    )

    it.scoped("6.10 connections that close at any moment cost a GET no attempt and lose no POST", () =>
      Effect.gen(function* () {
        const client = yield* over("brief", { retry: { initialDelay: 0, budget: false } })
        const connections = new Set<number>()
        for (let call = 0; call < 300; call++) {
          const { attempts, value } = yield* client.executeWithResponse(said)
          expect(attempts).toHaveLength(1)
          connections.add(value.connection)
        }
        expect(connections.size).toBeGreaterThan(1)
        const post = ApiRequest.post("/said", { body: { a: 1 } })
        for (let call = 0; call < 300; call++) yield* client.execute(post)
        yield* Effect.forEach(
          Array.from({ length: 300 }),
          () =>
            Effect.map(client.executeWithResponse(said), ({ attempts }) => expect(attempts).toHaveLength(1)),
          { concurrency: 20, discard: true }
        )
      })
    )

    it.scoped.each([
      ["1.3", "tls"],
      ["1.2", "old"]
    ] as const)("1.1 speaks TLS %s with a custom authority", ([version, name]) =>
      Effect.gen(function* () {
        const client = yield* over(name)
        expect(yield* client.execute(said)).toMatchObject({ tls: `TLSv${version}` })
      })
    )

    it.scoped("1.1 sends its certificate to a server that requires one, and is rejected without", () =>
      Effect.gen(function* () {
        const { cert, key } = shown
        const client = yield* over("mutual", {}, { tls: { ca: [ca], cert, key: Redacted.make(key) } })
        expect(yield* client.execute(said)).toMatchObject({ client: "CN=client" })
        const anonymous = yield* over("mutual", { retry: once })
        expect(yield* Effect.flip(anonymous.execute(said))).toMatchObject({
          _tag: "BadRequestError",
          body: expect.stringContaining("No required SSL certificate was sent")
        })
      })
    )

    it.scoped("6.1 rejects an authority that is not trusted", () =>
      Effect.gen(function* () {
        const client = yield* over("tls", {}, {})
        expect(yield* Effect.flip(client.execute(said))).toMatchObject({
          _tag: "ConnectionError",
          kind: "tls",
          code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
          delivery: "not-sent",
          stoppedBy: "not-retryable"
        })
      })
    )

    it.scoped("1.1 over HTTP/2 many calls share a connection", () =>
      Effect.gen(function* () {
        // So many may be in flight on one connection: undici would open another for each.
        const client = yield* over("h2", {}, { ...h2, pipelining: 100 })
        yield* client.execute(said)
        const many = yield* Effect.all(
          Array.from({ length: 300 }, () => client.execute(said)),
          { concurrency: 100 }
        )
        expect(new Set(many.map(({ protocol }) => protocol))).toEqual(new Set(["HTTP/2.0"]))
        expect(new Set(many.map(({ connection }) => connection)).size).toBeLessThan(10)
      })
    )

    it.scoped("6.10 over HTTP/2 a connection that closes after its tenth request loses no call", () =>
      Effect.gen(function* () {
        const client = yield* over("fewH2", { retry: { initialDelay: 0, budget: false } }, h2)
        for (let call = 0; call < 35; call++) yield* client.execute(said)
        const many = yield* Effect.all(
          Array.from({ length: 100 }, () => client.execute(said)),
          { concurrency: 8 }
        )
        expect(many).toHaveLength(100)
      })
    )
  })
})
