import { describe, expect, it } from "@effect/vitest"
import { AnthropicApi } from "@effect-api/testing"
import { Effect } from "effect"
import { askJson, hello } from "../fixtures/anthropic.js"

const object = (properties: object, more: object = {}) => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more
})

const withSchema = (schema: unknown) => ({
  ...hello,
  output_config: { format: { type: "json_schema", schema } }
})

const create = (body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  Effect.flatMap(AnthropicApi.make(), (api) => askJson(api, "POST", "/v1/messages", { body, headers }))

describe("an output format", () => {
  const tree = { $ref: "#/$defs/Tree" }
  it.scopedLive.each<readonly [what: string, schema: object, output: unknown]>([
    ["a text", object({ say: { type: "string" } }), { say: "Hello there" }],
    [
      "all kinds",
      object({ n: { type: "integer" }, b: { type: "boolean" }, z: { type: "null" } }),
      { n: 0, b: false, z: null }
    ],
    ["words", object({ a: { enum: ["x", "y"] }, b: { const: 1 } }), { a: "x", b: 1 }],
    ["lists", object({ a: { type: "array", items: { type: "number" } } }), { a: [] }],
    ["a list with an item", { type: "array", items: { type: "number" }, minItems: 1 }, [0]],
    ["an optional field", object({ a: { type: "number" } }, { required: [] }), {}],
    [
      "itself",
      object(
        { kids: { type: "array", items: tree } },
        { $defs: { Tree: object({ next: { anyOf: [tree, { type: "null" }] } }) } }
      ),
      { kids: [] }
    ]
  ])("of %s gets JSON that matches", ([_, schema, output]) =>
    Effect.gen(function* () {
      const { body } = yield* create({
        ...withSchema(schema),
        messages: [{ role: "user", content: "Hello there" }]
      })
      const { content } = body as { content: ReadonlyArray<{ text: string }> }
      expect(JSON.parse(content[0]?.text ?? "")).toEqual(output)
    })
  )

  it.scopedLive.each<readonly [body: unknown, message: RegExp]>([
    [
      { ...hello, output_config: { format: { type: "text" } } },
      /format.type: Input should be 'json_schema'$/
    ],
    [{ ...hello, output_config: { format: { type: "json_schema" } } }, /format.schema: Field required$/],
    [
      withSchema({ type: "object", properties: {} }),
      /'additionalProperties' must be explicitly set to false$/
    ],
    [
      withSchema(object({ n: { type: "integer", minimum: 1 } })),
      /For 'integer' type, property 'minimum' is not supported$/
    ],
    [withSchema(object({ a: { oneOf: [] } })), /'oneOf' is not supported$/],
    [
      withSchema(object({}, { $defs: { A: { type: "string", minLength: 1 } } })),
      /property 'minLength' is not supported$/
    ]
  ])("that the API cannot enforce is refused: %#", ([body, message]) =>
    Effect.gen(function* () {
      const response = yield* create(body)
      expect(response).toMatchObject({
        status: 400,
        body: { error: { type: "invalid_request_error", message: expect.stringMatching(message) } }
      })
    })
  )
})

it.scopedLive("a request to compact gets a summary alone, with the beta", () =>
  Effect.gen(function* () {
    const body = { ...hello, compaction: { type: "summarize" } }
    expect(yield* create(body)).toMatchObject({ status: 400 })
    const headers = { "anthropic-beta": "compact-2026-09-04" }
    expect((yield* create(body, headers)).body).toMatchObject({
      content: [{ type: "compaction", content: expect.stringContaining("Summary: ") }]
    })
  })
)
