/** The failures of HTTP clients. This module hides their classes, and where they keep the reason, the cause and the response. */
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"

/** A failure of reading a response. */
export type ReadFailure = HttpClientError.ResponseError

/** Where a client failed, and its word for why. */
export interface Failure {
  readonly doing: "sending" | "reading"
  readonly reason: string
  readonly cause: unknown
}

export const isPlatformError = (u: unknown): u is HttpClientError.HttpClientError =>
  HttpClientError.isHttpClientError(u)

/** Whether a failure is one of reading a response. */
export const isReadFailure = (u: unknown): u is ReadFailure =>
  HttpClientError.isHttpClientError(u) && u._tag === "ResponseError"

/** Whether a body was read that is not there. */
export const isEmptyBody = (error: HttpClientError.HttpClientError): boolean => error.reason === "EmptyBody"

export const failureOf = (error: HttpClientError.HttpClientError): Failure => ({
  doing: error._tag === "RequestError" ? "sending" : "reading",
  reason: error.reason,
  cause: error.cause
})

/** The failure of a request that was recorded with this reason. */
export const sendFailure = (
  request: HttpClientRequest.HttpClientRequest,
  reason: string,
  cause: unknown
): HttpClientError.RequestError =>
  new HttpClientError.RequestError({
    request,
    reason: reason === "InvalidUrl" || reason === "Encode" ? reason : "Transport",
    cause
  })

/** A body that broke off. */
export const readFailure = (
  request: HttpClientRequest.HttpClientRequest,
  response: HttpClientResponse.HttpClientResponse,
  cause: unknown
): ReadFailure => new HttpClientError.ResponseError({ request, response, reason: "Decode", cause })
