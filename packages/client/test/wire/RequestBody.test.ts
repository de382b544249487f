import { Readable } from "node:stream"
import { describe, expect, it } from "@effect/vitest"
import type { ApiRequest, ResponseDecoder } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Deferred, Effect, Fiber, Redacted, Stream } from "effect"
import { failingSources, form, parts, sources, untyped, upload, utf8 } from "../fixtures/bodies.js"
import { scripted, sent, sentFor, withoutDelay } from "../fixtures/requests.js"
import { ok, play, playError, status } from "../fixtures/retry.js"

const each = Object.entries(sources)
const whole = parts.join("")

describe("a streamed body", () => {
  it.effect.each(each)("5.3 a %s is sent unchanged, without a content-length", ([, make]) =>
    Effect.gen(function* () {
      const { headers, text } = yield* sent(upload(make()))
      expect(text).toBe(whole)
      expect(headers["content-type"]).toBe("application/octet-stream")
      expect(headers).not.toHaveProperty("content-length")
    })
  )

  it.effect("5.3 a Node stream is sent unchanged", () =>
    Effect.gen(function* () {
      const { text } = yield* sent(upload(() => Readable.from(parts.map(utf8))))
      expect(text).toBe(whole)
    })
  )

  it.effect("5.3 an empty stream is sent with a content-type", () =>
    Effect.gen(function* () {
      const { headers, text } = yield* sent(upload(Stream.empty))
      expect([text, headers["content-type"]]).toEqual(["", "application/octet-stream"])
    })
  )

  it.effect("5.3 the request's headers may set the content-type and the content-length", () =>
    Effect.gen(function* () {
      const headers = { "Content-Type": "video/mp4", "content-length": "13" }
      const sentHeaders = (yield* sent(upload(Stream.make(new Uint8Array(13)), { headers }))).headers
      expect(sentHeaders).toMatchObject({ "content-type": "video/mp4", "content-length": "13" })
      const removed = (yield* sent(upload(Stream.empty, { headers: { "content-type": null } }))).headers
      expect(removed).not.toHaveProperty("content-type")
    })
  )

  it.effect.each(each)("5.3 a %s gets one attempt, and a status error is not retried", ([, make]) =>
    Effect.gen(function* () {
      const { error, requests } = yield* playError([status(503)], { retry: withoutDelay }, upload(make()), 0)
      expect(error).toMatchObject({
        _tag: "ServiceUnavailableError",
        status: 503,
        stoppedBy: "not-replayable"
      })
      expect(error.attempts).toHaveLength(1)
      expect(requests).toHaveLength(1)
    })
  )

  it.effect("5.3 a connection failure is not retried with a stream that can be read only once", () =>
    Effect.gen(function* () {
      const reset = MockTransport.connectionError({ code: "ECONNRESET" })
      const { error } = yield* playError([reset], { retry: withoutDelay }, upload(Stream.make(utf8("x"))), 0)
      expect(error).toMatchObject({ _tag: "ConnectionError", kind: "reset", stoppedBy: "not-replayable" })
    })
  )

  it.effect("6.1 a status that is never retried stops with not-retryable, even with a stream", () =>
    Effect.gen(function* () {
      const { error } = yield* playError(
        [status(404)],
        { retry: withoutDelay },
        upload(Stream.make(utf8("x"))),
        0
      )
      expect(error).toMatchObject({ _tag: "NotFoundError", stoppedBy: "not-retryable" })
    })
  )

  it.effect.each(each)("5.3 a function that makes a %s is called for every attempt", ([, make]) =>
    Effect.gen(function* () {
      let made = 0
      const body = () => {
        made++
        return make()
      }
      const requests = yield* sentFor(upload(body), { retry: withoutDelay }, [status(503), status(429), ok])
      expect(requests.map(({ text }) => text)).toEqual([whole, whole, whole])
      expect(made).toBe(3)
    })
  )

  it.effect("5.3 a function is not called when no connection is made", () =>
    Effect.gen(function* () {
      let made = 0
      const body = () => {
        made++
        return Stream.empty
      }
      const refused = MockTransport.connectionError({ code: "ECONNREFUSED" })
      const { requests } = yield* playError(
        [refused, refused, refused],
        { retry: withoutDelay },
        upload(body),
        0
      )
      expect([requests.length, made]).toEqual([3, 0])
    })
  )

  it.effect.each([null, "text", 1, {}, utf8("x"), [utf8("x")], Promise.resolve()])(
    "5.3 bodyStream rejects %o",
    (value) =>
      Effect.gen(function* () {
        const { error, requests } = yield* playError([], {}, upload(untyped(value)), 0)
        expect(error).toMatchObject({
          _tag: "InvalidRequestError",
          field: "bodyStream",
          reason: "must be a stream of bytes, or a function that makes one"
        })
        expect(requests).toHaveLength(0)
      })
  )
})

