/**
 * One attempt of a call: a hop, and another for each redirect that is followed, up to the response headers. Then the status
 * check, and the body if the decoder takes it whole.
 */
import * as Effect from "effect/Effect"
import type * as Tracer from "effect/Tracer"
import type * as Fibers from "../effect/fibers.js"
import * as Sync from "../effect/sync.js"
import type * as ApiError from "../errors/ApiError.js"
import * as Call from "../request/Call.js"
import type * as ResponseDecoder from "../response/ResponseDecoder.js"
import { WholeBody } from "../response/WholeBody.js"
import * as Attempts from "../retry/Attempts.js"
import { carried } from "../shared/carried.js"
import type * as GuardedResponse from "../transport/GuardedResponse.js"
import * as Redirects from "../transport/Redirects.js"
import type * as TransportContract from "../transport/TransportContract.js"
import type * as Core from "./Core.js"
import * as Hop from "./Hop.js"
import * as StatusCheck from "./StatusCheck.js"

/** Makes an attempt for a decoder of an open body. */
export type OpenAttempt = (
  core: Core.Core,
  call: Call.Call,
  decoder: ResponseDecoder.ResponseDecoder<unknown>,
  span: Tracer.Span | undefined
) => Attempts.Attempt<Core.Received>

/** One attempt for a decoder. A connection reset within a body that is read whole is retried like any other failure. */
export const make = (
  core: Core.Core,
  call: Call.Call,
  decoder: ResponseDecoder.ResponseDecoder<unknown>,
  span: Tracer.Span | undefined,
  fiber: Fibers.AnyFiber
): Attempts.Attempt<Core.Received> => {
  const { transport } = core
  const { opening } = decoder
  if (opening !== undefined) return carried<OpenAttempt>(opening.attempt)(core, call, decoder, span)
  return (
    transport.attempt?.(core, call, span, fiber) ??
    Attempts.guarded(
      Effect.flatMap(respond(core, transport.buffered, call, span), (response) => read(core, call, response))
    )
  )
}

/** The whole body of a success, or the error of any other response. */
export const read = (
  { transport }: Core.Core,
  call: Call.Call,
  response: GuardedResponse.GuardedResponse
): Effect.Effect<Core.Received, ApiError.ApiError> =>
  Call.isFailure(call, response.status)
    ? StatusCheck.fail(call, response)
    : Sync.map(response.bytes, (bytes) => new WholeBody(response, bytes, transport.decoderOf))

/** Sends the call's current request and follows redirects, up to the headers of the last response. */
export const respond = (
  core: Core.Core,
  send: TransportContract.Send<never>,
  call: Call.Call,
  span: Tracer.Span | undefined
): Effect.Effect<GuardedResponse.GuardedResponse, ApiError.ApiError> =>
  Effect.flatMap(
    Effect.suspend(() => Hop.run(core, send, call, span)),
    (response) =>
      Call.isFailure(call, response.status)
        ? followed(core, send, call, span, response)
        : Effect.succeed(response)
  )

/** The next hop's response if the client may follow a redirect, else the response itself. */
export const followed = (
  core: Core.Core,
  send: TransportContract.Send<never>,
  call: Call.Call,
  span: Tracer.Span | undefined,
  response: GuardedResponse.GuardedResponse
): Effect.Effect<GuardedResponse.GuardedResponse, ApiError.ApiError> => {
  const { headers, status } = response
  if (status === Redirects.hidden) {
    // It may have been a 303 as well.
    if (Redirects.asksForGet(303, call.encoded.method)) Call.processed(call)
    return Effect.succeed(response.refuse("redirect not followed: a browser hides where it leads"))
  }
  if (!Redirects.isRedirect(status) || Call.isNamed(call, status)) return Effect.succeed(response)
  const next = headers.location === undefined ? undefined : Redirects.redirected(call, response)
  if (Redirects.asksForGet(status, call.encoded.method)) Call.processed(call)
  if (next === undefined) return Effect.succeed(response)
  if (typeof next === "string") return Effect.succeed(response.refuse(`redirect not followed: ${next}`))
  return Effect.zipRight(
    response.salvage(call.config.limits.errorBytes),
    Effect.suspend(() => {
      Call.goOn(call, next)
      return respond(core, send, call, span)
    })
  )
}
