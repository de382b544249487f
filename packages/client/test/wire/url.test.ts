import { readFileSync } from "node:fs"
import { FastCheck as fc, Redacted } from "effect"
import { describe, expect, it } from "vitest"
import type { Result } from "../../src/shared/result.js"
import { expandPath, type PathParams } from "../../src/wire/pathTemplate.js"
import type { BaseUrl } from "../../src/wire/url.js"
import { parseBase, resolve, withQuery } from "../../src/wire/url.js"
import { errorOf, valueOf } from "../fixtures/results.js"

interface Row {
  readonly template: string
  readonly path: PathParams
  readonly url: string
}

const vectors: { readonly accepted: ReadonlyArray<Row>; readonly rejected: ReadonlyArray<Row> } = JSON.parse(
  readFileSync(new URL("../vectors/path-template.json", import.meta.url), "utf8")
)

const base = (url: string): BaseUrl => valueOf(parseBase(url))
const path = (template: string, params?: PathParams): string => valueOf(expandPath(template, params))
const rejected = <A, E>(result: Result<A, E>): E => errorOf(result)

/** The final URL, as any URL parser reads it. */
const sent = (baseUrl: string, template: string, params?: PathParams): URL => {
  const { query, url } = valueOf(resolve(base(baseUrl), path(template, params)))
  return new URL(withQuery(url, query))
}

/** Values that plain JavaScript can pass in spite of the types. */
const untyped = (params: unknown): PathParams => params as PathParams

describe("parseBase", () => {
  it.each([
    ["https://api.example.com", "https://api.example.com/", ""],
    ["https://api.example.com/v1", "https://api.example.com/v1/", ""],
    ["https://api.example.com/v1/", "https://api.example.com/v1/", ""],
    ["https://api.example.com/v1?key=a b#top", "https://api.example.com/v1/", "key=a%20b"],
    ["HTTP://API.example.com:80/V1", "http://api.example.com/V1/", ""],
    ["http://[::1]:8080", "http://[::1]:8080/", ""],
    ["https://api.example.com/a/../b", "https://api.example.com/b/", ""],
    ["https://api.example.com/@x", "https://api.example.com/@x/", ""],
    ["  https://api.example.com/v1\n", "https://api.example.com/v1/", ""]
  ])("2.1 parses the base URL %j", (url, prefix, query) => {
    expect(base(url)).toEqual({ origin: new URL(url).origin, prefix, query })
  })

  it.each([
    "",
    "/v1",
    "api.example.com",
    "ftp://api.example.com",
    "javascript:alert(1)",
    "https:api.example.com",
    "https:///api.example.com",
    "https://",
    "https://?x",
    "https://a b",
    "https://host:99999",
    "https://host\\evil.com",
    "https://ho\tst"
  ])("1.2 rejects the base URL %j", (url) => {
    expect(rejected(parseBase(url)).field).toBe("baseUrl")
  })

  it.each(["https://user:hunter2@host/v1", "https://hunter2@host", "https://@host", "https://:@host"])(
    "1.2 rejects credentials in %j, and does not repeat them",
    (url) => {
      const { field, reason } = rejected(parseBase(url))
      expect(field).toBe("baseUrl")
      expect(reason).toContain("credentials")
      expect(reason).not.toContain("hunter2")
    }
  )
})

