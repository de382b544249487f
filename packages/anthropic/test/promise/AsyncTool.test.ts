import { ApiError } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { AsyncTool, Message } from "../../src/index.js"
import { failure, message } from "../fixtures/answers.js"
import { params, promising } from "../fixtures/client.js"

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

/** What the second request tells of the tool. */
const told = (requests: ReadonlyArray<MockTransport.MockRequest>) =>
  (requests[1]?.json as Message.MessageCreateParams | undefined)?.messages.at(-1)?.content

describe("a tool that is an async function", () => {
  it("5.1 runs as the model calls it, message by message", async () => {
    const { anthropic, requests } = promising([calls, done])
    const reasons: Array<string | null> = []
    const run = anthropic.messages.run(params, { tools: [sum] })
    for await (const message of run) reasons.push(message.stop_reason)
    expect(reasons).toEqual(["tool_use", "end_turn"])
    expect(Message.text(await run.finalMessage())).toBe("3")
    expect(told(requests())).toEqual([{ type: "tool_result", tool_use_id: "toolu_1", content: "3" }])
    expect(requests()[0]?.json).toMatchObject({ tools: [{ name: "add", input_schema: { type: "object" } }] })
  })

  it("5.1 gives the last message without a loop", async () => {
    const { anthropic, requests } = promising([calls, done])
    expect(Message.text(await anthropic.messages.run(params, { tools: [sum] }).finalMessage())).toBe("3")
    expect(requests()).toHaveLength(2)
  })

  it("5.1 tells the model what it throws", async () => {
    const { anthropic, requests } = promising([calls, done])
    const broken = add(() => {
      throw new Error("out of numbers")
    })
    await anthropic.messages.run(params, { tools: [broken] }).finalMessage()
    expect(told(requests())).toMatchObject([{ is_error: true, content: "out of numbers" }])
  })

  it("5.4 tells the model of a result that has no JSON, and goes on", async () => {
    const { anthropic, requests } = promising([calls, done])
    const row = add(async () => ({ id: 12345678901234567890n }))
    expect(Message.text(await anthropic.messages.run(params, { tools: [row] }).finalMessage())).toBe("3")
    expect(told(requests())).toMatchObject([
      {
        tool_use_id: "toolu_1",
        is_error: true,
        content: expect.stringContaining("result.id must not be a bigint")
      }
    ])
  })

  it("6.6 runs nothing that is not asked for: a loop that is left ends", async () => {
    let ran = 0
    const { anthropic, requests } = promising([calls])
    const run = anthropic.messages.run(params, { tools: [add(() => ran++)] })
    for await (const _ of run) break
    expect((await run.finalMessage()).stop_reason).toBe("tool_use")
    expect([ran, requests().length]).toEqual([0, 1])
  })

  it("7.1 rejects with the error itself, as often as it is asked", async () => {
    const { anthropic } = promising([MockTransport.json(failure("not_found_error"), { status: 404 })])
    const run = anthropic.messages.run(params, { tools: [sum] })
    const error = await rejection(run.finalMessage())
    expect(error).toBeInstanceOf(ApiError.NotFoundError)
    expect(await rejection(run.finalMessage())).toBe(error)
  })

  it("6.1 refuses a message that takes too long", async () => {
    const { anthropic } = promising([])
    const run = anthropic.messages.run({ ...params, max_tokens: 100_000 }, { tools: [sum] })
    expect(await rejection(run.finalMessage())).toBeInstanceOf(ApiError.InvalidRequestError)
  })

  it("a signal ends the request", async () => {
    const { anthropic, transport } = promising([MockTransport.never])
    const controller = new AbortController()
    const outcome = rejection(
      anthropic.messages.run(params, { tools: [sum], signal: controller.signal }).finalMessage()
    )
    await Effect.runPromise(transport.awaitRequests(1))
    controller.abort()
    expect(await outcome).toMatchObject({ name: "AbortError" })
    expect(await Effect.runPromise(transport.awaitInterrupted(1))).toBe(1)
  })

  it("a signal ends the tool", async () => {
    const { anthropic } = promising([calls])
    const controller = new AbortController()
    let told: AbortSignal | undefined
    const slow = AsyncTool.make({
      name: "add",
      input: Schema.Struct({}),
      run: (_, { call, signal }) => {
        expect(call.id).toBe("toolu_1")
        told = signal
        controller.abort()
        return new Promise(() => {})
      }
    })
    const run = anthropic.messages.run(params, { tools: [slow], signal: controller.signal })
    expect(await rejection(run.finalMessage())).toMatchObject({ name: "AbortError" })
    expect(told?.aborted).toBe(true)
  })
})
