/** A walk over pages. Each page is a call with its own retries, sent when the page before it has been taken. */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import type * as Core from "../client/Core.js"
import * as Encoding from "../client/Encoding.js"
import * as Execution from "../client/Execution.js"
import * as Pulls from "../effect/pulls.js"
import * as Streams from "../effect/streams.js"
import type * as ApiError from "../errors/ApiError.js"
import * as ApiRequest from "../request/ApiRequest.js"
import type * as Call from "../request/Call.js"
import * as CallSecrets from "../request/CallSecrets.js"
import type * as RequestEncoder from "../request/RequestEncoder.js"
import * as ResponseError from "../request/ResponseError.js"
import * as RequestChanges from "../request/requestChanges.js"
import { invalid } from "../shared/invalid.js"
import { isPlainObject } from "../shared/isPlainObject.js"
import * as Result from "../shared/result.js"
import * as Redirects from "../transport/Redirects.js"
import * as RequestBody from "../wire/RequestBody.js"

/**
 * The pages of a request, from the first one to the last. A page is never requested twice. A walk that would not end
 * fails with a `PaginationError` after the last new page.
 */
export const pages = <Page, Item, E>(
  core: Core.Core,
  request: ApiRequest.PageRequest<Page, Item, E>
): Stream.Stream<Page, ApiError.ApiError | E> => Stream.map(walk(core, request), ({ page }) => page)

/** The items of all pages; those of one page arrive as one chunk. */
export const items = <Page, Item, E>(
  core: Core.Core,
  request: ApiRequest.PageRequest<Page, Item, E>
): Stream.Stream<Item, ApiError.ApiError | E> =>
  Streams.flattened(
    Stream.mapEffect(walk(core, request), ({ call, count, page }) =>
      attempt(call, count, "items", () => listOf(request.pagination.items(page)))
    )
  )

const listOf = <Item>(items: Iterable<Item>): ReadonlyArray<Item> => {
  if (Predicate.isObject(items) && Predicate.isIterable(items)) return Arr.fromIterable(items)
  throw new TypeError("it must return a list")
}

/** A page, and its call. `count` pages have come, this one included. */
interface Visited<Page> {
  readonly page: Page
  readonly call: Call.Call
  readonly count: number
}

const walk = <Page, Item, E>(
  core: Core.Core,
  request: ApiRequest.PageRequest<Page, Item, E>
): Stream.Stream<Visited<Page>, ApiError.ApiError | E> => {
  const { pagination } = request
  const checked = pagination.maxPages >= 1 ? core : { ...core, problem: badMaxPages }
  const visited = Stream.suspend(() => {
    const seen = new Set<string>()
    return Streams.paginate({ request, index: 0 }, (step: Step<Page, Item, E>) =>
      step.problem === undefined ? visit(checked, step, seen) : Effect.fail(step.problem)
    )
  })
  return pagination.prefetch ? ahead(visited) : visited
}

const badMaxPages = invalid("pagination.maxPages", "must be a number of at least 1")

interface Step<Page, Item, E> {
  readonly request: ApiRequest.PageRequest<Page, Item, E>
  readonly index: number
  /** Whether the page before set the body. */
  readonly hasOwnBody?: boolean | undefined
  /** The page that named the URL, if one did. */
  readonly from?: Previous | undefined
  /** Why there is no next page after the last one. */
  readonly problem?: ApiError.PaginationError | undefined
}

interface Previous extends Redirects.Followed {
  readonly call: Call.Call
}

/** Visits one page and finds the next step. A walk that would repeat a request is a loop. */
const visit = <Page, Item, E>(
  core: Core.Core,
  step: Step<Page, Item, E>,
  seen: Set<string>
): Effect.Effect<readonly [Visited<Page>, Option.Option<Step<Page, Item, E>>], ApiError.ApiError | E> => {
  const { from, index, request } = step
  const { maxPages } = request.pagination
  const use = (
    call: Call.Call,
    core: Core.Core
  ): Effect.Effect<Visiting<Page, Item, E>, ApiError.ApiError | E> => {
    const fail = (reason: string) => Effect.fail(ResponseError.pagination(call, { reason }, index))
    const refusal = from && restrict(call, from)
    if (refusal !== undefined) return fail(`the next page is not asked for: ${refusal}`)
    const { encoded } = call
    const key = keyOf(encoded, step)
    if (seen.has(key)) return fail("the same cursor came twice")
    if (index >= maxPages) return fail(`there are more than ${maxPages} pages`)
    seen.add(key)
    return Effect.map(
      Execution.run(core, call, request, (_call, { askedUrl, headers, url }, page: Page) => ({
        askedUrl,
        headers,
        page,
        url
      })),
      ({ askedUrl, headers, page, url }) => {
        const count = index + 1
        const query = Object.fromEntries(new URL(encoded.url).searchParams)
        const context = { query, body: request.options[bodyKind(request)], url, headers, index }
        const next = Result.flatMap(
          trying("next", () => request.pagination.next(page, context)),
          (next) => onward(step, { call, encoded: call.encoded, askedUrl, url }, encoded, next)
        )
        const onwardOrProblem = next.ok
          ? next.value
          : Option.some({ request, index: count, problem: ResponseError.pagination(call, next.error, count) })
        return [{ page, call, count }, onwardOrProblem] as const
      }
    )
  }
  return Encoding.begin(core, request, use, from?.encoded.trusted)
}

