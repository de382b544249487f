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
  it.effect.each(each)("5.3 of %s goes as it is, without a length", ([, make]) =>
    Effect.gen(function* () {
      const { headers, text } = yield* sent(upload(make()))
      expect(text).toBe(whole)
      expect(headers["content-type"]).toBe("application/octet-stream")
      expect(headers).not.toHaveProperty("content-length")
    })
  )

  it.effect("5.3 of a stream of Node's", () =>
    Effect.gen(function* () {
      const { text } = yield* sent(upload(() => Readable.from(parts.map(utf8))))
      expect(text).toBe(whole)
    })
  )

  it.effect("5.3 without a byte", () =>
    Effect.gen(function* () {
      const { headers, text } = yield* sent(upload(Stream.empty))
      expect([text, headers["content-type"]]).toEqual(["", "application/octet-stream"])
    })
  )

  it.effect("5.3 the request may say what it is and how long", () =>
    Effect.gen(function* () {
      const headers = { "Content-Type": "video/mp4", "content-length": "13" }
      const sentHeaders = (yield* sent(upload(Stream.make(new Uint8Array(13)), { headers }))).headers
      expect(sentHeaders).toMatchObject({ "content-type": "video/mp4", "content-length": "13" })
      const removed = (yield* sent(upload(Stream.empty, { headers: { "content-type": null } }))).headers
      expect(removed).not.toHaveProperty("content-type")
    })
  )

  it.effect.each(each)("5.3 of one %s gets one attempt, and the answer to it is the error", ([, make]) =>
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

  it.effect("5.3 nor is a broken connection tried again with it", () =>
    Effect.gen(function* () {
      const reset = MockTransport.connectionError({ code: "ECONNRESET" })
      const { error } = yield* playError([reset], { retry: withoutDelay }, upload(Stream.make(utf8("x"))), 0)
      expect(error).toMatchObject({ _tag: "ConnectionError", kind: "reset", stoppedBy: "not-replayable" })
    })
  )

  it.effect("6.1 an error that no attempt can mend says so, replayable or not", () =>
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

  it.effect.each(each)("5.3 a function that makes %s is called anew for every attempt", ([, make]) =>
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

  it.effect("5.3 a function is not called where no byte is asked for", () =>
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

  it.effect.each([null, "text", 1, {}, utf8("x"), [utf8("x")], Promise.resolve()])("5.3 is not %o", (value) =>
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

  it.effect.each(rows)("8.1 is followed with %s", ([, request]) =>
    Effect.map(sentFor(request, {}, [moved, ok]), (requests) =>
      expect(requests.map(({ method, text, url }) => [method, url, text])).toEqual([
        ["PUT", "https://api.test/v1/files/f", "x"],
        ["PUT", "https://api.test/v1/new", "x"]
      ])
    )
  )

  it.effect("8.1 is not followed with a stream that can be read once", () =>
    Effect.gen(function* () {
      const { error, requests } = yield* playError([moved], {}, upload(Stream.make(utf8("x"))), 0)
      expect(error).toMatchObject({ _tag: "UnexpectedStatusError", status: 307 })
      expect(error.message).toContain("its body cannot be sent again")
      expect(requests).toHaveLength(1)
    })
  )
})

describe("a source that fails", () => {
  const message = "the disk is gone"
  const used = new Blob(["x"]).stream()
  used.getReader()
  const rows: ReadonlyArray<readonly [name: string, source: ApiRequest.BodyStream, reason: string]> = [
    ...Object.entries(failingSources(message)).flatMap(([name, make]) => [
      [`one ${name}`, make(), message] as const,
      [`a function that makes ${name}`, make, message] as const
    ]),
    ["an error that is no Error", () => Stream.fail(message), message],
    [
      "a function that throws",
      () => {
        throw new Error(message)
      },
      message
    ],
    [
      "a function that makes nothing",
      untyped(() => undefined),
      "a body's function must return a stream of bytes"
    ],
    ["a function that makes text", untyped(() => "text"), "a body's function must return a stream of bytes"],
    ["a stream that somebody else reads", used, "locked"]
  ]

  it.effect.each(rows)("5.3 is the request's own error, and not tried again: %s", ([, source, reason]) =>
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

  it.effect("5.3 a secret in its message is hidden", () =>
    Effect.gen(function* () {
      const request = upload(Stream.fail(new Error("no s3cret-key")), {
        headers: { "x-key": Redacted.make("s3cret-key") }
      })
      const { error } = yield* playError([ok], {}, request, 0)
      expect(error.message).toBe("bodyStream failed while it was sent: no <redacted>")
    })
  )

  it.effect("5.3 what failed in one attempt is not blamed in the next", () =>
    Effect.gen(function* () {
      let made = 0
      // The first attempt fails by its source, a middleware asks again, and then the connection breaks.
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

describe("leaving a source", () => {
  it.effect("5.3 an interruption does not wait for a source that waits", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const stuck = async function* () {
        yield utf8("x")
        await Effect.runPromise(Deferred.succeed(asked, undefined))
        await new Promise(() => undefined)
      }
      const { client } = yield* scripted([ok])
      const fiber = yield* Effect.fork(client.execute(upload(stuck)))
      yield* Deferred.await(asked)
      const exit = yield* Fiber.interrupt(fiber)
      expect(exit._tag).toBe("Failure")
    })
  )

  it.effect("5.3 a source that is left is closed: a web stream is cancelled, a generator returned", () =>
    Effect.gen(function* () {
      const sourceOf = (closed: Deferred.Deferred<void>): ReadonlyArray<ApiRequest.BodyStream> => [
        new ReadableStream({
          pull: (controller) => controller.enqueue(utf8("x")),
          cancel: () => Deferred.unsafeDone(closed, Effect.void)
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

describe("progress", () => {
  const told = (
    request: (options: object) => ApiRequest.ApiRequest<unknown>,
    script: MockTransport.Script = [ok]
  ) =>
    Effect.gen(function* () {
      const told: Array<ResponseDecoder.Progress> = []
      const { requests } = yield* play(
        script,
        { retry: withoutDelay },
        request({ onUpload: (progress: ResponseDecoder.Progress) => void told.push(progress) }),
        0
      )
      return { told, requests }
    })

  it.effect("5.3 of a stream: every chunk, and no total", () =>
    Effect.gen(function* () {
      const { requests, told: progress } = yield* told((options) =>
        upload(Stream.make(utf8("12"), utf8("345")), options)
      )
      expect(progress).toEqual([
        { bytes: 2, total: undefined },
        { bytes: 5, total: undefined }
      ])
      expect(requests[0]?.text).toBe("12345")
    })
  )

  it.effect("5.3 of bytes: in pieces, with the total, and the body is what it was", () =>
    Effect.gen(function* () {
      const bytes = new Uint8Array(150_000).map((_, index) => index)
      const { requests, told: progress } = yield* told((options) =>
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
  ])("5.3 of $name", ({ bytes, options, type }) =>
    Effect.gen(function* () {
      const { requests, told: progress } = yield* told((more) =>
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
  ])("5.3 of multipart with $name", ({ field, known }) =>
    Effect.gen(function* () {
      const { requests, told: progress } = yield* told((options) => form({ a: "1", field }, options))
      const length = requests[0]?.body?.length ?? 0
      expect(progress.at(-1)).toEqual({ bytes: length, total: known ? length : undefined })
      const counts = progress.map(({ bytes }) => bytes)
      expect(counts).toEqual([...counts].sort((a, b) => a - b))
    })
  )

  it.effect("5.3 anew on every attempt", () =>
    Effect.gen(function* () {
      const script = [status(503), ok]
      const streamed = yield* told(
        (options) => upload(() => Stream.make(utf8("12"), utf8("3")), options),
        script
      )
      expect(streamed.told.map(({ bytes }) => bytes)).toEqual([2, 3, 2, 3])
      const bytes = yield* told((options) => upload(untyped(undefined), { text: "123", ...options }), script)
      expect(bytes.told.map(({ bytes }) => bytes)).toEqual([3, 3])
      expect(bytes.requests).toHaveLength(2)
    })
  )

  it.effect("5.3 of nothing: never told", () =>
    Effect.gen(function* () {
      expect((yield* told((options) => upload(Stream.empty, options))).told).toEqual([])
      const empty = yield* told((options) =>
        upload(untyped(undefined), { bytes: new Uint8Array(0), ...options })
      )
      expect(empty.told).toEqual([])
      expect(empty.requests[0]?.headers["content-length"]).toBe("0")
      expect((yield* told((options) => upload(untyped(undefined), options))).told).toEqual([])
    })
  )
})
