import * as AnthropicClient from "@effect/ai-anthropic/AnthropicClient"
import { describe, expect, it } from "@effect/vitest"
import { TestServer } from "@effect-api/testing"
import { Chunk, Effect, Layer, Stream } from "effect"
import { plainClient } from "../fixtures/plainClient.js"

describe("@effect/ai-anthropic", () => {
  const message = {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "claude",
    content: [{ type: "text", text: "Hello", citations: null }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 2 }
  } as const
  const payload = { model: "claude", max_tokens: 10, messages: [{ role: "user", content: "Hi" }] } as const
  const overloaded = TestServer.json(
    { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
    { status: 529, headers: { "x-should-retry": "true" } }
  )
  const event = (data: { readonly type: string }) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`

  const anthropic = (server: TestServer.TestServer) =>
    AnthropicClient.layer({ apiUrl: server.url }).pipe(
      Layer.provide(plainClient(server, { baseUrl: server.url, timeouts: { total: "10 seconds" } }))
    )

  it.scopedLive("6.1 creates a message with our retries and credentials", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.make({
        "POST /v1/messages": TestServer.sequence(overloaded, TestServer.json(message))
      })
      const created = yield* Effect.gen(function* () {
        return yield* (yield* AnthropicClient.AnthropicClient).createMessage({ payload })
      }).pipe(Effect.provide(anthropic(server)))
      expect(created).toMatchObject({ id: "msg_1", content: [{ text: "Hello" }] })
      const requests = yield* server.requests
      expect(requests).toHaveLength(2)
      for (const request of requests) {
        expect(request.url).toBe("/v1/messages?beta=true")
        expect(request.json).toEqual(payload)
        expect(request.headers).toMatchObject({
          "x-api-key": "s3cret",
          "anthropic-version": "2023-06-01",
          "content-type": "application/json"
        })
      }
    })
  )

  it.scopedLive("9.1 streams a message", () =>
    Effect.gen(function* () {
      const delta = (text: string) => ({
        type: "content_block_delta",
        index: 0,
        delta: { type: "text_delta", text }
      })
      const server = yield* TestServer.make({
        "POST /v1/messages": TestServer.sequence(
          overloaded,
          TestServer.chunks(
            [
              event({
                type: "message_start",
                message: { ...message, content: [], stop_reason: null }
              } as never),
              event(delta("Hel")),
              event(delta("lo")).slice(0, 20),
              event(delta("lo")).slice(20),
              event({ type: "message_stop" })
            ],
            { headers: { "content-type": "text/event-stream" } }
          )
        )
      })
      const events = yield* Effect.gen(function* () {
        const client = yield* AnthropicClient.AnthropicClient
        return Chunk.toReadonlyArray(yield* Stream.runCollect(client.createMessageStream({ payload })))
      }).pipe(Effect.provide(anthropic(server)))
      expect(events.map(({ type }) => type)).toEqual([
        "message_start",
        "content_block_delta",
        "content_block_delta",
        "message_stop"
      ])
      const texts = events.flatMap((event) =>
        "delta" in event && "text" in event.delta ? [event.delta.text] : []
      )
      expect(texts.join("")).toBe("Hello")
      expect(yield* server.requestCount).toBe(2)
    })
  )

  it.scopedLive("7.1 fails with its own error, which has the response", () =>
    Effect.gen(function* () {
      const refusal = {
        type: "error",
        error: { type: "invalid_request_error", message: "too short" },
        request_id: "req_1"
      }
      const server = yield* TestServer.make({ "*": TestServer.json(refusal, { status: 400 }) })
      const error = yield* Effect.gen(function* () {
        return yield* Effect.flip((yield* AnthropicClient.AnthropicClient).createMessage({ payload }))
      }).pipe(Effect.provide(anthropic(server)))
      expect(error).toMatchObject({ _tag: "HttpResponseError", response: { status: 400 } })
      expect(JSON.stringify(error)).not.toContain("s3cret")
      expect(yield* server.requestCount).toBe(1)
    })
  )
})
