import { MockTransport } from "@effect-api/testing"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { AsyncTool, OutputFormat } from "../../src/index.js"
import { params, scriptedPromises, sse } from "../fixtures/client.js"
import { message } from "../fixtures/responses.js"
import { eventsOf, type Reply, text, use } from "../fixtures/scriptedModel.js"

const whole = ([stop_reason, ...content]: Reply) => MockTransport.json({ ...message, stop_reason, content })
const streamed = (reply: Reply) => sse(eventsOf(reply).map((event) => ({ ...event })))

const add = AsyncTool.define({
  name: "add",
  input: z.object({ a: z.number(), b: z.number() }),
  run: async ({ a, b }) => a + b
})

const calls: Reply = ["tool_use", text("let me see"), use("t1", "add", { a: 1, b: 2 })]
const done: Reply = ["end_turn", text("3")]
const again: Reply = ["end_turn", text("still 3")]
const result = { type: "tool_result", tool_use_id: "t1", content: "3" }

const bodies = (requests: ReadonlyArray<MockTransport.MockRequest>) =>
  requests.map(({ json }) => json as Record<string, unknown> & { messages: ReadonlyArray<unknown> })

const collect = async <A>(values: AsyncIterable<A>): Promise<ReadonlyArray<A>> => {
  const all: Array<A> = []
  for await (const value of values) all.push(value)
  return all
}

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.unreachable("it must reject"),
    (error) => error
  )

const later = (): readonly [promise: Promise<void>, resolve: () => void] => {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return [promise, resolve]
}

describe("a run with async tools", () => {
  it("applies setParams and pushMessages to the next request, after the results of the tools", async () => {
    const { anthropic, requests } = scriptedPromises([whole(calls), whole(done)])
    const run = anthropic.messages.run(params, { tools: [add] })
    for await (const { stop_reason } of run) {
      if (stop_reason !== "tool_use") continue
      run.setParams((params) => ({ ...params, max_tokens: 7 }))
      run.pushMessages({ role: "user", content: "Be brief." })
    }
    const [first, second] = bodies(requests())
    expect([first?.["max_tokens"], second?.["max_tokens"]]).toEqual([1024, 7])
    expect(second?.messages.slice(2)).toEqual([
      { role: "user", content: [result] },
      { role: "user", content: "Be brief." }
    ])
  })

  it("goes on after the last message with what pushMessages adds", async () => {
    const { anthropic, requests } = scriptedPromises([whole(calls), whole(done), whole(again)])
    const run = anthropic.messages.run(params, { tools: [add] })
    let pushed = false
    for await (const { stop_reason } of run) {
      if (stop_reason !== "end_turn" || pushed) continue
      run.pushMessages({ role: "user", content: "Sure?" })
      pushed = true
    }
    expect((await run.finalMessage()).content).toEqual([text("still 3")])
    expect(bodies(requests()).at(-1)?.messages.at(-1)).toEqual({ role: "user", content: "Sure?" })
  })

  it("takes an async editParams, and rejects with what it throws", async () => {
    const { anthropic, requests } = scriptedPromises([whole(calls), whole(done), whole(calls)])
    const { messages } = anthropic
    const editParams = async (params: Parameters<typeof messages.run>[0]) => ({ ...params, max_tokens: 7 })
    await messages.run(params, { tools: [add], editParams }).finalMessage()
    expect(bodies(requests()).map((body) => body["max_tokens"])).toEqual([1024, 7])
    const bug = new Error("a bug")
    const broken = messages.run(params, { tools: [add], editParams: () => Promise.reject(bug) })
    expect(await rejection(broken.finalMessage())).toBe(bug)
  })

  it("decodes the output of its last message", async () => {
    const format = OutputFormat.make(z.object({ sum: z.number() }))
    const { anthropic } = scriptedPromises([whole(calls), whole(["end_turn", text('{"sum":3}')])])
    const run = anthropic.messages.run({ ...params, output_config: { format } }, { tools: [add] })
    expect((await run.finalParsed(format)).parsed_output).toEqual({ sum: 3 })
  })
})

describe("a streamed run with async tools", () => {
  it.each([false, true])("iterates over the events of all messages, eager: %s", async (eager) => {
    const { anthropic, requests } = scriptedPromises([streamed(calls), streamed(done)])
    const run = anthropic.messages.runStream(params, { tools: [add], eager })
    const [events, blocks, last] = await Promise.all([
      collect(run),
      collect(run.contentBlocks()),
      run.finalMessage()
    ])
    expect(events).toEqual([...eventsOf(calls), ...eventsOf(done)])
    expect(blocks).toEqual([...calls.slice(1), ...done.slice(1)])
    expect(last.content).toEqual([text("3")])
    expect(bodies(requests()).map((body) => [body["stream"], body.messages.at(-1)])).toEqual([
      [true, params.messages[0]],
      [true, { role: "user", content: [result] }]
    ])
  })

  it("can be edited, and decodes the output of its last message", async () => {
    const format = OutputFormat.make(z.object({ sum: z.number() }))
    const { anthropic, requests } = scriptedPromises([
      streamed(calls),
      streamed(["end_turn", text('{"sum":3}')])
    ])
    const run = anthropic.messages.runStream(params, { tools: [add] })
    run.pushMessages({ role: "user", content: "Be brief." })
    expect((await run.finalParsed(format)).parsed_output).toEqual({ sum: 3 })
    expect(bodies(requests()).at(-1)?.messages.at(-1)).toEqual({ role: "user", content: "Be brief." })
  })

  it("aborts a tool that has started when the signal aborts or the loop is left", async () => {
    for (const end of ["abort", "leave"] as const) {
      const controller = new AbortController()
      const [aborted, resolve] = later()
      const [started, start] = later()
      const slow = AsyncTool.define({
        name: "add",
        input: z.object({}),
        run: (_, { signal }) => {
          signal.addEventListener("abort", () => resolve())
          start()
          return new Promise(() => {})
        }
      })
      const reply: Reply = ["tool_use", use("t1", "add", { a: 1, b: 2 }), text("more")]
      const { anthropic } = scriptedPromises([streamed(reply)])
      const run = anthropic.messages.runStream(params, {
        tools: [slow],
        eager: true,
        signal: controller.signal
      })
      const reading = (async () => {
        for await (const event of run) {
          if (event.type !== "message_delta") continue
          await started
          if (end === "leave") return
          controller.abort(new Error("enough"))
        }
      })()
      if (end === "leave") await reading
      else expect(await rejection(reading)).toMatchObject({ message: "enough" })
      await aborted
    }
  })

  it("rejects with the error of the API", async () => {
    const { anthropic } = scriptedPromises([streamed(calls), MockTransport.json({}, { status: 400 })])
    const run = anthropic.messages.runStream(params, { tools: [add] })
    expect(await rejection(run.finalText())).toMatchObject({ _tag: "BadRequestError" })
  })
})
