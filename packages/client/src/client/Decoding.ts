/** From the response of a call to its value, or to the caller's own error. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { promised, type Run } from "../effect/promised.js"
import * as Sync from "../effect/sync.js"
import * as TimeLimits from "../effect/timeLimits.js"
import type * as ApiError from "../errors/ApiError.js"
import type * as ApiRequest from "../request/ApiRequest.js"
import type * as Call from "../request/Call.js"
import * as CallSecrets from "../request/CallSecrets.js"
import * as ResponseError from "../request/ResponseError.js"
import * as TransportError from "../request/TransportError.js"
import type * as ApiSchema from "../response/ApiSchema.js"
import * as ByStatus from "../response/ByStatus.js"
import * as ResponseDecoder from "../response/ResponseDecoder.js"
import { isOpen } from "../response/statusDecoder.js"
import * as Attempts from "../retry/Attempts.js"
import * as Telemetry from "../telemetry/Telemetry.js"
import type * as GuardedResponse from "../transport/GuardedResponse.js"
import { codingsOf } from "../wire/codings.js"
import type * as Core from "./Core.js"
import * as OwnFailure from "./OwnFailure.js"

/** What a call returns of its value and its response. */
export type Project<A, B> = (call: Call.Call, response: GuardedResponse.GuardedResponse, value: A) => B

/** Decodes a response. With lenient validation a value that does not fit is passed on. */
export const decode = <A, B>(
  call: Call.Call,
  decoder: ResponseDecoder.ResponseDecoder<A>,
  received: Core.Received,
  project: Project<A, B>
): Effect.Effect<B, ApiError.ApiError> => {
  const { response } = received
  const decoded = isOpen(decoder, response.status)
    ? Effect.flatMap(promised, (run) => ResponseDecoder.runOpen(decoder, arriving(call, response, run)))
    : ResponseDecoder.run(decoder, received)
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

/** A body whose reader is the caller. */
const arriving = (
  call: Call.Call,
  response: GuardedResponse.GuardedResponse,
  run: Run
): ResponseDecoder.Arriving => ({
  status: response.status,
  headers: response.headers,
  url: CallSecrets.redactor(call).url(response.url),
  run,
  chunks: response.guardedChunks,
  total: lengthOf(response),
  failAfterResponse: (error) => Attempts.failAfterResponse(call, error),
  leave: response.leave
})

const lengthOf = (response: GuardedResponse.GuardedResponse): number | undefined => {
  const { "content-encoding": encoding, "content-length": length } = response.headers
  // With a content coding the header counts other bytes than the reader gets.
  const isPlain = codingsOf(encoding).length === 0
  return isPlain && length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined
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
