import {
  betaStandardSchemaOutputFormat,
  betaStandardSchemaTool
} from "@anthropic-ai/sdk/helpers/beta/standard-schema"
import { jsonSchemaOutputFormat } from "@anthropic-ai/sdk/helpers/json-schema"
import { describe, expect, it } from "@effect/vitest"
import { AnthropicApi } from "@effect-api/testing"
import { Effect, FastCheck as fc } from "effect"
import { z } from "zod"
import { AsyncTool, MessageStream, OutputFormat } from "../../src/index.js"
import { pair, plain, promised } from "./fixtures/pair.js"

const report = z.object({
  title: z.string().min(3).describe("In English"),
  day: z.iso.date(),
  kind: z.enum(["short", "long"]),
  score: z.number().int().min(0).max(10).optional(),
  tags: z.array(z.string()).min(1).max(3),
  author: z.union([z.object({ name: z.string() }), z.null()]),
  fixed: z.literal("x")
})

const hello = {
  model: "claude-opus-5-5",
  max_tokens: 64,
  messages: [{ role: "user" as const, content: "Hello there" }]
}

/** JSON Schemas with what the API enforces and what it does not. */
const schemas: fc.Arbitrary<object> = fc.letrec<{ any: object; object: object }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record(
      { type: fc.constant("string"), format: fc.constantFrom("date", "uuid", "cron") },
      { requiredKeys: ["type"] }
    ),
    fc.record(
      { type: fc.constantFrom("integer", "number"), minimum: fc.integer(), description: fc.string() },
      { requiredKeys: ["type"] }
    ),
    fc.record({ enum: fc.array(fc.oneof(fc.string(), fc.integer()), { minLength: 1 }), title: fc.string() }),
    fc.record({ const: fc.oneof(fc.string(), fc.boolean()) }),
    fc.record({ $ref: fc.constant("#/$defs/A"), description: fc.string() }, { requiredKeys: ["$ref"] }),
    fc.record({ anyOf: fc.array(tie("any"), { minLength: 1, maxLength: 3 }), default: fc.jsonValue() }),
    fc.record({ oneOf: fc.array(tie("any"), { minLength: 1, maxLength: 3 }) }),
    fc.record({ allOf: fc.array(tie("any"), { minLength: 1, maxLength: 3 }) }),
    fc.record(
      {
        type: fc.constant("array"),
        items: tie("any"),
        minItems: fc.integer({ min: 0, max: 3 }),
        maxItems: fc.nat()
      },
      { requiredKeys: ["type"] }
    ),
    tie("object")
  ),
  object: fc.record(
    {
      type: fc.constant("object"),
      properties: fc.dictionary(fc.constantFrom("a", "b", "properties", "$ref", "type"), tie("any")),
      required: fc.array(fc.constantFrom("a", "b")),
      additionalProperties: fc.boolean(),
      $defs: fc.dictionary(fc.constant("A"), tie("any")),
      $schema: fc.constant("https://json-schema.org/draft/2020-12/schema"),
      title: fc.string()
    },
    { requiredKeys: ["type"] }
  )
})).object

describe("Anthropic's SDK and our client make the same JSON Schema", () => {
  it("of any plain JSON Schema", () => {
    fc.assert(
      fc.property(schemas, (schema) => {
        const theirs = jsonSchemaOutputFormat(schema as { type: "object" })
        const ours = OutputFormat.make({ ...schema })
        expect(plain(ours)).toEqual(plain(theirs))
        // The order of keywords is what the model reads.
        expect(JSON.stringify(ours.schema)).toBe(JSON.stringify(theirs.schema))
      }),
      { numRuns: 300, seed: 1 }
    )
  })

  it("of an output of a Standard Schema", () => {
    expect(plain(OutputFormat.make(report))).toEqual(plain(betaStandardSchemaOutputFormat(report)))
  })

  it("of the input of a tool", () => {
    const options = { name: "report", description: "Files a report", strict: true }
    const {
      run: _,
      parse: __,
      ...theirs
    } = betaStandardSchemaTool({
      ...options,
      inputSchema: report,
      run: () => ""
    })
    const ours = AsyncTool.define({ ...options, input: report, run: () => "" }).param
    expect({ type: "custom", ...ours }).toEqual(theirs)
  })
})

describe("Anthropic's SDK and our client get the same structured output", () => {
  it.scopedLive("from a message and from a stream, with the same request", () =>
    Effect.gen(function* () {
      const output = { answer: 4, of: ["2+2"] }
      const schema = z.object({ answer: z.number(), of: z.array(z.string()) })
      const script = AnthropicApi.response(AnthropicApi.text(JSON.stringify(output), { deltas: 3 }))
      const { api, ours, theirs } = yield* pair({ script: [script, script, script, script] })
      const vendors = { ...hello, output_config: { format: betaStandardSchemaOutputFormat(schema) } }
      const format = OutputFormat.make(schema)
      const mine = { ...hello, output_config: { format } }
      const whole = yield* promised(() => theirs.messages.parse(vendors))
      expect((yield* ours.messages.parse(mine)).parsed_output).toEqual(whole.parsed_output)
      const streamed = yield* promised(() => theirs.messages.stream(vendors).finalMessage())
      const parsed = yield* MessageStream.finalParsed(ours.messages.stream(mine), format)
      expect(parsed.parsed_output).toEqual(streamed.parsed_output)
      const bodies = (yield* api.requests).map(({ json }) => json)
      expect(bodies[1]).toEqual(bodies[0])
      expect(bodies[3]).toEqual(bodies[2])
    })
  )

  it.scopedLive("which the API makes of the format of either", () =>
    Effect.gen(function* () {
      const { ours, theirs } = yield* pair()
      const vendors = { ...hello, output_config: { format: betaStandardSchemaOutputFormat(report) } }
      const whole = yield* Effect.either(promised(() => theirs.messages.parse(vendors)))
      const mine = yield* Effect.either(
        ours.messages.parse({ ...hello, output_config: { format: OutputFormat.make(report) } })
      )
      expect([whole._tag, mine._tag]).toEqual(["Left", "Left"])
      expect(mine).toMatchObject({ left: { _tag: "OutputError", path: ["day"] } })
    })
  )
})
