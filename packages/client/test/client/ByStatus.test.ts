import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import {
  ApiClient,
  type ApiConfig,
  ApiError,
  ApiRequest,
  Pagination,
  PromiseClient,
  ResponseDecoder
} from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Layer, Redacted, Schema, Stream } from "effect"
import { scripted, withoutDelay } from "../fixtures/requests.js"

class Done extends Schema.Class<Done>("Done")({ result: Schema.Number }) {}
class Pending extends Schema.Class<Pending>("Pending")({ job: Schema.String }) {}
class Gone extends Schema.TaggedError<Gone>()("Gone", { message: Schema.String }) {}
class Refused extends Schema.TaggedError<Refused>()("Refused", { code: Schema.String }) {}
class Broken extends Schema.TaggedError<Broken>()("Broken", { trace: Schema.String }) {}
class Envelope extends Schema.TaggedError<Envelope>()("Envelope", {
  error: Schema.Struct({ message: Schema.String })
}) {}

const job = ApiRequest.get("/job", { success: { 200: Done, 202: Pending } })
const respond = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  MockTransport.json(body, { status, headers })

const outcome = (
  request: ApiRequest.ApiRequest<unknown, unknown>,
  script: MockTransport.Script,
  options: Partial<ApiConfig.Options> = {}
) =>
  Effect.gen(function* () {
    const { client, transport } = yield* scripted(script, { retry: withoutDelay, ...options })
    const ended: unknown = yield* Effect.catchAll(client.execute(request), (error) => Effect.succeed(error))
    return { ended, requests: yield* transport.requestCount }
  })

