import Vendor from "@anthropic-ai/sdk"
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Schema, Stream } from "effect"
import * as Tool from "../../src/tools/Tool.js"
import * as ToolRunner from "../../src/tools/ToolRunner.js"
import {
  collect,
  echo,
  fails,
  never,
  type Params,
  params,
  type Reply,
  result,
  scripted,
  text,
  use
} from "../fixtures/scriptedModel.js"

describe("run", () => {
  it.effect("calls the model, runs the tools and sends the results until the model is done", () =>
    Effect.gen(function* () {
      const first = [text("let me see"), use("a", "echo", { say: "1" }), use("b", "echo", { say: "2" })]
      const second = [use("c", "echo", { say: "3" })]
      const model = scripted([
        ["tool_use", ...first],
        ["tool_use", ...second],
        ["end_turn", text("done")]
      ])
      const messages = yield* collect(ToolRunner.run(model, params, { tools: [echo, fails] }))
      expect(messages.map(({ stop_reason }) => stop_reason)).toEqual(["tool_use", "tool_use", "end_turn"])
      expect(messages.map(({ content }) => content)).toEqual([first, second, [text("done")]])
      const conversation = [
        { role: "user", content: "hi" },
        { role: "assistant", content: first },
        { role: "user", content: [result("a", "1"), result("b", "2")] },
        { role: "assistant", content: second },
        { role: "user", content: [result("c", "3")] }
      ]
      const request = (length: number) => ({
        ...params,
        tools: [echo.param, fails.param],
        messages: conversation.slice(0, length)
      })
      expect(model.requests).toEqual([request(1), request(3), request(5)])
    })
  )

  it.effect("sends an error for a failure, an invalid input and an unknown tool", () =>
    Effect.gen(function* () {
      const model = scripted([
        [
          "tool_use",
          use("a", "fails"),
          use("b", "echo", { say: 1 }),
          use("c", "nope"),
          use("d", "toString"),
          use("e", "echo", { say: "ok" })
        ],
        ["end_turn", text("sorry")]
      ])
      yield* ToolRunner.finalMessage(model, params, { tools: [echo, fails] })
      const is_error = true
      expect(model.requests[1]?.messages.at(-1)).toEqual({
        role: "user",
        content: [
          result("a", "no such city", { is_error }),
          result("b", expect.stringMatching(/^The input is invalid: /) as string, { is_error }),
          result("c", "There is no tool nope", { is_error }),
          result("d", "There is no tool toString", { is_error }),
          result("e", "ok")
        ]
      })
    })
  )

  const removal = (name: string) => ({ type: "tool_removal", tool: { type: "tool_reference", name } })
  const addition = (tool: object) => ({ type: "tool_addition", tool })
  const said = (role: string, ...content: ReadonlyArray<object>) => ({ role, content })
  const reference = (name: string) => ({ type: "tool_reference", name })

  it.effect.each<readonly [what: string, call: object, turns: ReadonlyArray<object>, runs: boolean]>([
    ["its own tool", use("a", "echo", { say: "1" }), [], true],
    ["a call without a toolset", { ...use("a", "echo", { say: "1" }), toolset_name: null }, [], true],
    [
      "a toolset's of the same name",
      { ...use("a", "echo", { say: "1" }), toolset_name: "browser" },
      [],
      false
    ],
    ["a removed tool", use("a", "echo", { say: "1" }), [said("system", removal("echo"))], false],
    [
      "one that came back",
      use("a", "echo", { say: "1" }),
      [said("system", removal("echo"), addition(reference("echo")))],
      true
    ],
    [
      "one that came back by its definition",
      use("a", "echo", { say: "1" }),
      [
        said("system", removal("echo")),
        said("system", addition({ type: "tool_definition", definition: { name: "echo" } }))
      ],
      true
    ],
    [
      "beside one that was withdrawn",
      use("a", "echo", { say: "1" }),
      [said("system", removal("fails"))],
      true
    ],
    [
      "one of which a user says that it is",
      use("a", "echo", { say: "1" }),
      [said("user", removal("echo"))],
      true
    ],
    [
      "one of an MCP server that was withdrawn",
      use("a", "echo", { say: "1" }),
      [
        said("system", {
          type: "tool_removal",
          tool: { type: "mcp_tool_reference", name: "echo", server_name: "s" }
        })
      ],
      true
    ],
    [
      "one withdrawn in turns that were compacted",
      use("a", "echo", { say: "1" }),
      [said("assistant", { type: "compaction", content: "short", tool_changes: [removal("echo")] })],
      false
    ],
    [
      "whatever else is said of tools",
      use("a", "echo", { say: "1" }),
      [said("system", { type: "tool_removal" }, { type: "tool_removal", tool: 1 })],
      true
    ]
  ])("runs a tool, or sends an error that it does not exist: %s", ([, call, turns, runs]) =>
    Effect.gen(function* () {
      const model = scripted([
        ["tool_use", call],
        ["end_turn", text("done")]
      ])
      const request = { ...params, messages: [...params.messages, ...turns] } as Params
      yield* ToolRunner.finalMessage(model, request, { tools: [echo, fails] })
      const results = model.requests[1]?.messages.at(-1)?.content
      const toolset =
        "toolset_name" in call && call.toolset_name !== null ? { toolset_name: call.toolset_name } : {}
      const place = "toolset_name" in toolset ? " of the toolset browser" : ""
      expect(results).toEqual([
        runs ? result("a", "1") : result("a", `There is no tool echo${place}`, { is_error: true, ...toolset })
      ])
    })
  )

  it.effect.each<readonly [name: string, reply: Reply]>([
    ["end_turn", ["end_turn", text("a")]],
    ["stop_sequence", ["stop_sequence", text("a")]],
    ["refusal", ["refusal", text("a")]],
    ["max_tokens with a truncated call", ["max_tokens", use("a", "never")]],
    ["an unknown reason", ["unknown_reason", use("a", "never")]],
    ["tool_use without a call", ["tool_use", text("a")]],
    ["tool_use of a server tool", ["tool_use", { ...use("a", "web_search"), type: "server_tool_use" }]],
    ["a pause without content", ["pause_turn"]]
  ])("ends with %s", ([, reply]) =>
    Effect.gen(function* () {
      const model = scripted([reply])
      const messages = yield* collect(ToolRunner.run(model, params, { tools: [never] }))
      expect(messages.map(({ stop_reason }) => stop_reason)).toEqual([reply[0]])
    })
  )

  it.effect.each(["pause_turn", "compaction"])("sends back a turn that ended with %s", (reason) =>
    Effect.gen(function* () {
      const model = scripted([
        [reason, text("searching")],
        ["tool_use", use("a", "echo", { say: "1" })],
        ["end_turn", text("found")]
      ])
      yield* Stream.runDrain(ToolRunner.run(model, params, { tools: [echo] }))
      expect(model.requests[1]?.messages).toEqual([
        ...params.messages,
        { role: "assistant", content: [text("searching")] }
      ])
      expect(model.requests[2]?.messages.map(({ role }) => role)).toEqual([
        "user",
        "assistant",
        "assistant",
        "user"
      ])
    })
  )

  it.effect("does not run the tools of a paused turn", () =>
    Effect.gen(function* () {
      const paused = [use("a", "never"), text("…")]
      const model = scripted([
        ["pause_turn", ...paused],
        ["end_turn", text("done")]
      ])
      yield* Stream.runDrain(ToolRunner.run(model, params, { tools: [never] }))
      expect(model.requests[1]?.messages.at(-1)).toEqual({ role: "assistant", content: paused })
    })
  )

  it.effect.each<readonly [maxIterations: number, made: number]>([
    [1, 1],
    [2, 2],
    [0, 1],
    [-5, 1],
    [3, 3]
  ])("makes at most %i calls: %i", ([maxIterations, made]) =>
    Effect.gen(function* () {
      const again: Reply = ["tool_use", use("a", "echo", { say: "again" })]
      const model = scripted([again, again, again])
      const messages = yield* collect(ToolRunner.run(model, params, { tools: [echo], maxIterations }))
      expect(messages.map(({ stop_reason }) => stop_reason)).toEqual(Array(made).fill("tool_use"))
      expect(model.requests).toHaveLength(made)
    })
  )

  it.effect("runs no tool unless the next message is pulled", () =>
    Effect.gen(function* () {
      const model = scripted([["tool_use", use("a", "never")]])
      const limited = ToolRunner.run(model, params, { tools: [never], maxIterations: 1 })
      expect(yield* Stream.runCount(limited)).toBe(1)
      const left = ToolRunner.run(scripted([["tool_use", use("a", "never")]]), params, { tools: [never] })
      expect(yield* Stream.runCount(Stream.take(left, 1))).toBe(1)
    })
  )

  const gated = (name: string, gate: Deferred.Deferred<void>, log: Array<string>) =>
    Tool.make({
      name,
      input: Schema.Struct({}),
      run: () =>
        Effect.sync(() => log.push(`${name} begins`)).pipe(
          Effect.zipRight(Deferred.await(gate)),
          Effect.zipRight(Effect.sync(() => log.push(`${name} ends`))),
          Effect.as(name)
        )
    })

  it.effect("runs the tools of a message concurrently, and sends the results in order", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const [one, two] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const model = scripted([
        ["tool_use", use("a", "one"), use("b", "two")],
        ["end_turn", text("done")]
      ])
      const tools = [gated("one", one, log), gated("two", two, log)]
      const fiber = yield* Effect.fork(ToolRunner.finalMessage(model, params, { tools }))
      while (log.length < 2) yield* Effect.yieldNow()
      yield* Deferred.succeed(two, undefined)
      while (log.length < 3) yield* Effect.yieldNow()
      yield* Deferred.succeed(one, undefined)
      yield* Fiber.join(fiber)
      expect(log).toEqual(["one begins", "two begins", "two ends", "one ends"])
      expect(model.requests[1]?.messages.at(-1)?.content).toEqual([result("a", "one"), result("b", "two")])
    })
  )

  it.effect("respects concurrency", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const open = yield* Deferred.make<void>()
      yield* Deferred.succeed(open, undefined)
      const model = scripted([
        ["tool_use", use("a", "one"), use("b", "two")],
        ["end_turn", text("done")]
      ])
      const tools = [gated("one", open, log), gated("two", open, log)]
      yield* ToolRunner.finalMessage(model, params, { tools, concurrency: 1 })
      expect(log).toEqual(["one begins", "one ends", "two begins", "two ends"])
    })
  )

  it.effect("fails with the error of the model, and dies with the defect of a tool", () =>
    Effect.gen(function* () {
      const down = { create: () => Effect.fail("down" as const) }
      expect(yield* Effect.flip(ToolRunner.finalMessage(down, params, { tools: [] }))).toBe("down")
      const model = scripted([["tool_use", use("a", "dies"), use("b", "never")]])
      const dies = Tool.make({ name: "dies", input: Schema.Struct({}), run: () => Effect.die("bug") })
      const exit = yield* Effect.exit(ToolRunner.finalMessage(model, params, { tools: [dies, never] }))
      expect(Exit.isFailure(exit) && exit.cause.toString()).toContain("bug")
    })
  )

  it.effect("interrupts running tools", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const started = yield* Deferred.make<void>()
      const slow = Tool.make({
        name: "slow",
        input: Schema.Struct({}),
        run: () =>
          Effect.zipRight(Deferred.succeed(started, undefined), Effect.never).pipe(
            Effect.onInterrupt(() => Effect.sync(() => log.push("interrupted")))
          )
      })
      const model = scripted([["tool_use", use("a", "slow")]])
      const fiber = yield* Effect.fork(ToolRunner.finalMessage(model, params, { tools: [slow] }))
      yield* Deferred.await(started)
      expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
      expect(log).toEqual(["interrupted"])
    })
  )

  it.effect("offers the tools of the request first, and sends no empty list", () =>
    Effect.gen(function* () {
      const search = { type: "web_search_20250305", name: "web_search" } as const
      const model = scripted([["end_turn"], ["end_turn"]])
      yield* ToolRunner.finalMessage(model, { ...params, tools: [search] }, { tools: [echo] })
      expect(model.requests[0]?.tools).toEqual([search, echo.param])
      yield* ToolRunner.finalMessage(model, params, { tools: [] })
      expect(model.requests[1]).toEqual(params)
    })
  )

  it.effect("passes the same options to every call", () =>
    Effect.gen(function* () {
      const model = scripted([["tool_use", use("a", "echo", { say: "1" })], ["end_turn"]])
      const call = { betas: ["b"], timeouts: { total: "1 minute" } } as const
      yield* ToolRunner.finalMessage(model, params, {
        tools: [echo],
        maxIterations: 5,
        concurrency: 2,
        ...call
      })
      expect(model.calls).toEqual([call, call])
    })
  )

  it.effect.each<readonly [given: Params["container"], sent: Params["container"]]>([
    [undefined, "c1"],
    [null, "c1"],
    ["mine", "mine"],
    [{ skills: [] }, { skills: [], id: "c1" }],
    [{ id: "mine" }, { id: "mine" }]
  ])("reuses the container: for %j sends %j", ([container, sent]) =>
    Effect.gen(function* () {
      const used = { container: { id: "c1", expires_at: "2025-01-01T00:00:00Z" } }
      const model = scripted([["tool_use", use("a", "echo", { say: "1" })], ["end_turn"]], used)
      yield* ToolRunner.finalMessage(model, { ...params, container }, { tools: [echo] })
      expect(model.requests.map(({ container }) => container)).toEqual([container, sent])
    })
  )
})

