import { describe, expect, it } from "@effect/vitest"
import { MockTransport } from "@effect-api/testing"
import { Chunk, Effect, Either, Schema, Stream } from "effect"
import { MessageEvent } from "../../src/index.js"
import { params, scripted, sse } from "../fixtures/client.js"
import { failure, message } from "../fixtures/responses.js"

const decode = Schema.decodeUnknownEither(MessageEvent.MessageEvent)

const delta = (delta: object) => ({ type: "content_block_delta", index: 0, delta })

const start = { type: "message_start", message: { ...message, content: [], stop_reason: null } }

const stop = { type: "message_stop" }

const events: ReadonlyArray<{ readonly type: string; readonly [field: string]: unknown }> = [
  start,
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_start", index: 0, content_block: { type: "hologram", size: 1 } },
  delta({ type: "text_delta", text: "Hello" }),
  delta({ type: "text_delta", text: "Hello", logprob: -1 }),
  delta({ type: "input_json_delta", partial_json: '{"loc' }),
  delta({ type: "thinking_delta", thinking: "Hm." }),
  delta({ type: "signature_delta", signature: "EqQB" }),
  delta({
    type: "citations_delta",
    citation: {
      type: "char_location",
      cited_text: "a",
      document_index: 0,
      document_title: null,
      start_char_index: 0,
      end_char_index: 1
    }
  }),
  delta({ type: "hologram_delta", photons: [1, 2] }),
  { type: "content_block_stop", index: 0 },
  {
    type: "message_delta",
    delta: { stop_reason: "end_turn", stop_sequence: null },
    usage: { output_tokens: 15 }
  },
  {
    type: "message_delta",
    delta: { stop_reason: null, stop_sequence: null, stop_details: null, container: null },
    usage: {
      input_tokens: null,
      output_tokens: 15,
      cache_creation_input_tokens: null,
      cache_read_input_tokens: null,
      output_tokens_details: null,
      server_tool_use: null
    }
  },
  stop,
  { type: "message_pause", until: "noon" } as const
]

describe("an event", () => {
  it.each(events)("10 %j decodes unchanged", (event) => {
    expect(decode(event)).toEqual(Either.right(event))
  })

  it.each([
    delta({ type: "text_delta" }),
    delta({ type: "input_json_delta", partial_json: {} }),
    { type: "content_block_start", index: 0, content_block: { type: "text" } },
    { type: "content_block_stop" },
    { type: "message_delta", delta: {} },
    { type: "message_start", message: {} }
  ])("10 %j is invalid, and not an event of an unknown type", (event) => {
    expect(Either.isLeft(decode(event))).toBe(true)
  })
})

describe("the stream of a message", () => {
  const run = (script: MockTransport.Script) =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted(script)
      return yield* Stream.runCollect(anthropic.messages.stream(params)).pipe(
        Effect.map(Chunk.toReadonlyArray)
      )
    })

  it.effect("10 emits all events but pings, with their unknown fields", () =>
    Effect.gen(function* () {
      const unknown = [
        { type: "message_pause", until: "noon" },
        delta({ type: "hologram_delta", photons: [1] })
      ]
      const sent = [
        start,
        { type: "ping" },
        { ...delta({ type: "text_delta", text: "a" }), at: 1 },
        ...unknown,
        stop
      ]
      expect(yield* run([sse(sent)])).toEqual(sent.filter(({ type }) => type !== "ping"))
    })
  )

  it.effect("10.2 ends at message_stop, before the end of the body", () =>
    Effect.gen(function* () {
      const body = [`event: message_stop\ndata: ${JSON.stringify(stop)}\n\n`, { delay: Infinity }]
      const headers = { "content-type": "text/event-stream" }
      expect(yield* run([MockTransport.stream(body, { headers })])).toEqual([stop])
    })
  )

  it.effect("10.3 fails as truncated if it ends early, with the number of events", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(run([sse([start, delta({ type: "text_delta", text: "a" })])]))
      expect(error).toMatchObject({ _tag: "StreamTruncatedError", received: 2, requestId: "req_1" })
    })
  )

  it.effect.each([
    ["overloaded_error", "OverloadedError"],
    ["rate_limit_error", "RateLimitError"],
    ["api_error", "InternalServerError"],
    ["invalid_request_error", "BadRequestError"],
    ["authentication_error", "AuthenticationError"],
    ["permission_error", "PermissionDeniedError"],
    ["not_found_error", "NotFoundError"],
    ["timeout_error", "DeadlineExceededError"]
  ] as const)("10.4 fails for an error event of type %s with %s", ([type, tag]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(run([sse([start, { ...failure(type, "sorry"), type: "error" }])]))
      expect(error).toMatchObject({ _tag: tag, type, requestId: "req_1" })
      expect(error.message).toContain("sorry")
    })
  )

  it.effect("10.4 fails for an invalid event, with the path", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(run([sse([start, delta({ type: "text_delta", text: 1 })])]))
      expect(error).toMatchObject({ _tag: "StreamProtocolError" })
      expect(error.message).toContain("text_delta")
    })
  )

  it.effect("10.1 names a response that is not a stream", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(run([MockTransport.json(message)]))
      expect(error).toMatchObject({ _tag: "StreamProtocolError" })
    })
  )
})
