import { describe, expect, it } from "@effect/vitest"
import { MockTransport } from "@effect-api/testing"
import { DateTime, Duration, Effect } from "effect"
import { Messages, RateLimits } from "../../src/index.js"
import { params, scripted } from "../fixtures/client.js"
import { failure, message } from "../fixtures/responses.js"

const headers = {
  "anthropic-ratelimit-requests-limit": "50",
  "anthropic-ratelimit-requests-remaining": "0",
  "anthropic-ratelimit-requests-reset": "2025-01-01T00:00:30Z",
  "anthropic-ratelimit-tokens-limit": "48000",
  "anthropic-ratelimit-tokens-remaining": "47000",
  "anthropic-ratelimit-input-tokens-limit": "40000",
  "anthropic-ratelimit-output-tokens-remaining": "8000",
  "anthropic-ratelimit-output-tokens-reset": "soon"
}

const reset = DateTime.unsafeMake("2025-01-01T00:00:30Z")

const limits = {
  requests: { limit: 50, remaining: 0, reset },
  tokens: { limit: 48_000, remaining: 47_000, reset: undefined },
  inputTokens: { limit: 40_000, remaining: undefined, reset: undefined },
  outputTokens: { limit: undefined, remaining: 8000, reset: undefined }
}

describe("rate limits", () => {
  it.effect("8.1 come from the headers of a response", () =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([MockTransport.json(message, { headers })])
      const response = yield* anthropic.client.executeWithResponse(Messages.create(params))
      expect(RateLimits.from(response)).toEqual({ ...limits, retryAfter: undefined })
    })
  )

  it.effect("7.1 come from an error, with its retry-after", () =>
    Effect.gen(function* () {
      const refused = MockTransport.json(failure("rate_limit_error"), {
        status: 429,
        headers: { ...headers, "retry-after": "30", "x-should-retry": "false" }
      })
      const { anthropic } = yield* scripted([refused])
      const read = anthropic.messages.create(params).pipe(
        Effect.as(undefined),
        Effect.catchTag("RateLimitError", (error) => Effect.succeed(RateLimits.from(error)))
      )
      expect(yield* read).toEqual({ ...limits, retryAfter: Duration.seconds(30) })
    })
  )

  it.each([
    {},
    { "anthropic-ratelimit-requests-limit": "" },
    { "anthropic-ratelimit-requests-limit": "-1" },
    { "anthropic-ratelimit-requests-remaining": "many" },
    { "anthropic-ratelimit-requests-reset": "soon" }
  ])("8.1 are undefined if missing or invalid: %j", (headers) => {
    expect(RateLimits.from({ headers })).toEqual({
      requests: undefined,
      tokens: undefined,
      inputTokens: undefined,
      outputTokens: undefined,
      retryAfter: undefined
    })
  })
})
