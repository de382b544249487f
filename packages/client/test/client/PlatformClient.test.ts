import { HttpBody, HttpClient, HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient, type ApiError, Credentials } from "@effect-api/client"
import { MockTransport, TestServer } from "@effect-api/testing"
import { Effect, Fiber, LogLevel, Redacted, Stream, TestClock } from "effect"
import { todosClient } from "../fixtures/httpApis.js"
import { credentials, plainClient } from "../fixtures/plainClient.js"
import { reasonOf } from "../fixtures/reasons.js"
import { recorder } from "../fixtures/recorder.js"
import { baseUrl, milk, scripted, Todo, TodoMissing, withoutDelay } from "../fixtures/requests.js"

const taggedCause = (error: { readonly cause?: unknown }) => error.cause as ApiError.ApiError

describe("HttpApiClient", () => {
  it.scopedLive("7.5 works with our base URL, credentials and retries, and with its own typed errors", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "GET /v1/todos/1": TestServer.sequence(
          TestServer.json({ error: "busy" }, { status: 503 }),
          TestServer.reset,
          TestServer.json(milk)
        ),
        "GET /v1/todos/2": TestServer.json({ _tag: "TodoMissing", message: "no such todo" }, { status: 404 }),
        "POST /v1/todos": (request) =>
          TestServer.json({ id: 3, ...(request.json as { readonly title: string }) }, { status: 201 })
      })
      yield* Effect.gen(function* () {
        const todos = yield* todosClient
        expect(yield* todos.get(1)).toEqual(new Todo(milk))
        const missing = yield* Effect.flip(todos.get(2))
        expect(missing).toBeInstanceOf(TodoMissing)
        const created = yield* todos.create("Sleep", true)
        expect(created).toEqual(new Todo({ id: 3, title: "Sleep" }))
      }).pipe(Effect.provide(plainClient(server)))
      const requests = yield* server.requests
      expect(requests.map(({ headers, method, url }) => [method, url, headers["x-api-key"]])).toEqual([
        ["GET", "/v1/todos/1", "s3cret"],
        ["GET", "/v1/todos/1", "s3cret"],
        ["GET", "/v1/todos/1", "s3cret"],
        ["GET", "/v1/todos/2", "s3cret"],
        ["POST", "/v1/todos?draft=true", "s3cret"]
      ])
    })
  )
})

describe("responses", () => {
  it.scopedLive.each([400, 404, 429, 500, 503])(
    "6.1 a final %d is a response with its complete body",
    (status) =>
      Effect.gen(function* () {
        const body = `${status}:${"x".repeat(200_000)}`
        const server = yield* TestServer.make(
          TestServer.text(body, { status, headers: { "x-served-by": "a" } })
        )
        const response = yield* HttpClient.get("/x").pipe(Effect.provide(plainClient(server)))
        expect(response.status).toBe(status)
        expect(response.headers["x-served-by"]).toBe("a")
        expect(yield* response.text).toBe(body)
        expect(yield* server.requestCount).toBe(status === 429 || status >= 500 ? 3 : 1)
      })
  )

  it.effect("7.1 response.request is the caller's request, without our credentials", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([MockTransport.json(milk)], { credentials })
      const response = yield* ApiClient.httpClient(client).get("/x", { headers: { "x-a": "1" } })
      expect(response.request.headers).toMatchObject({ "x-a": "1" })
      expect(response.request.headers).not.toHaveProperty("x-api-key")
      expect(yield* response.json).toEqual(milk)
      expect((yield* transport.requests)[0]?.headers).toMatchObject({ "x-a": "1", "x-api-key": "s3cret" })
    })
  )

  it.effect("8.2 the body can be read several times, in different ways", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([MockTransport.json(milk)])
      const response = yield* ApiClient.httpClient(client).get("/x")
      expect(yield* response.json).toEqual(milk)
      expect(yield* response.text).toBe(JSON.stringify(milk))
      const streamed = yield* Stream.mkString(Stream.decodeText(response.stream))
      expect(streamed).toBe(JSON.stringify(milk))
    })
  )

  it.effect("12.4 neither log lines nor span names contain the query", () =>
    Effect.gen(function* () {
      const { layer, lines, spans } = recorder(LogLevel.Info)
      const { client } = yield* scripted([MockTransport.empty(503), MockTransport.empty(200)], {
        retry: withoutDelay,
        query: { key: Redacted.make("s3cret") }
      })
      yield* Effect.provide(ApiClient.httpClient(client).get("/x?a=1"), layer)
      expect(lines.map(({ message }) => message)).toEqual([
        "retrying GET https://api.test/v1/x in 0: ServiceUnavailableError 503 (retry 1)"
      ])
      expect(spans.map(({ name }) => name)).toEqual(["GET"])
    })
  )

  it.effect("6.3 a body that can be read only once gets one attempt, and its response is returned", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([MockTransport.empty(503)], { retry: withoutDelay })
      const body = HttpBody.stream(Stream.make(new Uint8Array([1, 2])), "application/octet-stream")
      const request = HttpClientRequest.setBody(HttpClientRequest.post("/x"), body)
      expect((yield* ApiClient.httpClient(client).execute(request)).status).toBe(503)
      expect(yield* transport.requestCount).toBe(1)
    })
  )

  it.effect("4.4 a call has one idempotency key, or the caller's own", () =>
    Effect.gen(function* () {
      const script = [MockTransport.empty(503), MockTransport.forever(MockTransport.empty(200))]
      const { client, transport } = yield* scripted(script, {
        retry: withoutDelay,
        idempotency: { header: "Idempotency-Key" }
      })
      yield* ApiClient.httpClient(client).post("/x")
      yield* ApiClient.httpClient(client).post("/x", { headers: { "idempotency-key": "mine" } })
      yield* ApiClient.httpClient(client).get("/x")
      const [first, again, explicit, get] = (yield* transport.requests).map(
        ({ headers }) => headers["idempotency-key"]
      )
      expect(first).toMatch(/^[0-9a-f-]{36}$/)
      expect([again, explicit, get]).toEqual([first, "mine", undefined])
    })
  )

  it.effect("4.1 the platform request's headers win over the client's, and those over the defaults", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([MockTransport.empty()], {
        headers: { "x-a": "client", "x-b": "client", "user-agent": "client" },
        query: { a: "client", b: "client" }
      })
      const request = HttpClientRequest.get("/x", {
        headers: { "x-b": "request" },
        urlParams: { b: "request" }
      })
      yield* ApiClient.httpClient(client).execute(request)
      const [sent] = yield* transport.requests
      expect(sent?.url).toBe("https://api.test/v1/x?a=client&b=request")
      expect(sent?.headers).toMatchObject({ "x-a": "client", "x-b": "request", "user-agent": "client" })
    })
  )
})

