import { describe, expect, it } from "@effect/vitest"
import { Pagination } from "@effect-api/client"
import { FastCheck as fc } from "effect"

/** A page as any API might send it. */
interface Page {
  readonly data?: ReadonlyArray<number>
  readonly [field: string]: unknown
}

const items = (page: Page) => page.data ?? []

interface Row {
  readonly name: string
  readonly page: Page
  readonly query?: Record<string, string>
  readonly next: Record<string, unknown> | undefined
}

/** What each row's page asks for next; a query, so that a table can be read. */
const follow = (rule: string, pagination: Pagination.Pagination<Page, number>, rows: ReadonlyArray<Row>) =>
  it.each(rows.map((row) => [/^11/.test(row.name) ? row.name : `${rule} ${row.name}`, row] as const))(
    "%s",
    (_name, { next, page, query = {} }) => {
      const context = { query, url: "https://api.test/list", headers: {}, index: 0 }
      expect(pagination.next(page, context)).toEqual(next === undefined ? undefined : { query: next })
    }
  )

describe("cursor", () => {
  follow("11.3", Pagination.cursor({ items }), [
    { name: "goes on after the last id", page: { last_id: "b", first_id: "a" }, next: { after_id: "b" } },
    { name: "goes on after a number", page: { last_id: 7 }, next: { after_id: 7 } },
    { name: "11.2 has_more true", page: { has_more: true, last_id: "b" }, next: { after_id: "b" } },
    { name: "11.2 has_more false stops", page: { has_more: false, last_id: "b" }, next: undefined },
    {
      name: "11.2 has_more null counts as missing",
      page: { has_more: null, last_id: "b" },
      next: { after_id: "b" }
    },
    { name: "11.2 no cursor stops", page: { has_more: true }, next: undefined },
    { name: "11.2 a null cursor stops", page: { has_more: true, last_id: null }, next: undefined },
    { name: "11.2 an empty cursor stops", page: { has_more: true, last_id: "" }, next: undefined },
    {
      name: "11.2 a cursor that is no text stops",
      page: { has_more: true, last_id: { id: 1 } },
      next: undefined
    },
    {
      name: "11.2 an empty page with a cursor goes on",
      page: { data: [], last_id: "b" },
      next: { after_id: "b" }
    },
    {
      name: "backwards where before_id was sent",
      page: { last_id: "b", first_id: "a" },
      query: { before_id: "c" },
      next: { before_id: "a" }
    },
    {
      name: "backwards to the end",
      page: { last_id: "b", first_id: null },
      query: { before_id: "c" },
      next: undefined
    },
    {
      name: "forwards where before_id was sent blank",
      page: { last_id: "b", first_id: "a" },
      query: { before_id: "" },
      next: { after_id: "b" }
    },
    { name: "zero is a cursor", page: { last_id: 0 }, next: { after_id: 0 } }
  ])

  describe("with names of its own", () => {
    follow(
      "11.3",
      Pagination.cursor<Page, number>({
        items,
        hasMore: (page) => page["more"] as boolean | undefined,
        after: { param: "starting_after", cursor: (page) => page["end"] as string },
        before: { param: "ending_before", cursor: (page) => page["start"] as string }
      }),
      [
        { name: "forwards", page: { end: "b", start: "a" }, next: { starting_after: "b" } },
        {
          name: "backwards",
          page: { end: "b", start: "a" },
          query: { ending_before: "x" },
          next: { ending_before: "a" }
        },
        { name: "its own word for the end", page: { end: "b", more: false }, next: undefined },
        {
          name: "has_more means nothing",
          page: { end: "b", has_more: false },
          next: { starting_after: "b" }
        },
        {
          name: "before_id means nothing",
          page: { end: "b" },
          query: { before_id: "x" },
          next: { starting_after: "b" }
        }
      ]
    )
  })
})

describe("pageToken", () => {
  follow("11.2", Pagination.pageToken({ items }), [
    { name: "a token", page: { next_page_token: "t" }, next: { page_token: "t" } },
    {
      name: "an empty page with a token goes on",
      page: { data: [], next_page_token: "t" },
      next: { page_token: "t" }
    },
    { name: "no token", page: {}, next: undefined },
    { name: "an empty token, as Google's APIs end", page: { next_page_token: "" }, next: undefined },
    { name: "a null token", page: { next_page_token: null }, next: undefined },
    { name: "has_more false", page: { has_more: false, next_page_token: "t" }, next: undefined },
    { name: "a page that is a bare list", page: [] as unknown as Page, next: undefined }
  ])

  describe("with names of its own", () => {
    const meta = (page: Page) => (page["meta"] as { readonly next?: string } | undefined)?.next
    follow("11.2", Pagination.pageToken({ items, param: "cursor", token: meta }), [
      { name: "from anywhere in the page", page: { meta: { next: "t" } }, next: { cursor: "t" } },
      { name: "the usual name means nothing", page: { next_page_token: "t" }, next: undefined }
    ])
  })
})