describe("expandPath", () => {
  it.each(vectors.accepted)("2.3 expands $template with $path to $url", ({ path: params, template, url }) => {
    expect(path(template, params)).toBe(url)
  })

  it.each(vectors.rejected)("2.3 rejects $template with $path", ({ path: params, template }) => {
    expect(expandPath(template, params).ok).toBe(false)
  })

  it.each<[string, PathParams | undefined, string]>([
    ["models", undefined, "/models"],
    ["", undefined, "/"],
    ["///models", undefined, "/models"],
    ["/a//b/", undefined, "/a//b/"],
    ["/{a}/{b}/{a}", { a: 1, b: 2n }, "/1/2/1"],
    ["/{a}", { a: true }, "/true"],
    ["/{a}", { a: 1e21 }, "/1e+21"],
    ["/{a}", { a: -0 }, "/0"],
    ["/{a}", { a: Redacted.make("s/t") }, "/s%2Ft"],
    ["/{a}", { a: "\\" }, "/%5C"],
    ["/{a}", { a: "\t\n\0" }, "/%09%0A%00"],
    ["/{a}", { a: "?#" }, "/%3F%23"],
    ["/{a}", { a: '[]{}|^`"<>' }, "/%5B%5D%7B%7D%7C%5E%60%22%3C%3E"],
    ["/{a}", { a: ".hidden" }, "/.hidden"],
    ["/{a}", { a: "a;b" }, "/a;b"],
    ["/{a}", { a: ".;" }, "/.;"],
    ["/x{a}", { a: ";y" }, "/x;y"],
    ["/x{a}y", { a: "" }, "/xy"],
    ["/{a}{b}", { a: "", b: "x" }, "/x"],
    ["/models/{id}:generate", { id: "a:b" }, "/models/a:b:generate"],
    ["/{constructor}", { constructor: "x" } as unknown as PathParams, "/x"]
  ])("2.3 expands %j with %o to %j", (template, params, expected) => {
    expect(path(template, params)).toBe(expected)
  })

  it.each<[string, PathParams | undefined, string]>([
    ["/messages?beta=true", undefined, "/messages?beta=true"],
    ["/messages?path=../..", undefined, "/messages?path=../.."],
    ["/{a}?b={b}&c={b}", { a: 1, b: "x&y=z /é" }, "/1?b=x%26y%3Dz%20%2F%C3%A9&c=x%26y%3Dz%20%2F%C3%A9"],
    ["/a?b={b}", { b: ".." }, "/a?b=.."],
    ["/a?b={b}", { b: "" }, "/a?b="],
    ["/a?ids[]=1&q=a b", undefined, "/a?ids%5B%5D=1&q=a%20b"],
    ["/a?b=c?d", undefined, "/a?b=c?d"],
    ["/a?", undefined, "/a"]
  ])("2.3 keeps the template's query: %j with %j is %j", (template, params, expected) => {
    expect(path(template, params)).toBe(expected)
  })

  it.each([
    ["/a#b", "/a"],
    ["/a?b=1#c?d=2", "/a?b=1"],
    ["#a", "/"]
  ])("2.1 drops the fragment of %j", (template, expected) => {
    expect(path(template)).toBe(expected)
  })

  it.each([
    ["/a b", "/a%20b"],
    ["/é/😃", "/%C3%A9/%F0%9F%98%83"],
    ["/a|b^c", "/a%7Cb%5Ec"],
    ["/100%", "/100%25"],
    ["/%zz", "/%25zz"],
    ["/%2F", "/%2F"],
    [" /a", "/%20/a"]
  ])("2.3 encodes the literal %j as %j", (template, expected) => {
    expect(path(template)).toBe(expected)
  })

  it.each<[string, PathParams]>([
    ["/%{a}", { a: "2e" }],
    ["/%2{a}", { a: "e" }],
    ["/%{a}%{b}", { a: "2e", b: "2e" }],
    ["/%{a}%2{b}/x", { a: "2E", b: "e" }]
  ])("2.3 a value cannot complete a percent escape: %j with %j", (template, params) => {
    const result = path(template, params)
    expect(result).not.toMatch(/%2e/i)
    expect(sent("https://h/v1", template, params).pathname).toBe(`/v1${result}`)
  })

  it.each<[string, PathParams]>([
    ["/{a}", { a: "." }],
    ["/{a}/x", { a: ".." }],
    ["/{a}?x=1", { a: ".." }],
    ["/.{a}", { a: "." }],
    ["/{a}.", { a: "" }],
    ["/%2e{a}", { a: "." }],
    ["/{a}%2E", { a: "." }],
    ["/a/{a}{b}{c}/x", { a: "", b: ".", c: "." }]
  ])("2.3 rejects values that make a dot segment: %j with %j", (template, params) => {
    expect(rejected(expandPath(template, params))).toMatchObject({
      field: "path.a",
      reason: expect.stringContaining("dot segment")
    })
  })

  it.each(["/..", "/a/./b", "/a/%2e", "/.%2E/b", "..", "https://h/a/../b"])(
    "2.3 rejects the template %j, which has a dot segment",
    (template) => {
      expect(rejected(expandPath(template, undefined))).toMatchObject({ field: "path" })
    }
  )

  it.each<[string, PathParams]>([
    ["/{a}", { a: ";" }],
    ["/{a}/x", { a: ";jsessionid=1" }],
    ["/{a}/x", { a: "..;" }],
    ["/{a}/x", { a: "..;/x" }],
    ["/.{a}/x", { a: ".;a=b" }],
    ["/%2e{a}/x", { a: ".;" }],
    ["/{a}%3Bx", { a: ".." }],
    ["/{a};x", { a: "" }]
  ])("2.3 rejects a segment that starts with ; or ..;: %j with %j", (template, params) => {
    expect(rejected(expandPath(template, params))).toMatchObject({
      field: "path.a",
      reason: expect.stringContaining(";")
    })
  })

  it.each<[string, PathParams]>([
    ["/{a}", { a: "" }],
    ["/{a}/x", { a: "" }],
    ["/x/{a}{b}", { a: "", b: "" }],
    ["/{a}", { a: Redacted.make("") }]
  ])("2.3 rejects an empty value that makes an empty segment: %j with %j", (template, params) => {
    expect(rejected(expandPath(template, params))).toMatchObject({
      field: "path.a",
      reason: expect.stringContaining("empty segment")
    })
  })

  it.each<[unknown]>([
    [null],
    [undefined],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    ["\ud800"],
    ["a\udc00b"],
    [Redacted.make("\ud800")],
    [Redacted.make(1)],
    [{}],
    [["a"]],
    [new Date(0)],
    [Symbol("x")],
    [() => "x"]
  ])("2.3 rejects the value %s", (a) => {
    expect(rejected(expandPath("/{a}", untyped({ a }))).field).toBe("path.a")
    expect(rejected(expandPath("/x?q={a}", untyped({ a }))).field).toBe("path.a")
  })

  it("2.3 rejects a wiped Redacted", () => {
    const a = Redacted.make("secret")
    Redacted.unsafeWipe(a)
    expect(rejected(expandPath("/{a}", { a })).field).toBe("path.a")
  })

  it.each<[string, PathParams | undefined, string]>([
    ["/{id}", undefined, "path.id"],
    ["/{id}", {}, "path.id"],
    ["/{a}/{id}", { a: 1 }, "path.id"],
    ["/x?y={id}", {}, "path.id"],
    ["/{toString}", {}, "path.toString"],
    ["/{__proto__}", {}, "path.__proto__"],
    ["/{id}", { id: 1, idd: 2 }, "path.idd"],
    ["/x", { id: 1 }, "path.id"],
    ["/x#{id}", { id: 1 }, "path.id"]
  ])("2.3 reports the missing or misspelt name: %j with %j", (template, params, field) => {
    expect(rejected(expandPath(template, params)).field).toBe(field)
  })

  it.each(["/{", "/}", "/{}", "/{a", "/a}", "/{{a}}", "/{a}}", "/x?y={", "/{a/b}", "/{a?b}"])(
    "2.3 rejects the malformed template %j",
    (template) => {
      expect(rejected(expandPath(template, { a: 1 }))).toMatchObject({
        field: "path",
        reason: expect.stringContaining("braces")
      })
    }
  )

  it.each([
    "/\\evil.com",
    "\\\\evil.com",
    "/\t/evil.com",
    "\t//evil.com",
    "//\nevil.com",
    "/a\0",
    "/a\x7f",
    "/\ud800"
  ])("2.1 rejects the template %j, which URL parsers would rewrite", (template) => {
    expect(rejected(expandPath(template, undefined)).field).toBe("path")
  })

  it.each([
    "ftp://h/x",
    "ws://h/x",
    "custom+x://h",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "data:text/plain,x",
    "file:/etc/passwd",
    "mailto:a@b",
    "https:x",
    "http:/x",
    "https:///x"
  ])("2.2 rejects %j, which is neither a path nor an http(s) URL", (template) => {
    expect(rejected(expandPath(template, undefined)).field).toBe("path")
    expect(rejected(resolve(base("https://h"), template)).field).toBe("path")
  })

  it.each(["https://{a}/x", "https://h{a}", "https://h:{a}/x", "https://{a}@h/x"])(
    "2.2 rejects a host made from a value: %j",
    (template) => {
      expect(rejected(expandPath(template, { a: "x" }))).toMatchObject({ field: "path" })
    }
  )

  it("2.3 expands correctly after templates were evicted from the cache", () => {
    for (let i = 0; i < 2500; i++) expect(path(`/t${i}/{a}`, { a: i })).toBe(`/t${i}/${i}`)
    expect(path("/t0/{a}", { a: 7 })).toBe("/t0/7")
  })

  it("12.4 the reason never repeats the value", () => {
    const secret = "hunter2"
    for (const a of [`${secret}\ud800`, Redacted.make(`${secret}\ud800`), `..;${secret}`]) {
      expect(JSON.stringify(rejected(expandPath("/{a}", { a })))).not.toContain(secret)
    }
  })
})