describe("failures", () => {
  it.effect("7.3 are RequestErrors with the tagged error as cause", () =>
    Effect.gen(function* () {
      const refused = MockTransport.forever(MockTransport.connectionError({ code: "ECONNREFUSED" }))
      const { client } = yield* scripted([refused], { retry: withoutDelay, credentials })
      const error = yield* Effect.flip(ApiClient.httpClient(client).get("/x"))
      expect(reasonOf(error)).toBe("sending: Transport")
      const cause = taggedCause(error)
      expect(cause).toMatchObject({ _tag: "ConnectionError", kind: "refused", stoppedBy: "attempts" })
      expect(cause.attempts).toHaveLength(3)
      expect(JSON.stringify(error)).not.toContain("s3cret")
    })
  )

  it.effect("7.3 include timeouts", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([MockTransport.never], {
        timeouts: { total: "1 second" }
      })
      const fiber = yield* Effect.fork(Effect.flip(ApiClient.httpClient(client).get("/x")))
      yield* transport.awaitRequests(1)
      yield* TestClock.adjust("1 second")
      expect(taggedCause(yield* Fiber.join(fiber))).toMatchObject({ _tag: "TimeoutError", phase: "total" })
      expect(yield* transport.interrupted).toBe(1)
    })
  )

  it.effect("7.3 include failing credentials", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([], { credentials: Credentials.effect(Effect.fail("vault sealed")) })
      const error = yield* Effect.flip(ApiClient.httpClient(client).get("/x"))
      expect(taggedCause(error)).toMatchObject({ _tag: "CredentialsError" })
    })
  )

  it.effect.each(["ftp://api.test/x", "a/../b", "https://user:pass@api.test/x"])(
    "2.1 %s fails with InvalidUrl and sends nothing",
    (url) =>
      Effect.gen(function* () {
        const { client, transport } = yield* scripted([])
        const error = yield* Effect.flip(ApiClient.httpClient(client).get(url))
        expect(reasonOf(error)).toBe("sending: InvalidUrl")
        expect(yield* transport.requestCount).toBe(0)
      })
  )
})

describe("interruption", () => {
  it.scopedLive("8.6 before the response closes the socket", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make(TestServer.never)
      const fiber = yield* Effect.fork(Effect.provide(HttpClient.get("/x"), plainClient(server)))
      yield* server.awaitRequests(1)
      yield* Fiber.interrupt(fiber)
      expect(yield* server.awaitClosed(0)).toBe("client")
    })
  )

  it.scopedLive("8.6 inside the body closes the socket", () =>
    Effect.gen(function* () {
      const endless = TestServer.chunks(["first"]).pipe(TestServer.stallAfter(5))
      const server = yield* TestServer.make(endless)
      const body = HttpClient.get("/x").pipe(Effect.flatMap((response) => response.text))
      const fiber = yield* Effect.fork(Effect.provide(body, plainClient(server)))
      yield* server.awaitExchange(0, ({ bytesSent }) => bytesSent === 5)
      yield* Fiber.interrupt(fiber)
      expect(yield* server.awaitClosed(0)).toBe("client")
    })
  )

  it.scopedLive("8.6 leaving the body early closes the socket", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make(TestServer.chunks(["first"]).pipe(TestServer.stallAfter(5)))
      const first = yield* HttpClient.get("/x").pipe(
        Effect.flatMap((response) => Stream.runHead(response.stream)),
        Effect.provide(plainClient(server))
      )
      expect(first._tag).toBe("Some")
      expect(yield* server.awaitClosed(0)).toBe("client")
    })
  )

  it.effect("8.6 ends the wait before a retry", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([MockTransport.forever(MockTransport.empty(503))], {
        baseUrl
      })
      const fiber = yield* Effect.fork(ApiClient.httpClient(client).get("/x"))
      yield* transport.awaitRequests(1)
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 minute")
      expect(yield* transport.requestCount).toBe(1)
    })
  )
})
