import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import {
  Cause,
  Context,
  Data,
  Effect,
  Exit,
  Fiber,
  FastCheck as fc,
  Logger,
  LogLevel,
  Redacted,
  Schema
} from "effect"
import type * as ContentBlock from "../../src/content/ContentBlock.js"
import * as ToolParam from "../../src/content/ToolParam.js"
import * as Tool from "../../src/tools/Tool.js"
import { holds } from "../fixtures/properties.js"
import { recording } from "../fixtures/spans.js"
import { City, inputs, object, Tree } from "../fixtures/toolInputs.js"

const callOf = (input: unknown, name = "t"): ContentBlock.ToolUseBlock => ({
  type: "tool_use",
  id: "toolu_1",
  name,
  input
})

const resultOf = (content: unknown) => ({ type: "tool_result", tool_use_id: "toolu_1", content })
const failed = (content: unknown) => ({ ...resultOf(content), is_error: true })

const toolOf = <A, I, R>(
  input: Schema.Schema<A, I, R>,
  run: (input: A) => Effect.Effect<unknown, unknown> = Effect.succeed
) => Tool.make({ name: "t", input, run })

const schemaOf = <A, I, R>(input: Schema.Schema<A, I, R>) =>
  (toolOf(input).param as ToolParam.CustomTool).input_schema

describe("Tool.make describes to the model", () => {
  it("the name, the description, the input and further fields", () => {
    const tool = Tool.make({
      name: "get_weather",
      description: "The weather",
      input: Schema.Struct({ city: Schema.String }),
      run: Effect.succeed,
      strict: true,
      cache_control: { type: "ephemeral" },
      eager_input_streaming: true
    })
    expect(tool.param).toEqual({
      name: "get_weather",
      description: "The weather",
      input_schema: object({ city: { type: "string" } }, ["city"]),
      strict: true,
      cache_control: { type: "ephemeral" },
      eager_input_streaming: true
    })
    expect(Schema.is(ToolParam.ToolParam)(tool.param)).toBe(true)
  })

  it.each(inputs)("%s", (_, schema, json) => {
    expect(schemaOf(schema)).toEqual(json)
  })

  it.each<readonly [what: string, schema: Schema.Schema.AnyNoContext, message: string]>([
    ["a string", Schema.String, "The input of tool t must be an object"],
    ["a list", Schema.Array(Schema.String), "The input of tool t must be an object"],
    ["a union", Schema.Union(City, Tree), "The input of tool t must be an object"],
    ["anything", Schema.Unknown, "The input of tool t must be an object"],
    ["a field without a JSON Schema", Schema.Struct({ at: Schema.DateFromSelf }), "JSON Schema"]
  ])("not %s: it throws immediately", (_, schema, message) => {
    expect(() => schemaOf(schema)).toThrow(message)
  })
})

