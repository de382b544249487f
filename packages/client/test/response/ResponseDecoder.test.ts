import { describe, expect, it } from "@effect/vitest"
import { type ApiConfig, ApiRequest, Metrics, ResponseDecoder } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Either, Logger, LogLevel, Metric, Redacted, Schema } from "effect"
import * as v from "valibot"
import { z } from "zod"
import { recorder } from "../fixtures/recorder.js"
import { milk, scripted, Todo, withoutDelay } from "../fixtures/requests.js"
import { failed } from "../fixtures/schemaValues.js"

type Options = Partial<ApiConfig.Options>

const bodyOf = (body: string | Uint8Array, type: string | undefined, status = 200): MockTransport.MockStep =>
  MockTransport.stream([body], {
    status,
    headers: { "request-id": "req_1", ...(type === undefined ? {} : { "content-type": type }) }
  })

/** The value that a decoder gives for a response. */
const decoded = <D extends ResponseDecoder.Decodable>(
  success: D,
  step: MockTransport.MockStep,
  options: Options = {}
) =>
  Effect.gen(function* () {
    const { client } = yield* scripted([step], options)
    return yield* client.get("/x", { success })
  })

/** The validation error of a response that does not fit. It must not be retried. */
const validationError = (
  success: ResponseDecoder.Decodable,
  step: MockTransport.MockStep,
  options: Options = {}
) =>
  Effect.gen(function* () {
    const { client, transport } = yield* scripted([step], { retry: withoutDelay, ...options })
    const error = yield* Effect.flip(client.get("/x", { success }))
    expect(error).toMatchObject({
      _tag: "ResponseValidationError",
      stoppedBy: "not-retryable",
      delivery: "maybe-applied"
    })
    expect(error.attempts).toHaveLength(1)
    expect(yield* transport.requestCount).toBe(1)
    return error as Extract<typeof error, { readonly _tag: "ResponseValidationError" }>
  })

const json = (value: unknown) => MockTransport.json(value)
const html = "<html>\n  <h1>Sign in to  Hotel Wifi</h1>\n</html>"

describe("media types", () => {
  it.effect.each([
    ["application/json", '{"a":1}', { a: 1 }],
    ["application/json; charset=utf-8", '{"a":1}', { a: 1 }],
    ["APPLICATION/JSON ;v=1", '{"a":1}', { a: 1 }],
    ["application/problem+json", '{"a":1}', { a: 1 }],
    ["application/vnd.api+json; ext=x", "[]", []],
    [undefined, '{"a":1}', { a: 1 }],
    ["application/json", "\ufeff[1]", [1]],
    ["text/plain", '{"a":1}', '{"a":1}'],
    ["text/html", html, html],
    ["application/jsonl", "1\n2", "1\n2"]
  ] as const)("8.2 %s: %j is read as %j without a decoder", ([type, body, expected]) =>
    Effect.gen(function* () {
      expect(yield* decoded(ResponseDecoder.auto, bodyOf(body, type))).toEqual(expected)
      const { client } = yield* scripted([bodyOf(body, type)])
      expect(yield* client.get("/x")).toEqual(expected)
    })
  )

  it.effect.each(["text/plain", "text/html", "application/octet-stream", undefined])(
    "8.2 with a schema, %s is tried as JSON",
    (type) =>
      Effect.gen(function* () {
        expect(yield* decoded(Todo, bodyOf(JSON.stringify(milk), type))).toEqual(new Todo(milk))
      })
  )

  it.effect("8.2 an HTML page is reported with its media type and an excerpt", () =>
    Effect.gen(function* () {
      expect(yield* validationError(Todo, bodyOf(html, "text/html; charset=utf-8"))).toMatchObject({
        message: "the response (200) does not fit: is text/html, not JSON",
        reason: "is text/html, not JSON",
        excerpt: "<html> <h1>Sign in to Hotel Wifi</h1> </html>",
        status: 200,
        requestId: "req_1",
        path: []
      })
    })
  )

  it.effect.each(["", "{", "{'a':1}", "NaN", '{"a":1}{"a":2}'].map((body) => [body] as const))(
    "8.2 invalid JSON %j is reported without the parser's own message",
    ([body]) =>
      Effect.gen(function* () {
        const { excerpt, reason } = yield* validationError(Todo, bodyOf(body, "application/json"))
        expect(reason).toContain(body === "" ? "undefined" : "is not valid JSON")
        expect(excerpt).toBe(body)
      })
  )

  it.effect("8.2 an excerpt has at most 200 characters", () =>
    Effect.gen(function* () {
      const { excerpt } = yield* validationError(Todo, bodyOf("x".repeat(100_000), "text/plain"))
      expect(excerpt).toBe(`${"x".repeat(200)}…`)
    })
  )

  const nothing = [
    ["204", MockTransport.empty(204)],
    ["205", MockTransport.empty(205)],
    ["an empty 200", bodyOf("", "application/json")],
    ["a 200 without a body", MockTransport.empty(200)],
    ["a web response without a body", MockTransport.response(() => new Response(null, { status: 204 }))]
  ] as const

  it.effect.each(nothing)("8.2 %s is undefined", ([, step]) =>
    Effect.gen(function* () {
      const { client } = yield* scripted([MockTransport.forever(step)])
      expect(yield* client.get("/x")).toBeUndefined()
      expect(yield* client.get("/x", { success: ResponseDecoder.json })).toBeUndefined()
      expect(yield* client.get("/x", { success: ResponseDecoder.empty })).toBeUndefined()
      expect(yield* client.get("/x", { success: Schema.Void })).toBeUndefined()
      expect(yield* client.get("/x", { success: Schema.UndefinedOr(Todo) })).toBeUndefined()
      expect(yield* client.get("/x", { success: z.undefined() })).toBeUndefined()
      expect(yield* client.get("/x", { success: ResponseDecoder.text })).toBe("")
      expect(yield* client.get("/x", { success: ResponseDecoder.bytes })).toEqual(new Uint8Array(0))
    })
  )
})

