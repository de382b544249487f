/**
 * The failures of `@effect/platform`. This module hides their classes, and where they keep the reason, the cause and the
 * response.
 */
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Predicate from "effect/Predicate"

/** Any failure of an `HttpClient`. */
export type PlatformError = HttpClientError.HttpClientError

/** A failure before there was a response. */
export type RequestFailure = HttpClientError.RequestError

/** A failure of reading a response. */
export type ResponseFailure = HttpClientError.ResponseError

/** Why there was no response: the URL or the body could not be sent, or the transport failed. */
export const requestFailure = (
  request: HttpClientRequest.HttpClientRequest,
  reason: "InvalidUrl" | "Encode" | "Transport",
  description: string,
  cause?: unknown
): RequestFailure => new HttpClientError.RequestError({ request, reason, description, cause })

/** A body that could not be read as what somebody asked for. */
export const decodeFailure = (
  response: HttpClientResponse.HttpClientResponse,
  request: HttpClientRequest.HttpClientRequest,
  cause: unknown
): ResponseFailure => new HttpClientError.ResponseError({ request, response, reason: "Decode", cause })

export const isPlatformError = (u: unknown): u is PlatformError => HttpClientError.isHttpClientError(u)

/** A response that somebody filtered out by its status; `undefined` for any other failure. */
export const filteredResponse = (error: PlatformError): HttpClientResponse.HttpClientResponse | undefined =>
  error._tag === "ResponseError" && error.reason === "StatusCode" ? error.response : undefined

/** Whether a body was read that is not there. */
export const isEmptyBody = (error: PlatformError): boolean => error.reason === "EmptyBody"

/** What went wrong, for whoever makes an error of their own of it. */
export interface Failure {
  readonly cause: unknown
  readonly doing: "sending" | "reading"
  /** The part of the request that could not be sent, and the platform's word for why. */
  readonly unsendable?: { readonly field: "url" | "body"; readonly reason: string }
  /** The response whose body does not fit what somebody asked for. */
  readonly undecodable?: HttpClientResponse.HttpClientResponse
}

export const failureOf = (error: PlatformError): Failure => {
  const { cause } = error
  if (error._tag === "RequestError") {
    const { reason } = error
    if (reason === "Transport") return { cause, doing: "sending" }
    return {
      cause,
      doing: "sending",
      unsendable: { field: reason === "InvalidUrl" ? "url" : "body", reason }
    }
  }
  return isMisfit(cause)
    ? { cause, doing: "reading", undecodable: error.response }
    : { cause, doing: "reading" }
}

/** The platform has one reason, `Decode`, for a body that broke off and for one that does not fit. */
const isMisfit = (cause: unknown): boolean =>
  cause instanceof SyntaxError || Predicate.isTagged(cause, "ParseError")
