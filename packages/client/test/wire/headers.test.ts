import { FastCheck as fc, Redacted } from "effect"
import { describe, expect, it } from "vitest"
import type { HeaderLayer, HeadersInput } from "../../src/wire/headers.js"
import { compile, empty, finish, merge, mergeInput, single, utf8 } from "../../src/wire/headers.js"
import { errorOf, valueOf } from "../fixtures/results.js"

const layer = (input: HeadersInput): HeaderLayer => valueOf(compile(input, "headers"))
const rejected = (input: unknown) => errorOf(compile(input as HeadersInput, "headers"))

describe("compile", () => {
  it.each<[HeadersInput, HeaderLayer]>([
    [{}, {}],
    [{ "X-Name": "Value" }, { "x-name": "Value" }],
    [
      { a: 1, b: 1.5, c: true, d: false },
      { a: "1", b: "1.5", c: "true", d: "false" }
    ],
    [{ a: "" }, { a: "" }],
    [{ a: null, b: undefined }, { a: null }],
    [{ a: Redacted.make("secret") }, { a: "secret" }],
    [{ a: ["x", 1, true, Redacted.make("y")] }, { a: "x, 1, true, y" }],
    [{ Cookie: ["a=1", "b=2"] }, { cookie: "a=1; b=2" }],
    [{ a: ["x"] }, { a: "x" }],
    [{ a: [] }, { a: null }],
    [{ a: " \t x \t y \t " }, { a: "x \t y" }],
    [{ a: [" x ", " y "] }, { a: "x, y" }],
    [{ a: "\x80é\xff" }, { a: "\x80é\xff" }],
    [{ "X-A": "1", "x-a": "2" }, { "x-a": "2" }],
    [{ "x-a": "2", "X-A": "1" }, { "x-a": "1" }],
    [{ "X-A": "1", "x-a": null }, { "x-a": null }],
    [{ "X-A": "1", "x-a": undefined }, { "x-a": "1" }],
    [{ "!#$%&'*+-.^_`|~09azAZ": "x" }, { "!#$%&'*+-.^_`|~09azaz": "x" }],
    [
      { constructor: "x", toString: "y" } as unknown as HeadersInput,
      { constructor: "x", tostring: "y" } as never
    ]
  ])("4.1 compiles %j to %j", (input, expected) => {
    expect(layer(input)).toEqual(expected)
  })

  it("4.1 undefined compiles to the empty layer", () => {
    expect(valueOf(compile(undefined, "headers"))).toBe(empty)
  })

  it.each(["", " ", "a b", "a:", "a\n", "a\r\nb", "a\0", "é", "\u212a", "a,b", "a/b", "(a)", "__proto__"])(
    "4.2 rejects the header name %j",
    (name) => {
      const { field, reason } = rejected(JSON.parse(`{${JSON.stringify(name)}: "x"}`))
      expect(field.startsWith("headers.")).toBe(true)
      expect(field).not.toMatch(/[\r\n\0]/)
      expect(reason).toContain("token")
    }
  )

  it.each([
    ["x\r\nforged: 1", "CR, LF or NUL"],
    ["x\n", "CR, LF or NUL"],
    ["\rx", "CR, LF or NUL"],
    ["x\0y", "CR, LF or NUL"],
    ["x\x01y", "control characters"],
    ["x\x7fy", "control characters"],
    ["x\u0100y", "U+00FF"],
    ["smile 😃", "U+00FF"],
    ["\u010a", "U+00FF"]
  ])("4.2 rejects the header value %j", (value, reason) => {
    for (const a of [value, Redacted.make(value), ["ok", value], ["ok", Redacted.make(value)]]) {
      expect(rejected({ "X-A": a })).toEqual({
        field: "headers.x-a",
        reason: expect.stringContaining(reason)
      })
    }
  })

  it.each<[unknown]>([
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [{}],
    [Symbol("x")],
    [() => "x"],
    [new Date(0)],
    [[["x"]]],
    [Redacted.make(1)]
  ])("4.2 rejects %s, which is not a header value", (a) => {
    expect(rejected({ a }).field).toBe("headers.a")
  })

  it("4.2 rejects a wiped Redacted", () => {
    const a = Redacted.make("secret")
    Redacted.unsafeWipe(a)
    expect(rejected({ a }).field).toBe("headers.a")
  })

  it("12.4 the reason never repeats the value", () => {
    expect(JSON.stringify(rejected({ a: Redacted.make("hunter2\n") }))).not.toContain("hunter2")
    expect(JSON.stringify(rejected({ a: "hunter2\n" }))).not.toContain("hunter2")
  })
})

