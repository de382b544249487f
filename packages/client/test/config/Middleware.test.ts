import { HttpClientError, HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiError, ApiRequest, Credentials, Middleware, PlatformHeaders } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Redacted, Ref, Schema, Stream } from "effect"
import { composeMiddleware } from "../../src/config/composeMiddleware.js"
import { requestErrors } from "../fixtures/platformErrors.js"
import { milk, scripted, Todo, withoutDelay } from "../fixtures/requests.js"

const get = ApiRequest.get("/x")

/** Logs each request on its way out and each response on its way back. */
const logging =
  (log: Array<string>, name: string): Middleware.Middleware =>
  (request, next) =>
    Effect.suspend(() => {
      log.push(`${name} out`)
      return Effect.tap(next(request), (response) =>
        Effect.sync(() => log.push(`${name} ${response.status}`))
      )
    })

const bodyOf = (
  response: HttpClientResponse.HttpClientResponse,
  how: "text" | "json" | "arrayBuffer" | "stream"
): Effect.Effect<unknown, HttpClientError.HttpClientError> =>
  how === "stream" ? Stream.runCollect(response.stream) : response[how]

describe("what a middleware sees", () => {
  it.effect("6 a middleware sees the response of every attempt, 4xx and 5xx included", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const script = [MockTransport.empty(503), MockTransport.empty(429), MockTransport.empty(404)]
      const { client } = yield* scripted(script, {
        retry: withoutDelay,
        middleware: [
          (request, next) => Effect.tap(next(request), ({ status }) => Effect.sync(() => seen.push(status)))
        ]
      })
      const error = yield* Effect.flip(client.execute(get))
      expect(error._tag).toBe("NotFoundError")
      expect(seen).toEqual([503, 429, 404])
    })
  )

  it.effect("6 a middleware sees credentials and attempt headers on the request", () =>
    Effect.gen(function* () {
      const seen: Array<Record<string, string>> = []
      const { client } = yield* scripted([MockTransport.empty(503), MockTransport.empty(200)], {
        retry: withoutDelay,
        credentials: Credentials.bearer(Redacted.make("s")),
        platformHeaders: PlatformHeaders.make({ prefix: "x-p", packageVersion: "1" }),
        middleware: [
          (request, next) => {
            seen.push(request.headers)
            return next(request)
          }
        ]
      })
      yield* client.execute(get)
      expect(seen.map((headers) => [headers["authorization"], headers["x-p-retry-count"]])).toEqual([
        ["Bearer s", "0"],
        ["Bearer s", "1"]
      ])
    })
  )

  it.effect("6 a middleware sees a transport failure as a tagged error", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const { client } = yield* scripted([MockTransport.connectionError({ code: "ECONNREFUSED" })], {
        retry: { maxRetries: 0 },
        middleware: [
          (request, next) =>
            Effect.tapError(next(request), (error) => Effect.sync(() => seen.push(error._tag)))
        ]
      })
      yield* Effect.flip(client.execute(get))
      expect(seen).toEqual(["ConnectionError"])
    })
  )
})

describe("the order of middleware", () => {
  it.effect("6 the client's middleware wraps the request's, and the first of each is outermost", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const { client } = yield* scripted([MockTransport.empty(503), MockTransport.empty(204)], {
        retry: withoutDelay,
        middleware: [logging(log, "a"), logging(log, "b")]
      })
      yield* client.execute(ApiRequest.get("/x", { middleware: [logging(log, "c")] }))
      const attempt = (status: number) => [
        "a out",
        "b out",
        "c out",
        `c ${status}`,
        `b ${status}`,
        `a ${status}`
      ]
      expect(log).toEqual([...attempt(503), ...attempt(204)])
    })
  )

  it.effect("6 compose makes the first of the list outermost", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const composed = composeMiddleware([logging(log, "a"), logging(log, "b")], (request) =>
        Effect.succeed(HttpClientResponse.fromWeb(request, new Response(null, { status: 204 })))
      )
      yield* composed(HttpClientRequest.get("https://api.test"))
      expect(log).toEqual(["a out", "b out", "b 204", "a 204"])
    })
  )
})

