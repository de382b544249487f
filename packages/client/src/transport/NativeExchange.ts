/**
 * The seam for transports that keep the limits of an attempt themselves. An `HttpClient` that carries one is asked through
 * it and spared what the client must do for others: fibers that race a clock, a stream for every body, a scope. Wrapped in
 * another `HttpClient` (`mapRequest` and its kin) it is an ordinary one again.
 */

import type * as Cookies from "@effect/platform/Cookies"
import type * as HttpHeaders from "@effect/platform/Headers"
import * as HttpBody from "@effect/platform/HttpBody"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as Cause from "effect/Cause"
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Timeouts from "../config/Timeouts.js"
import * as Bytes from "../shared/bytes.js"
import * as PlatformRequest from "./PlatformRequest.js"

/** The key under which an `HttpClient` carries a way to send of its own: see `NativeClient.attach`. */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/NativeTransport")

/**
 * What a response must have for the client to read it. `chunks` fails with the cause as it is. A chunk may be a view of a
 * larger buffer that does not change any more: the client copies what it hands on.
 *
 * @since 0.1.0
 * @category models
 */
export interface Source {
  readonly status: number
  /** The URL that answered, where the transport has followed redirects by itself, as browsers do. */
  readonly url?: string | undefined
  readonly headers: HttpHeaders.Headers
  readonly cookies: Cookies.Cookies
  readonly remoteAddress: Option.Option<string>
  /** The body is out of its content codings: the client drops the headers that describe the coded one. */
  readonly decoded?: boolean | undefined
  readonly chunks: Stream.Stream<Uint8Array, unknown>
  /**
   * `chunks` without the cost of a stream, for the owner of the exchange, who ends it by its `Abort`. Fails with `None` at the
   * end.
   */
  readonly pull?: Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<unknown>> | undefined
}

/**
 * A response with its body: all of it, or, where it was larger than the cap, `complete: false` and its start. `bytes` may be
 * a view of a larger buffer, as the chunks of a {@link Source} may.
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
 * Who is told how an exchange ended: one of the two, once, and neither after an abort. It may be before the call that
 * started the exchange returns.
 *
 * @since 0.1.0
 * @category models
 */
export interface Listener<in A> {
  readonly done: (answer: A) => void
  readonly failed: (cause: unknown) => void
}

/**
 * What a transport fails with where its own code has thrown: the call dies with the error, which is no failure of a connection.
 *
 * @since 0.1.0
 * @category models
 */
export class Defect {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
  }
}

/**
 * Ends an exchange, at any time: over nothing where it has ended already.
 *
 * @since 0.1.0
 * @category models
 */
export type Abort = () => void

/**
 * How many milliseconds the body of an answer that is no success may take: the status is known, the rest is courtesy.
 *
 * @since 0.1.0
 * @category constants
 */
export const discardMillis = 5_000

/**
 * Collects the chunks of a body. Many small ones take the memory of their bytes, and little more.
 *
 * @since 0.1.0
 * @category bytes
 */
export const Collector: typeof Bytes.Collector = Bytes.Collector

/**
 * Collects the chunks of a body.
 *
 * @since 0.1.0
 * @category bytes
 */
export type Collector = Bytes.Collector

/**
 * The same bytes as a plain `Uint8Array` that has its memory to itself, copied where they are a part of a larger buffer.
 *
 * @since 0.1.0
 * @category bytes
 */
export const owned: (bytes: Uint8Array) => Uint8Array<ArrayBuffer> = Bytes.owned

/**
 * The names of the headers that somebody removed from a request on purpose: a transport adds none of them by itself.
 *
 * @since 0.1.0
 * @category accessors
 */
export const removedHeaders: (headers: HttpHeaders.Headers) => ReadonlyArray<string> =
  PlatformRequest.removedOf

/**
 * A transport of its own, in callbacks: a fiber waits once for an exchange, whatever goes on within. It fails with the
 * cause as it is, a `code` along its chain. A limit of the request that passes has a code of ours (`ERR_RESPONSE_LIMIT`,
 * `ERR_IDLE_LIMIT`) or, where the transport sets undici's timers, undici's (`UND_ERR_CONNECT_TIMEOUT`,
 * `UND_ERR_HEADERS_TIMEOUT`, `UND_ERR_BODY_TIMEOUT`). Redirects are not followed. The body of a request is never a `Stream`: it
 * comes as a `Raw` `ReadableStream`.
 *
 * @since 0.1.0
 * @category models
 */
