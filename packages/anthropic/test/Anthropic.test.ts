import { HttpClient, HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiError, ApiRequest } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Chunk, Effect, Layer, Redacted, Schedule, Schema, Stream } from "effect"
import { Anthropic, Tool } from "../src/index.js"
import { key, params, scripted } from "./fixtures/client.js"
import { failure, message, model } from "./fixtures/responses.js"

describe("errors", () => {
  it.effect.each([
    [400, "invalid_request_error", "BadRequestError"],
    [401, "authentication_error", "AuthenticationError"],
    [402, "billing_error", "UnexpectedStatusError"],
    [403, "permission_error", "PermissionDeniedError"],
    [404, "not_found_error", "NotFoundError"],
    [409, "invalid_request_error", "ConflictError"],
    [413, "request_too_large", "RequestTooLargeError"],
    [422, "invalid_request_error", "UnprocessableEntityError"],
    [429, "rate_limit_error", "RateLimitError"],
    [500, "api_error", "InternalServerError"],
    [503, "api_error", "ServiceUnavailableError"],
    [504, "timeout_error", "DeadlineExceededError"],
    [529, "overloaded_error", "OverloadedError"],
    [418, "an error of tomorrow", "UnexpectedStatusError"]
  ] as const)("7.1 %i %s is a %s", ([status, type, tag]) =>
    Effect.gen(function* () {
      const refused = MockTransport.json(failure(type, "no such luck"), {
        status,
        headers: { "request-id": "req_9" }
      })
      const { anthropic } = yield* scripted([MockTransport.forever(refused)])
      const error = yield* Effect.flip(anthropic.messages.create(params))
      expect(ApiError.isStatusError(error)).toBe(true)
      expect(error).toMatchObject({ _tag: tag, client: "anthropic", status, type, requestId: "req_9" })
      expect(error.message).toBe(`${status} no such luck`)
    })
  )

  it.effect("12.4 contain no key, wherever the server repeats it", () =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([
        MockTransport.json(failure("authentication_error", `invalid x-api-key: ${key}`), { status: 401 })
      ])
      const error = yield* Effect.flip(anthropic.messages.create(params))
      expect(JSON.stringify(error) + error.message + String(error.stack)).not.toContain(key)
    })
  )
})

describe("withOptions", () => {
  it.effect("1.4 merges headers, adds betas, keeps the key and the connections", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([MockTransport.forever(MockTransport.json(message))], {
        headers: { "x-a": "1", "x-b": "1" }
      })
      const other = anthropic.withOptions({
        headers: { "X-B": "2" },
        betas: ["b"],
        baseUrl: "https://b.example"
      })
      yield* other.messages.create(params)
      yield* anthropic.messages.create(params)
      const [changed, kept] = yield* transport.requests
      expect(changed?.url).toBe("https://b.example/v1/messages")
      expect(changed?.headers).toMatchObject({
        authorization: `Bearer ${key}`,
        "x-a": "1",
        "x-b": "2",
        "anthropic-beta": "b",
        "anthropic-version": "2026-10-21"
      })
      expect(kept?.url).toBe("https://api.anthropic.com/v1/messages")
      expect(kept?.headers).toMatchObject({ "x-a": "1", "x-b": "1" })
      expect(kept?.headers).not.toHaveProperty("anthropic-beta")
    })
  )

  it.effect("1.4 a new credential replaces the previous one", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([MockTransport.json(message)])
      yield* anthropic.withOptions({ authToken: Redacted.make("token") }).messages.create(params)
      const [request] = yield* transport.requests
      expect(request?.headers).toMatchObject({ authorization: "Bearer token" })
      expect(request?.headers).not.toHaveProperty("x-api-key")
    })
  )

  it.effect("6.1 timeouts allow a long message", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([MockTransport.json(message)])
      const patient = anthropic.withOptions({ timeouts: { response: "1 hour" } })
      yield* patient.messages.create({ ...params, max_tokens: 128_000 })
      expect((yield* transport.requests)[0]?.headers["x-stainless-read-timeout"]).toBe("3600")
    })
  )
})

describe("other requests on the client", () => {
  it.effect("8.1 a request to an endpoint that this package lacks", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([MockTransport.json({ id: "skill_1" })])
      const request = ApiRequest.get("/v1/skills/{id}", { path: { id: "skill_1" } })
      expect(yield* anthropic.client.execute(request)).toEqual({ id: "skill_1" })
      expect((yield* transport.requests)[0]?.headers).toMatchObject({ authorization: `Bearer ${key}` })
    })
  )

  it.effect("4.1 a plain HttpClient with the key, retries and betas", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([
        MockTransport.json(failure("overloaded_error"), { status: 529 }),
        MockTransport.json(model)
      ])
      const live = Anthropic.layerHttpClient.pipe(
        Layer.provide(
          Anthropic.layer({ apiKey: Redacted.make(key), betas: ["a"], retry: Schedule.recurs(2) })
        ),
        Layer.provide(Layer.succeed(HttpClient.HttpClient, transport.client))
      )
      const get = HttpClientRequest.get("/v1/models/a", { headers: { "anthropic-beta": "b" } })
      const response = yield* Effect.provide(
        Effect.flatMap(HttpClient.HttpClient, (client) => client.execute(get)),
        live
      )
      expect(yield* response.json).toEqual(model)
      const requests = yield* transport.requests
      expect(requests.map(({ url }) => url)).toEqual(Array(2).fill("https://api.anthropic.com/v1/models/a"))
      expect(requests[1]?.headers).toMatchObject({ authorization: `Bearer ${key}`, "anthropic-beta": "a,b" })
    })
  )
})

describe("messages.run", () => {
  it.effect("5.1 emits the messages of a conversation with tools", () =>
    Effect.gen(function* () {
      const call = { type: "tool_use", id: "toolu_1", name: "add", input: { a: 1, b: 2 } }
      const { anthropic, transport } = yield* scripted([
        MockTransport.json({ ...message, stop_reason: "tool_use", content: [call] }),
        MockTransport.json(message)
      ])
      const add = Tool.make({
        name: "add",
        input: Schema.Struct({ a: Schema.Number, b: Schema.Number }),
        run: ({ a, b }) => Effect.succeed(a + b)
      })
      const messages = yield* Stream.runCollect(
        anthropic.messages.run(params, { tools: [add], betas: ["b"] })
      )
      expect(Chunk.toReadonlyArray(messages).map(({ stop_reason }) => stop_reason)).toEqual([
        "tool_use",
        "end_turn"
      ])
      const requests = yield* transport.requests
      expect(requests.map(({ headers }) => headers["anthropic-beta"])).toEqual(["b", "b"])
    })
  )
})
