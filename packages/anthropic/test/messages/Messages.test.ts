import { describe, expect, it } from "@effect/vitest"
import type { Timeouts } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Stream } from "effect"
import { type AnthropicConfig, Messages } from "../../src/index.js"
import { key, params, scripted, sse } from "../fixtures/client.js"
import { failure, fullMessage, message } from "../fixtures/responses.js"

const ok = MockTransport.json(message, { headers: { "request-id": "req_1" } })

const stopped = sse([{ type: "message_stop" }])

describe("create", () => {
  it.effect("5.1 sends the parameters unchanged, and returns the message unchanged", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([MockTransport.json({ ...fullMessage, mood: "good" })])
      const sent = { ...params, system: "Be brief.", temperature: 0, tomorrow: { a: [1] } }
      expect(yield* anthropic.messages.create(sent)).toEqual({ ...fullMessage, mood: "good" })
      const [request] = yield* transport.requests
      expect(request?.method).toBe("POST")
      expect(request?.url).toBe("https://api.anthropic.com/v1/messages")
      expect(request?.json).toEqual(sent)
    })
  )

  it.effect("5.1 rejects a promise as parameters, and sends nothing", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([])
      const forgotten = Promise.resolve(params) as never
      const errors = yield* Effect.all([
        Effect.flip(anthropic.messages.create(forgotten)),
        Effect.flip(Stream.runDrain(anthropic.messages.stream(forgotten))),
        Effect.flip(Stream.runDrain(anthropic.messages.run(forgotten, { tools: [] }))),
        Effect.flip(Stream.runDrain(anthropic.models.list(forgotten)))
      ])
      for (const error of errors) expect(error).toMatchObject({ _tag: "InvalidRequestError" })
      expect(yield* transport.requestCount).toBe(0)
    })
  )

  it.effect("4.1 sends the key, version, user agent and platform, and no other headers", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([ok])
      yield* anthropic.messages.create(params)
      const headers = (yield* transport.requests)[0]?.headers ?? {}
      expect(headers).toMatchObject({
        accept: "application/json",
        "content-type": "application/json",
        authorization: `Bearer ${key}`,
        "anthropic-version": "2026-10-21",
        "user-agent": "Anthropic/Effect 3.3.0",
        "x-stainless-lang": "js",
        "x-stainless-package-version": "3.3.0",
        "x-stainless-retry-count": "0",
        "x-stainless-read-timeout": "600"
      })
      for (const name of ["x-api-key", "anthropic-beta", "idempotency-key"]) {
        expect(headers).not.toHaveProperty(name)
      }
    })
  )

  it.effect("8.1 runs as a request, with its response", () =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([ok])
      const response = yield* anthropic.client.executeWithResponse(Messages.create(params))
      expect(response).toMatchObject({ value: message, status: 200, requestId: "req_1" })
    })
  )

  it.effect("6.1 is retried if the API is overloaded", () =>
    Effect.gen(function* () {
      const busy = MockTransport.json(failure("overloaded_error"), { status: 529 })
      const { anthropic, transport } = yield* scripted([busy, busy, ok])
      expect(yield* anthropic.messages.create(params)).toEqual(message)
      const counts = (yield* transport.requests).map(({ headers }) => headers["x-stainless-retry-count"])
      expect(counts).toEqual(["0", "1", "2"])
    })
  )

  it.effect("7.4 fails for an invalid message, with the path", () =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([MockTransport.json({ ...message, content: [{ type: "text" }] })])
      const error = yield* Effect.flip(anthropic.messages.create(params))
      expect(error).toMatchObject({ _tag: "ResponseValidationError" })
      expect(error.message).toContain('"text" is a known type')
    })
  )

  it.effect("4.1 applies the headers, retries, query and idempotency key of a call", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([MockTransport.json({}, { status: 500 })])
      const failed = yield* Effect.flip(
        anthropic.messages.create(params, {
          headers: { "x-team": "search", "anthropic-version": "2026-10-21" },
          retry: { maxRetries: 0 },
          query: { beta: true },
          idempotencyKey: "key-1"
        })
      )
      expect(failed._tag).toBe("InternalServerError")
      const [request] = yield* transport.requests
      expect(request?.url).toBe("https://api.anthropic.com/v1/messages?beta=true")
      expect(request?.headers).toMatchObject({
        "x-team": "search",
        "anthropic-version": "2026-10-21",
        "idempotency-key": "key-1"
      })
    })
  )
})