describe("pageNumber", () => {
  follow("11.2", Pagination.pageNumber({ items }), [
    { name: "from 1 where no page was asked for", page: { data: [1] }, next: { page: 2 } },
    { name: "from the page asked for", page: { data: [1] }, query: { page: "7" }, next: { page: 8 } },
    {
      name: "from 1 where the page is no number",
      page: { data: [1] },
      query: { page: "x" },
      next: { page: 2 }
    },
    { name: "from 1 where the page is blank", page: { data: [1] }, query: { page: "" }, next: { page: 2 } },
    { name: "a page without items is the last", page: { data: [] }, query: { page: "7" }, next: undefined },
    { name: "has_more false", page: { data: [1], has_more: false }, next: undefined },
    {
      name: "has_more true does not outweigh an empty page",
      page: { data: [], has_more: true },
      next: undefined
    }
  ])

  describe("with a total", () => {
    const totalPages = (page: Page) => page["pages"] as number | undefined
    follow("11.2", Pagination.pageNumber({ items, param: "p", totalPages }), [
      { name: "before the last", page: { data: [1], pages: 3 }, query: { p: "2" }, next: { p: 3 } },
      { name: "at the last", page: { data: [1], pages: 3 }, query: { p: "3" }, next: undefined },
      { name: "of one", page: { data: [1], pages: 1 }, next: undefined },
      { name: "of none", page: { data: [], pages: 0 }, next: undefined },
      { name: "an empty page before the last goes on", page: { data: [], pages: 3 }, next: { p: 2 } },
      { name: "a page that does not say it", page: { data: [1] }, query: { p: "3" }, next: { p: 4 } }
    ])
  })

  describe("from 0", () => {
    const totalPages = (page: Page) => page["pages"] as number
    follow("11.2", Pagination.pageNumber({ items, first: 0, totalPages }), [
      { name: "the first of two", page: { data: [1], pages: 2 }, next: { page: 1 } },
      { name: "the second of two", page: { data: [1], pages: 2 }, query: { page: "1" }, next: undefined },
      { name: "0 was asked for", page: { data: [1], pages: 2 }, query: { page: "0" }, next: { page: 1 } }
    ])
  })
})

describe("offset", () => {
  follow("11.2", Pagination.offset({ items }), [
    { name: "moves on by what came", page: { data: [1, 2, 3] }, next: { offset: 3 } },
    {
      name: "from the offset asked for",
      page: { data: [1, 2] },
      query: { offset: "10" },
      next: { offset: 12 }
    },
    {
      name: "a page without items is the last",
      page: { data: [] },
      query: { offset: "10" },
      next: undefined
    },
    { name: "has_more false", page: { data: [1], has_more: false }, next: undefined }
  ])

  describe("with a total", () => {
    const total = (page: Page) => page["total"] as number | undefined
    follow("11.2", Pagination.offset({ items, param: "skip", total }), [
      { name: "short of it", page: { data: [1, 2], total: 5 }, query: { skip: "2" }, next: { skip: 4 } },
      { name: "at it", page: { data: [1], total: 5 }, query: { skip: "4" }, next: undefined },
      {
        name: "past it, as lists shrink",
        page: { data: [1], total: 3 },
        query: { skip: "4" },
        next: undefined
      },
      { name: "a page that does not say it", page: { data: [1] }, query: { skip: "4" }, next: { skip: 5 } },
      {
        name: "no items before it: never the same page for ever",
        page: { data: [], total: 9 },
        next: undefined
      }
    ])
  })
})

