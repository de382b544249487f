/** The platform's clients. This module hides where they keep the scope of a request, and how their spans are turned off. */
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as GlobalValue from "effect/GlobalValue"

/** The requests of `HttpClient.withScope`. The platform keeps them under this key. */
const scoped = /*#__PURE__*/ GlobalValue.globalValue(
  "@effect/platform/HttpClient/scopedRequests",
  () => new WeakMap<HttpClientRequest.HttpClientRequest, AbortController>()
)

/** Aborts when the scope of a request closes; `undefined` if the request has none (`HttpClient.withScope`). */
export const scopeSignal = (request: HttpClientRequest.HttpClientRequest): AbortSignal | undefined =>
  scoped.get(request)?.signal

/** The same client without the platform's own spans, which show the query, and end at the headers. */
export const withoutSpans = <E, R>(
  client: HttpClient.HttpClient.With<E, R>
): HttpClient.HttpClient.With<E, R> => HttpClient.withTracerDisabledWhen(client, () => true)
