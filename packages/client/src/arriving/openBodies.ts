/** What the client does for a body that is returned open. Its decoder carries it, so that a program without one does not bundle it. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Attempt from "../client/Attempt.js"
import type * as Core from "../client/Core.js"
import type * as Decoding from "../client/Decoding.js"
import * as StatusCheck from "../client/StatusCheck.js"
import { promised, type Run } from "../effect/promised.js"
import type * as ApiError from "../errors/ApiError.js"
import type * as Call from "../request/Call.js"
import * as CallSecrets from "../request/CallSecrets.js"
import type * as ApiSchema from "../response/ApiSchema.js"
import * as ByStatus from "../response/ByStatus.js"
import type * as Contract from "../response/DecoderContract.js"
import { WholeBody } from "../response/WholeBody.js"
import * as Attempts from "../retry/Attempts.js"
import { thrownMisfit } from "../schema/guarded.js"
import type * as GuardedResponse from "../transport/GuardedResponse.js"
import * as Opened from "../transport/Opened.js"
import { codingsOf } from "../wire/codings.js"

const streamed = new Uint8Array(0)

/** An attempt ends at the headers, unless the decoder wants the whole body of this status. */
const attempt: Attempt.OpenAttempt = (core, call, decoder, span) => {
  const send = Opened.of(core.transport).streamingUnscoped
  const response = Effect.flatMap(Attempt.respond(core, send, call, span), (response) =>
    StatusCheck.check(call, response)
  )
  return Attempts.guarded(
    Effect.flatMap(
      response,
      (response): Effect.Effect<Core.Received, ApiError.ApiError> =>
        openOf(decoder, response.status) === undefined
          ? Effect.map(response.bytes, (bytes) => new WholeBody(response, bytes))
          : Effect.succeed(new WholeBody(response, streamed))
    ),
    true
  )
}

/** What takes the open body of a response with this status, if the decoder does. */
const openOf = <A>({ open, statuses }: Contract.ResponseDecoder<A>, status: number) =>
  statuses === undefined ? open : ByStatus.find(statuses, status)?.open

const decode: Decoding.OpenDecode = (call, decoder, response) => {
  const open = openOf(decoder, response.status)
  return open && Effect.flatMap(promised, (run) => opened(open, arriving(call, response, run)))
}

/** A function of the program that throws leaves the body. */
const opened = <A>(
  open: (arriving: Contract.Arriving) => A,
  arriving: Contract.Arriving
): Effect.Effect<A, ApiSchema.DecodeFailure> => {
  try {
    return Exit.succeed(open(arriving))
  } catch (thrown) {
    arriving.leave()
    return Exit.fail(thrownMisfit(thrown))
  }
}

/** A body whose reader is the caller. */
const arriving = (
  call: Call.Call,
  response: GuardedResponse.GuardedResponse,
  run: Run
): Contract.Arriving => ({
  status: response.status,
  headers: response.headers,
  setCookies: response.setCookies,
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

const byStatus =
  <A>(statuses: ByStatus.ByStatus<Contract.ResponseDecoder<A>>) =>
  (arriving: Contract.Arriving): A => {
    const open = ByStatus.find(statuses, arriving.status)?.open
    if (open === undefined) throw new Error(`status ${arriving.status} has no open body`)
    return open(arriving)
  }

export const opening: Contract.Opening = { attempt, decode, byStatus }
