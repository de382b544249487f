import { once } from "node:events"
import { Worker } from "node:worker_threads"
import { AnthropicSync, OutputFormat } from "@effect-api/anthropic"
import { ApiConfig, ApiError } from "@effect-api/client"
import { SyncClient } from "@effect-api/node"
import { Schema } from "effect"
import { afterAll, expect, it } from "vitest"

const api = new Worker(new URL("../fixtures/apiThread.js", import.meta.url))
const [message] = await once(api, "message")
const [baseUrl, fileId]: ReadonlyArray<string> = message

const anthropic = AnthropicSync.make(SyncClient.make, { apiKey: "sk-ant-test", baseUrl })

afterAll(async () => {
  anthropic.close()
  await api.terminate()
})

const params = {
  model: "claude-sonnet-5-5",
  max_tokens: 100,
  messages: [{ role: "user", content: "Hello" }]
} as const

const { max_tokens: _, ...conversation } = params

const thrown = (run: () => unknown): unknown => {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error("nothing was thrown")
}

it("creates and streams messages, and counts their tokens", () => {
  const message = anthropic.messages.create(params)
  expect(message).toMatchObject({ type: "message", role: "assistant" })
  const stream = anthropic.messages.stream(params)
  const text = [...stream.textDeltas()].join("")
  expect(text).not.toBe("")
  expect(stream.finalText()).toBe(text)
  expect(anthropic.messages.stream(params).finalMessage().content).toEqual(message.content)
  expect(anthropic.messages.countTokens(conversation).input_tokens).toBeGreaterThan(0)
})

it("decodes the output of a message", () => {
  const format = OutputFormat.make(Schema.Struct({ a: Schema.Number }))
  const { parsed_output } = anthropic.messages.parse({ ...params, output_config: { format } })
  // The server makes up what fits the schema.
  expect(parsed_output).toEqual({ a: 0 })
})

it("a stream that is left cannot be complete", () => {
  const stream = anthropic.messages.stream(params)
  for (const event of stream) if (event.type === "message_start") break
  expect(thrown(stream.finalMessage)).toBeInstanceOf(ApiError.StreamTruncatedError)
})

it("lists models, and waits for batches", () => {
  const [model] = anthropic.models.list()
  expect(anthropic.models.retrieve(model?.id ?? "")).toEqual(model)
  const batch = anthropic.messages.batches.create({ requests: [{ custom_id: "a", params }] })
  const ended = anthropic.messages.batches.untilEnded(batch.id, { initialDelay: 1 })
  expect(ended.processing_status).toBe("ended")
  expect([...anthropic.messages.batches.results(batch.id)].map(({ custom_id }) => custom_id)).toEqual(["a"])
})

it("uploads, lists and downloads files", () => {
  const bytes = [...anthropic.files.download(fileId ?? "")].flatMap((chunk) => [...chunk])
  expect(new TextDecoder().decode(new Uint8Array(bytes))).toBe("content")
  const uploaded = anthropic.files.upload({ file: new File(["x"], "b.txt") })
  expect([...anthropic.files.list()].map(({ id }) => id)).toContain(uploaded.id)
})

it("runs what the client for effects has", () => {
  expect([...anthropic.iterate(({ skills }) => skills.list())]).toEqual([])
  expect(anthropic.run(({ models }) => models.retrieve("claude-sonnet-5-5")).type).toBe("model")
})

it("throws typed errors", () => {
  const other = anthropic.withOptions({ apiKey: "sk-ant-other" })
  expect(thrown(() => other.messages.create(params))).toBeInstanceOf(ApiError.AuthenticationError)
  expect(thrown(() => AnthropicSync.make(SyncClient.make, { apiKey: "", baseUrl }))).toBeInstanceOf(
    ApiConfig.InvalidConfigError
  )
})
