import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import { ApiError } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Cause, Data, Duration, Effect, Exit, Schema } from "effect"
import { observe } from "../fixtures/canary.js"
import { scripted } from "../fixtures/requests.js"

const common: ApiError.Common = {
  message: "what happened",
  request: { method: "GET", url: "https://api.test/v1/todos/1" },
  attempts: [
    {
      startedAt: 5,
      duration: Duration.millis(7),
      tag: "RateLimitError",
      status: 429,
      delay: Duration.seconds(1)
    }
  ],
  stoppedBy: "attempts",
  delivery: "rejected",
  shouldRetry: undefined
}

const response: ApiError.StatusFields = {
  ...common,
  status: 429,
  headers: { "content-type": "application/json" },
  requestId: "req_1",
  type: "rate_limit_error",
  body: { error: { type: "rate_limit_error" } },
  retryAfter: Duration.seconds(3)
}

const withStatus = (status: number): ApiError.StatusFields => ({ ...response, status })
const streamFields = { requestId: "req_1", status: 200, reason: "is not", excerpt: "…" }

/** One error of each tag. */
const samples: { readonly [Tag in ApiError.ApiError["_tag"]]: Extract<ApiError.ApiError, { _tag: Tag }> } = {
  BadRequestError: new ApiError.BadRequestError(withStatus(400)),
  AuthenticationError: new ApiError.AuthenticationError(withStatus(401)),
  PermissionDeniedError: new ApiError.PermissionDeniedError(withStatus(403)),
  NotFoundError: new ApiError.NotFoundError(withStatus(404)),
  ConflictError: new ApiError.ConflictError(withStatus(409)),
  RequestTooLargeError: new ApiError.RequestTooLargeError(withStatus(413)),
  UnprocessableEntityError: new ApiError.UnprocessableEntityError(withStatus(422)),
  RateLimitError: new ApiError.RateLimitError(withStatus(429)),
  InternalServerError: new ApiError.InternalServerError(withStatus(500)),
  ServiceUnavailableError: new ApiError.ServiceUnavailableError(withStatus(503)),
  DeadlineExceededError: new ApiError.DeadlineExceededError(withStatus(504)),
  OverloadedError: new ApiError.OverloadedError(withStatus(529)),
  UnexpectedStatusError: new ApiError.UnexpectedStatusError(withStatus(418)),
  ConnectionError: new ApiError.ConnectionError({ ...common, kind: "reset", code: "ECONNRESET" }),
  TimeoutError: new ApiError.TimeoutError({ ...common, phase: "idle", limit: Duration.seconds(9) }),
  InvalidRequestError: new ApiError.InvalidRequestError({
    ...common,
    field: "path.id",
    reason: "is missing"
  }),
  QueueFullError: new ApiError.QueueFullError({ ...common, length: 5, limit: 5 }),
  CircuitOpenError: new ApiError.CircuitOpenError({
    ...common,
    origin: "https://api.test",
    since: 5,
    retryAfter: Duration.seconds(5)
  }),
  CredentialsError: new ApiError.CredentialsError({ ...common, reason: "no token", retryAfter: undefined }),
  ResponseValidationError: new ApiError.ResponseValidationError({
    ...common,
    ...streamFields,
    path: ["list", 0]
  }),
  StreamTruncatedError: new ApiError.StreamTruncatedError({ ...common, requestId: undefined, received: 3 }),
  StreamProtocolError: new ApiError.StreamProtocolError({ ...common, ...streamFields }),
  PaginationError: new ApiError.PaginationError({ ...common, reason: "the same cursor", pages: 2 })
}

const each = Object.values(samples).map((error) => [error._tag, error] as const)

const isStatus = (tag: keyof typeof ApiError.table): boolean =>
  ApiError.table[tag].status !== undefined || tag === "UnexpectedStatusError"

