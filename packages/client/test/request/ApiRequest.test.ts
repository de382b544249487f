import { describe, expect, it } from "@effect/vitest"
import { ApiClient, ApiRequest, type Middleware, RetryPolicy } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Layer, Schema } from "effect"
import { z } from "zod"
import {
  baseUrl,
  getTodo,
  milk,
  prepared,
  scripted,
  sent,
  Todo,
  TodoMissing,
  withoutDelay
} from "../fixtures/requests.js"

class Taken extends Schema.TaggedError<Taken>()("Taken", { by: Schema.String }) {}

describe("a request", () => {
  it("2.3 is a value with its method, template, path and schemas", () => {
    const request = getTodo(1)
    expect(request).toMatchObject({ method: "GET", template: "/todos/{id}", path: { id: 1 } })
    expect(Object.keys(request.failure)).toEqual(["404"])
  })

  it.effect("2.3 is sent only when a client runs it, and can run many times", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([MockTransport.forever(MockTransport.json(milk))])
      const request = getTodo(1)
      expect(yield* transport.requestCount).toBe(0)
      expect(yield* Effect.all([client.execute(request), client.execute(request)])).toEqual([
        new Todo(milk),
        new Todo(milk)
      ])
      expect(yield* transport.requestCount).toBe(2)
    })
  )

  it.effect.each([
    ["get", "GET"],
    ["head", "HEAD"],
    ["post", "POST"],
    ["put", "PUT"],
    ["patch", "PATCH"],
    ["del", "DELETE"]
  ] as const)("5.1 %s sends %s, as a value, through the client and through the accessor", ([verb, method]) =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.MockTransport
      const client = yield* ApiClient.ApiClient
      // The cast lets one call fit the verbs with and without a body.
      yield* client.execute((ApiRequest[verb] as typeof ApiRequest.get)("/x"))
      yield* (client[verb] as typeof client.get)("/x", { query: { a: 1 } })
      yield* (ApiClient[verb] as typeof ApiClient.get)("/{id}", { path: { id: 7 } })
      const requests = yield* transport.requests
      expect(requests.map(({ method, url }) => [method, url])).toEqual([
        [method, "https://api.test/v1/x"],
        [method, "https://api.test/v1/x?a=1"],
        [method, "https://api.test/v1/7"]
      ])
    }).pipe(
      Effect.provide(
        Layer.provideMerge(
          ApiClient.layer({ baseUrl }),
          MockTransport.layer([MockTransport.forever(MockTransport.empty(200))])
        )
      )
    )
  )
})

describe("override", () => {
  const request = ApiRequest.post("/x", {
    body: 1,
    headers: { "x-a": "1", "x-b": "1", "x-c": "1" },
    query: { a: 1, b: 1 },
    idempotencyKey: "first"
  })

  it.effect(
    "1.4 merges headers and query, replaces the other options, and leaves the original unchanged",
    () =>
      Effect.gen(function* () {
        const changed = request.pipe(
          ApiRequest.override({
            headers: { "X-A": "2", "x-b": null, "x-c": undefined },
            query: { b: 2, c: 2 },
            idempotencyKey: "second"
          })
        )
        const { headers, method, text, url } = yield* sent(changed)
        expect({ method, text, url }).toEqual({
          method: "POST",
          text: "1",
          url: "https://api.test/v1/x?a=1&b=2&c=2"
        })
        expect(headers).toMatchObject({ "x-a": "2", "x-c": "1", "idempotency-key": "second" })
        expect(headers).not.toHaveProperty("x-b")
        const original = yield* sent(request)
        expect(original.url).toBe("https://api.test/v1/x?a=1&b=1")
        expect(original.headers).toMatchObject({ "x-a": "1", "x-b": "1", "idempotency-key": "first" })
      })
  )

  it.effect("1.4 the last value of a header wins, whatever the case of its name", () =>
    Effect.gen(function* () {
      const changed = ApiRequest.override(ApiRequest.override(request, { headers: { "X-A": "2" } }), {
        headers: { "x-a": "3" }
      })
      expect((yield* sent(changed)).headers["x-a"]).toBe("3")
    })
  )

  it.effect("1.4 undefined changes nothing", () =>
    Effect.gen(function* () {
      const changed = ApiRequest.override(request, {
        idempotencyKey: undefined,
        query: undefined,
        headers: undefined
      })
      const { headers, url } = yield* sent(changed)
      expect(url).toBe("https://api.test/v1/x?a=1&b=1")
      expect(headers).toMatchObject({ "x-a": "1", "idempotency-key": "first" })
    })
  )

  it.effect("1.4 keeps the request's result and error types", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([MockTransport.json({ message: "gone" }, { status: 404 })])
      const changed = ApiRequest.override(getTodo(1), { headers: { "x-a": "1" } })
      const error = yield* Effect.flip(client.execute(changed))
      expect(error).toBeInstanceOf(TodoMissing)
    })
  )

  it.effect("3.1 an override of a request for a URL adds its query to the URL's", () =>
    Effect.gen(function* () {
      const request = ApiRequest.get("/x", { query: { old: 1 } }).pipe(
        ApiRequest.atUrl(`${baseUrl}/y?a=1`),
        ApiRequest.override({ query: { b: 2 } })
      )
      expect((yield* prepared(request)).url).toBe(`${baseUrl}/y?a=1&b=2`)
    })
  )
})

