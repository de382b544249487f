import { FastCheck as fc, Redacted } from "effect"
import { describe, expect, it } from "vitest"
import { expandPath, type PathParams } from "../../src/wire/pathTemplate.js"
import { parseBase, resolve, withQuery } from "../../src/wire/url.js"
import { errorOf, valueOf } from "../fixtures/results.js"

const path = (template: string, params?: PathParams): string => valueOf(expandPath(template, params))
const rejected = (template: string, params?: PathParams) => errorOf(expandPath(template, params))

/** The URL that a server gets to see, as any parser reads it. */
const sent = (template: string, params: PathParams): URL => {
  const { query, url } = valueOf(resolve(valueOf(parseBase("https://h/v1")), path(template, params)))
  return new URL(withQuery(url, query))
}

/** The variables of RFC 6570, 3.2. */
const rfc = {
  count: ["one", "two", "three"],
  dom: ["example", "com"],
  dub: "me/too",
  hello: "Hello World!",
  half: "50%",
  var: "value",
  who: "fred",
  base: "http://example.com/home/",
  path: "/foo/bar",
  list: ["red", "green", "blue"],
  v: "6",
  x: "1024",
  y: "768",
  empty: "",
  undef: undefined
} as const

const names = (template: string): PathParams =>
  Object.fromEntries(
    Object.entries(rfc).filter(([name]) => new RegExp(`[{,+/?&]${name}[},*]`).test(template))
  )

/** A segment may have these unencoded (RFC 3986, pchar), and the RFC's simple expansion encodes them. */
const unencoded = (text: string) => text.replace(/%(?:2[146789BC]|3[ABD]|40)/g, decodeURIComponent)

/** The RFC's own examples. */
describe("RFC 6570", () => {
  it.each([
    ["{var}", "value"],
    ["{hello}", "Hello%20World%21"],
    ["{half}", "50%25"],
    ["O{empty}X", "OX"],
    ["{x,y}", "1024,768"],
    ["{x,hello,y}", "1024,Hello%20World%21,768"],
    ["{var}/{dub}", "value/me%2Ftoo"]
  ])("2.3 3.2.2, simple: %s is %s", (template, expansion) => {
    expect(path(template, names(template))).toBe(`/${unencoded(expansion)}`)
  })

  it.each([
    ["{+var}", "value"],
    ["{+hello}", "Hello%20World!"],
    ["{+half}", "50%25"],
    ["O{+empty}X", "OX"],
    ["{+path}/here", "/foo/bar/here"],
    ["up{+path}{var}/here", "up/foo/barvalue/here"],
    ["{+x,hello,y}", "1024,Hello%20World!,768"],
    ["{+path,x}/here", "/foo/bar,1024/here"]
  ])("2.4 3.2.3, reserved: %s is %s", (template, expansion) => {
    expect(path(template, names(template))).toBe(expansion.startsWith("/") ? expansion : `/${expansion}`)
  })

  it.each([
    ["{/who}", "/fred"],
    ["{/who,who}", "/fred/fred"],
    ["{/half,who}", "/50%25/fred"],
    ["{/who,dub}", "/fred/me%2Ftoo"],
    ["{/var}", "/value"],
    ["{/var,undef}", "/value"],
    ["{/var,x}/here", "/value/1024/here"],
    ["{/list}", "/red,green,blue"],
    ["{/list*}", "/red/green/blue"]
  ])("2.4 3.2.6, path segments: %s is %s", (template, expansion) => {
    expect(path(template, names(template))).toBe(expansion)
  })

  it.each([
    ["{?who}", "?who=fred"],
    ["{?half}", "?half=50%25"],
    ["{?x,y}", "?x=1024&y=768"],
    ["{?x,y,empty}", "?x=1024&y=768&empty="],
    ["{?x,y,undef}", "?x=1024&y=768"],
    ["{?list}", "?list=red,green,blue"],
    ["{?list*}", "?list=red&list=green&list=blue"],
    ["{?count*}", "?count=one&count=two&count=three"]
  ])("2.4 3.2.8, query: %s is %s", (template, expansion) => {
    expect(path(template, names(template))).toBe(`/${expansion}`)
  })

  it.each([
    ["?fixed=yes{&x}", "?fixed=yes&x=1024"],
    ["?fixed=yes{&x,y,empty}", "?fixed=yes&x=1024&y=768&empty="],
    ["?fixed=yes{&x,y,undef}", "?fixed=yes&x=1024&y=768"],
    ["?fixed=yes{&list}", "?fixed=yes&list=red,green,blue"],
    ["?fixed=yes{&list*}", "?fixed=yes&list=red&list=green&list=blue"]
  ])("2.4 3.2.9, query continuation: %s is %s", (template, expansion) => {
    expect(path(template, names(template))).toBe(`/${expansion}`)
  })

  it.each([
    "X{#var}",
    "{#path,x}/here",
    "X{.var}",
    "www{.dom*}",
    "{;who}",
    "{;list*}",
    "{var:3}",
    "{+path:6}/here",
    "{/var:1,var}",
    "{list*}",
    "{+list*}",
    "{=var}",
    "{!var}",
    "{@var}",
    "{|var}",
    "{,var}",
    "{*}",
    "{+}",
    "{/}",
    "{?}",
    "{?&x}",
    "{{?x}}",
    "{?x",
    "/a{/b/c}",
    "/a{?b?c}",
    "/a{?x}/b",
    "/a{?x}?b=1",
    "/a?b=1{&x}c=2"
  ])("2.4 an operator that is not for requests is rejected: %s", (template) => {
    expect(rejected(template, names(template))).toMatchObject({
      field: "path",
      reason: expect.stringContaining("names after one of + / ? &")
    })
  })
})