describe("ApiError.table", () => {
  it("7.1 the table and the classes have the same tags", () => {
    expect(each.map(([tag]) => tag)).toEqual(Object.keys(ApiError.table))
    expect(each.map(([tag, error]) => [tag, error.name, error.constructor])).toEqual(
      each.map(([tag]) => [tag, tag, ApiError[tag]])
    )
  })

  it.each(each)("7.1 %s is an Error with the common fields, and prints as tag and message", (tag, error) => {
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ _tag: tag, ...common })
    expect(String(error)).toBe(`${tag}: what happened`)
  })
})

/** Paths of everything in an error that is not plain data. */
const alive = (error: unknown): ReadonlyArray<string> => {
  const found: Array<string> = []
  const walk = (value: unknown, path: string): void => {
    if (typeof value === "function") found.push(path)
    if (typeof value !== "object" || value === null || Duration.isDuration(value)) return
    const plain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype || value === error
    if (!plain) found.push(`${path}: ${value.constructor?.name}`)
    else for (const [key, inner] of Object.entries(value)) walk(inner, `${path}.${key}`)
  }
  walk(error, "error")
  return found
}

describe("printing an error", () => {
  it.each(each)("7.1 JSON of %s keeps every field", (_, error) => {
    const read = JSON.parse(JSON.stringify(error))
    const fields = Object.fromEntries(
      Object.entries({ ...error, message: error.message }).filter(([, value]) => value !== undefined)
    )
    expect(Object.keys(read).sort()).toEqual(Object.keys(fields).sort())
    expect(read).toEqual(JSON.parse(JSON.stringify(fields)))
    expect(read.attempts[0]).toMatchObject({ startedAt: 5, tag: "RateLimitError", status: 429 })
    expect(Duration.millis(read.attempts[0].delay.millis)).toEqual(Duration.seconds(1))
  })

  const ways: Readonly<Record<string, MockTransport.MockStep>> = {
    "a status": MockTransport.json({ error: { message: "no" } }, { status: 400 }),
    "a reset": MockTransport.connectionError({ code: "ECONNRESET" }),
    "a timeout": MockTransport.never,
    "an invalid body": MockTransport.json({ id: "x" })
  }

  it.effect.each(Object.entries(ways))(
    "7.1 an error made by %s holds plain data only, no live request or response",
    ([, step]) =>
      Effect.gen(function* () {
        const { client } = yield* scripted([step], { retry: { maxRetries: 0 } })
        const { exit } = yield* observe(
          client.get("/todos/1", { success: Schema.Struct({ id: Schema.Number }) })
        )
        const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
        expect(ApiError.isApiError(error)).toBe(true)
        expect(alive(error)).toEqual([])
      })
  )

  it("7.1 Cause.pretty prints the tag, the message and the file of origin", () => {
    const shown = Cause.pretty(Cause.fail(samples.NotFoundError), { renderErrorCause: true })
    expect(shown).toContain("NotFoundError: what happened")
    expect(shown).toContain("ApiError.test.ts")
  })
})

describe("guards", () => {
  it.each(each)("7.1 isApiError and isStatusError classify %s", (tag, error) => {
    expect(ApiError.isApiError(error)).toBe(true)
    expect(ApiError.isStatusError(error)).toBe(isStatus(tag))
  })

  class NotFoundError extends Data.TaggedError("NotFoundError")<{ readonly message: string }> {}

  it.each([
    ["undefined", undefined],
    ["a string", "RateLimitError"],
    ["a plain Error", new Error("x")],
    ["a plain object with a tag", { ...samples.NotFoundError, _tag: "NotFoundError" }],
    ["a foreign error with the same tag", new NotFoundError({ message: "x" })],
    [
      "a tag that names an Object.prototype member",
      Object.assign(new Error("x"), { _tag: "toString", stoppedBy: "attempts" })
    ]
  ])("7.1 isApiError rejects %s", (_, value) => {
    expect(ApiError.isApiError(value)).toBe(false)
    expect(ApiError.isStatusError(value)).toBe(false)
  })

  it.effect("7.1 isApiError accepts an error that failed inside a span", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.withSpan(Effect.fail(samples.RateLimitError), "outer"))
      expect(ApiError.isApiError(error)).toBe(true)
      expect(ApiError.update(error, { stoppedBy: "budget" })).toMatchObject({
        _tag: "RateLimitError",
        status: 429,
        stoppedBy: "budget"
      })
    })
  )
})