describe("a message that takes too long to generate", () => {
  const opus = "claude-opus-4@20250514"

  it.effect.each<{
    readonly max_tokens: number
    readonly model?: string
    readonly call?: Timeouts.Options
    readonly client?: Timeouts.Options
    readonly sent: boolean
  }>([
    { max_tokens: 21_333, sent: true },
    { max_tokens: 21_334, sent: false },
    { max_tokens: 128_000, sent: false },
    { max_tokens: 8192, model: opus, sent: true },
    { max_tokens: 8193, model: opus, sent: false },
    { max_tokens: 128_000, model: "toString", sent: false },
    { max_tokens: 128_000, call: { response: "1 hour" }, sent: true },
    { max_tokens: 128_000, call: { total: "1 hour" }, sent: true },
    { max_tokens: 128_000, call: { connect: "1 second" }, sent: false },
    { max_tokens: 128_000, client: { response: "1 hour" }, sent: true },
    { max_tokens: 128_000, client: { response: "1 hour" }, call: { idle: "1 minute" }, sent: true },
    { max_tokens: 128_000, client: { idle: "1 hour" }, sent: false }
  ])("6.1 %j", ({ call, client, max_tokens, model = params.model, sent }) =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([ok], { timeouts: client })
      const outcome = yield* Effect.either(
        anthropic.messages.create({ ...params, max_tokens, model }, { timeouts: call })
      )
      expect(yield* transport.requestCount).toBe(sent ? 1 : 0)
      expect(outcome).toMatchObject(
        sent
          ? { _tag: "Right" }
          : {
              _tag: "Left",
              left: {
                _tag: "InvalidRequestError",
                field: "max_tokens",
                delivery: "not-sent",
                request: { method: "POST", url: "https://api.anthropic.com/v1/messages" }
              }
            }
      )
    })
  )

  it.effect("6.1 can be streamed", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([stopped])
      yield* Stream.runDrain(anthropic.messages.stream({ ...params, max_tokens: 128_000 }))
      expect((yield* transport.requests)[0]?.json).toEqual({ ...params, max_tokens: 128_000, stream: true })
    })
  )

  it.effect("6.1 is rejected as a bare request as well", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([])
      const error = yield* Effect.flip(
        anthropic.client.execute(Messages.create({ ...params, max_tokens: 128_000 }))
      )
      expect(error).toMatchObject({ _tag: "InvalidRequestError", stoppedBy: "not-retryable" })
      expect(error.message).toContain("stream")
      expect(yield* transport.requestCount).toBe(0)
    })
  )
})

describe("countTokens", () => {
  it.effect("5.1 sends the conversation and returns the count", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([MockTransport.json({ input_tokens: 12, more: 1 })])
      const conversation = { model: params.model, messages: params.messages }
      expect(yield* anthropic.messages.countTokens(conversation)).toEqual({ input_tokens: 12, more: 1 })
      const [request] = yield* transport.requests
      expect(request?.url).toBe("https://api.anthropic.com/v1/messages/count_tokens")
      expect(request?.json).toEqual(conversation)
    })
  )
})

describe("betas", () => {
  const table: ReadonlyArray<{
    readonly client: AnthropicConfig.Options
    readonly call: ReadonlyArray<string> | undefined
    readonly sent: string | undefined
  }> = [
    { client: {}, call: undefined, sent: undefined },
    { client: {}, call: [], sent: undefined },
    { client: {}, call: ["b", "a", "b"], sent: "b,a" },
    { client: { betas: ["c", "a"] }, call: undefined, sent: "c,a" },
    { client: { betas: ["c", "a"] }, call: ["b", "a"], sent: "c,a,b" },
    { client: { headers: { "Anthropic-Beta": "h, c" }, betas: ["c"] }, call: undefined, sent: "h,c" },
    { client: { headers: { "anthropic-beta": "h" } }, call: ["b"], sent: "h,b" }
  ]

  it.effect.each(table)(
    "4.1 of the client and the call are sent once each, in order: %j",
    ({ call, client, sent }) =>
      Effect.gen(function* () {
        const { anthropic, transport } = yield* scripted([ok, stopped], client)
        yield* anthropic.messages.create(params, { betas: call })
        yield* Stream.runDrain(anthropic.messages.stream(params, { betas: call }))
        const requests = yield* transport.requests
        expect(requests.map(({ headers }) => headers["anthropic-beta"])).toEqual([sent, sent])
      })
  )

  it.effect("4.1 can be removed for a call", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([ok], { betas: ["a"] })
      yield* anthropic.messages.create(params, { headers: { "anthropic-beta": null } })
      expect((yield* transport.requests)[0]?.headers).not.toHaveProperty("anthropic-beta")
    })
  )
})
