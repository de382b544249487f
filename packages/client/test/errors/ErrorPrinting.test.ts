import { inspect } from "node:util"
import { ApiError } from "@effect-api/client"
import { Duration } from "effect"
import { describe, expect, it } from "vitest"

const common: ApiError.Common = {
  message: "429 slow down",
  request: { method: "GET", url: "https://api.test/todos" },
  attempts: [
    {
      startedAt: 5,
      duration: Duration.millis(30),
      tag: "ConnectionError",
      status: undefined,
      delay: Duration.millis(1500)
    },
    { startedAt: 1535, duration: Duration.millis(20), tag: "RateLimitError", status: 429, delay: undefined }
  ],
  stoppedBy: "retry-after",
  delivery: "rejected",
  shouldRetry: undefined
}

const limited = new ApiError.RateLimitError({
  ...common,
  status: 429,
  headers: { "retry-after": "90" },
  requestId: "req_1",
  type: "rate_limit_error",
  body: { error: { message: "slow down" } },
  retryAfter: Duration.seconds(90)
})

/** inspect() without stack frames, which differ from run to run. */
const shown = (value: unknown): string => inspect(value).replace(/\n\s+at .*/g, "")

describe("printing an error", () => {
  it("7.1 inspect prints durations as text and one line per attempt, and omits absent fields", () => {
    expect(shown(limited)).toMatchInlineSnapshot(`
      "RateLimitError: 429 slow down
        request: 'GET https://api.test/todos',
        stoppedBy: 'retry-after',
        delivery: 'rejected',
        status: 429,
        headers: { 'retry-after': '90' },
        requestId: 'req_1',
        type: 'rate_limit_error',
        body: { error: { message: 'slow down' } },
        retryAfter: '1m 30s',
        attempts: [
          'ConnectionError after 30ms, again in 1s 500ms',
          '429 RateLimitError after 20ms'
        ]
      }"
    `)
  })

  it("7.1 inspect respects the depth limit and nested indentation", () => {
    expect(shown({ error: limited }).split("\n")[0]).toBe("{")
    expect(inspect({ a: { b: { c: { error: limited } } } }, { depth: 2 })).toContain("[Object]")
    expect(inspect([limited], { depth: 0 })).toContain("[RateLimitError: 429 slow down]")
  })

  it("7.1 inspect prints a TimeoutError's limit as text", () => {
    const error = new ApiError.TimeoutError({
      ...common,
      message: "the response limit of 10m passed",
      attempts: [],
      phase: "response",
      limit: Duration.minutes(10)
    })
    expect(shown(error)).toMatchInlineSnapshot(`
      "TimeoutError: the response limit of 10m passed
        request: 'GET https://api.test/todos',
        stoppedBy: 'retry-after',
        delivery: 'rejected',
        phase: 'response',
        limit: '10m',
        attempts: []
      }"
    `)
  })

  it("7.1 the inspect hook returns the stack when it is called without `inspect`", () => {
    const print = limited as unknown as Record<symbol, () => string>
    expect(print[Symbol.for("nodejs.util.inspect.custom")]?.()).toBe(limited.stack)
  })

  it("7.1 JSON keeps an error's fields as they are", () => {
    expect(JSON.parse(JSON.stringify(limited))).toMatchObject({
      _tag: "RateLimitError",
      message: "429 slow down",
      status: 429,
      requestId: "req_1",
      retryAfter: { _tag: "Millis", millis: 90_000 },
      attempts: [{ startedAt: 5, delay: { _tag: "Millis", millis: 1500 } }, { status: 429 }]
    })
  })

  it("7.1 the fields hold Duration values", () => {
    expect(Duration.toMillis(limited.retryAfter as Duration.Duration)).toBe(90_000)
    expect({ ...limited }.attempts[0]?.delay).toEqual(Duration.millis(1500))
  })

  it("12.4 neither inspect nor JSON prints the cause", () => {
    const error = new ApiError.CredentialsError({
      ...common,
      reason: "no token",
      retryAfter: undefined,
      cause: Object.assign(new Error("hidden message"), { token: "hidden token" })
    })
    for (const text of [inspect(error, { depth: null, showHidden: true }), JSON.stringify(error)])
      expect(text).not.toContain("hidden")
    expect(error.cause).toBeInstanceOf(Error)
  })
})
