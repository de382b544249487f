import { Arbitrary, Effect, Either, FastCheck as fc, ParseResult, Schema } from "effect"
import { describe, expect, it } from "vitest"
import * as ValueSchema from "../../src/response/ApiSchema.js"
import { type Decoder, makeReader, notJson } from "../../src/response/jsonShapes.js"
import { identical } from "../fixtures/identical.js"
import { type Any, fast, slow } from "../fixtures/schemas.js"

type Read = (text: string) => unknown

/** Values as they were parsed. */
const asParsed: Decoder = { decode: (value) => value, isSlotSafe: () => false }
/** The same, but it says that it does nothing with them. */
const passing: Decoder = { decode: (value) => value, isSlotSafe: () => true }

const eachTime =
  ({ decode }: Decoder): Read =>
  (text) => {
    try {
      JSON.parse(text)
    } catch {
      return notJson
    }
    return decode(JSON.parse(text))
  }

/** What came of a text, a failure by what it says. */
const outcome = (read: Read, text: string): unknown => {
  try {
    const value = read(text)
    if (!(value instanceof ValueSchema.Undecodable)) return { value }
    return Effect.runSync(Effect.either(value.decoded)).pipe(
      Either.match({ onLeft: ({ path, reason }) => ({ path, reason }), onRight: (value) => ({ value }) })
    )
  } catch (error) {
    return { thrown: String(error) }
  }
}

/** One reader for all texts, each compared with what comes of it alone. */
const agrees = (texts: ReadonlyArray<string>, decoder: Decoder): void => {
  const read = makeReader(decoder)
  for (const text of texts) {
    const expected = outcome(eachTime(decoder), text)
    const actual = outcome(read, text)
    if (!identical(actual, expected)) expect({ text, actual }).toStrictEqual({ text, actual: expected })
    expect(identical(actual, expected)).toBe(true)
  }
}

const agreesByAll = (texts: ReadonlyArray<string>): void => {
  agrees(texts, asParsed)
  agrees(texts, passing)
}

/** Counts what is left to `JSON.parse`, but for strings, of which single ones may be. */
const parsedInFull = (read: Read, texts: ReadonlyArray<string>): number => {
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

/** Enough of one form for it to be learnt, whatever was there before. */
const known = times(12, (index) => delta(`word ${index}`))

/** A value, and others of the same shape. */
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

const spelt = (value: unknown): fc.Arbitrary<string> =>
  fc.constantFrom(undefined, 1, "\t").map((space) => JSON.stringify(value, null, space))

const texts: fc.Arbitrary<ReadonlyArray<string>> = fc
  .array(shape, { minLength: 1, maxLength: 6 })
  .chain((shapes) => fc.array(fc.oneof(...shapes).chain(spelt), { minLength: 1, maxLength: 40 }))

/** Where the strings and numbers of a value are. */
const placesIn = (value: unknown, path: ReadonlyArray<string> = []): ReadonlyArray<ReadonlyArray<string>> => {
  if (typeof value === "string" || typeof value === "number") return [path]
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...path, key]))
}

const at = (value: unknown, path: ReadonlyArray<string>): unknown =>
  path.reduce((inner, key) => (inner as Record<string, unknown>)[key], value)

const withOther = (value: unknown, [key, ...path]: ReadonlyArray<string>, other: unknown): unknown => {
  if (key === undefined) return other
  const copy = Object.assign(Array.isArray(value) ? [] : {}, value) as Record<string, unknown>
  copy[key] = withOther(copy[key], path, other)
  return copy
}

/** Texts of a few values of a schema, with one string or number of another in place of their own here and there. */
const ofSchema = (schema: Any): fc.Arbitrary<ReadonlyArray<string>> => {
  const encode = ParseResult.encodeEither(schema)
  const spelling = (json: unknown) =>
    JSON.stringify(json, (_, value) => (typeof value === "bigint" ? String(value) : value)) ?? "null"
  const base = Arbitrary.make(schema).map((value): unknown =>
    JSON.parse(Either.match(encode(value), { onLeft: () => "null", onRight: spelling }))
  )
  const change = fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 2 })
  return fc
    .tuple(
      fc.array(base, { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(fc.nat(), change), { minLength: 10, maxLength: 40 })
    )
    .map(([values, texts]) => {
      const own = values.flatMap((value) => placesIn(value).map((path) => at(value, path)))
      const others = [...own, "", "a", "1", "x", "a string of more letters", '"', 0, 1, -0, 2.5]
      return texts.map(([which, changes]) => {
        const value = values[which % values.length]
        const changed = changes.reduce((value, [where, other]) => {
          const paths = placesIn(value)
          const path = paths[where % Math.max(paths.length, 1)]
          return path === undefined ? value : withOther(value, path, others[other % others.length])
        }, value)
        return JSON.stringify(changed)
      })
    })
}

