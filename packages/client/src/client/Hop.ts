/** One hop of an attempt, up to the response headers: credentials, the headers of the attempt, middleware, transport. */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import type * as Tracer from "effect/Tracer"
import { composeMiddleware } from "../config/composeMiddleware.js"
import type * as Middleware from "../config/Middleware.js"
import type * as Credentials from "../credentials/Credentials.js"
import * as Fibers from "../effect/fibers.js"
import { filteredResponse, isPlatformError } from "../effect/platformErrors.js"
import * as ApiError from "../errors/ApiError.js"
import * as Call from "../request/Call.js"
import * as CallError from "../request/CallError.js"
import * as TransportError from "../request/TransportError.js"
import * as UnsentError from "../request/UnsentError.js"
import * as Deprecation from "../telemetry/deprecation.js"
import * as Telemetry from "../telemetry/Telemetry.js"
import * as GuardedResponse from "../transport/GuardedResponse.js"
import * as PlatformRequest from "../transport/PlatformRequest.js"
import * as PlatformResponse from "../transport/PlatformResponse.js"
import * as Redirects from "../transport/Redirects.js"
import type * as TransportContract from "../transport/TransportContract.js"
import * as RequestBody from "../wire/RequestBody.js"
import * as Sendable from "../wire/sendable.js"
import * as WebResponse from "../wire/webResponse.js"
import * as ClientHeaders from "./ClientHeaders.js"
import type * as Core from "./Core.js"

/** Sends the call's current request. */
export const run = (
  core: Core.Core,
  send: TransportContract.Send<never>,
  call: Call.Call,
  span: Tracer.Span | undefined
): Effect.Effect<GuardedResponse.GuardedResponse, ApiError.ApiError> =>
  Effect.flatMap(authorize(core, call), (credentials) => {
    // A middleware may send on its own.
    call.isUnsent = credentials?.sign !== undefined && call.middleware.length === 0
    const request = outgoing(core, call, credentials, span)
    return Effect.matchEffect(settled(call, through(call, request, signing(credentials?.sign, send))), {
      onFailure: (error) =>
        Effect.zipRight(Telemetry.attempted(call, request.headers, error), Effect.fail(error)),
      onSuccess: (response) => arrived(core, call, request, response)
    })
  })

/** What a hop comes to: middleware may respond with anything, and fail in ways that only the platform knows. */
export const settled = (
  call: Call.Call,
  responding: ReturnType<Middleware.Next>
): Effect.Effect<GuardedResponse.GuardedResponse, ApiError.ApiError> =>
  Effect.matchEffect(responding, {
    onSuccess: (response) => takeOver(call, response),
    onFailure: (error) => {
      if (ApiError.isApiError(error))
        return Effect.fail(sourceError(call) ?? CallError.completed(call, error))
      // A middleware that rejects a status (`filterStatusOk`) still has the response, and the status check is ours.
      const filtered = isPlatformError(error) ? filteredResponse(error) : undefined
      return filtered === undefined
        ? Effect.fail(sourceError(call) ?? TransportError.fromMiddleware(call, error))
        : takeOver(call, filtered)
    }
  })

const authorize = (
  { credentials }: Core.Core,
  call: Call.Call
): Effect.Effect<Credentials.Resolved | undefined, ApiError.CredentialsError> => {
  if (!call.encoded.trusted) return Effect.succeed(undefined)
  call.isUnsent = true
  return Effect.mapError(credentials.resolve, (failure) => UnsentError.noCredentials(call, failure))
}

/** The request as a hop sends it, without credentials if its origin is not trusted. */
export const outgoing = (
  core: Core.Core,
  call: Call.Call,
  credentials: Credentials.Resolved | undefined,
  span: Tracer.Span | undefined
): HttpClientRequest.HttpClientRequest => {
  const { encoded, usedCredentials } = call
  const used = encoded.trusted ? credentials : undefined
  // The last ones used are those of the request in flight.
  if (used !== undefined && usedCredentials[usedCredentials.length - 1] !== used) usedCredentials.push(used)
  const headers = core.defaultHeaders(encoded, used)
  ClientHeaders.addAttempt(headers, call, span)
  return PlatformRequest.toHttp(encoded, headers)
}

/** Reports a response to what counts and logs. Most take a single step of the fiber. */
const arrived = (
  { permits, warned }: Core.Core,
  call: Call.Call,
  { headers }: HttpClientRequest.HttpClientRequest,
  response: GuardedResponse.GuardedResponse
): Effect.Effect<GuardedResponse.GuardedResponse> =>
  Fibers.withFiber((fiber) => {
    permits?.arrived(call, response, fiber)
    const logged = Fibers.isDebugged(fiber) ? Telemetry.attempted(call, headers, response) : undefined
    const noticed = Deprecation.noticed(warned, call, response)
    if (logged === undefined && noticed === undefined) return Effect.succeed(response)
    return Effect.as(Effect.zipRight(logged ?? Effect.void, noticed ?? Effect.void), response)
  })

