import { describe, expect, it } from "@effect/vitest"
import { type ApiConfig, ApiError, ApiRequest } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Cause, Duration, Effect, Exit, Schema } from "effect"
import * as StatusTag from "../../src/errors/StatusTag.js"
import * as Redaction from "../../src/secrets/Redaction.js"
import { observe } from "../fixtures/canary.js"
import { scripted, withoutDelay } from "../fixtures/requests.js"

const { bytes, json, response, text } = MockTransport

/** The error that ends a call, within an hour on the test clock. */
const errorOf = (
  script: MockTransport.Script,
  options: Partial<ApiConfig.Options> = {},
  request: ApiRequest.ApiRequest<unknown, unknown> = ApiRequest.get("/todos/1")
) =>
  Effect.gen(function* () {
    const { client } = yield* scripted(script, { retry: { maxRetries: 0 }, ...options })
    const { exit } = yield* observe(client.execute(request))
    return (Exit.isFailure(exit) ? Cause.squash(exit.cause) : exit.value) as ApiError.StatusError
  })

const tags: ReadonlyArray<readonly [status: number, tag: ApiError.StatusError["_tag"]]> = [
  [300, "UnexpectedStatusError"],
  [304, "UnexpectedStatusError"],
  [400, "BadRequestError"],
  [401, "AuthenticationError"],
  [402, "UnexpectedStatusError"],
  [403, "PermissionDeniedError"],
  [404, "NotFoundError"],
  [405, "UnexpectedStatusError"],
  [408, "UnexpectedStatusError"],
  [409, "ConflictError"],
  [410, "UnexpectedStatusError"],
  [413, "RequestTooLargeError"],
  [418, "UnexpectedStatusError"],
  [422, "UnprocessableEntityError"],
  [429, "RateLimitError"],
  [451, "UnexpectedStatusError"],
  [500, "InternalServerError"],
  [501, "InternalServerError"],
  [502, "InternalServerError"],
  [503, "ServiceUnavailableError"],
  [504, "DeadlineExceededError"],
  [520, "InternalServerError"],
  [529, "OverloadedError"],
  [599, "InternalServerError"]
]

describe("the error of a status", () => {
  it.effect.each(tags)("7.1 %d is a %s", ([status, tag]) =>
    Effect.gen(function* () {
      expect(StatusTag.tagOf(status, undefined)).toBe(tag)
      const error = yield* errorOf([text("", { status })])
      expect(error).toMatchObject({ _tag: tag, status, delivery: ApiError.table[tag].delivery })
      expect(ApiError.isStatusError(error)).toBe(true)
    })
  )

  it.each([200, 201, 202, 204, 206, 299])("8.1 %d is a success", (status) => {
    expect(StatusTag.isSuccess(status)).toBe(true)
  })

  it.each([199, 300, 304, 400, 500])("8.1 %d is not a success", (status) => {
    expect(StatusTag.isSuccess(status)).toBe(false)
  })
})