describe("recurringJson", () => {
  it("10 gives what JSON.parse gives, whatever came before", () => {
    fc.assert(fc.property(texts, agreesByAll), { numRuns: 500 })
  })

  it("10 refuses what JSON.parse refuses: a letter more, less or changed in a text of a known form", () => {
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

  /** Schemas that leave out some of a delta, all of it, or nothing. */
  const leavingOut = [
    Schema.Struct({ index: Schema.Number }),
    Schema.Struct({ type: Schema.Literal("delta"), delta: Schema.Struct({ type: Schema.String }) }),
    Schema.Struct({}),
    Schema.Unknown,
    ValueSchema.asSent(Schema.Struct({ index: Schema.Number }))
  ].map((schema) => ValueSchema.eventDecoder(schema))

  it("10 refuses what JSON.parse refuses in a field that the schema leaves out, too", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...leavingOut),
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
    "10 a known form with %j in a field that the schema leaves out is no JSON",
    (bad) => {
      for (const decoder of leavingOut) {
        const read = makeReader(decoder)
        for (const text of known) read(text)
        expect(read(delta("x").replaceAll('"x"', `"x${bad}"`))).toBe(notJson)
      }
    }
  )

  it.each<[what: string, texts: ReadonlyArray<string>]>([
    ["strings and numbers", times(40, (index) => delta(`word ${index}`, index % 3))],
    [
      "strings with escapes, and long ones",
      times(40, (index) => delta(`"line"\n ${"and on ".repeat(index)}`))
    ],
    [
      "numbers beside others that stay",
      times(40, (index) => `{"a":"${index}","b":${index},"c":${index},"d":[0,1,2]}`)
    ],
    ["two forms in turn", times(40, (index) => (index % 2 === 0 ? delta(`${index}`) : `{"a":${index}}`))],
    ["the same text", times(40, () => '{"type":"ping"}')]
  ])("10 parses few of the texts in full: %s", (_, texts) => {
    agreesByAll(texts)
    expect(parsedInFull(makeReader(passing), texts)).toBeLessThan(15)
  })

  it("10 reads a text of a known form that is very long, all of it escaped", () => {
    const read = makeReader(asParsed)
    for (const text of known) read(text)
    const long = '"'.repeat(8_000_000)
    const value = read(delta(long)) as { readonly delta: { readonly text: string } }
    expect(value.delta.text === long).toBe(true)
  })

  it("10 looks for forms ever less where there are none", () => {
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
    // Two values in a text, and one look that finds no more, for each time that it is taken apart.
    expect(looks).toBeLessThan(100)
  })

  it.each<[what: string, texts: ReadonlyArray<string>]>([
    ["a key that stands there twice", times(20, (index) => `{"a":"${index}","a":"x"}`)],
    ["a key that stands there twice, the last differs", times(20, (index) => `{"a":"x","a":"${index}"}`)],
    ["__proto__", times(20, (index) => `{"__proto__":{"a":"${index}"},"b":"${index}"}`)],
    ["__proto__, spelt otherwise", times(20, (index) => `{"\\u005f_proto__":"${index}"}`)],
    ["keys that are numbers", times(20, (index) => `{"b":"${index}","1":${index},"0":"x"}`)],
    ["no object", times(20, (index) => `"${index}"`)],
    ["more places than are kept", times(20, (index) => JSON.stringify(times(40, (at) => at * index)))],
    ["a form that becomes wider", times(60, (index) => delta(index < 30 ? "same" : `${index}`, index))],
    ["a value that looks like a mark", times(20, (index) => `{"a":"\\u00001","b":"${index}"}`)],
    [
      "letters that mean something in patterns",
      times(20, (index) => `{"a.*+?^$()|[]{}/\\\\-":["(", ${index}]}`)
    ],
    [
      "numbers of every spelling",
      ["1", "-0", "1.50", "1E5", "0.1e-2", "-12e+3", "01", "1.", "+1", "-", "1e"].flatMap((number) =>
        times(6, (index) => `{"a":${number},"b":${index}}`)
      )
    ],
    [
      "a control character in a place",
      [...known, delta("x").replace('"x"', '"\u0001"'), delta("x").replace('"x"', '"\t"')]
    ]
  ])("10 gives what JSON.parse gives: %s", (_, texts) => agreesByAll(texts))

  it.each([asParsed, passing, ValueSchema.eventDecoder(Schema.Struct({ list: Schema.Unknown }))])(
    "10 makes each value anew",
    (decoder) => {
      const read = makeReader(decoder)
      const values = times(40, () => read(delta("x"))) as ReadonlyArray<{ list: Array<unknown> }>
      for (const value of values) value.list.push("more")
      expect(read(delta("x"))).toEqual(decoder.decode(JSON.parse(delta("x"))))
      expect(new Set(values.map(({ list }) => list)).size).toBe(values.length)
    }
  )

  it.each(Object.entries({ ...fast, ...slow }))("8.4 %s: gives what its decoder gives", (_, schema) => {
    fc.assert(
      fc.property(ofSchema(schema), (texts) => {
        // A decoder of its own: it gives up on schemas that throw too often.
        agrees(texts, ValueSchema.eventDecoder(Schema.make(schema.ast)))
        agrees(texts, ValueSchema.eventDecoder(ValueSchema.asSent(Schema.make(schema.ast))))
      }),
      { numRuns: 20 }
    )
  })

  it("8.4 has nothing decoded of which the form is known and the schema takes anything in its places", () => {
    const decoder = ValueSchema.eventDecoder(
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

  it("8.4 runs a schema's own code for each text", () => {
    let asked = 0
    const Asked = Schema.Number.pipe(Schema.filter(() => ++asked > 0))
    const read = makeReader(ValueSchema.eventDecoder(Schema.Struct({ a: Asked, b: Schema.String })))
    for (const text of times(100, (index) => `{"a":1,"b":"${index}"}`)) read(text)
    expect(asked).toBeGreaterThanOrEqual(100)
  })
})
