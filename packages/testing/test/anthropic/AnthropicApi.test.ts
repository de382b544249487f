import { describe, expect, it } from "@effect/vitest"
import { AnthropicApi, TestServer } from "@effect-api/testing"
import { Deferred, Effect, Fiber } from "effect"
import { ask, askJson, everything, hello, type Sent, weather } from "../fixtures/anthropic.js"

const create = (api: AnthropicApi.AnthropicApi, body: unknown = hello, sent: Sent = {}) =>
  askJson(api, "POST", "/v1/messages", { body, ...sent })

const textOf = (body: { readonly content: ReadonlyArray<{ readonly text?: string }> }) =>
  body.content.map(({ text }) => text ?? "").join("")

/** The events of a body, with their names and data. */
const events = (text: string) =>
  text
    .split("\n\n")
    .filter(Boolean)
    .map((event) => {
      const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(event) ?? []
      return { name, data: JSON.parse(data ?? "null") }
    })

describe("messages", () => {
  it.scopedLive("an unscripted response echoes the request, with all fields and headers of the API", () =>
    Effect.gen(function* () {
      const api = yield* AnthropicApi.make()
      const { body, headers, status } = yield* create(api)
      expect(status).toBe(200)
      expect(body).toEqual({
        model: "claude-opus-5-5",
        id: "msg_000000000000000000000001",
        type: "message",
        role: "assistant",
        content: [{ type: "text", text: "You said: Hello there", citations: null }],
        container: null,
        diagnostics: null,
        stop_reason: "end_turn",
        stop_sequence: null,
        stop_details: null,
        usage: expect.objectContaining({ input_tokens: 2, output_tokens: 4, service_tier: "standard" })
      })
      expect(headers["request-id"]).toBe("req_000000000000000000000001")
      expect(headers["anthropic-ratelimit-requests-remaining"]).toBe("3999")
      expect(headers["anthropic-ratelimit-input-tokens-reset"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      const [seen] = yield* api.requests
      expect(seen?.json).toEqual(hello)
    })
  )

  const echoes: ReadonlyArray<readonly [string, object, object]> = [
    [
      "max_tokens",
      { max_tokens: 3 },
      { text: "You said: Hello", stop_reason: "max_tokens", stop_sequence: null }
    ],
    [
      "stop_sequences",
      { stop_sequences: ["there", "llo"] },
      { text: "You said: He", stop_reason: "stop_sequence", stop_sequence: "llo" }
    ]
  ]
  for (const [name, params, expected] of echoes) {
    it.scopedLive(`the echo respects ${name}`, () =>
      Effect.gen(function* () {
        const { body } = yield* create(yield* AnthropicApi.make(), { ...hello, ...params })
        expect({ ...body, text: textOf(body) }).toMatchObject(expected)
      })
    )
  }

  it.scopedLive("a list of steps has one step per request, and the echo follows", () =>
    Effect.gen(function* () {
      const api = yield* AnthropicApi.make({
        script: ["One", ({ text }) => `Two: ${text}`, () => Effect.succeed(undefined)]
      })
      yield* api.script("Four")
      const said = yield* Effect.replicateEffect(create(api), 5)
      expect(said.map(({ body }) => textOf(body))).toEqual([
        "One",
        "Two: Hello there",
        "You said: Hello there",
        "Four",
        "You said: Hello there"
      ])
      yield* api.reset
      expect(textOf((yield* create(api)).body)).toBe("One")
    })
  )

  it.scopedLive("a single step responds to all requests, and may sleep", () =>
    Effect.gen(function* () {
      const door = yield* Deferred.make<string>()
      const api = yield* AnthropicApi.make({ script: () => Deferred.await(door) })
      const fiber = yield* Effect.fork(create(api))
      yield* api.awaitRequests(1)
      yield* Deferred.succeed(door, "At last")
      expect(textOf((yield* Fiber.join(fiber)).body)).toBe("At last")
    })
  )

  const endings: ReadonlyArray<readonly [string, AnthropicApi.MessageResponse, object]> = [
    ["a tool call", AnthropicApi.response(AnthropicApi.toolUse("weather", {})), { stop_reason: "tool_use" }],
    ["a pause", AnthropicApi.response("Hm", { stopReason: "pause_turn" }), { stop_reason: "pause_turn" }],
    [
      "a refusal",
      AnthropicApi.response([], {
        stopReason: "refusal",
        stopDetails: { type: "refusal", category: "cyber", explanation: null }
      }),
      { stop_reason: "refusal", stop_details: { category: "cyber" }, content: [] }
    ],
    [
      "custom fields",
      AnthropicApi.response("x", { message: { id: "msg_mine" }, usage: { output_tokens: 9 } }),
      { id: "msg_mine", usage: { output_tokens: 9, cache_read_input_tokens: 0 } }
    ]
  ]
  for (const [name, answer, expected] of endings) {
    it.scopedLive(`a response with ${name}`, () =>
      Effect.gen(function* () {
        const { body } = yield* create(yield* AnthropicApi.make({ script: answer }))
        expect(body).toMatchObject(expected)
      })
    )
  }

  it.scopedLive("a stream has the same message, in the events of the API", () =>
    Effect.gen(function* () {
      const api = yield* AnthropicApi.make({ script: [AnthropicApi.response("Hi you"), everything] })
      const answer = yield* ask(api, "POST", "/v1/messages", { body: { ...hello, stream: true } })
      expect(answer.headers["content-type"]).toBe("text/event-stream; charset=utf-8")
      const told = events(answer.text)
      expect(told.map(({ name }) => name)).toEqual([
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop"
      ])
      expect(told.map(({ data }) => data.type)).toEqual(told.map(({ name }) => name))
      expect(told[0]?.data.message).toMatchObject({
        content: [],
        stop_reason: null,
        usage: { output_tokens: 1 }
      })
      expect(told[4]?.data.delta).toEqual({ type: "text_delta", text: " you" })
      expect(told[6]?.data).toMatchObject({ delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } })

      const split = events(
        (yield* ask(api, "POST", "/v1/messages", { body: { ...hello, stream: true } })).text
      )
      const input = split
        .filter(({ data }) => data.index === 3)
        .map(({ data }) => data.delta?.partial_json ?? "")
      expect(JSON.parse(input.join(""))).toEqual({ city: "Zürich", note: 'a "quote", a \\, 🌱' })
      expect(input).toContain("\\")
      const [exchange] = (yield* api.exchanges).slice(-1)
      expect(exchange?.replied).toBe(true)
    })
  )

  it.scopedLive(
    "an error event with the request id ends a stream, and so does an early end of the body",
    () =>
      Effect.gen(function* () {
        const failsAfter = { events: 4, failure: AnthropicApi.failure("overloaded_error") }
        const api = yield* AnthropicApi.make({
          script: AnthropicApi.response("Once upon a time", { failsAfter })
        })
        const answer = yield* ask(api, "POST", "/v1/messages", { body: { ...hello, stream: true } })
        const told = events(answer.text)
        expect(told.map(({ name }) => name)).toEqual([
          "message_start",
          "content_block_start",
          "ping",
          "content_block_delta",
          "error"
        ])
        expect(told[4]?.data).toEqual({
          type: "error",
          error: { type: "overloaded_error", message: "Overloaded" },
          request_id: answer.headers["request-id"]
        })
        yield* api.script(AnthropicApi.response("Once upon a time", { failsAfter: { events: 4 } }))
        const early = yield* ask(api, "POST", "/v1/messages", { body: { ...hello, stream: true } })
        expect(events(early.text).map(({ name }) => name)).toEqual(told.slice(0, 4).map(({ name }) => name))
      })
  )

  it.scopedLive("counts the tokens that the usage reports", () =>
    Effect.gen(function* () {
      const api = yield* AnthropicApi.make()
      const { max_tokens: _, ...params } = { ...hello, system: "Be brief", tools: [weather] }
      const counted = yield* askJson(api, "POST", "/v1/messages/count_tokens", { body: params })
      const { body } = yield* create(api, { ...params, max_tokens: 9 })
      expect(counted.body).toEqual({ input_tokens: body.usage.input_tokens })
      expect(counted.body.input_tokens).toBeGreaterThan(4)
    })
  )
})

describe("faults", () => {
  it.scopedLive("replace or change the responses of one request each", () =>
    Effect.gen(function* () {
      const api = yield* AnthropicApi.make({ script: ["One", "Two"] })
      yield* api.inject(
        AnthropicApi.failure("rate_limit_error", { retryAfter: 2 }),
        TestServer.json({ mine: true }, { status: 503 }),
        TestServer.reset,
        TestServer.truncateAfter(20)
      )
      const limited = yield* create(api)
      expect(limited.status).toBe(429)
      expect(limited.headers).toMatchObject({
        "retry-after": "2",
        "x-should-retry": "true",
        "anthropic-ratelimit-requests-remaining": "0"
      })
      expect((yield* create(api)).body).toEqual({ mine: true })
      const broken = yield* Effect.exit(create(api))
      expect(broken._tag).toBe("Failure")
      const cut = yield* Effect.exit(create(api))
      expect(cut._tag).toBe("Failure")
      // Only the first three requests did not reach the script: the truncated one did.
      expect(textOf((yield* create(api)).body)).toBe("Two")
    })
  )
})