type Visiting<Page, Item, E> = readonly [Visited<Page>, Option.Option<Step<Page, Item, E>>]

/** Limits what a later page may send, by the rules of redirects. Returns why the page is not requested, if so. */
const restrict = (call: Call.Call, from: Previous): string | undefined => {
  call.usedCredentials.push(...from.call.usedCredentials)
  const redactor = CallSecrets.redactor(call)
  const restricted = Redirects.restrict(call.config, redactor, from, call.encoded, () =>
    CallSecrets.areInBody(call)
  )
  if (typeof restricted === "string") return restricted
  call.encoded = restricted
  return undefined
}

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

const bodyKind = ({ options }: ApiRequest.Request): (typeof RequestBody.kinds)[number] =>
  RequestBody.kinds.find((kind) => options[kind] !== undefined) ?? "body"

const badNext = "next must return { query }, { body } or { url }, or undefined after the last page"

const unfit = (reason: string): Result.Result<never, ResponseError.PageProblem> => Result.fail({ reason })

/** The step to the next page: none after the last one, or the problem that prevents it. */
const onward = <Page, Item, E>(
  { from, index, request }: Step<Page, Item, E>,
  previous: Previous,
  sent: RequestEncoder.EncodedRequest,
  next: unknown
): Result.Result<Option.Option<Step<Page, Item, E>>, ResponseError.PageProblem> => {
  if (next === undefined || next === null) return Result.succeed(Option.none())
  if (!isPlainObject(next)) return unfit(badNext)
  const { body, query, url } = next
  if (url === undefined && query === undefined && body === undefined) return unfit(badNext)
  if (query !== undefined && !isPlainObject(query)) return unfit(badNext)
  // A link continues from the request that got the response, which a redirect may have turned into a GET.
  const { replayable } = url === undefined ? sent : previous.encoded
  if (body === undefined && !replayable) return unfit("the body cannot be sent again")
  const changed = (request: ApiRequest.PageRequest<Page, Item, E>) => {
    const queried = query === undefined ? request : ApiRequest.override(request, { query })
    return body === undefined ? queried : RequestChanges.withOptions(queried, { [bodyKind(request)]: body })
  }
  const after = { index: index + 1, hasOwnBody: body !== undefined }
  if (url === undefined) return Result.succeed(Option.some({ ...after, request: changed(request), from }))
  if (typeof url !== "string") return unfit(badNext)
  const to = Redirects.locate(previous.url, url)
  if (typeof to === "string") return unfit(`the next page is not asked for: ${to}`)
  const moved = ApiRequest.atUrl(
    previous.encoded.method === request.method ? request : asGet(request),
    to.href
  )
  return Result.succeed(Option.some({ ...after, request: changed(moved), from: previous }))
}

/** The request that a redirect turned into a GET. */
const asGet = <R extends ApiRequest.Request>(request: R): R =>
  Object.assign(RequestChanges.withOptions(request, { ...noBody, idempotencyKey: undefined }), {
    method: "GET",
    promised: "safe"
  })

const noBody = Object.fromEntries(RequestBody.kinds.map((kind) => [kind, undefined]))

/** Runs a function of the caller. */
const trying = <A>(name: string, run: () => A): Result.Result<A, ResponseError.PageProblem> => {
  try {
    return Result.succeed(run())
  } catch (cause) {
    const reason = `${name} failed${cause instanceof Error ? `: ${cause.message}` : ""}`.slice(0, 500)
    return Result.fail({ reason, cause })
  }
}

const attempt = <A>(
  call: Call.Call,
  count: number,
  name: string,
  run: () => A
): Effect.Effect<A, ApiError.PaginationError> => {
  const tried = trying(name, run)
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