describe("success by status", () => {
  const ranges = ApiRequest.get("/job", {
    success: { 200: Done, "2xx": Pending, 404: ResponseDecoder.empty }
  })
  const others = ApiRequest.get("/job", { success: { 200: Done, default: ResponseDecoder.text } })

  it.effect.each([
    ["a status of its own", job, respond(200, { result: 1 }), new Done({ result: 1 })],
    ["another status of its own", job, respond(202, { job: "j1" }), new Pending({ job: "j1" })],
    ["the status before its range", ranges, respond(200, { result: 1 }), new Done({ result: 1 })],
    ["a range", ranges, respond(201, { job: "j1" }), new Pending({ job: "j1" })],
    ["a status that is no success otherwise", ranges, respond(404, {}), undefined],
    ["default", others, MockTransport.text("later", { status: 503 }), "later"]
  ] as const)("8.8 %s has its own decoder", ([, request, step, value]) =>
    Effect.gen(function* () {
      expect(yield* outcome(request, [step])).toEqual({ ended: value, requests: 1 })
    })
  )

  it.effect("8.8 a 2xx that it does not name is a ResponseValidationError, and is not retried", () =>
    Effect.gen(function* () {
      const { ended, requests } = yield* outcome(job, [respond(204, null)])
      expect(ended).toMatchObject({
        _tag: "ResponseValidationError",
        status: 204,
        reason: "has the status 204, and the request describes 200, 202",
        delivery: "maybe-applied"
      })
      expect(requests).toBe(1)
    })
  )

  it.effect("8.8 an error that it does not name is the ordinary error, and is retried", () =>
    Effect.gen(function* () {
      const { ended, requests } = yield* outcome(job, [respond(503, {}), respond(200, { result: 2 })])
      expect(ended).toEqual(new Done({ result: 2 }))
      expect(requests).toBe(2)
    })
  )

  it.effect("8.8 a redirect that it names is not followed", () =>
    Effect.gen(function* () {
      const request = ApiRequest.get("/login", {
        success: {
          302: ResponseDecoder.make({
            accept: "*/*",
            decode: ({ headers }) => Effect.succeed(headers.location)
          })
        }
      })
      const step = MockTransport.empty(302, { headers: { location: "https://elsewhere.test/x" } })
      expect(yield* outcome(request, [step])).toEqual({ ended: "https://elsewhere.test/x", requests: 1 })
    })
  )

  it.effect("8.8 accepts the media types of all its decoders", () =>
    Effect.gen(function* () {
      const request = ApiRequest.get("/x", { success: { 200: Done, 206: ResponseDecoder.bytes } })
      expect(request.accept).toBe("application/json, */*")
    })
  )

  it.effect("8.8 an open body beside one that is read whole", () =>
    Effect.gen(function* () {
      const request = ApiRequest.get("/file", { success: { 200: ResponseDecoder.stream(), 202: Pending } })
      const opened = yield* outcome(request, [MockTransport.text("abc")])
      const text = yield* Stream.mkString(Stream.decodeText(opened.ended as Stream.Stream<Uint8Array>))
      expect(text).toBe("abc")
      expect((yield* outcome(request, [respond(202, { job: "j" })])).ended).toEqual(new Pending({ job: "j" }))
    })
  )

  it.effect("8.8 pages with other statuses end with the value of theirs", () =>
    Effect.gen(function* () {
      const Page = Schema.Struct({ data: Schema.Array(Schema.Number) })
      const none = ResponseDecoder.empty.pipe(ResponseDecoder.map(() => ({ data: [] })))
      const request = ApiRequest.get("/n", { success: { 200: Page, 204: none } }).pipe(
        ApiRequest.paginate(Pagination.cursor({ items: ({ data }) => data }))
      )
      const { client } = yield* scripted([MockTransport.empty(204)])
      expect(Array.from(yield* Stream.runCollect(client.items(request)))).toEqual([])
    })
  )

  it.effect.each([
    [{ success: {} }, "success", "must name a status"],
    [
      { success: { created: Done } },
      "success.created",
      "must be a status, such as 404, a range, such as 4xx, or default"
    ],
    [
      { success: { 600: Done } },
      "success.600",
      "must be a status, such as 404, a range, such as 4xx, or default"
    ],
    [{ success: { 200: 7 } }, "success.200", "must be a schema or a ResponseDecoder"],
    [{ success: 7 }, "success", "must be a schema or a ResponseDecoder, or an object of them by status"],
    [
      { failure: { "6xx": Gone } },
      "failure.6xx",
      "must be a status, such as 404, a range, such as 4xx, or default"
    ],
    [{ failure: [Gone] }, "failure", "must be an object of schemas by status"],
    [{ success: Done, failure: { "2xx": Gone } }, "failure.2xx", "must not be a success as well"],
    [{ success: { 404: Done }, failure: { 404: Gone } }, "failure.404", "must not be a success as well"],
    [
      { success: { default: Done }, failure: { default: Gone } },
      "failure.default",
      "must not be a success as well"
    ]
  ])("1.5 %j fails before it is sent", ([options, field, reason]) =>
    Effect.gen(function* () {
      const request = ApiRequest.get("/x", options as never)
      const { ended, requests } = yield* outcome(request, [respond(200, {})])
      expect(ended).toMatchObject({ _tag: "InvalidRequestError", field, reason })
      expect(requests).toBe(0)
    })
  )
})

