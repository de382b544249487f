/**
 * The life of a request for one value: encode, then attempts (credentials, middleware, transport, status, body), then decode.
 */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import type * as Tracer from "effect/Tracer"
import * as Sync from "../effect/sync.js"
import * as TimeLimits from "../effect/timeLimits.js"
import type * as ApiError from "../errors/ApiError.js"
import type * as ApiRequest from "../request/ApiRequest.js"
import type * as Call from "../request/Call.js"
import * as CallError from "../request/CallError.js"
import type * as RequestOptions from "../request/RequestOptions.js"
import * as ResponseError from "../request/ResponseError.js"
import * as StatusError from "../request/StatusError.js"
import * as TransportError from "../request/TransportError.js"
import * as UnsentError from "../request/UnsentError.js"
import type * as ApiSchema from "../response/ApiSchema.js"
import * as ResponseDecoder from "../response/ResponseDecoder.js"
import * as Attempts from "../retry/Attempts.js"
import { owned } from "../shared/bytes.js"
import { invalid } from "../shared/invalid.js"
import * as Telemetry from "../telemetry/Telemetry.js"
import type * as GuardedResponse from "../transport/GuardedResponse.js"
import { codingsOf } from "../wire/codings.js"
import type * as Headers from "../wire/headers.js"
import type * as Query from "../wire/query.js"
import * as ApiResponse from "./ApiResponse.js"
import * as Attempt from "./Attempt.js"
import * as Core from "./Core.js"

/** A method without a body: template and options in, value out. */
export type Verb<R = never> = <
  const Template extends string,
  S extends ResponseDecoder.Decodable = RequestOptions.Unchecked,
  F extends RequestOptions.Failures = {},
  Q extends RequestOptions.QueryOf<Q> = Query.QueryInput,
  H extends RequestOptions.HeadersOf<H> = Headers.HeadersInput
>(
  template: Template,
  ...args: RequestOptions.RequestArguments<Template, RequestOptions.Options<S, F, Q, H>>
) => Effect.Effect<ResponseDecoder.Type<S>, ApiError.ApiError | RequestOptions.Failure<F>, R>

/** A method that may have a body: template and options in, value out. */
export type VerbWithBody<R = never> = <
  const Template extends string,
  S extends ResponseDecoder.Decodable = RequestOptions.Unchecked,
  F extends RequestOptions.Failures = {},
  B = unknown,
  I = unknown,
  Q extends RequestOptions.QueryOf<Q> = Query.QueryInput,
  H extends RequestOptions.HeadersOf<H> = Headers.HeadersInput,
  P extends RequestOptions.QueryOf<P> = Query.QueryInput
>(
  template: Template,
  ...args: RequestOptions.RequestArguments<Template, RequestOptions.BodyOptions<S, F, B, I, Q, H, P>>
) => Effect.Effect<ResponseDecoder.Type<S>, ApiError.ApiError | RequestOptions.Failure<F>, R>

/** What a call gives: the value alone, or with what came around it. */
export type Project<A, B> = (call: Call.Call, response: GuardedResponse.GuardedResponse, value: A) => B

/** Runs a request to its value. */
export const execute = <A, E>(
  core: Core.Core,
  request: ApiRequest.ApiRequest<A, E>
): Effect.Effect<A, ApiError.ApiError | E> =>
  Core.begin(core, request, (call, core) => run(core, call, request, valueAlone<A>))

/** Runs a request to its value with status, headers, request id and attempts. */
export const executeWithResponse = <A, E>(
  core: Core.Core,
  request: ApiRequest.ApiRequest<A, E>
): Effect.Effect<ApiResponse.ApiResponse<A>, ApiError.ApiError | E> =>
  Core.begin(core, request, (call, core) => run(core, call, request, withResponse<A>))

/** Runs a call that has begun. */
export const run = <A, E, B>(
  core: Core.Core,
  call: Call.Call,
  request: ApiRequest.ApiRequest<A, E>,
  give: Project<A, B>
): Effect.Effect<B, ApiError.ApiError | E> =>
  Telemetry.withSpan(call, (propagated, fiber) => {
    const { open } = request.success
    const answer =
      open === undefined
        ? Effect.flatMap(
            Attempts.run(call, core.attempts, bufferedAttempt(core, call, propagated, fiber)),
            (answer) => decode(call, request, answer, give)
          )
        : Effect.map(
            Attempts.run(call, core.attempts, streamingAttempt(core, call, propagated), leftovers),
            (response) =>
              give(
                call,
                response,
                open({
                  chunks: response.guardedChunks,
                  total: lengthOf(response),
                  failAfterResponse: (error) => Attempts.failAfterResponse(call, error),
                  leave: response.leave
                })
              )
          )
    return hasFailures(request)
      ? Effect.catchAll(answer, (error) => Core.ownFailure(call, request, error))
      : answer
  })

