/**
 * The seam for transports that keep the limits of an attempt themselves. An `HttpClient` that carries one is asked through
 * it and spared what the client must do for others: fibers that race a clock, a stream for every body, a scope. Wrapped in
 * another `HttpClient` (`mapRequest` and its kin) it is an ordinary one again.
 *
 * @since 0.1.0
 */
import {
  type Cookies,
  type Headers,
  HttpBody,
  type HttpClient,
  type HttpClientRequest
} from "@effect/platform"
import { Cause, Effect, type Option, Predicate, Stream } from "effect"
import * as RequestEncoder from "./RequestEncoder.js"
import type * as Timeouts from "./Timeouts.js"

/**
 * The key under which an `HttpClient` carries its native transport.
 *
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/NativeTransport")

/**
 * What a response must have for the client to read it. `chunks` fails with the cause as it is.
 *
 * @since 0.1.0
 * @category models
 */
export interface Source {
  readonly status: number
  readonly headers: Headers.Headers
  readonly cookies: Cookies.Cookies
  readonly remoteAddress: Option.Option<string>
  readonly chunks: Stream.Stream<Uint8Array, unknown>
}

/**
 * A response with its body: all of it, or, where it was larger than the cap, `complete: false` and its start.
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
 * Waits for an exchange. Interruption aborts it.
 *
 * @since 0.1.0
 * @category running
 */
export const awaiting = <A>(
  request: HttpClientRequest.HttpClientRequest,
  start: (request: HttpClientRequest.HttpClientRequest, listener: Listener<A>) => Abort
): Effect.Effect<A, unknown> => {
  const { body } = request
  if (body._tag !== "Stream") return Effect.uninterruptibleMask((restore) => wait(request, start, restore))
  return Effect.flatMap(Stream.toReadableStreamEffect(body.stream), (stream) => {
    const { contentLength, contentType } = body
    const sent = RequestEncoder.withBody(request, HttpBody.raw(stream, { contentType, contentLength }))
    return Effect.uninterruptibleMask((restore) => wait(sent, start, restore))
  })
}

/**
 * The same inside of `uninterruptibleMask`, for a request that has no streamed body. The exchange begins where nothing can
 * come between it and the wait for it: an interruption on a fiber's own yield would leave an `Effect.async` unaborted.
 *
 * @since 0.1.0
 * @category running
 */
export const wait = <A>(
  request: HttpClientRequest.HttpClientRequest,
  start: (request: HttpClientRequest.HttpClientRequest, listener: Listener<A>) => Abort,
  restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
): Effect.Effect<A, unknown> =>
  Effect.suspend(() => {
    let resume: ((exit: Effect.Effect<A, unknown>) => void) | undefined
    let ended: Effect.Effect<A, unknown> | undefined
    const end = (exit: Effect.Effect<A, unknown>): void => {
      ended = exit
      resume?.(exit)
    }
    const abort = start(request, {
      done: (answer) => end(Effect.succeed(answer)),
      failed: (cause) => end(Effect.failCause(Cause.fail(cause)))
    })
    const answer = Effect.async<A, unknown>((later) => {
      if (ended === undefined) resume = later
      else later(ended)
    })
    return Effect.matchCauseEffect(restore(answer), {
      onFailure: (cause) => {
        if (ended === undefined) abort()
        return Effect.failCause(cause)
      },
      onSuccess: Effect.succeed
    })
  })

/**
 * The native transport of an `HttpClient`, if it carries one.
 *
 * @since 0.1.0
 * @category accessors
 */
export const get = (client: HttpClient.HttpClient): NativeTransport | undefined =>
  Predicate.hasProperty(client, TypeId) ? (client[TypeId] as NativeTransport) : undefined

/**
 * The same `HttpClient`, carrying a native transport.
 *
 * @since 0.1.0
 * @category combinators
 */
export const attach = (client: HttpClient.HttpClient, native: NativeTransport): HttpClient.HttpClient =>
  Object.assign(Object.create(Object.getPrototypeOf(client)), client, { [TypeId]: native })