describe("validation", () => {
  const wrong = { id: "one", title: "Buy milk" }

  it.effect("8.3 strict: a value that does not fit the schema is an error", () =>
    Effect.gen(function* () {
      const error = yield* validationError(Todo, json(wrong))
      expect(error).toMatchObject({ path: ["id"], excerpt: JSON.stringify(wrong), status: 200 })
      expect(error.reason).toContain('"one"')
    })
  )

  it.effect("8.3 lenient: a value that does not fit is returned as parsed, logged and counted", () =>
    Effect.gen(function* () {
      const { layer, lines } = recorder(LogLevel.Warning)
      const before = (yield* Metric.value(Metrics.misfits)).count
      const value = yield* decoded(Todo, json(wrong), { validation: "lenient" }).pipe(Effect.provide(layer))
      expect(value).toEqual(wrong)
      expect(lines).toHaveLength(1)
      expect(lines[0]?.level).toBe("WARN")
      expect(lines[0]?.message).toContain("does not fit")
      expect((yield* Metric.value(Metrics.misfits)).count).toBe(before + 1)
    })
  )

  it.effect("8.3 lenient: a value that fits is decoded and not counted", () =>
    Effect.gen(function* () {
      const before = (yield* Metric.value(Metrics.misfits)).count
      expect(yield* decoded(Todo, json(milk), { validation: "lenient" })).toEqual(new Todo(milk))
      expect((yield* Metric.value(Metrics.misfits)).count).toBe(before)
    })
  )

  it.effect.each([
    ["zod", z.object({ id: z.number() })],
    ["valibot", v.object({ id: v.number() })],
    ["fromEither", ResponseDecoder.fromEither((input) => Either.left(new Error(`bad ${typeof input}`)))]
  ] as const)("8.3 lenient: a value that does not fit %s is returned as parsed", ([, success]) =>
    Effect.gen(function* () {
      const options = { validation: "lenient" } as const
      const value = yield* Logger.withMinimumLogLevel(decoded(success, json(wrong), options), LogLevel.None)
      expect(value).toEqual(wrong)
    })
  )

  it.effect("8.3 lenient: a body that is not JSON is still an error", () =>
    Effect.gen(function* () {
      yield* validationError(Todo, bodyOf(html, "text/html"), { validation: "lenient" })
    })
  )
})