describe("linkHeader", () => {
  const rows: ReadonlyArray<readonly [name: string, link: string | undefined, next: string | undefined]> = [
    ["one link", '<https://api.test/list?page=2>; rel="next"', "https://api.test/list?page=2"],
    [
      "several, as GitHub sends them",
      '<https://api.test/a>; rel="prev", <https://api.test/b>; rel="next", <https://api.test/c>; rel="last"',
      "https://api.test/b"
    ],
    ["a path", '</list?page=2>; rel="next"', "https://api.test/list?page=2"],
    ["a relative path", '<list?page=2>; rel="next"', "https://api.test/v1/list?page=2"],
    ["a query alone", '<?page=2>; rel="next"', "https://api.test/v1/items?page=2"],
    ["no scheme", '<//other.test/x>; rel="next"', "https://other.test/x"],
    ["another origin", '<https://other.test/x>; rel="next"', "https://other.test/x"],
    ["a comma in the target", '<https://api.test/a?ids=1,2>; rel="next"', "https://api.test/a?ids=1,2"],
    [
      "a semicolon in the target",
      '<https://api.test/a;v=1?x;rel=prev>; rel="next"',
      "https://api.test/a;v=1?x;rel=prev"
    ],
    ["several relation types", '<https://api.test/b>; rel="last  next"', "https://api.test/b"],
    [
      "the first of two links that say next",
      "<https://api.test/b>; rel=next, <https://api.test/c>; rel=next",
      "https://api.test/b"
    ],
    ["no link", undefined, undefined],
    ["a blank header", "", undefined],
    ["no next", '<https://api.test/a>; rel="prev"', undefined],
    ["a type that only begins so", '<https://api.test/a>; rel="next-page"', undefined],
    ["a link without rel", "<https://api.test/a>", undefined],
    ["a target that does not parse, for the walk to tell", '<https://[>; rel="next"', "https://["],
    ["a link of another context", '<https://api.test/b>; rel="next"; anchor="/v1/others"', undefined],
    [
      "the one of its own context",
      '<https://api.test/b>; anchor="#part"; rel=next, <https://api.test/c>; rel=next; anchor="?page=1"',
      "https://api.test/c"
    ],
    ["an anchor that does not parse", '<https://api.test/b>; rel="next"; anchor="https://["', undefined],
    ["a relation type in capitals", "<https://api.test/b>; REL=NEXT", "https://api.test/b"],
    ["raw UTF-8", '</caf\u00c3\u00a9>; rel="next"', "https://api.test/caf%C3%A9"],
    [
      "UTF-8 that was decoded already",
      '</caf\u00e9/\u65e5>; rel="next"',
      "https://api.test/caf%C3%A9/%E6%97%A5"
    ],
    ["no brackets", 'https://api.test/a; rel="next"', undefined],
    ["brackets that do not close", '<https://api.test/a; rel="next"', undefined]
  ]

  it.each(rows)("11.3 %s", (_name, link, next) => {
    const context = {
      query: {},
      url: "https://api.test/v1/items?page=1",
      headers: link === undefined ? {} : { link },
      index: 0
    }
    const found = Pagination.linkHeader({ items }).next({}, context)
    expect(found).toEqual(next === undefined ? undefined : { url: next })
  })
})

