/**
 * Redirects, followed without giving a secret away: 307 and 308 keep method and body, the others turn a POST into a GET; a hop
 * to another origin takes no credential along, whatever its header is called; one from https to http is refused.
 *
 * @since 0.1.0
 */

import * as HttpBody from "@effect/platform/HttpBody"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Call from "./Call.js"
import * as PlatformRequest from "./PlatformRequest.js"
import type * as TransportContract from "./TransportContract.js"

/**
 * Sends a request and follows where the answer leads. An answer that is not followed says why.
 *
 * @since 0.1.0
 * @category combinators
 */
export const following =
  <R>(send: TransportContract.Send<R>, hops = 0): TransportContract.Send<R> =>
  (call, request) =>
    Effect.flatMap(send(call, request), (response) => onward(send, hops)(call, request, response))

/**
 * What becomes of an answer: the next hop where it is a redirect that may be followed.
 *
 * @since 0.1.0
 * @category combinators
 */
export const onward =
  <R>(send: TransportContract.Send<R>, hops: number): TransportContract.Onward<R> =>
  (call, request, response) => {
    if (!redirectStatuses.has(response.status)) return Effect.succeed(response)
    const { location } = response.headers
    if (location === undefined) return Effect.succeed(response)
    const next = redirected(call, request, response.status, location, hops)
    if (typeof next === "string") return Effect.succeed(response.refuse(`redirect not followed: ${next}`))
    return Effect.zipRight(
      response.salvage(call.config.limits.errorBytes),
      Effect.suspend(() => following(send, hops + 1)(call, next))
    )
  }

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** The request of the next hop, or why there is none. */
const redirected = (
  call: Call.Call,
  request: HttpClientRequest.HttpClientRequest,
  status: number,
  location: string,
  hops: number
): HttpClientRequest.HttpClientRequest | string => {
  if (hops >= call.config.redirects) return `more than ${call.config.redirects}`
  const from = new URL(request.url)
  if (!URL.canParse(location, from)) return "its location does not parse"
  const to = new URL(location, from)
  if (!/^https?:$/.test(to.protocol)) return "it leaves http"
  if (from.protocol === "https:" && to.protocol === "http:") return "it goes from https to http"
  const asGet = status === 303 ? request.method !== "HEAD" : status < 303 && request.method === "POST"
  if (!asGet && !call.encoded.replayable) return "its body cannot be sent again"
  to.hash = ""
  to.username = ""
  to.password = ""
  let headers: Record<string, string> = { ...request.headers }
  if (asGet) headers = without(headers, (name) => name.startsWith("content-"))
  if (to.origin !== from.origin) {
    const shown = Call.redactor(call).headers(headers)
    headers = without(headers, (name) => name === "host" || shown[name] !== headers[name])
  }
  return PlatformRequest.toHttp(
    { method: asGet ? "GET" : request.method, url: to.href, body: asGet ? HttpBody.empty : request.body },
    PlatformRequest.layered(headers, {})
  )
}

const without = (headers: Record<string, string>, drop: (name: string) => boolean): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !drop(name)))
