import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import { Context, Effect, Schema, Stream } from "effect"
import type * as Anthropic from "../../src/Anthropic.js"
import type * as Message from "../../src/messages/Message.js"
import * as MessageStream from "../../src/messages/MessageStream.js"
import * as Tool from "../../src/tools/Tool.js"
import * as ToolRunner from "../../src/tools/ToolRunner.js"
import * as Events from "../fixtures/messageEvents.js"
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

  const paying = { to: "bob", amount: 10 }
  const cut = JSON.stringify(paying).slice(0, -1)
  const used = (id: string, ...json: ReadonlyArray<string>): Events.Part => ({
    ...Events.toolUse([]),
    start: { type: "tool_use", id, name: "pay", input: {} },
    deltas: json.map((partial_json) => ({ type: "input_json_delta", partial_json }))
  })
  const asks = Events.messageDelta({ stop_reason: "tool_use" })
  const more = Events.text("and so on")
  const delta = { type: "input_json_delta", partial_json: "1}" }
  const stray = { type: "content_block_delta", index: 7, delta }

  it.effect.each([
    ["invalid JSON", Events.wire([used("a", `${cut}"oops"}`), more], asks)],
    ["JSON that is cut off before another block", Events.wire([used("a", cut), more], asks)],
    ["JSON that is cut off before the end", Events.wire([more, used("a", cut)], asks)],
    [
      "an event of another block within its JSON",
      Events.wire([used("a", cut, "}"), more], asks).flatMap((event, at) =>
        at === 3 ? [stray, event] : [event]
      )
    ]
  ] as const)("starts no tool whose input has %s, eager or not", ([, wire]) =>
    Effect.gen(function* () {
      const paid: Array<unknown> = []
      const pay = Tool.make({
        name: "pay",
        input: Schema.Struct({ to: Schema.String, amount: Schema.optional(Schema.Number) }),
        run: (input) => Effect.sync(() => paid.push(input))
      })
      for (const eager of [false, true]) {
        for (const size of [1, 100]) {
          const model = { stream: () => Stream.rechunk(Stream.fromIterable(Events.decodeEvents(wire)), size) }
          const events: Array<unknown> = []
          const error = yield* Effect.flip(
            Stream.runForEach(ToolRunner.stream(model, params, { tools: [pay], eager }), (event) =>
              Effect.zipRight(
                Effect.sync(() => events.push(event)),
                Effect.yieldNow()
              )
            )
          )
          expect(error).toMatchObject({ _tag: "StreamProtocolError" })
          expect(events.length).toBeLessThan(wire.length)
        }
      }
      expect(paid).toEqual([])
    })
  )

  it.effect("a model that takes over within an input leaves it, and its message is complete", () =>
    Effect.gen(function* () {
      const fallback = Events.whole({ type: "fallback", to: { model: "claude-opus-4-8" } })
      const wire = Events.wire(
        [used("a", cut), fallback, more],
        Events.messageDelta({ stop_reason: "end_turn" })
      )
      const model = { stream: () => Stream.fromIterable(Events.decodeEvents(wire)) }
      for (const eager of [false, true]) {
        const events = ToolRunner.stream(model, params, { tools: [echo], eager })
        expect(yield* Stream.runCount(events)).toBe(wire.length)
      }
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
