/**
 * One attempt of a call: a hop, and another for each redirect that is followed, up to the response headers. Then the status
 * check, and the body if the decoder takes it whole.
 */
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
import type * as ResponseDecoder from "../response/ResponseDecoder.js"
import { isOpen } from "../response/statusDecoder.js"
import { WholeBody } from "../response/WholeBody.js"
import * as Attempts from "../retry/Attempts.js"
import * as Deprecation from "../telemetry/deprecation.js"
import type * as GuardedResponse from "../transport/GuardedResponse.js"
import type * as NativeExchange from "../transport/NativeExchange.js"
import * as Redirects from "../transport/Redirects.js"
import type * as TransportContract from "../transport/TransportContract.js"
import type * as Core from "./Core.js"
import * as Hop from "./Hop.js"
import * as StatusCheck from "./StatusCheck.js"

/** A response for its decoder. */
export type Received = WholeBody<GuardedResponse.GuardedResponse>

const streamed = new Uint8Array(0)

/** One attempt for a decoder. A connection reset within a body that is read whole is retried like any other failure. */
export const make = (
  core: Core.Core,
  call: Call.Call,
  decoder: ResponseDecoder.ResponseDecoder<unknown>,
  span: Tracer.Span | undefined,
  fiber: Fibers.AnyFiber
): Attempts.Attempt<Received> => {
  const { transport } = core
  if (decoder.open !== undefined) {
    const response = Effect.flatMap(respond(core, transport.streamingUnscoped, call, span), (response) =>
      StatusCheck.check(call, response)
    )
    return Attempts.guarded(
      Effect.flatMap(response, (response) =>
        isOpen(decoder, response.status)
          ? Effect.succeed(new WholeBody(response, streamed))
          : Effect.map(response.bytes, (bytes) => new WholeBody(response, bytes))
      ),
      true
    )
  }
  const fast = fastPath(core, call, span, fiber)
  return (
    fast ??
    Attempts.guarded(
      Effect.flatMap(respond(core, transport.buffered, call, span), (response) => read(core, call, response))
    )
  )
}

/** The whole body of a success, or the error of any other response. */
const read = (
  { transport }: Core.Core,
  call: Call.Call,
  response: GuardedResponse.GuardedResponse
): Effect.Effect<Received, ApiError.ApiError> =>
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
const followed = (
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

/**
 * The same in a single wait, if the transport does all the waiting: the credentials are known and sign nothing, middleware
 * changes the request at most, and nobody logs at debug level. `undefined` if that is out of the question.
 */
const fastPath = (
  core: Core.Core,
  call: Call.Call,
  span: Tracer.Span | undefined,
  fiber: Fibers.AnyFiber
): Attempts.Attempt<Received> | undefined => {
  const { fastPath: send } = core.transport
  if (send === undefined || call.encoded.body._tag === "Stream") return undefined
  const clock = Fibers.clockOf(fiber)
  const known = Resolver.ready(core.credentials, clock)
  if (known === undefined || known.sign !== undefined || Fibers.isDebugged(fiber)) return undefined
  return new FastAttempt(core, call, span, fiber, clock, send)
}

class FastAttempt implements Attempts.Attempt<Received> {
  readonly isPunctual: boolean
  /** Nobody but the transport takes part. */
  private readonly isAlone: boolean
  private readonly core: Core.Core
  private readonly call: Call.Call
  private readonly span: Tracer.Span | undefined
  private readonly fiber: Fibers.AnyFiber
  private readonly clock: Clock.Clock
  private readonly send: TransportContract.FastPath

  constructor(
    core: Core.Core,
    call: Call.Call,
    span: Tracer.Span | undefined,
    fiber: Fibers.AnyFiber,
    clock: Clock.Clock,
    send: TransportContract.FastPath
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
    settle: Attempts.Settle<Received, B, R>
  ): Effect.Effect<B, ApiError.ApiError, R> {
    const { call, clock, core, span } = this
    // Those of the attempt before may have been refused, or have expired.
    const credentials = Resolver.ready(core.credentials, clock)
    if (credentials === undefined || credentials.sign !== undefined) {
      const response = this.slowly(respond(core, core.transport.buffered, call, span), restore)
      return Attempts.settled(
        Effect.flatMap(response, (response) => read(core, call, response)),
        settle
      )
    }
    const request = Hop.outgoing(core, call, credentials, span)
    const left = this.isPunctual ? TimeLimits.millisLeft(call, clock) : Number.POSITIVE_INFINITY
    const next: NativeExchange.Next<GuardedResponse.GuardedResponse, ApiError.ApiError, B, R> = {
      onSuccess: (response) => {
        const received = this.safelyReceived(response, restore)
        // Most are here: no step of the fiber.
        return Sync.isSync(received) && received._tag === "Success"
          ? settle.onSuccess(received.value)
          : Attempts.settled(received, settle)
      },
      onFailure: (cause) => settle.onFailure(cause)
    }
    return this.isAlone
      ? this.send(call, Redirects.outgoing(call, request), left, restore, next)
      : Hop.throughMiddleware(call, request, core.transport, restore, next)
  }

  /** What a transport of the program's own throws is the end of the attempt, as it is wherever an effect runs it. */
  private safelyReceived(
    response: GuardedResponse.GuardedResponse,
    restore: Attempts.Restore
  ): Effect.Effect<Received, ApiError.ApiError> {
    try {
      return this.receive(response, restore)
    } catch (defect) {
      return Effect.die(defect)
    }
  }

  private receive(
    response: GuardedResponse.GuardedResponse,
    restore: Attempts.Restore
  ): Effect.Effect<Received, ApiError.ApiError> {
    const { call, core, fiber, span } = this
    core.permits?.arrived(call, response, fiber)
    const notice = Deprecation.noticed(core.warned, call, response)
    const received = Call.isFailure(call, response.status)
      ? Effect.flatMap(
          this.slowly(followed(core, core.transport.buffered, call, span, response), restore),
          (response) => read(core, call, response)
        )
      : read(core, call, response)
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

const passed = (call: Call.Call): Effect.Effect<never, ApiError.TimeoutError> =>
  Effect.failSync(() => TransportError.timeout(call, "total", call.timeouts.total))
