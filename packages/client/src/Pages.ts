/**
 * A walk over pages: each page is a call of its own with its own retries, asked for when the one before it has been taken.
 *
 * @since 0.1.0
 */
import { Chunk, Effect, Option, Stream } from "effect"
import * as ApiError from "./ApiError.js"
import * as ApiRequest from "./ApiRequest.js"
import * as Call from "./Call.js"
import * as Core from "./Core.js"
import * as Execution from "./Execution.js"
import type * as Pagination from "./Pagination.js"

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
  const walk = Stream.suspend(() => {
    const seen = new Set<string>()
    const first: Step<Page, Item, E> = { request, index: 0, problem: undefined }
    return Stream.paginateEffect(first, (step) =>
      step.problem === undefined
        ? Effect.map(visit(core, step.request), ({ call, page, headers }) => {
            const { url } = call.encoded.http
            const query = Object.fromEntries(new URL(url).searchParams)
            const next = pagination.next(page, { query, url, headers, index: step.index })
            return [page, Option.map(Option.fromNullable(next), (next) => follow(call, step, next, seen))] as const
          })
        : Effect.fail(step.problem)
    )
  })
  return pagination.prefetch ? Stream.buffer(walk, { capacity: 1 }) : walk
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

interface Step<Page, Item, E> {
  readonly request: ApiRequest.PageRequest<Page, Item, E>
  readonly index: number
  readonly problem: ApiError.PaginationError | undefined
}

const visit = <Page, Item, E>(core: Core.Core, request: ApiRequest.PageRequest<Page, Item, E>) =>
  Effect.flatMap(Core.begin(core, request), (call) =>
    Effect.map(Execution.run(core, call, request), ({ headers, value }) => ({ call, headers, page: value }))
  )

const follow = <Page, Item, E>(
  call: Call.Call,
  step: Step<Page, Item, E>,
  next: Pagination.Next,
  seen: Set<string>
): Step<Page, Item, E> => {
  const index = step.index + 1
  const key = JSON.stringify(next)
  const { maxPages } = step.request.pagination
  const reason = seen.has(key)
    ? "the same cursor came twice"
    : index >= maxPages
      ? `there are more than ${maxPages} pages`
      : undefined
  seen.add(key)
  return {
    index,
    request:
      "url" in next
        ? ApiRequest.atUrl(step.request, next.url)
        : ApiRequest.override(step.request, { query: next.query }),
    problem: reason === undefined ? undefined : paginationError(call, reason, index)
  }
}

const paginationError = (call: Call.Call, reason: string, pages: number): ApiError.PaginationError =>
  new ApiError.PaginationError({
    ...Call.common(call, `${reason}, after ${pages} pages`, "maybe-applied"),
    attempts: [...call.attempts],
    reason,
    pages
  })
