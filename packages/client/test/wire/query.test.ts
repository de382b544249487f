import { readFileSync } from "node:fs"
import { runInNewContext } from "node:vm"
import { DateTime, Duration, Either, FastCheck as fc, Option, Redacted } from "effect"
import { describe, expect, it } from "vitest"
import type { QueryFormat, QueryInput, QueryLayer } from "../../src/wire/query.js"
import {
  arrayFormats,
  defaultFormat,
  encode,
  formEncode,
  fromInput,
  fromString,
  merge,
  nestingFormats,
  render
} from "../../src/wire/query.js"
import { struct } from "../fixtures/data.js"
import { errorOf, valueOf } from "../fixtures/results.js"

interface Row extends Partial<QueryFormat> {
  readonly query: QueryInput
  readonly decoded: string
}

const vectors: { readonly cases: ReadonlyArray<Row> } = JSON.parse(
  readFileSync(new URL("../vectors/query.json", import.meta.url), "utf8")
)

const wire = (query: QueryInput, format: Partial<QueryFormat> = {}): string =>
  valueOf(encode(query, { ...defaultFormat, ...format }))

const rejected = (query: unknown, format: Partial<QueryFormat> = {}) =>
  errorOf(encode(query as QueryInput, { ...defaultFormat, ...format }))

const layer = (query: QueryInput): QueryLayer => valueOf(fromInput(query, defaultFormat))

