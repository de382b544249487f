import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as v from "valibot"
import { z } from "zod"
import { AsyncTool, Tool } from "../../src/index.js"

const call = (input: unknown) => ({ type: "tool_use", id: "1", name: "t", input }) as const

const json = {
  type: "object",
  properties: { city: { type: "string", description: "Its name" }, days: { type: "integer" } },
  required: ["city"]
} as const

const valibot = v.object({ city: v.string(), days: v.optional(v.number()) })

const run = ({ city, days = 1 }: { readonly city: string; readonly days?: number | undefined }) =>
  `${city} ${days}`

const effectSchema = Schema.Struct({ city: Schema.String, days: Schema.optional(Schema.Number) })
const zodSchema = z.object({ city: z.string().describe("Its name"), days: z.number().optional() })

const tools: Readonly<Record<string, Tool.Any>> = {
  "Tool.make of an Effect Schema": Tool.make({
    name: "t",
    input: effectSchema,
    run: (input) => Effect.succeed(run(input))
  }),
  "Tool.make of zod": Tool.make({ name: "t", input: zodSchema, run: (input) => Effect.succeed(run(input)) }),
  "Tool.make of valibot": Tool.make({
    name: "t",
    input: valibot,
    jsonSchema: json,
    run: (input) => Effect.succeed(run(input))
  }),
  "Tool.make of a JSON Schema": Tool.make({
    name: "t",
    input: json,
    run: (input) => Effect.succeed(run(input))
  }),
  "Tool.define of zod": Tool.define({
    param: { name: "t", input_schema: json },
    input: zodSchema,
    run: (input) => Effect.succeed(run(input))
  }),
  "AsyncTool.define of an Effect Schema": AsyncTool.define({
    name: "t",
    input: effectSchema,
    run: async (input) => run(input)
  }),
  "AsyncTool.define of zod": AsyncTool.define({
    name: "t",
    input: zodSchema,
    run: async (input) => run(input)
  }),
  "AsyncTool.define of valibot": AsyncTool.define({
    name: "t",
    input: valibot,
    jsonSchema: json,
    run: async (input) => run(input)
  }),
  "AsyncTool.define of a JSON Schema": AsyncTool.define({
    name: "t",
    input: json,
    run: async (input) => run(input)
  })
}

describe.each(Object.entries(tools))("%s", (_, tool) => {
  it("describes the input to the model", () => {
    expect(tool.param).toMatchObject({
      name: "t",
      input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
    })
  })

  const { handle } = tool as Tool.Tool<never, unknown>

  it.effect("decodes the input", () =>
    Effect.gen(function* () {
      expect((yield* handle(call({ city: "Bern", days: 2 }))).content).toBe("Bern 2")
      expect((yield* handle(call({ city: "Bern" }))).content).toBe("Bern 1")
    })
  )

  it.effect.each([{}, { city: 1 }, { city: "Bern", days: "two" }, null, [], "Bern"])(
    "sends the model an error for %j",
    (input) =>
      Effect.gen(function* () {
        const result = yield* handle(call(input))
        expect(result).toMatchObject({
          is_error: true,
          content: expect.stringMatching(/^The input is invalid: ./)
        })
      })
  )
})