describe("options of one request", () => {
  it.effect("1.1 the request's retry overrides the client's", () =>
    Effect.gen(function* () {
      const script = [MockTransport.forever(MockTransport.empty(503))]
      const count = (retry: RetryPolicy.Options | RetryPolicy.RetryPolicy | undefined) =>
        Effect.gen(function* () {
          const { client, transport } = yield* scripted(script, { retry: { ...withoutDelay, maxRetries: 1 } })
          yield* Effect.flip(client.execute(ApiRequest.get("/x", { retry })))
          return yield* transport.requestCount
        })
      expect(yield* count(undefined)).toBe(2)
      expect(yield* count(RetryPolicy.none)).toBe(1)
      expect(yield* count({ ...withoutDelay, maxRetries: 4 })).toBe(5)
    })
  )

  it.effect.each([
    [{ retry: { maxRetries: -1 } }, "retry.maxRetries"],
    [{ retry: { initialDelay: -1 } }, "retry.initialDelay"],
    [{ timeouts: { total: Number.NaN } }, "timeouts.total"],
    [{ timeouts: { response: "-1 second" as never } }, "timeouts.response"],
    [{ headers: { "x-a": "\n" } }, "headers.x-a"],
    [{ query: { a: Number.NaN } }, "query.a"]
  ] as const)("1.2 %j fails when the request runs", ([options, field]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(prepared(ApiRequest.get("/x", options)))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field })
    })
  )
})

