/**
 * The lists of the API, page by page: https://docs.anthropic.com/en/api/models-list
 *
 * @since 0.1.0
 */
import { Pagination } from "@effect-api/client"
import * as Schema from "effect/Schema"
import { nullish } from "../shared/schema.js"

/**
 * Which page to ask for, and how much of the list: `limit` items (20, at most 1,000), behind `after_id` or, going back,
 * before `before_id`.
 *
 * @since 0.1.0
 * @category models
 */
export interface PageParams {
  readonly limit?: number | undefined
  readonly after_id?: string | undefined
  readonly before_id?: string | undefined
}

/**
 * A page. What comes next is behind `last_id`, or is what `next_page` names, which some lists have in its place.
 *
 * @since 0.1.0
 * @category models
 */
export interface Page<out A> {
  readonly data: ReadonlyArray<A>
  readonly has_more?: boolean | null | undefined
  readonly first_id?: string | null | undefined
  readonly last_id?: string | null | undefined
  readonly next_page?: string | null | undefined
}

/**
 * The schema of a page from that of its items.
 *
 * @since 0.1.0
 * @category schemas
 */
export const of = <A>(item: Schema.Schema<A>): Schema.Schema<Page<A>> =>
  Schema.Struct({
    data: Schema.Array(item),
    has_more: nullish(Schema.Boolean),
    first_id: nullish(Schema.String),
    last_id: nullish(Schema.String),
    next_page: nullish(Schema.String)
  })

const byId = Pagination.cursor<Page<unknown>, unknown>({ items: (page) => page.data })

/**
 * How to walk the pages, whichever of the two ways a list has.
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
