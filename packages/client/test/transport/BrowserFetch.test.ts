import { FetchHttpClient, type HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import {
  type ApiConfig,
  ApiRequest,
  Credentials,
  FetchTransport,
  type ResponseDecoder
} from "@effect-api/client"
import { TestServer } from "@effect-api/testing"
import { Effect, Layer, Logger, Redacted, type Scope, Stream } from "effect"
import { vi } from "vitest"
import * as FetchRequest from "../../src/transport/FetchRequest.js"
import { form, upload, utf8 } from "../fixtures/bodies.js"
import { clientOf } from "../fixtures/sockets.js"

vi.mock("../../src/shared/runtime.js", async (original) => ({
  ...(await original<object>()),
  runtime: "browser",
  isBrowser: true
}))

/**
 * `fetch` as in a browser: it takes no stream, follows redirects itself, and hides those that it does not follow.
 */
const browserFetch =
  (sent: Array<RequestInit>): typeof globalThis.fetch =>
  async (input, init = {}) => {
    sent.push(init)
    const body = init.body instanceof ReadableStream ? "[object ReadableStream]" : init.body
    const response = await fetch(input, { ...init, body: body ?? null })
    if (init.redirect !== "manual" || response.status < 300 || response.status > 399) return response
    await response.body?.cancel()
    return Object.defineProperty(Response.error(), "type", { value: "opaqueredirect" })
  }

const layers = (sent: Array<RequestInit>) => {
  const fetched = Layer.succeed(FetchHttpClient.Fetch, browserFetch(sent))
  const quiet = Logger.remove(Logger.defaultLogger)
  return {
    FetchTransport: Layer.merge(Layer.provide(FetchTransport.layer, fetched), quiet),
    "platform fetch": Layer.mergeAll(FetchHttpClient.layer, fetched, quiet)
  }
}

type Name = keyof ReturnType<typeof layers>
const names: ReadonlyArray<Name> = ["FetchTransport", "platform fetch"]

const echo = TestServer.streaming((request, body) =>
  Effect.map(
    Stream.runFold(body, "", (text, bytes) => text + new TextDecoder().decode(bytes)),
    (text) => TestServer.json({ method: request.method, headers: request.headers, text })
  )
)

interface Echo {
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

type Request = ApiRequest.ApiRequest<unknown>
type Row = [name: string, request: Request, text: string]
type Hop = [name: string, request: Request, options: Partial<ApiConfig.Options>]

describe.each(names)("in a browser, over %s", (name) => {
  const run = <A, E>(
    use: (sent: Array<RequestInit>) => Effect.Effect<A, E, HttpClient.HttpClient | Scope.Scope>
  ) => {
    const sent: Array<RequestInit> = []
    return Effect.provide(use(sent), layers(sent)[name])
  }

  it.scopedLive.each<Row>([
    ["a form with a Blob", form({ a: "1", file: new Blob(["blob"], { type: "text/plain" }) }), "blob"],
    ["a form with a File", form({ file: new File(["file"], "f.txt") }), "file"],
    ["a form with bytes and a Blob", form({ a: utf8("bytes"), b: new Blob(["blob"]) }), "bytes"],
    ["a form with a stream", form({ file: () => Stream.make(utf8("stre"), utf8("am")) }), "stream"],
    ["an Effect stream", upload(() => Stream.make(utf8("stre"), utf8("am"))), "stream"],
    ["a ReadableStream", upload(new Blob(["stream"]).stream()), "stream"],
    [
      "bytes with progress",
      ApiRequest.put("/x", { bytes: utf8("bytes"), onUpload: () => undefined }),
      "bytes"
    ]
  ])("5.2 %s is sent as one Blob", ([, request, text]) =>
    run((sent) =>
      Effect.gen(function* () {
        const server = yield* TestServer.make({ "*": echo })
        const client = yield* clientOf(server)
        const echoed = (yield* client.execute(request)) as Echo
        expect(echoed.text).toContain(text)
        expect(echoed.headers["content-length"]).toBe(String(echoed.text.length))
        expect(echoed.headers["content-type"]).toMatch(
          /^(multipart\/form-data; boundary=|application\/octet-stream)/
        )
        expect(sent).toHaveLength(1)
        expect(sent[0]?.body).toBeInstanceOf(Blob)
      })
    )
  )

  it.scopedLive("5.3 progress is reported, and a function is called for every attempt", () =>
    run(() =>
      Effect.gen(function* () {
        const server = yield* TestServer.make({ "*": TestServer.sequence(TestServer.empty(503), echo) })
        const client = yield* clientOf(server)
        const seen: Array<ResponseDecoder.Progress> = []
        let made = 0
        const source = () => {
          made++
          return Stream.make(utf8("0123"), utf8("45"))
        }
        const request = upload(source, {
          onUpload: (progress: ResponseDecoder.Progress) => seen.push(progress)
        })
        expect(((yield* client.execute(request)) as Echo).text).toBe("012345")
        expect(made).toBe(2)
        expect(seen.map(({ bytes }) => bytes)).toEqual([4, 6, 4, 6])
      })
    )
  )

  it.scopedLive("5.3 a failing source is the error, and nothing is sent", () =>
    run((sent) =>
      Effect.gen(function* () {
        const server = yield* TestServer.make({ "*": echo })
        const client = yield* clientOf(server)
        const request = upload(() =>
          Stream.concat(Stream.make(utf8("half")), Stream.fail(new Error("no disk")))
        )
        const error = yield* Effect.flip(client.execute(request))
        expect(error).toMatchObject({
          _tag: "InvalidRequestError",
          field: "bodyStream",
          reason: "failed while it was sent: no disk"
        })
        expect(sent).toEqual([])
      })
    )
  )

  it.scopedLive("5.3 a body above the buffer limit fails before it is sent", () =>
    run((sent) =>
      Effect.gen(function* () {
        const server = yield* TestServer.make({ "*": echo })
        const client = yield* clientOf(server)
        // It claims to be larger than it is, so that the test needs no such memory.
        const chunk = Object.defineProperty(new Uint8Array(1), "length", { value: FetchRequest.maxBuffered })
        const error = yield* Effect.flip(client.execute(upload(() => Stream.make(chunk, utf8("1")))))
        expect(error).toMatchObject({
          _tag: "InvalidRequestError",
          field: "bodyStream",
          delivery: "not-sent",
          attempts: [{ tag: "InvalidRequestError" }]
        })
        expect(error.message).toMatch(/^bodyStream is above the 256 MiB .*`multipart`/)
        expect(sent).toEqual([])
      })
    )
  )

  const secret = Redacted.make("s3cret")
  const bodied = (options: object): Request => ApiRequest.post("/start", options)

  it.scopedLive.each<Hop>([
    ["a secret header of the request", ApiRequest.get("/start", { headers: { "x-mine": secret } }), {}],
    [
      "a header that is secret by its name",
      ApiRequest.get("/start", { headers: { "x-api-key": "s3cret" } }),
      {}
    ],
    ["credentials", ApiRequest.get("/start"), { credentials: Credentials.header("x-mine", secret) }],
    ["a secret in the body", bodied({ body: { password: secret } }), {}],
    ["a secret in a form", bodied({ multipart: { password: secret, file: new Blob(["x"]) } }), {}],
    ["redirects: 0 and no secret", ApiRequest.get("/start"), { redirects: 0 }]
  ])("8.1 with %s, the browser does not follow a redirect", ([, request, options]) =>
    run(() =>
      Effect.gen(function* () {
        const other = yield* TestServer.make({ "*": echo })
        const location = `${other.url}/end`
        const server = yield* TestServer.make({ "*": TestServer.empty(307, { location }) })
        const client = yield* clientOf(server, options)
        const error = yield* Effect.flip(client.execute(request))
        expect(error).toMatchObject({
          _tag: "UnexpectedStatusError",
          status: 0,
          message: "0 redirect not followed: a browser hides where it leads",
          delivery: request.method === "GET" ? "rejected" : "maybe-applied",
          stoppedBy: "not-retryable"
        })
        expect(yield* other.requestCount).toBe(0)
        expect(yield* server.requestCount).toBe(1)
      })
    )
  )

  it.scopedLive.each<Hop>([
    ["no secret", ApiRequest.get("/start"), {}],
    // By the fetch standard a browser drops the header.
    ["a bearer token", ApiRequest.get("/start"), { credentials: Credentials.bearer(secret) }],
    ["a form with a Blob", bodied({ multipart: { file: new Blob(["x"]) } }), {}]
  ])("8.1 with %s, the browser follows a redirect", ([, request, options]) =>
    run(() =>
      Effect.gen(function* () {
        const other = yield* TestServer.make({ "*": echo })
        const location = `${other.url}/end`
        const server = yield* TestServer.make({ "*": TestServer.empty(307, { location }) })
        const client = yield* clientOf(server, options)
        const { headers } = (yield* client.execute(request)) as Echo
        expect(headers).not.toHaveProperty("authorization")
        expect(yield* other.requestCount).toBe(1)
      })
    )
  )
})
