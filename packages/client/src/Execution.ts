/**
 * The life of a request for one value: encode, then attempts (credentials, middleware, transport, status, body), then decode.
 *
 * @since 0.1.0
 */
import type { HttpClientRequest } from "@effect/platform"
import { Clock, Effect, Stream, type Tracer } from "effect"
import * as ApiError from "./ApiError.js"
import type * as ApiRequest from "./ApiRequest.js"
import * as ApiResponse from "./ApiResponse.js"
import * as Attempts from "./Attempts.js"
import * as Call from "./Call.js"
import * as Core from "./Core.js"
import type * as RequestOptions from "./RequestOptions.js"
import type * as ResponseBody from "./ResponseBody.js"
import type * as ResponseDecoder from "./ResponseDecoder.js"
import * as Telemetry from "./Telemetry.js"
import type * as ValueSchema from "./ValueSchema.js"

/**
 * A method without a body: template and options in, value out.
 *
 * @since 0.1.0
 * @category models
 */
export type Verb<R = never> = <
  const Template extends string,
  S extends ResponseDecoder.Decodable = RequestOptions.Unchecked,
  F extends RequestOptions.Failures = {}
>(
  template: Template,
  ...args: RequestOptions.Args<Template, RequestOptions.Options<S, F>>
) => Effect.Effect<ResponseDecoder.Type<S>, ApiError.ApiError | RequestOptions.Failure<F>, R>

/**
 * A method that may have a body: template and options in, value out.
 *
 * @since 0.1.0
 * @category models
 */
export type VerbWithBody<R = never> = <
  const Template extends string,
  S extends ResponseDecoder.Decodable = RequestOptions.Unchecked,
  F extends RequestOptions.Failures = {},
  B = unknown,
  I = unknown
>(
  template: Template,
  ...args: RequestOptions.Args<Template, RequestOptions.BodyOptions<S, F, B, I>>
) => Effect.Effect<ResponseDecoder.Type<S>, ApiError.ApiError | RequestOptions.Failure<F>, R>

/**
 * Runs a request to a decoded answer.
 *
 * @since 0.1.0
 * @category running
 */
export const execute = <A, E>(
  core: Core.Core,
  request: ApiRequest.ApiRequest<A, E>
): Effect.Effect<ApiResponse.ApiResponse<A>, ApiError.ApiError | E> =>
  Effect.flatMap(Core.begin(core, request), (call) => run(core, call, request))

/**
 * Runs a call that has begun.
 *
 * @since 0.1.0
 * @category running
 */
export const run = <A, E>(
  core: Core.Core,
  call: Call.Call,
  request: ApiRequest.ApiRequest<A, E>
): Effect.Effect<ApiResponse.ApiResponse<A>, ApiError.ApiError | E> =>
  Telemetry.withSpan(call, (propagated) => {
    const { open } = request.success
    const answer =
      open === undefined
        ? Effect.flatMap(attempts(core, call, whole(core, call, propagated)), (answer) =>
            decode(call, request, answer)
          )
        : Effect.map(attempts(core, call, headed(core, call, propagated)), ({ response }) =>
            answered(
              call,
              response,
              open(
                Stream.catchAll(response.guardedChunks, (error) => late(call, error)),
                lengthOf(response)
              )
            )
          )
    return Effect.catchAll(answer, (error) => Core.ownFailure(call, request, error))
  })

const attempts = <A extends { readonly response: ResponseBody.GuardedResponse }>(
  core: Core.Core,
  call: Call.Call,
  attempt: Effect.Effect<A, ApiError.ApiError>
): Effect.Effect<A, ApiError.ApiError> =>
  Attempts.run({
    call,
    ...core,
    attempt,
    statusOf: ({ response }: A) => response.status,
    discard: Effect.void
  })

/** One attempt to the end of the body: a reset on the way there is a failure like any other, and retried. */
const whole = (
  core: Core.Core,
  call: Call.Call,
  span: Tracer.Span | undefined
): Effect.Effect<Answer, ApiError.ApiError> =>
  Core.respond(core, core.transport.whole, call, span).pipe(
    Effect.flatMap((response) => ApiResponse.failOnStatus(call, response)),
    Effect.flatMap((response) => Effect.map(response.bytes, (bytes) => ({ response, bytes })))
  )

