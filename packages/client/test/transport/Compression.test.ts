import { gunzipSync } from "node:zlib"
import { HttpBody, HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient, ApiRequest, Compression, EventStream, type Middleware, Signing } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Fiber, Redacted, Schema, Stream } from "effect"
import { scripted, sentFor, withoutDelay } from "../fixtures/requests.js"

const large = "all work and no play makes a dull body. ".repeat(100)
const gzip = { compression: Compression.gzip() }
const ok = MockTransport.json(null)
const refusal = (headers: Record<string, string> = {}) => MockTransport.empty(415, { headers })

const bytesOf = ({ body }: MockTransport.MockRequest): Uint8Array => body ?? new Uint8Array(0)

/** How a request was sent: plain or compressed, and what the server makes of it. */
const shown = (request: MockTransport.MockRequest) => {
  const encoding = request.headers["content-encoding"]
  const content = encoding === "gzip" ? gunzipSync(bytesOf(request)) : bytesOf(request)
  return { encoding, text: new TextDecoder().decode(content) }
}

const only = (...args: Parameters<typeof sentFor>) =>
  Effect.flatMap(sentFor(...args), (requests) => Effect.fromNullable(requests[0]))

const text = (options: object = {}) => ApiRequest.post("/x", { text: large, ...options })

describe("what is compressed", () => {
  it.effect("5.5 a large body is compressed, with its coding and its length", () =>
    Effect.gen(function* () {
      const request = yield* only(text(), gzip)
      expect(shown(request)).toEqual({ encoding: "gzip", text: large })
      expect(request.headers["content-length"]).toBe(String(bytesOf(request).length))
      expect(request.headers["content-type"]).toBe("text/plain; charset=utf-8")
      expect(bytesOf(request).length).toBeLessThan(large.length / 10)
    })
  )

  it.effect.each([
    ["JSON", ApiRequest.post("/x", { body: { large } })],
    ["a form", ApiRequest.post("/x", { form: { large } })],
    ["bytes", ApiRequest.put("/x", { bytes: new TextEncoder().encode(large) })],
    ["a form of text", ApiRequest.post("/x", { multipart: { large } })],
    ["a stream", ApiRequest.post("/x", { bodyStream: Stream.make(new TextEncoder().encode(large)) })],
    [
      "a stream that says its length",
      ApiRequest.post("/x", {
        bodyStream: () => Stream.make(new TextEncoder().encode(large)),
        headers: { "content-length": large.length }
      })
    ],
    ["an image of text", text({ headers: { "content-type": "image/svg+xml" } })],
    ["any method", ApiRequest.make("QUERY")("/x", { text: large })]
  ] as const)("5.5 %s is", ([, request]) =>
    Effect.gen(function* () {
      const sent = yield* only(request, gzip)
      expect(shown(sent).encoding).toBe("gzip")
      expect(shown(sent).text).toContain("work")
      if (request.options.bodyStream !== undefined) expect(sent.headers).not.toHaveProperty("content-length")
    })
  )

  const random = crypto.getRandomValues(new Uint8Array(4096))

  it.effect.each([
    ["no body", ApiRequest.post("/x")],
    ["a small one", ApiRequest.post("/x", { text: "x".repeat(1023) })],
    [
      "a short stream",
      text({ text: undefined, bodyStream: Stream.make(new Uint8Array(9)), headers: { "content-length": 9 } })
    ],
    ["one that gets no smaller", ApiRequest.put("/x", { bytes: random })],
    ["one that is encoded", text({ headers: { "content-encoding": "br" } })],
    ["one whose coding is removed", text({ headers: { "content-encoding": null } })],
    ["one with a digest", text({ headers: { "Content-Digest": "sha-256=:x:" } })],
    ["a part", text({ headers: { "content-range": "bytes 0-9/10" } })],
    ["an image", text({ headers: { "content-type": "image/png" } })],
    ["an archive", text({ headers: { "content-type": "application/zip" } })],
    ["a form with a file", text({ text: undefined, multipart: { large, file: new Blob([large]) } })],
    ["one that asks for none", text({ compression: false })]
  ] as const)("5.5 %s is sent as it is", ([, request]) =>
    Effect.gen(function* () {
      const sent = yield* only(request, gzip)
      expect(sent.headers["content-encoding"] ?? "none").not.toBe("gzip")
    })
  )

  it.effect("5.5 a size, and a request's own setting, decide", () =>
    Effect.gen(function* () {
      const small = ApiRequest.post("/x", { text: "x".repeat(200) })
      expect(shown(yield* only(small, { compression: Compression.gzip({ minBytes: 100 }) })).encoding).toBe(
        "gzip"
      )
      expect(shown(yield* only(text(gzip))).encoding).toBe("gzip")
      expect(shown(yield* only(text(gzip), { compression: false })).encoding).toBe("gzip")
      expect(shown(yield* only(text(), { compression: false })).encoding).toBeUndefined()
      const { client, transport } = yield* scripted([ok], gzip)
      yield* client.withOptions({ compression: false }).execute(text())
      expect(shown((yield* transport.requests)[0] as MockTransport.MockRequest).encoding).toBeUndefined()
    })
  )

  it.effect("5.5 progress counts the bytes before compression", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const request = text({ onUpload: (progress: unknown) => seen.push(progress) })
      expect(shown(yield* only(request, gzip))).toEqual({ encoding: "gzip", text: large })
      expect(seen).toEqual([{ bytes: large.length, total: large.length }])
    })
  )

  it.effect("5.5 the client as a plain HttpClient compresses too", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([ok, ok], gzip)
      const http = ApiClient.httpClient(client)
      const request = HttpClientRequest.post("/x")
      yield* http.execute(HttpClientRequest.setBody(request, HttpBody.text(large)))
      yield* http.execute(HttpClientRequest.setBody(request, HttpBody.text("small")))
      expect((yield* transport.requests).map((sent) => shown(sent).encoding)).toEqual(["gzip", undefined])
    })
  )
})

