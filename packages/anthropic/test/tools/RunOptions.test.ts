import Vendor from "@anthropic-ai/sdk"
import { describe, expect, it } from "@effect/vitest"
import { Chunk, Deferred, Effect, Exit, Fiber, Schema, Stream } from "effect"
import * as Tool from "../../src/tools/Tool.js"
import * as ToolRunner from "../../src/tools/ToolRunner.js"
import {
  collect,
  echo,
  eventsOf,
  type Params,
  params,
  type Reply,
  result,
  scripted,
  text,
  use
} from "../fixtures/scriptedModel.js"

const user = (content: string) => ({ role: "user", content })
const conversations = ({ requests }: { readonly requests: ReadonlyArray<Params> }) =>
  requests.map(({ messages }) => messages)

describe("editParams", () => {
  const replies: ReadonlyArray<Reply> = [
    ["tool_use", use("a", "echo", { say: "1" })],
    ["end_turn", text("b")],
    ["end_turn", text("c")]
  ]

  it.effect("changes the next request, after the results of the tools", () =>
    Effect.gen(function* () {
      const model = scripted(replies)
      const seen: Array<unknown> = []
      yield* ToolRunner.finalMessage(model, params, {
        tools: [echo],
        editParams: (params, { message }) => {
          seen.push([message.stop_reason, params.messages.at(-1)])
          return { ...params, max_tokens: 7 }
        }
      })
      expect(model.requests.map(({ max_tokens }) => max_tokens)).toEqual([100, 7])
      expect(seen).toEqual([
        ["tool_use", { role: "user", content: [result("a", "1")] }],
        ["end_turn", { role: "assistant", content: [text("b")] }]
      ])
    })
  )

  it.effect("lets the loop go on if the conversation then ends with a turn of the user", () =>
    Effect.gen(function* () {
      const model = scripted(replies)
      const messages = yield* collect(
        ToolRunner.run(model, params, {
          tools: [echo],
          editParams: (params, { message }) =>
            Effect.succeed(
              message.content.some((block) => block.type === "text" && block.text === "b")
                ? { ...params, messages: [...params.messages, { role: "user", content: "more" }] }
                : params
            )
        })
      )
      expect(messages).toHaveLength(3)
      expect(conversations(model)[2]?.slice(-2)).toEqual([
        { role: "assistant", content: [text("b")] },
        user("more")
      ])
    })
  )

  it.effect("does not exceed maxIterations, and dies with what it throws", () =>
    Effect.gen(function* () {
      const more = (params: Params): Params => ({
        ...params,
        messages: [...params.messages, { role: "user", content: "more" }]
      })
      const model = scripted(replies)
      const limited = { tools: [echo], maxIterations: 2, editParams: more }
      expect(yield* Stream.runCount(ToolRunner.run(model, params, limited))).toBe(2)
      const throws = {
        tools: [echo],
        editParams: () => {
          throw new Error("a bug")
        }
      }
      const exit = yield* Effect.exit(ToolRunner.finalMessage(scripted(replies), params, throws))
      expect(Exit.isFailure(exit) && exit.cause.toString()).toContain("a bug")
    })
  )

  it.effect.each([undefined, null, {}, { messages: "hi" }])(
    "dies with a TypeError if it returns %j",
    (returned) =>
      Effect.gen(function* () {
        const options = { tools: [echo], editParams: () => returned as never }
        const exit = yield* Effect.exit(ToolRunner.finalMessage(scripted(replies), params, options))
        expect(Exit.isFailure(exit) && exit.cause.toString()).toContain("editParams must return")
      })
  )

  it.effect("sends what pushMessages of Anthropic's runner sends", () =>
    Effect.gen(function* () {
      const model = scripted(replies)
      yield* ToolRunner.finalMessage(model, params, {
        tools: [echo],
        editParams: (params, { message }) =>
          Effect.succeed(message.stop_reason === "tool_use" ? { ...params, max_tokens: 7 } : params)
      })
      const script = scripted(replies)
      const runner = vendor(script).beta.messages.toolRunner({ ...hello, tools: [vendorEcho] })
      yield* Effect.promise(async () => {
        for await (const message of runner) {
          if (message.stop_reason !== "tool_use") continue
          const results = await runner.generateToolResponse()
          runner.setMessagesParams((params) => ({
            ...params,
            max_tokens: 7,
            messages: [
              ...params.messages,
              { role: message.role, content: message.content },
              ...(results === null ? [] : [results])
            ]
          }))
        }
      })
      expect(script.requests.map(({ max_tokens, messages }) => [max_tokens, messages])).toEqual(
        model.requests.map(({ max_tokens, messages }) => [max_tokens, messages])
      )
    })
  )
})