describe("a redirect that keeps the body", () => {
  const moved = MockTransport.empty(307, { headers: { location: "https://api.test/v1/new" } })
  const rows: ReadonlyArray<readonly [name: string, request: ApiRequest.ApiRequest<unknown>]> = [
    ["a function", upload(() => Stream.make(utf8("x")))],
    ["bytes with progress", upload(untyped(undefined), { text: "x", onUpload: () => undefined })]
  ]

  it.effect.each(rows)("8.1 follows a 307 with %s", ([, request]) =>
    Effect.map(sentFor(request, {}, [moved, ok]), (requests) =>
      expect(requests.map(({ method, text, url }) => [method, url, text])).toEqual([
        ["PUT", "https://api.test/v1/files/f", "x"],
        ["PUT", "https://api.test/v1/new", "x"]
      ])
    )
  )

  it.effect("8.1 does not follow a 307 with a stream that can be read only once", () =>
    Effect.gen(function* () {
      const { error, requests } = yield* playError([moved], {}, upload(Stream.make(utf8("x"))), 0)
      expect(error).toMatchObject({ _tag: "UnexpectedStatusError", status: 307 })
      expect(error.message).toContain("its body cannot be sent again")
      expect(requests).toHaveLength(1)
    })
  )
})

describe("a failing source", () => {
  const message = "the disk is gone"
  const used = new Blob(["x"]).stream()
  used.getReader()
  const rows: ReadonlyArray<readonly [name: string, source: ApiRequest.BodyStream, reason: string]> = [
    ...Object.entries(failingSources(message)).flatMap(([name, make]) => [
      [`a ${name}`, make(), message] as const,
      [`a function that makes a ${name}`, make, message] as const
    ]),
    ["a failure that is not an Error", () => Stream.fail(message), message],
    [
      "a function that throws",
      () => {
        throw new Error(message)
      },
      message
    ],
    [
      "a function that returns undefined",
      untyped(() => undefined),
      "a body's function must return a stream of bytes"
    ],
    [
      "a function that returns text",
      untyped(() => "text"),
      "a body's function must return a stream of bytes"
    ],
    ["a stream with another reader", used, "locked"]
  ]

  it.effect.each(rows)(
    "5.3 %s fails the call with InvalidRequestError and is not retried",
    ([, source, reason]) =>
      Effect.gen(function* () {
        const script = [MockTransport.forever(status(503))]
        const { error, requests } = yield* playError(script, { retry: withoutDelay }, upload(source), 0)
        expect(error).toMatchObject({
          _tag: "InvalidRequestError",
          field: "bodyStream",
          stoppedBy: "not-retryable"
        })
        expect(error.message).toMatch(new RegExp(`^bodyStream failed while it was sent: .*${reason}[^\n]*$`))
        expect(error.attempts.map(({ tag }) => tag)).toEqual(["InvalidRequestError"])
        expect(requests).toHaveLength(0)
      })
  )

  it.effect("5.3 a secret in the source's message is redacted", () =>
    Effect.gen(function* () {
      const request = upload(Stream.fail(new Error("no s3cret-key")), {
        headers: { "x-key": Redacted.make("s3cret-key") }
      })
      const { error } = yield* playError([ok], {}, request, 0)
      expect(error.message).toBe("bodyStream failed while it was sent: no <redacted>")
    })
  )

  it.effect("5.3 a source's failure in one attempt is not reported for the next attempt", () =>
    Effect.gen(function* () {
      let made = 0
      // The source fails in the first attempt; then a middleware retries, and the connection fails.
      const body = () => (++made === 1 ? Stream.fail(new Error(message)) : Stream.make(utf8("x")))
      const again = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.retry(effect, { times: 1 })
      const { error } = yield* playError(
        [ok, MockTransport.connectionError({ code: "ECONNRESET", collect: true })],
        { retry: { ...withoutDelay, maxRetries: 0 }, middleware: [(request, next) => again(next(request))] },
        upload(body),
        0
      )
      expect(made).toBe(2)
      expect(error).toMatchObject({ _tag: "ConnectionError", kind: "reset" })
    })
  )
})

describe("interrupting an upload", () => {
  it.effect("5.3 an interruption does not wait for a stalled source", () =>
    Effect.gen(function* () {
      const pulled = yield* Deferred.make<void>()
      const stuck = async function* () {
        yield utf8("x")
        await Effect.runPromise(Deferred.succeed(pulled, undefined))
        await new Promise(() => undefined)
      }
      const { client } = yield* scripted([ok])
      const fiber = yield* Effect.fork(client.execute(upload(stuck)))
      yield* Deferred.await(pulled)
      const exit = yield* Fiber.interrupt(fiber)
      expect(exit._tag).toBe("Failure")
    })
  )

  it.effect("5.3 an interruption closes the source: a web stream is cancelled, a generator returned", () =>
    Effect.gen(function* () {
      const sourceOf = (closed: Deferred.Deferred<void>): ReadonlyArray<ApiRequest.BodyStream> => [
        new ReadableStream({
          pull: (controller) => controller.enqueue(utf8("x")),
          cancel: () => {
            Deferred.unsafeDone(closed, Effect.void)
          }
        }),
        async function* () {
          try {
            for (;;) yield utf8("x")
          } finally {
            Deferred.unsafeDone(closed, Effect.void)
          }
        }
      ]
      for (const index of [0, 1]) {
        const closed = yield* Deferred.make<void>()
        const pulling = yield* Deferred.make<void>()
        let bytes = 0
        const onUpload = (progress: ResponseDecoder.Progress) => {
          bytes = progress.bytes
          if (bytes === 1000) Deferred.unsafeDone(pulling, Effect.void)
        }
        const source = yield* Effect.fromNullable(sourceOf(closed)[index])
        const { client } = yield* scripted([ok])
        const fiber = yield* Effect.fork(client.execute(upload(source, { onUpload })))
        yield* Deferred.await(pulling)
        yield* Fiber.interrupt(fiber)
        const sent = bytes
        yield* Deferred.await(closed)
        expect(bytes).toBe(sent)
      }
    })
  )
})