describe("resolve", () => {
  it.each([
    ["https://h/v1", "/users", "https://h/v1/users"],
    ["https://h/v1/", "users", "https://h/v1/users"],
    ["https://h", "users", "https://h/users"],
    ["https://h/v1", "", "https://h/v1/"],
    ["https://h/v1", "/", "https://h/v1/"],
    ["https://h/v1", "//evil.com/x", "https://h/v1/evil.com/x"],
    ["https://h/v1", "////x", "https://h/v1/x"],
    ["https://h/v1?k=1", "/users", "https://h/v1/users"],
    ["https://h/v1", "models:list", "https://h/v1/models:list"],
    ["https://h/v1", "v1/a:b", "https://h/v1/v1/a:b"],
    ["https://h/v1", "/https://evil.com", "https://h/v1/https://evil.com"],
    ["https://h/v1", "@evil.com", "https://h/v1/@evil.com"],
    ["https://h", "@evil.com", "https://h/@evil.com"],
    ["https://h", ":80", "https://h/:80"],
    ["https://h/v1", "x#f", "https://h/v1/x"]
  ])("2.1 %j + %j is %j", (baseUrl, relative, url) => {
    expect(valueOf(resolve(base(baseUrl), relative))).toEqual({
      url,
      query: "",
      origin: "https://h",
      sameOrigin: true,
      absolute: false
    })
    expect(new URL(url).href).toBe(url)
  })

  it("2.1 keeps the path's own query and drops its fragment", () => {
    expect(valueOf(resolve(base("https://h?k=1"), "/x?a=1?b#c"))).toMatchObject({
      url: "https://h/x",
      query: "a=1?b"
    })
  })

  it.each([
    ["https://h/other?a=1#f", "https://h/other", "a=1", true],
    ["HTTPS://H:443/x", "https://h/x", "", true],
    ["http://h/x", "http://h/x", "", false],
    ["https://h:444/x", "https://h:444/x", "", false],
    ["https://evil.com", "https://evil.com/", "", false],
    ["https://h.evil.com/x", "https://h.evil.com/x", "", false],
    ["https://münchen.example/ü", "https://xn--mnchen-3ya.example/%C3%BC", "", false],
    ["http://[::1]:8080/x", "http://[::1]:8080/x", "", false]
  ])("2.2 the absolute URL %j replaces the base URL", (absolute, url, query, sameOrigin) => {
    const expected = { url, query, origin: new URL(url).origin, sameOrigin, absolute: true }
    expect(valueOf(resolve(base("https://h/v1?k=1"), absolute))).toEqual(expected)
    expect(valueOf(resolve(base("https://h/v1?k=1"), path(absolute)))).toEqual(expected)
  })

  it.each([
    "https://user:pass@h/x",
    "https://h@evil.com/x",
    "https://@evil.com",
    "https://h\\@evil.com",
    "https://h:99999",
    "https://a b/",
    "../x",
    "/a/../../x",
    "/a/%2e%2E",
    "a/.",
    "/\\evil.com",
    "\t//evil.com",
    "/a b",
    "/é"
  ])("2.1, 2.2 rejects %j", (bad) => {
    expect(rejected(resolve(base("https://h/v1"), bad)).field).toBe("path")
  })

  it.each<[string, PathParams]>([
    ["{a}//evil.com", { a: "https:" }],
    ["{a}{b}/evil.com", { a: "https:", b: "x" }],
    ["{a}", { a: "https://evil.com" }],
    ["{a}", { a: "//evil.com" }],
    ["{a}", { a: "\\\\evil.com" }],
    ["{a}", { a: "javascript:alert(1)" }],
    ["{a}", { a: "@evil.com" }]
  ])("2.2 a value cannot make an absolute URL: %j with %j", (template, params) => {
    const url = sent("https://h/v1", template, params)
    expect(url.origin).toBe("https://h")
    expect(url.pathname.startsWith("/v1/")).toBe(true)
  })
})

