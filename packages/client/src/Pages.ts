/**
 * A walk over pages: each page is a call of its own with its own retries, asked for when the one before it has been taken.
 *
 * @since 0.1.0
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as ApiError from "./ApiError.js"
import * as ApiRequest from "./ApiRequest.js"
import * as Call from "./Call.js"
import * as Core from "./Core.js"
import * as Execution from "./Execution.js"
import { invalid } from "./internal/invalid.js"
import type * as PageContract from "./PageContract.js"

/**
 * The pages of a request, from the one it asks for to the last. A page that was handed out is never asked for again, and a
 * walk that would not end fails with a `PaginationError` behind the last page that was new.
 *
 * @since 0.1.0
 * @category running
 */
export const pages = <Page, Item, E>(
  core: Core.Core,
  request: ApiRequest.PageRequest<Page, Item, E>
): Stream.Stream<Page, ApiError.ApiError | E> => {
  const { pagination } = request
  const checked = pagination.maxPages >= 1 ? core : { ...core, problem: badMaxPages }
  const walk = Stream.suspend(() => {
    const asked = new Set<string>()
    return Stream.paginateEffect({ request, index: 0 }, (step) => visit(checked, step, asked))
  })
  return pagination.prefetch ? ahead(walk) : walk
}

/**
 * The items of all pages, those of one page as one chunk.
 *
 * @since 0.1.0
 * @category running
 */
export const items = <Page, Item, E>(
  core: Core.Core,
  request: ApiRequest.PageRequest<Page, Item, E>
): Stream.Stream<Item, ApiError.ApiError | E> =>
  Stream.mapConcatChunk(pages(core, request), (page) => Chunk.fromIterable(request.pagination.items(page)))

const badMaxPages = invalid("pagination.maxPages", "must be a number of at least 1")

interface Step<Page, Item, E> {
  readonly request: ApiRequest.PageRequest<Page, Item, E>
  readonly index: number
}

/** One page, and what asks for the next. A walk is a loop once it would ask for a URL that it has asked for before. */
const visit = <Page, Item, E>(
  core: Core.Core,
  { index, request }: Step<Page, Item, E>,
  asked: Set<string>
): Effect.Effect<readonly [Page, Option.Option<Step<Page, Item, E>>], ApiError.ApiError | E> =>
  Core.begin(core, request, (call) => {
    const { url } = call.encoded
    const { maxPages, next } = request.pagination
    if (asked.has(url)) return Effect.fail(paginationError(call, "the same cursor came twice", index))
    if (index >= maxPages)
      return Effect.fail(paginationError(call, `there are more than ${maxPages} pages`, index))
    asked.add(url)
    return Effect.map(Execution.run(core, call, request, Execution.answered<Page>), ({ headers, value }) => {
      const query = Object.fromEntries(new URL(url).searchParams)
      const onward = Option.fromNullable(next(value, { query, url, headers, index }))
      return [
        value,
        Option.map(onward, (next) => ({ request: turned(request, next), index: index + 1 }))
      ] as const
    })
  })

const turned = <Page, Item, E>(
  request: ApiRequest.PageRequest<Page, Item, E>,
  next: PageContract.Next
): ApiRequest.PageRequest<Page, Item, E> =>
  "url" in next ? ApiRequest.atUrl(request, next.url) : ApiRequest.override(request, { query: next.query })

/** Asks for one page while the one before it is worked on. `Stream.buffer` asks for two: one it holds, one it offers. */
const ahead = <A, E>(walk: Stream.Stream<A, E>): Stream.Stream<A, E> =>
  Stream.unwrapScoped(
    Effect.map(Effect.all([Stream.toPull(walk), Effect.scope]), ([pull, scope]) => {
      let coming: typeof pull | undefined
      const next = Effect.suspend(() => coming ?? pull)
      const early = Effect.map(Effect.forkIn(pull, scope), (fiber) => {
        coming = Fiber.join(fiber)
      })
      return Stream.repeatEffectChunkOption(Effect.zipLeft(next, early))
    })
  )

const paginationError = (call: Call.Call, reason: string, pages: number): ApiError.PaginationError =>
  new ApiError.PaginationError({
    ...Call.common(call, `${reason}, after ${pages} pages`, "maybe-applied"),
    reason,
    pages
  })
