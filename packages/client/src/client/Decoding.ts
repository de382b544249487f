/** From the response of a call to its value, or to the caller's own error. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Sync from "../effect/sync.js"
import * as TimeLimits from "../effect/timeLimits.js"
import type * as ApiError from "../errors/ApiError.js"
import type * as ApiRequest from "../request/ApiRequest.js"
import type * as Call from "../request/Call.js"
import * as ResponseError from "../request/ResponseError.js"
import * as TransportError from "../request/TransportError.js"
import type * as ApiSchema from "../response/ApiSchema.js"
import * as ByStatus from "../response/ByStatus.js"
import * as ResponseDecoder from "../response/ResponseDecoder.js"
import * as Attempts from "../retry/Attempts.js"
import { carried } from "../shared/carried.js"
import * as Telemetry from "../telemetry/Telemetry.js"
import type * as GuardedResponse from "../transport/GuardedResponse.js"
import type * as Core from "./Core.js"
import * as OwnFailure from "./OwnFailure.js"

/** What a call returns of its value and its response. */
export type Project<A, B> = (call: Call.Call, response: GuardedResponse.GuardedResponse, value: A) => B

/** Hands an open body to its decoder; `undefined` if the decoder wants the whole of this one. */
export type OpenDecode = <A>(
  call: Call.Call,
  decoder: ResponseDecoder.ResponseDecoder<A>,
  response: GuardedResponse.GuardedResponse
) => Effect.Effect<A, ApiSchema.DecodeFailure> | undefined

/** Decodes a response. With lenient validation a value that does not fit is passed on. */
export const decode = <A, B>(
  call: Call.Call,
  decoder: ResponseDecoder.ResponseDecoder<A>,
  received: Core.Received,
  project: Project<A, B>
): Effect.Effect<B, ApiError.ApiError> => {
  const { response } = received
  const { opening } = decoder
  const decoded =
    (opening && carried<OpenDecode>(opening.decode)(call, decoder, response)) ??
    ResponseDecoder.run(decoder, received)
  // Most are here: no closures.
  if (Sync.isSync(decoded) && decoded._tag === "Success")
    return Exit.succeed(project(call, response, decoded.value))
  const onSuccess = (value: A): Effect.Effect<B> => Effect.succeed(project(call, response, value))
  const onFailure = (failure: ApiSchema.DecodeFailure): Effect.Effect<B, ApiError.ApiError> => {
    const error = ResponseError.undecodable(call, response, received.view, failure)
    const { parsed } = failure
    if (!call.config.lenient || parsed === undefined) return Effect.fail(error)
    // Lenient validation returns what the type does not promise.
    return Effect.zipRight(Telemetry.decodeFailure(error), onSuccess(parsed.value as A))
  }
  if (Sync.isSync(decoded)) return Sync.match(decoded, onFailure, onSuccess)
  const late = Effect.suspend(() =>
    Attempts.failAfterResponse(call, TransportError.timeout(call, "total", call.timeouts.total))
  )
  const settled = TimeLimits.withinDeadline(call, Sync.outcome(decoded), late)
  return Effect.flatMap(settled, (outcome) =>
    outcome.ok ? onSuccess(outcome.value) : onFailure(outcome.error)
  )
}

/** Replaces an error by the caller's own where the request's `failure` or the client's names its status. */
export const orOwnFailure = <A, E>(
  call: Call.Call,
  request: Pick<ApiRequest.Request<E>, "failure">,
  effect: Effect.Effect<A, ApiError.ApiError>
): Effect.Effect<A, ApiError.ApiError | E> =>
  request.failure === ByStatus.none && call.config.failure === ByStatus.none
    ? effect
    : Effect.catchAll(effect, (error) => OwnFailure.ownFailure<E>(call, error))
