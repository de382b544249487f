/** Platform requests, made without the platform's constructors, which copy the headers and parse the URL again. */

import * as HttpHeaders from "@effect/platform/Headers"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Headers from "../wire/headers.js"

const proto: object = Object.getPrototypeOf(HttpClientRequest.get(""))

const headersProto: object = Object.getPrototypeOf(HttpHeaders.empty)

/** Headers for a transport: by lower-case name, `null` if one was removed. */
export type Outgoing = Record<string, string | null>

/**
 * Merges one layer over another into an object that can become a request's headers. A literal with two spreads costs
 * five times as much: V8 makes a hidden class for each.
 */
export const layered = (under: Headers.HeaderLayer, over: Headers.HeaderLayer): Outgoing =>
  Object.assign(Object.create(headersProto), under, over)

interface Target extends Pick<HttpClientRequest.HttpClientRequest, "body" | "url"> {
  readonly method: string
}

/**
 * The request for a transport, with exactly these headers, minus the removed ones. The platform's own constructors
 * copy the headers and parse the URL again.
 */
export const toHttp = (
  { body, method, url }: Target,
  headers: Outgoing
): HttpClientRequest.HttpClientRequest => {
  const request: Mutable<HttpClientRequest.HttpClientRequest> = Object.create(proto)
  // The platform's type has few methods, and its clients send them all.
  const open: { method: string } = request
  open.method = method
  request.url = url
  request.urlParams = UrlParams.empty
  request.hash = noHash
  request.headers = sendable(headers)
  request.body = body
  return request
}

/** The same request with another body and unchanged headers: the platform's `setBody` sets some of its own. */
export const withBody = (
  request: HttpClientRequest.HttpClientRequest,
  body: HttpBody.HttpBody
): HttpClientRequest.HttpClientRequest =>
  Object.assign(Object.create(Object.getPrototypeOf(request)), request, { body })

/** The same request with its body as a `Blob`, which every `fetch` takes. */
export const withBlob = (
  request: HttpClientRequest.HttpClientRequest,
  blob: Blob
): HttpClientRequest.HttpClientRequest => {
  const { body } = request
  const contentType = body._tag === "Empty" ? undefined : body.contentType
  return withBody(request, HttpBody.raw(blob, { contentType, contentLength: blob.size }))
}

/**
 * The same request with a `FormData` encoded: not every `HttpClient` can (the platform's on undici fails).
 */
export const withEncodedForm = (
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<HttpClientRequest.HttpClientRequest> => {
  const { body } = request
  if (body._tag !== "FormData") return Effect.succeed(request)
  return Effect.promise(async () => {
    const encoded = new Response(body.formData)
    const contentType = encoded.headers.get("content-type") ?? undefined
    const bytes = HttpBody.uint8Array(new Uint8Array(await encoded.arrayBuffer()), contentType)
    const headers = layered({ ...request.headers, ...(contentType && { "content-type": contentType }) }, {})
    return keepingRemoved(request.headers, Object.assign(withBody(request, bytes), { headers }))
  })
}

/** The same request with the parameters that middleware set, if any, moved into its URL. */
export const withWholeUrl = (
  request: HttpClientRequest.HttpClientRequest
): HttpClientRequest.HttpClientRequest => {
  const { url, urlParams } = request
  const query = urlParams === UrlParams.empty ? "" : UrlParams.toString(urlParams)
  if (query === "") return request
  return Object.assign(Object.create(Object.getPrototypeOf(request)), request, {
    url: `${url}${url.includes("?") ? "&" : "?"}${query}`,
    urlParams: UrlParams.empty
  })
}

/** The same request with only those headers, and those parameters set by middleware, that a predicate keeps. */
export const filtered = (
  request: HttpClientRequest.HttpClientRequest,
  header: (name: string, value: string) => boolean,
  param: (name: string, value: string) => boolean
): HttpClientRequest.HttpClientRequest => {
  const headers: Outgoing = Object.create(markedProto(removedOf(request.headers)))
  for (const [name, value] of Object.entries(request.headers)) if (header(name, value)) headers[name] = value
  return Object.assign(Object.create(Object.getPrototypeOf(request)), request, {
    headers,
    urlParams: UrlParams.fromInput(
      // A value that is no text is a `Redacted`, in an Effect that takes them.
      Array.from(request.urlParams).filter(([name, value]) => typeof value === "string" && param(name, value))
    )
  })
}

const sendable = (headers: Outgoing): HttpHeaders.Headers =>
  isSendable(headers) ? headers : withoutRemoved(headers)

/** Whether none was removed. */
const isSendable = (headers: Outgoing): headers is HttpHeaders.Headers => {
  for (const name of Object.keys(headers)) if (headers[name] === null) return false
  return true
}

const withoutRemoved = (headers: Outgoing): HttpHeaders.Headers => {
  const names = Object.keys(headers).filter((name) => headers[name] === null)
  return Object.assign(Object.create(markedProto(names)), Headers.finish(headers))
}

/** The key under which headers keep the names of those that were removed. */
const removed: unique symbol = Symbol.for("@effect-api/client/PlatformRequest/removed")

/**
 * A prototype for headers. The mark is on it and not among them: `fetch` and `Headers` refuse a symbol there (Web IDL, record
 * types). The platform's functions copy headers without it.
 */
const markedProto = (names: ReadonlyArray<string>): object =>
  names.length === 0 ? headersProto : Object.create(headersProto, { [removed]: { value: names } })

/** A changed copy of a request, where the headers stay removed that were removed before and are not set since. */
export const keepingRemoved = <R extends Pick<HttpClientRequest.HttpClientRequest, "headers">>(
  before: HttpHeaders.Headers,
  request: R
): R => {
  const { headers } = request
  if (headers === before) return request
  const names = removedOf(before).filter((name) => headers[name] === undefined)
  if (names.length === 0) return request
  const own = Object.assign(Object.create(markedProto(names)), headers)
  return Object.assign(Object.create(Object.getPrototypeOf(request)), request, { headers: own })
}

/** The names of headers that were removed on purpose: a transport must not add them by itself. */
export const removedOf = (headers: HttpHeaders.Headers & Marked): ReadonlyArray<string> =>
  headers[removed] ?? noNames

interface Marked {
  readonly [removed]?: ReadonlyArray<string>
}

const noNames: ReadonlyArray<string> = []

type Mutable<A> = { -readonly [K in keyof A]: A[K] }

const noHash = Option.none()