describe("encode", () => {
  it.each(vectors.cases)(
    "3.2 encodes $query as $decoded ($arrays, $nesting)",
    ({ decoded, query, ...format }) => {
      expect(decodeURIComponent(wire(query, format))).toBe(decoded)
      expect(decodeURIComponent(valueOf(formEncode(query, { ...defaultFormat, ...format })))).toBe(decoded)
    }
  )

  it.each<[QueryInput, string]>([
    [{ q: "a b" }, "q=a%20b"],
    [{ q: "a+b&c=d#e?f/é😃" }, "q=a%2Bb%26c%3Dd%23e%3Ff%2F%C3%A9%F0%9F%98%83"],
    [{ "a b": 1 }, "a%20b=1"],
    [{ "a[b]": 1 }, "a%5Bb%5D=1"],
    [{ a: { b: [1] } }, "a%5Bb%5D%5B%5D=1"],
    [{ "": 1 }, "=1"],
    [{ a: "" }, "a="],
    [
      { a: 0, b: -0, c: 1.5, d: 1e21, e: 12345678901234567890n },
      "a=0&b=0&c=1.5&d=1e%2B21&e=12345678901234567890"
    ],
    [{ a: new Date(0) }, "a=1970-01-01T00%3A00%3A00.000Z"],
    [{ a: { b: new Date(0) } }, "a%5Bb%5D=1970-01-01T00%3A00%3A00.000Z"],
    [{ a: Redacted.make("s t") }, "a=s%20t"],
    [{ a: { b: [Redacted.make("s"), "t"] } }, "a%5Bb%5D%5B%5D=s&a%5Bb%5D%5B%5D=t"],
    [{ a: DateTime.unsafeMake(0) }, "a=1970-01-01T00%3A00%3A00.000Z"],
    [{ a: new URL("https://h/x") }, "a=https%3A%2F%2Fh%2Fx"],
    [{ a: { toJSON: () => ({ b: [1, null] }) } }, "a%5Bb%5D%5B%5D=1"],
    [{ a: Object.assign(Object.create(null), { b: 1 }) }, "a%5Bb%5D=1"],
    [{ a: { _id: "x" } }, "a%5B_id%5D=x"],
    [{ a: undefined, b: null, c: [], d: {}, e: [null, undefined], f: { g: [] }, h: [[]] }, ""],
    [{}, ""]
  ])("3.1, 3.2 encodes %o as %j", (query, expected) => {
    expect(wire(query)).toBe(expected)
  })

  it("3.1 undefined encodes to an empty string", () => {
    expect(valueOf(encode(undefined, defaultFormat))).toBe("")
    expect(valueOf(formEncode(undefined, defaultFormat))).toBe("")
  })

  const nested = { a: [{ b: 1 }, { b: [2, 3] }] }
  it.each<[Partial<QueryFormat>, QueryInput, string]>([
    [{}, nested, "a[][b]=1&a[][b][]=2&a[][b][]=3"],
    [{ arrays: "repeat" }, nested, "a[b]=1&a[b]=2&a[b]=3"],
    [{ arrays: "indices" }, nested, "a[0][b]=1&a[1][b][0]=2&a[1][b][1]=3"],
    [{ arrays: "indices", nesting: "dots" }, nested, "a[0].b=1&a[1].b[0]=2&a[1].b[1]=3"],
    [{ arrays: "repeat", nesting: "dots" }, nested, "a.b=1&a.b=2&a.b=3"],
    [{ arrays: "comma" }, { a: { b: [1, true, "x"] } }, "a[b]=1,true,x"],
    [
      { arrays: "comma" },
      { a: [1, null, 2], b: [null], c: [new Date(0)] },
      "a=1,2&c=1970-01-01T00:00:00.000Z"
    ],
    [{ arrays: "indices" }, { a: [1, null, 2] }, "a[0]=1&a[2]=2"],
    [{}, { a: [[1, 2], [3]] }, "a[][]=1&a[][]=2&a[][]=3"]
  ])("3.2 with %j, encodes %j as %j", (format, query, expected) => {
    expect(decodeURIComponent(wire(query, format))).toBe(expected)
  })

  it("3.2 the comma format leaves joining commas bare and encodes commas in values", () => {
    expect(wire({ a: ["x,y", "z"] }, { arrays: "comma" })).toBe("a=x%2Cy,z")
  })

  it("3.2 accepts plain objects of another realm", () => {
    expect(wire({ a: runInNewContext("({ b: 1 })") as QueryInput })).toBe("a%5Bb%5D=1")
  })

  class Money {
    readonly amount = 1
  }
  it.each<[string, unknown]>([
    ["query.a", { a: Number.NaN }],
    ["query.a", { a: Number.NEGATIVE_INFINITY }],
    ["query.a.b.1", { a: { b: [1, Number.NaN] } }],
    ["query.a", { a: new Date(Number.NaN) }],
    ["query.a", { a: "\ud800" }],
    ["query.a", { a: Redacted.make("\ud800") }],
    ["query.a", { a: Redacted.make({ b: 1 }) }],
    ["query.a", { a: () => 1 }],
    ["query.a", { a: Symbol("x") }],
    ["query.a", { a: new Map() }],
    ["query.a", { a: new Set([1]) }],
    ["query.a", { a: /x/ }],
    ["query.a", { a: new Error("x") }],
    ["query.a", { a: new Money() }],
    ["query.a", { a: new Uint8Array(2) }],
    ["query.a", { a: Promise.resolve(1) }],
    ["query.a", { a: new URLSearchParams("x=1") }],
    ["query.a", { a: Object("boxed") }],
    ["query.a", { a: struct({ b: 1 }) }],
    ["query.a", { a: Option.some(1) }],
    ["query.a", { a: Option.none() }],
    ["query.a", { a: Duration.seconds(1) }],
    ["query.a", { a: Either.right(1) }],
    ["query.a.b", { a: { b: new Map() } }],
    [
      "query.a",
      {
        a: {
          toJSON: () => {
            throw new Error("x")
          }
        }
      }
    ],
    ["query", new Map([["a", 1]])],
    ["query", new URLSearchParams("a=1")],
    ["query", [1]],
    ["query", "a=1"],
    ["query", null]
  ])("3.1 rejects %s in %o", (field, query) => {
    expect(rejected(query).field).toBe(field)
  })

  it("3.1 rejects a lone surrogate in a name, and masks it in the error's field", () => {
    expect(rejected({ "a\ud800": 1 }).field).toBe("query.a?")
    expect(rejected({ a: { "\udc00": 1 } }).field).toBe("query.a.?")
    expect(rejected({ "a\r\nforged: line": Number.NaN }).field).toBe("query.a??forged: line")
  })

  it("3.2 the comma format rejects a list or an object in a list", () => {
    expect(rejected({ a: [[1]] }, { arrays: "comma" }).field).toBe("query.a.0")
    expect(rejected({ a: [1, { b: 1 }] }, { arrays: "comma" }).field).toBe("query.a.1")
    expect(rejected({ a: [() => 1] }, { arrays: "comma" }).field).toBe("query.a.0")
  })

  it("3.1 rejects cycles and too deep nesting", () => {
    const a: Record<string, unknown> = { x: 1 }
    a["self"] = { list: [a] }
    expect(rejected({ a })).toMatchObject({ field: "query.a.self.list.0", reason: "must not contain itself" })
    const json = { toJSON: (): unknown => json }
    expect(rejected({ json }).reason).toBe("must not contain itself")
    const endless = (): unknown => ({ toJSON: endless })
    expect(rejected({ a: endless() }).reason).toContain("deeper")
    let deep: unknown = 1
    for (let i = 0; i < 100_000; i++) deep = [deep]
    expect(rejected({ deep }).reason).toContain("deeper")
  })

  it("3.1 accepts the same object twice", () => {
    const shared = { x: 1 }
    expect(decodeURIComponent(wire({ a: shared, b: [shared, shared] }))).toBe("a[x]=1&b[][x]=1&b[][x]=1")
  })

  it("12.4 the reason never repeats the value", () => {
    expect(JSON.stringify(rejected({ a: Redacted.make("hunter2\ud800") }))).not.toContain("hunter2")
    expect(JSON.stringify(rejected({ a: "hunter2\ud800" }))).not.toContain("hunter2")
  })

  it("5.2 an invalid form value is reported under `form`", () => {
    expect(formEncode({ a: Number.NaN }, defaultFormat)).toMatchObject({
      error: { field: "form.a" }
    })
  })
})

