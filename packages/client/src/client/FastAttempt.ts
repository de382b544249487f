/** An attempt in a single wait. A native transport carries it, so that a program without one does not bundle it. */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Tracer from "effect/Tracer"
import * as Resolver from "../credentials/resolver.js"
import * as Fibers from "../effect/fibers.js"
import * as Monotonic from "../effect/monotonic.js"
import * as Sync from "../effect/sync.js"
import * as TimeLimits from "../effect/timeLimits.js"
import type * as ApiError from "../errors/ApiError.js"
import * as Call from "../request/Call.js"
import * as TransportError from "../request/TransportError.js"
import * as Attempts from "../retry/Attempts.js"
import * as Deprecation from "../telemetry/deprecation.js"
import type * as GuardedResponse from "../transport/GuardedResponse.js"
import type * as NativeExchange from "../transport/NativeExchange.js"
import * as PlatformRequest from "../transport/PlatformRequest.js"
import * as Redirects from "../transport/Redirects.js"
import type * as TransportContract from "../transport/TransportContract.js"
import * as Attempt from "./Attempt.js"
import type * as Core from "./Core.js"
import * as Hop from "./Hop.js"

/**
 * Sends a request without a streamed body, waits for the response and goes on with `next`, inside `uninterruptibleMask`. After
 * `left` milliseconds of the system's clock it fails by the call's deadline, even where nothing can be interrupted.
 */
export type Send = <A, R>(
  call: Call.Call,
  request: HttpClientRequest.HttpClientRequest,
  left: number,
  restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>,
  next: NativeExchange.Next<GuardedResponse.GuardedResponse, ApiError.ApiError, A, R>
) => Effect.Effect<A, ApiError.ApiError, R>

/**
 * An attempt in a single wait, if the transport does all the waiting: the credentials are known and sign nothing, middleware
 * changes the request at most, and nobody logs at debug level. `undefined` if that is out of the question.
 */
export const over =
  (send: Send): Core.Swift =>
  (core, call, span, fiber) => {
    if (call.encoded.body._tag === "Stream") return undefined
    const clock = Fibers.clockOf(fiber)
    const known = Resolver.ready(core.credentials, clock)
    if (known === undefined || known.sign !== undefined || Fibers.isDebugged(fiber)) return undefined
    return new FastAttempt(core, call, span, fiber, clock, send)
  }

class FastAttempt implements Attempts.Attempt<Core.Received> {
  readonly isPunctual: boolean
  /** Nobody but the transport takes part. */
  private readonly isAlone: boolean
  private readonly core: Core.Core
  private readonly call: Call.Call
  private readonly span: Tracer.Span | undefined
  private readonly fiber: Fibers.AnyFiber
  private readonly clock: Clock.Clock
  private readonly send: Send

  constructor(
    core: Core.Core,
    call: Call.Call,
    span: Tracer.Span | undefined,
    fiber: Fibers.AnyFiber,
    clock: Clock.Clock,
    send: Send
  ) {
    this.core = core
    this.call = call
    this.span = span
    this.fiber = fiber
    this.clock = clock
    this.send = send
    this.isAlone = call.middleware.length === 0
    // The transport counts on the system's clock.
    this.isPunctual =
      this.isAlone && (call.deadline === Number.POSITIVE_INFINITY || Monotonic.isSystem(clock))
  }

  run<B, R>(
    restore: Attempts.Restore,
    settle: Attempts.Settle<Core.Received, B, R>
  ): Effect.Effect<B, ApiError.ApiError, R> {
    const { call, clock, core, send, span } = this
    // Those of the attempt before may have been refused, or have expired.
    const credentials = Resolver.ready(core.credentials, clock)
    if (credentials === undefined || credentials.sign !== undefined) {
      const response = this.slowly(Attempt.respond(core, core.transport.buffered, call, span), restore)
      return Attempts.settled(
        Effect.flatMap(response, (response) => Attempt.read(core, call, response)),
        settle
      )
    }
    const request = Hop.outgoing(core, call, credentials, span)
    const left = this.isPunctual ? TimeLimits.millisLeft(call, clock) : Number.POSITIVE_INFINITY
    const next = new AfterExchange(this, restore, settle)
    return this.isAlone
      ? send(call, Redirects.outgoing(call, request), left, restore, next)
      : throughMiddleware(call, request, core.transport.buffered, send, restore, next)
  }

