import { describe, expect, it } from "@effect/vitest"
import { Pagination } from "@effect-api/client"
import { FastCheck as fc } from "effect"

/** A page as any API can send it. */
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

/** One test for each row: the query of the page that follows. */
const eachNext = (rule: string, pagination: Pagination.Pagination<Page, number>, rows: ReadonlyArray<Row>) =>
  it.each(rows.map((row) => [/^11/.test(row.name) ? row.name : `${rule} ${row.name}`, row] as const))(
    "%s",
    (_name, { next, page, query = {} }) => {
      const context = { query, url: "https://api.test/list", headers: {}, index: 0 }
      expect(pagination.next(page, context)).toEqual(next === undefined ? undefined : { query: next })
    }
  )

describe("cursor", () => {
  eachNext("11.3", Pagination.cursor({ items }), [
    { name: "continues after the last id", page: { last_id: "b", first_id: "a" }, next: { after_id: "b" } },
    { name: "continues after a numeric id", page: { last_id: 7 }, next: { after_id: 7 } },
    { name: "11.2 has_more true continues", page: { has_more: true, last_id: "b" }, next: { after_id: "b" } },
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
      name: "11.2 a cursor of another type stops",
      page: { has_more: true, last_id: { id: 1 } },
      next: undefined
    },
    {
      name: "11.2 an empty page with a cursor continues",
      page: { data: [], last_id: "b" },
      next: { after_id: "b" }
    },
    {
      name: "goes backwards if the request had before_id",
      page: { last_id: "b", first_id: "a" },
      query: { before_id: "c" },
      next: { before_id: "a" }
    },
    {
      name: "goes backwards until the first page",
      page: { last_id: "b", first_id: null },
      query: { before_id: "c" },
      next: undefined
    },
    {
      name: "goes forwards if before_id was blank",
      page: { last_id: "b", first_id: "a" },
      query: { before_id: "" },
      next: { after_id: "b" }
    },
    { name: "zero is a cursor", page: { last_id: 0 }, next: { after_id: 0 } }
  ])

  describe("with custom names", () => {
    eachNext(
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
        { name: "custom hasMore", page: { end: "b", more: false }, next: undefined },
        {
          name: "has_more is ignored",
          page: { end: "b", has_more: false },
          next: { starting_after: "b" }
        },
        {
          name: "before_id is ignored",
          page: { end: "b" },
          query: { before_id: "x" },
          next: { starting_after: "b" }
        }
      ]
    )
  })
})

describe("pageToken", () => {
  eachNext("11.2", Pagination.pageToken({ items }), [
    { name: "a token continues", page: { next_page_token: "t" }, next: { page_token: "t" } },
    {
      name: "an empty page with a token continues",
      page: { data: [], next_page_token: "t" },
      next: { page_token: "t" }
    },
    { name: "a missing token stops", page: {}, next: undefined },
    { name: "an empty token stops, as with Google's APIs", page: { next_page_token: "" }, next: undefined },
    { name: "a null token stops", page: { next_page_token: null }, next: undefined },
    { name: "has_more false stops", page: { has_more: false, next_page_token: "t" }, next: undefined },
    { name: "a page that is a bare list stops", page: [] as unknown as Page, next: undefined }
  ])

  describe("with custom names", () => {
    const meta = (page: Page) => (page["meta"] as { readonly next?: string } | undefined)?.next
    eachNext("11.2", Pagination.pageToken({ items, param: "cursor", token: meta }), [
      { name: "reads the token anywhere in the page", page: { meta: { next: "t" } }, next: { cursor: "t" } },
      { name: "next_page_token is ignored", page: { next_page_token: "t" }, next: undefined }
    ])
  })
})

