/** Turns a response whose status is no success into its error. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as ApiError from "../errors/ApiError.js"
import type * as Call from "../request/Call.js"
import * as CallError from "../request/CallError.js"
import * as StatusError from "../request/StatusError.js"
import { owned } from "../shared/bytes.js"
import type * as GuardedResponse from "../transport/GuardedResponse.js"

/** Passes a success on, and fails with the error of any other response. */
export const check = (
  call: Call.Call,
  response: GuardedResponse.GuardedResponse
): Effect.Effect<GuardedResponse.GuardedResponse, ApiError.StatusError> =>
  StatusError.isFailure(call, response.status) ? fail(call, response) : Effect.succeed(response)

/** Fails with the error of a response. Its body is read up to `limits.errorBytes`; if it fails to arrive, the status still counts. */
export const fail = (
  call: Call.Call,
  response: GuardedResponse.GuardedResponse
): Effect.Effect<never, ApiError.StatusError> =>
  Effect.flatMap(response.salvage(call.config.limits.errorBytes), ({ bytes, complete }) => {
    const { headers, status } = response
    call.lastErrorBody = { status, body: { bytes: owned(bytes), contentType: headers["content-type"] } }
    return failUnread(call, response, CallError.textOf(bytes, !complete), !complete)
  })

/** The same without reading the body, of which `text` is known. */
export const failUnread = (
  call: Call.Call,
  { headers, refusal, status }: GuardedResponse.GuardedResponse,
  text = "",
  cut = false
): Effect.Effect<never, ApiError.StatusError> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.fail(StatusError.statusError(call, { status, headers, text, cut, refusal, now }))
  )