/** Sends a request through the call's middleware. */
export const through = (
  call: Call.Call,
  request: HttpClientRequest.HttpClientRequest,
  send: TransportContract.Send<never>
): ReturnType<Middleware.Next> => {
  const last = (sent: HttpClientRequest.HttpClientRequest) => {
    // A middleware may have set a secret that nobody else knows.
    if (sent !== request) call.sent = [...(call.sent ?? []), sent.headers]
    const kept = PlatformRequest.keepingRemoved(request.headers, sent)
    return send(call, Redirects.outgoing(call, watched(call, request, kept)))
  }
  return call.middleware.length === 0
    ? last(request)
    : composeMiddleware(call.middleware, checked(call, last))(request)
}

/** Watches a body that middleware has set, as the encoder does with the request's own. */
const watched = (
  call: Call.Call,
  request: HttpClientRequest.HttpClientRequest,
  sent: HttpClientRequest.HttpClientRequest
): HttpClientRequest.HttpClientRequest => {
  call.otherBody = undefined
  if (sent.body === request.body) return sent
  const other = RequestBody.fromHttpBody(sent.body, sent.headers["content-length"])
  call.otherBody = other
  return other.body === sent.body ? sent : PlatformRequest.withBody(sent, other.body)
}

/** Signs what is sent, which middleware may have changed. */
const signing = (
  sign: Credentials.Resolved["sign"],
  send: TransportContract.Send<never>
): TransportContract.Send<never> =>
  sign === undefined
    ? send
    : (call, request) =>
        Effect.matchEffect(
          sign(PlatformRequest.withWholeUrl(request), (origin) => Call.isTrusted(call, origin)),
          {
            onFailure: (failure) => Effect.fail(UnsentError.noCredentials(call, failure)),
            onSuccess: ({ request: signed, secrets }) => {
              call.isUnsent = false
              Call.noteSignature(call, secrets)
              return send(call, PlatformRequest.keepingRemoved(request.headers, signed))
            }
          }
        )

/** Checks the request that middleware has made: the encoder has not seen it. */
const checked =
  (call: Call.Call, send: Middleware.Next): Middleware.Next =>
  (request) => {
    const problem = Sendable.problemOf(request, call.encoded.url)
    return problem === undefined
      ? send(request)
      : Effect.fail(TransportError.invalidRequest(call, problem.field, problem.reason))
  }

/** The error of a streamed body whose source failed: to the transport it looks like a broken connection. */
const sourceError = (call: Call.Call): ApiError.InvalidRequestError | undefined => {
  const failure = call.encoded.sourceFailure() ?? call.otherBody?.sourceFailure()
  if (failure === undefined) return undefined
  const { cause, field, problem, sent } = failure
  const reason =
    problem ?? `failed while it was sent: ${TransportError.findCode(cause).message || wordsOf(cause)}`
  // A server acts on no body of which it has no byte; a part of it may have arrived.
  return TransportError.invalidRequest(call, field, reason, sent === 0 ? "not-sent" : "maybe-applied", cause)
}

const wordsOf = (cause: unknown): string => {
  try {
    return String(cause)
  } catch {
    return "with a value that cannot be shown"
  }
}

/**
 * Takes a response, which may be one that a middleware has made. It is an error if the body's source failed: a transport may
 * have ended the body as if it were complete.
 */
const takeOver = (
  call: Call.Call,
  received: HttpClientResponse.HttpClientResponse
): Effect.Effect<GuardedResponse.GuardedResponse, ApiError.InvalidRequestError> => {
  const isOurs = received instanceof GuardedResponse.GuardedResponse
  if (isOurs ? received.isSpent : WebResponse.isSpent(received)) {
    const reason = "gave back a response whose body has been read"
    return Effect.fail(
      TransportError.invalidRequest(call, "middleware", reason, isOurs ? "maybe-applied" : "not-sent")
    )
  }
  const response = isOurs ? received : PlatformResponse.guarded(call, received)
  // Nobody closes a response that a middleware has made.
  if (!isOurs) call.permit?.leave()
  const failed = sourceError(call)
  return failed === undefined
    ? Effect.succeed(response)
    : Effect.zipRight(response.salvage(call.config.limits.errorBytes), Effect.fail(failed))
}
