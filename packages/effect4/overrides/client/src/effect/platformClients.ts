/**
 * The platform's clients. This module hides where they keep the scope of a request, how their spans are turned off, and how they
 * are given a `fetch`.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Scope from "effect/Scope"

const always = () => true

/** The same client without the platform's own spans, which show the query, and end at the headers. */
export const withoutSpans = <E, R>(
  client: HttpClient.HttpClient.With<E, R>
): HttpClient.HttpClient.With<E, R> =>
  HttpClient.transformResponse(client, (sent) =>
    Effect.provideService(sent, HttpClient.TracerDisabledWhen, always)
  )

/** The signal that the platform has shown last, and whether it had been aborted by then. */
let shown: { readonly signal: AbortSignal; readonly wasAborted: boolean } | undefined

/** Sends nothing. Of a request without a scope the platform aborts the signal at once, because the sending is interrupted. */
const probe = /*#__PURE__*/ HttpClient.make((_request, _url, signal) => {
  shown = { signal, wasAborted: signal.aborted }
  return Effect.interrupt
})

const withoutSpan: Context.Context<never> = /*#__PURE__*/ Context.make(HttpClient.TracerDisabledWhen, always)

/**
 * Aborts when the scope of a request closes; `undefined` if the request has none (`HttpClient.withScope`). The platform shows
 * the signal to clients that it makes, and to no other.
 */
export const scopeSignal = (request: HttpClientRequest.HttpClientRequest): AbortSignal | undefined => {
  const fiber = Fiber.getCurrent()
  const scope = fiber && Context.getOrUndefined(fiber.context, Scope.Scope)
  // `HttpClient.withScope` has just added a finalizer to the scope that the fiber is in.
  if (scope === undefined || scope.state._tag === "Empty") return undefined
  const { url } = request
  shown = undefined
  try {
    // A URL without an origin, which the client's base URL completes, would fail before the signal is shown.
    if (!URL.canParse(url)) Reflect.set(request, "url", "http://localhost")
    Effect.runSyncExitWith(withoutSpan)(probe.execute(request))
  } finally {
    Reflect.set(request, "url", url)
  }
  return signalOf(shown)
}

/** A scope that had closed had aborted its signal, too. */
const signalOf = (request: typeof shown): AbortSignal | undefined =>
  request !== undefined && (request.wasAborted || !request.signal.aborted) ? request.signal : undefined

/** The `fetch` that a program provides; `undefined` if that is the runtime's, of which the reference keeps the first. */
export const providedFetch: Effect.Effect<typeof globalThis.fetch | undefined> = /*#__PURE__*/ Effect.map(
  /*#__PURE__*/ Effect.context<never>(),
  (context) => Context.getOrUndefined(context, FetchHttpClient.Fetch)
)
