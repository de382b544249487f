/**
 * How an API splits a list into pages: where the items are, and how to request the next page. `ApiClient.pages` and
 * `ApiClient.items` follow it.
 *
 * @since 0.1.0
 */
import * as Predicate from "effect/Predicate"
import * as PageContract from "../request/PageContract.js"
import { refuseUnknown } from "../shared/settings.js"
import * as Headers from "../wire/headers.js"
import * as Pages from "./Pages.js"

export type { Context, Next, Pagination } from "../request/PageContract.js"

/**
 * Options that every strategy takes.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<Page, Item> {
  /** Returns the items of a page. */
  readonly items: (page: Page) => ReadonlyArray<Item>
  /** Request the next page while the program works on this one (`false`). */
  readonly prefetch?: boolean | undefined
  /** The most pages to request; beyond it the stream fails with a `PaginationError` (no limit). */
  readonly maxPages?: number | undefined
}

const make = <Page, Item>(
  options: Options<Page, Item>,
  own: ReadonlyArray<string>,
  next: (page: Page, context: PageContract.Context) => PageContract.Next | undefined
): PageContract.Pagination<Page, Item> => {
  refuseUnknown("pagination", options, ["items", "prefetch", "maxPages", ...own])
  return {
    [PageContract.TypeId]: PageContract.TypeId,
    items: options.items,
    next,
    maxPages: options.maxPages ?? Number.POSITIVE_INFINITY,
    prefetch: options.prefetch === true,
    walk
  }
}

const walk: PageContract.Pagination<unknown, unknown>["walk"] = {
  pages: Pages.pages,
  pagesWithResponse: Pages.pagesWithResponse,
  items: Pages.items
}

type Cursor = string | number | null | undefined

const isCursor = (cursor: Cursor): cursor is string | number =>
  cursor !== undefined && cursor !== null && cursor !== ""

/** `has_more: false` ends the list. A page without it is followed for as long as there is a cursor. */
const saysNoMore = (page: unknown): boolean =>
  Predicate.hasProperty(page, "has_more") && page.has_more === false

const field = (page: unknown, name: string): Cursor => {
  const value = Predicate.hasProperty(page, name) ? page[name] : undefined
  return typeof value === "string" || typeof value === "number" ? value : undefined
}

/**
 * Pages that name their first and last item, as Anthropic's do. The next page is `after_id = last_id`, or `before_id
 * = first_id` if the request had `before_id`. Set `hasMore`, `after` and `before` for APIs with other names.
 *
 * @example
 * ```ts
 * import { ApiClient, ApiRequest, Pagination } from "@effect-api/client"
 * import { Schema } from "effect"
 *
 * const Page = Schema.Struct({
 *   data: Schema.Array(Schema.Struct({ id: Schema.String })),
 *   has_more: Schema.Boolean,
 *   last_id: Schema.NullOr(Schema.String)
 * })
 * const models = ApiRequest.get("/v1/models", {
 *   success: Page,
 *   pagination: Pagination.cursor({ items: (page: typeof Page.Type) => page.data })
 * })
 * ```
 * @since 0.1.0
 * @category constructors
 */
export const cursor = <Page, Item>(
  options: Options<Page, Item> & {
    /** Whether there is a next page; `false` ends the list (the page's `has_more`). */
    readonly hasMore?: ((page: Page) => boolean | undefined) | undefined
    /** The parameter that requests what follows a cursor, and the cursor of a page (`after_id`, `last_id`). */
    readonly after?: { readonly param: string; readonly cursor: (page: Page) => Cursor } | undefined
    /** The same for reading backwards, which starts with this parameter in the query (`before_id`, `first_id`). */
    readonly before?: { readonly param: string; readonly cursor: (page: Page) => Cursor } | undefined
  }
): PageContract.Pagination<Page, Item> => {
  const after = options.after ?? { param: "after_id", cursor: (page: Page) => field(page, "last_id") }
  const before = options.before ?? { param: "before_id", cursor: (page: Page) => field(page, "first_id") }
  return make(options, ["hasMore", "after", "before"], (page, { query }) => {
    if (options.hasMore === undefined ? saysNoMore(page) : options.hasMore(page) === false) return undefined
    const { cursor, param } = isCursor(query[before.param]) ? before : after
    const next = cursor(page)
    return isCursor(next) ? { query: { [param]: next } } : undefined
  })
}

/**
 * Pages that hold a token for the next one: `next_page_token`, sent as `page_token`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const pageToken = <Page, Item>(
  options: Options<Page, Item> & {
    /** The parameter for the token (`page_token`). */
    readonly param?: string | undefined
    /** Returns the token of the next page (`next_page_token`). */
    readonly token?: ((page: Page) => Cursor) | undefined
  }
): PageContract.Pagination<Page, Item> =>
  make(options, ["param", "token"], (page) => {
    if (saysNoMore(page)) return undefined
    const next = options.token === undefined ? field(page, "next_page_token") : options.token(page)
    return isCursor(next) ? { query: { [options.param ?? "page_token"]: next } } : undefined
  })

/** The number in the query of the request. */
const numberOf = (query: PageContract.Context["query"], param: string, otherwise: number): number => {
  const value = query[param]
  return value === undefined || value.trim() === "" || !Number.isFinite(Number(value))
    ? otherwise
    : Number(value)
}

/**
 * Pages by number (`page`, from 1). The list ends at the last of `totalPages` or at `has_more: false`. If the API
 * gives neither, it ends at the first page without items.
 *
 * @since 0.1.0
 * @category constructors
 */
