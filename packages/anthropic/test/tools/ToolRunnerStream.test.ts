import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import { Context, Effect, Schema, Stream } from "effect"
import type * as Anthropic from "../../src/Anthropic.js"
import type * as Message from "../../src/messages/Message.js"
import * as MessageStream from "../../src/messages/MessageStream.js"
import * as Tool from "../../src/tools/Tool.js"
import * as ToolRunner from "../../src/tools/ToolRunner.js"
import {
  collect,
  echo,
  eventsOf,
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

describe("stream", () => {
  const replies: ReadonlyArray<Reply> = [
    ["tool_use", text("let me see"), use("a", "echo", { say: "1" })],
    ["pause_turn", text("…")],
    ["end_turn", text("done")]
  ]

  it.effect("sends the same requests as run, and emits the events of all messages", () =>
    Effect.gen(function* () {
      const [model, whole] = [scripted(replies), scripted(replies)]
      const events = yield* collect(ToolRunner.stream(model, params, { tools: [echo] }))
      expect(events).toEqual(replies.flatMap((reply) => eventsOf(reply)))
      const messages = yield* collect(ToolRunner.run(whole, params, { tools: [echo] }))
      expect(model.requests).toEqual(whole.requests)
      const stream = Stream.fromIterable(events)
      expect(yield* MessageStream.finalMessage(stream)).toEqual(messages.at(-1))
      const snapshots = yield* collect(MessageStream.accumulate(stream))
      expect(
        snapshots.filter(({ event }) => event.type === "message_stop").map(({ message }) => message)
      ).toEqual(messages)
    })
  )

  it.effect("runs no tool before its message is consumed, and none beyond the limit", () =>
    Effect.gen(function* () {
      const reply: Reply = ["tool_use", use("a", "never")]
      const stream = ToolRunner.stream(scripted([reply]), params, { tools: [never] })
      const { length } = eventsOf(reply)
      expect(yield* Stream.runCount(Stream.take(stream, length))).toBe(length)
      const limited = ToolRunner.stream(scripted([reply]), params, { tools: [never], maxIterations: 1 })
      expect(yield* Stream.runCount(limited)).toBe(length)
    })
  )

  it.effect("fails for an incomplete message", () =>
    Effect.gen(function* () {
      const events = eventsOf(["end_turn", text("a")])
      const cut = { stream: () => Stream.fromIterable(events.slice(0, -1)) }
      const seen: Array<string> = []
      const error = yield* ToolRunner.stream(cut, params, { tools: [] }).pipe(
        Stream.runForEach(({ type }) => Effect.sync(() => seen.push(type))),
        Effect.flip
      )
      expect(error).toMatchObject({ _tag: "StreamTruncatedError", received: events.length - 1 })
      expect(seen).toHaveLength(events.length - 1)
      const odd = { stream: () => Stream.fromIterable(events.slice(1)) }
      expect(
        yield* Effect.flip(Stream.runDrain(ToolRunner.stream(odd, params, { tools: [] })))
      ).toMatchObject({
        _tag: "StreamProtocolError"
      })
      const down = { stream: () => Stream.fail("down" as const) }
      expect(yield* Effect.flip(Stream.runDrain(ToolRunner.stream(down, params, { tools: [] })))).toBe("down")
    })
  )
})

describe("types", () => {
  class Db extends Context.Tag("Db")<Db, { readonly size: number }>() {}
  class Net extends Context.Tag("Net")<Net, { readonly up: boolean }>() {}
  const needsDb = Tool.make({
    name: "db",
    input: Schema.Struct({}),
    run: () => Effect.map(Db, ({ size }) => size)
  })
  const needsNet = Tool.make({
    name: "net",
    input: Schema.Struct({ a: Schema.String }),
    run: () => Effect.flatMap(Net, ({ up }) => (up ? Effect.succeed("up") : Effect.fail("down" as const)))
  })

  it.effect("the stream requires what the tools require, and excludes their errors", () =>
    Effect.gen(function* () {
      const model = scripted([["tool_use", use("a", "db"), use("b", "net", { a: "" })], ["end_turn"]])
      const create = (params: Params) => Effect.mapError(model.create(params), () => "api" as const)
      const run = ToolRunner.run({ create }, params, { tools: [needsDb, needsNet, echo] })
      expectTypeOf(run).toEqualTypeOf<Stream.Stream<Message.Message, "api", Db | Net>>()
      const tools: ReadonlyArray<Tool.Tool<never, unknown>> = [echo, fails]
      expectTypeOf(ToolRunner.finalMessage({ create }, params, { tools })).toEqualTypeOf<
        Effect.Effect<Message.Message, "api">
      >()
      yield* Stream.runDrain(run).pipe(
        Effect.provideService(Db, { size: 7 }),
        Effect.provideService(Net, { up: false })
      )
      expect(model.requests[1]?.messages.at(-1)?.content).toEqual([
        result("a", "7"),
        result("b", "down", { is_error: true })
      ])
    })
  )

  it("rejects an idempotency key, which every call would share", () => {
    // @ts-expect-error
    const options: ToolRunner.Options<[]> = { tools: [], idempotencyKey: "k" }
    expect(options.tools).toEqual([])
  })

  it("a client is a Creator and a Streamer", () => {
    expectTypeOf<Anthropic.Anthropic["messages"]>().toExtend<ToolRunner.Creator & ToolRunner.Streamer>()
    expect(ToolRunner.run).toBeTypeOf("function")
  })
})