describe("a tool", () => {
  it.effect("awaits a schema that checks asynchronously, and changes the input as the schema does", () =>
    Effect.gen(function* () {
      const tool = AsyncTool.define({
        name: "t",
        input: z.object({ at: z.string().transform(async (text) => new Date(text)) }),
        jsonSchema: { type: "object", properties: { at: { type: "string" } }, required: ["at"] },
        run: ({ at }) => at.getUTCFullYear()
      })
      expect((yield* tool.handle(call({ at: "2026-11-30" }))).content).toBe("2026")
    })
  )

  it.each<readonly [what: string, make: () => unknown, message: RegExp]>([
    [
      "a Standard Schema without a JSON Schema",
      () => AsyncTool.define({ name: "t", input: valibot, run }),
      /valibot/
    ],
    [
      "a list",
      () => AsyncTool.define({ name: "t", input: z.array(z.string()), run: String }),
      /must be an object/
    ],
    [
      "a JSON Schema of a text",
      () => Tool.make({ name: "t", input: { type: "string" }, run: Effect.succeed }),
      /object/
    ],
    ["no schema", () => AsyncTool.define({ name: "t", run } as never), /must be a schema/],
    [
      "what JSON lacks",
      () => AsyncTool.define({ name: "t", input: z.object({ at: z.date() }), run: String }),
      /Date/
    ]
  ])("cannot be made of %s", (_, make, message) => {
    expect(make).toThrow(message)
  })

  it("has the input that its schema describes", () => {
    AsyncTool.define({
      name: "t",
      input: {
        type: "object",
        properties: {
          a: { type: "string" },
          b: { type: ["number", "null"] },
          c: { type: "array", items: { enum: ["x", "y"] } },
          d: { anyOf: [{ type: "boolean" }, { const: 1 }] },
          e: { type: "object", properties: { f: { type: "integer" } }, required: ["f"] },
          g: {},
          h: { type: "object" },
          i: { $ref: "#/$defs/I" }
        },
        required: ["a", "b", "e"]
      },
      run: (input) => {
        expectTypeOf(input).toEqualTypeOf<{
          readonly a: string
          readonly b: number | null
          readonly c?: ReadonlyArray<"x" | "y"> | undefined
          readonly d?: boolean | 1 | undefined
          readonly e: { readonly f: number }
          readonly g?: unknown
          readonly h?: { readonly [name: string]: unknown } | undefined
          readonly i?: unknown
        }>()
      }
    })
    AsyncTool.define({
      name: "t",
      input: zodSchema,
      run: (input, { call, signal }) => {
        expectTypeOf(input).toEqualTypeOf<{ city: string; days?: number | undefined }>()
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
        return call.id
      }
    })
    const known: Tool.JsonSchema = { type: "object" }
    AsyncTool.define({
      name: "t",
      input: known,
      run: (input) => expectTypeOf(input).toEqualTypeOf<unknown>()
    })
  })
})

describe("a plain JSON Schema checks what gives the input its type", () => {
  const tree = {
    type: "object",
    properties: { kids: { type: "array", items: { $ref: "#/$defs/Tree" } }, "a/b": { $ref: "#/$defs/a~1b" } },
    required: ["kids"],
    $defs: {
      Tree: {
        type: "object",
        properties: { kids: { type: "array", items: { $ref: "#/$defs/Tree" } } },
        required: ["kids"]
      },
      "a/b": { const: { x: [1] } }
    }
  } as const
  const tool = Tool.make({ name: "t", input: tree, run: (input) => Effect.succeed(input) })
  const deep = (depth: number): object => JSON.parse(`${'{"kids":['.repeat(depth)}${"]}".repeat(depth)}`)

  it.effect.each<readonly [input: unknown, problem: RegExp | undefined]>([
    [{ kids: [{ kids: [] }] }, undefined],
    [{ kids: [], "a/b": { x: [1] } }, undefined],
    [{ kids: [], other: 1, constructor: 2 }, undefined],
    [{ kids: [{ kids: [{}] }] }, /: kids\.0\.kids\.0\.kids is missing$/],
    [{ kids: [], "a/b": { x: [2] } }, /: a\/b must be \{"x":\[1\]\}/],
    [deep(300), undefined],
    [deep(3000), /nested deeper/],
    [JSON.parse('{"__proto__":{"kids":[]}}'), /is missing/]
  ])("%#", ([input, problem]) =>
    Effect.gen(function* () {
      const { content, is_error } = yield* tool.handle(call(input))
      expect(is_error).toBe(problem === undefined ? undefined : true)
      if (problem !== undefined) expect(content).toMatch(problem)
    })
  )
})
