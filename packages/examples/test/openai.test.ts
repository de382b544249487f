import { describe, expect, it } from "@effect/vitest"
import type { ResponseDecoder } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Fiber, Redacted, Stream, TestClock } from "effect"
import * as Requests from "../src/openai.js"
import { assembled, embed, OpenAi } from "../src/openaiService.js"
import { scripted, served } from "./fixtures/clients.js"
import { fileSize, openai } from "./servers/openai.js"

const key = Redacted.make("sk-1")

const started = Effect.suspend(() => {
  const { busy, routes } = openai()
  return Effect.map(
    served(OpenAi, routes, (url) => OpenAi.layer(key, url)),
    (all) => ({ ...all, busy })
  )
})

const asked = (content: string) => ({ model: "gpt-5", messages: [{ role: "user" as const, content }] })

describe("OpenAI", () => {
  it.scopedLive("a chat calls a tool", () =>
    Effect.gen(function* () {
      const { client, server } = yield* started
      const { requestId, value } = yield* client.executeWithResponse(Requests.chat(asked("weather")))
      const [call] = value.choices[0]?.message.tool_calls ?? []
      expect([requestId, call?.function.name]).toEqual(["req_1", "weather"])
      const [request] = yield* server.requests
      expect(request?.headers["authorization"]).toBe("Bearer sk-1")
      expect(request?.json).toEqual(asked("weather"))
    })
  )

  it.scopedLive("the chunks of a stream add up to a text and calls of tools", () =>
    Effect.gen(function* () {
      const { client } = yield* started
      const message = yield* assembled(client.stream(Requests.chatStream(asked("weather"))))
      expect(message).toEqual({
        text: "Hello",
        calls: [
          { id: "call_1", name: "weather", arguments: '{"city":"Bern"}' },
          { id: "call_2", name: "time", arguments: "{}" }
        ]
      })
    })
  )

  it.scopedLive("an error in a stream is the API's own, after what came before it", () =>
    Effect.gen(function* () {
      const { client } = yield* started
      const before: Array<string> = []
      const error = yield* client.stream(Requests.chatStream(asked("error"))).pipe(
        Stream.runForEach(({ choices }) => Effect.sync(() => before.push(choices[0]?.delta.content ?? ""))),
        Effect.flip
      )
      expect(before).toEqual(["He"])
      expect(error).toMatchObject({ _tag: "OpenAiError", error: { type: "server_error" } })
    })
  )

  const ends = [
    ["that ends without its last event", "cut", "StreamTruncatedError"],
    ["that is reset", "reset", "ConnectionError"]
  ] as const
  it.live.each(ends)("a stream %s fails", ([, question, tag]) =>
    Effect.gen(function* () {
      const { client } = yield* started
      const quick = client.withOptions({ retry: { initialDelay: "1 millis" } })
      const error = yield* Effect.flip(assembled(quick.stream(Requests.chatStream(asked(question)))))
      expect(error._tag).toBe(tag)
    }).pipe(Effect.scoped)
  )

  it.scopedLive("texts are embedded in batches, so many at a time, in their order", () =>
    Effect.gen(function* () {
      const { busy, client, server } = yield* started
      const texts = Array.from({ length: 10 }, (_, i) => "x".repeat(i))
      const vectors = yield* Effect.provideService(embed(texts, { size: 3, concurrency: 2 }), OpenAi, client)
      expect(vectors.map(([first]) => first)).toEqual(texts.map(({ length }) => length))
      expect([yield* server.requestCount, busy.most]).toEqual([4, 2])
    })
  )

  it.scopedLive("an upload reports its progress to the last byte", () =>
    Effect.gen(function* () {
      const { client, server } = yield* started
      const seen: Array<ResponseDecoder.Progress> = []
      const content = new Blob(["x".repeat(200_000)])
      const file = yield* client.execute(
        Requests.upload({ content, filename: "batch.jsonl" }, (progress) => seen.push(progress))
      )
      const [request] = yield* server.requests
      expect(request?.headers["content-type"]).toMatch(/^multipart\/form-data; boundary=/)
      expect(request?.text).toContain('filename="batch.jsonl"')
      expect(seen.at(-1)).toEqual({ bytes: file.bytes, total: file.bytes })
      expect(seen.map(({ bytes }) => bytes)).toEqual(seen.map(({ bytes }) => bytes).sort((a, b) => a - b))
    })
  )

  it.scopedLive("a download streams", () =>
    Effect.gen(function* () {
      const { client } = yield* started
      const size = yield* Stream.unwrap(client.execute(Requests.content("file-1"))).pipe(
        Stream.runFold(0, (size, bytes) => size + bytes.length)
      )
      expect(size).toBe(fileSize)
      const error = yield* Effect.flip(client.execute(Requests.content("file-2")))
      expect(error).toMatchObject({ _tag: "OpenAiError", error: { code: "model_not_found" } })
    })
  )

  const limits: ReadonlyArray<readonly [kind: string, reset: string, millis: number]> = [
    ["requests", "1m30.5s", 90_500],
    ["tokens", "6m0s", 360_000],
    ["tokens", "250ms", 250]
  ]
  it.effect.each(limits)("with no %s left, the next call waits for %s", ([kind, reset, millis]) =>
    Effect.gen(function* () {
      const used = { [`x-ratelimit-remaining-${kind}`]: "0", [`x-ratelimit-reset-${kind}`]: reset }
      const left = { [`x-ratelimit-remaining-${kind}`]: "7", [`x-ratelimit-reset-${kind}`]: "1h" }
      const { client, transport } = yield* scripted(
        OpenAi,
        [
          MockTransport.json({ data: [] }, { headers: used }),
          MockTransport.json({ data: [] }, { headers: left }),
          MockTransport.json({ data: [] })
        ],
        OpenAi.layer(key)
      )
      const call = client.execute(Requests.embeddings(["a"]))
      yield* call
      const fiber = yield* Effect.fork(Effect.zipRight(call, call))
      yield* TestClock.adjust(millis)
      yield* Fiber.join(fiber)
      expect((yield* transport.requests).map(({ at }) => at)).toEqual([0, millis, millis])
    }).pipe(Effect.scoped)
  )

  it.scoped("a 429 is retried, and is the API's own error in the end", () =>
    Effect.gen(function* () {
      const error = { message: "Rate limit reached", type: "requests", code: "rate_limit_exceeded" }
      const busy = MockTransport.json({ error }, { status: 429, headers: { "retry-after": "3" } })
      const { client, transport } = yield* scripted(OpenAi, [busy, busy, busy], OpenAi.layer(key))
      const fiber = yield* Effect.fork(Effect.flip(client.execute(Requests.chat(asked("weather")))))
      yield* TestClock.adjust("6 seconds")
      expect(yield* Fiber.join(fiber)).toMatchObject({ _tag: "OpenAiError", error })
      expect((yield* transport.requests).map(({ at }) => at)).toEqual([0, 3000, 6000])
    })
  )
})
