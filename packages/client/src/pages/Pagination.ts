/**
 * How an API cuts a list into pages: where the items are, and what asks for the next page. `ApiClient.pages` and
 * `ApiClient.items` walk by it.
 *
 * @since 0.1.0
 */
import * as Predicate from "effect/Predicate"
import * as PageContract from "../request/PageContract.js"
import { refuseUnknown } from "../shared/settings.js"
import * as Headers from "../wire/headers.js"
import * as Pages from "./Pages.js"

/**
 * A way to walk pages of type `Page` that hold items of type `Item`.
 *
 * @since 0.1.0
 * @category models
 */
export type Pagination<Page, Item> = PageContract.Pagination<Page, Item>

/**
 * What is known when a page has come: query and body it was asked for with, its URL and headers, and how many came before.
 *
 * @since 0.1.0
 * @category models
 */
export type Context = PageContract.Context

/**
 * What to ask next: the same request with other query parameters over its own, with another body, or at another URL.
 *
 * @since 0.1.0
 * @category models
 */
export type Next = PageContract.Next

/**
 * What every strategy may say: where the items are, whether to ask for the next page while this one is worked on, and a
 * number of pages above which the walk fails with a `PaginationError`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<Page, Item> {
  /** Where the items of a page are. */
  readonly items: (page: Page) => ReadonlyArray<Item>
  /** Ask for the next page while this one is worked on (`false`). */
  readonly prefetch?: boolean | undefined
  /** A number of pages above which the walk fails with a `PaginationError` (no limit). */
  readonly maxPages?: number | undefined
}

const make = <Page, Item>(
  options: Options<Page, Item>,
  own: ReadonlyArray<string>,
  next: (page: Page, context: Context) => Next | undefined
): Pagination<Page, Item> => {
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

const walk: PageContract.Pagination<unknown, unknown>["walk"] = { pages: Pages.pages, items: Pages.items }

type Cursor = string | number | null | undefined

const isCursor = (cursor: Cursor): cursor is string | number =>
  cursor !== undefined && cursor !== null && cursor !== ""

/** `has_more: false` stops; a page without it goes on as long as there is a cursor. */
const saysNoMore = (page: unknown): boolean =>
  Predicate.hasProperty(page, "has_more") && page.has_more === false

const field = (page: unknown, name: string): Cursor => {
  const value = Predicate.hasProperty(page, name) ? page[name] : undefined
  return typeof value === "string" || typeof value === "number" ? value : undefined
}

/**
 * Pages that name their first and last item, as Anthropic's do: the next page is `after_id = last_id`, or, for a request
 * that had `before_id`, `before_id = first_id`. `hasMore`, `after` and `before` say it for APIs with other names.
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
    /** Whether there is a next page; `false` ends the walk (`has_more` of the page). */
    readonly hasMore?: ((page: Page) => boolean | undefined) | undefined
    /** The parameter that asks for what comes behind a cursor, and the cursor of a page (`after_id`, `last_id`). */
    readonly after?: { readonly param: string; readonly cursor: (page: Page) => Cursor } | undefined
    /** The same for a walk backwards, which starts with this parameter in the query (`before_id`, `first_id`). */
    readonly before?: { readonly param: string; readonly cursor: (page: Page) => Cursor } | undefined
  }
): Pagination<Page, Item> => {
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
 * Pages that hold a token for the next one (`next_page_token`, sent as `page_token`, unless said otherwise).
 *
 * @since 0.1.0
 * @category constructors
 */
export const pageToken = <Page, Item>(
  options: Options<Page, Item> & {
    /** The parameter for the token (`page_token`). */
    readonly param?: string | undefined
    /** Where the token of the next page is (`next_page_token`). */
    readonly token?: ((page: Page) => Cursor) | undefined
  }
): Pagination<Page, Item> =>
  make(options, ["param", "token"], (page) => {
    if (saysNoMore(page)) return undefined
    const next = options.token === undefined ? field(page, "next_page_token") : options.token(page)
    return isCursor(next) ? { query: { [options.param ?? "page_token"]: next } } : undefined
  })

/** The number a request was sent with. */
const numberOf = (query: Context["query"], param: string, otherwise: number): number => {
  const value = query[param]
  return value === undefined || value.trim() === "" || !Number.isFinite(Number(value))
    ? otherwise
    : Number(value)
}

/**
 * Pages by number (`page`, from 1). The walk is over at the last of `totalPages`, at `has_more: false`, or, where the API
 * says neither, at the first page without items.
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
    /** How many pages there are, where the API says so. */
    readonly totalPages?: ((page: Page) => number | undefined) | undefined
  }
): Pagination<Page, Item> => {
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
 * Pages by offset (`offset`, from 0), moved on by the items that came. The walk is over at `total` items, at
 * `has_more: false`, or, where the API says neither, at the first page without items.
 *
 * @since 0.1.0
 * @category constructors
 */
export const offset = <Page, Item>(
  options: Options<Page, Item> & {
    /** The parameter for the offset (`offset`). */
    readonly param?: string | undefined
    /** How many items there are, where the API says so. */
    readonly total?: ((page: Page) => number | undefined) | undefined
  }
): Pagination<Page, Item> => {
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
 * Pages that name the next one in a `Link` header with `rel="next"` (RFC 8288). Its URL is taken as it stands, relative
 * to the page's own. Another origin gets no credentials, and nothing of the request that is secret.
 *
 * @since 0.1.0
 * @category constructors
 */
export const linkHeader = <Page, Item>(options: Options<Page, Item>): Pagination<Page, Item> =>
  make(options, [], (_page, { headers, url }) => {
    const links = parseLink(Headers.utf8(headers.link ?? ""))
    const next = links.find(({ anchor, rel }) => rel.includes("next") && isOf(url, anchor))
    if (next === undefined) return undefined
    return { url: URL.canParse(next.target, url) ? new URL(next.target, url).href : next.target }
  })

/** A link with another anchor links something else than the page (RFC 8288, 3.2). */
const isOf = (url: string, anchor: string | undefined): boolean =>
  anchor === undefined || (URL.canParse(anchor, url) && new URL(anchor, url).href === new URL(url).href)

/**
 * A rule of your own: what to ask after a page, `undefined` after the last. Where the cursor stands in a body, give the next
 * body.
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
    /** What asks for the next page; `undefined` after the last one. */ readonly next: (
      page: Page,
      context: Context
    ) => Next | undefined
  }
): Pagination<Page, Item> => make(options, ["next"], options.next)

/** `<target>; rel="next"; ...`, several with commas between, which a target or a quoted value may hold too. */
const linkValue = /<([^<>]*)>((?:\s*;\s*[^\s=;,]*(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,"]*))?)*)/g
/** One parameter, taken in its turn: what looks like one inside a quoted value is text. */
const linkParam = /;\s*([^\s=;,]*)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?/g

/**
 * A link of a `Link` header: where it leads, its relation types in lower case, and what it is a link of, where that is told.
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
    // The first of a name counts, and no other (section 3.3).
    const valueOf = (wanted: string): string | undefined => {
      const param = found.find(([, name]) => name?.toLowerCase() === wanted)
      return param?.[2]?.replace(/\\(.)/g, "$1") ?? param?.[3]
    }
    const types = valueOf("rel") ?? ""
    return { target, rel: types.toLowerCase().split(/\s+/).filter(Boolean), anchor: valueOf("anchor") }
  })