describe("effect/Schema", () => {
  it.effect("8.4 reads dates and secrets from text", () =>
    Effect.gen(function* () {
      const Key = Schema.Struct({ at: Schema.Date, key: Schema.Redacted(Schema.String) })
      const { at, key } = yield* decoded(Key, json({ at: "2025-01-01T00:00:00Z", key: "s3cret" }))
      expect(at).toEqual(new Date("2025-01-01T00:00:00Z"))
      expect([String(key), Redacted.value(key)]).toEqual(["<redacted>", "s3cret"])
    })
  )

  it.effect("8.4 decodes transforms and classes", () =>
    Effect.gen(function* () {
      const At = Schema.Struct({ at: Schema.Date, todo: Todo })
      const value = yield* decoded(At, json({ at: "2025-01-01T00:00:00Z", todo: milk }))
      expect(value).toEqual({ at: new Date("2025-01-01T00:00:00Z"), todo: new Todo(milk) })
    })
  )

  const Looked = Schema.transformOrFail(Schema.String, Schema.Number, {
    decode: (text) =>
      Effect.flatMap(Effect.yieldNow(), () => (text === "one" ? Effect.succeed(1) : failed("unknown word"))),
    encode: (number) => Effect.succeed(String(number))
  })

  it.effect("8.4 decodes async transforms", () =>
    Effect.gen(function* () {
      expect(yield* decoded(Schema.Struct({ n: Looked }), json({ n: "one" }))).toEqual({ n: 1 })
      const error = yield* validationError(Schema.Struct({ n: Looked }), json({ n: "two" }))
      expect(error).toMatchObject({ path: ["n"] })
      expect(error.reason).toContain("unknown word")
    })
  )

  it.effect("8.4 reports a path into lists", () =>
    Effect.gen(function* () {
      const error = yield* validationError(
        Schema.Array(Schema.Struct({ todo: Todo })),
        json([{ todo: milk }, { todo: 1 }])
      )
      expect(error.path).toEqual([1, "todo"])
    })
  )

  it.effect("8.4 decodes through Schema.standardSchemaV1", () =>
    Effect.gen(function* () {
      expect(yield* decoded(Schema.standardSchemaV1(Todo), json(milk))).toEqual(new Todo(milk))
    })
  )
})

describe("Standard Schema", () => {
  const slowly = <A>(value: A): Promise<A> => Promise.resolve(value)

  it.effect.each([
    ["zod", z.object({ id: z.number(), at: z.string().transform((text) => text.length) })],
    [
      "zod, async",
      z.object({
        id: z.number().refine((id) => slowly(id > 0)),
        at: z.string().transform((text) => slowly(text.length))
      })
    ],
    [
      "valibot",
      v.object({
        id: v.number(),
        at: v.pipe(
          v.string(),
          v.transform((text) => text.length)
        )
      })
    ],
    [
      "valibot, async",
      v.objectAsync({
        id: v.number(),
        at: v.pipeAsync(
          v.string(),
          v.transformAsync((text) => slowly(text.length))
        )
      })
    ]
  ] as const)("8.4 decodes with %s", ([, schema]) =>
    Effect.gen(function* () {
      expect(yield* decoded(schema, json({ id: 1, at: "noon" }))).toEqual({ id: 1, at: 4 })
    })
  )

  it.effect.each([
    ["zod", z.object({ list: z.array(z.object({ id: z.number() })), name: z.string() })],
    ["valibot", v.object({ list: v.array(v.object({ id: v.number() })), name: v.string() })]
  ] as const)("8.4 reports every issue of %s, and the path of the first", ([, schema]) =>
    Effect.gen(function* () {
      const error = yield* validationError(schema, json({ list: [{ id: 1 }, { id: "2" }] }))
      expect(error.path).toEqual(["list", 1, "id"])
      expect(error.reason).toMatch(/^list\.1\.id: .+; name: .+$/)
    })
  )

  it.effect("8.4 accepts a schema that is a function, as arktype's are", () =>
    Effect.gen(function* () {
      const schema = Object.assign(() => undefined, {
        "~standard": {
          version: 1 as const,
          vendor: "function",
          validate: (value: unknown) =>
            value === 1
              ? { value: "one" as const }
              : { issues: [{ message: "not 1", path: [{ key: "a" }, Symbol("b")] }] }
        }
      })
      expect(yield* decoded(schema, json(1))).toBe("one")
      expect(yield* validationError(schema, json(2))).toMatchObject({
        reason: "a.Symbol(b): not 1",
        path: ["a", "Symbol(b)"]
      })
    })
  )
})

