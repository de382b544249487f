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
  const { lastError: last } = call
  if (last === undefined || !ApiError.isStatusError(error) || last.body.status !== error.status)
    return Effect.fail(error)
  const { status } = error
  const all = [call.request.failure, call.config.failure].flatMap((failure) => ByStatus.all(failure, status))
  const found = last.own === undefined ? fitting(call, [...first, ...all], last.body) : Exit.succeed(last.own)
  const { ownError } = call.config
  return Effect.flatMap(found, (own): Effect.Effect<never, ApiError.ApiError | E> => {
    if (own === undefined) return Effect.fail(error)
    // The schemas in `failure` decode to `E`, of which its type keeps no more than the name.
    return Effect.fail((ownError === undefined ? own.value : ownError(own.value, error)) as E)
  })
}

/**
 * Notes an error body. Returns whether the request's `failure` names this very status, and the body fits: the call has
 * its outcome.
 */
export const note = (call: Call.Call, body: ResponseDecoder.Body): Effect.Effect<boolean> => {
  call.lastError = { body }
  const named = call.request.failure[body.status]
  if (named === undefined) return Exit.succeed(false)
  return Sync.map(fitting(call, [named], body), (own) => {
    call.lastError = { body, own }
    return own !== undefined
  })
}

type Own = NonNullable<Call.ErrorBody["own"]>

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