const hasFailures = ({ failure }: ApiRequest.Request): boolean => {
  for (const _ in failure) return true
  return false
}

const leftovers: Attempts.Leftovers<GuardedResponse.GuardedResponse> = {
  abandon: (response) => response.leave()
}

/** One attempt to the end of the body: a reset on the way there is a failure like any other, and retried. */
const bufferedAttempt = (
  core: Core.Core,
  call: Call.Call,
  span: Tracer.Span | undefined,
  fiber: Fiber.RuntimeFiber<unknown, unknown>
): Attempts.Attempt<BufferedResponse> => {
  const read = (
    response: GuardedResponse.GuardedResponse
  ): Effect.Effect<BufferedResponse, ApiError.ApiError> =>
    StatusError.isFailure(call, response.status)
      ? ApiResponse.fail(call, response)
      : Effect.map(response.bytes, (bytes) => new BufferedResponse(response, bytes))
  const directly = Attempt.respondDirectly(core, call, span, fiber)
  if (directly === undefined) {
    return Attempts.guarded(Effect.flatMap(Attempt.respond(core, core.transport.buffered, call, span), read))
  }
  return (restore) => Effect.flatMap(directly(restore), read)
}

/** One attempt to the headers: the body is the caller's to read. */
const streamingAttempt = (core: Core.Core, call: Call.Call, span: Tracer.Span | undefined) =>
  Attempts.guarded(
    Attempt.respond(core, core.transport.streamingUnscoped, call, span).pipe(
      Effect.flatMap((response) => ApiResponse.failOnStatus(call, response))
    )
  )

const lengthOf = (response: GuardedResponse.GuardedResponse): number | undefined => {
  const { "content-encoding": encoding, "content-length": length } = response.headers
  // Behind an encoding the header counts other bytes than the reader does.
  const isPlain = codingsOf(encoding).length === 0
  return isPlain && length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined
}

const valueAlone = <A>(_call: Call.Call, _response: GuardedResponse.GuardedResponse, value: A): A => value

/** The value with what came around it. */
export const withResponse = <A>(
  call: Call.Call,
  { headers, status }: GuardedResponse.GuardedResponse,
  value: A
): ApiResponse.ApiResponse<A> => ({
  value,
  status,
  headers,
  requestId: CallError.requestId(call, headers),
  attempts: call.attempts
})

/** The request as it would be sent, but for credentials and the headers of an attempt. */
export const prepare = (
  core: Core.Core,
  request: ApiRequest.Request
): Effect.Effect<HttpClientRequest.HttpClientRequest, ApiError.InvalidRequestError> =>
  Effect.mapError(
    Core.begin(core, request, (call, core) => Effect.succeed(Core.prepared(core, call))),
    (error) =>
      error._tag === "InvalidRequestError"
        ? error
        : UnsentError.invalidRequest(
            core.config,
            request,
            invalid("timeouts.total", "passed while it was encoded")
          )
  )

/** An answer for a decoder; few of them look at the headers, which are parsed where somebody does. */
class BufferedResponse implements ResponseDecoder.Body {
  readonly response: GuardedResponse.GuardedResponse
  readonly view: Uint8Array

  constructor(response: GuardedResponse.GuardedResponse, view: Uint8Array) {
    this.response = response
    this.view = view
  }

  get status(): number {
    return this.response.status
  }

  /** Copied for those who ask for it: text is decoded from the view. */
  get bytes(): Uint8Array {
    return owned(this.view)
  }

  get contentType(): string | undefined {
    return this.response.headers["content-type"]
  }
}

const decode = <A, B>(
  call: Call.Call,
  request: ApiRequest.ApiRequest<A, unknown>,
  answer: BufferedResponse,
  give: Project<A, B>
): Effect.Effect<B, ApiError.ApiError> => {
  const { response, view: bytes } = answer
  const onSuccess = (value: A): Effect.Effect<B> => Effect.succeed(give(call, response, value))
  const onFailure = (misfit: ApiSchema.DecodeFailure): Effect.Effect<B, ApiError.ApiError> => {
    const error = ResponseError.undecodable(call, response, bytes, misfit)
    if (!call.config.lenient || misfit.parsed === undefined) return Effect.fail(error)
    const value = misfit.parsed.value as A
    return Effect.as(Telemetry.decodeFailure(error), give(call, response, value))
  }
  const decoded = ResponseDecoder.run(request.success, answer)
  if (!Sync.isSync(decoded)) {
    const hung = Effect.suspend(() =>
      Attempts.failAfterResponse(call, TransportError.timeout(call, "total", call.timeouts.total))
    )
    const settled = TimeLimits.withinDeadline(call, Effect.either(decoded), hung)
    return Effect.flatMap(settled, Either.match({ onLeft: onFailure, onRight: onSuccess }))
  }
  return Either.isRight(decoded) ? onSuccess(decoded.right) : onFailure(decoded.left)
}