describe("decoders", () => {
  const utf16 = (text: string) => new Uint8Array(Uint16Array.from(text, (unit) => unit.charCodeAt(0)).buffer)

  it.effect.each(["application/json", "application/json; charset=utf-8"])(
    "8.4 JSON with %s follows its byte order mark",
    (type) =>
      Effect.gen(function* () {
        const little = utf16('\ufeff{"a":"é"}')
        const big = little.map((_, at) => little[at ^ 1] ?? 0)
        for (const body of [little, big, new TextEncoder().encode('\ufeff{"a":"é"}')]) {
          expect(yield* decoded(ResponseDecoder.json, bodyOf(body, type))).toEqual({ a: "é" })
        }
      })
  )

  const latin1 = new Uint8Array([0x63, 0x61, 0x66, 0xe9])

  it.effect.each([
    ["text/plain", new TextEncoder().encode("café"), "café"],
    ["text/plain; charset=iso-8859-1", latin1, "café"],
    ['text/plain; charset="ISO-8859-1"; x=y', latin1, "café"],
    ["text/plain;charset=utf-16le", new Uint8Array([0x61, 0, 0x62, 0]), "ab"],
    ["text/plain; charset=klingon", new TextEncoder().encode("café"), "café"],
    // A byte order mark takes precedence over the declared charset (WHATWG Encoding, "decode").
    ["text/plain; charset=iso-8859-1", new TextEncoder().encode("\ufeffcafé"), "café"],
    ["text/plain; charset=utf-8", new Uint8Array([0xff, 0xfe, 0x61, 0, 0x62, 0]), "ab"],
    ["text/plain; charset=utf-16le", new Uint8Array([0xfe, 0xff, 0, 0x61, 0, 0x62]), "ab"],
    ["text/plain; charset=utf-16le", new TextEncoder().encode("\ufeffab"), "ab"],
    ["text/plain", new Uint8Array([0xef, 0xbb]), "\ufffd"],
    ["text/html, text/plain; charset=iso-8859-1", latin1, "café"],
    ["text/plain", latin1, "caf\ufffd"],
    [undefined, new TextEncoder().encode("café"), "café"],
    ["application/json", new TextEncoder().encode('{"a":1}'), '{"a":1}']
  ] as const)("8.4 decodes text with %s", ([type, body, expected]) =>
    Effect.gen(function* () {
      expect(yield* decoded(ResponseDecoder.text, bodyOf(body, type))).toBe(expected)
    })
  )

  it.effect("8.4 bytes are the body unchanged", () =>
    Effect.gen(function* () {
      const body = new Uint8Array([0, 255, 13, 10])
      expect(yield* decoded(ResponseDecoder.bytes, bodyOf(body, "application/json"))).toEqual(body)
    })
  )

  it.effect("8.4 empty ignores any body", () =>
    Effect.gen(function* () {
      expect(yield* decoded(ResponseDecoder.empty, bodyOf(html, "text/html"))).toBeUndefined()
    })
  )

  it.effect("8.4 json parses without a schema, for any media type", () =>
    Effect.gen(function* () {
      expect(yield* decoded(ResponseDecoder.json, bodyOf("[1]", "text/plain"))).toEqual([1])
      const { reason } = yield* validationError(ResponseDecoder.json, bodyOf(html, "text/html"))
      expect(reason).toBe("is text/html, not JSON")
    })
  )

  it.effect.each([
    ["json", ResponseDecoder.json, "application/json"],
    ["auto", ResponseDecoder.auto, "application/json"],
    ["text", ResponseDecoder.text, "text/plain, */*;q=0.8"],
    ["bytes", ResponseDecoder.bytes, "*/*"],
    ["empty", ResponseDecoder.empty, "*/*"],
    ["a schema", Todo, "application/json"]
  ] as const)("4.1 %s sends its accept header", ([, success, accept]) =>
    Effect.gen(function* () {
      const { client } = yield* scripted([])
      expect((yield* client.prepare(ApiRequest.get("/x", { success }))).headers["accept"]).toBe(accept)
    })
  )

  it("8.4 each schema gets one decoder", () => {
    expect(ResponseDecoder.from(Todo)).toBe(ResponseDecoder.from(Todo))
    expect(ResponseDecoder.from(ResponseDecoder.text)).toBe(ResponseDecoder.text)
  })
})
