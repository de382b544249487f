/**
 * The interface of transports that enforce the limits of an attempt themselves. The client uses the one that an
 * `HttpClient` carries, and avoids what it must do for others: fibers that race a clock, a stream for every body, a
 * scope. Wrapped in another `HttpClient` (by `mapRequest` and similar) it is an ordinary one again.
 */

import type * as Cookies from "@effect/platform/Cookies"
import type * as HttpHeaders from "@effect/platform/Headers"
import * as HttpBody from "@effect/platform/HttpBody"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Timeouts from "../config/Timeouts.js"
import * as Fibers from "../effect/fibers.js"
import * as Once from "../effect/once.js"
import type { Pull } from "../effect/pulls.js"
import { ExchangeTimer } from "./ExchangeTimer.js"
import * as PlatformRequest from "./PlatformRequest.js"
import { Defect } from "./TransportParts.js"

export type { Pull } from "../effect/pulls.js"

/** The key under which an `HttpClient` carries a native transport: see `NativeTransport.attach`. */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/NativeTransport")

/**
 * The response of a transport. `chunks` fails with the unchanged cause. A chunk may be a view of a larger buffer that
 * no longer changes: the client copies the bytes that it returns.
 *
 * @since 0.1.0
 * @category models
 */
export interface Source {
  readonly status: number
  /** The URL of the response, if the transport followed redirects by itself, as browsers do. */
  readonly url?: string | undefined
  readonly headers: HttpHeaders.Headers
  /** Whether a header came, by its lower-case name: for sources that parse their headers on demand. */
  readonly hasHeader?: ((name: string) => boolean) | undefined
  readonly cookies: Cookies.Cookies
  /** The lines of `set-cookie`, one by one, for a source that has them. `headers` has them joined. */
  readonly setCookies?: ReadonlyArray<string> | undefined
  readonly remoteAddress: Option.Option<string>
  /** The transport decoded the body's content codings: the client drops the headers that describe the coded body. */
  readonly decoded?: boolean | undefined
  readonly chunks: Stream.Stream<Uint8Array, unknown>
  /**
   * `chunks` without the cost of a stream, for the owner of the exchange, who ends it by its `Abort`. Fails with
   * `None` at the end.
   */
  readonly pull?: Pull<Uint8Array, unknown> | undefined
}

/**
 * A response with its body: all of it, or its start with `complete: false` if it exceeded the cap. `bytes` may be a
 * view of a larger buffer, as the chunks of a {@link Source} may.
 *
 * @since 0.1.0
 * @category models
 */
export interface Exchanged {
  readonly source: Source
  readonly bytes: Uint8Array
  readonly complete: boolean
}

/**
 * The callbacks of an exchange. The transport calls exactly one of them once, perhaps before the call that started
 * the exchange returns, and neither after an abort.
 *
 * @since 0.1.0
 * @category models
 */
export interface Listener<in A> {
  readonly done: (response: A) => void
  readonly failed: (cause: unknown) => void
}

/**
 * Aborts the exchange. Safe to call at any time; a no-op once it has ended.
 *
 * @since 0.1.0
 * @category models
 */
export type Abort = () => void

/**
 * The names of headers that were removed from a request on purpose: a transport must not add them by itself.
 *
 * @since 0.1.0
 * @category accessors
 */
export const removedHeaders: (headers: HttpHeaders.Headers) => ReadonlyArray<string> =
  PlatformRequest.removedOf

/**
 * A transport in callbacks: a fiber waits once for an exchange, whatever happens within it. It fails with the
 * unchanged cause, with a `code` along its chain. When a limit of the request passes, the code is ours
 * (`ERR_RESPONSE_LIMIT`, `ERR_IDLE_LIMIT`), or undici's if the transport sets undici's timers
 * (`UND_ERR_CONNECT_TIMEOUT`, `UND_ERR_HEADERS_TIMEOUT`, `UND_ERR_BODY_TIMEOUT`). It does not follow redirects. The
 * body of a request is a `Raw` `ReadableStream` in place of a `Stream`, unless the transport takes those.
 *
 * @since 0.1.0
 * @category models
 */
export interface NativeTransport {
  /** Secrets of the transport's own settings, such as a proxy's password. Called only when something is shown. */
  readonly secrets?: (() => Iterable<string>) | undefined
  /** Whether undici's timers are set to the request's own limits. Otherwise they are limits below the transport. */
  readonly setsLimits: boolean
  /** Whether the body of a request may be a `Stream`, which the transport runs, or a `Raw` `Blob`. */
  readonly takesStreams?: boolean | undefined
  /**
   * Runs one exchange to the end of the body, or to the cap for its status. A body that breaks off, or takes longer
   * than `discardMillis`, fails the exchange only if the status is a success; otherwise it counts as absent.
   */
  readonly exchange: (
    request: HttpClientRequest.HttpClientRequest,
    timeouts: Timeouts.Timeouts,
    cap: (status: number) => number,
    listener: Listener<Exchanged>
  ) => Abort
  /**
   * Runs one exchange to the headers. The body is pulled with backpressure; leaving it aborts the exchange. If
   * `owned`, the caller aborts an unread body; otherwise it ends when the response is collected.
   */
  readonly open: (
    request: HttpClientRequest.HttpClientRequest,
    timeouts: Timeouts.Timeouts,
    owned: boolean,
    listener: Listener<Source>
  ) => Abort
}

/**
 * Waits for an exchange. Interruption aborts it. A streamed body is converted to one that transports take.
 *
 * @since 0.1.0
 * @category running
 */
