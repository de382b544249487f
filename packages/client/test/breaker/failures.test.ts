/** What an error means for its server. */
import { ApiError } from "@effect-api/client"
import { Duration } from "effect"
import { describe, expect, it } from "vitest"
import { hintOf, summaryOf, type Verdict, verdictOf } from "../../src/breaker/failures.js"
import { errors } from "../fixtures/retry.js"

const tags: { readonly [Tag in ApiError.ApiError["_tag"]]: Verdict } = {
  BadRequestError: "well",
  AuthenticationError: "well",
  PermissionDeniedError: "well",
  NotFoundError: "well",
  ConflictError: "well",
  RequestTooLargeError: "well",
  UnprocessableEntityError: "well",
  RateLimitError: "well",
  InternalServerError: "failed",
  ServiceUnavailableError: "failed",
  DeadlineExceededError: "failed",
  OverloadedError: "failed",
  UnexpectedStatusError: "well",
  ConnectionError: "failed",
  TimeoutError: "failed",
  InvalidRequestError: "nothing",
  QueueFullError: "nothing",
  CircuitOpenError: "nothing",
  CredentialsError: "nothing",
  ResponseValidationError: "well",
  StreamTruncatedError: "well",
  StreamProtocolError: "well",
  PaginationError: "nothing"
}

const statuses: Readonly<Record<string, number>> = {
  InternalServerError: 500,
  ServiceUnavailableError: 503,
  DeadlineExceededError: 504,
  OverloadedError: 529
}

const samples = Object.values(errors).map((error) => {
  const status = statuses[error._tag]
  return ApiError.isStatusError(error) && status !== undefined
    ? ApiError.make("InternalServerError", { status })
    : error
})

describe("an error", () => {
  it.each(Object.values(errors).map((error, index) => [error._tag, samples[index] ?? error] as const))(
    "6.25 of each tag, by the table: %s",
    (tag, error) => {
      expect(verdictOf(error, undefined, 0)).toBe(tags[tag])
    }
  )

  const timeout = (phase: ApiError.TimeoutError["phase"]) =>
    ApiError.make("TimeoutError", { phase, limit: Duration.seconds(1) })

  it.each<readonly [name: string, error: ApiError.ApiError, verdict: Verdict]>([
    ["connect", timeout("connect"), "failed"],
    ["response", timeout("response"), "failed"],
    ["idle", timeout("idle"), "failed"],
    ["total", timeout("total"), "nothing"],
    [
      "a timeout that is marked",
      ApiError.make("TimeoutError", { phase: "idle", limit: Duration.seconds(1), shouldRetry: false }),
      "nothing"
    ],
    ["TLS", ApiError.make("ConnectionError", { kind: "tls" }), "nothing"],
    ["a proxy that will refuse again", ApiError.make("ConnectionError", { shouldRetry: false }), "nothing"],
    ["501", ApiError.make("InternalServerError", { status: 501 }), "failed"],
    [
      "x-should-retry: false",
      ApiError.make("InternalServerError", { status: 500, shouldRetry: false }),
      "nothing"
    ],
    ["x-should-retry: true", ApiError.make("BadRequestError", { shouldRetry: true }), "well"],
    ["408", ApiError.make("UnexpectedStatusError", { status: 408 }), "well"],
    ["an overloaded_error in a 200", ApiError.make("OverloadedError", { status: 200 }), "well"]
  ])("6.25 of %s", (_, error, verdict) => {
    expect(verdictOf(error, undefined, 0)).toBe(verdict)
  })

  it.each([
    [499, "nothing"],
    [500, "failed"]
  ])("6.25 of `total`, a second, after %d ms", (millis, verdict) => {
    expect(verdictOf(timeout("total"), undefined, millis)).toBe(verdict)
  })

  it("6.25 the program decides first, but not of what was never sent, and not if it throws", () => {
    const [down, missing] = [ApiError.make("ServiceUnavailableError"), ApiError.make("NotFoundError")]
    expect(verdictOf(down, () => false, 0)).toBe("well")
    expect(verdictOf(missing, () => true, 0)).toBe("failed")
    expect(verdictOf(missing, () => undefined, 0)).toBe("well")
    const full = ApiError.make("QueueFullError", { length: 1, limit: 1 })
    expect(verdictOf(full, () => true, 0)).toBe("nothing")
    expect(
      verdictOf(
        down,
        () => {
          throw new Error("no")
        },
        0
      )
    ).toBe("failed")
    // Without a response there is none that could be a success.
    expect(verdictOf(timeout("response"), () => false, 0)).toBe("nothing")
    expect(verdictOf(timeout("total"), () => false, 1000)).toBe("nothing")
    expect(verdictOf(timeout("total"), () => true, 0)).toBe("failed")
  })

  it.each([
    [undefined, 0],
    [Duration.seconds(2), 2000],
    [Duration.infinity, Number.POSITIVE_INFINITY],
    ["soon", 0],
    [Number.NaN, 0],
    [-5, 0]
  ])("6.26 its hint of %s is %d ms", (retryAfter, millis) => {
    const make: (tag: "ServiceUnavailableError", fields: never) => ApiError.ApiError = ApiError.make
    expect(hintOf(make("ServiceUnavailableError", { retryAfter } as never))).toBe(millis)
  })

  it("6.25 its summary for other calls has nothing of its own call", () => {
    const error = ApiError.make("ServiceUnavailableError", {
      message: "503 canary",
      body: { secret: "canary" },
      headers: { "x-secret": "canary" },
      title: "canary",
      detail: "canary",
      type: "canary",
      cause: new Error("canary"),
      request: { method: "GET", url: "https://api.test/canary" },
      requestId: "r1"
    })
    const summary = summaryOf(error, "https://api.test")
    expect(summary).toMatchObject({ _tag: "ServiceUnavailableError", status: 503, requestId: "r1" })
    expect(JSON.stringify([summary, summary?.message, summary?.stack, summary?.cause])).not.toContain(
      "canary"
    )
    const reset = ApiError.make("ConnectionError", {
      message: "the connection was reset",
      cause: new Error("canary"),
      request: { method: "GET", url: "https://api.test/canary" }
    })
    expect(summaryOf(errors.StreamProtocolError, "https://api.test")).toBeUndefined()
    const other = summaryOf(reset, "https://api.test")
    expect(other).toMatchObject({ _tag: "ConnectionError", message: "the connection was reset" })
    expect(JSON.stringify([other, other?.stack, other?.cause])).not.toContain("canary")
  })
})
