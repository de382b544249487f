import { Effect, Either, FastCheck as fc, Schema } from "effect"
import { describe, expect, it } from "vitest"
import * as ApiSchema from "../../src/response/ApiSchema.js"
import { type Decoder, makeReader, notJson } from "../../src/response/jsonShapes.js"
import * as SchemaDecoder from "../../src/response/schemaDecoder.js"
import { identical } from "../fixtures/identical.js"
import * as Schemas from "../fixtures/schemas.js"
import { type Any, copyOf, valuesOf } from "../fixtures/schemaValues.js"

type Read = (text: string) => unknown

/** Returns the parsed value. */
const asParsed: Decoder = { decode: (value) => value, isSlotSafe: () => false }
/** The same, and lets the reader skip it where the shape is known. */
const skippable: Decoder = { decode: (value) => value, isSlotSafe: () => true }

const withJsonParse =
  ({ decode }: Decoder): Read =>
  (text) => {
    try {
      JSON.parse(text)
    } catch {
      return notJson
    }
    return decode(JSON.parse(text))
  }

/** The result of reading a text; a failure by its message. */
const outcome = (read: Read, text: string): unknown => {
  try {
    const value = read(text)
    if (!(value instanceof SchemaDecoder.Undecodable)) return { value }
    return Effect.runSync(Effect.either(value.decoded)).pipe(
      Either.match({ onLeft: ({ path, reason }) => ({ path, reason }), onRight: (value) => ({ value }) })
    )
  } catch (error) {
    return { thrown: String(error) }
  }
}

/** Reads all texts with one reader, and compares each with a read of that text alone. */
const agrees = (texts: ReadonlyArray<string>, decoder: Decoder): void => {
  const read = makeReader(decoder)
  for (const text of texts) {
    const expected = outcome(withJsonParse(decoder), text)
    const actual = outcome(read, text)
    if (!identical(actual, expected)) expect({ text, actual }).toStrictEqual({ text, actual: expected })
    expect(identical(actual, expected)).toBe(true)
  }
}

const agreesByAll = (texts: ReadonlyArray<string>): void => {
  agrees(texts, asParsed)
  agrees(texts, skippable)
}

/** Counts the calls of `JSON.parse`, except those for a single string. */
const countParses = (read: Read, texts: ReadonlyArray<string>): number => {
  const real = JSON.parse
  let count = 0
  JSON.parse = (text) => {
    if (!text.startsWith('"')) count++
    return real(text)
  }
  try {
    for (const text of texts) read(text)
  } finally {
    JSON.parse = real
  }
  return count
}

const delta = (text: string, index = 0): string =>
  JSON.stringify({ type: "delta", index, delta: { type: "text", text }, list: [1, [null, text]] })

const times = <A>(count: number, make: (index: number) => A): ReadonlyArray<A> =>
  Array.from({ length: count }, (_, index) => make(index))

/** Enough texts of one shape for the reader to learn it, whatever it read before. */
const known = times(12, (index) => delta(`word ${index}`))

/** Arbitrary values that share one arbitrary shape. */
const shape: fc.Arbitrary<fc.Arbitrary<unknown>> = fc.letrec<{ shape: fc.Arbitrary<unknown> }>((tie) => ({
  shape: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    fc.constantFrom(
      fc.string({ unit: "binary" }),
      fc.string({ unit: "grapheme" }),
      fc.constantFrom('"', "\\", "\n", "\0", "\u0001", "\0" + "1", "\u2028", "\ud800", "a".repeat(13)),
      fc.double(),
      fc.integer(),
      fc.constantFrom(0, -0, 1e21, 1e-7, 5e-324, 2 ** 53),
      fc.boolean(),
      fc.constant(null)
    ),
    fc.array(tie("shape"), { maxLength: 3 }).map((shapes) => fc.tuple(...shapes)),
    fc
      .dictionary(
        fc.oneof(fc.constantFrom("a", "type", "1", "0", "__proto__", "toString", 'q"', "\\"), fc.string()),
        tie("shape"),
        { maxKeys: 4 }
      )
      .map((shapes) => fc.record(shapes))
  )
})).shape

const formatted = (value: unknown): fc.Arbitrary<string> =>
  fc.constantFrom(undefined, 1, "\t").map((space) => JSON.stringify(value, null, space))

const texts: fc.Arbitrary<ReadonlyArray<string>> = fc
  .array(shape, { minLength: 1, maxLength: 6 })
  .chain((shapes) => fc.array(fc.oneof(...shapes).chain(formatted), { minLength: 1, maxLength: 40 }))

/** The paths of the strings and numbers in a value. */
const slotsIn = (value: unknown, path: ReadonlyArray<string> = []): ReadonlyArray<ReadonlyArray<string>> => {
  if (typeof value === "string" || typeof value === "number") return [path]
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => slotsIn(inner, [...path, key]))
}

const at = (value: unknown, path: ReadonlyArray<string>): unknown =>
  path.reduce((inner, key) => (inner as Record<string, unknown>)[key], value)

