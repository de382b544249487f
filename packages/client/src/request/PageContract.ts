/**
 * The contract of every pagination strategy: where the items of a page are, how to request the next one, when to
 * stop.
 */
import type * as Stream from "effect/Stream"

/** Type id of {@link Pagination}. */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/Pagination")

/**
 * The state after a page.
 *
 * @since 0.1.0
 * @category models
 */
export interface Context {
  /** The query of the page's request. */
  readonly query: Readonly<Record<string, string>>
  /** The body of the page's request, as its options give it. */
  readonly body?: unknown
  /** The URL of the response, after redirects. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** How many pages came before. */
  readonly index: number
}

/**
 * The next request: other query parameters merged over its own, another body, or another URL.
 *
 * @since 0.1.0
 * @category models
 */
export type Next =
  | (Changes & { readonly query: Query })
  | (Changes & { readonly body: unknown })
  | (Changes & { readonly url: string })

interface Changes {
  readonly query?: Query | undefined
  /** Replaces the request's body, in the same form; `bodySchema` encodes it. */
  readonly body?: unknown
  /** Relative to the URL of the response. Another origin receives no secret of the request. */
  readonly url?: string | undefined
}

type Query = Readonly<Record<string, string | number | null | undefined>>

/**
 * A strategy for pages of type `Page` that hold items of type `Item`.
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
  /** The functions of `Pages`, carried by the value so that a program without pages does not bundle them. */
  readonly walk: {
    readonly pages: (core: never, request: never) => Stream.Stream<unknown, unknown>
    readonly pagesWithResponse: (core: never, request: never) => Stream.Stream<unknown, unknown>
    readonly items: (core: never, request: never) => Stream.Stream<unknown, unknown>
  }
}
