import { ApiError } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { AsyncTool, Message } from "../../src/index.js"
import { params, scriptedPromises } from "../fixtures/client.js"
import { failure, message } from "../fixtures/responses.js"

const calls = MockTransport.json({
  ...message,
  stop_reason: "tool_use",
  content: [{ type: "tool_use", id: "toolu_1", name: "add", input: { a: 1, b: 2 } }]
})

const done = MockTransport.json({ ...message, content: [{ type: "text", text: "3" }] })

const add = (run: (input: { readonly a: number; readonly b: number }) => unknown) =>
  AsyncTool.make({
    name: "add",
    description: "Adds.",
    input: Schema.Struct({ a: Schema.Number, b: Schema.Number }),
    run
  })

const sum = add(async ({ a, b }) => a + b)

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.unreachable("it must reject"),
    (error) => error
  )

/** The tool results in the second request. */
const resultsIn = (requests: ReadonlyArray<MockTransport.MockRequest>) =>
  (requests[1]?.json as Message.MessageCreateParams | undefined)?.messages.at(-1)?.content

describe("a tool that is an async function", () => {
  it("5.1 runs as the model calls it, message by message", async () => {
    const { anthropic, requests } = scriptedPromises([calls, done])
    const reasons: Array<string | null> = []
    const run = anthropic.messages.run(params, { tools: [sum] })
    for await (const message of run) reasons.push(message.stop_reason)
    expect(reasons).toEqual(["tool_use", "end_turn"])
    expect(Message.text(await run.finalMessage())).toBe("3")
    expect(resultsIn(requests())).toEqual([{ type: "tool_result", tool_use_id: "toolu_1", content: "3" }])
    expect(requests()[0]?.json).toMatchObject({ tools: [{ name: "add", input_schema: { type: "object" } }] })
  })

  it("5.1 returns the last message without a loop", async () => {
    const { anthropic, requests } = scriptedPromises([calls, done])
    expect(Message.text(await anthropic.messages.run(params, { tools: [sum] }).finalMessage())).toBe("3")
    expect(requests()).toHaveLength(2)
  })

  it("5.1 sends the model what it throws", async () => {
    const { anthropic, requests } = scriptedPromises([calls, done])
    const broken = add(() => {
      throw new Error("out of numbers")
    })
    await anthropic.messages.run(params, { tools: [broken] }).finalMessage()
    expect(resultsIn(requests())).toMatchObject([{ is_error: true, content: "out of numbers" }])
  })

  it("5.4 sends the model an error for a result that is not JSON, and continues", async () => {
    const { anthropic, requests } = scriptedPromises([calls, done])
    const row = add(async () => ({ id: 12345678901234567890n }))
    expect(Message.text(await anthropic.messages.run(params, { tools: [row] }).finalMessage())).toBe("3")
    expect(resultsIn(requests())).toMatchObject([
      {
        tool_use_id: "toolu_1",
        is_error: true,
        content: expect.stringContaining("result.id must not be a bigint")
      }
    ])
  })

  it("6.6 runs nothing unless it is pulled: leaving the loop ends the run", async () => {
    let ran = 0
    const { anthropic, requests } = scriptedPromises([calls])
    const run = anthropic.messages.run(params, { tools: [add(() => ran++)] })
    for await (const _ of run) break
    expect((await run.finalMessage()).stop_reason).toBe("tool_use")
    expect([ran, requests().length]).toEqual([0, 1])
  })

  it("7.1 rejects with the typed error, every time", async () => {
    const { anthropic } = scriptedPromises([MockTransport.json(failure("not_found_error"), { status: 404 })])
    const run = anthropic.messages.run(params, { tools: [sum] })
    const error = await rejection(run.finalMessage())
    expect(error).toBeInstanceOf(ApiError.NotFoundError)
    expect(await rejection(run.finalMessage())).toBe(error)
  })

  it("6.1 rejects a message that takes too long", async () => {
    const { anthropic } = scriptedPromises([])
    const run = anthropic.messages.run({ ...params, max_tokens: 100_000 }, { tools: [sum] })
    expect(await rejection(run.finalMessage())).toBeInstanceOf(ApiError.InvalidRequestError)
  })

  it("a signal aborts the request", async () => {
    const { anthropic, transport } = scriptedPromises([MockTransport.never])
    const controller = new AbortController()
    const outcome = rejection(
      anthropic.messages.run(params, { tools: [sum], signal: controller.signal }).finalMessage()
    )
    await Effect.runPromise(transport.awaitRequests(1))
    controller.abort()
    expect(await outcome).toMatchObject({ name: "AbortError" })
    expect(await Effect.runPromise(transport.awaitInterrupted(1))).toBe(1)
  })

  it("a signal aborts the tool", async () => {
    const { anthropic } = scriptedPromises([calls])
    const controller = new AbortController()
    let toolSignal: AbortSignal | undefined
    const slow = AsyncTool.make({
      name: "add",
      input: Schema.Struct({}),
      run: (_, { call, signal }) => {
        expect(call.id).toBe("toolu_1")
        toolSignal = signal
        controller.abort()
        return new Promise(() => {})
      }
    })
    const run = anthropic.messages.run(params, { tools: [slow], signal: controller.signal })
    expect(await rejection(run.finalMessage())).toMatchObject({ name: "AbortError" })
    expect(toolSignal?.aborted).toBe(true)
  })
})