describe("layers", () => {
  const over = (under: QueryLayer, ...layers: ReadonlyArray<QueryLayer>): string =>
    render(layers.reduce((all, next) => merge(all, next, defaultFormat), under))

  it("3.1 the request wins over the config, the template and the base URL", () => {
    const base = fromString("a=base&b=base&c=base&d=base")
    const template = fromString("b=template&c=template&d=template")
    const config = layer({ c: "config", d: "config" })
    const request = layer({ d: "request" })
    expect(over(base, template, config, request)).toBe("a=base&b=template&c=config&d=request")
  })

  it.each<[string, QueryInput, string]>([
    ["a=1&b=2", { a: undefined }, "b=2"],
    ["a=1&b=2", { a: null }, "b=2"],
    ["a=1&b=2", { a: "" }, "b=2&a="],
    ["a=1&b=2", { a: [] }, "b=2"],
    ["a=1&b=2", {}, "a=1&b=2"],
    ["a=1&a=2", { a: 3 }, "a=3"],
    ["a%5B%5D=1&a%5B%5D=2&ab=3", { a: null }, "ab=3"],
    ["a[b]=1&a=2", { a: { c: 3 } }, "a%5Bc%5D=3"],
    ["a%5Bb%5D=1&a%5Bc%5D=2", { "a[b]": null }, "a%5Bc%5D=2"],
    ["a.b=1", { a: null }, "a.b=1"],
    ["a+b=1&c=2", { "a b": null }, "c=2"],
    ["a&b", { a: null }, "b"],
    ["%zz=1&b=2", { "%zz": null }, "b=2"],
    ["[x]=1", { "": null }, "[x]=1"],
    ["=1&b=2", { "": null }, "b=2"]
  ])("3.1 %j overridden by %j is %j", (under, query, expected) => {
    expect(over(fromString(under), layer(query))).toBe(expected)
  })

  it("3.1 with dots, a name also overrides the names nested under it", () => {
    const format: QueryFormat = { arrays: "brackets", nesting: "dots" }
    expect(render(merge(fromString("a.b=1&ab=2"), layer({ a: null }), format))).toBe("ab=2")
  })

  it("3.1 a dropped name stays dropped in any order of merging", () => {
    const base = fromString("a=1&b=2")
    const dropped = merge(layer({ a: 3, c: 4 }), layer({ a: null }), defaultFormat)
    expect(render(dropped)).toBe("c=4")
    expect(over(base, dropped)).toBe("b=2&c=4")
    expect(over(base, dropped, layer({ a: 5 }))).toBe("b=2&c=4&a=5")
  })

  it("2.1 a query that is already encoded is kept byte for byte", () => {
    const query = "a=%20+%zz&b&c==d&&e=é"
    expect(render(fromString(query))).toBe("a=%20+%zz&b&c==d&e=é")
    expect(render(fromString(""))).toBe("")
  })

  it("12.4 marks the names that hold a secret", () => {
    const secret = layer({ a: 1, key: Redacted.make("hunter2"), b: { c: [Redacted.make("hunter2"), "x"] } })
    expect(decodeURIComponent(render(secret))).toBe("a=1&key=hunter2&b[c][]=hunter2&b[c][]=x")
    expect(secret.map((entry) => entry.secret)).toEqual([false, true, true])
    const comma = { ...defaultFormat, arrays: "comma" } as const
    const joined = valueOf(fromInput({ a: ["x", Redacted.make("hunter2")], b: ["x"] }, comma))
    expect(joined.map((entry) => entry.secret)).toEqual([true, false])
    expect(fromString("key=hunter2").map((entry) => entry.secret)).toEqual([false])
  })
})

describe("properties", () => {
  const formats = fc.record({
    arrays: fc.constantFrom(...arrayFormats),
    nesting: fc.constantFrom(...nestingFormats)
  })
  const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }))
  const wellFormed = text.filter((value) => !/\p{Surrogate}/u.test(value))

  it("3.1 URLSearchParams reads back any query of strings", () => {
    fc.assert(
      fc.property(fc.dictionary(wellFormed, wellFormed), formats, (query, format) => {
        const params = new URLSearchParams(valueOf(encode(query, format)))
        expect([...params]).toEqual(Object.entries(query))
      })
    )
  })

  it("3.2 any list of strings reads back in order", () => {
    fc.assert(
      fc.property(fc.array(wellFormed), (values) => {
        const of = (format: Partial<QueryFormat>) => new URLSearchParams(wire({ a: values }, format))
        expect(of({}).getAll("a[]")).toEqual(values)
        expect(of({ arrays: "repeat" }).getAll("a")).toEqual(values)
        expect([...of({ arrays: "indices" }).values()]).toEqual(values)
        const comma = wire({ a: values }, { arrays: "comma" })
        if (values.length > 0) expect(comma.slice(2).split(",").map(decodeURIComponent)).toEqual(values)
      })
    )
  })

  it("3.1 arbitrary input is encoded to plain ASCII or rejected, never thrown", () => {
    fc.assert(
      fc.property(
        fc.dictionary(text, fc.anything({ withDate: true, withMap: true })),
        formats,
        (query, format) => {
          const result = encode(query as QueryInput, format)
          if (result.ok) expect(result.value).toMatch(/^[A-Za-z0-9\-_.!~*'()%=&,]*$/)
          else expect(result.error.field).toMatch(/^query\./)
        }
      )
    )
  })
})
