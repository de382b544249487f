/**
 * A decoded response, and what a response with another status fails with.
 *
 * @since 0.1.0
 */
import type * as HttpHeaders from "@effect/platform/Headers"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as ApiError from "../errors/ApiError.js"
import type * as Call from "../request/Call.js"
import { textOf } from "../request/CallError.js"
import { isFailure, statusError } from "../request/StatusError.js"
import { owned } from "../shared/bytes.js"
import type * as GuardedResponse from "../transport/GuardedResponse.js"

/**
 * A decoded response. `headers` are by lower-case name and as they came, but for `content-encoding` and `content-length`,
 * which are dropped where the transport has decoded the body: they would not fit what is handed on. `attempts` is the ledger of the call, the last line
 * being the attempt that succeeded.
 *
 * @since 0.1.0
 * @category models
 */
export interface ApiResponse<out A> {
  readonly value: A
  readonly status: number
  readonly headers: HttpHeaders.Headers
  readonly requestId: string | undefined
  readonly attempts: ReadonlyArray<ApiError.Attempt>
}

/**
 * Lets a success through and turns any other answer into its error.
 *
 * @since 0.1.0
 * @category combinators
 */
export const failOnStatus = (
  call: Call.Call,
  response: GuardedResponse.GuardedResponse
): Effect.Effect<GuardedResponse.GuardedResponse, ApiError.StatusError> =>
  isFailure(call, response.status) ? fail(call, response) : Effect.succeed(response)

/**
 * Fails with the error of an answer. Its body is read up to `limits.errorBytes`; one that fails to arrive never hides the
 * status.
 *
 * @since 0.1.0
 * @category combinators
 */
export const fail = (
  call: Call.Call,
  response: GuardedResponse.GuardedResponse
): Effect.Effect<never, ApiError.StatusError> =>
  Effect.flatMap(response.salvage(call.config.limits.errorBytes), ({ bytes, complete }) => {
    const { headers, status } = response
    call.lastErrorBody = { status, body: { bytes: owned(bytes), contentType: headers["content-type"] } }
    return failUnread(call, response, textOf(bytes, !complete), !complete)
  })

/**
 * The same without a look at the body, of which `text` is what is known.
 *
 * @since 0.1.0
 * @category combinators
 */
export const failUnread = (
  call: Call.Call,
  { headers, refusal, status }: GuardedResponse.GuardedResponse,
  text = "",
  cut = false
): Effect.Effect<never, ApiError.StatusError> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.fail(statusError(call, { status, headers, text, cut, refusal, now }))
  )
