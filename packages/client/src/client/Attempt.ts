/**
 * One attempt of a call, from its request to the head of the answer, over as many hops as redirects make of it. A hop is what
 * goes out: credentials, the headers of the attempt, middleware, transport.
 */

import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import type * as Tracer from "effect/Tracer"
import * as Middleware from "../config/Middleware.js"
import type * as Overrides from "../config/Overrides.js"
import type * as Credentials from "../credentials/Credentials.js"
import * as Sync from "../effect/sync.js"
import * as ApiError from "../errors/ApiError.js"
import * as StatusTag from "../errors/StatusTag.js"
import type * as ApiRequest from "../request/ApiRequest.js"
import * as Call from "../request/Call.js"
import * as TransportError from "../request/TransportError.js"
import * as UnsentError from "../request/UnsentError.js"
import * as Attempts from "../retry/Attempts.js"
import * as Telemetry from "../telemetry/Telemetry.js"
import * as GuardedResponse from "../transport/GuardedResponse.js"
import * as PlatformRequest from "../transport/PlatformRequest.js"
import * as PlatformResponse from "../transport/PlatformResponse.js"
import * as Redirects from "../transport/Redirects.js"
import type * as TransportContract from "../transport/TransportContract.js"
import * as WebResponse from "../transport/webResponse.js"
import * as Sendable from "../wire/sendable.js"
import * as ClientHeaders from "./ClientHeaders.js"
import type * as Core from "./Core.js"

/** The request as an attempt sends it; without credentials where there are none for it. */
const outgoing = (
  core: Core.Core,
  call: Call.Call,
  credentials: Credentials.Resolved | undefined,
  span: Tracer.Span | undefined
): HttpClientRequest.HttpClientRequest => {
  const { encoded } = call
  const headers = core.defaultHeaders(encoded, credentials)
  ClientHeaders.addAttempt(headers, call, span)
  return PlatformRequest.toHttp(encoded, headers)
}

/** One attempt to the head of its answer, over all its hops, from the one that the call stands at. */
export const respond = <R>(
  core: Core.Core,
  transport: TransportContract.Send<R>,
  call: Call.Call,
  span: Tracer.Span | undefined
): Effect.Effect<GuardedResponse.GuardedResponse, ApiError.ApiError, R> =>
  Effect.flatMap(
    Effect.suspend(() => respondOnce(core, transport, call, span)),
    (response) =>
      StatusTag.isSuccess(response.status)
        ? Effect.succeed(response)
        : followed(core, transport, call, span, response)
  )

/** What becomes of a response: the next hop's where it is a redirect that may be followed. */
const followed = <R>(
  core: Core.Core,
  transport: TransportContract.Send<R>,
  call: Call.Call,
  span: Tracer.Span | undefined,
  response: GuardedResponse.GuardedResponse
): Effect.Effect<GuardedResponse.GuardedResponse, ApiError.ApiError, R> => {
  const { headers, status } = response
  if (status === Redirects.hidden) {
    // It may have been a 303 as well.
    if (Redirects.asksForGet(303, call.encoded.method)) Call.processed(call)
    return Effect.succeed(response.refuse("redirect not followed: a browser hides where it leads"))
  }
  if (!Redirects.isRedirect(status)) return Effect.succeed(response)
  const next = headers.location === undefined ? undefined : Redirects.redirected(call, response)
  if (Redirects.asksForGet(status, call.encoded.method)) Call.processed(call)
  if (next === undefined) return Effect.succeed(response)
  if (typeof next === "string") return Effect.succeed(response.refuse(`redirect not followed: ${next}`))
  return Effect.zipRight(
    response.salvage(call.config.limits.errorBytes),
    Effect.suspend(() => {
      Call.goOn(call, next)
      return respond(core, transport, call, span)
    })
  )
}

const middlewareOf = ({ options }: ApiRequest.Request): ReadonlyArray<Middleware.Middleware> =>
  (options as Overrides.Plain<typeof options>).middleware ?? []

/** One hop to the head of its answer: credentials, the headers of the attempt, middleware, transport. */
const respondOnce = <R>(
  core: Core.Core,
  transport: TransportContract.Send<R>,
  call: Call.Call,
  span: Tracer.Span | undefined
): Effect.Effect<GuardedResponse.GuardedResponse, ApiError.ApiError, R> =>
  Effect.flatMap(authorize(core, call), (credentials) => {
    const request = outgoing(core, call, credentials, span)
    // The transport's own requirement is met where the attempt is run, not by every middleware.
    const last = (sent: HttpClientRequest.HttpClientRequest) => {
      // What a middleware has set may be a secret that nobody else knows.
      if (sent !== request) call.sent = [...(call.sent ?? []), sent.headers]
      return transport(call, Redirects.outgoing(call, sent)) as Effect.Effect<
        GuardedResponse.GuardedResponse,
        ApiError.ApiError
      >
    }
    const middleware = [...call.config.middleware, ...middlewareOf(call.request)]
    const send = middleware.length === 0 ? last : Middleware.compose(middleware, checked(call, last))
    return send(request).pipe(
      Effect.matchEffect({
        onSuccess: (response) => takeOver(call, response),
        onFailure: (error) =>
          !ApiError.isApiError(error) && TransportError.isStatusCode(error)
            ? // A middleware that refuses a status (`filterStatusOk`) still has the answer: the status check is ours.
              takeOver(call, error.response)
            : Effect.fail(
                sourceError(call) ??
                  (ApiError.isApiError(error) ? error : TransportError.fromMiddleware(call, error))
              )
      }),
      Effect.tapBoth({
        onFailure: (error) => Telemetry.attempted(call, request.headers, error),
        onSuccess: (response) => Telemetry.attempted(call, request.headers, response)
      })
    )
  })