  /** What a transport of the program's own throws is the end of the attempt, as it is wherever an effect runs it. */
  received(
    response: GuardedResponse.GuardedResponse,
    restore: Attempts.Restore
  ): Effect.Effect<Core.Received, ApiError.ApiError> {
    try {
      return this.receive(response, restore)
    } catch (defect) {
      return Effect.die(defect)
    }
  }

  private receive(
    response: GuardedResponse.GuardedResponse,
    restore: Attempts.Restore
  ): Effect.Effect<Core.Received, ApiError.ApiError> {
    const { call, core, fiber, span } = this
    core.permits?.arrived(call, response, fiber)
    const notice = Deprecation.noticed(core.warned, call, response)
    const received = Call.isFailure(call, response.status)
      ? Effect.flatMap(
          this.slowly(Attempt.followed(core, core.transport.buffered, call, span, response), restore),
          (response) => Attempt.read(core, call, response)
        )
      : Attempt.read(core, call, response)
    return notice === undefined ? received : Effect.zipRight(notice, received)
  }

  private slowly(
    effect: Effect.Effect<GuardedResponse.GuardedResponse, ApiError.ApiError>,
    restore: Attempts.Restore
  ): Effect.Effect<GuardedResponse.GuardedResponse, ApiError.ApiError> {
    const attempt = Attempts.marked(effect, restore)
    return this.isPunctual ? TimeLimits.withinDeadline(this.call, attempt, passed(this.call)) : attempt
  }
}

/** Goes on with the response. A class, since it lives as long as its call (see `Call.make`). */
class AfterExchange<B, R>
  implements NativeExchange.Next<GuardedResponse.GuardedResponse, ApiError.ApiError, B, R>
{
  private readonly attempt: FastAttempt
  private readonly restore: Attempts.Restore
  private readonly settle: Attempts.Settle<Core.Received, B, R>

  constructor(attempt: FastAttempt, restore: Attempts.Restore, settle: Attempts.Settle<Core.Received, B, R>) {
    this.attempt = attempt
    this.restore = restore
    this.settle = settle
  }

  onSuccess(response: GuardedResponse.GuardedResponse): Effect.Effect<B, ApiError.ApiError, R> {
    const received = this.attempt.received(response, this.restore)
    // Most are here: no step of the fiber.
    return Sync.isSync(received) && received._tag === "Success"
      ? this.settle.onSuccess(received.value)
      : Attempts.settled(received, this.settle)
  }

  onFailure(cause: Cause.Cause<ApiError.ApiError>): Effect.Effect<B, ApiError.ApiError, R> {
    return this.settle.onFailure(cause)
  }
}

const passed = (call: Call.Call): Effect.Effect<never, ApiError.TimeoutError> =>
  Effect.failSync(() => TransportError.timeout(call, "total", call.timeouts.total))

/**
 * Sends a request of known headers through the call's middleware, inside `uninterruptibleMask`. Middleware that does nothing but
 * change the request returns what its `next` returned: there is nothing to run but the transport, in a single wait.
 */
const throughMiddleware = <A, R>(
  call: Call.Call,
  request: HttpClientRequest.HttpClientRequest,
  buffered: TransportContract.Send<never>,
  fast: Send,
  restore: Fibers.Restore,
  next: Attempts.Settle<GuardedResponse.GuardedResponse, A, R>
): Effect.Effect<A, ApiError.ApiError, R> => {
  let last: HttpClientRequest.HttpClientRequest | undefined
  let waiting: unknown
  const send: TransportContract.Send<never> = (call, sent) => {
    const effect = buffered(call, sent)
    last = sent
    waiting = effect
    return effect
  }
  return Effect.matchCauseEffect(
    Effect.sync(() => Hop.through(call, request, send)),
    {
      onFailure: (cause) => next.onFailure(cause),
      onSuccess: (responding) =>
        responding === waiting && last !== undefined && last.body._tag !== "Stream"
          ? fast(call, PlatformRequest.withWholeUrl(last), Number.POSITIVE_INFINITY, restore, next)
          : Attempts.settled(Attempts.marked(Hop.settled(call, responding), restore), next)
    }
  )
}