const replaceAt = (value: unknown, [key, ...path]: ReadonlyArray<string>, other: unknown): unknown => {
  if (key === undefined) return other
  const copy = Object.assign(Array.isArray(value) ? [] : {}, value) as Record<string, unknown>
  copy[key] = replaceAt(copy[key], path, other)
  return copy
}

/** Texts of a few values of a schema, in some of which a string or number is replaced. */
const ofSchema = (schema: Any): fc.Arbitrary<ReadonlyArray<string>> => {
  const encode = Schema.encodeEither(schema)
  const toJson = (json: unknown) =>
    JSON.stringify(json, (_, value) => (typeof value === "bigint" ? String(value) : value)) ?? "null"
  const base = valuesOf(schema).map((value): unknown =>
    JSON.parse(Either.match(encode(value), { onLeft: () => "null", onRight: toJson }))
  )
  const change = fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 2 })
  return fc
    .tuple(
      fc.array(base, { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(fc.nat(), change), { minLength: 10, maxLength: 40 })
    )
    .map(([values, texts]) => {
      const own = values.flatMap((value) => slotsIn(value).map((path) => at(value, path)))
      const others = [...own, "", "a", "1", "x", "a string of more letters", '"', 0, 1, -0, 2.5]
      return texts.map(([which, changes]) => {
        const value = values[which % values.length]
        const changed = changes.reduce((value, [where, other]) => {
          const paths = slotsIn(value)
          const path = paths[where % Math.max(paths.length, 1)]
          return path === undefined ? value : replaceAt(value, path, others[other % others.length])
        }, value)
        return JSON.stringify(changed)
      })
    })
}

