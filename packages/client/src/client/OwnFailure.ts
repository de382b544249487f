/** The caller's own errors: of the request's `failure`, then of the client's. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Sync from "../effect/sync.js"
import * as TimeLimits from "../effect/timeLimits.js"
import * as ApiError from "../errors/ApiError.js"
import type * as Call from "../request/Call.js"
import * as ByStatus from "../response/ByStatus.js"
import * as ResponseDecoder from "../response/ResponseDecoder.js"

type Decodables = ReadonlyArray<ResponseDecoder.Decodable>

/** Fails with the caller's own error for a status if the body fits it, and with the given error if not. */
export const ownFailure = <E>(
  call: Call.Call,
  error: ApiError.ApiError,
  first: Decodables = []
): Effect.Effect<never, ApiError.ApiError | E> => {
  const body = call.lastErrorBody
  if (body === undefined || !ApiError.isStatusError(error) || body.status !== error.status)
    return Effect.fail(error)
  const { status } = error
  const decodables = [
    ...first,
    ...ByStatus.all(call.request.failure, status),
    ...ByStatus.all(call.config.failure, status)
  ]
  // The schemas in `failure` decode to `E`, of which its type keeps no more than the name.
  return Effect.flatMap(fitting(call, decodables, body), (own) =>
    Effect.fail(own === undefined ? error : (own.value as E))
  )
}

/** Whether the request's `failure` names this very status, and the body fits: the call has its outcome. */
export const isOutcome = (call: Call.Call, body: ResponseDecoder.Body): Effect.Effect<boolean> => {
  const named = call.request.failure[body.status]
  return named === undefined
    ? Exit.succeed(false)
    : Sync.map(fitting(call, [named], body), (own) => own !== undefined)
}

interface Own {
  readonly value: unknown
}

/** What the first decoder that fits makes of a body. */
const fitting = (
  call: Call.Call,
  [decodable, ...others]: Decodables,
  body: ResponseDecoder.Body
): Effect.Effect<Own | undefined> => {
  if (decodable === undefined) return Exit.succeed(undefined)
  const decoded = ResponseDecoder.run(ResponseDecoder.fromFailure(decodable), body)
  const next = (): Effect.Effect<Own | undefined> => fitting(call, others, body)
  const fits = (value: unknown): Effect.Effect<Own> => Exit.succeed({ value })
  return Sync.isSync(decoded)
    ? Sync.match(decoded, next, fits)
    : Effect.matchEffect(TimeLimits.withinDeadline(call, decoded, Effect.fail(late)), {
        onSuccess: fits,
        onFailure: next
      })
}

const late = { reason: "took too long", path: [] }
