/**
 * The life of a request for one value: encode, then attempts (credentials, middleware, transport, status, body), then decode.
 *
 * @since 0.1.0
 */
import type { HttpClientRequest } from "@effect/platform"
import { Effect, Scope } from "effect"
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
    const attempt = Effect.scopedWith((scope) =>
      Core.respond(core, core.transport, call, propagated).pipe(
        Effect.flatMap((response) => ApiResponse.failOnStatus(call, response)),
        Effect.flatMap((response) => Effect.map(response.bytes, (bytes) => ({ response, bytes }))),
        Effect.provideService(Scope.Scope, scope)
      )
    )
    return Attempts.run({ call, ...core, attempt, statusOf, discard: Effect.void }).pipe(
      Effect.flatMap((answer) => decode(call, request, answer)),
      Effect.catchAll((error) => Core.ownFailure(call, request, error))
    )
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

const statusOf = (answer: Answer): number => answer.response.status

const decode = <A>(
  call: Call.Call,
  request: ApiRequest.ApiRequest<A, unknown>,
  { bytes, response }: Answer
): Effect.Effect<ApiResponse.ApiResponse<A>, ApiError.ApiError> => {
  const { headers, status } = response
  const answered = (value: A): ApiResponse.ApiResponse<A> => ({
    value,
    status,
    headers,
    requestId: ApiResponse.requestId(call, headers),
    attempts: call.attempts
  })
  const body = { bytes, contentType: headers["content-type"] }
  return Effect.matchEffect(request.success.decode(body), {
    onSuccess: (value) => Effect.succeed(answered(value)),
    onFailure: (misfit) => {
      const error = misfitError(call, response, bytes, misfit)
      if (!call.config.lenient || misfit.parsed === undefined) return Effect.fail(error)
      const value = misfit.parsed.value as A
      return Effect.as(Telemetry.misfit(error), answered(value))
    }
  })
}

const misfitError = (
  call: Call.Call,
  response: ResponseBody.GuardedResponse,
  bytes: Uint8Array,
  misfit: ValueSchema.Misfit
): ApiError.ResponseValidationError => {
  const excerpt = ApiResponse.excerpt(call, new TextDecoder().decode(bytes.subarray(0, 64 * 1024)))
  const common = Call.common(
    call,
    `the answer (${response.status}) does not fit: ${misfit.reason}`,
    "maybe-applied"
  )
  return new ApiError.ResponseValidationError({
    ...common,
    attempts: call.attempts,
    status: response.status,
    requestId: ApiResponse.requestId(call, response.headers),
    reason: Call.redactor(call).text(misfit.reason),
    path: misfit.path,
    excerpt
  })
}
