/**
 * The platform's clients. This module hides where they keep the scope of a request, how their spans are turned off, and how they
 * are given a `fetch`.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as GlobalValue from "effect/GlobalValue"
import * as Option from "effect/Option"

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

/** The `fetch` that a program provides; `undefined` if that is the runtime's. */
export const providedFetch: Effect.Effect<typeof globalThis.fetch | undefined> = /*#__PURE__*/ Effect.map(
  /*#__PURE__*/ Effect.serviceOption(FetchHttpClient.Fetch),
  Option.getOrUndefined
)