describe("upload progress", () => {
  const progressOf = (
    request: (options: object) => ApiRequest.ApiRequest<unknown>,
    script: MockTransport.Script = [ok]
  ) =>
    Effect.gen(function* () {
      const progress: Array<ResponseDecoder.Progress> = []
      const { requests } = yield* play(
        script,
        { retry: withoutDelay },
        request({ onUpload: (event: ResponseDecoder.Progress) => void progress.push(event) }),
        0
      )
      return { progress, requests }
    })

  it.effect("5.3 a stream reports every chunk and no total", () =>
    Effect.gen(function* () {
      const { requests, progress } = yield* progressOf((options) =>
        upload(Stream.make(utf8("12"), utf8("345")), options)
      )
      expect(progress).toEqual([
        { bytes: 2, total: undefined },
        { bytes: 5, total: undefined }
      ])
      expect(requests[0]?.text).toBe("12345")
    })
  )

  it.effect("5.3 bytes report pieces of 64 KiB and the total, and the body is unchanged", () =>
    Effect.gen(function* () {
      const bytes = new Uint8Array(150_000).map((_, index) => index)
      const { requests, progress } = yield* progressOf((options) =>
        upload(untyped(undefined), { bytes, ...options })
      )
      expect(progress).toEqual([65_536, 131_072, 150_000].map((bytes) => ({ bytes, total: 150_000 })))
      expect(requests[0]?.body).toEqual(bytes)
      expect(requests[0]?.headers).toMatchObject({
        "content-length": "150000",
        "content-type": "application/octet-stream"
      })
    })
  )

  it.effect.each([
    { name: "a JSON value", options: { body: { a: "ä" } }, type: "application/json", bytes: 10 },
    { name: "text", options: { text: "ä" }, type: "text/plain; charset=utf-8", bytes: 2 },
    { name: "a form", options: { form: { a: 1 } }, type: "application/x-www-form-urlencoded", bytes: 3 }
  ])("5.3 $name reports its bytes and the total", ({ bytes, options, type }) =>
    Effect.gen(function* () {
      const { requests, progress } = yield* progressOf((more) =>
        upload(untyped(undefined), { ...options, ...more })
      )
      expect(progress).toEqual([{ bytes, total: bytes }])
      expect(requests[0]?.headers).toMatchObject({ "content-length": String(bytes), "content-type": type })
    })
  )

  it.effect.each([
    { name: "text", field: "x", known: true },
    { name: "a Blob", field: new Blob(["x".repeat(1000)]), known: true },
    { name: "a stream", field: () => Stream.make(utf8("x")), known: false }
  ])("5.3 multipart with $name reports every byte, and the total if it is known", ({ field, known }) =>
    Effect.gen(function* () {
      const { requests, progress } = yield* progressOf((options) => form({ a: "1", field }, options))
      const length = requests[0]?.body?.length ?? 0
      expect(progress.at(-1)).toEqual({ bytes: length, total: known ? length : undefined })
      const counts = progress.map(({ bytes }) => bytes)
      expect(counts).toEqual([...counts].sort((a, b) => a - b))
    })
  )

  it.effect("5.3 every attempt reports from zero", () =>
    Effect.gen(function* () {
      const script = [status(503), ok]
      const streamed = yield* progressOf(
        (options) => upload(() => Stream.make(utf8("12"), utf8("3")), options),
        script
      )
      expect(streamed.progress.map(({ bytes }) => bytes)).toEqual([2, 3, 2, 3])
      const bytes = yield* progressOf(
        (options) => upload(untyped(undefined), { text: "123", ...options }),
        script
      )
      expect(bytes.progress.map(({ bytes }) => bytes)).toEqual([3, 3])
      expect(bytes.requests).toHaveLength(2)
    })
  )

  it.effect("5.3 an empty body reports nothing", () =>
    Effect.gen(function* () {
      expect((yield* progressOf((options) => upload(Stream.empty, options))).progress).toEqual([])
      const empty = yield* progressOf((options) =>
        upload(untyped(undefined), { bytes: new Uint8Array(0), ...options })
      )
      expect(empty.progress).toEqual([])
      expect(empty.requests[0]?.headers["content-length"]).toBe("0")
      expect((yield* progressOf((options) => upload(untyped(undefined), options))).progress).toEqual([])
    })
  )
})
