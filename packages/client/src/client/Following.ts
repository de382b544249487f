/** Requests that follow from a response, by what a function of the caller makes of it: the next page, the next poll. */
import * as ApiRequest from "../request/ApiRequest.js"
import type * as Call from "../request/Call.js"
import * as CallSecrets from "../request/CallSecrets.js"
import type * as RequestEncoder from "../request/RequestEncoder.js"
import type * as ResponseError from "../request/ResponseError.js"
import * as RequestChanges from "../request/requestChanges.js"
import { isPlainObject } from "../shared/isPlainObject.js"
import * as Result from "../shared/result.js"
import * as Redirects from "../transport/Redirects.js"
import * as RequestBody from "../wire/RequestBody.js"

/** The call whose response names a URL. */
export interface Previous extends Redirects.Followed {
  readonly call: Call.Call
}

/** A request, and the call whose response named its URL, if one did. */
export interface Step<out R> {
  readonly request: R
  /** Whether the body is another one than the first request's. */
  readonly hasOwnBody?: boolean | undefined
  readonly from?: Previous | undefined
}

/** Limits what a request may send to a URL of a response, by the rules of redirects. Returns why it is not sent, if so. */
export const restrict = (call: Call.Call, from: Previous): string | undefined => {
  const { usedCredentials } = call
  usedCredentials.push(...from.call.usedCredentials.filter((used) => !usedCredentials.includes(used)))
  call.signed = from.call.signed
  const redactor = CallSecrets.redactor(call)
  const restricted = Redirects.restrict(call.config, redactor, from, call.encoded, () =>
    CallSecrets.areInBody(call)
  )
  if (typeof restricted === "string") return restricted
  call.encoded = restricted
  return undefined
}

/** The body of a request, as its options give it. */
export const bodyOf = (request: ApiRequest.Request): unknown => request.options[bodyKind(request)]

const bodyKind = ({ options }: ApiRequest.Request): (typeof RequestBody.kinds)[number] =>
  RequestBody.kinds.find((kind) => options[kind] !== undefined) ?? "body"

const unfit = (reason: string): Result.Result<never, ResponseError.Unusable> => Result.fail({ reason })

/** The request that follows: none if nothing is to follow, or the problem that prevents it. `what` names it. */
export const onward = <R extends ApiRequest.Request>(
  { from, request }: Step<R>,
  previous: Previous,
  sent: RequestEncoder.EncodedRequest,
  next: unknown,
  what: string
): Result.Result<Step<R> | undefined, ResponseError.Unusable> => {
  if (next === undefined || next === null) return Result.succeed(undefined)
  const badNext = `next must return { query }, { body } or { url }, or undefined after the last page`
  if (!isPlainObject(next)) return unfit(badNext)
  const { body, query, url } = next
  if (url === undefined && query === undefined && body === undefined) return unfit(badNext)
  if (query !== undefined && !isPlainObject(query)) return unfit(badNext)
  // A link continues from the request that got the response, which a redirect may have turned into a GET.
  const { replayable } = url === undefined ? sent : previous.encoded
  if (body === undefined && !replayable) return unfit("the body cannot be sent again")
  const changed = (request: R): R => {
    const { nextQuery, querySchema } = request.options
    // What follows from a response is written as it is sent: no schema encodes it.
    const queried =
      query === undefined
        ? request
        : querySchema === undefined
          ? ApiRequest.override(request, { query })
          : RequestChanges.withOptions(request, { nextQuery: { ...nextQuery, ...query } })
    return body === undefined ? queried : RequestChanges.withOptions(queried, { [bodyKind(request)]: body })
  }
  const hasOwnBody = body !== undefined
  if (url === undefined) return Result.succeed({ request: changed(request), hasOwnBody, from })
  if (typeof url !== "string") return unfit(badNext)
  const moved = toUrl(
    previous.encoded.method === request.method ? request : asGet(request),
    previous,
    url,
    what
  )
  return Result.map(moved, (moved) => ({ ...moved, request: changed(moved.request), hasOwnBody }))
}

/** A request for a URL of a response, relative to that of the response. */
export const toUrl = <R extends ApiRequest.Request>(
  request: R,
  from: Previous,
  url: string,
  what: string
): Result.Result<Step<R>, ResponseError.Unusable> => {
  const to = Redirects.locate(from.url, url)
  return typeof to === "string"
    ? unfit(`${what} is not asked for: ${to}`)
    : Result.succeed({ request: ApiRequest.atUrl(request, to.href), from })
}

/** The request that a redirect turned into a GET. */
const asGet = <R extends ApiRequest.Request>(request: R): R =>
  Object.assign(RequestChanges.withOptions(request, { ...noBody, idempotencyKey: undefined }), {
    method: "GET",
    promised: "safe"
  })

const noBody = Object.fromEntries(RequestBody.kinds.map((kind) => [kind, undefined]))

/** Runs a function of the caller. */
export const trying = <A>(name: string, run: () => A): Result.Result<A, ResponseError.Unusable> => {
  try {
    return Result.succeed(run())
  } catch (cause) {
    const reason = `${name} failed${cause instanceof Error ? `: ${cause.message}` : ""}`.slice(0, 500)
    return Result.fail({ reason, cause })
  }
}