const hello = {
  model: params.model,
  max_tokens: params.max_tokens,
  messages: [{ role: "user" as const, content: "hi" }],
  thread: false as const
}

const vendorEcho = {
  name: "echo",
  input_schema: { type: "object" as const },
  parse: (input: unknown) => input as { say: string },
  run: ({ say }: { say: string }) => say
}

const vendor = (script: ReturnType<typeof scripted>, headers: Array<Headers> = []) =>
  new Vendor({
    apiKey: "none",
    fetch: async (_, init) => {
      headers.push(new Headers(init?.headers as Record<string, string>))
      return Response.json(await Effect.runPromise(script.create(JSON.parse(String(init?.body)) as Params)))
    }
  })

describe("laterTools", () => {
  const later = Tool.make({
    name: "later",
    input: Schema.Struct({ say: Schema.String }),
    run: ({ say }) => Effect.succeed(`later ${say}`)
  })
  const replies: ReadonlyArray<Reply> = [
    ["tool_use", use("a", "echo", { say: "1" }), use("b", "later", { say: "1" })],
    ["tool_use", use("c", "echo", { say: "2" }), use("d", "later", { say: "2" })],
    ["end_turn", text("done")]
  ]
  const edited = (turns: ReadonlyArray<Params["messages"][number]>) => {
    let isFirst = true
    return (params: Params) => {
      const messages = isFirst ? [...params.messages, ...turns] : params.messages
      isFirst = false
      return { ...params, messages }
    }
  }
  const missing = (id: string, name: string) => result(id, `There is no tool ${name}`, { is_error: true })

  it.effect("are not offered, and run once the conversation has added them", () =>
    Effect.gen(function* () {
      const model = scripted(replies)
      const editParams = edited([Tool.addition(later), Tool.removal(echo)])
      yield* ToolRunner.finalMessage(model, params, { tools: [echo], laterTools: [later], editParams })
      expect(model.requests.map(({ tools }) => tools)).toEqual(replies.map(() => [echo.param]))
      expect(conversations(model)[1]?.slice(2)).toEqual([
        { role: "user", content: [result("a", "1"), missing("b", "later")] },
        {
          role: "system",
          content: [{ type: "tool_addition", tool: { type: "tool_definition", definition: later.param } }]
        },
        {
          role: "system",
          content: [{ type: "tool_removal", tool: { type: "tool_reference", name: "echo" } }]
        }
      ])
      expect(conversations(model)[2]?.at(-1)?.content).toEqual([missing("c", "echo"), result("d", "later 2")])
    })
  )

  it.effect("are sent as addTools of Anthropic's runner sends them", () =>
    Effect.gen(function* () {
      const model = scripted(replies)
      const editParams = edited([Tool.addition(later)])
      yield* ToolRunner.finalMessage(model, params, { tools: [echo], laterTools: [later], editParams })
      const script = scripted(replies)
      const runner = vendor(script).beta.messages.toolRunner({ ...hello, tools: [vendorEcho] })
      const theirs = {
        ...vendorEcho,
        name: "later",
        input_schema:
          later.param.type === undefined && "input_schema" in later.param ? later.param.input_schema : {},
        run: ({ say }: { say: string }) => `later ${say}`
      }
      yield* Effect.promise(async () => {
        let isFirst = true
        for await (const _ of runner) {
          if (isFirst) {
            // The results first: the tool must be missing still.
            await runner.generateToolResponse()
            runner.addTools(theirs as never)
          }
          isFirst = false
        }
      })
      const sent = (requests: ReadonlyArray<Params>) =>
        requests.map(({ messages }) => messages.filter(({ role }) => role === "system"))
      expect(sent(script.requests)).toEqual(sent(model.requests))
    })
  )
})