describe("a compressed request", () => {
  it.effect("5.5 is compressed once for all attempts and redirects", () =>
    Effect.gen(function* () {
      const bodies = new Set<unknown>()
      const seeing: Middleware.Middleware = (request, next) => {
        bodies.add(request.body)
        return next(request)
      }
      const requests = yield* sentFor(text(), { ...gzip, middleware: [seeing], retry: withoutDelay }, [
        MockTransport.empty(503),
        MockTransport.empty(307, { headers: { location: "/y" } }),
        ok
      ])
      expect(requests.map(shown)).toEqual(Array(3).fill({ encoding: "gzip", text: large }))
      expect(bodies.size).toBe(1)
    })
  )

  it.effect("5.5 is what middleware sees", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const seeing: Middleware.Middleware = (request, next) => {
        const { body, headers } = request
        seen.push([
          headers["content-encoding"],
          headers["content-length"],
          body._tag === "Uint8Array" && body.body.length
        ])
        return next(request)
      }
      const sent = yield* only(text(), { ...gzip, middleware: [seeing] })
      expect(seen).toEqual([["gzip", String(bytesOf(sent).length), bytesOf(sent).length]])
    })
  )

  it.effect("5.5 is what a signature covers, and the request that follows a 415 has its own", () =>
    Effect.gen(function* () {
      const seen: Array<readonly [encoding: string | undefined, size: number | undefined]> = []
      const credentials = Signing.credentials(({ body, headers }) =>
        Effect.sync(() => {
          seen.push([headers["content-encoding"], body?.length])
          return { "x-signature": `signature-${seen.length}` }
        })
      )
      const requests = yield* sentFor(text(), { compression: Compression.gzip(), credentials }, [
        refusal(),
        ok
      ])
      expect(seen).toEqual(
        requests.map((request) => [request.headers["content-encoding"], bytesOf(request).length])
      )
      expect(requests.map(({ headers }) => headers["x-signature"])).toEqual(["signature-1", "signature-2"])
    })
  )

  it.effect("5.5 is sent for a stream of events too", () =>
    Effect.gen(function* () {
      const events = EventStream.make({ event: Schema.Unknown })
      const { client, transport } = yield* scripted(
        [refusal(), MockTransport.text("data: 1\n\n", { headers: { "content-type": "text/event-stream" } })],
        { compression: Compression.gzip() }
      )
      const got = yield* Stream.runCollect(client.stream(ApiRequest.post("/x", { text: large, events })))
      expect([...got]).toEqual([1])
      const encodings = (yield* transport.requests).map((request) => shown(request).encoding)
      expect(encodings).toEqual(["gzip", undefined])
    })
  )

  it.effect("5.5 becomes a GET without its coding after a 303", () =>
    Effect.gen(function* () {
      const requests = yield* sentFor(text(), gzip, [
        MockTransport.empty(303, { headers: { location: "/y" } }),
        ok
      ])
      expect(requests[1]).toMatchObject({ method: "GET", text: "" })
      expect(requests[1]?.headers).not.toHaveProperty("content-encoding")
    })
  )

  it.effect("12.4 with a secret in its body does not follow a redirect to another origin", () =>
    Effect.gen(function* () {
      const request = ApiRequest.post("/x", { body: { large, key: Redacted.make("hunter2") } })
      const script = [MockTransport.empty(307, { headers: { location: "https://other.test/y" } }), ok]
      expect(yield* sentFor(request, gzip, script)).toHaveLength(1)
      const { client } = yield* scripted([MockTransport.empty(400)], gzip)
      const error = yield* Effect.flip(client.execute(request))
      expect(JSON.stringify(error) + String(error)).not.toContain("hunter2")
    })
  )

  it.effect("5.3 whose source fails is never sent as complete, and its failure is the cause", () =>
    Effect.gen(function* () {
      const cause = new Error("from the source")
      const source = Stream.concat(Stream.make(new TextEncoder().encode(large)), Stream.fail(cause))
      const { client } = yield* scripted([ok, ok], gzip)
      const error = yield* Effect.flip(client.execute(ApiRequest.post("/x", { bodyStream: source })))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field: "bodyStream", cause })
      const short = ApiRequest.post("/x", {
        bodyStream: Stream.make(new Uint8Array(2000)),
        headers: { "content-length": 3000 }
      })
      expect(yield* Effect.flip(client.execute(short))).toMatchObject({
        _tag: "InvalidRequestError",
        reason: expect.stringContaining("2000 of the 3000 bytes")
      })
    })
  )

  it.effect("8.6 that is interrupted closes its source", () =>
    Effect.gen(function* () {
      let isClosed = false
      const endless = Stream.ensuring(
        Stream.concat(Stream.make(new Uint8Array(5000)), Stream.never),
        Effect.sync(() => {
          isClosed = true
        })
      )
      const { client } = yield* scripted([ok], gzip)
      const fiber = yield* Effect.fork(client.execute(ApiRequest.post("/x", { bodyStream: endless })))
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      yield* Fiber.interrupt(fiber)
      expect(isClosed).toBe(true)
    })
  )
})

