/**
 * A walk over pages: each page is a call of its own with its own retries, asked for when the one before it has been taken.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import type * as Core from "../client/Core.js"
import * as Encoding from "../client/Encoding.js"
import * as Execution from "../client/Execution.js"
import type * as ApiError from "../errors/ApiError.js"
import * as ApiRequest from "../request/ApiRequest.js"
import type * as Call from "../request/Call.js"
import * as CallSecrets from "../request/CallSecrets.js"
import type * as RequestEncoder from "../request/RequestEncoder.js"
import * as ResponseError from "../request/ResponseError.js"
import * as RequestChanges from "../request/requestChanges.js"
import { invalid } from "../shared/invalid.js"
import { isPlainObject } from "../shared/isPlainObject.js"
import * as Redirects from "../transport/Redirects.js"
import * as RequestBody from "../wire/RequestBody.js"

/**
 * The pages of a request, from the one it asks for to the last. A page that was handed out is never asked for again, and a
 * walk that would not end fails with a `PaginationError` behind the last page that was new.
 */
export const pages = <Page, Item, E>(
  core: Core.Core,
  request: ApiRequest.PageRequest<Page, Item, E>
): Stream.Stream<Page, ApiError.ApiError | E> => Stream.map(walk(core, request), ({ page }) => page)

/** The items of all pages, those of one page as one chunk. */
export const items = <Page, Item, E>(
  core: Core.Core,
  request: ApiRequest.PageRequest<Page, Item, E>
): Stream.Stream<Item, ApiError.ApiError | E> =>
  Stream.flattenChunks(
    Stream.mapEffect(walk(core, request), ({ call, count, page }) =>
      attempt(call, count, "items", () => listOf(request.pagination.items(page)))
    )
  )

const listOf = <Item>(items: Iterable<Item>): Chunk.Chunk<Item> => {
  if (Predicate.isObject(items) && Predicate.isIterable(items)) return Chunk.fromIterable(items)
  throw new TypeError("it must return a list")
}

/** A page, and its call: `count` pages have come with it. */
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
    const asked = new Set<string>()
    return Stream.paginateEffect({ request, index: 0 }, (step: Step<Page, Item, E>) =>
      step.problem === undefined ? visit(checked, step, asked) : Effect.fail(step.problem)
    )
  })
  return pagination.prefetch ? ahead(visited) : visited
}

const badMaxPages = invalid("pagination.maxPages", "must be a number of at least 1")

interface Step<Page, Item, E> {
  readonly request: ApiRequest.PageRequest<Page, Item, E>
  readonly index: number
  /** Whether the page before it gave the body. */
  readonly hasOwnBody?: boolean | undefined
  /** The page that named the URL, where one did. */
  readonly from?: Answered | undefined
  /** Why there is no next page, behind the last that came. */
  readonly problem?: ApiError.PaginationError | undefined
}

interface Answered extends Redirects.Answered {
  readonly call: Call.Call
}

/** One page, and what asks for the next. A walk is a loop once it would ask for what it has asked for before. */
const visit = <Page, Item, E>(
  core: Core.Core,
  step: Step<Page, Item, E>,
  asked: Set<string>
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
    if (asked.has(key)) return fail("the same cursor came twice")
    if (index >= maxPages) return fail(`there are more than ${maxPages} pages`)
    asked.add(key)
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
        const next = Either.flatMap(
          trying("next", () => request.pagination.next(page, context)),
          (next) => onward(step, { call, encoded: call.encoded, askedUrl, url }, encoded, next)
        )
        const onwardOrProblem = Either.getOrElse(next, (problem) =>
          Option.some({ request, index: count, problem: ResponseError.pagination(call, problem, count) })
        )
        return [{ page, call, count }, onwardOrProblem] as const
      }
    )
  }
  return Encoding.begin(core, request, use, from?.encoded.trusted)
}

type Visiting<Page, Item, E> = readonly [Visited<Page>, Option.Option<Step<Page, Item, E>>]

/** What a later page of an origin may see, by the rules of redirects; or why it is not asked for. */
const restrict = (call: Call.Call, from: Answered): string | undefined => {
  call.usedCredentials.push(...from.call.usedCredentials)
  const redactor = CallSecrets.redactor(call)
  const restricted = Redirects.restrict(call.config, redactor, from, call.encoded, () =>
    CallSecrets.areInBody(call)
  )
  if (typeof restricted === "string") return restricted
  call.encoded = restricted
  return undefined
}

/** What a request asks for. A streamed body cannot be compared; the boundary of a form is another one each time. */
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

const unfit = (reason: string): Either.Either<never, ResponseError.PageProblem> => Either.left({ reason })

/** What asks for the next page: nothing after the last one, or the reason why there is none though there should be. */
const onward = <Page, Item, E>(
  { from, index, request }: Step<Page, Item, E>,
  answered: Answered,
  asked: RequestEncoder.EncodedRequest,
  next: unknown
): Either.Either<Option.Option<Step<Page, Item, E>>, ResponseError.PageProblem> => {
  if (next === undefined || next === null) return Either.right(Option.none())
  if (!isPlainObject(next)) return unfit(badNext)
  const { body, query, url } = next
  if (url === undefined && query === undefined && body === undefined) return unfit(badNext)
  if (query !== undefined && !isPlainObject(query)) return unfit(badNext)
  // A link goes on from the request that was answered, which a redirect may have turned into a GET.
  const { replayable } = url === undefined ? asked : answered.encoded
  if (body === undefined && !replayable) return unfit("the body cannot be sent again")
  const changed = (request: ApiRequest.PageRequest<Page, Item, E>) => {
    const queried = query === undefined ? request : ApiRequest.override(request, { query })
    return body === undefined ? queried : RequestChanges.withOptions(queried, { [bodyKind(request)]: body })
  }
  const after = { index: index + 1, hasOwnBody: body !== undefined }
  if (url === undefined) return Either.right(Option.some({ ...after, request: changed(request), from }))
  if (typeof url !== "string") return unfit(badNext)
  const to = Redirects.locate(answered.url, url)
  if (typeof to === "string") return unfit(`the next page is not asked for: ${to}`)
  const moved = ApiRequest.atUrl(
    answered.encoded.method === request.method ? request : asGet(request),
    to.href
  )
  return Either.right(Option.some({ ...after, request: changed(moved), from: answered }))
}

/** The request as a redirect left it. */
const asGet = <R extends ApiRequest.Request>(request: R): R =>
  Object.assign(RequestChanges.withOptions(request, { ...noBody, idempotencyKey: undefined }), {
    method: "GET"
  })

const noBody = Object.fromEntries(RequestBody.kinds.map((kind) => [kind, undefined]))

/** Runs a function of the caller's. */
const trying = <A>(name: string, run: () => A): Either.Either<A, ResponseError.PageProblem> =>
  Either.try({
    try: run,
    catch: (cause) => ({
      reason: `${name} failed${cause instanceof Error ? `: ${cause.message}` : ""}`.slice(0, 500),
      cause
    })
  })

const attempt = <A>(
  call: Call.Call,
  count: number,
  name: string,
  run: () => A
): Effect.Effect<A, ApiError.PaginationError> =>
  Either.mapLeft(trying(name, run), (problem) => ResponseError.pagination(call, problem, count))

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