describe("compactWhen", () => {
  const summary = { type: "compaction", content: "So far: 1.", encrypted_content: null, signature: "c2ln" }
  const replies: ReadonlyArray<Reply> = [
    ["tool_use", use("a", "echo", { say: "1" })],
    ["compaction", summary],
    ["tool_use", use("b", "echo", { say: "2" })],
    ["end_turn", text("done")]
  ]
  const shaped: Params = {
    ...params,
    stop_sequences: ["x"],
    tool_choice: { type: "any" },
    output_config: { effort: "low", format: { type: "json_schema", schema: {} } },
    context_management: { edits: [] }
  }
  const first = ({ message }: ToolRunner.Turn) =>
    message.content.some((block) => "id" in block && block.id === "a")

  it.effect("sends a request for a summary, and goes on with it in place of the conversation", () =>
    Effect.gen(function* () {
      const model = scripted(replies)
      const options = { tools: [echo], maxIterations: 3, betas: ["b"], compactWhen: first } as const
      const turns = yield* collect(ToolRunner.turns(model, shaped, options))
      expect(turns.map(({ message }) => message.stop_reason)).toEqual(replies.map(([reason]) => reason))
      const compacted = { role: "assistant", content: [summary] }
      expect(turns[1]?.messages).toEqual([compacted])
      const called = { role: "assistant", content: [use("a", "echo", { say: "1" })] }
      const answered = { role: "user", content: [result("a", "1")] }
      expect(conversations(model).slice(0, 3)).toEqual([
        [user("hi")],
        [user("hi"), called, answered],
        [compacted]
      ])
      const [before, compacting, after] = model.requests
      expect(compacting).toMatchObject({
        compaction: { type: "summarize" },
        output_config: { effort: "low" }
      })
      for (const name of ["stop_sequences", "tool_choice", "context_management"]) {
        expect(compacting).not.toHaveProperty(name)
      }
      expect(compacting?.output_config).not.toHaveProperty("format")
      expect(after).toEqual({ ...before, messages: [compacted] })
      expect(model.calls.map((call) => call?.betas)).toEqual(replies.map(() => ["b", "compact-2026-09-04"]))
    })
  )

  it.effect("keeps the conversation without a summary, and compacts a stream as well", () =>
    Effect.gen(function* () {
      const without: ReadonlyArray<Reply> = [
        ["tool_use", use("a", "echo", { say: "1" })],
        ["compaction", { ...summary, content: null }],
        ["end_turn", text("done")]
      ]
      const [model, streamed] = [scripted(without), scripted(without)]
      const compaction = { type: "summarize", instructions: "In a word." } as const
      const options = { tools: [echo], compactWhen: (turn: ToolRunner.Turn) => first(turn) && compaction }
      yield* ToolRunner.finalMessage(model, params, options)
      expect(model.requests[1]?.["compaction"]).toEqual(compaction)
      expect(conversations(model)[2]).toEqual(conversations(model)[1])
      yield* Stream.runDrain(ToolRunner.stream(streamed, params, options))
      expect(streamed.requests).toEqual(model.requests)
    })
  )

  it.effect("compacts neither after the last message nor a turn that the server continues", () =>
    Effect.gen(function* () {
      const model = scripted([
        ["pause_turn", text("a")],
        ["end_turn", text("b")]
      ])
      yield* ToolRunner.finalMessage(model, params, { tools: [echo], compactWhen: () => true })
      expect(model.requests).toHaveLength(2)
    })
  )

  it.effect("sends what Anthropic's runner sends", () =>
    Effect.gen(function* () {
      const model = scripted(replies)
      yield* ToolRunner.finalMessage(model, params, { tools: [echo], compactWhen: first })
      const script = scripted(replies)
      const runner = vendor(script).beta.messages.toolRunner({ ...hello, tools: [vendorEcho] })
      yield* Effect.promise(async () => {
        for await (const { stop_reason } of runner) {
          if (stop_reason === "tool_use" && script.requests.length === 1) runner.compactBeforeNextTurn()
        }
      })
      const sent = (requests: ReadonlyArray<Params>) =>
        requests.map(({ compaction, messages }) => ({ compaction, messages }))
      expect(sent(script.requests)).toEqual(sent(model.requests))
    })
  )
})