describe("a server that refuses", () => {
  const encodings = (requests: ReadonlyArray<MockTransport.MockRequest>) =>
    requests.map((request) => shown(request).encoding ?? "plain")

  const calls = (
    script: MockTransport.Script,
    count: number,
    request: ApiRequest.ApiRequest<unknown> = text()
  ) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(script, {
        compression: Compression.gzip(),
        retry: withoutDelay
      })
      const ended = yield* Effect.replicateEffect(Effect.either(client.execute(request)), count)
      return { tags: ended.map(({ _tag }) => _tag), encodings: encodings(yield* transport.requests) }
    })

  it.effect("5.6 gets the request again as it is, and from then on no compressed one", () =>
    Effect.gen(function* () {
      expect(yield* calls([refusal(), ok, ok], 2)).toEqual({
        tags: ["Right", "Right"],
        encodings: ["gzip", "plain", "plain"]
      })
    })
  )

  it.effect("5.6 for the type of the content keeps compression", () =>
    Effect.gen(function* () {
      expect(yield* calls([refusal(), refusal(), ok], 2)).toEqual({
        tags: ["Left", "Right"],
        encodings: ["gzip", "plain", "gzip"]
      })
    })
  )

  it.effect("5.6 and lists the coding has another reason: the request is not sent again", () =>
    Effect.gen(function* () {
      expect(yield* calls([refusal({ "accept-encoding": "br, GZIP" }), ok], 2)).toEqual({
        tags: ["Left", "Right"],
        encodings: ["gzip", "gzip"]
      })
    })
  )

  it.effect("5.6 a stream that can be read once is not sent again, but later ones go as they are", () =>
    Effect.gen(function* () {
      const once = () => new Response(large).body as ReadableStream<Uint8Array>
      const { client, transport } = yield* scripted([refusal({ "accept-encoding": "identity" }), ok], {
        compression: Compression.gzip(),
        retry: withoutDelay
      })
      const error = yield* Effect.flip(client.execute(ApiRequest.post("/x", { bodyStream: once() })))
      expect(error).toMatchObject({ status: 415 })
      yield* client.execute(ApiRequest.post("/x", { bodyStream: once() }))
      expect(encodings(yield* transport.requests)).toEqual(["gzip", "plain"])
    })
  )

  it.effect("5.6 a stream that a function makes is sent again", () =>
    Effect.gen(function* () {
      const again = ApiRequest.post("/x", { bodyStream: () => Stream.make(new TextEncoder().encode(large)) })
      expect((yield* calls([refusal(), ok], 1, again)).encodings).toEqual(["gzip", "plain"])
    })
  )

  it.effect("5.6 is remembered by its origin", () =>
    Effect.gen(function* () {
      const script: MockTransport.Script = ({ headers, url }) =>
        url.startsWith("https://api.test") && headers["content-encoding"] === "gzip" ? refusal() : ok
      const { client, transport } = yield* scripted(script, { compression: Compression.gzip() })
      yield* client.execute(text())
      yield* client.execute(ApiRequest.post("https://other.test/x", { text: large }))
      yield* client.withOptions({ redirects: 1 }).execute(text())
      expect(encodings(yield* transport.requests)).toEqual(["gzip", "plain", "gzip", "plain"])
    })
  )
})