/** What middleware made of a request has not been looked at yet. */
const checked =
  (call: Call.Call, send: Middleware.Next): Middleware.Next =>
  (request) => {
    const problem = Sendable.problemOf(request)
    return problem === undefined
      ? send(request)
      : Effect.fail(TransportError.invalidRequest(call, problem.field, problem.reason))
  }

/**
 * One whole attempt in a single wait, inside of `uninterruptibleMask`, where nothing but the transport has a part in it: the
 * credentials are known, no middleware stands in between, nobody listens at debug. `undefined` where that is not so.
 */
export const respondDirectly = (
  core: Core.Core,
  call: Call.Call,
  span: Tracer.Span | undefined,
  fiber: Fiber.RuntimeFiber<unknown, unknown>
): Attempts.Attempt<GuardedResponse.GuardedResponse> | undefined => {
  const { fastPath: direct } = core.transport
  const { config, encoded, request } = call
  if (direct === undefined || encoded.body._tag === "Stream") return undefined
  if (config.middleware.length > 0 || request.options.middleware !== undefined) return undefined
  const { resolve } = core.credentials
  if (!Sync.isSync(resolve) || Either.isLeft(resolve) || Telemetry.isDebugged(fiber)) return undefined
  return (restore) => {
    const credentials = call.encoded.trusted ? resolve.right : undefined
    if (credentials !== undefined) issue(call, credentials)
    const sent = Redirects.outgoing(call, outgoing(core, call, credentials, span))
    return Effect.flatMap(direct(call, sent, restore), (response) =>
      StatusTag.isSuccess(response.status)
        ? Effect.succeed(response)
        : Attempts.guarded(followed(core, core.transport.buffered, call, span, response))(restore)
    )
  }
}

/** The last that were issued are those of the request on its way, where it has any. */
const issue = ({ usedCredentials: issued }: Call.Call, credentials: Credentials.Resolved): void => {
  if (issued[issued.length - 1] !== credentials) issued.push(credentials)
}

/** A streamed body's own failure reaches us as a broken transport: the cause is the caller's, and so is the error. */
const sourceError = (call: Call.Call): ApiError.InvalidRequestError | undefined => {
  const failure = call.encoded.sourceFailure()
  if (failure === undefined) return undefined
  const { cause, field, problem: misfit, sent } = failure
  const reason =
    misfit ?? `failed while it was sent: ${TransportError.findCode(cause).message || String(cause)}`
  // Without a byte of it no server acts; a part of it may have arrived.
  return TransportError.invalidRequest(call, field, reason, sent === 0 ? "not-sent" : "maybe-applied", cause)
}

/**
 * The response of an attempt. A source that failed is an error whatever was answered: a transport may have ended the body as
 * if that were all of it. A middleware may answer with a response of its own.
 */
const takeOver = (
  call: Call.Call,
  answer: HttpClientResponse.HttpClientResponse
): Effect.Effect<GuardedResponse.GuardedResponse, ApiError.InvalidRequestError> => {
  const isOurs = answer instanceof GuardedResponse.GuardedResponse
  if (isOurs ? answer.isSpent : WebResponse.isSpent(answer)) {
    const reason = "gave back a response whose body has been read"
    return Effect.fail(
      TransportError.invalidRequest(call, "middleware", reason, isOurs ? "maybe-applied" : "not-sent")
    )
  }
  const response = isOurs ? answer : PlatformResponse.guarded(call, answer)
  const failed = sourceError(call)
  return failed === undefined
    ? Effect.succeed(response)
    : Effect.zipRight(response.salvage(call.config.limits.errorBytes), Effect.fail(failed))
}

const authorize = (
  core: Core.Core,
  call: Call.Call
): Effect.Effect<Credentials.Resolved | undefined, ApiError.CredentialsError> =>
  call.encoded.trusted
    ? Effect.mapBoth(core.credentials.resolve, {
        onSuccess: (resolved) => {
          issue(call, resolved)
          return resolved
        },
        onFailure: (failure) => UnsentError.noCredentials(call, failure)
      })
    : Effect.succeed(undefined)
