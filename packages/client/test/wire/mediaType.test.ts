import { FastCheck as fc } from "effect"
import { describe, expect, it } from "vitest"
import { parse } from "../../src/wire/mediaType.js"

describe("parse", () => {
  it.each([
    [undefined, "", undefined],
    ["", "", undefined],
    ["application/json", "application/json", undefined],
    ["Application/JSON; Charset=UTF-8", "application/json", "UTF-8"],
    [' text/plain ; charset = "utf-8" ; x=y', "text/plain", "utf-8"],
    ['text/plain; charset="a\\"b"', "text/plain", 'a"b'],
    ["text/plain;charset=latin1", "text/plain", "latin1"],
    // WHATWG Fetch, "extract a MIME type": the last type that parses counts.
    ["text/html, application/json", "application/json", undefined],
    ["application/json, application/json", "application/json", undefined],
    ["application/json; charset=utf-8, application/json", "application/json", "utf-8"],
    ["text/html; charset=latin1, application/json", "application/json", undefined],
    ["text/html;charset=gbk;a=b, text/html;x=y", "text/html", "gbk"],
    ["text/html;charset=gbk, x/x, text/html;x=y", "text/html", undefined],
    ["text/html, */*", "text/html", undefined],
    ["application/json, junk", "application/json", undefined],
    ['text/html; a="b, c/d", application/json', "application/json", undefined],
    ['text/html; a="b, c/d', "text/html", undefined],
    // A header that does not parse is returned as the type.
    ["junk", "junk", undefined],
    ["Junk; charset=utf-8", "junk", undefined],
    [",", ",", undefined]
  ])("8.5 parses %j", (header, type, charset) => {
    expect(parse(header)).toEqual({ type, charset })
  })

  it("8.5 parses any header in linear time and never throws", () => {
    const noise = fc.string({ unit: fc.constantFrom(...'/;,="\\ ca'), maxLength: 60 })
    fc.assert(
      fc.property(noise, (header) => {
        const { type } = parse(header)
        expect(type).toBe(type.trim().toLowerCase())
      })
    )
    for (const long of ['"', '\\"', "a/b;", "a/b,", " ", ";", 'a/b;charset="', ";charset"]) {
      expect(typeof parse(`a/b; ${long.repeat(50_000)}`).type).toBe("string")
    }
  })
})
