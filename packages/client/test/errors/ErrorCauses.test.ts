import { HttpClientError } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiError, ApiRequest, Credentials, type Middleware, ResponseDecoder } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Data, Effect, Redacted } from "effect"
import { requestErrors } from "../fixtures/platformErrors.js"
import { scripted } from "../fixtures/requests.js"
import { list, ok, playError } from "../fixtures/retry.js"

class Sealed extends Data.TaggedError("Sealed")<{ readonly vault: string }> {}

const sealed = new Sealed({ vault: "a" })

const failingMiddleware =
  (fail: (request: Parameters<Middleware.Middleware>[0]) => unknown): Middleware.Middleware =>
  (request) =>
    Effect.fail(fail(request) as HttpClientError.HttpClientError)

const requestError = (reason: "Transport" | "Encode", cause: unknown) =>
  failingMiddleware((request) => requestErrors[reason](request, cause))

describe("the cause of an error", () => {
  it.effect.each([
    ["credentials", { credentials: Credentials.effect(Effect.fail(sealed)) }, "CredentialsError"],
    [
      "a cached token fetch",
      { credentials: Credentials.cached({ fetch: Effect.fail(sealed) }) },
      "CredentialsError"
    ],
    [
      "the first of several credentials",
      { credentials: Credentials.firstOf([Credentials.none, Credentials.effect(Effect.fail(sealed))]) },
      "CredentialsError"
    ],
    [
      "a middleware that fails with a transport error",
      { middleware: [requestError("Transport", sealed)] },
      "ConnectionError"
    ],
    [
      "a middleware that fails with an encode error",
      { middleware: [requestError("Encode", sealed)] },
      "InvalidRequestError"
    ],
    [
      "a middleware that fails with its own error",
      { middleware: [failingMiddleware(() => sealed)] },
      "ConnectionError"
    ]
  ] as const)("7.6 cause is the very object that the program's code failed with: %s", ([, options, tag]) =>
    Effect.gen(function* () {
      const { error } = yield* playError([ok], { ...options, retry: { maxRetries: 1, initialDelay: 0 } })
      expect(error._tag).toBe(tag)
      expect(error.cause).toBe(sealed)
      // The client cannot know whether the cause holds a secret.
      expect(JSON.stringify(error)).not.toContain("vault")
    })
  )

  const fails = () => {
    throw sealed
  }

  it.effect.each([
    ["toJSON", { a: [{ toJSON: fails }] }],
    ["a getter", { a: [Object.defineProperty({}, "b", { enumerable: true, get: fails })] }]
  ])("7.6 cause is the very object that a body's own code threw: %s", ([, body]) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([ok])
      const error = yield* Effect.flip(client.post("/x", { body }))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", delivery: "not-sent" })
      expect(error.cause).toBe(sealed)
      expect(yield* transport.requestCount).toBe(0)
    })
  )

  const secret = "sk-live-0123456789"
  const carrying = (more: object): Error => Object.assign(new Error("the gateway failed"), more)
  const loop = carrying({})
  Object.assign(loop, { self: loop, inner: { deep: [{ secret }] } })

  it.effect.each([
    ["a request's headers", carrying({ config: { headers: { authorization: `Bearer ${secret}` } } })],
    ["an aggregate", new AggregateError([new Error(`of ${secret}`)], "many")],
    ["a map", carrying({ fields: new Map([["a", { b: secret }]]) })],
    ["headers", carrying({ headers: new Headers({ "x-a": secret }) })],
    ["a cycle", loop],
    ["a field with a symbol", carrying({ [Symbol.for("a")]: { b: secret } })],
    ["a key", carrying({ tokens: { [secret]: 1 } })],
    ["a URL", carrying({ url: new URL(`https://x.test/?a=${secret}`) })],
    ["parameters", carrying({ query: new URLSearchParams({ a: secret }) })],
    ["a cause of a field", carrying({ response: { error: new Error("no", { cause: { secret } }) } })]
  ])("7.6 a cause that shows a secret is left out: %s", ([, cause]) =>
    Effect.gen(function* () {
      const { error } = yield* playError([ok], {
        credentials: Credentials.bearer(Redacted.make(secret)),
        middleware: [failingMiddleware(() => cause)],
        retry: { maxRetries: 0 }
      })
      expect(error._tag).toBe("ConnectionError")
      expect(error.cause).toBeUndefined()
    })
  )

  it.effect.each([
    ["undefined", undefined],
    ["null", null],
    ["a text", "gone"],
    ["a null-prototype object", Object.create(null)]
  ])("7.7 a middleware may fail with anything: %s", ([, failure]) =>
    Effect.gen(function* () {
      const { error } = yield* playError([ok], {
        middleware: [failingMiddleware(() => failure)],
        retry: { maxRetries: 0 }
      })
      expect(error._tag).toBe("ConnectionError")
    })
  )

  it.effect("7.7 a revoked Proxy in the body fails with InvalidRequestError, not a defect", () =>
    Effect.gen(function* () {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      const { client } = yield* scripted([ok])
      const error = yield* Effect.flip(client.post("/x", { body: { a: proxy } }))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field: "body.a" })
    })
  )

  it.effect.each([
    ["its message contains a secret", new Error("no use for s3cret")],
    ["its fields contain a secret", new Sealed({ vault: "s3cret" })],
    ["its own cause contains a secret", new Error("no", { cause: new Error("s3cret") })],
    ["it is a plain string", "s3cret word"]
  ])("12.4 the cause is dropped when %s", ([, cause]) =>
    Effect.gen(function* () {
      const options = {
        headers: { "x-key": Redacted.make("s3cret") },
        credentials: Credentials.effect(Effect.fail(cause)),
        retry: { maxRetries: 0 }
      }
      const { error } = yield* playError([ok], options)
      expect(error._tag).toBe("CredentialsError")
      expect(error).not.toHaveProperty("cause")
    })
  )

  it.effect("12.4 the cause is dropped when it holds a platform request, because that has every header", () =>
    Effect.gen(function* () {
      const inner = failingMiddleware(
        (request) =>
          new HttpClientError.RequestError({
            request,
            reason: "Transport",
            cause: new HttpClientError.RequestError({ request, reason: "Transport", cause: sealed })
          })
      )
      const { error } = yield* playError([ok], { middleware: [inner], retry: { maxRetries: 0 } })
      expect(error._tag).toBe("ConnectionError")
      expect(error).not.toHaveProperty("cause")
    })
  )

  it.effect("7.6 a transport failure sets code and message, not cause", () =>
    Effect.gen(function* () {
      const { error } = yield* playError([MockTransport.connectionError({ code: "EPIPE" })], {
        retry: { maxRetries: 0 }
      })
      expect(error).toMatchObject({ _tag: "ConnectionError", code: "EPIPE" })
      expect(error).not.toHaveProperty("cause")
    })
  )

  it("7.6 update() keeps the cause", () => {
    const error = new ApiError.CredentialsError({
      message: "no credentials",
      request: { method: "GET", url: "https://api.test" },
      attempts: [],
      stoppedBy: "not-retryable",
      delivery: "not-sent",
      shouldRetry: undefined,
      reason: "sealed",
      retryAfter: undefined,
      cause: sealed
    })
    expect(ApiError.update(error, { stoppedBy: "budget" }).cause).toBe(sealed)
  })
})

