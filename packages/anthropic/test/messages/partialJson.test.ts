import { describe, expect, it } from "@effect/vitest"
import { Either, FastCheck as fc } from "effect"
import { PartialJson } from "../../src/messages/partialJson.js"
import { holdsPlainly } from "../fixtures/properties.js"

const feed = (...pieces: ReadonlyArray<string>): PartialJson => {
  const json = new PartialJson()
  for (const piece of pieces) json.push(piece)
  return json
}

/** Escapes some characters, so that tests split every notation of a string. */
const respell = (text: string, choices: ReadonlyArray<boolean>): string => {
  let inString = false
  let out = ""
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at)
    if (char === '"') inString = !inString
    if (inString && char === "\\") {
      const length = text.charAt(at + 1) === "u" ? 6 : 2
      out += text.slice(at, at + length)
      at += length - 1
    } else if (inString && char !== '"' && choices[at % choices.length] === true) {
      out += `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`
    } else out += char
  }
  return out
}

const splitAt = (text: string, cuts: ReadonlyArray<number>): ReadonlyArray<string> => {
  const at = [...new Set([0, ...cuts.map((cut) => cut % (text.length + 1)), text.length])].sort(
    (a, b) => a - b
  )
  return at.slice(1).map((end, index) => text.slice(at[index], end))
}

const documents = fc
  .tuple(
    fc.oneof(fc.jsonValue({ maxDepth: 4 }), fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue())),
    fc.constantFrom(undefined, 1, "\t"),
    fc.array(fc.boolean(), { minLength: 1 })
  )
  .map(([value, indent, choices]) => respell(JSON.stringify(value, null, indent), choices))

/** Whether a value can grow into another: strings and arrays by appending, objects by adding keys, others by appearing. */
const growsTo = (early: unknown, late: unknown): boolean => {
  if (early === undefined) return true
  if (typeof early === "string") return typeof late === "string" && late.startsWith(early)
  if (typeof early !== "object" || early === null) return Object.is(early, late)
  if (typeof late !== "object" || late === null || Array.isArray(early) !== Array.isArray(late)) return false
  const [from, to] = [Object.entries(early), Object.entries(late)]
  return from.every(([key, value], index) => {
    const found = to[index]
    return found?.[0] === key && growsTo(value, found[1])
  })
}