describe("pageNumber", () => {
  eachNext("11.2", Pagination.pageNumber({ items }), [
    { name: "starts from page 1", page: { data: [1] }, next: { page: 2 } },
    {
      name: "continues from the requested page",
      page: { data: [1] },
      query: { page: "7" },
      next: { page: 8 }
    },
    {
      name: "starts from page 1 if the requested page is not a number",
      page: { data: [1] },
      query: { page: "x" },
      next: { page: 2 }
    },
    {
      name: "starts from page 1 if the requested page is blank",
      page: { data: [1] },
      query: { page: "" },
      next: { page: 2 }
    },
    { name: "an empty page stops", page: { data: [] }, query: { page: "7" }, next: undefined },
    { name: "has_more false stops", page: { data: [1], has_more: false }, next: undefined },
    {
      name: "an empty page stops in spite of has_more true",
      page: { data: [], has_more: true },
      next: undefined
    }
  ])

  describe("with a total", () => {
    const totalPages = (page: Page) => page["pages"] as number | undefined
    eachNext("11.2", Pagination.pageNumber({ items, param: "p", totalPages }), [
      {
        name: "continues before the last page",
        page: { data: [1], pages: 3 },
        query: { p: "2" },
        next: { p: 3 }
      },
      { name: "stops at the last page", page: { data: [1], pages: 3 }, query: { p: "3" }, next: undefined },
      { name: "stops after the only page", page: { data: [1], pages: 1 }, next: undefined },
      { name: "stops if there are no pages", page: { data: [], pages: 0 }, next: undefined },
      { name: "an empty page before the last continues", page: { data: [], pages: 3 }, next: { p: 2 } },
      { name: "a page without the total continues", page: { data: [1] }, query: { p: "3" }, next: { p: 4 } }
    ])
  })

  describe("with first: 0", () => {
    const totalPages = (page: Page) => page["pages"] as number
    eachNext("11.2", Pagination.pageNumber({ items, first: 0, totalPages }), [
      { name: "continues after the first of two", page: { data: [1], pages: 2 }, next: { page: 1 } },
      {
        name: "stops after the second of two",
        page: { data: [1], pages: 2 },
        query: { page: "1" },
        next: undefined
      },
      {
        name: "continues after page 0 was requested",
        page: { data: [1], pages: 2 },
        query: { page: "0" },
        next: { page: 1 }
      }
    ])
  })
})