describe("failure", () => {
  const create = ApiRequest.post("/names", {
    body: { name: "ann" },
    success: Todo,
    failure: { 404: TodoMissing, 409: Taken, 500: z.object({ code: z.number() }) }
  })
  const responds = (status: number, body: unknown) => MockTransport.json(body, { status })
  const failed = (...script: ReadonlyArray<MockTransport.MockStep>) =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted(script, { retry: withoutDelay })
      const error: unknown = yield* Effect.flip(client.execute(create))
      return [error, yield* transport.requestCount] as const
    })

  it.effect("7.5 a status is decoded to the caller's own error", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([responds(404, { _tag: "TodoMissing", message: "no such todo" })])
      const caught = yield* client
        .execute(getTodo(1))
        .pipe(Effect.catchTag("TodoMissing", (error) => Effect.succeed(error)))
      expect(caught).toBeInstanceOf(TodoMissing)
      expect(caught).toMatchObject({ message: "no such todo" })
    })
  )

  it.effect("7.5 each status has its own schema", () =>
    Effect.gen(function* () {
      const [error] = yield* failed(responds(404, { _tag: "TodoMissing", message: "no" }))
      expect(error).toBeInstanceOf(TodoMissing)
    })
  )

  const taken = responds(409, { _tag: "Taken", by: "bob" })
  const asked = (header: string) =>
    MockTransport.json({ _tag: "Taken", by: "bob" }, { status: 409, headers: { "x-should-retry": header } })

  it.effect.each([
    ["of a status that `failure` names", {}, taken, 1],
    ["that `retryable` wants again", { retryable: () => true }, taken, 3],
    ["that `retryable` leaves to others", { retryable: () => undefined }, taken, 1],
    ["that the server asks to send again", {}, asked("true"), 3],
    ["that the server and `retryable` disagree on", { retryable: () => false }, asked("true"), 1],
    ["without a body that fits", {}, responds(409, { other: true }), 3]
  ] as ReadonlyArray<readonly [string, RetryPolicy.Options, MockTransport.MockStep, number]>)(
    "7.5 an error %s is retried or not",
    ([, retry, step, attempts]) =>
      Effect.gen(function* () {
        const { client, transport } = yield* scripted([MockTransport.forever(step)], {
          retry: { ...withoutDelay, ...retry }
        })
        yield* Effect.flip(client.execute(create))
        expect(yield* transport.requestCount).toBe(attempts)
      })
  )

  it.effect("7.5 the last response decides, not an earlier one", () =>
    Effect.gen(function* () {
      const [error, count] = yield* failed(
        responds(409, "no such shape"),
        responds(404, { _tag: "TodoMissing", message: "no" })
      )
      expect(error).toBeInstanceOf(TodoMissing)
      expect(count).toBe(2)
    })
  )

  it.effect("7.5 a last attempt without a response keeps its own error", () =>
    Effect.gen(function* () {
      const reset = MockTransport.connectionError({ code: "ECONNRESET" })
      const [error] = yield* failed(asked("true"), reset, reset)
      expect(error).toMatchObject({ _tag: "ConnectionError" })
    })
  )

  it.effect("7.5 a Standard Schema works", () =>
    Effect.gen(function* () {
      const serverError = responds(500, { code: 7, more: true })
      expect(yield* failed(serverError)).toEqual([{ code: 7 }, 1])
    })
  )

  it.effect.each([
    ["another shape", responds(404, { error: { message: "nothing here" } }), "404 nothing here"],
    ["a body that is not JSON", MockTransport.text("nothing here", { status: 404 }), "404 nothing here"],
    ["an empty body", MockTransport.empty(404), "404 Not Found"]
  ] as const)("7.5 a failure with %s is the ordinary error of the status", ([, step, message]) =>
    Effect.gen(function* () {
      const [error] = yield* failed(step)
      expect(error).toMatchObject({ _tag: "NotFoundError", status: 404, message })
    })
  )

  it.effect("7.5 a status without a schema is the ordinary error", () =>
    Effect.gen(function* () {
      const [error] = yield* failed(responds(403, { _tag: "Taken", by: "bob" }))
      expect(error).toMatchObject({ _tag: "PermissionDeniedError" })
    })
  )

  it.effect("7.5 the caller's own error has the body without redaction", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([
        responds(404, { _tag: "TodoMissing", message: "token s3cret unknown" })
      ])
      const error = yield* Effect.flip(client.execute(getTodo(1)))
      expect(error.message).toBe("token s3cret unknown")
    })
  )

  it.effect("7.5 a middleware can recover before the failure is decoded", () =>
    Effect.gen(function* () {
      const recover: Middleware.Middleware = (request, next) =>
        Effect.flatMap(next(request), (response) =>
          response.status === 404 ? next(request) : Effect.succeed(response)
        )
      const { client } = yield* scripted([MockTransport.empty(404), MockTransport.json(milk)])
      const request = ApiRequest.override(getTodo(1), { middleware: [recover] })
      expect(yield* client.execute(request)).toEqual(new Todo(milk))
    })
  )
})