describe("the error of a type", () => {
  it.each<readonly [status: number, type: string, tag: ApiError.StatusError["_tag"]]>([
    // In a stream the status is always a success.
    [200, "invalid_request_error", "BadRequestError"],
    [200, "authentication_error", "AuthenticationError"],
    [200, "permission_error", "PermissionDeniedError"],
    [200, "not_found_error", "NotFoundError"],
    [200, "request_too_large", "RequestTooLargeError"],
    [200, "rate_limit_error", "RateLimitError"],
    [200, "timeout_error", "DeadlineExceededError"],
    [200, "api_error", "InternalServerError"],
    [200, "overloaded_error", "OverloadedError"],
    // A specific type takes precedence over the status.
    [400, "rate_limit_error", "RateLimitError"],
    [500, "overloaded_error", "OverloadedError"],
    [503, "overloaded_error", "OverloadedError"],
    [403, "not_found_error", "NotFoundError"],
    // A type for a whole class of errors does not override a more specific status.
    [401, "invalid_request_error", "AuthenticationError"],
    [404, "invalid_request_error", "NotFoundError"],
    [422, "invalid_request_error", "UnprocessableEntityError"],
    [429, "invalid_request_error", "RateLimitError"],
    [500, "invalid_request_error", "BadRequestError"],
    [529, "api_error", "OverloadedError"],
    [503, "api_error", "ServiceUnavailableError"],
    [400, "api_error", "InternalServerError"],
    // An unknown type is ignored.
    [404, "something_else", "NotFoundError"],
    [404, "toString", "NotFoundError"],
    [404, "__proto__", "NotFoundError"],
    [404, "", "NotFoundError"],
    [200, "something_else", "UnexpectedStatusError"]
  ])("7.2 %d with type %s is a %s", (status, type, tag) => {
    expect(StatusTag.tagOf(status, type)).toBe(tag)
  })

  it.effect("7.2 the body's type decides the error and whether it is retried", () =>
    Effect.gen(function* () {
      const overloaded = json({ error: { type: "overloaded_error", message: "busy" } }, { status: 400 })
      const { client, transport } = yield* scripted([overloaded, json(1)], { retry: withoutDelay })
      expect(yield* client.get("/todos/1")).toBe(1)
      expect(yield* transport.requestCount).toBe(2)
    })
  )

  it.effect("7.1 errorType can find the type elsewhere in the body", () =>
    Effect.gen(function* () {
      const Coded = Schema.Struct({ code: Schema.String })
      const errorType = (body: unknown) => (Schema.is(Coded)(body) ? body.code : undefined)
      const options = { errorType }
      const coded = [json({ code: "rate_limit_error" }, { status: 400 })]
      expect(yield* errorOf(coded, options)).toMatchObject({
        _tag: "RateLimitError",
        type: "rate_limit_error"
      })
      const other = [json({ error: { type: "rate_limit_error" } }, { status: 400 })]
      expect(yield* errorOf(other, options)).toMatchObject({ _tag: "BadRequestError", type: undefined })
    })
  )

  it.effect.each([
    ["a string", "rate_limit_error"],
    ["a number", { error: { type: 5 } }],
    ["a list", { error: ["rate_limit_error"] }],
    ["null", null]
  ])("7.1 type is undefined for %s", ([, body]) =>
    Effect.gen(function* () {
      expect(yield* errorOf([json(body, { status: 404 })])).toMatchObject({
        _tag: "NotFoundError",
        type: undefined
      })
    })
  )
})

const typed = (body: string, type: string): MockTransport.MockStep =>
  bytes(new TextEncoder().encode(body), { status: 400, headers: { "content-type": type } })

