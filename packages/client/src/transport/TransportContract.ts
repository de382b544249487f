/** What every way to send a request agrees on, whatever sends it. */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as ApiError from "../errors/ApiError.js"
import type * as Call from "../request/Call.js"
import type * as GuardedResponse from "./GuardedResponse.js"

/** How to have a request answered: the response, whatever its status, under the limits of the call. */
export type Send<R> = (
  call: Call.Call,
  request: HttpClientRequest.HttpClientRequest
) => Effect.Effect<GuardedResponse.GuardedResponse, ApiError.ApiError, R>

/**
 * An `HttpClient` as this client uses it. Redirects are not followed, but in browsers, where they cannot be seen. All of it
 * fails with a `ConnectionError`, a `TimeoutError` or, where the request cannot be sent, an `InvalidRequestError`.
 */
export interface Transport {
  /** With its body read: of a success all of it, of any other answer what comes up to `limits.errorBytes`. */
  readonly buffered: Send<never>
  /** To the headers; the end of the scope aborts what is left. */
  readonly streaming: Send<Scope.Scope>
  /** To the headers; the body aborts itself when it is left, or is let go with the response. */
  readonly streamingUnscoped: Send<never>
  /** What of the transport's own settings must never be shown. */
  readonly secrets?: (() => Iterable<string>) | undefined
  /** `whole` without a fiber's step in between, where the transport can: see {@link FastPath}. */
  readonly fastPath: FastPath | undefined
}

/** Sends a request that has no streamed body and waits for the answer, inside of `uninterruptibleMask`. */
export type FastPath = (
  call: Call.Call,
  request: HttpClientRequest.HttpClientRequest,
  restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
) => Effect.Effect<GuardedResponse.GuardedResponse, ApiError.ApiError>
