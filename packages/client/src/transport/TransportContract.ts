/** The contract of every way to send a request. */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as ApiError from "../errors/ApiError.js"
import type * as Call from "../request/Call.js"
import type { DecoderOf } from "../response/schemaDecoder.js"
import type * as GuardedResponse from "./GuardedResponse.js"

/** Sends a request and returns the response, whatever its status, under the limits of the call. */
export type Send<R> = (
  call: Call.Call,
  request: HttpClientRequest.HttpClientRequest
) => Effect.Effect<GuardedResponse.GuardedResponse, ApiError.ApiError, R>

/**
 * An `HttpClient` as this client uses it. It does not follow redirects, except in browsers, which hide them. It fails
 * with a `ConnectionError`, a `TimeoutError` or, for a request that cannot be sent, an `InvalidRequestError`.
 */
export interface Transport {
  /** Returns the response with its body: all of a success, and up to `limits.errorBytes` of any other. */
  readonly buffered: Send<never>
  /** Sends for open bodies, or what makes that: see `Opened`. */
  readonly opened: Opened | Headed
  /** Secrets of the transport's own settings. */
  readonly secrets?: (() => Iterable<string>) | undefined
  /** Makes faster decoders of whole responses. A transport brings them, so that not every program bundles them. */
  readonly decoderOf?: DecoderOf | undefined
}

/** Sends for bodies that are returned open. */
export interface Opened {
  /** Returns at the headers; the end of the scope aborts the rest. */
  readonly streaming: (scope: Scope.Scope) => Send<never>
  /** Returns at the headers; the body aborts when it is left, or ends when the response is collected. */
  readonly streamingUnscoped: Send<never>
}

/** Sends up to the headers, in a scope that the body keeps open. */
export interface Headed {
  readonly headed: Send<Scope.Scope>
  readonly adapt: Adapt
}

/** Changes how requests are sent. */
export type Adapt = <R>(send: Send<R>) => Send<R>
