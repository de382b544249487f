/** A client as a plain `HttpClient` of `@effect/platform`, for libraries that build on one. */
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Fibers from "../effect/fibers.js"
import { scopeSignal } from "../effect/platformClients.js"
import { type PlatformError, type RequestFailure, requestFailure } from "../effect/platformErrors.js"
import * as TimeLimits from "../effect/timeLimits.js"
import * as ApiError from "../errors/ApiError.js"
import * as StatusTag from "../errors/StatusTag.js"
import * as Call from "../request/Call.js"
import * as RequestEncoder from "../request/RequestEncoder.js"
import * as RequestChanges from "../request/requestChanges.js"
import * as UnsentError from "../request/UnsentError.js"
import * as Attempts from "../retry/Attempts.js"
import type { InvalidInput } from "../shared/invalid.js"
import * as Telemetry from "../telemetry/Telemetry.js"
import type * as GuardedResponse from "../transport/GuardedResponse.js"
import * as Opened from "../transport/Opened.js"
import * as Attempt from "./Attempt.js"
import type * as Core from "./Core.js"
import * as StatusCheck from "./StatusCheck.js"

/**
 * An `HttpClient` that sends with the core's credentials, retries, limits and telemetry. Once the retries are spent,
 * a response comes back whatever its status. Any other failure is a `RequestError` whose cause is the tagged error.
 */
export const make = (core: Core.Core): HttpClient.HttpClient => {
  return HttpClient.makeWith<never, never, PlatformError, never>(
    (request) => Effect.flatMap(request, (request) => inScope(request, run(core, request))),
    Effect.succeed
  )
}

/** When the scope closes, the call ends, and so does the body of its response. */
const inScope = (
  request: HttpClientRequest.HttpClientRequest,
  sent: Effect.Effect<GuardedResponse.GuardedResponse, PlatformError>
): Effect.Effect<GuardedResponse.GuardedResponse, PlatformError> => {
  const signal = scopeSignal(request)
  if (signal === undefined) return sent
  const closed = Effect.async<void>((resume) => {
    if (signal.aborted) return resume(Effect.void)
    signal.addEventListener("abort", () => resume(Effect.void), { once: true })
  })
  const failed = Effect.failSync(() => requestFailure(request, "Transport", "The scope was closed"))
  return Effect.tap(TimeLimits.until(sent, closed, failed, leave), (response) =>
    Effect.sync(() => {
      if (signal.aborted) leave(response)
      else signal.addEventListener("abort", () => leave(response), { once: true })
    })
  )
}

const leave = (response: GuardedResponse.GuardedResponse): void => response.leave()

const run = (
  core: Core.Core,
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<GuardedResponse.GuardedResponse, PlatformError> =>
  Effect.flatMap(begin(core, request), (call) =>
    Effect.map(
      Effect.mapError(respond(core, call), (error) => requestError(request, error)),
      (response) => response.answering(request)
    )
  )

/**
 * Runs a call to its response, whatever its status, once the retries are spent. The body is open. A status error that
 * `rejects` takes fails instead.
 */
export const respond = (
  core: Core.Core,
  call: Call.Call,
  rejects: (error: ApiError.StatusError) => boolean = never
): Effect.Effect<GuardedResponse.GuardedResponse, ApiError.ApiError> =>
  Fibers.withFiber((fiber) => {
    // The last response with an error status, its body unread. The caller gets it if no further attempt is made.
    let last: GuardedResponse.GuardedResponse | undefined
    const discard = Effect.suspend(() => {
      const discarded = last
      last = undefined
      return discarded === undefined
        ? Effect.void
        : Effect.asVoid(discarded.salvage(core.config.limits.errorBytes))
    })
    return Telemetry.withSpan(call, fiber, (propagated) => {
      const attempt = Attempt.respond(
        core,
        Opened.of(core.transport).streamingUnscoped,
        call,
        propagated
      ).pipe(
        Effect.flatMap((response) => {
          last = response
          return StatusTag.isSuccess(response.status)
            ? Effect.succeed(response)
            : StatusCheck.failUnread(call, response)
        })
      )
      return Attempts.run(call, core.attempts, Attempts.guarded(attempt, true), { discard, abandon: leave })
    }).pipe(
      // The response of an attempt that failed waits for its refresh, its delay or its schedule.
      Effect.onInterrupt(() => Effect.sync(() => last?.leave())),
      // Outside the span: there an error status is an error.
      Effect.catchAll((error) =>
        last !== undefined && ApiError.isStatusError(error) && !rejects(error)
          ? Effect.succeed(last)
          : Effect.zipRight(discard, Effect.fail(error))
      )
    )
  })

const never = (): boolean => false

const requestError = (
  request: HttpClientRequest.HttpClientRequest,
  error: ApiError.ApiError
): RequestFailure => requestFailure(request, reasonOf(error), error.message, error)

const reasonOf = (error: ApiError.ApiError): "InvalidUrl" | "Encode" | "Transport" => {
  if (error._tag !== "InvalidRequestError") return "Transport"
  return ofUrl.test(error.field) ? "InvalidUrl" : "Encode"
}

const ofUrl = /^(?:url|path|query|baseUrl)\b/

/** Makes a call of a platform request: joined to the base URL, over the client's own query and headers. */
const begin = (
  core: Core.Core,
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<Call.Call, RequestFailure> => {
  const { config, problem } = core
  const refuse = (problem: InvalidInput) => {
    const bare = RequestChanges.fromUrl(request.method, request.url, request.urlParams)
    return Effect.fail(requestError(request, UnsentError.invalidRequest(config, bare, problem)))
  }
  if (problem !== undefined) return refuse(problem)
  const encoded = RequestEncoder.fromHttpClientRequest(request, config)
  if (!encoded.ok) return refuse(encoded.error)
  return Effect.map(Effect.clock, (clock) =>
    Call.make(
      RequestChanges.fromUrl(request.method, encoded.value.url, request.urlParams),
      config,
      config.timeouts,
      config.retry,
      encoded.value,
      clock
    )
  )
}
