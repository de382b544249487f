/** A walk over pages. Each page is a call with its own retries, sent when the page before it has been taken. */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import type * as ApiResponse from "../client/ApiResponse.js"
import type * as Core from "../client/Core.js"
import type * as Decoding from "../client/Decoding.js"
import * as Encoding from "../client/Encoding.js"
import * as Execution from "../client/Execution.js"
import * as Following from "../client/Following.js"
import type * as Fibers from "../effect/fibers.js"
import * as Pulls from "../effect/pulls.js"
import * as Streams from "../effect/streams.js"
import type * as ApiError from "../errors/ApiError.js"
import type * as ApiRequest from "../request/ApiRequest.js"
import type * as Call from "../request/Call.js"
import type * as RequestEncoder from "../request/RequestEncoder.js"
import * as ResponseError from "../request/ResponseError.js"
import { invalid } from "../shared/invalid.js"
import * as Result from "../shared/result.js"

/**
 * The pages of a request, from the first one to the last. A page is never requested twice. A walk that would not end
 * fails with a `PaginationError` after the last new page.
 */
export const pages = <Page, Item, E>(
  core: Core.Core,
  request: ApiRequest.PageRequest<Page, Item, E>
): Stream.Stream<Page, ApiError.ApiError | E> =>
  Stream.map(walk(core, request, pageAlone), ({ page }) => page)

/** The same pages, each with its response. */
export const pagesWithResponse = <Page, Item, E>(
  core: Core.Core,
  request: ApiRequest.PageRequest<Page, Item, E>
): Stream.Stream<ApiResponse.ApiResponse<Page>, ApiError.ApiError | E> =>
  Stream.map(walk(core, request, Execution.withResponse<Page>), ({ shown }) => shown)

/** The items of all pages; those of one page arrive as one chunk. */
export const items = <Page, Item, E>(
  core: Core.Core,
  request: ApiRequest.PageRequest<Page, Item, E>
): Stream.Stream<Item, ApiError.ApiError | E> =>
  Streams.flattened(
    Stream.mapEffect(walk(core, request, pageAlone), ({ call, count, page }) =>
      attempt(call, count, "items", () => listOf(request.pagination.items(page)))
    )
  )

const listOf = <Item>(items: Iterable<Item>): ReadonlyArray<Item> => {
  if (Predicate.isObject(items) && Predicate.isIterable(items)) return Arr.fromIterable(items)
  throw new TypeError("it must return a list")
}

const pageAlone: Decoding.Project<unknown, undefined> = () => undefined

/** A page, what is shown of its response, and its call. `count` pages have come, this one included. */
interface Visited<Page, B> {
  readonly page: Page
  readonly shown: B
  readonly call: Call.Call
  readonly count: number
}

const walk = <Page, Item, E, B>(
  core: Core.Core,
  request: ApiRequest.PageRequest<Page, Item, E>,
  project: Decoding.Project<Page, B>
): Stream.Stream<Visited<Page, B>, ApiError.ApiError | E> => {
  const { pagination } = request
  const checked = pagination.maxPages >= 1 ? core : { ...core, problem: badMaxPages }
  const visited = Stream.suspend(() => {
    const seen = new Set<string>()
    return Streams.paginate({ request, index: 0 }, (step: Step<Page, Item, E>) =>
      step.problem === undefined ? visit(checked, step, seen, project) : Effect.fail(step.problem)
    )
  })
  return pagination.prefetch ? ahead(visited) : visited
}

const badMaxPages = invalid("pagination.maxPages", "must be a number of at least 1")

interface Step<Page, Item, E> extends Following.Step<ApiRequest.PageRequest<Page, Item, E>> {
  readonly index: number
  /** Why there is no next page after the last one. */
  readonly problem?: ApiError.PaginationError | undefined
}