export const awaiting = <A>(
  request: HttpClientRequest.HttpClientRequest,
  start: (request: HttpClientRequest.HttpClientRequest, listener: Listener<A>) => Abort,
  takesStreams = false
): Effect.Effect<A, unknown> => withTakenBody(request, takesStreams, (request) => started(request, start))

/** Sends a request with a body that transports take, in place of a stream if this one takes none. */
export const withTakenBody = <A, E>(
  request: HttpClientRequest.HttpClientRequest,
  takesStreams: boolean | undefined,
  send: (request: HttpClientRequest.HttpClientRequest) => Effect.Effect<A, E>
): Effect.Effect<A, E> => {
  const { body } = request
  if (body._tag !== "Stream" || takesStreams === true) return send(request)
  return Effect.flatMap(Stream.toReadableStreamEffect(body.stream), (stream) => {
    const { contentLength, contentType } = body
    return send(PlatformRequest.withBody(request, HttpBody.raw(stream, { contentType, contentLength })))
  })
}

/** An exchange that a fiber waits for. */
export interface Pending<in out A, in out B, in out E> {
  readonly begin: (listener: Listener<A>) => Abort
  /** Called by the transport: what the fiber wakes with. */
  readonly onResponse: (response: A) => Effect.Effect<B, E>
  readonly failure: (cause: unknown) => E
  /** The exchange is aborted after so many milliseconds, and this is its failure. */
  readonly left: number
  readonly late: () => E
}

/** How the fiber goes on. */
export interface Next<in A, E, out B, out R = never> {
  readonly onSuccess: (value: A) => Effect.Effect<B, E, R>
  readonly onFailure: (cause: Cause.Cause<E>) => Effect.Effect<B, E, R>
}

/**
 * Starts an exchange, waits for it and goes on, inside `uninterruptibleMask`. Nothing can run between the first two: an
 * interruption at a fiber's own yield would leave an `Effect.async` without its abort.
 */
export const wait = <A, B, E, C, R>(
  pending: Pending<A, B, E>,
  restore: (effect: Effect.Effect<B, E>) => Effect.Effect<B, E>,
  next: Next<B, E, C, R>
): Effect.Effect<C, E, R> => new Waiting(pending, next).wait(restore)

/**
 * Drops its references to the exchange and to what follows as soon as these are over. Closures held by Effect's `async` and
 * `uninterruptibleMask` survive until a major GC, and they lead here.
 */
class Waiting<A, B, E, C, R> implements Listener<A>, Fibers.Waiter<B, E> {
  private pending: Pending<A, B, E> | undefined
  private next: Next<B, E, C, R> | undefined
  private abort: Abort | undefined
  private timer: ExchangeTimer | undefined
  private later: ((exit: Effect.Effect<B, E>) => void) | undefined
  private isDirect = false
  private early: Effect.Effect<B, E> | undefined

  constructor(pending: Pending<A, B, E>, next: Next<B, E, C, R>) {
    this.pending = pending
    this.next = next
  }

  wait(restore: (effect: Effect.Effect<B, E>) => Effect.Effect<B, E>): Effect.Effect<C, E, R> {
    const abort = this.pending?.begin(this)
    if (this.early === undefined) {
      this.abort = abort
      this.limit()
    }
    return Effect.matchCauseEffect(this.early ?? restore(Fibers.waiting(this)), {
      onSuccess: (value) => this.takeNext().onSuccess(value),
      onFailure: (cause) => {
        // An interruption may come between the end of the exchange and what follows here: nobody has its response then.
        this.timer?.stop()
        this.abort?.()
        return this.takeNext().onFailure(cause)
      }
    })
  }

  private limit(): void {
    const { pending } = this
    if (pending === undefined || pending.left === Number.POSITIVE_INFINITY) return
    this.timer = new ExchangeTimer(() => {
      this.abort?.()
      this.abort = undefined
      this.end(Effect.fail(pending.late()))
    })
    this.timer.expect("", pending.left)
  }

  register(later: (exit: Effect.Effect<B, E>) => void, isDirect: boolean): void {
    if (this.early !== undefined) return later(this.early)
    this.later = later
    this.isDirect = isDirect
  }

  done(response: A): void {
    if (this.pending !== undefined) this.end(this.pending.onResponse(response))
  }

  failed(cause: unknown): void {
    if (this.pending === undefined) return
    this.abort = undefined
    this.end(cause instanceof Defect ? Effect.die(cause.error) : Effect.fail(this.pending.failure(cause)))
  }

  private takeNext(): Next<B, E, C, R> {
    const { next } = this
    this.abort = undefined
    this.next = undefined
    return next ?? { onSuccess: isOver, onFailure: isOver }
  }

  private end(exit: Effect.Effect<B, E>): void {
    const { later } = this
    this.timer?.stop()
    this.pending = undefined
    this.later = undefined
    if (later === undefined) this.early = exit
    else if (this.isDirect) later(exit)
    else Fibers.resume(later, exit)
  }
}

const isOver = (): Effect.Effect<never> => Effect.dieMessage("an exchange ends once")

const asItIs = (cause: unknown): unknown => cause

const never = (): unknown => undefined

const started = <A>(
  request: HttpClientRequest.HttpClientRequest,
  start: (request: HttpClientRequest.HttpClientRequest, listener: Listener<A>) => Abort
): Effect.Effect<A, unknown> =>
  Once.masked((restore) =>
    wait(
      {
        begin: (listener: Listener<A>) => start(request, listener),
        onResponse: (response: A): Effect.Effect<A, unknown> => Effect.succeed(response),
        failure: asItIs,
        left: Number.POSITIVE_INFINITY,
        late: never
      },
      restore,
      { onSuccess: Effect.succeed, onFailure: Effect.failCause }
    )
  )
