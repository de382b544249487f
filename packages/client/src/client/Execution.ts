/**
 * The life of a request, from the request to its value. Streams have their own in stream/Streaming.
 */
import type * as Effect from "effect/Effect"
import type * as Fibers from "../effect/fibers.js"
import type * as ApiError from "../errors/ApiError.js"
import type * as ApiRequest from "../request/ApiRequest.js"
import type * as Call from "../request/Call.js"
import * as CallError from "../request/CallError.js"
import * as CallSecrets from "../request/CallSecrets.js"
import * as Attempts from "../retry/Attempts.js"
import * as Telemetry from "../telemetry/Telemetry.js"
import type * as GuardedResponse from "../transport/GuardedResponse.js"
import type * as ApiResponse from "./ApiResponse.js"
import * as Attempt from "./Attempt.js"
import type * as Core from "./Core.js"
import * as Decoding from "./Decoding.js"
import * as Encoding from "./Encoding.js"

/** Runs a request to its value. */
export const execute = <A, E>(
  core: Core.Core,
  request: ApiRequest.ApiRequest<A, E>
): Effect.Effect<A, ApiError.ApiError | E> =>
  Encoding.begin(core, request, (call, core, fiber) => run(core, fiber, call, request, valueAlone<A>))

/** Runs a request to its value with status, headers, request id, URL and attempts. */
export const executeWithResponse = <A, E>(
  core: Core.Core,
  request: ApiRequest.ApiRequest<A, E>
): Effect.Effect<ApiResponse.ApiResponse<A>, ApiError.ApiError | E> =>
  Encoding.begin(core, request, (call, core, fiber) => run(core, fiber, call, request, withResponse<A>))

/**
 * Runs a call, that is an encoded request, in its span. An attempt resolves credentials, sends the request through middleware
 * and transport, checks the status and reads the body. The first response that succeeds is decoded. An error whose status the
 * request names in `failure` becomes the caller's own.
 */
export const run = <A, E, B>(
  core: Core.Core,
  fiber: Fibers.AnyFiber,
  call: Call.Call,
  request: ApiRequest.ApiRequest<A, E>,
  project: Decoding.Project<A, B>
): Effect.Effect<B, ApiError.ApiError | E> =>
  Telemetry.withSpan(call, fiber, (span) =>
    Decoding.orOwnFailure(
      call,
      request,
      Attempts.runOn(
        fiber,
        call,
        core.attempts,
        Attempt.make(core, call, request.success, span, fiber),
        leftovers,
        (received) => Decoding.decode(call, request.success, received, settling(core, project))
      )
    )
  )

/** Settles what a request has used where the client's limits read that from values. */
const settling = <A, B>({ permits }: Core.Core, project: Decoding.Project<A, B>): Decoding.Project<A, B> => {
  const settle = permits?.settle
  if (settle === undefined) return project
  return (call, response, value) => {
    settle(call, value)
    return project(call, response, value)
  }
}

const leftovers: Attempts.Leftovers<Core.Received> = { abandon: ({ response }) => response.leave() }

const valueAlone = <A>(_call: Call.Call, _response: GuardedResponse.GuardedResponse, value: A): A => value

/** The value of a response with what came around it. */
export const withResponse = <A>(
  call: Call.Call,
  response: GuardedResponse.GuardedResponse,
  value: A
): ApiResponse.ApiResponse<A> => ({ value, ...infoOf(call, response) })

/** What came around the value of a response. */
export const infoOf = (
  call: Call.Call,
  { headers, status, url }: GuardedResponse.GuardedResponse
): ApiResponse.ResponseInfo => ({
  status,
  headers,
  requestId: CallError.requestId(call, headers),
  url: CallSecrets.redactor(call).url(url),
  attempts: call.attempts
})
