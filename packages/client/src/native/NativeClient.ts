/**
 * An `HttpClient` that carries a native transport, and one attempt over it: a single wait, without fibers that race a
 * clock.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type * as Core from "../client/Core.js"
import * as FastAttempt from "../client/FastAttempt.js"
import type * as ApiError from "../errors/ApiError.js"
import * as Call from "../request/Call.js"
import * as TransportError from "../request/TransportError.js"
import { quickDecoder } from "../response/schemaDecoder.js"
import * as GuardedResponse from "../transport/GuardedResponse.js"
import * as NativeExchange from "../transport/NativeExchange.js"
import * as Opened from "../transport/Opened.js"
import * as PlatformRequest from "../transport/PlatformRequest.js"
import * as Transport from "../transport/Transport.js"
import type * as TransportContract from "../transport/TransportContract.js"
import * as Unread from "../transport/unread.js"
import { blobOf } from "../wire/wholeBody.js"

const asItIs: TransportContract.Adapt = (send) => send

/**
 * The same `HttpClient`, carrying a native transport: the client sends whole exchanges through it.
 *
 * @since 0.1.0
 * @category combinators
 */
export const attach = (
  client: HttpClient.HttpClient,
  native: NativeExchange.NativeTransport
): HttpClient.HttpClient => attachWith(client, native, asItIs, true)

/**
 * `attach` with a change to requests: `adapt` makes them fit the transport; with `isDirect` one whose body does not stream
 * needs none of that. The code that sends is attached too, so that a program without a native transport does not bundle it.
 */
export const attachWith = (
  client: HttpClient.HttpClient,
  native: NativeExchange.NativeTransport,
  adapt: TransportContract.Adapt,
  isDirect: boolean
): HttpClient.HttpClient =>
  Object.assign(Object.create(Object.getPrototypeOf(client)), client, {
    [NativeExchange.TypeId]: over(native, adapt, isDirect)
  })

/** A form with files, which is complete: it needs no stream. */
const asBlob: TransportContract.Adapt = (send) => (call, request) => {
  const { body } = request
  const blob = body._tag === "Stream" ? blobOf(body) : undefined
  return send(call, blob === undefined ? request : PlatformRequest.withBlob(request, blob))
}

const over = (
  native: NativeExchange.NativeTransport,
  adaptTo: TransportContract.Adapt,
  isDirect: boolean
): Core.Transport => {
  const adapt: TransportContract.Adapt =
    native.takesStreams === true ? (send) => adaptTo(asBlob(send)) : adaptTo
  const limits = native.setsLimits ? "call" : "transport"
  const failed = (call: Call.Call, cause: unknown): ApiError.ApiError =>
    TransportError.fromCause(call, cause, limits)

  const opening =
    (owned: boolean, onAbortable: (abort: NativeExchange.Abort) => void): TransportContract.Send<never> =>
    (call, request) =>
      Effect.matchEffect(
        NativeExchange.awaiting<NativeExchange.Source>(
          PlatformRequest.withWholeUrl(request),
          (request, listener) => {
            const abort = native.open(request, call.timeouts, owned, listener)
            onAbortable(abort)
            return abort
          },
          native.takesStreams
        ),
        {
          onFailure: (cause) => Effect.fail(failed(call, cause)),
          onSuccess: (source) =>
            Effect.succeed(new GuardedResponse.GuardedResponse(call, request, source, limits))
        }
      )

  /** The transport ends a body that nobody begins to read within the idle limit; the deadline is ours to enforce. */
  const streamingUnscoped: TransportContract.Send<never> = (call, request) =>
    Effect.suspend(() => {
      let abort: NativeExchange.Abort = Unread.nothing
      const opened = opening(false, (begun) => {
        abort = begun
      })(call, request)
      return Effect.flatMap(opened, (response) => {
        const { deadline, permit, timeouts } = call
        if (deadline === Number.POSITIVE_INFINITY && permit === undefined)
          return Effect.succeed(response.keptBy(new Held(abort)))
        // A permit must come back when the idle limit passes, and the transport reports that to readers alone.
        const idle = permit === undefined ? Number.POSITIVE_INFINITY : timeouts.idle
        return Opened.kept(call, response, Effect.sync(abort), idle)
      })
    })

  const buffered: TransportContract.Send<never> = (call, request) =>
    NativeExchange.withTakenBody(PlatformRequest.withWholeUrl(request), native.takesStreams, (request) =>
      Effect.uninterruptibleMask((restore) =>
        NativeExchange.wait(new Exchange(native, limits, call, request, Number.POSITIVE_INFINITY), restore, {
          onSuccess: Effect.succeed,
          onFailure: Effect.failCause
        })
      )
    )

  return {
    decoderOf: quickDecoder,
    secrets: native.secrets,
    buffered: adapt(Transport.leaving(buffered)),
    attempt: isDirect
      ? FastAttempt.over((call, request, left, restore, next) =>
          NativeExchange.wait(new Exchange(native, limits, call, request, left), restore, next)
        )
      : undefined,
    opened: {
      streamingUnscoped: adapt(Opened.leavingBroken(streamingUnscoped)),
      streaming: (scope) =>
        adapt(
          Opened.leavingBroken((call, request) => {
            let abort: NativeExchange.Abort | undefined
            return Effect.zipRight(
              Scope.addFinalizer(
                scope,
                Effect.sync(() => abort?.())
              ),
              opening(true, (begun) => {
                abort = begun
              })(call, request)
            )
          })
        )
    }
  }
}

/** A body that its transport keeps open. */
class Held implements Unread.Keeper {
  readonly expired = false
  /** The transport itself reports that. */
  readonly isLeft = false
  readonly leave: () => void

  constructor(abort: NativeExchange.Abort) {
    this.leave = abort
  }

  start(): void {}
}

const capOf =
  (call: Call.Call) =>
  (status: number): number => {
    const { errorBytes, responseBytes } = call.config.limits
    return Call.isFailure(call, status) ? errorBytes : responseBytes
  }

/** One exchange of a call. */
class Exchange
  implements
    NativeExchange.Pending<NativeExchange.Exchanged, GuardedResponse.GuardedResponse, ApiError.ApiError>
{
  private readonly native: NativeExchange.NativeTransport
  private readonly limits: "call" | "transport"
  private readonly call: Call.Call
  private readonly request: HttpClientRequest.HttpClientRequest
  readonly left: number

  constructor(
    native: NativeExchange.NativeTransport,
    limits: "call" | "transport",
    call: Call.Call,
    request: HttpClientRequest.HttpClientRequest,
    left: number
  ) {
    this.native = native
    this.limits = limits
    this.call = call
    this.request = request
    this.left = left
  }

  begin(listener: NativeExchange.Listener<NativeExchange.Exchanged>): NativeExchange.Abort {
    const { call, native, request } = this
    return native.exchange(request, call.timeouts, capOf(call), listener)
  }

  onResponse(
    read: NativeExchange.Exchanged
  ): Effect.Effect<GuardedResponse.GuardedResponse, ApiError.ApiError> {
    return Effect.succeed(
      new GuardedResponse.GuardedResponse(this.call, this.request, read.source, this.limits, read)
    )
  }

  failure(cause: unknown): ApiError.ApiError {
    return TransportError.fromCause(this.call, cause, this.limits)
  }

  late(): ApiError.ApiError {
    return TransportError.timeout(this.call, "total", this.call.timeouts.total)
  }
}