describe("failure by range", () => {
  const request = ApiRequest.get("/x", { failure: { 404: Gone, "4xx": Refused, default: Broken } })

  it.effect.each([
    ["its status", respond(404, { message: "no" }), new Gone({ message: "no" }), 1],
    ["its range", respond(403, { code: "c" }), new Refused({ code: "c" }), 1],
    [
      "the range, if the body does not fit the status",
      respond(404, { code: "c" }),
      new Refused({ code: "c" }),
      1
    ],
    ["default", respond(500, { trace: "t" }), new Broken({ trace: "t" }), 3],
    ["a range that the table retries", respond(429, { code: "c" }), new Refused({ code: "c" }), 3]
  ] as const)("7.5 an error is that of %s", ([, step, error, requests]) =>
    Effect.gen(function* () {
      expect(yield* outcome(request, [MockTransport.forever(step)])).toEqual({ ended: error, requests })
    })
  )

  it.effect("7.5 a decoder of one's own runs once for the body of a status", () =>
    Effect.gen(function* () {
      let runs = 0
      const counted = ResponseDecoder.make({ accept: "*/*", decode: () => Effect.sync(() => ++runs) })
      const named = ApiRequest.get("/x", { failure: { 404: counted } })
      expect((yield* outcome(named, [respond(404, {})])).ended).toBe(1)
    })
  )

  it.effect("7.5 default leaves successes alone", () =>
    Effect.gen(function* () {
      expect((yield* outcome(request, [respond(200, { a: 1 })])).ended).toEqual({ a: 1 })
    })
  )

  it.effect("7.5 a body that fits none is the ordinary error", () =>
    Effect.gen(function* () {
      expect((yield* outcome(request, [respond(403, "no")])).ended).toBeInstanceOf(
        ApiError.PermissionDeniedError
      )
    })
  )
})

describe("the client's failure", () => {
  const failure = { 403: Refused, default: Envelope }
  const body = { error: { message: "no funds" } }

  const ended = (step: MockTransport.MockStep, request: ApiRequest.ApiRequest<unknown, unknown>) =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([MockTransport.forever(step)])
      const client = yield* Effect.provideService(
        ApiClient.make({ baseUrl: "https://api.test", failure, retry: withoutDelay }),
        HttpClient.HttpClient,
        transport.client
      )
      const error: unknown = yield* Effect.flip(client.execute(request))
      return [error, yield* transport.requestCount]
    })

  it.effect.each([
    ["its default", respond(402, body), ApiRequest.get("/x"), new Envelope(body), 1],
    ["its status", respond(403, { code: "c" }), ApiRequest.get("/x"), new Refused({ code: "c" }), 1],
    [
      "the request's own first",
      respond(402, body),
      ApiRequest.get("/x", { failure: { "4xx": Gone } }),
      new Envelope(body),
      1
    ],
    [
      "the request's own",
      respond(404, { message: "no" }),
      ApiRequest.get("/x", { failure: { 404: Gone } }),
      new Gone({ message: "no" }),
      1
    ],
    [
      "its default after the retries of the table",
      respond(503, body),
      ApiRequest.get("/x"),
      new Envelope(body),
      3
    ]
  ] as const)("7.10 an error is that of %s", ([, step, request, error, requests]) =>
    Effect.gen(function* () {
      expect(yield* ended(step, request)).toEqual([error, requests])
    })
  )

  it.effect("7.10 merges by status, and a function replaces it", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([MockTransport.forever(respond(403, body))])
      const client = yield* Effect.provideService(
        ApiClient.make({ baseUrl: "https://api.test", failure }),
        HttpClient.HttpClient,
        transport.client
      )
      const more = client.withOptions({ failure: { 403: Envelope } })
      expect(yield* Effect.flip(more.get("/x"))).toEqual(new Envelope(body))
      const none = client.withOptions({ failure: () => ({}) })
      expect(yield* Effect.flip(none.get("/x"))).toBeInstanceOf(ApiError.PermissionDeniedError)
    })
  )

  it.effect.each([
    [{ 200: Envelope }, "failure.200", "must be no success"],
    [{ "2xx": Envelope }, "failure.2xx", "must be no success"],
    [{ nope: Envelope }, "failure.nope", "must be a status, such as 404, a range, such as 4xx, or default"],
    [7, "failure", "must be an object of schemas by status"]
  ])("1.2 %j is no setting", ([failure, key, reason]) =>
    Effect.gen(function* () {
      const made = ApiClient.make({ baseUrl: "https://api.test", failure: failure as never })
      const error = yield* Effect.flip(made.pipe(Effect.provide(FetchLess)))
      expect(error).toMatchObject({ _tag: "InvalidConfigError", key, reason })
    })
  )

  it("7.10 a promise rejects with it", async () => {
    const transport = MockTransport.layer([respond(402, body)])
    const client = PromiseClient.make({ baseUrl: "https://api.test", failure, transport })
    await expect(client.execute(ApiRequest.get("/x"))).rejects.toEqual(new Envelope(body))
    await client.close()
  })

  it.effect("12.4 a secret that its schema marks is in no error", () =>
    Effect.gen(function* () {
      const secret = Schema.Struct({ token: Schema.Redacted(Schema.String), other: Schema.Number })
      const transport = yield* MockTransport.make([respond(402, { token: "hunter2-secret" })])
      const client = yield* Effect.provideService(
        ApiClient.make({ baseUrl: "https://api.test", failure: { default: secret } }),
        HttpClient.HttpClient,
        transport.client
      )
      const error = yield* Effect.flip(client.get("/x"))
      expect(JSON.stringify(error)).not.toContain("hunter2-secret")
      expect(error).toBeInstanceOf(ApiError.UnexpectedStatusError)
    })
  )
})