describe("PartialJson", () => {
  holdsPlainly(
    "ends with the result of JSON.parse, split anywhere, read or not",
    [documents, fc.array(fc.nat()), fc.boolean()],
    ([text, cuts, reads]) => {
      const json = new PartialJson()
      for (const piece of splitAt(text, cuts)) {
        json.push(piece)
        if (reads) json.value()
      }
      const expected = JSON.parse(text)
      expect(json.end()).toEqual(Either.right(expected))
      expect(JSON.stringify(Either.getOrThrow(json.end()))).toBe(JSON.stringify(expected))
      expect(json.raw()).toBe(text)
    }
  )

  holdsPlainly(
    "has the complete value as soon as its last character arrives",
    [documents, fc.array(fc.nat())],
    ([text, cuts]) => {
      const json = feed(...splitAt(text, cuts), " ")
      const expected = JSON.parse(text)
      expect(json.value()).toStrictEqual(expected)
      expect(JSON.stringify(json.value())).toBe(JSON.stringify(expected))
    }
  )

  holdsPlainly(
    "grows by each character, and never removes or changes what it returned",
    [documents],
    ([text]) => {
      const json = new PartialJson()
      const shown: Array<readonly [value: unknown, text: string | undefined]> = []
      for (let at = 0; at < text.length; at++) {
        json.push(text.charAt(at))
        const value = json.value()
        const last = shown.at(-1)?.[0]
        if (!growsTo(last, value)) expect.fail(`${JSON.stringify(last)} became ${JSON.stringify(value)}`)
        shown.push([value, JSON.stringify(value)])
      }
      for (const [value, text] of shown) expect(JSON.stringify(value)).toBe(text)
      expect(growsTo(shown.at(-1)?.[0], JSON.parse(text))).toBe(true)
    },
    40
  )

  holdsPlainly(
    "ends with a part of the value if it is cut anywhere",
    [documents, fc.nat()],
    ([text, cut]) => {
      // In an array, because nobody can see that a top-level number was cut.
      const list = `[${text}]`
      const ended = feed(list.slice(0, cut % (list.length + 1))).end()
      expect(growsTo(Either.getOrThrow(ended), JSON.parse(list))).toBe(true)
    }
  )

  it.each<readonly [text: string, value: unknown, ended: unknown]>([
    ["", undefined, undefined],
    [" \n\r\t", undefined, undefined],
    ["{", {}, {}],
    ['{"k', {}, {}],
    ['{"k"', {}, {}],
    ['{"k":', {}, {}],
    ['{"k":1', {}, {}],
    ['{"k":1,', { k: 1 }, { k: 1 }],
    ['{"k":1.', {}, {}],
    ['{"k":-', {}, {}],
    ['{"k":1e', {}, {}],
    ['{"k":tru', {}, {}],
    ['{"k":true', { k: true }, { k: true }],
    ['{"k":nul', {}, {}],
    ['{"k":"', { k: "" }, {}],
    ['{"k":"ab', { k: "ab" }, {}],
    ['{"k":"ab\\', { k: "ab" }, {}],
    ['{"k":"ab\\u00', { k: "ab" }, {}],
    ['{"k":"ab\\u0041', { k: "abA" }, {}],
    ['{"k":"\\ud83d', { k: "" }, {}],
    ['{"k":"\\ud83d\\ude0', { k: "" }, {}],
    ['{"k":"\\ud83d\\ude00', { k: "😀" }, {}],
    ['{"k":"\\ud83dx', { k: "\ud83dx" }, {}],
    ['{"k":"\ud83d', { k: "" }, {}],
    ['{"k":"\\ud83d"', { k: "\ud83d" }, { k: "\ud83d" }],
    ['{"k":["a","b', { k: ["a", "b"] }, { k: ["a"] }],
    ['{"k":[{"l":[1,[', { k: [{ l: [1, []] }] }, { k: [{ l: [1, []] }] }],
    ["[", [], []],
    ["[1,2", [1], [1]],
    ["[1,", [1], [1]],
    ['"ab', "ab", undefined],
    ["12", undefined, 12],
    ["12 ", 12, 12],
    ["-0 ", -0, -0],
    ["1e400 ", Infinity, Infinity],
    ['{"a":1,"a":"x', { a: "x" }, { a: 1 }]
  ])("parses %j as far as possible", (text, value, ended) => {
    for (const json of [feed(text), feed(...text)]) {
      expect(json.value()).toStrictEqual(value)
      expect(json.end()).toEqual(Either.right(ended))
    }
  })

  it.each([
    "}",
    "]",
    ",",
    ":",
    "nope",
    "nulL",
    "NaN",
    "Infinity",
    "+1",
    "01",
    "1.",
    ".5 ",
    "1 2",
    "--1 ",
    "1e5e5 ",
    "'a'",
    '"a" "b"',
    '"\n"',
    '"\\x"',
    '"\\u00g0"',
    "[1 2]",
    "[,]",
    "[1,]",
    "[1,,2]",
    "[1}",
    '{"a" 1}',
    '{"a":}',
    '{"a":1,}',
    '{"a":1]',
    "{a:1}",
    "{1:1}",
    '{"a":1}}',
    '{"a":1} x',
    "\u00a0{}",
    "\ufeff{}"
  ])("reports that %j is not JSON, and returns the value before it", (text) => {
    expect(() => JSON.parse(text)).toThrow()
    for (const json of [feed(text, " "), feed(...text, " ")]) {
      json.value()
      json.push('"more"')
      json.value()
      expect(Either.isLeft(json.end())).toBe(true)
    }
  })

  it("keeps the value before the error", () => {
    const json = feed('{"a":1,"b":[2,3],"c" 4}')
    expect(json.value()).toEqual({ a: 1, b: [2, 3] })
    expect(json.end()).toSatisfy(Either.isLeft)
  })

  holdsPlainly(
    "agrees with JSON.parse on the validity of a text",
    [fc.string({ unit: fc.constantFrom(...'{}[]:,"\\u0d1-.e+ truefalsn') })],
    ([text]) => {
      const ended = feed(`${text} `).end()
      const parsed = Either.try(() => JSON.parse(text))
      if (Either.isRight(parsed)) expect(ended).toEqual(parsed)
      if (Either.isLeft(ended)) expect(parsed).toSatisfy(Either.isLeft)
    }
  )

  it("treats __proto__ as an ordinary key", () => {
    for (const text of [
      '{"__proto__":{"admin":true},"a":1}',
      '{"__proto__":{"admin":true',
      '{"__proto__":1,"b":'
    ]) {
      for (const value of [feed(...text).value(), Either.getOrThrow(feed(text).end())] as Array<object>) {
        expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
        expect(Object.hasOwn(value, "__proto__")).toBe(true)
        expect(value).not.toHaveProperty("admin")
      }
    }
  })

  it("reads a long text by single characters, with a value at each, without rereading", () => {
    const json = new PartialJson()
    const text = `{"a":[1,"${"x\\n".repeat(100_000)}"]}`
    let shown = 0
    for (const char of text) {
      json.push(char)
      if (json.value() !== undefined) shown++
    }
    expect(shown).toBe(text.length)
    expect(json.value()).toEqual({ a: [1, "x\n".repeat(100_000)] })
  })

  it("accepts a thousand levels, and rejects more without a stack overflow", () => {
    const nested = (depth: number): PartialJson => {
      const json = feed("[".repeat(depth))
      json.value()
      json.push("]".repeat(depth))
      return json
    }
    expect(Either.isRight(nested(1000).end())).toBe(true)
    expect(nested(1000).value()).toHaveLength(1)
    for (const depth of [1001, 50_000, 1_000_000]) {
      expect(nested(depth).end()).toEqual(Either.left("it is nested deeper than 1000 levels"))
    }
    // Brackets in strings do not count.
    expect(feed(JSON.stringify(["[{\\".repeat(5000)])).end()).toEqual(Either.right(["[{\\".repeat(5000)]))
    expect(Either.isLeft(feed("[".repeat(5000)).end())).toBe(true)
  })

  it("copies nothing for a value that is not read", () => {
    const json = new PartialJson()
    const read: Array<unknown> = []
    let defined = 0
    const { defineProperty } = Object
    Object.defineProperty = (...args) => {
      defined++
      return defineProperty(...args)
    }
    try {
      json.push("{")
      // Every copy defines this key, the only one that assignment cannot set.
      for (let n = 0; n < 3000; n++) {
        json.push(`${n === 0 ? "" : ","}"__proto__":"value"`)
        const later = json.lazyValue()
        if (n === 999) read.push(later?.())
      }
    } finally {
      Object.defineProperty = defineProperty
    }
    expect(defined).toBe(1000)
    expect(read).toHaveLength(1)
  })

  it("returns a lazy value as of the time of its request", () => {
    fc.assert(
      fc.property(documents, fc.array(fc.nat(), { maxLength: 20 }), (text, cuts) => {
        const json = new PartialJson()
        const taken = splitAt(text, cuts).map((piece) => {
          json.push(piece)
          return { later: json.lazyValue() }
        })
        let before = ""
        for (const [index, piece] of splitAt(text, cuts).entries()) {
          before += piece
          const alone = new PartialJson()
          alone.push(before)
          expect(taken[index]?.later?.()).toStrictEqual(alone.value())
        }
      })
    )
  })
})
