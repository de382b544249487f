/**
 * Requests for URLs that a server chose: the `Location` of a redirect, the next link of a page. One rule makes all of them, so
 * that no secret goes where its owner did not send it:
 *
 * - What is secret in the request itself (a header, whatever it is called, a cookie, a body with a `Redacted`) goes to no other
 *   origin.
 * - Credentials and secrets of the client go to the base URL's origin and to `trustedOrigins`, and to none of them once a chain
 *   has led elsewhere: a server that is not trusted must not choose what is asked in the client's name.
 * - Nothing goes from https to http.
 */

import * as HttpBody from "@effect/platform/HttpBody"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as ApiConfig from "../config/ApiConfig.js"
import type * as Call from "../request/Call.js"
import * as CallSecrets from "../request/CallSecrets.js"
import type * as RequestEncoder from "../request/RequestEncoder.js"
import type * as Redaction from "../secrets/Redaction.js"
import * as Headers from "../wire/headers.js"
import type * as GuardedResponse from "./GuardedResponse.js"
import * as PlatformRequest from "./PlatformRequest.js"

type Encoded = RequestEncoder.EncodedRequest

const statuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** Whether a status is a redirect's. */
export const isRedirect = (status: number): boolean => statuses.has(status)

/**
 * The status that a browser gives for a redirect which it was told not to follow (fetch standard, opaque-redirect filtered
 * response).
 */
export const hidden = 0

/**
 * Whether a redirect asks for a GET in place of the request, on which the server has then acted (RFC 9110, 15.4): a 303 of
 * anything but GET and HEAD, a 301 and a 302 of a POST.
 */
export const asksForGet = (status: number, method: string): boolean =>
  status === 303 ? method !== "GET" && method !== "HEAD" : status < 303 && method === "POST"

/**
 * Where a server leads to, without user name, password and fragment, or why nothing is sent there. A relative URL resolves
 * against the one that was answered.
 */
export const locate = (answered: string, location: string): URL | string => {
  if (!URL.canParse(location, answered)) return "its location does not parse"
  const to = new URL(location, answered)
  if (to.protocol !== "https:" && to.protocol !== "http:") return "it leaves http"
  if (to.protocol === "http:" && /^https:/i.test(answered)) return "it goes from https to http"
  to.hash = ""
  to.username = ""
  to.password = ""
  return to
}

/**
 * What was answered: the request, the URL that it was sent to, which is a middleware's to change, and the URL that answered,
 * which is another where the transport follows redirects by itself.
 */
export interface Answered {
  readonly encoded: Encoded
  readonly askedUrl: string
  readonly url: string
}

/**
 * A request for a URL that a server chose, without what must not go there; or why it is not sent at all. `shown` knows the
 * secrets of the call, `holdsSecret` whether one stands in the body.
 */
export const restrict = (
  config: Pick<ApiConfig.ApiConfig, "base" | "trustedOrigins">,
  redactor: Redaction.Redactor,
  from: Answered,
  to: Encoded,
  holdsSecret: () => boolean
): Encoded | string => {
  const { crossedOrigin, origin, trusted } = from.encoded
  const isHome = (origin: string): boolean =>
    origin === config.base.origin || config.trustedOrigins.has(origin)
  const [asked, answered] = [new URL(from.askedUrl).origin, new URL(from.url).origin]
  const hasLeft = asked !== answered
  const stays = !hasLeft && (to.origin === origin || to.origin === asked)
  const next = {
    ...to,
    trusted: trusted && (stays || isHome(to.origin)) && (!hasLeft || isHome(answered)),
    crossedOrigin: crossedOrigin || !stays
  }
  if (!next.crossedOrigin) return next
  if (to.body._tag !== "Empty" && holdsSecret()) return "its body holds a secret, for one origin only"
  return {
    ...next,
    headers: without(
      to.headers,
      (name, value) => name === "host" || (value !== null && redactor.hidesHeader(name, value))
    )
  }
}

/** The request of the next hop of a call, or why there is none. */
export const redirected = (call: Call.Call, response: GuardedResponse.GuardedResponse): Encoded | string => {
  const { config, encoded, redirected } = call
  const { askedUrl, headers, status, url } = response
  if ((redirected?.hops ?? 0) >= config.redirects) return `more than ${config.redirects}`
  const to = locate(url, Headers.utf8(Headers.single(headers.location ?? "")))
  if (typeof to === "string") return to
  const turned = asksForGet(status, encoded.method)
  if (!turned && !encoded.replayable) return "its body cannot be sent again"
  const next = { ...(turned ? asGet(config, encoded) : encoded), url: to.href, origin: to.origin }
  return restrict(config, CallSecrets.redactor(call), { askedUrl, encoded, url }, next, () =>
    CallSecrets.areInBody(call)
  )
}

/** A GET without what described the body, and without a key for what it no longer does. */
const asGet = (config: ApiConfig.ApiConfig, encoded: Encoded): Encoded => {
  const key =
    encoded.idempotencyKey === undefined ? undefined : (config.idempotencyHeader ?? "idempotency-key")
  return {
    ...encoded,
    method: "GET",
    headers: without(encoded.headers, (name) => name === key || ofBody.test(name)),
    body: HttpBody.empty,
    idempotencyKey: undefined,
    replayable: true,
    sourceFailure: () => undefined
  }
}

const ofBody = /^(?:content-.*|digest|repr-digest|transfer-encoding|trailer|expect)$/

const without = (
  headers: Headers.HeaderLayer,
  drop: (name: string, value: string | null) => boolean
): Headers.HeaderLayer =>
  Object.fromEntries(Object.entries(headers).filter(([name, value]) => !drop(name, value)))

/**
 * A request as it leaves the middleware, which may sign every request it sees: what is secret goes no further where a server
 * has led to an origin that is not trusted.
 */
export const outgoing = (
  call: Call.Call,
  request: HttpClientRequest.HttpClientRequest
): HttpClientRequest.HttpClientRequest => {
  const { crossedOrigin, trusted } = call.encoded
  if (!crossedOrigin || trusted) return request
  const redactor = CallSecrets.redactor(call)
  return PlatformRequest.filtered(
    request,
    (name, value) => !redactor.hidesHeader(name, value),
    (name, value) => !redactor.hidesQuery(`${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  )
}
