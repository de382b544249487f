/** The failures of HTTP clients. This module hides their classes, and where they keep the reason, the cause and the response. */
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"

/** A failure of reading a response. */
export type ReadFailure = HttpClientError.HttpClientError

/** Where a client failed, and its word for why. */
export interface Failure {
  readonly doing: "sending" | "reading"
  readonly reason: string
  readonly cause: unknown
}

/** Those of sending; every other reason is one of reading. */
const unsent = {
  InvalidUrl: HttpClientError.InvalidUrlError,
  Encode: HttpClientError.EncodeError,
  Transport: HttpClientError.TransportError
}

/** The same words as on Effect 3, so that a recording of one line replays on the other. */
const wordOf = (error: HttpClientError.HttpClientError): string => error.reason._tag.replace(/Error$/, "")

export const isPlatformError = (u: unknown): u is HttpClientError.HttpClientError =>
  HttpClientError.isHttpClientError(u)

/** Whether a failure is one of reading a response. */
export const isReadFailure = (u: unknown): u is ReadFailure =>
  HttpClientError.isHttpClientError(u) && !Object.hasOwn(unsent, wordOf(u))

/** Whether a body was read that is not there. */
export const isEmptyBody = (error: HttpClientError.HttpClientError): boolean => wordOf(error) === "EmptyBody"

export const failureOf = (error: HttpClientError.HttpClientError): Failure => ({
  doing: isReadFailure(error) ? "reading" : "sending",
  reason: wordOf(error),
  cause: error.cause
})

/** The failure of a request that was recorded with this reason. */
export const sendFailure = (
  request: HttpClientRequest.HttpClientRequest,
  reason: string,
  cause: unknown
): HttpClientError.HttpClientError =>
  new HttpClientError.HttpClientError({
    reason: new unsent[reason === "InvalidUrl" || reason === "Encode" ? reason : "Transport"]({
      request,
      cause
    })
  })

/** A body that broke off. */
export const readFailure = (
  request: HttpClientRequest.HttpClientRequest,
  response: HttpClientResponse.HttpClientResponse,
  cause: unknown
): ReadFailure =>
  new HttpClientError.HttpClientError({
    reason: new HttpClientError.DecodeError({ request, response, cause })
  })
