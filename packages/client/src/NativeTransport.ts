/**
 * The seam for transports that keep the limits of an attempt themselves. An `HttpClient` that carries one is asked through
 * it and spared what the client must do for others: fibers that race a clock, a stream for every body, a scope. Wrapped in
 * another `HttpClient` (`mapRequest` and its kin) it is an ordinary one again.
 *
 * @since 0.1.0
 */
import type { Cookies, Headers, HttpClient, HttpClientRequest } from "@effect/platform"
import { type Effect, type Option, Predicate, type Stream } from "effect"
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
 * Set by a transport once there is something to abort.
 *
 * @since 0.1.0
 * @category models
 */
export interface Abortable {
  abort: (() => void) | undefined
}

/**
 * How many milliseconds the body of an answer that is no success may take: the status is known, the rest is courtesy.
 *
 * @since 0.1.0
 * @category constants
 */
export const discardMillis = 5_000

/**
 * A transport of its own. It fails with the cause as it is, a `code` along its chain. A limit of the request that passes has
 * a code of ours (`ERR_RESPONSE_LIMIT`, `ERR_IDLE_LIMIT`) or, where the transport sets undici's timers, undici's
 * (`UND_ERR_CONNECT_TIMEOUT`, `UND_ERR_HEADERS_TIMEOUT`, `UND_ERR_BODY_TIMEOUT`). Interruption aborts the exchange. Redirects
 * are not followed.
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
    cap: (status: number) => number
  ) => Effect.Effect<Exchanged, unknown>
  /**
   * One exchange to the headers. The body is pulled with backpressure, and leaving it aborts. Whoever hands over an
   * `abortable` aborts a body that nobody reads; else it is let go with the response.
   */
  readonly open: (
    request: HttpClientRequest.HttpClientRequest,
    timeouts: Timeouts.Timeouts,
    abortable: Abortable | undefined
  ) => Effect.Effect<Source, unknown>
}

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