describe("parseLink", () => {
  const rows: ReadonlyArray<
    readonly [header: string, links: ReadonlyArray<readonly [string, ...Array<string>]>]
  > = [
    ["", []],
    ["nonsense", []],
    ["<a>", [["a"]]],
    ["<a>; rel=next", [["a", "next"]]],
    ['<a>;rel="next"', [["a", "next"]]],
    ["<a>  ;\t rel = next", [["a", "next"]]],
    ['<a>; REL="NEXT Last"', [["a", "next", "last"]]],
    ['<a>; rel="next";', [["a", "next"]]],
    ['<a>; ; rel="next"', [["a", "next"]]],
    ['<a>; title=; rel="next"', [["a", "next"]]],
    ['<a>; crossorigin; rel="next"', [["a", "next"]]],
    ['<a>; rel=""', [["a"]]],
    // The first rel counts, and no other (section 3.3).
    ['<a>; rel="prev"; rel="next"', [["a", "prev"]]],
    ['<a>; title="x, <b>; rel=next"; rel="prev"', [["a", "prev"]]],
    ['<a>; title="; rel=next"; rel=prev', [["a", "prev"]]],
    ['<a>; title="say \\"; rel=next"; rel=prev', [["a", "prev"]]],
    ['<a>; rel="\\next"', [["a", "next"]]],
    ["<a>; title*=UTF-8'de'n%c3%a4chstes; rel=next", [["a", "next"]]],
    ["<a>; rel*=x; rel=next", [["a", "next"]]],
    ['<a>; xrel="prev"; rel="next"', [["a", "next"]]],
    ['<a>; rel="http://example.net/foo next"', [["a", "http://example.net/foo", "next"]]],
    [
      "<a>; rel=next,<b>; rel=prev",
      [
        ["a", "next"],
        ["b", "prev"]
      ]
    ],
    [", , <a>; rel=next, ,", [["a", "next"]]],
    ["<a<b>; rel=next", [["b", "next"]]],
    ["<>; rel=next", [["", "next"]]]
  ]

  it.each(rows)("11.3 %s", (header, links) => {
    const expected = links.map(([target, ...rel]) => ({ target, rel }))
    expect(Pagination.parseLink(header)).toEqual(expected)
  })

  const from = (characters: string, minLength: number) =>
    fc.string({ unit: fc.constantFrom(...characters), minLength, maxLength: 12 })
  const token = from("abcXYZ019!#$&+-.^_|~", 1).filter((name) => !["rel"].includes(name.toLowerCase()))
  const quoted = from('ab ,;=<>\\"', 0).map((text) => `"${text.replace(/[\\"]/g, "\\$&")}"`)
  const param = fc.oneof(
    token,
    fc.tuple(token, fc.oneof(token, quoted)).map(([name, value]) => `${name}=${value}`)
  )
  const rel = fc.uniqueArray(from("abcdefgh-", 1), { minLength: 1, maxLength: 3 })
  const space = fc.constantFrom("", " ", "  ", "\t")
  const link = fc.record({
    target: from("ab/:?=&,;%2F()\"' ", 0),
    rel,
    name: fc.constantFrom("rel", "Rel", "REL"),
    before: fc.array(param, { maxLength: 3 }),
    after: fc.array(param, { maxLength: 3 }),
    space
  })

  it("11.3 whatever RFC 8288 lets a server write is read back", () => {
    fc.assert(
      fc.property(fc.array(link, { maxLength: 5 }), (links) => {
        const header = links.map(({ after, before, name, rel, space, target }) =>
          [`<${target}>`, ...before, `${name}${space}=${space}"${rel.join(" ")}"`, ...after].join(
            `${space};${space}`
          )
        )
        expect(Pagination.parseLink(header.join(", "))).toEqual(
          links.map(({ rel, target }) => ({ target, rel }))
        )
      })
    )
  })

  it("11.3 anything at all is read without a failure", () => {
    const noise = fc.string({ unit: fc.constantFrom(...'<>;,="\\ relnxt'), maxLength: 60 })
    fc.assert(fc.property(noise, (header) => Array.isArray(Pagination.parseLink(header))))
  })

  it.each([
    ["brackets", "<".repeat(100_000)],
    ["spaces", `<a>;${" ".repeat(100_000)}x`],
    ["semicolons", `<a>${";".repeat(100_000)}"`],
    ["quotes", `<a>;b="${'\\"'.repeat(50_000)}`],
    ["links that break off", '<a>; rel="'.repeat(10_000)]
  ])("11.3 a hostile header of many %s is read in one go", (_name, header) => {
    // Quadratic, this would take minutes: the test's own limit is the judge.
    expect(Pagination.parseLink(header).every(({ rel }) => !rel.includes("next"))).toBe(true)
  })
})

describe("custom", () => {
  it("11.2 sees the page, its query, its URL, its headers and its number", () => {
    const context = { query: { a: "1" }, url: "https://api.test/x?a=1", headers: { "x-next": "2" }, index: 3 }
    const seen: Array<unknown> = []
    const pagination = Pagination.custom({
      items,
      next: (page: Page, given) => {
        seen.push(page, given)
        return { query: { a: given.headers["x-next"] } }
      }
    })
    expect(pagination.next({ data: [1] }, context)).toEqual({ query: { a: "2" } })
    expect(seen).toEqual([{ data: [1] }, context])
  })

  it("11.2 every strategy takes maxPages and prefetch, neither by default", () => {
    const settings = ({ maxPages, prefetch }: Pagination.Pagination<Page, number>) => ({ maxPages, prefetch })
    const next = () => undefined
    const both = { items, maxPages: 3, prefetch: true } as const
    const made = [
      Pagination.cursor(both),
      Pagination.pageToken(both),
      Pagination.pageNumber(both),
      Pagination.offset(both),
      Pagination.linkHeader(both),
      Pagination.custom({ ...both, next })
    ]
    expect(made.map(settings)).toEqual(made.map(() => ({ maxPages: 3, prefetch: true })))
    expect(settings(Pagination.cursor({ items }))).toEqual({ maxPages: Infinity, prefetch: false })
  })
})