describe("{+name}", () => {
  it.each<[string, PathParams, string]>([
    ["/{bucket}/{+key}", { bucket: "b", key: "a/b c/d?e#f%20" }, "/b/a/b%20c/d%3Fe%23f%2520"],
    ["/{bucket}/{+key}", { bucket: "b", key: "photos/" }, "/b/photos/"],
    ["/{bucket}/{+key}", { bucket: "b", key: "a//b" }, "/b/a//b"],
    ["/{bucket}/{+key}", { bucket: "b", key: "/a" }, "/b//a"],
    ["/{bucket}/{+key}", { bucket: "b", key: "...." }, "/b/...."],
    ["/{bucket}/{+key}", { bucket: "b", key: "%2e%2e/x" }, "/b/%252e%252e/x"],
    ["/{bucket}/{+key}", { bucket: "b", key: "a%2Fb" }, "/b/a%252Fb"],
    ["/{+key}", { key: "https://evil.test/x" }, "/https://evil.test/x"],
    ["{+key}", { key: "@evil.test" }, "/@evil.test"],
    ["{+key}", { key: "/a/b" }, "/a/b"],
    ["/x{+key}y", { key: "" }, "/xy"],
    ["/{+key}", { key: Redacted.make("a/b") }, "/a/b"],
    ["https://h{/a}/{+key}", { a: "x", key: "y/z" }, ""]
  ])("2.4 keeps the slashes of its value: %s with %o is %s", (template, params, expected) => {
    if (expected === "") expect(rejected(template, params).field).toBe("path")
    else expect(path(template, params)).toBe(expected)
  })

  it.each<[string, unknown, string]>([
    ["/{b}/{+key}", "", "empty"],
    ["/{+key}", "/x", "empty"],
    ["/{+key}", "//evil.test/x", "empty"],
    ["{+key}", "//evil.test/x", "empty"],
    ["{+key}", "/", ""],
    ["/{b}/{+key}", "..", "dot"],
    ["/{b}/{+key}", "a/../b", "dot"],
    ["/{b}/{+key}", "a/.", "dot"],
    ["/{b}/{+key}", "./a", "dot"],
    ["/{b}/.{+key}", "./a", "dot"],
    ["/{b}/{+key}.", "a/.", "dot"],
    ["/{b}/%2e{+key}", "./a", "dot"],
    ["/{b}/{+key}", "a/..;/b", ";"],
    ["/{b}/{+key}", "a/;jsessionid=1", ";"],
    ["/{b}/{+key}", "..;x", ";"],
    ["/{b}/{+key}", "a\\b", "backslash"],
    ["/{b}/{+key}", "a\nb", "control"],
    ["/{b}/{+key}", "a\0", "control"],
    ["/{b}/{+key}", "a\ud800", "surrogate"],
    ["/{b}/{+key}", ["a"], "string"],
    ["/{b}/{+key}", null, "string"],
    ["/{b}/{+key}", undefined, "missing"]
  ])("2.4 rejects what would lead elsewhere: %s with %j", (template, key, reason) => {
    const params = (template.includes("{b}") ? { b: "b", key } : { key }) as PathParams
    if (reason === "") expect(path(template, params)).toBe("/")
    else expect(rejected(template, params)).toMatchObject({ reason: expect.stringContaining(reason) })
  })
})