describe("properties", () => {
  const nasty = fc.constantFrom(
    ".",
    "..",
    "/",
    "\\",
    "%2e",
    "%2F",
    ";",
    "?",
    "#",
    ":",
    "@",
    "\t",
    "\n",
    "é",
    ""
  )
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "grapheme" }),
    fc.array(nasty, { maxLength: 6 }).map((parts) => parts.join(""))
  )

  it("2.3 an accepted value decodes to itself, in one segment", () => {
    fc.assert(
      fc.property(text, (a) => {
        const result = expandPath("/x/{a}/y", { a })
        if (!result.ok) return
        const segments = result.value.split("/")
        expect(segments).toHaveLength(4)
        expect(decodeURIComponent(segments[2] ?? "")).toBe(a)
      })
    )
  })

  it("2.3 rejects exactly the values that the rule forbids", () => {
    fc.assert(
      fc.property(text, (a) => {
        const bad = a === "" || a === "." || a === ".." || /^(\.\.)?;/.test(a) || /\p{Surrogate}/u.test(a)
        expect(expandPath("/x/{a}/y", { a }).ok).toBe(!bad)
      })
    )
  })

  it("2.1 values never leave the base URL or change the number of segments", () => {
    const templates = fc.constantFrom(
      "{a}/{b}",
      "/{a}{b}",
      "//{a}/x/{b}",
      "/.{a}/%2e{b}/",
      "/{a}?q={b}",
      "{a}//{b}"
    )
    const bases = fc.constantFrom("https://h", "https://h:8443/v1", "http://h/a/b/?k=1")
    fc.assert(
      fc.property(bases, templates, text, text, (baseUrl, template, a, b) => {
        const expanded = expandPath(template, { a, b })
        if (!expanded.ok) return
        const { prefix, origin } = base(baseUrl)
        const url = sent(baseUrl, template, { a, b })
        expect(url.origin).toBe(origin)
        expect(`${url.origin}${url.pathname}`.startsWith(prefix)).toBe(true)
        const relative = `${url.origin}${url.pathname}`.slice(prefix.length)
        const count = template.replace(/^\/+/, "").replace(/\?.*/, "").split("/").length
        expect(relative.split("/")).toHaveLength(count)
        expect(url.hash).toBe("")
      }),
      { numRuns: 1000 }
    )
  })

  it("2.1 a template is rejected or stays under the base URL", () => {
    fc.assert(
      fc.property(text, (template) => {
        const expanded = expandPath(template, undefined)
        if (!expanded.ok) return
        const resolved = valueOf(resolve(base("https://h/v1"), expanded.value))
        expect(resolved.url.startsWith("https://h/v1/")).toBe(true)
        expect(new URL(resolved.url).href).toBe(resolved.url)
      }),
      { numRuns: 1000 }
    )
  })

  it("2.1 a raw path is rejected or stays under the base URL", () => {
    fc.assert(
      fc.property(text, (raw) => {
        const resolved = resolve(base("https://h/v1"), raw)
        if (!resolved.ok) return
        expect(new URL(resolved.value.url).href.startsWith("https://h/v1/")).toBe(true)
      }),
      { numRuns: 1000 }
    )
  })
})