describe("Anthropic's tool runner", () => {
  it.effect("sends the same requests", () =>
    Effect.gen(function* () {
      const replies: ReadonlyArray<Reply> = [
        ["tool_use", text("a"), use("a", "echo", { say: "1" }), use("b", "echo", { say: "2" })],
        ["pause_turn", text("b")],
        ["tool_use", use("c", "echo", { say: "3" })],
        ["max_tokens", text("c")]
      ]
      const model = scripted(replies)
      yield* ToolRunner.finalMessage(model, params, { tools: [echo] })
      const script = scripted(replies)
      const client = new Vendor({
        apiKey: "none",
        fetch: async (_, init) =>
          Response.json(await Effect.runPromise(script.create(JSON.parse(String(init?.body)) as Params)))
      })
      yield* Effect.promise(() =>
        client.beta.messages
          .toolRunner({
            model: params.model,
            max_tokens: params.max_tokens,
            messages: [{ role: "user", content: "hi" }],
            thread: false,
            tools: [
              {
                name: "echo",
                input_schema: { type: "object" },
                parse: (input) => input as { say: string },
                run: ({ say }: { say: string }) => say
              }
            ]
          })
          .runUntilDone()
      )
      expect(script.requests.map(({ messages }) => messages)).toEqual(
        model.requests.map(({ messages }) => messages)
      )
    })
  )
})

describe("turns", () => {
  it.effect("emits the conversation to continue, and starts over at each run", () =>
    Effect.gen(function* () {
      const replies: ReadonlyArray<Reply> = [
        ["tool_use", use("a", "echo", { say: "1" })],
        ["end_turn", text("done")]
      ]
      const model = scripted([...replies, ...replies])
      const turns = ToolRunner.turns(model, params, { tools: [echo] })
      const first = yield* collect(turns)
      expect(first.at(-1)?.messages).toEqual([
        ...params.messages,
        { role: "assistant", content: [use("a", "echo", { say: "1" })] },
        { role: "user", content: [result("a", "1")] },
        { role: "assistant", content: [text("done")] }
      ])
      expect(first[0]?.messages).toHaveLength(2)
      expect(yield* collect(turns)).toEqual(first)
    })
  )
})