describe("the body and message", () => {
  it.effect.each<readonly [name: string, step: MockTransport.MockStep, body: unknown, message: string]>([
    [
      "error.message",
      json({ error: { message: "No." } }, { status: 400 }),
      { error: { message: "No." } },
      "400 No."
    ],
    ["message", json({ message: "No." }, { status: 400 }), { message: "No." }, "400 No."],
    [
      "error.message before message",
      json({ error: { message: "inner" }, message: "outer" }, { status: 400 }),
      { error: { message: "inner" }, message: "outer" },
      "400 inner"
    ],
    [
      "message when error has an empty one",
      json({ error: { message: "" }, message: "outer" }, { status: 400 }),
      { error: { message: "" }, message: "outer" },
      "400 outer"
    ],
    [
      "an error that is a string",
      json({ error: "busy" }, { status: 400 }),
      { error: "busy" },
      '400 {"error":"busy"}'
    ],
    [
      "a message that is not a string",
      json({ message: 5 }, { status: 400 }),
      { message: 5 },
      '400 {"message":5}'
    ],
    ["a list", json([1, 2], { status: 400 }), [1, 2], "400 [1,2]"],
    ["a JSON string", json("no", { status: 400 }), "no", '400 "no"'],
    ["null", json(null, { status: 400 }), null, "400 null"],
    ["text", text("not\n\n  today ", { status: 400 }), "not\n\n  today ", "400 not today"],
    ["HTML", typed("<h1>Nope</h1>", "text/html"), "<h1>Nope</h1>", "400 <h1>Nope</h1>"],
    ["JSON with another media type", typed('{"message":"No."}', "text/html"), { message: "No." }, "400 No."],
    ["broken JSON", typed('{"message":', "application/json"), '{"message":', '400 {"message":'],
    ["invalid UTF-8", bytes(Uint8Array.of(0xff, 0x41), { status: 400 }), "\ufffdA", "400 \ufffdA"],
    ["an empty body", text("", { status: 400 }), undefined, "400 Bad Request"],
    ["no body", MockTransport.empty(400), undefined, "400 Bad Request"],
    ["blank text", text(" \n ", { status: 400 }), " \n ", "400 Bad Request"]
  ])("7.1 body and message of %s", ([, step, body, message]) =>
    Effect.gen(function* () {
      const error = yield* errorOf([step])
      expect(error.message).toBe(message)
      expect(error.body).toEqual(body)
    })
  )

  it.effect.each([
    [404, "404 Not Found"],
    [408, "408 Request Timeout"],
    [429, "429 Too Many Requests"],
    [503, "503 Service Unavailable"],
    [529, "529 Overloaded"],
    [499, "499 error"]
  ] as const)("7.1 the message of an empty %d has its reason phrase", ([status, message]) =>
    Effect.gen(function* () {
      expect((yield* errorOf([text("", { status })])).message).toBe(message)
    })
  )

  it.effect("7.1 the message has a short excerpt, the body is complete", () =>
    Effect.gen(function* () {
      const longText = "word ".repeat(1000)
      const error = yield* errorOf([text(longText, { status: 400 })])
      expect(error.message).toBe(`400 ${"word ".repeat(40)}…`)
      expect(error.body).toBe(longText)
    })
  )
})

describe("the other fields of a status error", () => {
  it.effect("7.1 describe the response, the request and the attempts", () =>
    Effect.gen(function* () {
      const headers = {
        "content-type": "application/json",
        "request-id": "req_9",
        "retry-after": "30",
        "set-cookie": "session=1",
        "x-team-key": "k"
      }
      const body = { error: { type: "rate_limit_error", message: "Slow down." } }
      const { client } = yield* scripted([json(body, { status: 429, headers })], {
        retry: { maxRetryAfter: "10 seconds" },
        redact: { headers: ["x-team-key"] }
      })
      const error = yield* Effect.flip(client.post("/todos", { query: { token: "t", page: 2 }, body: {} }))
      expect({ ...error, message: (error as Error).message }).toEqual({
        _tag: "RateLimitError",
        message: "429 Slow down.",
        status: 429,
        headers: {
          ...headers,
          "content-length": expect.any(String),
          "set-cookie": Redaction.hidden,
          "x-team-key": Redaction.hidden
        },
        requestId: "req_9",
        type: "rate_limit_error",
        body,
        retryAfter: Duration.seconds(30),
        request: { method: "POST", url: `https://api.test/v1/todos?token=${Redaction.hidden}&page=2` },
        attempts: [
          { startedAt: 0, duration: Duration.zero, tag: "RateLimitError", status: 429, delay: undefined }
        ],
        stoppedBy: "retry-after",
        delivery: "rejected",
        shouldRetry: undefined
      })
    })
  )

  it.effect.each<
    readonly [
      headers: Record<string, string>,
      names: ReadonlyArray<string> | undefined,
      id: string | undefined
    ]
  >([
    [{}, undefined, undefined],
    [{ "request-id": "a", "x-request-id": "b" }, undefined, "a"],
    [{ "x-request-id": "b" }, undefined, "b"],
    [{ "request-id": "a", "x-trace": "c" }, ["X-Trace"], "c"],
    [{ "request-id": "a" }, ["x-trace"], undefined]
  ])("7.1 the request id in %j with requestIdHeaders %j is %s", ([headers, requestIdHeaders, id]) =>
    Effect.gen(function* () {
      const error = yield* errorOf([text("", { status: 400, headers })], { requestIdHeaders })
      expect(error.requestId).toBe(id)
    })
  )

  it.effect.each([
    ["true", true],
    ["false", false],
    ["maybe", undefined],
    ["", undefined]
  ] as const)("6.1 x-should-retry: %s sets shouldRetry to %s", ([value, shouldRetry]) =>
    Effect.gen(function* () {
      const error = yield* errorOf([text("", { status: 400, headers: { "x-should-retry": value } })])
      expect(error.shouldRetry).toBe(shouldRetry)
    })
  )

  it.effect("7.1 a plain web response gives the same error", () =>
    Effect.gen(function* () {
      const step = response(() =>
        Response.json({ message: "No." }, { status: 404, headers: { "request-id": "a" } })
      )
      expect(yield* errorOf([step])).toMatchObject({
        _tag: "NotFoundError",
        message: "404 No.",
        requestId: "a"
      })
    })
  )
})