describe("handle", () => {
  it.effect.each<readonly [what: string, output: unknown, content: unknown]>([
    ["text", "Sunny", "Sunny"],
    ["empty text", "", ""],
    ["blocks", [{ type: "text", text: "a" }], [{ type: "text", text: "a" }]],
    [
      "an image",
      [{ type: "image", source: { type: "url", url: "https://a.example/b.png" } }],
      [{ type: "image", source: { type: "url", url: "https://a.example/b.png" } }]
    ],
    ["an object", { a: [1, null] }, '{"a":[1,null]}'],
    [
      "rows that look a bit like blocks",
      [{ type: "text" }, { type: "image" }],
      '[{"type":"text"},{"type":"image"}]'
    ],
    ["an empty array", [], "[]"],
    ["a number", 0, "0"],
    ["false", false, "false"],
    ["null", null, "null"],
    ["an instance", new City({ name: "Paris" }), '{"name":"Paris"}']
  ])("sends the result: %s", ([, output, content]) =>
    Effect.gen(function* () {
      const tool = toolOf(Schema.Struct({}), () => Effect.succeed(output))
      expect(yield* tool.handle(callOf({}))).toEqual(resultOf(content))
    })
  )

  it.effect("sends no content for undefined", () =>
    Effect.gen(function* () {
      expect(yield* toolOf(Schema.Struct({}), () => Effect.void).handle(callOf({}))).toEqual({
        type: "tool_result",
        tool_use_id: "toolu_1"
      })
    })
  )

  const cyclic: { self?: unknown } = {}
  cyclic.self = cyclic
  let deep: unknown = 1
  for (let depth = 0; depth < 100_000; depth++) deep = [deep]
  const block = { type: "text", text: "a" }

  it.effect.each<readonly [what: string, output: () => unknown, place: string]>([
    ["a bigint", () => ({ rows: [{ id: 12345678901234567890n }] }), "result.rows.0.id must not be a bigint"],
    ["a cycle", () => cyclic, "result.self must not refer back to itself"],
    ["a Map", () => ({ byId: new Map([[1, "a"]]) }), "result.byId must be a plain object"],
    ["a Set", () => new Set([1]), "result must be a plain object"],
    ["NaN", () => ({ mean: Number.NaN }), "result.mean must be a finite number"],
    ["a Blob", () => [new Blob(["a"])], "result.0 must be a plain object"],
    ["bytes", () => ({ image: Buffer.from("a") }), "result.image must be a plain object"],
    ["a forgotten await", () => ({ a: Promise.resolve(1) }), "result.a must be a plain object"],
    ["an Effect", () => Effect.succeed(1), "result must not be an Effect data type"],
    ["a function", () => () => 1, "result must not be a function"],
    ["depth", () => deep, "must not be nested deeper"],
    [
      "a toJSON that throws",
      () => ({
        at: {
          toJSON: () => {
            throw new Error("hunter2")
          }
        }
      }),
      "result.at could not be turned into JSON: its toJSON failed"
    ],
    [
      "a getter that throws",
      () => ({
        get at() {
          throw new Error("hunter2")
        }
      }),
      "result could not be turned into JSON"
    ],
    ["a block that cannot be sent", () => [{ ...block, more: 1n }], "result.0.more must not be a bigint"]
  ])("5.4 sends an error with the path in a result that is not JSON: %s", ([, output, place]) =>
    Effect.gen(function* () {
      const result = yield* toolOf(Schema.Struct({}), () => Effect.sync(output)).handle(callOf({}))
      expect(result).toMatchObject({ is_error: true, content: expect.stringContaining(place) })
      expect(JSON.stringify(result)).not.toContain("hunter2")
      const failing = () => Effect.fail(new Tool.ToolError({ content: output() as never }))
      expect((yield* toolOf(Schema.Struct({}), failing).handle(callOf({}))).content).toContain(place)
    })
  )

  it.effect("12.4 does not send a secret to the model", () =>
    Effect.gen(function* () {
      const output = { user: "me", token: Redacted.make("hunter2") }
      const tool = toolOf(Schema.Struct({}), () => Effect.succeed(output))
      expect(yield* tool.handle(callOf({}))).toEqual(resultOf('{"user":"me","token":"<redacted>"}'))
    })
  )

  it.effect("5.1 copies blocks when the tool ends", () =>
    Effect.gen(function* () {
      const blocks = [{ ...block }]
      const result = yield* toolOf(Schema.Struct({}), () => Effect.succeed(blocks)).handle(callOf({}))
      blocks[0] = { ...block, text: "b" }
      expect(result).toEqual(resultOf([block]))
    })
  )

  it.effect("passes the decoded input and the call to run", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const tool = Tool.make({
        name: "t",
        input: Schema.Struct({ at: Schema.Date, limit: Schema.NumberFromString }),
        run: (input, call) => Effect.sync(() => void seen.push(input, call))
      })
      const call = callOf({ at: "2025-01-01", limit: "10", more: "ignored" })
      yield* tool.handle(call)
      expect(seen).toEqual([{ at: new Date("2025-01-01"), limit: 10 }, call])
    })
  )

  it.effect("12.5 limits the message about an invalid input", () =>
    Effect.gen(function* () {
      const tool = toolOf(Schema.Struct({ a: Schema.String.pipe(Schema.filter((a) => `not ${a}`)) }))
      const { content, is_error } = yield* tool.handle(callOf({ a: "x".repeat(100_000) }))
      expect(is_error).toBe(true)
      expect(content).toMatch(/^The input is invalid: .*…$/s)
      expect((content as string).length).toBeLessThan(2100)
    })
  )

  it.effect("5.4 sends an error for a schema that throws", () =>
    Effect.gen(function* () {
      const throwing = Schema.String.pipe(
        Schema.filter(() => {
          throw new Error("a mistake")
        })
      )
      const { content, is_error } = yield* toolOf(Schema.Struct({ a: throwing })).handle(callOf({ a: "x" }))
      expect([is_error, content]).toEqual([true, "The input is invalid: its schema failed"])
    })
  )

  it.effect("sends all errors of an invalid input, and does not run", () =>
    Effect.gen(function* () {
      const tool = toolOf(Schema.Struct({ a: Schema.String, b: Schema.Number }), () => Effect.die("ran"))
      for (const input of [{ a: 1 }, null, "text", [], undefined]) {
        const { content, ...rest } = yield* tool.handle(callOf(input))
        expect(rest).toMatchObject({ is_error: true, tool_use_id: "toolu_1" })
        expect(content).toMatch(/^The input is invalid: /)
      }
      const { content } = yield* tool.handle(callOf({ a: 1 }))
      expect(content).toMatch(/\["a"\]/)
      expect(content).toMatch(/\["b"\]/)
    })
  )

  class Broken extends Data.TaggedError("Broken")<{ readonly secret: string; readonly message: string }> {}
  class Mute extends Data.TaggedError("Mute")<{ readonly secret: string }> {}

  it.effect.each<readonly [what: string, error: unknown, content: unknown]>([
    ["the message only", new Broken({ secret: "hunter2", message: "no such city" }), "no such city"],
    ["the tag without a message", new Mute({ secret: "hunter2" }), "Mute"],
    ["the message of a plain error", new Error("boom", { cause: "hunter2" }), "boom"],
    ["text", "not today", "not today"],
    ["a fallback for an object without a message", { secret: "hunter2" }, "The tool failed"],
    ["a fallback for undefined", undefined, "The tool failed"],
    [
      "the content of a ToolError",
      new Tool.ToolError({ content: [{ type: "text", text: "see the log" }] }),
      [{ type: "text", text: "see the log" }]
    ]
  ])("sends of a failure: %s", ([, error, content]) =>
    Effect.gen(function* () {
      const tool = toolOf(Schema.Struct({}), () => Effect.fail(error))
      expect(yield* tool.handle(callOf({}))).toEqual(failed(content))
    })
  )

  it.effect("writes the whole failure to the debug log", () =>
    Effect.gen(function* () {
      const error = new Broken({ secret: "hunter2", message: "no such city" })
      const lines: Array<readonly [boolean, unknown]> = []
      const logger = Logger.make(
        ({ logLevel, message }) => void lines.push([JSON.stringify(logLevel).includes("Debug"), message])
      )
      yield* toolOf(Schema.Struct({}), () => Effect.fail(error))
        .handle(callOf({}))
        .pipe(
          Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
          Logger.withMinimumLogLevel(LogLevel.All)
        )
      expect(lines).toEqual([[true, ["Tool t failed", error]]])
    })
  )

  it.effect("does not swallow defects and interruption", () =>
    Effect.gen(function* () {
      const defect = (run: () => Effect.Effect<unknown>) =>
        toolOf(Schema.Struct({}), run)
          .handle(callOf({}))
          .pipe(
            Effect.sandbox,
            Effect.flip,
            Effect.map((cause) => [Cause.isDie(cause), String(Cause.squash(cause))])
          )
      const bug = new Error("bug")
      expect(yield* defect(() => Effect.die(bug))).toEqual([true, "Error: bug"])
      const throwing = () => {
        throw bug
      }
      expect(yield* defect(throwing)).toEqual([true, "Error: bug"])
      const fiber = yield* Effect.fork(toolOf(Schema.Struct({}), () => Effect.never).handle(callOf({})))
      yield* Effect.yieldNow()
      expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
    })
  )

  it.effect("runs in its own span, which fails with the tool", () =>
    Effect.gen(function* () {
      const { spans, tracer } = recording(yield* Effect.tracer)
      const tool = toolOf(Schema.Struct({}), () => Effect.fail("no"))
      yield* Effect.withTracer(tool.handle(callOf({})), tracer)
      expect(
        spans.map(({ name, status }) => [name, status._tag === "Ended" && Exit.isFailure(status.exit)])
      ).toEqual([["execute_tool t", true]])
      expect(Object.fromEntries(spans[0]?.attributes ?? [])).toMatchObject({
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "t",
        "gen_ai.tool.call.id": "toolu_1"
      })
    })
  )

  holds("never fails, whatever the model sends", [fc.jsonValue()], ([input]) =>
    Effect.gen(function* () {
      const tool = toolOf(Schema.Struct({ a: Schema.optional(Schema.Union(Schema.Number, Tree)) }))
      const result = yield* tool.handle(callOf(input))
      expect(typeof result.content).toBe("string")
    })
  )
})