const FetchLess = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(MockTransport.make([]), ({ client }) => client)
)

describe("decoders of one's own", () => {
  const xml = ResponseDecoder.make({
    accept: "application/xml",
    decode: ({ text }) => Effect.try(() => ({ name: /<name>(.*)<\/name>/.exec(text)?.[1] }))
  })

  it.effect.each([
    [
      "a text through a schema",
      ResponseDecoder.text.pipe(ResponseDecoder.andThen(Schema.NumberFromString)),
      MockTransport.text("42"),
      42
    ],
    [
      "another format through a schema",
      xml.pipe(ResponseDecoder.andThen(Schema.Struct({ name: Schema.String }))),
      MockTransport.text("<name>a</name>"),
      { name: "a" }
    ],
    [
      "a changed value",
      ResponseDecoder.map(ResponseDecoder.text, (text) => text.length),
      MockTransport.text("abc"),
      3
    ],
    [
      "JSON of another parser",
      ResponseDecoder.jsonWith({ parse: (text) => BigInt(text) }),
      MockTransport.text("12345678901234567890"),
      12345678901234567890n
    ],
    [
      "the status and the headers",
      ResponseDecoder.make({
        accept: "*/*",
        decode: ({ headers, status }) => Effect.succeed([status, headers["x-a"]])
      }),
      respond(201, 1, { "x-a": "b" }),
      [201, "b"]
    ]
  ] as const)("8.4 %s", ([, success, step, value]) =>
    Effect.gen(function* () {
      expect((yield* outcome(ApiRequest.get("/x", { success }), [step])).ended).toEqual(value)
    })
  )

  it.effect.each([
    [
      "whose effect fails",
      ResponseDecoder.make({ accept: "*/*", decode: () => Effect.fail(new Error("no XML")) }),
      "no XML"
    ],
    [
      "that throws",
      ResponseDecoder.make({
        accept: "*/*",
        decode: () => {
          throw new Error("broke")
        }
      }),
      "could not be decoded: broke"
    ],
    [
      "whose effect dies",
      ResponseDecoder.make({ accept: "*/*", decode: () => Effect.die(new Error("died")) }),
      "could not be decoded: died"
    ],
    [
      "whose map throws",
      ResponseDecoder.text.pipe(
        ResponseDecoder.map(() => {
          throw new Error("mapped")
        })
      ),
      "could not be decoded: mapped"
    ],
    [
      "whose parser throws",
      ResponseDecoder.jsonWith({
        parse: () => {
          throw new Error("quotes the body")
        }
      }),
      "is text/plain, not JSON"
    ]
  ] as const)("7.4 a decoder %s is a ResponseValidationError", ([, success, reason]) =>
    Effect.gen(function* () {
      const { ended, requests } = yield* outcome(ApiRequest.get("/x", { success }), [
        MockTransport.text("hello")
      ])
      expect(ended).toMatchObject({ _tag: "ResponseValidationError", reason })
      expect(requests).toBe(1)
    })
  )

  it.effect("7.4 a map over an open body that throws leaves the body, and is a ResponseValidationError", () =>
    Effect.gen(function* () {
      const success = ResponseDecoder.stream().pipe(
        ResponseDecoder.map(() => {
          throw new Error("mapped")
        })
      )
      const { ended } = yield* outcome(ApiRequest.get("/x", { success }), [MockTransport.text("hello")])
      expect(ended).toMatchObject({ _tag: "ResponseValidationError", reason: "could not be decoded: mapped" })
    })
  )

  it.effect("8.4 a schema's path and the secrets it marks count as elsewhere", () =>
    Effect.gen(function* () {
      const Fields = Schema.Struct({ key: Schema.Redacted(Schema.String), n: Schema.Number })
      const success = ResponseDecoder.jsonWith({ parse: JSON.parse }).pipe(ResponseDecoder.andThen(Fields))
      const { ended } = yield* outcome(ApiRequest.get("/x", { success }), [
        respond(200, { key: "hunter2-secret", n: "x" })
      ])
      expect(ended).toMatchObject({ _tag: "ResponseValidationError", path: ["n"] })
      expect(JSON.stringify(ended)).not.toContain("hunter2-secret")
    })
  )

  it.effect("7.5 a tagged class behind another decoder needs no _tag from the server", () =>
    Effect.gen(function* () {
      const NotFound = Schema.TaggedStruct("NotFound", { name: Schema.String })
      const failure = { 404: xml.pipe(ResponseDecoder.andThen(NotFound)) }
      const { ended } = yield* outcome(ApiRequest.get("/x", { failure }), [
        MockTransport.text("<name>a</name>", { status: 404 })
      ])
      expect(ended).toEqual({ _tag: "NotFound", name: "a" })
    })
  )

  it.effect.each([
    [{ code: "e1" }, "Refused"],
    [{ message: "moved" }, "Gone"],
    // The first of the union, where more than one fits.
    [{ code: "e1", message: "moved" }, "Gone"],
    [{ code: "e1", message: "moved", _tag: "Refused" }, "Refused"],
    [{ trace: "at a" }, "Broken"],
    [{ other: 1 }, "NotFoundError"]
  ])("7.5 of a union of tagged classes, %j is the first that fits", ([body, tag]) =>
    Effect.gen(function* () {
      const failure = { 404: Schema.Union(Gone, Schema.Union(Refused, Broken)) }
      const { ended } = yield* outcome(ApiRequest.get("/x", { failure }), [respond(404, body)])
      expect(ended).toMatchObject({ _tag: tag })
    })
  )

  it.each([
    [
      () => ResponseDecoder.make({ accept: 7 as never, decode: () => Effect.void }),
      "success.accept must be a string"
    ],
    [
      () => ResponseDecoder.make({ accept: "*/*", decode: () => Effect.void, extra: 1 } as never),
      "success.extra is unknown"
    ],
    [() => ResponseDecoder.andThen(ResponseDecoder.text, 7 as never), "success andThen takes a schema"],
    [
      () => ResponseDecoder.andThen(ResponseDecoder.stream(), Schema.String),
      "success a body that is still arriving fits no schema"
    ]
  ])("1.5 %s throws", (make, message) => {
    expect(make).toThrow(message)
  })

  it.effect("12.4 a decoder's reason shows no secret of the request", () =>
    Effect.gen(function* () {
      const success = ResponseDecoder.make({
        accept: "*/*",
        decode: () => Effect.fail(new Error("saw hunter2-secret"))
      })
      const request = ApiRequest.get("/x", { success, headers: { "x-key": Redacted.make("hunter2-secret") } })
      const { ended } = yield* outcome(request, [MockTransport.text("hello")])
      expect(ended).toMatchObject({ reason: "saw <redacted>" })
      expect(JSON.stringify(ended)).not.toContain("hunter2-secret")
    })
  )
})
