import { describe, expect, it } from "@effect/vitest"
import { MockTransport } from "@effect-api/testing"
import { Effect, Schema } from "effect"
import * as v from "valibot"
import { z } from "zod"
import { type Message, MessageStream, OutputFormat } from "../../src/index.js"
import { params, scripted, scriptedPromises, sse } from "../fixtures/client.js"
import { message } from "../fixtures/responses.js"
import { eventsOf } from "../fixtures/scriptedModel.js"

const withText = (text: string, more: object = {}): Message.Message =>
  ({ ...message, content: [{ type: "text", text }], stop_reason: "end_turn", ...more }) as Message.Message

const json = {
  type: "object",
  properties: {
    city: { type: "string" },
    celsius: { type: "number" },
    sky: { enum: ["clear", "cloudy"] },
    hours: { type: "array", items: { type: "integer" } }
  },
  required: ["city", "celsius"]
} as const

const valibot = v.object({ city: v.string(), celsius: v.number() })

/** The same output by every kind of schema. */
const formats = {
  "an Effect Schema": OutputFormat.make(Schema.Struct({ city: Schema.String, celsius: Schema.Number })),
  "a Standard Schema with a JSON Schema (zod)": OutputFormat.make(
    z.object({ city: z.string(), celsius: z.number() })
  ),
  "a Standard Schema and its JSON Schema (valibot)": OutputFormat.make(valibot, { jsonSchema: json }),
  "a JSON Schema": OutputFormat.make(json)
}

const kinds = Object.entries(formats)

describe.each(kinds)("an output format from %s", (_, format) => {
  it.effect("decodes the text of a message", () =>
    Effect.gen(function* () {
      const parsed = yield* OutputFormat.parse(withText('{"city":"Bern","celsius":21}'), format)
      expect(parsed.parsed_output).toEqual({ city: "Bern", celsius: 21 })
      expect(parsed.usage).toEqual(message.usage)
    })
  )

  it.effect("names the path of what does not fit", () =>
    Effect.gen(function* () {
      const response = withText('{"city":"Bern","celsius":"warm"}')
      const error = yield* Effect.flip(OutputFormat.parse(response, format))
      expect(error).toMatchObject({ _tag: "OutputError", reason: "invalid", path: ["celsius"], response })
      expect(error).toBeInstanceOf(Error)
      expect(error.message).toMatch(/^the output does not fit: ./)
    })
  )

  it("is sent as a JSON Schema in the form that the API enforces", () => {
    expect(JSON.parse(JSON.stringify(format))).toMatchObject({
      type: "json_schema",
      schema: {
        type: "object",
        properties: { city: { type: "string" }, celsius: { type: "number" } },
        required: ["city", "celsius"],
        additionalProperties: false
      }
    })
    expect(OutputFormat.isOutputFormat({ ...format })).toBe(true)
  })
})

describe("parse", () => {
  const format = formats["a JSON Schema"]
  it.effect.each<readonly [what: string, response: Message.Message, reason: string, text: RegExp]>([
    ["a refusal", withText('{"city":"Bern","celsius":1}', { stop_reason: "refusal" }), "refusal", /refused/],
    [
      "half an output",
      withText('{"city":"Be', { stop_reason: "max_tokens" }),
      "incomplete",
      /max_tokens cut/
    ],
    [
      "no output within the limit",
      withText("", { content: [], stop_reason: "model_context_window_exceeded" }),
      "incomplete",
      /before its output/
    ],
    [
      "a tool call",
      withText("", { content: [], stop_reason: "tool_use" }),
      "missing",
      /stopped with tool_use/
    ],
    ["text that is not JSON", withText("Sunny."), "invalid", /not valid JSON/],
    ["no text at all", withText(""), "invalid", /not valid JSON/],
    ["another value", withText("[]"), "invalid", /must be an object/],
    ["a missing field", withText('{"city":"Bern"}'), "invalid", /is missing/],
    [
      "an item that does not fit",
      withText('{"city":"Bern","celsius":1,"hours":[1,2.5]}'),
      "invalid",
      /must be an integer/
    ],
    ["another word", withText('{"city":"Bern","celsius":1,"sky":"green"}'), "invalid", /"clear", "cloudy"/]
  ])("fails for %s, with the reason and the message", ([_, response, reason, text]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(OutputFormat.parse(response, format))
      expect(error).toMatchObject({ reason, response })
      expect(error.message).toMatch(text)
    })
  )

  it.effect("takes an output that was complete when the limit came", () =>
    Effect.gen(function* () {
      const response = withText('{"city":"Bern","celsius":1}', { stop_reason: "max_tokens" })
      expect((yield* OutputFormat.parse(response, format)).parsed_output.celsius).toBe(1)
    })
  )

  it.effect("takes the last text of a message", () =>
    Effect.gen(function* () {
      const content = ["Let me see.", '{"city":"Bern","celsius":1}'].map((text) => ({ type: "text", text }))
      expect((yield* OutputFormat.parse(withText("", { content }), format)).parsed_output.city).toBe("Bern")
    })
  )

  it.effect("awaits a schema that checks asynchronously, and survives one that throws", () =>
    Effect.gen(function* () {
      const slow = OutputFormat.make(z.object({ n: z.number().refine(async (n) => n > 1, "too small") }))
      expect((yield* OutputFormat.parse(withText('{"n":2}'), slow)).parsed_output).toEqual({ n: 2 })
      const error = yield* Effect.flip(OutputFormat.parse(withText('{"n":1}'), slow))
      expect(error).toMatchObject({
        reason: "invalid",
        path: ["n"],
        message: expect.stringContaining("too small")
      })
      const broken = OutputFormat.make(
        z.object({
          n: z.number().refine(() => {
            throw new Error("a bug")
          })
        })
      )
      expect(yield* Effect.flip(OutputFormat.parse(withText('{"n":1}'), broken))).toMatchObject({
        reason: "invalid"
      })
    })
  )
})

