import { FastCheck as fc } from "effect"
import { describe, expect, it } from "vitest"
import { makeParser } from "../../src/internal/recurringJson.js"

type Parse = (text: string) => unknown

const outcome = (parse: Parse, text: string): unknown => {
  try {
    return { value: parse(text) }
  } catch (error) {
    return { thrown: (error as Error).constructor }
  }
}

/** As it is seen: `toStrictEqual` tells neither the order of keys nor what may be written. */
const seen = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "minus zero" : value
  const properties = Object.entries(Object.getOwnPropertyDescriptors(value))
  return [
    Object.getPrototypeOf(value) === Object.getPrototypeOf(Array.isArray(value) ? [] : {}),
    properties.map(([key, { value, ...flags }]) => [key, flags, seen(value)])
  ]
}

/** One parser for all texts, each compared with what `JSON.parse` makes of it. */
const agrees = (texts: ReadonlyArray<string>): void => {
  const parse = makeParser()
  const given = texts.map((text) => outcome(parse, text))
  expect(seen(given)).toEqual(seen(texts.map((text) => outcome(JSON.parse, text))))
}

/** Counts what is left to `JSON.parse`, but for strings, of which single ones may be. */
const parsedInFull = (parse: Parse, texts: ReadonlyArray<string>): number => {
  const real = JSON.parse
  let count = 0
  JSON.parse = (text) => {
    if (!text.startsWith('"')) count++
    return real(text)
  }
  try {
    for (const text of texts) parse(text)
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

describe("recurringJson", () => {
  it("10 gives what JSON.parse gives, whatever came before", () => {
    fc.assert(fc.property(texts, agrees), { numRuns: 500 })
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
          agrees([...known, text.slice(0, at) + put + text.slice(at + cut), text])
        }
      ),
      { numRuns: 2000 }
    )
  })

  it.each<[what: string, texts: ReadonlyArray<string>]>([
    ["strings and numbers", times(40, (index) => delta(`word ${index}`, index % 3))],
    [
      "strings with escapes, and long ones",
      times(40, (index) => delta(`"line"\n ${"and on ".repeat(index)}`))
    ],
    ["two forms in turn", times(40, (index) => (index % 2 === 0 ? delta(`${index}`) : `{"a":${index}}`))],
    ["the same text", times(40, () => '{"type":"ping"}')]
  ])("10 parses few of the texts in full: %s", (_, texts) => {
    agrees(texts)
    expect(parsedInFull(makeParser(), texts)).toBeLessThan(15)
  })

  it("10 looks for forms ever less where there are none", () => {
    const different = times(3000, (index) => `{"${"k".repeat(index % 1000)}${index}":[${index}]}`)
    agrees(different)
    const { exec } = RegExp.prototype
    let looks = 0
    RegExp.prototype.exec = function (text) {
      looks++
      return exec.call(this, text)
    }
    try {
      const parse = makeParser()
      for (const text of different) parse(text)
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
  ])("10 gives what JSON.parse gives: %s", (_, texts) => agrees(texts))

  it("10 makes each value anew", () => {
    const parse = makeParser()
    const values = times(40, () => parse(delta("x"))) as ReadonlyArray<{ list: Array<unknown> }>
    for (const value of values) value.list.push("more")
    expect(parse(delta("x"))).toEqual(JSON.parse(delta("x")))
    expect(new Set(values.map(({ list }) => list)).size).toBe(values.length)
  })
})