/** One attempt to the headers: the body is the caller's to read. */
const headed = (core: Core.Core, call: Call.Call, span: Tracer.Span | undefined) =>
  Core.respond(core, core.transport.unscoped, call, span).pipe(
    Effect.flatMap((response) => ApiResponse.failOnStatus(call, response)),
    Effect.map((response) => ({ response }))
  )

/** A body that breaks off in its reader's hands: too late to ask again, and the ledger's last line was a success. */
const late = (call: Call.Call, error: ApiError.ApiError): Stream.Stream<never, ApiError.ApiError> =>
  Stream.fromEffect(
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const last = call.attempts.at(-1)
      const outcome = { tag: error._tag, status: last?.status, delay: undefined }
      const line = Call.attempt(last?.startedAt ?? call.startedAt, now, outcome)
      return Effect.fail(
        ApiError.update(error, {
          attempts: [...call.attempts.slice(0, -1), line],
          stoppedBy: ApiError.isRetryable(error) ? "not-replayable" : "not-retryable"
        })
      )
    })
  )

const lengthOf = (response: ResponseBody.GuardedResponse): number | undefined => {
  const { "content-encoding": encoding, "content-length": length } = response.headers
  // Behind an encoding the header counts other bytes than the reader does.
  return encoding === undefined && length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined
}

const answered = <A>(
  call: Call.Call,
  { headers, status }: ResponseBody.GuardedResponse,
  value: A
): ApiResponse.ApiResponse<A> => ({
  value,
  status,
  headers,
  requestId: ApiResponse.requestId(call, headers),
  attempts: call.attempts
})

/**
 * The request as it would be sent, but for credentials and the headers of an attempt.
 *
 * @since 0.1.0
 * @category running
 */
export const prepare = (
  core: Core.Core,
  request: ApiRequest.Request
): Effect.Effect<HttpClientRequest.HttpClientRequest, ApiError.InvalidRequestError> =>
  Effect.map(Core.begin(core, request), (call) => call.encoded.http)

interface Answer {
  readonly response: ResponseBody.GuardedResponse
  readonly bytes: Uint8Array
}

const decode = <A>(
  call: Call.Call,
  request: ApiRequest.ApiRequest<A, unknown>,
  { bytes, response }: Answer
): Effect.Effect<ApiResponse.ApiResponse<A>, ApiError.ApiError> => {
  const body = { bytes, contentType: response.headers["content-type"] }
  return Effect.matchEffect(request.success.decode(body), {
    onSuccess: (value) => Effect.succeed(answered(call, response, value)),
    onFailure: (misfit) => {
      const error = misfitError(call, response, bytes, misfit)
      if (!call.config.lenient || misfit.parsed === undefined) return Effect.fail(error)
      const value = misfit.parsed.value as A
      return Effect.as(Telemetry.misfit(error), answered(call, response, value))
    }
  })
}

/** More than enough for an excerpt: an answer of many megabytes is not decoded for one line of it. */
const excerptBytes = 64 * 1024

const misfitError = (
  call: Call.Call,
  response: ResponseBody.GuardedResponse,
  bytes: Uint8Array,
  misfit: ValueSchema.Misfit
): ApiError.ResponseValidationError => {
  const shown = Call.redactor(call)
  const cut = bytes.length > excerptBytes
  const text = ApiResponse.textOf(bytes.subarray(0, excerptBytes), cut)
  const common = Call.common(
    call,
    `the answer (${response.status}) does not fit: ${misfit.reason}`,
    "maybe-applied"
  )
  return new ApiError.ResponseValidationError({
    ...common,
    attempts: call.attempts,
    status: response.status,
    requestId: ApiResponse.shownRequestId(call, response.headers),
    reason: shown.text(misfit.reason),
    // A key is whatever the server sent.
    path: misfit.path.map((key) => (typeof key === "string" ? shown.text(key) : key)),
    excerpt: ApiResponse.excerpt(call, text, cut)
  })
}
