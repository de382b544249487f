/**
 * Code around every attempt of a call: it may change the request, look at any response (4xx and 5xx too), answer without
 * sending, send again, or say that a failure may be retried.
 *
 * @since 0.1.0
 */
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type * as Effect from "effect/Effect"
import * as ApiError from "../errors/ApiError.js"

/**
 * A middleware: a request and the rest of the way, to a response. It runs inside the retry loop, once for each hop of an
 * attempt, with the credentials already on the request: a signature is made anew for the URL that a redirect leads to. A secret
 * header that it sets does not leave for an origin that a server chose and the client does not trust. It may read the answer of
 * a call for one value in any way, and the decoder still gets it; the body of a stream of events that it takes is gone. Failures
 * of `@effect/platform` (from reading a body, from `filterStatusOk`) are mapped to tagged errors.
 *
 * @example
 * ```ts
 * import { HttpClientRequest } from "@effect/platform"
 * import { ApiClient, type Middleware } from "@effect-api/client"
 * import { Effect } from "effect"
 *
 * const tagged: Middleware.Middleware = (request, next) =>
 *   next(HttpClientRequest.setHeader(request, "x-team", "search")).pipe(
 *     Effect.tap((response) => Effect.logDebug(`answered ${response.status}`))
 *   )
 *
 * const Live = ApiClient.layer({ baseUrl: "https://api.example.com", middleware: [tagged] })
 * ```
 * @since 0.1.0
 * @category models
 */
export type Middleware = (
  request: HttpClientRequest.HttpClientRequest,
  next: Next
) => Effect.Effect<HttpClientResponse.HttpClientResponse, ApiError.ApiError | HttpClientError.HttpClientError>

/**
 * The rest of the way: the middleware that come after, then the transport.
 *
 * @since 0.1.0
 * @category models
 */
export type Next = (
  request: HttpClientRequest.HttpClientRequest
) => Effect.Effect<HttpClientResponse.HttpClientResponse, ApiError.ApiError | HttpClientError.HttpClientError>

/**
 * Middleware around a way to send; the first of the list is the outermost.
 *
 * @since 0.1.0
 * @category combinators
 */
export const compose = (middleware: ReadonlyArray<Middleware>, send: Next): Next =>
  middleware.reduceRight<Next>((next, layer) => (request) => layer(request, next), send)

/**
 * The same error, marked as one that another attempt may help. An `InvalidRequestError` is never retried.
 *
 * @since 0.1.0
 * @category combinators
 */
export const retryable = <E extends ApiError.ApiError>(error: E): E =>
  ApiError.update(error, { shouldRetry: true })
