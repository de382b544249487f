/**
 * What a client is made of, and the part of a call that all kinds of request share: from the request to the head of the
 * answer of one attempt.
 *
 * @since 0.1.0
 */

import type * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import type * as Tracer from "effect/Tracer"
import * as ApiConfig from "./ApiConfig.js"
import * as ApiError from "./ApiError.js"
import type * as ApiRequest from "./ApiRequest.js"
import * as ApiResponse from "./ApiResponse.js"
import type * as Attempts from "./Attempts.js"
import * as Call from "./Call.js"
import * as ClientHeaders from "./ClientHeaders.js"
import type * as Credentials from "./Credentials.js"
import type { InvalidInput } from "./internal/invalid.js"
import * as Ready from "./internal/ready.js"
import * as Middleware from "./Middleware.js"
import * as PlatformRequest from "./PlatformRequest.js"
import * as RequestEncoder from "./RequestEncoder.js"
import * as ResponseBody from "./ResponseBody.js"
import * as RetryPolicy from "./RetryPolicy.js"
import * as Telemetry from "./Telemetry.js"
import * as Timeouts from "./Timeouts.js"
import * as Transport from "./Transport.js"
import type * as TransportContract from "./TransportContract.js"
import * as TransportError from "./TransportError.js"

/**
 * What a client is made of. `withOptions` makes another on the same transport, credentials and budget; `problem` is a
 * setting of it that makes no sense.
 *
 * @since 0.1.0
 * @category models
 */
export interface Core {
  readonly config: ApiConfig.ApiConfig
  readonly transport: TransportContract.Transport
  readonly credentials: Credentials.Resolver
  readonly budget: RetryPolicy.Budget
  readonly standing: ClientHeaders.Standing
  readonly problem: InvalidInput | undefined
}

/**
 * A core from checked settings.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeCore = (
  config: ApiConfig.ApiConfig,
  client: HttpClient.HttpClient,
  init?: RequestInit
): Core => ({
  config,
  transport: Transport.make(client, init),
  credentials: config.credentials.make(),
  budget: RetryPolicy.makeBudget(config.retry.policy),
  standing: ClientHeaders.standing(config),
  problem: undefined
})

/**
 * A core with other settings on the same connections.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withOptions = (core: Core, options: Partial<ApiConfig.Options>): Core =>
  Either.match(ApiConfig.make(ApiConfig.merge(core.config.options, options)), {
    onLeft: ({ key, reason }) => ({ ...core, problem: { field: key, reason } }),
    onRight: (config) => ({
      ...core,
      config,
      credentials: options.credentials === undefined ? core.credentials : config.credentials.make(),
      standing: ClientHeaders.standing(config)
    })
  })

/**
 * Lays the request's settings over the client's, encodes it and goes on with the call. Nothing is sent before that.
 *
 * @since 0.1.0
 * @category running
 */