describe("eager", () => {
  /** A model whose events wait, and a tool that notes when it runs. */
  const observed = (reply: Reply, eager: ToolRunner.StreamOptions<[]>["eager"], more: object = {}) =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const tool = Tool.make({
        name: "echo",
        input: Schema.Struct({ say: Schema.String }),
        run: ({ say }) =>
          Effect.sync(() => {
            log.push(`run ${say}`)
            return say
          })
      })
      const model = scripted([reply, ["end_turn", text("done")]])
      const slow = {
        stream: (params: Params) =>
          model.stream(params).pipe(
            Stream.rechunk(1),
            Stream.tap(() => Effect.yieldNow())
          )
      }
      const events = ToolRunner.stream(slow, params, { tools: [tool], eager, ...more })
      yield* Stream.runForEach(events, (event) =>
        Effect.sync(() => {
          log.push("index" in event ? `${event.type} ${event.index}` : event.type)
        }).pipe(Effect.zipRight(Effect.yieldNow()))
      )
      const at = (entry: string) => log.indexOf(entry)
      return { log, at, model }
    })

  const both: Reply = [
    "tool_use",
    use("a", "echo", { say: "1" }),
    use("b", "echo", { say: "2" }),
    text("and so on")
  ]
  const answered = { role: "user", content: [result("a", "1"), result("b", "2")] }

  it.effect("starts a tool once the model has gone on, and runs it once", () =>
    Effect.gen(function* () {
      const { at, log, model } = yield* observed(both, true)
      expect(at("run 1")).toBeGreaterThan(at("content_block_stop 0"))
      expect(at("run 1")).toBeLessThan(at("content_block_stop 1"))
      expect(at("run 2")).toBeLessThan(at("message_delta"))
      expect(log.filter((entry) => entry.startsWith("run"))).toEqual(["run 1", "run 2"])
      expect(conversations(model)[1]?.at(-1)).toEqual(answered)
    })
  )

  it.effect("runs the tools after the message without it", () =>
    Effect.gen(function* () {
      const { at, model } = yield* observed(both, undefined)
      expect(at("run 1")).toBeGreaterThan(at("message_stop"))
      expect(conversations(model)[1]?.at(-1)).toEqual(answered)
    })
  )

  it.effect("lets a function hold calls back until the end of the message", () =>
    Effect.gen(function* () {
      const { at, model } = yield* observed(both, ({ id }) => id === "b")
      expect(at("run 2")).toBeLessThan(at("message_delta"))
      expect(at("run 1")).toBeGreaterThan(at("message_stop"))
      expect(conversations(model)[1]?.at(-1)).toEqual(answered)
    })
  )

  it.effect("does not start the last call of a message that is cut off", () =>
    Effect.gen(function* () {
      const { log } = yield* observed(["max_tokens", use("a", "echo", { say: "1" })], true)
      expect(log.filter((entry) => entry.startsWith("run"))).toEqual([])
    })
  )

  it.effect("starts nothing after another model took over", () =>
    Effect.gen(function* () {
      const fallback = { type: "fallback", to: { model: "other" } }
      const { log } = yield* observed(["end_turn", use("a", "echo", { say: "1" }), fallback, text("x")], true)
      expect(log.filter((entry) => entry.startsWith("run"))).toEqual([])
    })
  )

  it.effect("sends the same conversation as a run that is not eager, within its concurrency", () =>
    Effect.gen(function* () {
      let running = 0
      let most = 0
      const tool = Tool.make({
        name: "echo",
        input: Schema.Struct({ say: Schema.String }),
        run: ({ say }) =>
          Effect.gen(function* () {
            most = Math.max(most, ++running)
            yield* Effect.yieldNow()
            yield* Effect.yieldNow()
            running--
            return say
          })
      })
      const reply: Reply = ["tool_use", ..."abcdef".split("").map((id) => use(id, "echo", { say: id }))]
      const model = scripted([reply, ["end_turn", text("done")]])
      yield* Stream.runDrain(ToolRunner.stream(model, params, { tools: [tool], eager: true, concurrency: 2 }))
      expect(most).toBe(2)
      expect(conversations(model)[1]?.at(-1)?.content).toEqual("abcdef".split("").map((id) => result(id, id)))
    })
  )

  it.effect.each([0, -1, Number.NaN])("runs the tools one by one with a concurrency of %d", (concurrency) =>
    Effect.gen(function* () {
      const model = scripted([both, ["end_turn", text("done")]])
      yield* Stream.runDrain(ToolRunner.stream(model, params, { tools: [echo], eager: true, concurrency }))
      expect(conversations(model)[1]?.at(-1)).toEqual(answered)
    })
  )

  it.effect("interrupts the tools that have started when the stream fails or is left", () =>
    Effect.gen(function* () {
      for (const end of ["fails", "left"] as const) {
        const started = yield* Deferred.make<void>()
        const interrupted = yield* Deferred.make<void>()
        const tool = Tool.make({
          name: "echo",
          input: Schema.Struct({ say: Schema.String }),
          run: () =>
            Effect.zipRight(Deferred.succeed(started, undefined), Effect.never).pipe(
              Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
            )
        })
        const events = eventsOf(both)
        const cut = Stream.concat(
          Stream.fromIterable(events.slice(0, -2)),
          Stream.fromEffect(
            Effect.zipRight(Deferred.await(started), end === "fails" ? Effect.fail("lost") : Effect.never)
          )
        )
        const run = ToolRunner.stream({ stream: () => cut }, params, { tools: [tool], eager: true })
        const fiber = yield* Effect.fork(Effect.exit(Stream.runDrain(run)))
        if (end === "left") {
          yield* Deferred.await(started)
          yield* Fiber.interrupt(fiber)
        }
        yield* Deferred.await(interrupted)
      }
    })
  )

  it.effect("dies with the defect of a tool", () =>
    Effect.gen(function* () {
      const tool = Tool.make({
        name: "echo",
        input: Schema.Struct({}),
        run: () => Effect.die(new Error("a bug"))
      })
      const run = ToolRunner.stream(scripted([both]), params, { tools: [tool], eager: true })
      const exit = yield* Effect.exit(Stream.runDrain(run))
      expect(Exit.isFailure(exit) && exit.cause.toString()).toContain("a bug")
    })
  )

  it.effect("emits the same events", () =>
    Effect.gen(function* () {
      const replies: ReadonlyArray<Reply> = [both, ["end_turn", text("done")]]
      const eager = ToolRunner.stream(scripted(replies), params, { tools: [echo], eager: true })
      const events = Chunk.toReadonlyArray(yield* Stream.runCollect(eager))
      expect(events).toEqual(replies.flatMap((reply) => eventsOf(reply)))
    })
  )
})