describe("isRetryable", () => {
  const retryable = [
    "ConflictError",
    "RateLimitError",
    "InternalServerError",
    "ServiceUnavailableError",
    "DeadlineExceededError",
    "OverloadedError",
    "ConnectionError",
    "TimeoutError"
  ]

  it.each(each)("6.1 without shouldRetry, the tag's row in ApiError.table decides for %s", (tag, error) => {
    expect(ApiError.isRetryable(error)).toBe(retryable.includes(tag))
  })

  it.each(each)(
    "6.1 shouldRetry overrides the table for %s, but never makes an unsent request retryable",
    (tag, error) => {
      const sent = tag !== "InvalidRequestError"
      expect(ApiError.isRetryable(ApiError.update<ApiError.ApiError>(error, { shouldRetry: true }))).toBe(
        sent
      )
      expect(ApiError.isRetryable(ApiError.update<ApiError.ApiError>(error, { shouldRetry: false }))).toBe(
        false
      )
    }
  )

  it.each([
    { status: 408, retried: true },
    { status: 418, retried: false }
  ])("6.1 an UnexpectedStatusError of $status is retryable: $retried", ({ retried, status }) => {
    expect(ApiError.isRetryable(new ApiError.UnexpectedStatusError(withStatus(status)))).toBe(retried)
  })

  it.each([
    { phase: "connect", retried: true },
    { phase: "response", retried: true },
    { phase: "idle", retried: true },
    { phase: "first-event", retried: true },
    { phase: "content-idle", retried: true },
    { phase: "total", retried: false }
  ] as const)("6.1 a TimeoutError of the phase $phase is retryable: $retried", ({ phase, retried }) => {
    const error = new ApiError.TimeoutError({ ...common, phase, limit: Duration.zero })
    expect(ApiError.isRetryable(error)).toBe(retried)
  })

  it.each([
    { kind: "dns", retried: true },
    { kind: "refused", retried: true },
    { kind: "reset", retried: true },
    { kind: "closed", retried: true },
    { kind: "other", retried: true },
    { kind: "tls", retried: false }
  ] as const)("6.1 a ConnectionError of the kind $kind is retryable: $retried", ({ kind, retried }) => {
    const error = new ApiError.ConnectionError({ ...common, kind, code: undefined })
    expect(ApiError.isRetryable(error)).toBe(retried)
  })
})

describe("update", () => {
  it.each(each)(
    "6.6 returns a copy of %s with the new fields and leaves the original unchanged",
    (tag, error) => {
      const copy = ApiError.update<ApiError.ApiError>(error, { attempts: [], stoppedBy: "budget" })
      expect(copy).not.toBe(error)
      expect(copy.constructor).toBe(error.constructor)
      expect({ ...copy }).toEqual({ ...error, attempts: [], stoppedBy: "budget" })
      expect([copy.message, copy.stack, copy._tag]).toEqual([error.message, error.stack, tag])
      expect(error.stoppedBy).toBe("attempts")
      expect(Exit.fail(copy)).toEqual(Exit.fail(ApiError.update<ApiError.ApiError>(copy, {})))
    }
  )

  it("12.4 a changed message also changes in the stack", () => {
    const error = new ApiError.NotFoundError({ ...response, message: "no s3cret here" })
    const copy = ApiError.update(error, { message: "no $& here" })
    expect(copy.stack).toContain("no $& here\n")
    expect(copy.stack).not.toContain("s3cret")
    expect(inspect(copy)).not.toContain("s3cret")
  })
})