describe("layers", () => {
  it("4.1 later layers win, null removes a header, undefined changes nothing", () => {
    const defaults = layer({ accept: "*/*", "user-agent": "x", "x-a": "1", "x-b": "1" })
    const config = layer({ "User-Agent": "mine", "X-A": null, "x-b": undefined })
    const request = layer({ "X-B": "2" })
    const all = merge(merge(defaults, config), request)
    expect(all).toEqual({ accept: "*/*", "user-agent": "mine", "x-a": null, "x-b": "2" })
    expect(finish(all)).toEqual({ accept: "*/*", "user-agent": "mine", "x-b": "2" })
  })

  it("4.1 merging keeps a removal, and a later layer may set the header again", () => {
    const overrides = merge(layer({ a: "1" }), layer({ a: null }))
    expect(finish(merge(layer({ a: "0" }), overrides))).toEqual({})
    expect(finish(merge(overrides, layer({ a: "2" })))).toEqual({ a: "2" })
  })

  it("4.1 merging changes neither layer", () => {
    const under = Object.freeze(layer({ a: "1" }))
    const over = Object.freeze(layer({ a: "2" }))
    expect(merge(under, over)).toEqual({ a: "2" })
    expect(merge(under, empty)).toBe(under)
    expect(merge(empty, over)).toBe(over)
    expect(finish(empty)).toEqual({})
  })

  it("4.2 rejects __proto__ and never changes a prototype", () => {
    const hostile = JSON.parse(`{"__proto__": null, "__PROTO__": "x", "a": "1"}`)
    expect(!compile(hostile, "headers").ok).toBe(true)
    const upper = layer(JSON.parse(`{"__PROTO__": "x", "a": "1"}`))
    expect(Object.getPrototypeOf(upper)).toBe(Object.prototype)
  })
})

describe("mergeInput", () => {
  it.each<[HeadersInput | undefined, HeadersInput | undefined, HeadersInput]>([
    [undefined, undefined, {}],
    [{ "X-A": "1" }, undefined, { "x-a": "1" }],
    [{ "x-a": "1", b: "1" }, { "X-A": "2" }, { "x-a": "2", b: "1" }],
    [{ "X-A": "1" }, { "x-a": null }, { "x-a": null }],
    [{ "X-A": null }, { "x-a": "2" }, { "x-a": "2" }],
    [{ "x-a": "1" }, { "X-A": undefined }, { "x-a": "1" }],
    [{ "x-a": null }, { b: "2" }, { "x-a": null, b: "2" }],
    [{ "X-A": "1", "x-a": "2" }, {}, { "x-a": "2" }]
  ])("1.4 %j overridden by %j is %j", (under, over, merged) => {
    expect(mergeInput(under, over)).toEqual(merged)
  })
})

describe("properties", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.integer({ min: 0, max: 0x17f }).map((code) => String.fromCharCode(code)) }),
    fc.string()
  )

  it("4.2 every name and value is rejected or accepted by fetch unchanged", () => {
    fc.assert(
      fc.property(text, text, (name, value) => {
        const result = compile({ [name]: value }, "headers")
        if (!result.ok) return
        const headers = new Headers(finish(result.value))
        expect([...headers]).toEqual(Object.entries(result.value))
      }),
      { numRuns: 1000 }
    )
  })

  it("4.2 every printable value under a valid name is accepted", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii" }), (value) => {
        expect(layer({ "x-a": value })).toEqual({ "x-a": value.trim() })
      })
    )
  })

  it("4.2 compile rejects arbitrary input and never throws", () => {
    fc.assert(
      fc.property(fc.dictionary(text, fc.anything()), (input) => {
        const result = compile(input as HeadersInput, "headers")
        if (!result.ok) expect(result.error.field).toMatch(/^headers/)
        else
          expect([...new Headers(finish(result.value))]).toHaveLength(
            Object.keys(finish(result.value)).length
          )
        mergeInput(input as HeadersInput, input as HeadersInput)
      })
    )
  })
})

describe("single", () => {
  it.each([
    ["", ""],
    ["a", "a"],
    ["a, a", "a"],
    ["a, a, a", "a"],
    ["a, b", "a, b"],
    ["a, b, a, b", "a, b"],
    ["a, b, a", "a, b, a"],
    ["a,a", "a,a"],
    [", ", ""],
    ["Fri, 29 Sep 2023 16:26:57 GMT", "Fri, 29 Sep 2023 16:26:57 GMT"],
    ["Fri, 29 Sep 2023 16:26:57 GMT, Fri, 29 Sep 2023 16:26:57 GMT", "Fri, 29 Sep 2023 16:26:57 GMT"]
  ])("8.5 %j is read as %j", (value, expected) => {
    expect(single(value)).toBe(expected)
  })

  it("8.5 a value of 30,000 parts is read in linear time", () => {
    const long = `${"a, ".repeat(30_000)}b`
    expect(single(long)).toBe(long)
  })
})

describe("utf8", () => {
  it.each([
    ["", ""],
    ["/plain", "/plain"],
    ["/caf\u00c3\u00a9", "/caf\u00e9"],
    ["\u00e6\u0097\u00a5", "\u65e5"],
    ["\u00f0\u009f\u008d\u008a", "\u{1f34a}"],
    ["\u00ef\u00bb\u00bfx", "\ufeffx"],
    // Not UTF-8, or already decoded.
    ["/caf\u00e9", "/caf\u00e9"],
    ["\u00c3", "\u00c3"],
    ["\u00c3\u00a9\u65e5", "\u00c3\u00a9\u65e5"],
    ["\u00ed\u00a0\u0080", "\u00ed\u00a0\u0080"]
  ])("8.5 %j is decoded to %j", (value, expected) => {
    expect(utf8(value)).toBe(expected)
  })

  it("8.5 any UTF-8 text is decoded to the original", () => {
    const text = fc.string({ unit: "grapheme" })
    fc.assert(
      fc.property(text, (text) => {
        const bytes = new TextEncoder().encode(text)
        expect(utf8(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))).toBe(text)
      })
    )
  })
})