describe("optional names", () => {
  it.each<[string, PathParams, string]>([
    ["/todos{/id}", {}, "/todos"],
    ["/todos{/id}", { id: undefined }, "/todos"],
    ["/todos{/id}", { id: 7 }, "/todos/7"],
    ["{/id}", {}, "/"],
    ["{/id}", { id: 7 }, "/7"],
    ["/todos{/path*}", { path: [] }, "/todos"],
    ["/todos{/path*}", { path: ["a/b", "c,d"] }, "/todos/a%2Fb/c%2Cd"],
    ["/todos{/path}", { path: ["a,b", "c"] }, "/todos/a%2Cb,c"],
    ["/todos{/a,b}/x{?q}", { b: 1n }, "/todos/1/x"],
    ["/todos{?q,page}", {}, "/todos"],
    ["/todos{?q,page}", { page: 2 }, "/todos?page=2"],
    ["/todos{?q}", { q: "" }, "/todos?q="],
    ["/todos{?q}", { q: "a&b=c#d/é" }, "/todos?q=a%26b%3Dc%23d%2F%C3%A9"],
    ["/todos{?a}{&b}", { b: true }, "/todos?b=true"],
    ["/todos{?a}&x=1", {}, "/todos?x=1"],
    ["/todos?x=1{?a}", { a: 1 }, "/todos?x=1&a=1"],
    ["/todos{&a}", { a: 1 }, "/todos?a=1"],
    ["/todos{?user id}", { "user id": 1 }, "/todos?user%20id=1"],
    ["/map?ll={lat,lng}", { lat: 1.5, lng: -2 }, "/map?ll=1.5,-2"],
    ["/map/{a,b}", { a: "x,y", b: "z" }, "/map/x%2Cy,z"],
    ["/todos{/constructor}{?toString}", {}, "/todos"],
    ["/todos{?q}", { q: Redacted.make("s&t") }, "/todos?q=s%26t"],
    ["https://h/x{?q}", { q: 1 }, "https://h/x?q=1"]
  ])("2.4 are left out or listed: %s with %o is %s", (template, params, expected) => {
    expect(path(template, params)).toBe(expected)
  })

  it.each<[string, unknown]>([
    ["/x{/a}", ""],
    ["/x{/a}", ".."],
    ["/x{/a*}", ["b", ""]],
    ["/x{/a*}", ["b", "..", "c"]],
    ["/x{/a*}", ["b", ";c"]],
    ["/x{/a*}", ["b", [1]]],
    ["/x{/a*}", ["b", { c: 1 }]],
    ["/x{/a}", { b: 1 }],
    ["/x{/a*}", ["b", undefined]],
    ["/x{?a}", { b: 1 }],
    ["/x{?a*}", ["\ud800"]],
    ["/{a,b}", undefined]
  ])("2.4 names the value that cannot be sent: %s with %j", (template, a) => {
    expect(rejected(template, { a } as PathParams).field).toBe("path.a")
  })

  it.each(["https://h{/a}", "https://h{?a}", "https://{+a}/x", "https://h{+a}"])(
    "2.2 no value is a part of the host: %s",
    (template) => {
      expect(rejected(template, { a: "x" })).toMatchObject({ field: "path" })
    }
  )
})

describe("laws", () => {
  const wild = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string(),
    fc.stringMatching(/^[./;%2eEfF\\a?#@:&=,+*{}]*$/),
    fc.constantFrom("..", ".", "//", "/..", "..;/", "%2e%2e", "http://evil.test", "\\\\evil.test", "a/b")
  )
  const origin = "https://h"

  it("2.3 {name} is one segment, which decodes to the value", () => {
    fc.assert(
      fc.property(wild, (a) => {
        const expanded = expandPath("/x/{a}/y", { a })
        if (!expanded.ok) return
        const { host, pathname, search } = sent("/x/{a}/y", { a })
        expect([host, search]).toEqual(["h", ""])
        expect(pathname.split("/").map(decodeURIComponent)).toEqual(["", "v1", "x", a, "y"])
      })
    )
  })

  it("2.4 {+name} is the path of its value, and never another host, query or level", () => {
    fc.assert(
      fc.property(wild, fc.constantFrom("/x/{+a}", "/x/{+a}/y", "{+a}", "/{+a}", "/x{+a}"), (a, template) => {
        const expanded = expandPath(template, { a })
        if (!expanded.ok) return
        const url = sent(template, { a })
        expect([url.origin, url.search, url.hash]).toEqual([origin, "", ""])
        const expected = `/v1/${template.replace("{+a}", () => a).replace(/^\//, "")}`
        expect(url.pathname.split("/").map(decodeURIComponent)).toEqual(expected.split("/"))
      })
    )
  })

  it("2.4 {/names*} adds exactly the segments of its list", () => {
    fc.assert(
      fc.property(fc.array(wild, { maxLength: 4 }), (a) => {
        const expanded = expandPath("/x{/a*}/y", { a })
        if (!expanded.ok) return
        const { host, pathname, search } = sent("/x{/a*}/y", { a })
        expect([host, search]).toEqual(["h", ""])
        expect(pathname.split("/").map(decodeURIComponent)).toEqual(["", "v1", "x", ...a, "y"])
      })
    )
  })

  it("2.4 {?names} adds exactly its parameters", () => {
    fc.assert(
      fc.property(wild, fc.array(wild, { maxLength: 3 }), fc.option(wild, { nil: undefined }), (a, b, c) => {
        const expanded = expandPath("/x{?a,b*}{&c}", { a, b, c })
        if (!expanded.ok) return
        const url = sent("/x{?a,b*}{&c}", { a, b, c })
        const given = [["a", a], ...b.map((each) => ["b", each]), ...(c === undefined ? [] : [["c", c]])]
        expect(url.pathname).toBe("/v1/x")
        expect([...url.searchParams]).toEqual(given)
      })
    )
  })

  it("2.4 no template and no value makes anything throw", () => {
    const part = fc.oneof(wild, fc.stringMatching(/^\{[+/?&#.;a,b*:3]*\}$/))
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), wild, wild, (parts, a, b) => {
        const expanded = expandPath(parts.join(""), { a, b })
        if (expanded.ok) resolve(valueOf(parseBase(origin)), expanded.value)
      })
    )
  })
})
