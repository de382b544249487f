import { describe, expect, it } from "@effect/vitest"
import { FetchTransport } from "@effect-api/client"
import { AnthropicApi, MockTransport } from "@effect-api/testing"
import { Effect, Redacted, Stream } from "effect"
import { Anthropic, ErrorCode } from "../../src/index.js"
import { params, scripted, scriptedPromises, sse } from "../fixtures/client.js"
import { message } from "../fixtures/responses.js"

const body = {
  type: "error",
  error: {
    type: "rate_limit_error",
    message: "no",
    details: { error_code: "ramp_limit_exceeded", limit: 5 }
  },
  request_id: "req_1"
}

const noRetries = { retry: { maxRetries: 0 } } as const

describe("the code of an error", () => {
  it.effect("7.2 is that of a response, with all details", () =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([MockTransport.json(body, { status: 429 })], noRetries)
      const error = yield* Effect.flip(anthropic.messages.create(params))
      expect(error._tag).toBe("RateLimitError")
      expect(ErrorCode.of(error)).toBe("ramp_limit_exceeded")
      expect(ErrorCode.details(error)).toEqual({ error_code: "ramp_limit_exceeded", limit: 5 })
    })
  )

  it.effect("10.4 is that of an event within a stream", () =>
    Effect.gen(function* () {
      const start = { type: "message_start", message: { ...message, content: [], stop_reason: null } }
      const { anthropic } = yield* scripted([sse([start, body])], noRetries)
      const error = yield* Effect.flip(Stream.runDrain(anthropic.messages.stream(params)))
      expect([error._tag, ErrorCode.of(error)]).toEqual(["RateLimitError", "ramp_limit_exceeded"])
    })
  )

  it("7.2 is that of a rejection", async () => {
    const { anthropic } = scriptedPromises([MockTransport.json(body, { status: 429 })], noRetries)
    const error = await anthropic.messages.create(params).catch((error: unknown) => error)
    expect(ErrorCode.of(error)).toBe("ramp_limit_exceeded")
    await anthropic.close()
  })

  it.scopedLive("is what the API sends", () =>
    Effect.gen(function* () {
      const api = yield* AnthropicApi.make()
      const anthropic = yield* Anthropic.make({ apiKey: Redacted.make("key"), baseUrl: api.url })
      const { id } = yield* anthropic.files.upload({ file: { content: "x", filename: "x.txt" } })
      const error = yield* Effect.flip(Stream.runDrain(anthropic.files.download(id)))
      expect(ErrorCode.of(error)).toBe("file_not_downloadable")
    }).pipe(Effect.provide(FetchTransport.layer))
  )

  it("is that of a result of a batch", () => {
    expect(ErrorCode.of(body)).toBe("ramp_limit_exceeded")
  })

  it.each([
    undefined,
    null,
    "text",
    7,
    [],
    new Error("no"),
    { body: undefined },
    { body: "text" },
    { body: { error: null } },
    { body: { error: "text" } },
    { body: { error: { details: null } } },
    { body: { error: { details: ["error_code"] } } },
    { body: { error: { details: { error_code: 7 } } } }
  ])("is missing in %j", (error) => {
    expect(ErrorCode.of(error)).toBeUndefined()
  })
})
