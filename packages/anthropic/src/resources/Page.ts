/**
 * The pages of a list: https://docs.anthropic.com/en/api/models-list
 *
 * @since 0.1.0
 */
import { Pagination } from "@effect-api/client"
import * as Schema from "effect/Schema"
import { nullishBoolean, nullishString } from "../shared/schema.js"

/**
 * Which page of a list to request.
 *
 * @since 0.1.0
 * @category models
 */
export interface PageParams {
  /** The number of items in a page: 1 to 1,000 (20). */
  readonly limit?: number | undefined
  /** The id after which the page starts. */
  readonly after_id?: string | undefined
  /** The id before which the page ends, to page backwards. */
  readonly before_id?: string | undefined
}

/**
 * One page of a list. The next page starts after `last_id`. Some lists have a cursor `next_page` instead.
 *
 * @since 0.1.0
 * @category models
 */
export interface Page<out A> {
  /** The items of the page. */
  readonly data: ReadonlyArray<A>
  /** Whether the list continues in the direction of paging. */
  readonly has_more?: boolean | null | undefined
  readonly first_id?: string | null | undefined
  readonly last_id?: string | null | undefined
  /** The cursor of the next page, in lists that use one. */
  readonly next_page?: string | null | undefined
}

/**
 * Makes the schema of a page from the schema of its items.
 *
 * @example
 * ```ts
 * import { Page } from "@effect-api/anthropic"
 * import { ApiRequest } from "@effect-api/client"
 * import { Schema } from "effect"
 *
 * const MemoryStore = Schema.Struct({ id: Schema.String, name: Schema.String })
 *
 * const stores = ApiRequest.get("/v1/memory_stores", { success: Page.of(MemoryStore) }).pipe(
 *   ApiRequest.paginate(Page.pagination<typeof MemoryStore.Type>())
 * )
 * ```
 * @since 0.1.0
 * @category schemas
 */
export const of = <A>(item: Schema.Schema<A>): Schema.Schema<Page<A>> =>
  Schema.Struct({
    data: Schema.Array(item),
    has_more: nullishBoolean,
    first_id: nullishString,
    last_id: nullishString,
    next_page: nullishString
  })

const byId = Pagination.cursor<Page<unknown>, unknown>({ items: (page) => page.data })

/**
 * Pages through a list, by `last_id` or by `next_page`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const pagination = <A>(): Pagination.Pagination<Page<A>, A> =>
  Pagination.custom({
    items: (page) => page.data,
    next: (page, context) => {
      if (page.has_more === false) return undefined
      return page.next_page ? { query: { page: page.next_page } } : byId.next(page, context)
    }
  })
