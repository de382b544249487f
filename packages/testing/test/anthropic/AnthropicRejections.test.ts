import { describe, expect, it } from "@effect/vitest"
import { AnthropicApi } from "@effect-api/testing"
import { Effect } from "effect"
import { askJson, hello, type Sent, weather } from "../fixtures/anthropic.js"

const create = (api: AnthropicApi.AnthropicApi, body: unknown = hello, sent: Sent = {}) =>
  askJson(api, "POST", "/v1/messages", { body, ...sent })

describe("requests that the API rejects", () => {
  const withMessages = (...messages: ReadonlyArray<object>) => ({ ...hello, messages })
  const call = {
    role: "assistant",
    content: [{ type: "tool_use", id: "toolu_1", name: "weather", input: {} }]
  }
  const cases: ReadonlyArray<readonly [string, unknown, Sent["headers"], number, string, RegExp]> = [
    ["no key", hello, { "x-api-key": null }, 401, "authentication_error", /^x-api-key header is required$/],
    ["a wrong key", hello, { "x-api-key": "stale" }, 401, "authentication_error", /^invalid x-api-key$/],
    [
      "a wrong bearer",
      hello,
      { "x-api-key": null, authorization: "Bearer stale" },
      401,
      "authentication_error",
      /^Invalid bearer token$/
    ],
    [
      "no version",
      hello,
      { "anthropic-version": null },
      400,
      "invalid_request_error",
      /^anthropic-version: header/
    ],
    [
      "an unknown version",
      hello,
      { "anthropic-version": "1" },
      400,
      "invalid_request_error",
      /not a valid version$/
    ],
    [
      "an empty beta",
      hello,
      { "anthropic-beta": "" },
      400,
      "invalid_request_error",
      /^Unexpected value\(s\) ``/
    ],
    ["no JSON", "{", {}, 400, "invalid_request_error", /^The request body is not valid JSON/],
    [
      "JSON other than an object",
      [],
      {},
      400,
      "invalid_request_error",
      /^Input should be a valid dictionary/
    ],
    [
      "no max_tokens",
      { ...hello, max_tokens: undefined },
      {},
      400,
      "invalid_request_error",
      /^max_tokens: Field req/
    ],
    [
      "a max_tokens of zero",
      { ...hello, max_tokens: 0 },
      {},
      400,
      "invalid_request_error",
      /^max_tokens: .* or equal to 1$/
    ],
    [
      "too many tokens",
      { ...hello, max_tokens: 2e5 },
      {},
      400,
      "invalid_request_error",
      /^max_tokens: 200000 > 128000/
    ],
    ["an unknown model", { ...hello, model: "gpt" }, {}, 404, "not_found_error", /^model: gpt$/],
    [
      "an unknown field",
      { ...hello, n: 1 },
      {},
      400,
      "invalid_request_error",
      /^n: Extra inputs are not permitted$/
    ],
    [
      "a removed field",
      { ...hello, temperature: 1 },
      {},
      400,
      "invalid_request_error",
      /^temperature: Extra inputs/
    ],
    [
      "no message",
      withMessages(),
      {},
      400,
      "invalid_request_error",
      /^messages: at least one message is required$/
    ],
    [
      "an unknown role",
      withMessages({ role: "bot", content: "x" }),
      {},
      400,
      "invalid_request_error",
      /^messages\.0\.role:/
    ],
    [
      "an empty text",
      withMessages({ role: "user", content: [{ type: "text", text: "" }] }),
      {},
      400,
      "invalid_request_error",
      /^messages: text content blocks must be non-empty$/
    ],
    [
      "an unknown block",
      withMessages({ role: "user", content: [{ type: "smell" }] }),
      {},
      400,
      "invalid_request_error",
      /^messages\.0\.content\.0: Input tag 'smell' found/
    ],
    [
      "a call without a result",
      withMessages({ role: "user", content: "x" }, call, { role: "user", content: "and?" }),
      {},
      400,
      "invalid_request_error",
      /^messages\.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1\./
    ],
    [
      "a result without a call",
      withMessages(
        { role: "user", content: "x" },
        { role: "assistant", content: "y" },
        {
          role: "user",
          content: [{ type: "tool_result", tool_use_id: "toolu_2", content: "z" }]
        }
      ),
      {},
      400,
      "invalid_request_error",
      /^messages\.2\.content: unexpected `tool_use_id` found in `tool_result` blocks: toolu_2\./
    ],
    [
      "a duplicate tool",
      { ...hello, tools: [weather, weather] },
      {},
      400,
      "invalid_request_error",
      /must be unique\.$/
    ],
    [
      "a tool with an invalid name",
      { ...hello, tools: [{ name: "a b", input_schema: {} }] },
      {},
      400,
      "invalid_request_error",
      /^tools\.0/
    ],
    [
      "a thinking budget above max_tokens",
      { ...hello, thinking: { type: "enabled", budget_tokens: 1024 } },
      {},
      400,
      "invalid_request_error",
      /must be greater than `thinking\.budget_tokens`/
    ],
    [
      "too large",
      { ...hello, system: "x".repeat(5000) },
      {},
      413,
      "request_too_large",
      /^Request exceeds the maximum/
    ]
  ]
  for (const [name, body, headers, status, type, message] of cases) {
    it.scopedLive(name, () =>
      Effect.gen(function* () {
        const api = yield* AnthropicApi.make({ apiKeys: ["key"], maxBodyBytes: 4096 })
        const answer = yield* create(api, body, { headers: headers ?? {} })
        expect(answer.status).toBe(status)
        expect(answer.body).toEqual({
          type: "error",
          error: { type, message: expect.stringMatching(message) },
          request_id: answer.headers["request-id"]
        })
        expect(answer.headers["x-should-retry"]).toBe("false")
      })
    )
  }

  it.scopedLive("an older version accepts fields that a newer one removed, and a beta adds fields", () =>
    Effect.gen(function* () {
      const api = yield* AnthropicApi.make()
      const older = { "anthropic-version": "2023-06-01" }
      expect((yield* create(api, { ...hello, temperature: 1 }, { headers: older })).status).toBe(200)
      expect((yield* create(api, { ...hello, temperature: 2 }, { headers: older })).status).toBe(400)
      const beta = { "anthropic-beta": "some-beta-2026-01-01" }
      expect((yield* create(api, { ...hello, some_field: 1 }, { headers: beta })).status).toBe(200)
      expect((yield* askJson(api, "GET", "/v1/nothing")).body.error.type).toBe("not_found_error")
    })
  )
})
