/** The end of the scope of a platform request. This module hides where the platform keeps it. */
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