export const pageNumber = <Page, Item>(
  options: Options<Page, Item> & {
    /** The parameter for the number (`page`). */
    readonly param?: string | undefined
    /** The number of the first page (1). */
    readonly first?: number | undefined
    /** Returns the number of pages, if the API gives it. */
    readonly totalPages?: ((page: Page) => number | undefined) | undefined
  }
): PageContract.Pagination<Page, Item> => {
  const param = options.param ?? "page"
  const first = options.first ?? 1
  return make(options, ["param", "first", "totalPages"], (page, { query }) => {
    if (saysNoMore(page)) return undefined
    const current = numberOf(query, param, first)
    const total = options.totalPages?.(page)
    const over = total === undefined ? options.items(page).length === 0 : current - first + 1 >= total
    return over ? undefined : { query: { [param]: current + 1 } }
  })
}

/**
 * Pages by offset (`offset`, from 0), advanced by the number of items received. The list ends at `total` items or at
 * `has_more: false`. If the API gives neither, it ends at the first page without items.
 *
 * @since 0.1.0
 * @category constructors
 */
export const offset = <Page, Item>(
  options: Options<Page, Item> & {
    /** The parameter for the offset (`offset`). */
    readonly param?: string | undefined
    /** Returns the number of items, if the API gives it. */
    readonly total?: ((page: Page) => number | undefined) | undefined
  }
): PageContract.Pagination<Page, Item> => {
  const param = options.param ?? "offset"
  return make(options, ["param", "total"], (page, { query }) => {
    const count = options.items(page).length
    if (count === 0 || saysNoMore(page)) return undefined
    const next = numberOf(query, param, 0) + count
    const total = options.total?.(page)
    return total !== undefined && next >= total ? undefined : { query: { [param]: next } }
  })
}

/**
 * Pages that name the next one in a `Link` header with `rel="next"` (RFC 8288). Its URL is used unchanged, relative
 * to the page's own. Another origin receives no credentials and no other secret of the request.
 *
 * @since 0.1.0
 * @category constructors
 */
export const linkHeader = <Page, Item>(options: Options<Page, Item>): PageContract.Pagination<Page, Item> =>
  make(options, [], (_page, { headers, url }) => {
    const links = parseLink(Headers.utf8(headers.link ?? ""))
    const next = links.find(({ anchor, rel }) => rel.includes("next") && isOf(url, anchor))
    if (next === undefined) return undefined
    return { url: URL.canParse(next.target, url) ? new URL(next.target, url).href : next.target }
  })

/** A link with another anchor does not link this page (RFC 8288, 3.2). */
const isOf = (url: string, anchor: string | undefined): boolean =>
  anchor === undefined || (URL.canParse(anchor, url) && new URL(anchor, url).href === new URL(url).href)

/**
 * A rule of your own: return the next request after a page, `undefined` after the last. If the cursor belongs in a
 * body, return the next body.
 *
 * @example
 * ```ts
 * import { ApiClient, ApiRequest, Pagination } from "@effect-api/client"
 * import { Schema } from "effect"
 *
 * const Page = Schema.Struct({
 *   results: Schema.Array(Schema.String),
 *   next_cursor: Schema.NullOr(Schema.String)
 * })
 * const search = (text: string) =>
 *   ApiRequest.post("/search", { body: { text }, success: Page }).pipe(
 *     ApiRequest.paginate(
 *       Pagination.custom({
 *         items: (page) => page.results,
 *         next: ({ next_cursor }) =>
 *           next_cursor === null ? undefined : { body: { text, start_cursor: next_cursor } }
 *       })
 *     )
 *   )
 * ```
 * @since 0.1.0
 * @category constructors
 */
export const custom = <Page, Item>(
  options: Options<Page, Item> & {
    /** Returns the next request; `undefined` after the last page. */ readonly next: (
      page: Page,
      context: PageContract.Context
    ) => PageContract.Next | undefined
  }
): PageContract.Pagination<Page, Item> => make(options, ["next"], options.next)

/** `<target>; rel="next"; ...`, several separated by commas. A target or a quoted value may contain commas too. */
const linkValue = /<([^<>]*)>((?:\s*;\s*[^\s=;,]*(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,"]*))?)*)/g
/** One parameter at a time: text inside a quoted value is not a parameter. */
const linkParam = /;\s*([^\s=;,]*)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?/g

/**
 * A link of a `Link` header: its target, its relation types in lower case, and its anchor if it has one.
 *
 * @since 0.1.0
 * @category models
 */
export interface Link {
  readonly target: string
  readonly rel: ReadonlyArray<string>
  readonly anchor: string | undefined
}

/**
 * The links of a `Link` header (RFC 8288, section 3).
 *
 * @since 0.1.0
 * @category decoding
 */
export const parseLink = (header: string): ReadonlyArray<Link> =>
  Array.from(header.matchAll(linkValue), ([, target = "", params = ""]) => {
    const found = Array.from(params.matchAll(linkParam))
    // Only the first parameter of a name counts (RFC 8288, 3.3).
    const valueOf = (wanted: string): string | undefined => {
      const param = found.find(([, name]) => name?.toLowerCase() === wanted)
      return param?.[2]?.replace(/\\(.)/g, "$1") ?? param?.[3]
    }
    const types = valueOf("rel") ?? ""
    return { target, rel: types.toLowerCase().split(/\s+/).filter(Boolean), anchor: valueOf("anchor") }
  })
