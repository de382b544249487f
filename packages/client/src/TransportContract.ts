/**
 * What every way to send a request agrees on, whatever sends it.
 *
 * @since 0.1.0
 */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as ApiError from "./ApiError.js"
import type * as Call from "./Call.js"
import type * as ResponseBody from "./ResponseBody.js"

/**
 * How to have a request answered: the response, whatever its status, under the limits of the call.
 *
 * @since 0.1.0
 * @category models
 */
export type Send<R> = (
  call: Call.Call,
  request: HttpClientRequest.HttpClientRequest
) => Effect.Effect<ResponseBody.GuardedResponse, ApiError.ApiError, R>

/**
 * An `HttpClient` as this client uses it. Redirects are followed: 307 and 308 keep method and body, the others turn a POST
 * into a GET; a hop to another origin takes no credential along, whatever its header is called; one from https to http is
 * refused. All three fail with a `ConnectionError`, a `TimeoutError` or, where the request cannot be sent, an
 * `InvalidRequestError`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Transport {
  /** With its body read: of a success all of it, of any other answer what comes up to `limits.errorBytes`. */
  readonly whole: Send<never>
  /** To the headers; the end of the scope aborts what is left. */
  readonly scoped: Send<Scope.Scope>
  /** To the headers; the body aborts itself when it is left, or is let go with the response. */
  readonly unscoped: Send<never>
  /** `whole` without a fiber's step in between, where the transport can: see {@link Direct}. */
  readonly direct: Direct | undefined
}

/**
 * Sends a request that has no streamed body and waits for the answer, inside of `uninterruptibleMask`. `onward` does what is
 * left to do where it is no success: a redirect may have to be followed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Direct {
  readonly send: (
    call: Call.Call,
    request: HttpClientRequest.HttpClientRequest,
    restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
  ) => Effect.Effect<ResponseBody.GuardedResponse, ApiError.ApiError>
  readonly onward: Onward<never>
}

/**
 * What becomes of an answer that may be a redirect.
 *
 * @since 0.1.0
 * @category models
 */
export type Onward<R> = (
  call: Call.Call,
  request: HttpClientRequest.HttpClientRequest,
  response: ResponseBody.GuardedResponse
) => Effect.Effect<ResponseBody.GuardedResponse, ApiError.ApiError, R>