describe("Tool.define", () => {
  it.effect("defines a tool of the API, and one with a schema from elsewhere", () =>
    Effect.gen(function* () {
      const bash = Tool.define({
        param: { type: "bash_20250124", name: "bash" },
        input: Schema.Struct({ command: Schema.String }),
        run: ({ command }) => Effect.succeed(`$ ${command}`)
      })
      expect(bash).toMatchObject({ name: "bash", param: { type: "bash_20250124", name: "bash" } })
      expect(yield* bash.handle(callOf({ command: "ls" }, "bash"))).toEqual(resultOf("$ ls"))
      const param = { name: "mcp", input_schema: { type: "object", properties: { q: {} } } } as const
      const mcp = Tool.define({ param, input: Schema.Unknown, run: Effect.succeed })
      expect(mcp.param).toBe(param)
      expect(yield* mcp.handle(callOf({ q: 1 }, "mcp"))).toEqual(resultOf('{"q":1}'))
    })
  )
})

describe("types", () => {
  class Db extends Context.Tag("Db")<
    Db,
    { readonly find: (id: string) => Effect.Effect<string, "missing"> }
  >() {}
  class Codec extends Context.Tag("Codec")<Codec, object>() {}

  it("a tool requires the services of run and of its schema", () => {
    const find = Tool.make({
      name: "find",
      input: Schema.Struct({ id: Schema.String }),
      run: ({ id }) => Effect.flatMap(Db, (db) => db.find(id))
    })
    expectTypeOf(find).toEqualTypeOf<Tool.Tool<{ readonly id: string }, "missing", Db>>()
    expectTypeOf<Tool.Context<typeof find>>().toEqualTypeOf<Db>()
    expectTypeOf(find).toExtend<Tool.Any>()
    const withSchema = Tool.make({
      name: "x",
      input: City as Schema.Schema<City, { readonly name: string }, Codec>,
      run: () => Effect.succeed(Db)
    })
    expectTypeOf<Tool.Context<typeof withSchema>>().toEqualTypeOf<Codec>()
    expectTypeOf<Tool.Context<typeof withSchema | typeof find>>().toEqualTypeOf<Codec | Db>()
    expect(find.name).toBe("find")
  })

  it.effect("run can be called directly", () =>
    Effect.gen(function* () {
      const double = Tool.make({
        name: "double",
        input: Schema.Struct({ n: Schema.NumberFromString }),
        run: ({ n }) => Effect.succeed(n * 2)
      })
      expect(yield* double.run({ n: 21 }, callOf({ n: "21" }))).toBe(42)
      expect(yield* double.handle(callOf({ n: "21" }))).toEqual(resultOf("42"))
    })
  )
})