describe("what a middleware can do", () => {
  it.effect("6 a middleware can change the request", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([MockTransport.empty()], {
        middleware: [
          (request, next) =>
            next(request.pipe(HttpClientRequest.setHeader("x-signature", `${request.method} ${request.url}`)))
        ]
      })
      yield* client.execute(get)
      const [request] = yield* transport.requests
      expect(request?.headers["x-signature"]).toBe("GET https://api.test/v1/x")
    })
  )

  it.effect("6 a middleware can respond without sending", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([], {
        middleware: [(request) => Effect.succeed(HttpClientResponse.fromWeb(request, Response.json(milk)))]
      })
      expect(yield* client.get("/x", { success: Todo })).toEqual(new Todo(milk))
      expect(yield* transport.requestCount).toBe(0)
    })
  )

  it.effect("6 an error status from a middleware is retried and counted", () =>
    Effect.gen(function* () {
      const attempts = yield* Ref.make(0)
      const { client } = yield* scripted([], {
        retry: withoutDelay,
        middleware: [
          (request) =>
            Effect.as(
              Ref.update(attempts, (n) => n + 1),
              HttpClientResponse.fromWeb(
                request,
                Response.json({ error: { type: "overloaded_error", message: "later" } }, { status: 529 })
              )
            )
        ]
      })
      const error = yield* Effect.flip(client.execute(get))
      expect(error).toMatchObject({ _tag: "OverloadedError", message: "529 later", stoppedBy: "attempts" })
      expect(yield* Ref.get(attempts)).toBe(3)
    })
  )

  it.effect("6 a middleware can send twice within one attempt", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([MockTransport.empty(202), MockTransport.json(milk)], {
        middleware: [
          (request, next) =>
            Effect.flatMap(next(request), (response) =>
              response.status === 202 ? next(request) : Effect.succeed(response)
            )
        ]
      })
      const { attempts, value } = yield* client.executeWithResponse(ApiRequest.get("/x", { success: Todo }))
      expect(value).toEqual(new Todo(milk))
      expect(attempts).toHaveLength(1)
      expect(yield* transport.requestCount).toBe(2)
    })
  )

  it.effect.each(["text", "json", "arrayBuffer", "stream"] as const)(
    "6 the decoder still reads the body after a middleware read it as %s",
    (how) =>
      Effect.gen(function* () {
        const seen: Array<unknown> = []
        const { client } = yield* scripted([MockTransport.stream(['{"id":1,', '"title":"Buy milk"}'])], {
          middleware: [
            (request, next) =>
              Effect.tap(next(request), (response) =>
                Effect.map(bodyOf(response, how), (body) => {
                  seen.push(body)
                })
              )
          ]
        })
        expect(yield* client.get("/x", { success: Todo })).toEqual(new Todo(milk))
        expect(seen).toHaveLength(1)
      })
  )

  it.effect("6 a middleware can replace the body", () =>
    Effect.gen(function* () {
      const script = MockTransport.forever(MockTransport.text('"hello"'))
      const upper = (response: HttpClientResponse.HttpClientResponse) =>
        Effect.map(Stream.mkString(Stream.decodeText(response.stream)), (text) =>
          HttpClientResponse.fromWeb(response.request, new Response(text.toUpperCase()))
        )
      const { client } = yield* scripted([script], {
        middleware: [(request, next) => Effect.flatMap(next(request), upper)]
      })
      expect(yield* client.get("/x", { success: Schema.String })).toBe("HELLO")
    })
  )

  it.effect("6 an error keeps its body after a middleware read it", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([MockTransport.json({ message: "no" }, { status: 400 })], {
        middleware: [(request, next) => Effect.tap(next(request), (response) => response.json)]
      })
      const error = yield* Effect.flip(client.execute(get))
      expect(error).toMatchObject({ _tag: "BadRequestError", body: { message: "no" }, message: "400 no" })
    })
  )
})