describe("offset", () => {
  eachNext("11.2", Pagination.offset({ items }), [
    { name: "advances by the number of items", page: { data: [1, 2, 3] }, next: { offset: 3 } },
    {
      name: "continues from the requested offset",
      page: { data: [1, 2] },
      query: { offset: "10" },
      next: { offset: 12 }
    },
    {
      name: "an empty page stops",
      page: { data: [] },
      query: { offset: "10" },
      next: undefined
    },
    { name: "has_more false stops", page: { data: [1], has_more: false }, next: undefined }
  ])

  describe("with a total", () => {
    const total = (page: Page) => page["total"] as number | undefined
    eachNext("11.2", Pagination.offset({ items, param: "skip", total }), [
      {
        name: "continues below the total",
        page: { data: [1, 2], total: 5 },
        query: { skip: "2" },
        next: { skip: 4 }
      },
      { name: "stops at the total", page: { data: [1], total: 5 }, query: { skip: "4" }, next: undefined },
      {
        name: "stops above the total, if the list shrank",
        page: { data: [1], total: 3 },
        query: { skip: "4" },
        next: undefined
      },
      {
        name: "a page without the total continues",
        page: { data: [1] },
        query: { skip: "4" },
        next: { skip: 5 }
      },
      {
        name: "an empty page stops below the total, instead of repeating",
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
      "several links, as GitHub sends them",
      '<https://api.test/a>; rel="prev", <https://api.test/b>; rel="next", <https://api.test/c>; rel="last"',
      "https://api.test/b"
    ],
    ["a path", '</list?page=2>; rel="next"', "https://api.test/list?page=2"],
    ["a relative path", '<list?page=2>; rel="next"', "https://api.test/v1/list?page=2"],
    ["a query only", '<?page=2>; rel="next"', "https://api.test/v1/items?page=2"],
    ["a URL without a scheme", '<//other.test/x>; rel="next"', "https://other.test/x"],
    ["another origin", '<https://other.test/x>; rel="next"', "https://other.test/x"],
    ["a comma in the target", '<https://api.test/a?ids=1,2>; rel="next"', "https://api.test/a?ids=1,2"],
    [
      "a semicolon in the target",
      '<https://api.test/a;v=1?x;rel=prev>; rel="next"',
      "https://api.test/a;v=1?x;rel=prev"
    ],
    ["several relation types", '<https://api.test/b>; rel="last  next"', "https://api.test/b"],
    [
      "the first of two next links",
      "<https://api.test/b>; rel=next, <https://api.test/c>; rel=next",
      "https://api.test/b"
    ],
    ["no link header", undefined, undefined],
    ["a blank header", "", undefined],
    ["no next link", '<https://api.test/a>; rel="prev"', undefined],
    ["a relation type that starts with next", '<https://api.test/a>; rel="next-page"', undefined],
    ["a link without rel", "<https://api.test/a>", undefined],
    ["a target that does not parse, which the stream reports", '<https://[>; rel="next"', "https://["],
    ["a link with another anchor", '<https://api.test/b>; rel="next"; anchor="/v1/others"', undefined],
    [
      "the link whose anchor is the page",
      '<https://api.test/b>; anchor="#part"; rel=next, <https://api.test/c>; rel=next; anchor="?page=1"',
      "https://api.test/c"
    ],
    ["an anchor that does not parse", '<https://api.test/b>; rel="next"; anchor="https://["', undefined],
    ["upper-case rel", "<https://api.test/b>; REL=NEXT", "https://api.test/b"],
    ["raw UTF-8", '</caf\u00c3\u00a9>; rel="next"', "https://api.test/caf%C3%A9"],
    [
      "UTF-8 that is already decoded",
      '</caf\u00e9/\u65e5>; rel="next"',
      "https://api.test/caf%C3%A9/%E6%97%A5"
    ],
    ["no brackets", 'https://api.test/a; rel="next"', undefined],
    ["an unclosed bracket", '<https://api.test/a; rel="next"', undefined]
  ]

  it.each(rows)("11.3 next link: %s", (_name, link, next) => {
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
    // Only the first rel counts (section 3.3).
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

  it.each(rows)("11.3 parses %s", (header, links) => {
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

  it("11.3 parses every header that RFC 8288 allows", () => {
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

  it("11.3 any header is parsed and never throws", () => {
    const noise = fc.string({ unit: fc.constantFrom(...'<>;,="\\ relnxt'), maxLength: 60 })
    fc.assert(
      fc.property(noise, (header) => {
        for (const { rel, target } of Pagination.parseLink(header)) {
          expect(header).toContain(`<${target}>`)
          for (const type of rel) expect(header.toLowerCase()).toContain(type)
        }
      })
    )
  })

  it.each([
    ["brackets", "<".repeat(100_000)],
    ["spaces", `<a>;${" ".repeat(100_000)}x`],
    ["semicolons", `<a>${";".repeat(100_000)}"`],
    ["quotes", `<a>;b="${'\\"'.repeat(50_000)}`],
    ["unterminated links", '<a>; rel="'.repeat(10_000)]
  ])("11.3 a hostile header of many %s is parsed in linear time", (_name, header) => {
    // In quadratic time this would exceed the test's timeout.
    expect(Pagination.parseLink(header).every(({ rel }) => !rel.includes("next"))).toBe(true)
  })
})

describe("custom", () => {
  it("11.2 next gets the page, its query, URL, headers and index", () => {
    const context = { query: { a: "1" }, url: "https://api.test/x?a=1", headers: { "x-next": "2" }, index: 3 }
    const seen: Array<unknown> = []
    const pagination = Pagination.custom({
      items,
      next: (page: Page, received) => {
        seen.push(page, received)
        return { query: { a: received.headers["x-next"] } }
      }
    })
    expect(pagination.next({ data: [1] }, context)).toEqual({ query: { a: "2" } })
    expect(seen).toEqual([{ data: [1] }, context])
  })

  it("11.2 every strategy accepts maxPages and prefetch, both off by default", () => {
    const settings = ({ maxPages, prefetch }: Pagination.Pagination<Page, number>) => ({ maxPages, prefetch })
    const next = () => undefined
    const both = { items, maxPages: 3, prefetch: true } as const
    const strategies = [
      Pagination.cursor(both),
      Pagination.pageToken(both),
      Pagination.pageNumber(both),
      Pagination.offset(both),
      Pagination.linkHeader(both),
      Pagination.custom({ ...both, next })
    ]
    expect(strategies.map(settings)).toEqual(strategies.map(() => ({ maxPages: 3, prefetch: true })))
    expect(settings(Pagination.cursor({ items }))).toEqual({ maxPages: Infinity, prefetch: false })
  })
})