describe("errors about an unreadable response", () => {
  const headers = { "request-id": "req_1", "content-type": "application/json" }
  const long = MockTransport.text(`{"said":"s3cret ${"x".repeat(500)}"}`, { headers })
  const options = { credentials: Credentials.bearer(Redacted.make("s3cret")), retry: { maxRetries: 0 } }

  it.effect.each([
    ["decoded JSON", list],
    ["bytes", ApiRequest.get("/todos", { success: ResponseDecoder.bytes })]
  ] as const)(
    "7.4 a body above limits.responseBytes fails with the request id and an excerpt: %s",
    ([, request]) =>
      Effect.gen(function* () {
        const { error } = yield* playError([long], { ...options, limits: { responseBytes: 40 } }, request)
        expect(error).toMatchObject({
          _tag: "ResponseValidationError",
          status: 200,
          requestId: "req_1",
          reason: "is larger than 40 bytes",
          excerpt: `{"said":"<redacted> ${"x".repeat(24)}`
        })
      })
  )

  it.effect("7.4 invalid JSON that a middleware reads fails with the request id and an excerpt", () =>
    Effect.gen(function* () {
      const reading: Middleware.Middleware = (request, next) =>
        Effect.tap(next(request), (response) => response.json)
      const { client } = yield* scripted([MockTransport.text("<p>no</p>", { headers })], {
        ...options,
        middleware: [reading]
      })
      expect(yield* Effect.flip(client.execute(list))).toMatchObject({
        _tag: "ResponseValidationError",
        requestId: "req_1",
        excerpt: "<p>no</p>"
      })
    })
  )
})
