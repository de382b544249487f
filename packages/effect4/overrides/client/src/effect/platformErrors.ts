/**
 * The failures of `effect/http`. This module hides their classes, and where they keep the reason, the cause and the response.
 */
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Predicate from "effect/Predicate"

/** Any failure of an `HttpClient`. */
export type PlatformError = HttpClientError.HttpClientError

/** A failure before there was a response. */
export type RequestFailure = HttpClientError.HttpClientError

/** A failure of reading a response. */
export type ResponseFailure = HttpClientError.HttpClientError

const unsent = {
  InvalidUrl: HttpClientError.InvalidUrlError,
  Encode: HttpClientError.EncodeError,
  Transport: HttpClientError.TransportError
}

/** Why there was no response: the URL or the body could not be sent, or the transport failed. */
export const requestFailure = (
  request: HttpClientRequest.HttpClientRequest,
  reason: "InvalidUrl" | "Encode" | "Transport",
  description: string,
  cause?: unknown
): RequestFailure =>
  new HttpClientError.HttpClientError({ reason: new unsent[reason]({ request, description, cause }) })

/** A body that could not be read as what somebody asked for. */
export const decodeFailure = (
  response: HttpClientResponse.HttpClientResponse,
  request: HttpClientRequest.HttpClientRequest,
  cause: unknown
): ResponseFailure =>
  new HttpClientError.HttpClientError({
    reason: new HttpClientError.DecodeError({ request, response, cause })
  })

export const isPlatformError = (u: unknown): u is PlatformError => HttpClientError.isHttpClientError(u)

/** The reason of a failure; `undefined` for the failure of a client or a middleware in plain JavaScript. */
const reasonOf = (error: PlatformError): HttpClientError.HttpClientErrorReason | undefined => error.reason

/** A response that somebody filtered out by its status; `undefined` for any other failure. */
export const filteredResponse = (error: PlatformError): HttpClientResponse.HttpClientResponse | undefined => {
  const reason = reasonOf(error)
  return reason?._tag === "StatusCodeError" ? reason.response : undefined
}

/** Whether a body was read that is not there. */
export const isEmptyBody = (error: PlatformError): boolean => reasonOf(error)?._tag === "EmptyBodyError"

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
  const reason = reasonOf(error)
  if (reason === undefined) return { cause, doing: "reading" }
  switch (reason._tag) {
    case "TransportError":
      return { cause, doing: "sending" }
    case "InvalidUrlError":
      return { cause, doing: "sending", unsendable: { field: "url", reason: "InvalidUrl" } }
    case "EncodeError":
      return { cause, doing: "sending", unsendable: { field: "body", reason: "Encode" } }
    default:
      return isMisfit(cause)
        ? { cause, doing: "reading", undecodable: reason.response }
        : { cause, doing: "reading" }
  }
}

/** The platform has one reason, `DecodeError`, for a body that broke off and for one that does not fit. */
const isMisfit = (cause: unknown): boolean =>
  cause instanceof SyntaxError || Predicate.isTagged(cause, "SchemaError")
