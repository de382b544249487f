/**
 * One attempt on any `HttpClient`: send, keep the limits the client under us does not know of, follow redirects without
 * giving a secret away, and say in our own terms what went wrong.
 *
 * @since 0.1.0
 */
import {
  FetchHttpClient,
  HttpClient,
  type HttpClientError,
  HttpClientRequest,
  type HttpClientResponse
} from "@effect/platform"
import { Context, Effect, Option, type Scope } from "effect"
import type * as ApiError from "./ApiError.js"
import * as Call from "./Call.js"
import * as RequestEncoder from "./RequestEncoder.js"
import * as ResponseBody from "./ResponseBody.js"
import * as TransportError from "./TransportError.js"

/**
 * An `HttpClient` as the client uses it: an attempt's scope aborts it, redirects come back as they are, and it opens no
 * span of its own, because the platform's show the query and end at the headers.
 *
 * @since 0.1.0
 * @category models
 */
export type Transport<R = Scope.Scope> = HttpClient.HttpClient.With<HttpClientError.HttpClientError, R>

/** Browsers answer a manual redirect with an opaque response: there the browser's own rules must do. */
const isBrowser = "document" in globalThis || "WorkerGlobalScope" in globalThis

/**
 * Prepares an `HttpClient` for use as a transport, once per client.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (client: HttpClient.HttpClient): Transport => HttpClient.withScope(unscoped(client))

/**
 * The same without the scope: an answer then lives as long as its body is read, as the platform's do.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unscoped = (client: HttpClient.HttpClient): Transport<never> => {
  const quiet = HttpClient.withTracerDisabledWhen(client, () => true)
  return isBrowser ? quiet : HttpClient.transformResponse(quiet, Effect.mapInputContext(withManualRedirect))
}

const withManualRedirect = <R>(context: Context.Context<R>): Context.Context<R> =>
  Context.add(context, FetchHttpClient.RequestInit, {
    ...Option.getOrUndefined(
      Context.getOption(context as Context.Context<never>, FetchHttpClient.RequestInit)
    ),
    redirect: "manual"
  }) as Context.Context<R>

/**
 * Sends a request and hands back the answer, whatever its status, under the limits of the call. Redirects are followed:
 * 307 and 308 keep method and body, the others turn a POST into a GET; a hop to another origin takes no credential along,
 * whatever its header is called; a hop from https to http is refused. Fails with a `ConnectionError`, a `TimeoutError` or,
 * where the platform refuses the request, an `InvalidRequestError`.
 *
 * @since 0.1.0
 * @category combinators
 */
export const send = <R>(
  transport: Transport<R>,
  call: Call.Call,
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<ResponseBody.GuardedResponse, ApiError.ApiError, R> => follow(transport, call, request, 0)

const follow = <R>(
  transport: Transport<R>,
  call: Call.Call,
  request: HttpClientRequest.HttpClientRequest,
  hops: number
): Effect.Effect<ResponseBody.GuardedResponse, ApiError.ApiError, R> =>
  Effect.flatMap(sendOnce(transport, call, request), (source) => {
    const location = redirectStatuses.has(source.status) ? source.headers.location : undefined
    if (location === undefined) return Effect.succeed(new ResponseBody.GuardedResponse(call, source))
    const next = redirected(call, request, source.status, location, hops)
    if (typeof next === "string") return Effect.succeed(new ResponseBody.GuardedResponse(call, source, next))
    const discarded = new ResponseBody.GuardedResponse(call, source)
    return Effect.zipRight(
      discarded.salvage(call.config.limits.errorBytes),
      Effect.suspend(() => follow(transport, call, next, hops + 1))
    )
  })

const sendOnce = <R>(
  transport: Transport<R>,
  call: Call.Call,
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<HttpClientResponse.HttpClientResponse, ApiError.ApiError, R> => {
  const limit = call.timeouts.response
  const sent = Effect.catchAll(transport.execute(request), (error) =>
    // A client that filters statuses still has the answer: the status check is ours.
    TransportError.isStatusCode(error)
      ? Effect.succeed(error.response)
      : Effect.fail(TransportError.from(call, error))
  )
  return Number.isFinite(limit)
    ? Effect.timeoutFail(sent, {
        duration: limit,
        onTimeout: () => TransportError.timeout(call, "response", limit)
      })
    : sent
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
  if (hops >= call.config.redirects) return `redirect not followed: more than ${call.config.redirects}`
  const from = new URL(request.url)
  if (!URL.canParse(location, from)) return "redirect not followed: its location does not parse"
  const to = new URL(location, from)
  if (to.protocol !== "https:" && to.protocol !== "http:") return "redirect not followed: it leaves http"
  if (from.protocol === "https:" && to.protocol === "http:")
    return "redirect not followed: it goes from https to http"
  const asGet = status === 303 ? request.method !== "HEAD" : status < 303 && request.method === "POST"
  if (!asGet && request.body._tag === "Stream") return "redirect not followed: its body cannot be sent again"
  to.hash = ""
  to.username = ""
  to.password = ""
  let headers: Record<string, string> = { ...request.headers }
  if (asGet) headers = without(headers, (name) => name.startsWith("content-"))
  if (to.origin !== from.origin) {
    const shown = Call.redactor(call).headers(headers)
    headers = without(headers, (name) => name === "host" || shown[name] !== headers[name])
  }
  const sent = HttpClientRequest.make(asGet ? "GET" : request.method)(to.href)
  return RequestEncoder.withHeaders(asGet ? sent : HttpClientRequest.setBody(sent, request.body), headers)
}

const without = (headers: Record<string, string>, drop: (name: string) => boolean): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !drop(name)))