describe("makeReader", () => {
  it("9.2 reads as JSON.parse does, after any other texts", () => {
    fc.assert(fc.property(texts, agreesByAll), { numRuns: 500 })
  })

  it("9.2 rejects what JSON.parse rejects: a known shape with a character added, removed or changed", () => {
    fc.assert(
      fc.property(
        fc.nat({ max: delta("word").length }),
        fc.nat({ max: 2 }),
        fc.oneof(
          fc.string({ unit: "binary", maxLength: 2 }),
          fc.constantFrom('"', "\\", "\\u12", '","', "1", "-", "e")
        ),
        (at, cut, put) => {
          const text = delta("word")
          agreesByAll([...known, text.slice(0, at) + put + text.slice(at + cut), text])
        }
      ),
      { numRuns: 2000 }
    )
  })

  /** Schemas that omit some fields of a delta, all of them, or none. */
  const omitting = [
    Schema.Struct({ index: Schema.Number }),
    Schema.Struct({ type: Schema.Literal("delta"), delta: Schema.Struct({ type: Schema.String }) }),
    Schema.Struct({}),
    Schema.Unknown,
    ApiSchema.asSent(Schema.Struct({ index: Schema.Number }))
  ].map((schema) => SchemaDecoder.eventDecoder(schema))

  it("9.2 rejects what JSON.parse rejects in a field that the schema omits", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...omitting),
        fc.constantFrom("word", 'a "quoted" word', "\u0001\ud83d\ude00", "a string of more letters"),
        fc.constantFrom(0, -0, 1e21, 1.5e-7, 2 ** 53),
        fc.nat({ max: 120 }),
        fc.nat({ max: 2 }),
        fc.oneof(
          fc.string({ unit: "binary", maxLength: 2 }),
          fc.constantFrom(
            "\\q",
            "\\u12G4",
            "\\u12",
            "\\",
            "\n",
            "\0",
            '"',
            '\\"',
            "1",
            "-",
            "e",
            ".",
            "}",
            " x",
            ","
          )
        ),
        (decoder, word, index, at, cut, put) => {
          const text = delta(word, index)
          agrees([...known, text.slice(0, at) + put + text.slice(at + cut), text], decoder)
        }
      ),
      { numRuns: 3000 }
    )
  })

  it.each(["\\q", "\\u12G4", "\\u", "\\", "\\U0041", "\\x41", "\\'", "\u0000", "\u001f", "\n"])(
    "9.2 rejects a known shape with %j in a field that the schema omits",
    (bad) => {
      for (const decoder of omitting) {
        const read = makeReader(decoder)
        for (const text of known) read(text)
        expect(read(delta("x").replaceAll('"x"', `"x${bad}"`))).toBe(notJson)
      }
    }
  )

  it.each<[what: string, texts: ReadonlyArray<string>]>([
    ["strings and numbers", times(40, (index) => delta(`word ${index}`, index % 3))],
    [
      "strings with escapes and long strings",
      times(40, (index) => delta(`"line"\n ${"and on ".repeat(index)}`))
    ],
    [
      "numbers beside constant numbers",
      times(40, (index) => `{"a":"${index}","b":${index},"c":${index},"d":[0,1,2]}`)
    ],
    ["two shapes in turn", times(40, (index) => (index % 2 === 0 ? delta(`${index}`) : `{"a":${index}}`))],
    ["the same text", times(40, () => '{"type":"ping"}')]
  ])("9.2 parses few of the texts in full: %s", (_, texts) => {
    agreesByAll(texts)
    expect(countParses(makeReader(skippable), texts)).toBeLessThan(15)
  })

  it("9.2 reads a very long text of a known shape with an escape for every character", () => {
    const read = makeReader(asParsed)
    for (const text of known) read(text)
    const long = '"'.repeat(8_000_000)
    const value = read(delta(long)) as { readonly delta: { readonly text: string } }
    expect(value.delta.text === long).toBe(true)
  })

  it("9.2 looks for shapes less and less often when the texts share none", () => {
    const different = times(3000, (index) => `{"${"k".repeat(index % 1000)}${index}":[${index}]}`)
    agreesByAll(different)
    const { exec } = RegExp.prototype
    let looks = 0
    RegExp.prototype.exec = function (text) {
      looks++
      return exec.call(this, text)
    }
    try {
      const read = makeReader(asParsed)
      for (const text of different) read(text)
    } finally {
      RegExp.prototype.exec = exec
    }
    // Each attempt finds two slots and looks once more for a third.
    expect(looks).toBeLessThan(100)
  })

  it.each<[what: string, texts: ReadonlyArray<string>]>([
    ["a duplicate key", times(20, (index) => `{"a":"${index}","a":"x"}`)],
    ["a duplicate key whose last value differs", times(20, (index) => `{"a":"x","a":"${index}"}`)],
    ["__proto__", times(20, (index) => `{"__proto__":{"a":"${index}"},"b":"${index}"}`)],
    ["__proto__ with an escape", times(20, (index) => `{"\\u005f_proto__":"${index}"}`)],
    ["numeric keys", times(20, (index) => `{"b":"${index}","1":${index},"0":"x"}`)],
    ["a top-level string", times(20, (index) => `"${index}"`)],
    ["more slots than the limit", times(20, (index) => JSON.stringify(times(40, (at) => at * index)))],
    ["a shape that gains slots", times(60, (index) => delta(index < 30 ? "same" : `${index}`, index))],
    ["a value that looks like a sentinel", times(20, (index) => `{"a":"\\u00001","b":"${index}"}`)],
    [
      "characters that are special in patterns",
      times(20, (index) => `{"a.*+?^$()|[]{}/\\\\-":["(", ${index}]}`)
    ],
    [
      "every notation of numbers",
      ["1", "-0", "1.50", "1E5", "0.1e-2", "-12e+3", "01", "1.", "+1", "-", "1e"].flatMap((number) =>
        times(6, (index) => `{"a":${number},"b":${index}}`)
      )
    ],
    [
      "a control character in a slot",
      [...known, delta("x").replace('"x"', '"\u0001"'), delta("x").replace('"x"', '"\t"')]
    ]
  ])("9.2 reads as JSON.parse does: %s", (_, texts) => agreesByAll(texts))

  it.each([asParsed, skippable, SchemaDecoder.eventDecoder(Schema.Struct({ list: Schema.Unknown }))])(
    "9.2 returns a new value for each text",
    (decoder) => {
      const read = makeReader(decoder)
      const values = times(40, () => read(delta("x"))) as ReadonlyArray<{ list: Array<unknown> }>
      for (const value of values) value.list.push("more")
      expect(read(delta("x"))).toEqual(decoder.decode(JSON.parse(delta("x"))))
      expect(new Set(values.map(({ list }) => list)).size).toBe(values.length)
    }
  )

  it.each(Object.entries(Schemas.all))("8.4 %s: agrees with the schema's decoder", (_, schema) => {
    fc.assert(
      fc.property(ofSchema(schema), (texts) => {
        // A new decoder for each case: a decoder gives up on schemas that throw too often.
        agrees(texts, SchemaDecoder.eventDecoder(copyOf(schema)))
        agrees(texts, SchemaDecoder.eventDecoder(ApiSchema.asSent(copyOf(schema))))
      }),
      { numRuns: 20 }
    )
  })

  it("8.4 skips decoding for a known shape whose slots accept any string or number", () => {
    const decoder = SchemaDecoder.eventDecoder(
      Schema.Union(
        Schema.Struct({ type: Schema.Literal("start"), at: Schema.Date }),
        Schema.Struct({
          type: Schema.Literal("delta"),
          index: Schema.Number,
          delta: Schema.Struct({ type: Schema.Literal("text"), text: Schema.String })
        })
      )
    )
    let decoded = 0
    const counting: Decoder = {
      ...decoder,
      decode: (value) => {
        decoded++
        return decoder.decode(value)
      }
    }
    const read = makeReader(counting)
    for (const text of times(100, (index) => delta(`${index}`, index))) read(text)
    expect(decoded).toBeLessThan(15)
  })

  it("8.4 runs a schema's own code for every text", () => {
    let calls = 0
    const Counted = Schema.Number.pipe(Schema.filter(() => ++calls > 0))
    const read = makeReader(SchemaDecoder.eventDecoder(Schema.Struct({ a: Counted, b: Schema.String })))
    for (const text of times(100, (index) => `{"a":1,"b":"${index}"}`)) read(text)
    expect(calls).toBeGreaterThanOrEqual(100)
  })
})