describe("the setting", () => {
  const make = (compression: unknown) =>
    Effect.provide(
      Effect.either(ApiClient.make({ baseUrl: "https://api.test", compression: compression as never })),
      MockTransport.layer([])
    )

  it.effect.each([
    ["gzip", "compression"],
    [true, "compression"],
    [{ encoding: "gzip" }, "compression"],
    [Compression.gzip({ minBytes: -1 }), "compression.minBytes"],
    [Compression.gzip({ minBytes: "1" as never }), "compression.minBytes"],
    [Compression.gzip({ min: 1 } as never), "compression.min"],
    [Compression.gzip(7 as never), "compression"]
  ])("1.5 %j is refused", ([compression, key]) =>
    Effect.gen(function* () {
      expect(yield* make(compression)).toMatchObject({ left: { _tag: "InvalidConfigError", key } })
      const { client } = yield* scripted([ok])
      const error = yield* Effect.flip(client.execute(text({ compression })))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field: key })
    })
  )

  it.effect("1.2 zstd is sent where the runtime has it, and refused where not", () =>
    Effect.gen(function* () {
      const zstd = Compression.zstd()
      if (zstd.problem !== undefined) {
        expect(yield* make(zstd)).toMatchObject({
          left: { key: "compression", reason: expect.stringContaining("zstd") }
        })
        return
      }
      const request = yield* only(text(), { compression: zstd })
      expect(request.headers["content-encoding"]).toBe("zstd")
      expect([...bytesOf(request).slice(0, 4)]).toEqual([0x28, 0xb5, 0x2f, 0xfd])
    })
  )
})