export interface NativeTransport {
  /** What of its own settings must never be shown: a proxy's password. Asked only where something is shown. */
  readonly secrets?: (() => Iterable<string>) | undefined
  /** Whether a limit of undici's that passes is the request's own: else it is one that stands below. */
  readonly setsLimits: boolean
  /**
   * One exchange to the end of the body, or to the cap for its status. A body that breaks off, or takes longer than
   * `discardMillis`, fails the exchange only where the status is a success; else it counts as not there.
   */
  readonly exchange: (
    request: HttpClientRequest.HttpClientRequest,
    timeouts: Timeouts.Timeouts,
    cap: (status: number) => number,
    listener: Listener<Exchanged>
  ) => Abort
  /**
   * One exchange to the headers. The body is pulled with backpressure, and leaving it aborts. A body that nobody reads
   * is the caller's to abort where it is `owned`; else it is let go with the response.
   */
  readonly open: (
    request: HttpClientRequest.HttpClientRequest,
    timeouts: Timeouts.Timeouts,
    owned: boolean,
    listener: Listener<Source>
  ) => Abort
}

/**
 * Waits for an exchange. Interruption aborts it. A streamed body is made one that transports take.
 *
 * @since 0.1.0
 * @category running
 */
export const awaiting = <A>(
  request: HttpClientRequest.HttpClientRequest,
  start: (request: HttpClientRequest.HttpClientRequest, listener: Listener<A>) => Abort
): Effect.Effect<A, unknown> => {
  const { body } = request
  if (body._tag !== "Stream") return started(request, start)
  return Effect.flatMap(Stream.toReadableStreamEffect(body.stream), (stream) => {
    const { contentLength, contentType } = body
    const sent = PlatformRequest.withBody(request, HttpBody.raw(stream, { contentType, contentLength }))
    return started(sent, start)
  })
}

/** An exchange that somebody waits for, and what becomes of its end. */
export interface Pending<in out A, out B, out E> {
  readonly begin: (listener: Listener<A>) => Abort
  readonly onResponse: (answer: A) => Effect.Effect<B, E>
  readonly failure: (cause: unknown) => E
}

/**
 * Begins an exchange and waits for it, inside of `uninterruptibleMask`. It begins where nothing can come between the two: an
 * interruption on a fiber's own yield would leave an `Effect.async` unaborted.
 */
export const wait = <A, B, E>(
  pending: Pending<A, B, E>,
  restore: (effect: Effect.Effect<B, E>) => Effect.Effect<B, E>
): Effect.Effect<B, E> => new Waiting(pending).wait(restore)

/**
 * Lets go of the exchange as soon as it has ended. The functions that Effect sets as properties of its `async` and its
 * masks are made by V8 where only a full collection finds them, and they lead here.
 */
class Waiting<A, B, E> implements Listener<A> {
  private pending: Pending<A, B, E> | undefined
  private abort: Abort | undefined
  private later: ((exit: Effect.Effect<B, E>) => void) | undefined
  private early: Effect.Effect<B, E> | undefined

  constructor(pending: Pending<A, B, E>) {
    this.pending = pending
  }

  wait(restore: (effect: Effect.Effect<B, E>) => Effect.Effect<B, E>): Effect.Effect<B, E> {
    const abort = this.pending?.begin(this)
    if (this.early !== undefined) return this.early
    this.abort = abort
    const register = (later: (exit: Effect.Effect<B, E>) => void): void => {
      if (this.early === undefined) this.later = later
      else later(this.early)
    }
    const onFailure = (cause: Cause.Cause<E>): Effect.Effect<never, E> => {
      this.abort?.()
      return Effect.failCause(cause)
    }
    const onSuccess: (value: B) => Effect.Effect<B> = Effect.succeed
    return Effect.matchCauseEffect(restore(Effect.async(register)), { onFailure, onSuccess })
  }

  done(answer: A): void {
    if (this.pending !== undefined) this.end(this.pending.onResponse(answer))
  }

  failed(cause: unknown): void {
    if (this.pending === undefined) return
    this.end(cause instanceof Defect ? Effect.die(cause.error) : Effect.fail(this.pending.failure(cause)))
  }

  private end(exit: Effect.Effect<B, E>): void {
    const { later } = this
    this.pending = undefined
    this.abort = undefined
    this.later = undefined
    if (later === undefined) this.early = exit
    else later(exit)
  }
}

const asItIs = (cause: unknown): unknown => cause

const started = <A>(
  request: HttpClientRequest.HttpClientRequest,
  start: (request: HttpClientRequest.HttpClientRequest, listener: Listener<A>) => Abort
): Effect.Effect<A, unknown> =>
  Effect.uninterruptibleMask((restore) =>
    wait(
      {
        begin: (listener: Listener<A>) => start(request, listener),
        onResponse: (answer: A): Effect.Effect<A, unknown> => Effect.succeed(answer),
        failure: asItIs
      },
      restore
    )
  )