export const begin = <A, E, R>(
  core: Core,
  request: ApiRequest.Request,
  use: (call: Call.Call) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | ApiError.InvalidRequestError, R> => {
  const { config } = core
  return Effect.clockWith((clock) => {
    const { retry, timeouts } = request.options
    const refuse = (problem: InvalidInput) => Effect.fail(invalidRequest(config, request, problem))
    if (core.problem !== undefined) return refuse(core.problem)
    const limits =
      timeouts === undefined ? Either.right(config.timeouts) : Timeouts.merge(config.timeouts, timeouts)
    if (Either.isLeft(limits)) return refuse(limits.left)
    const resolved =
      retry === undefined ? Either.right(config.retry) : ApiConfig.resolveRetry(retry, config.retry.policy)
    if (Either.isLeft(resolved)) return refuse(resolved.left)
    const encoded = RequestEncoder.encode(request, config)
    const go = (encoded: RequestEncoder.Encoded): Effect.Effect<A, E, R> =>
      use(Call.make(request, config, limits.right, resolved.right, encoded, clock.unsafeCurrentTimeMillis()))
    if (!Ready.isReady(encoded)) return Effect.matchEffect(encoded, { onFailure: refuse, onSuccess: go })
    return Either.isRight(encoded) ? go(encoded.right) : refuse(encoded.left)
  })
}

const invalidRequest = (
  config: ApiConfig.ApiConfig,
  request: ApiRequest.Request,
  problem: InvalidInput
): ApiError.InvalidRequestError => {
  const shown = Call.makeRedactor(config, request)
  const reason = shown.text(problem.reason)
  const target = request.url ?? request.template
  const absolute = /^https?:\/\//i.test(target)
  return new ApiError.InvalidRequestError({
    message: `${problem.field} ${reason}`,
    request: {
      method: request.method,
      url: shown.url((absolute ? "" : config.base.prefix) + target.replace(/^\/+/, ""))
    },
    attempts: [],
    stoppedBy: "not-retryable",
    delivery: "not-sent",
    shouldRetry: undefined,
    field: problem.field,
    reason
  })
}

/**
 * The request without credentials and the headers of an attempt.
 *
 * @since 0.1.0
 * @category running
 */
export const prepared = (core: Core, call: Call.Call): HttpClientRequest.HttpClientRequest =>
  PlatformRequest.toHttp(call.encoded, core.standing(call.encoded))

/** The request as an attempt sends it; without credentials where there are none for it. */
const outgoing = (
  core: Core,
  call: Call.Call,
  credentials: Credentials.Resolved | undefined,
  span: Tracer.Span | undefined
): HttpClientRequest.HttpClientRequest => {
  const { encoded } = call
  const headers = core.standing(encoded, credentials)
  ClientHeaders.addAttempt(headers, call, span)
  return PlatformRequest.toHttp(encoded, headers)
}

/**
 * One attempt to the head of its answer: credentials, the headers of the attempt, middleware, transport.
 *
 * @since 0.1.0
 * @category running
 */
export const respond = <R>(
  core: Core,
  transport: TransportContract.Send<R>,
  call: Call.Call,
  span: Tracer.Span | undefined
): Effect.Effect<ResponseBody.GuardedResponse, ApiError.ApiError, R> =>
  Effect.flatMap(authorize(core, call), (credentials) => {
    const request = outgoing(core, call, credentials, span)
    const send = Middleware.compose(
      [...call.config.middleware, ...(call.request.options.middleware ?? [])],
      // The transport's own requirement is met where the attempt is run, not by every middleware.
      (request) => transport(call, request) as Effect.Effect<ResponseBody.GuardedResponse, ApiError.ApiError>
    )
    return send(request).pipe(
      Effect.matchEffect({
        onSuccess: (response) => Effect.succeed(guard(call, response)),
        onFailure: (error) =>
          !ApiError.isApiError(error) && TransportError.isStatusCode(error)
            ? // A middleware that refuses a status (`filterStatusOk`) still has the answer: the status check is ours.
              Effect.succeed(guard(call, error.response))
            : Effect.fail(
                sourceError(call) ?? (ApiError.isApiError(error) ? error : TransportError.from(call, error))
              )
      }),
      Effect.tapBoth({
        onFailure: (error) => Telemetry.attempted(call, request.headers, error),
        onSuccess: (response) => Telemetry.attempted(call, request.headers, response)
      })
    )
  })

/**
 * One whole attempt in a single wait, inside of `uninterruptibleMask`, where nothing but the transport has a part in it: the
 * credentials are known, no middleware stands in between, nobody listens at debug. `undefined` where that is not so.
 *
 * @since 0.1.0
 * @category running
 */
export const respondDirectly = (
  core: Core,
  call: Call.Call,
  span: Tracer.Span | undefined,
  fiber: Fiber.RuntimeFiber<unknown, unknown>
): Attempts.Attempt<ResponseBody.GuardedResponse> | undefined => {
  const { direct } = core.transport
  const { config, encoded, issued, request } = call
  if (direct === undefined || encoded.body._tag === "Stream") return undefined
  if (config.middleware.length > 0 || request.options.middleware !== undefined) return undefined
  const { resolve } = core.credentials
  if (!Ready.isReady(resolve) || Either.isLeft(resolve) || Telemetry.isDebugged(fiber)) return undefined
  const credentials = encoded.trusted ? resolve.right : undefined
  return (restore) => {
    if (credentials !== undefined) issued.push(credentials)
    const sent = outgoing(core, call, credentials, span)
    return Effect.flatMap(direct.send(call, sent, restore), (response) =>
      ApiResponse.isSuccess(response.status)
        ? Effect.succeed(response)
        : restore(direct.onward(call, sent, response))
    )
  }
}

/** A streamed body's own failure reaches us as a broken transport: the cause is the caller's, and so is the error. */
const sourceError = (call: Call.Call): ApiError.InvalidRequestError | undefined => {
  const failure = call.encoded.sourceFailure()
  if (failure === undefined) return undefined
  const { message } = TransportError.findCode(failure)
  return TransportError.invalidRequest(
    call,
    call.request.options.bodyStream === undefined ? "multipart" : "bodyStream",
    `failed while it was sent: ${message || String(failure)}`,
    // The part before it may have arrived.
    "maybe-applied"
  )
}

/** A middleware may answer with a response of its own. */
const guard = (
  call: Call.Call,
  response: HttpClientResponse.HttpClientResponse
): ResponseBody.GuardedResponse =>
  response instanceof ResponseBody.GuardedResponse ? response : ResponseBody.fromPlatform(call, response)

const authorize = (
  core: Core,
  call: Call.Call
): Effect.Effect<Credentials.Resolved | undefined, ApiError.CredentialsError> =>
  call.encoded.trusted
    ? Effect.mapBoth(core.credentials.resolve, {
        onSuccess: (resolved) => {
          call.issued.push(resolved)
          return resolved
        },
        onFailure: ({ reason, retryable, retryAfter }) => {
          const common = Call.common(call, `no credentials: ${reason}`, "not-sent")
          return new ApiError.CredentialsError({
            ...common,
            // A token fetch runs a single attempt inside this loop, which retries it where that may help.
            shouldRetry: retryable ? true : undefined,
            reason: common.message,
            retryAfter
          })
        }
      })
    : Effect.succeed(undefined)

/**
 * The caller's own error for a status, if the body fits it; else the error as it is.
 *
 * @since 0.1.0
 * @category running
 */
export const ownFailure = <E>(
  call: Call.Call,
  request: Pick<ApiRequest.Request<E>, "failure">,
  error: ApiError.ApiError
): Effect.Effect<never, ApiError.ApiError | E> => {
  const decoder = ApiError.isStatusError(error) ? request.failure[error.status] : undefined
  if (decoder === undefined || call.refused === undefined || !("status" in error)) return Effect.fail(error)
  if (call.refused.status !== error.status) return Effect.fail(error)
  return Effect.matchEffect(decoder.decode(call.refused.body), {
    onSuccess: (own) => Effect.fail(own),
    onFailure: () => Effect.fail(error)
  })
}
