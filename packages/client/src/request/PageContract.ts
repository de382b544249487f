/**
 * What every way to walk pages agrees on: where the items of a page are, what asks for the next one, when to stop.
 */
import type * as Stream from "effect/Stream"

/** Type id of {@link Pagination}. */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/Pagination")

/** What is known when a page has come. */
export interface Context {
  /** The query that the page was asked for with. */
  readonly query: Readonly<Record<string, string>>
  /** The body that the page was asked for with, as the request's options give it. */
  readonly body?: unknown
  /** The URL that answered, which may stand behind a redirect. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** How many pages came before. */
  readonly index: number
}

/**
 * What to ask next: the same request with other query parameters over its own, with another body, or at another URL.
 */
export type Next =
  | (Changes & { readonly query: Query })
  | (Changes & { readonly body: unknown })
  | (Changes & { readonly url: string })

interface Changes {
  readonly query?: Query | undefined
  /** Takes the place of the request's body, in the form that this was given in; `bodySchema` encodes it. */
  readonly body?: unknown
  /** Relative to the URL that answered. At another origin nothing of the request that is secret goes along. */
  readonly url?: string | undefined
}

type Query = Readonly<Record<string, string | number | null | undefined>>

/** A way to walk pages of type `Page` that hold items of type `Item`. */
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