describe("make", () => {
  it.each<readonly [what: string, make: () => unknown, message: RegExp]>([
    [
      "a Standard Schema without a JSON Schema",
      () => OutputFormat.make(valibot),
      /valibot.*pass one as jsonSchema/
    ],
    [
      "a part without a type",
      () => OutputFormat.make({ type: "object", properties: { a: {} } }),
      /\.a must have a type/
    ],
    ["no schema", () => OutputFormat.make(null as never), /must be a schema/],
    ["a text", () => OutputFormat.make("string" as never), /must be a schema/]
  ])("throws for %s", (_, make, message) => {
    expect(make).toThrow(TypeError)
    expect(make).toThrow(message)
  })

  const choice = (operator: string) => ({
    type: "object",
    properties: {
      conditions: { type: "array", items: { $ref: "#/$defs/filter" } },
      operator: { const: operator }
    },
    required: ["conditions", "operator"],
    additionalProperties: false
  })
  const filters = OutputFormat.make({
    type: "object",
    properties: { filter: { $ref: "#/$defs/filter" } },
    required: ["filter"],
    additionalProperties: false,
    $defs: { filter: { anyOf: [{ type: "string" }, choice("and"), choice("or"), choice("not")] } }
  } as const)
  const nested = (depth: number, leaf: unknown): unknown =>
    depth === 0 ? leaf : { conditions: [nested(depth - 1, leaf)], operator: "not" }

  it.effect.each([
    ["a value that fits", "a", "Right"],
    ["a value that does not", 1, "Left"]
  ] as const)("checks choices within choices once each: %s", ([, leaf, expected]) =>
    Effect.gen(function* () {
      const text = JSON.stringify({ filter: nested(60, leaf) })
      const parsed = yield* Effect.either(OutputFormat.parse(withText(text), filters))
      expect(parsed._tag).toBe(expected)
    })
  )

  it("keeps a JSON Schema as it is, if it need not be strict", () => {
    expect(OutputFormat.make(json, { strict: false }).schema).toEqual(json)
  })
})

describe("messages.parse", () => {
  const format = formats["an Effect Schema"]
  const reply = () => MockTransport.json(withText('{"city":"Bern","celsius":21}'))

  it.effect("sends the format and resolves to the output", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([reply()])
      const parsed = yield* anthropic.messages.parse({ ...params, output_config: { format, effort: "low" } })
      expect(parsed.parsed_output.celsius).toBe(21)
      const [request] = yield* transport.requests
      expect(JSON.parse(request?.text ?? "")).toEqual({
        ...params,
        output_config: { effort: "low", format: { type: "json_schema", schema: format.schema } }
      })
    })
  )

  it("resolves and rejects for plain async code", async () => {
    const { anthropic } = scriptedPromises([reply(), MockTransport.json(withText("no"))])
    const given = { ...params, output_config: { format } }
    expect((await anthropic.messages.parse(given)).parsed_output.city).toBe("Bern")
    const error = await anthropic.messages.parse(given).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(OutputFormat.OutputError)
  })

  it.effect.each([
    {},
    { output_config: {} },
    { output_config: { format: { type: "json_schema", schema: {} } } }
  ])("sends nothing without a format that decodes: %j", (more) =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([])
      const error = yield* Effect.flip(anthropic.messages.parse({ ...params, ...more } as never))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field: "output_config.format" })
      expect(yield* transport.requests).toEqual([])
    })
  )

  it("rejects without a format that decodes, for plain async code", async () => {
    const { anthropic, requests } = scriptedPromises([])
    for (const given of [{}, { output_config: null }]) {
      const error = await anthropic.messages
        .parse({ ...params, ...given } as never)
        .catch((error: unknown) => error)
      expect(error).toMatchObject({ _tag: "InvalidRequestError" })
    }
    expect(requests()).toEqual([])
  })
})

describe("a stream", () => {
  const format = formats["an Effect Schema"]
  const streamed = (text: string) =>
    sse(eventsOf(["end_turn", { type: "text", text }]).map((event) => ({ ...event })))

  it.effect("has its response, and the output at its end", () =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([streamed('{"city":"Bern","celsius":21}')])
      const { requestId, status, stream } = yield* anthropic.messages.streamWithResponse(params)
      expect([status, requestId]).toEqual([200, "req_1"])
      expect((yield* MessageStream.finalParsed(stream, format)).parsed_output).toEqual({
        city: "Bern",
        celsius: 21
      })
    }).pipe(Effect.scoped)
  )

  it.effect("fails with an OutputError if its output does not fit, and has its text", () =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([streamed("no"), streamed("no")])
      const events = anthropic.messages.stream(params)
      expect(yield* MessageStream.finalText(events)).toBe("no")
      expect(yield* Effect.flip(MessageStream.finalParsed(events, format))).toMatchObject({
        _tag: "OutputError"
      })
    })
  )
})
