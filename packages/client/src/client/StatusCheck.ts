/** Turns a response whose status is no success into its error. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as ApiError from "../errors/ApiError.js"
import * as Call from "../request/Call.js"
import * as CallError from "../request/CallError.js"
import * as StatusError from "../request/StatusError.js"
import { WholeBody } from "../response/WholeBody.js"
import { owned } from "../shared/bytes.js"
import type * as GuardedResponse from "../transport/GuardedResponse.js"
import * as OwnFailure from "./OwnFailure.js"

/** Passes a success on, and fails with the error of any other response. */
export const check = (
  call: Call.Call,
  response: GuardedResponse.GuardedResponse
): Effect.Effect<GuardedResponse.GuardedResponse, ApiError.StatusError> =>
  Call.isFailure(call, response.status) ? fail(call, response) : Effect.succeed(response)

/** Fails with the error of a response. Its body is read up to `limits.errorBytes`; if it fails to arrive, the status still counts. */
export const fail = (
  call: Call.Call,
  response: GuardedResponse.GuardedResponse
): Effect.Effect<never, ApiError.StatusError> =>
  Effect.flatMap(response.salvage(call.config.limits.errorBytes), ({ bytes, complete }) => {
    const body = new WholeBody(response, owned(bytes))
    return Effect.flatMap(OwnFailure.note(call, body), (isOutcome) =>
      failUnread(call, response, { text: CallError.textOf(bytes, !complete), cut: !complete, isOutcome })
    )
  })

/** The same without reading the body. */
export const failUnread = (
  call: Call.Call,
  { headers, refusal, status }: GuardedResponse.GuardedResponse,
  read: Pick<StatusError.Refusal, "text" | "cut" | "isOutcome"> = { text: "" }
): Effect.Effect<never, ApiError.StatusError> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.fail(StatusError.statusError(call, { status, headers, refusal, now, ...read }))
  )
