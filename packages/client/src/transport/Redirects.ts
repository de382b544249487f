/**
 * Requests for URLs that a server chose: the `Location` of a redirect, the next link of a page. One rule makes all of
 * them, so that no secret goes where its owner did not send it:
 *
 * - A secret of the request itself (a header of any name, a cookie, a body with a `Redacted`) goes to no other origin.
 * - Credentials and secrets of the client go to the base URL's origin and to `trustedOrigins`, and to none of them once a
 *   chain has left these: an untrusted server must not choose what is requested in the client's name.
 * - No request goes from https to http.
 */

import * as HttpBody from "@effect/platform/HttpBody"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { ResolvedConfig } from "../config/resolveConfig.js"
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
 * The status that a browser reports for a redirect which it did not follow (fetch standard, opaque-redirect filtered
 * response).
 */
export const hidden = 0

/**
 * Whether a redirect turns the request into a GET, because the server has processed it (RFC 9110, 15.4): a 303 to any
 * method but GET and HEAD, a 301 and a 302 to a POST.
 */
export const asksForGet = (status: number, method: string): boolean =>
  status === 303 ? method !== "GET" && method !== "HEAD" : status < 303 && method === "POST"

/**
 * The target of a redirect or link, without user name, password and fragment, or why it is not requested. A relative
 * URL resolves against that of the response.
 */
export const locate = (responseUrl: string, location: string): URL | string => {
  if (!URL.canParse(location, responseUrl)) return "its location does not parse"
  const to = new URL(location, responseUrl)
  if (to.protocol !== "https:" && to.protocol !== "http:") return "it leaves http"
  if (to.protocol === "http:" && /^https:/i.test(responseUrl)) return "it goes from https to http"
  to.hash = ""
  to.username = ""
  to.password = ""
  return to
}

/**
 * The request behind a response: the request itself, the URL it was sent to, which middleware may change, and the URL
 * of the response, which differs if the transport followed redirects by itself.
 */
export interface Followed {
  readonly encoded: Encoded
  readonly askedUrl: string
  readonly url: string
}

/**
 * A request for a URL that a server chose, without anything that must not go there; or why it is not sent. `redactor`
 * knows the secrets of the call; `holdsSecret` is whether the body contains one.
 */
export const restrict = (
  config: Pick<ResolvedConfig, "base" | "trustedOrigins">,
  redactor: Redaction.Redactor,
  from: Followed,
  to: Encoded,
  holdsSecret: () => boolean
): Encoded | string => {
  const { crossedOrigin, origin, trusted } = from.encoded
  const isHome = (origin: string): boolean =>
    origin === config.base.origin || config.trustedOrigins.has(origin)
  const [requested, responded] = [new URL(from.askedUrl).origin, new URL(from.url).origin]
  const hasLeft = requested !== responded
  const stays = !hasLeft && (to.origin === origin || to.origin === requested)
  const next = {
    ...to,
    trusted: trusted && (stays || isHome(to.origin)) && (!hasLeft || isHome(responded)),
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

/** The request of a call's next hop, or why there is none. */
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

/** A GET without the headers that described the body, and without an idempotency key. */
const asGet = (config: ResolvedConfig, encoded: Encoded): Encoded => {
  const key =
    encoded.idempotencyKey === undefined ? undefined : (config.idempotencyHeader ?? "idempotency-key")
  return {
    ...encoded,
    method: "GET",
    promised: "safe",
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
 * A request after the middleware, which may sign every request. Once a server has redirected it to an untrusted
 * origin, secrets are removed.
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