const Todo = Schema.Struct({ id: Schema.Number, tags: Schema.Array(Schema.Struct({ name: Schema.String })) })

describe("a response that does not fit its schema", () => {
  it.effect("7.4 fails with the schema's message, the path and an excerpt", () =>
    Effect.gen(function* () {
      const body = { id: 1, tags: [{ name: "a" }, { name: 5 }] }
      const step = json(body, { status: 201, headers: { "x-request-id": "req_2" } })
      const request = ApiRequest.post("/todos", { body: {}, success: Todo })
      const error: unknown = yield* errorOf([step], {}, request)
      expect(error).toBeInstanceOf(ApiError.ResponseValidationError)
      expect(error).toMatchObject({
        status: 201,
        requestId: "req_2",
        path: ["tags", 1, "name"],
        excerpt: JSON.stringify(body),
        message: expect.stringMatching(/^the response \(201\) does not fit: [\s\S]*\b5\b/),
        reason: expect.stringMatching(/\b5\b/),
        request: { method: "POST", url: "https://api.test/v1/todos" },
        delivery: "maybe-applied",
        stoppedBy: "not-retryable",
        attempts: [{ status: 201, tag: undefined }]
      })
    })
  )

  it.effect("7.4 is not retried, and the ledger has the earlier attempts", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([text("", { status: 500 }), json({})], {
        retry: withoutDelay
      })
      const error = yield* Effect.flip(client.get("/todos/1", { success: Todo }))
      expect(error).toMatchObject({
        _tag: "ResponseValidationError",
        attempts: [{ status: 500, tag: "InternalServerError" }, { status: 200 }]
      })
      expect(yield* transport.requestCount).toBe(2)
    })
  )

  it.effect.each<readonly [name: string, step: MockTransport.MockStep, reason: string, excerpt: string]>([
    [
      "an HTML page of a proxy",
      bytes(new TextEncoder().encode("<html>\n  Sign in\n</html>"), {
        headers: { "content-type": "text/html" }
      }),
      "is text/html, not JSON",
      "<html> Sign in </html>"
    ],
    ["broken JSON", typed200('{"id":1', "application/json"), "is not valid JSON", '{"id":1'],
    ["an empty body", typed200("", "application/json"), "undefined", ""],
    ["a long body", json({ id: "x".repeat(1000) }), "number", `{"id":"${"x".repeat(193)}…`]
  ])("7.4 the excerpt of %s", ([, step, reason, excerpt]) =>
    Effect.gen(function* () {
      const error: unknown = yield* errorOf([step], {}, ApiRequest.get("/todos/1", { success: Todo }))
      expect(error).toMatchObject({
        _tag: "ResponseValidationError",
        reason: expect.stringContaining(reason),
        excerpt
      })
    })
  )
})

function typed200(body: string, type: string): MockTransport.MockStep {
  return bytes(new TextEncoder().encode(body), { headers: { "content-type": type } })
}