describe("errors from a middleware", () => {
  const refuse =
    (mark: (error: ApiError.ApiError) => ApiError.ApiError): Middleware.Middleware =>
    (request, next) =>
      Effect.mapError(next(request), (error) => (ApiError.isApiError(error) ? mark(error) : error))

  it.effect("6.1 an error that a middleware marks retryable is retried", () =>
    Effect.gen(function* () {
      const tls = MockTransport.connectionError({ code: "CERT_HAS_EXPIRED" })
      const once = yield* scripted([tls, MockTransport.empty()], { retry: withoutDelay })
      expect(yield* Effect.flip(once.client.execute(get))).toMatchObject({ stoppedBy: "not-retryable" })
      const again = yield* scripted([tls, MockTransport.empty()], {
        retry: withoutDelay,
        middleware: [refuse(Middleware.retryable)]
      })
      yield* again.client.execute(get)
      expect(yield* again.transport.requestCount).toBe(2)
    })
  )

  it.effect("6.1 an error that a middleware creates and marks retryable is retried", () =>
    Effect.gen(function* () {
      let calls = 0
      const { client } = yield* scripted([MockTransport.forever(MockTransport.json({ status: "pending" }))], {
        retry: withoutDelay,
        middleware: [
          (request, next) =>
            Effect.flatMap(next(request), (response) =>
              ++calls < 3
                ? Effect.fail(
                    Middleware.retryable(
                      new ApiError.ConnectionError({
                        message: "not ready",
                        request: { method: request.method, url: request.url },
                        attempts: [],
                        stoppedBy: "not-retryable",
                        delivery: "rejected",
                        shouldRetry: undefined,
                        kind: "other",
                        code: undefined
                      })
                    )
                  )
                : Effect.succeed(response)
            )
        ]
      })
      expect(yield* client.execute(get)).toEqual({ status: "pending" })
      expect(calls).toBe(3)
    })
  )

  it.effect("6.1 an InvalidRequestError is not retried, even if a middleware marks it", () =>
    Effect.gen(function* () {
      const invalid = new ApiError.InvalidRequestError({
        message: "body is too long",
        request: { method: "GET", url: "https://api.test/v1/x" },
        attempts: [],
        stoppedBy: "not-retryable",
        delivery: "not-sent",
        shouldRetry: undefined,
        field: "body",
        reason: "is too long"
      })
      const { client } = yield* scripted([], {
        retry: withoutDelay,
        middleware: [() => Effect.fail(Middleware.retryable(invalid))]
      })
      const error = yield* Effect.flip(client.execute(get))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", stoppedBy: "not-retryable" })
      expect(error.attempts).toHaveLength(1)
    })
  )

  it.effect("7.3 platform errors become tagged errors", () =>
    Effect.gen(function* () {
      const cause = MockTransport.systemError("ECONNRESET")
      const failing =
        (reason: "Transport" | "Encode" | "InvalidUrl"): Middleware.Middleware =>
        (request) =>
          Effect.fail(requestErrors[reason](request, cause))
      const tagOf = (middleware: Middleware.Middleware) =>
        Effect.flatMap(
          scripted([MockTransport.text("not json")], { retry: { maxRetries: 0 } }),
          ({ client }) => Effect.flip(client.execute(ApiRequest.get("/x", { middleware: [middleware] })))
        )
      expect(yield* tagOf(failing("Transport"))).toMatchObject({ _tag: "ConnectionError", kind: "reset" })
      expect(yield* tagOf(failing("Encode"))).toMatchObject({ _tag: "InvalidRequestError", field: "body" })
      expect(yield* tagOf(failing("InvalidUrl"))).toMatchObject({ _tag: "InvalidRequestError", field: "url" })
    })
  )

  it.effect(
    "7.4 invalid JSON that a middleware reads is a ResponseValidationError, not a ConnectionError",
    () =>
      Effect.gen(function* () {
        const { client, transport } = yield* scripted(
          [MockTransport.forever(MockTransport.text("not json"))],
          {
            retry: withoutDelay,
            middleware: [(request, next) => Effect.tap(next(request), (response) => response.json)]
          }
        )
        const error = yield* Effect.flip(client.execute(get))
        expect(error._tag).toBe("ResponseValidationError")
        expect(yield* transport.requestCount).toBe(1)
      })
  )

  it.effect("7.4 a schema mismatch in a middleware is a ResponseValidationError, not a ConnectionError", () =>
    Effect.gen(function* () {
      const Ready = Schema.Struct({ ready: Schema.Literal(true) })
      const { client, transport } = yield* scripted(
        [MockTransport.forever(MockTransport.json({ ready: false }))],
        {
          retry: withoutDelay,
          middleware: [
            (request, next) =>
              Effect.tap(next(request), (response) =>
                Effect.mapError(
                  HttpClientResponse.schemaBodyJson(Ready)(response),
                  (cause) => new HttpClientError.ResponseError({ request, response, reason: "Decode", cause })
                )
              )
          ]
        }
      )
      const error = yield* Effect.flip(client.execute(get))
      expect(error._tag).toBe("ResponseValidationError")
      expect(yield* transport.requestCount).toBe(1)
    })
  )

  it.effect("7.1 filterStatusOk in a middleware gives the status's own error", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted(
        [MockTransport.json({ message: "gone for lunch" }, { status: 404 })],
        {
          middleware: [(request, next) => Effect.flatMap(next(request), HttpClientResponse.filterStatusOk)]
        }
      )
      expect(yield* Effect.flip(client.execute(get))).toMatchObject({
        _tag: "NotFoundError",
        message: "404 gone for lunch"
      })
    })
  )
})
