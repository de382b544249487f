import { HttpClientResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiError, ApiRequest, type Middleware } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Duration, Effect, Redacted } from "effect"
import { scripted, withoutDelay } from "../fixtures/requests.js"

describe("ApiError.make", () => {
  it.each([
    [
      ApiError.make("RateLimitError"),
      { status: 429, message: "429 Too Many Requests", delivery: "rejected" }
    ],
    [
      ApiError.make("OverloadedError", { message: "full" }),
      { status: 529, message: "full", delivery: "rejected" }
    ],
    [
      ApiError.make("InternalServerError", { status: 502 }),
      { status: 502, message: "502 Bad Gateway", delivery: "maybe-applied" }
    ],
    [
      ApiError.make("UnexpectedStatusError", { status: 418 }),
      { status: 418, message: "418 UnexpectedStatusError" }
    ],
    [
      ApiError.make("ConnectionError"),
      { kind: "other", code: undefined, delivery: "maybe-applied", message: "ConnectionError" }
    ],
    [
      ApiError.make("ConnectionError", { kind: "refused", delivery: "not-sent" }),
      { kind: "refused", delivery: "not-sent" }
    ],
    [ApiError.make("TimeoutError", { phase: "idle", limit: Duration.seconds(1) }), { phase: "idle" }],
    [
      ApiError.make("CredentialsError", { reason: "no key" }),
      { reason: "no key", message: "no key", delivery: "not-sent" }
    ],
    [
      ApiError.make("ResponseValidationError", { status: 200, reason: "odd" }),
      { path: [], excerpt: "", message: "200 odd" }
    ]
  ])("7.11 makes %s from its tag", (error, fields) => {
    expect(error).toMatchObject({ attempts: [], shouldRetry: undefined, ...fields })
    expect(ApiError.isApiError(error)).toBe(true)
    expect(error).toBeInstanceOf(Error)
  })

  it("7.11 makes an error of every tag of the table, of its class", () => {
    for (const tag of Object.keys(ApiError.table)) {
      // The tags without a default for each field are covered above.
      const error = ApiError.make(tag as "RateLimitError")
      expect(error).toMatchObject({ _tag: tag })
      expect(error).toBeInstanceOf(ApiError[tag as "RateLimitError"])
    }
  })

  const full: Middleware.Middleware = (request, next) =>
    Effect.flatMap(next(request), (response) =>
      response.headers["x-queue"] === "full"
        ? Effect.fail(ApiError.make("OverloadedError", { message: "the queue is full", cause: "queue" }))
        : Effect.succeed(response)
    )
  const step = MockTransport.json({}, { headers: { "x-queue": "full" } })

  it.effect(
    "7.11 a middleware's error gets the request of its call, its client and the ledger, and keeps its cause",
    () =>
      Effect.gen(function* () {
        const { client, transport } = yield* scripted([MockTransport.forever(step)], {
          middleware: [full],
          name: "queue",
          retry: withoutDelay
        })
        const request = ApiRequest.get("/jobs", { query: { key: Redacted.make("hunter2-secret") } })
        const error = yield* Effect.flip(client.execute(request))
        expect(error).toMatchObject({
          _tag: "OverloadedError",
          message: "the queue is full",
          client: "queue",
          request: { method: "GET", url: "https://api.test/v1/jobs?key=<redacted>" },
          cause: "queue",
          stoppedBy: "attempts"
        })
        expect(error.attempts).toHaveLength(3)
        expect(yield* transport.requestCount).toBe(3)
      })
  )

  it.effect("7.11 an error of another call keeps its own request", () =>
    Effect.gen(function* () {
      const other = ApiError.make("NotFoundError", {
        request: { method: "GET", url: "https://login.test/token" }
      })
      const { client } = yield* scripted([], { middleware: [() => Effect.fail(other)], name: "queue" })
      const error = yield* Effect.flip(client.get("/jobs"))
      expect(error.request.url).toBe("https://login.test/token")
      expect(error.client).toBeUndefined()
    })
  )

  it.effect("7.11 a response that a middleware makes still becomes the error of its status", () =>
    Effect.gen(function* () {
      const making: Middleware.Middleware = (request) =>
        Effect.succeed(HttpClientResponse.fromWeb(request, new Response("gone", { status: 404 })))
      const { client } = yield* scripted([], { middleware: [making], name: "queue" })
      expect(yield* Effect.flip(client.get("/jobs"))).toMatchObject({
        _tag: "NotFoundError",
        client: "queue",
        message: "404 gone"
      })
    })
  )
})

describe("problem details", () => {
  const problem = (body: unknown, type = "application/problem+json") =>
    Effect.gen(function* () {
      const { client } = yield* scripted(
        [MockTransport.text(JSON.stringify(body), { status: 403, headers: { "content-type": type } })],
        { retry: { maxRetries: 0 } }
      )
      return yield* Effect.flip(client.get("/x"))
    })
  const full = {
    type: "https://example.com/probs/out-of-credit",
    title: "You do not have enough credit.",
    detail: "Your balance is 30.",
    status: 403
  }

  it.effect.each([
    [
      "all of it",
      full,
      { type: full.type, title: full.title, detail: full.detail, message: "403 Your balance is 30." }
    ],
    [
      "a title alone",
      { title: "No credit" },
      { type: undefined, title: "No credit", detail: undefined, message: "403 No credit" }
    ],
    ["about:blank", { type: "about:blank", title: "Forbidden" }, { type: undefined, title: "Forbidden" }],
    [
      "members of other kinds",
      { type: 7, title: ["x"], detail: {} },
      { type: undefined, title: undefined, detail: undefined }
    ],
    [
      "a list",
      [full],
      {
        type: undefined,
        message:
          '403 [{"type":"https://example.com/probs/out-of-credit","title":"You do not have enough credit.","detail":"Your balance is 30.","status":403}]'
      }
    ],
    [
      "an error type beside it",
      { ...full, error: { type: "rate_limit_error" } },
      { _tag: "RateLimitError", type: "rate_limit_error", title: full.title }
    ]
  ] as const)("7.12 reads %s", ([, body, fields]) =>
    Effect.gen(function* () {
      expect(yield* problem(body)).toMatchObject(fields)
    })
  )

  it.effect("7.12 the media type may have parameters and any case, and another type is none", () =>
    Effect.gen(function* () {
      expect(yield* problem(full, "Application/Problem+JSON; charset=utf-8")).toMatchObject({
        title: full.title
      })
      const other = yield* problem(full, "application/json")
      expect(other).toMatchObject({ type: undefined })
      expect(other).not.toHaveProperty("title")
    })
  )

  it.effect("12.4 a secret of the request is in none of its fields", () =>
    Effect.gen(function* () {
      const secret = "hunter2-secret"
      const body = JSON.stringify({
        type: `https://x.test/${secret}`,
        title: `t ${secret}`,
        detail: `d ${secret}`
      })
      const { client } = yield* scripted([
        MockTransport.text(body, { status: 403, headers: { "content-type": "application/problem+json" } })
      ])
      const error = yield* Effect.flip(client.get("/x", { headers: { "x-key": Redacted.make(secret) } }))
      expect(error).toMatchObject({ title: "t <redacted>", detail: "d <redacted>" })
      expect(JSON.stringify(error)).not.toContain(secret)
    })
  )
})
