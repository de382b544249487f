/**
 * What every way to walk pages agrees on: where the items of a page are, what asks for the next one, when to stop.
 *
 * @since 0.1.0
 */
import type * as Stream from "effect/Stream"

/**
 * Type id of {@link Pagination}.
 *
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/Pagination")

/**
 * What is known when a page has come: the query it was asked for with, its URL and headers, and how many came before.
 *
 * @since 0.1.0
 * @category models
 */
export interface Context {
  readonly query: Readonly<Record<string, string>>
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly index: number
}

/**
 * What to ask next: the same request with other query parameters, or another URL.
 *
 * @since 0.1.0
 * @category models
 */
export type Next =
  | { readonly query: Readonly<Record<string, string | number | null | undefined>> }
  | { readonly url: string }

/**
 * A way to walk pages of type `Page` that hold items of type `Item`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Pagination<in Page, out Item> {
  readonly [TypeId]: typeof TypeId
  readonly items: (page: Page) => ReadonlyArray<Item>
  readonly next: (page: Page, context: Context) => Next | undefined
  readonly maxPages: number
  readonly prefetch: boolean
  /** `Pages.pages` and `Pages.items`: they come with the value, so that a program without pages does not carry them along. */
  readonly walk: {
    readonly pages: (core: never, request: never) => Stream.Stream<unknown, unknown>
    readonly items: (core: never, request: never) => Stream.Stream<unknown, unknown>
  }
}
