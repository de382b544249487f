/**
 * Code around every attempt of a call. It may change the request, inspect any response (4xx and 5xx too), respond
 * without sending, send again, or mark a failure as retryable.
 *
 * @since 0.1.0
 */
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type * as Effect from "effect/Effect"
import * as ApiError from "../errors/ApiError.js"
import * as AsyncMiddleware from "./asyncMiddleware.js"

export type { AsyncMiddleware, AsyncNext } from "./asyncMiddleware.js"

/**
 * A middleware: from a request and the next handler to a response. It runs inside the retry loop, once for each hop
 * of an attempt. The request already carries credentials; `Signing.credentials` signs what the middleware makes of it.
 *
 * A secret header that it sets is not sent to an origin that a server chose and the client does not trust. It may
 * read the response of a call for one value in any way, and the decoder still receives it; a streamed body that it
 * reads is gone. Failures of `@effect/platform` (from reading a body, from `filterStatusOk`) become tagged errors.
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
 * The next handler: the remaining middleware, then the transport.
 *
 * @since 0.1.0
 * @category models
 */
export type Next = (
  request: HttpClientRequest.HttpClientRequest
) => Effect.Effect<HttpClientResponse.HttpClientResponse, ApiError.ApiError | HttpClientError.HttpClientError>

/**
 * A middleware in async code, over the `Request` and the `Response` of `fetch`.
 *
 * - It passes on the request that it got, or one that it makes of it: `new Request(request, { headers })`. A body that was whole
 *   can be sent again.
 * - `next` resolves with a response of any status. It rejects with the tagged error of a request that gets none.
 * - To read a body and return it as well, read a `clone()`. A response that nobody has read is returned at no cost.
 * - `request.signal` aborts when the call ends. An `ApiError` that it throws is the error of the attempt, and is retried by the
 *   policy. Any other error is a defect, with which the promise of a call rejects.
 *
 * @example
 * ```ts
 * import { Middleware, PromiseClient } from "@effect-api/client"
 *
 * const logged = Middleware.fromAsync(async (request, next) => {
 *   const response = await next(request)
 *   console.log(request.method, request.url, response.status)
 *   return response
 * })
 *
 * const client = PromiseClient.make({ baseUrl: "https://api.example.com", middleware: [logged] })
 * ```
 * @since 3.2.0
 * @category constructors
 */
export const fromAsync: (handle: AsyncMiddleware.AsyncMiddleware) => Middleware = AsyncMiddleware.fromAsync

/**
 * The same error, marked as worth a retry. An `InvalidRequestError` is never retried.
 *
 * @since 0.1.0
 * @category combinators
 */
export const retryable = <E extends ApiError.ApiError>(error: E): E =>
  ApiError.update(error, { shouldRetry: true })