/** Visits one page and finds the next step. A walk that would repeat a request is a loop. */
const visit = <Page, Item, E, B>(
  core: Core.Core,
  step: Step<Page, Item, E>,
  seen: Set<string>,
  project: Decoding.Project<Page, B>
): Effect.Effect<Visiting<Page, Item, E, B>, ApiError.ApiError | E> => {
  const { from, index, request } = step
  const { maxPages } = request.pagination
  const use = (
    call: Call.Call,
    core: Core.Core,
    fiber: Fibers.AnyFiber
  ): Effect.Effect<Visiting<Page, Item, E, B>, ApiError.ApiError | E> => {
    const fail = (reason: string) => Effect.fail(ResponseError.pagination(call, { reason }, index))
    const refusal = from && Following.restrict(call, from)
    if (refusal !== undefined) return fail(`the next page is not asked for: ${refusal}`)
    const { encoded } = call
    const key = keyOf(encoded, step)
    if (seen.has(key)) return fail("the same cursor came twice")
    if (index >= maxPages) return fail(`there are more than ${maxPages} pages`)
    seen.add(key)
    return Effect.map(
      Execution.run(core, fiber, call, request, (call, response, page: Page) => {
        const { askedUrl, headers, url } = response
        return { askedUrl, headers, page, url, shown: project(call, response, page) }
      }),
      ({ askedUrl, headers, page, shown, url }) => {
        const count = index + 1
        const query = Object.fromEntries(new URL(encoded.url).searchParams)
        const context = { query, body: Following.bodyOf(request), url, headers, index }
        const next = Result.flatMap(
          Following.trying("next", () => request.pagination.next(page, context)),
          (next) =>
            Following.onward(
              step,
              { call, encoded: call.encoded, askedUrl, url },
              encoded,
              next,
              "the next page"
            )
        )
        const onwardOrProblem = next.ok
          ? Option.map(Option.fromNullable(next.value), (step) => ({ ...step, index: count }))
          : Option.some({ request, index: count, problem: ResponseError.pagination(call, next.error, count) })
        return [{ page, shown, call, count }, onwardOrProblem] as const
      }
    )
  }
  return Encoding.begin(core, request, use, from?.encoded.trusted)
}

type Visiting<Page, Item, E, B> = readonly [Visited<Page, B>, Option.Option<Step<Page, Item, E>>]

/**
 * The identity of a request in a walk. A streamed body cannot be compared, and the boundary of a form differs each
 * time.
 */
const keyOf = (
  { body, url }: RequestEncoder.EncodedRequest,
  { hasOwnBody, index }: { readonly hasOwnBody?: boolean | undefined; readonly index: number }
): string => {
  if (body._tag !== "Uint8Array") return hasOwnBody === true ? `${url}\n${index}` : url
  const [, boundary = "\n"] = /boundary=(\S+)/.exec(body.contentType) ?? []
  return `${url}\n${new TextDecoder().decode(body.body).replaceAll(boundary, "")}`
}

const attempt = <A>(
  call: Call.Call,
  count: number,
  name: string,
  run: () => A
): Effect.Effect<A, ApiError.PaginationError> => {
  const tried = Following.trying(name, run)
  return tried.ok
    ? Effect.succeed(tried.value)
    : Effect.fail(ResponseError.pagination(call, tried.error, count))
}

/** Requests one page ahead. `Stream.buffer` would request two: one that it holds, one that it offers. */
const ahead = <A, E>(walk: Stream.Stream<A, E>): Stream.Stream<A, E> =>
  Stream.unwrapScoped(
    Effect.map(Effect.all([Stream.toPull(walk), Effect.scope]), ([pull, scope]) => {
      let coming: typeof pull | undefined
      const next = Effect.suspend(() => coming ?? pull)
      const early = Effect.map(Effect.forkIn(pull, scope), (fiber) => {
        coming = Fiber.join(fiber)
      })
      return Pulls.repeated(Effect.zipLeft(next, early))
    })
  )
