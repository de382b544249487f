/** One call while it runs: what its errors say of it, and what they must not say. */
import type * as Clock from "effect/Clock"
import type * as ApiConfig from "../config/ApiConfig.js"
import type * as Middleware from "../config/Middleware.js"
import type * as Timeouts from "../config/Timeouts.js"
import type * as Credentials from "../credentials/Credentials.js"
import type * as ApiError from "../errors/ApiError.js"
import type * as ResponseDecoder from "../response/ResponseDecoder.js"
import type * as Attempts from "../retry/Attempts.js"
import type * as RetryPolicy from "../retry/RetryPolicy.js"
import * as Monotonic from "../shared/monotonic.js"
import type * as ApiRequest from "./ApiRequest.js"
import type * as RequestEncoder from "./RequestEncoder.js"

/**
 * A request on its way, with the client's settings and its own laid over each other. `encoded` is the request of the hop that
 * the call has reached, `attempts` the ledger, `omitted` how many of its lines were left out, `issued` every credential that
 * went out.
 */
export interface Call extends Attempts.Retried {
  readonly request: ApiRequest.Request
  readonly config: ApiConfig.ApiConfig
  readonly timeouts: Timeouts.Timeouts
  readonly retry: RetryPolicy.Resolved
  /** The client's and the request's own, the outermost first. */
  readonly middleware: ReadonlyArray<Middleware.Middleware>
  encoded: RequestEncoder.EncodedRequest
  /** Where redirects have led; `undefined` before the first. */
  redirected: Redirected | undefined
  readonly startedAt: number
  /** When the call must be over, by the clock that only goes on. */
  readonly deadline: number
  /** When its last attempt began, by the same clock. */
  begunAt: bigint
  attempts: Array<ApiError.Attempt>
  omitted: number
  readonly usedCredentials: Array<Credentials.Resolved>
  /** The body of the last error answer, unredacted, for the caller's own `failure` schema. Never shown. */
  /** Headers of requests as middleware has sent them. */
  sent: Array<Readonly<Record<string, string>>> | undefined
  lastErrorBody: { readonly status: number; readonly body: ResponseDecoder.Body } | undefined
}

/**
 * What a call keeps of its redirects. A retry begins with `first`, behind `firstHops` hops; `hops` counts those up to the
 * request that is sent now. `processed`: a redirect has asked for a GET in place of the request, so a server has acted on it.
 */
export interface Redirected {
  readonly first: RequestEncoder.EncodedRequest
  readonly firstHops: number
  readonly hops: number
  readonly processed: boolean
}

/**
 * A call with its ledger empty. A class, as are all things that live as long as a call: V8 counts how long the objects of a
 * literal live, takes a warming-up program for their usual day, and then puts each of them where only a full collection
 * finds it, with all that it refers to.
 */
class Begun implements Call {
  readonly request: ApiRequest.Request
  readonly config: ApiConfig.ApiConfig
  readonly timeouts: Timeouts.Timeouts
  readonly retry: RetryPolicy.Resolved
  readonly middleware: ReadonlyArray<Middleware.Middleware>
  encoded: RequestEncoder.EncodedRequest
  redirected: Call["redirected"]
  readonly startedAt: number
  readonly deadline: number
  begunAt = Monotonic.never
  attempts: Array<ApiError.Attempt> = []
  omitted = 0
  readonly usedCredentials: Array<Credentials.Resolved> = []
  sent: Call["sent"]
  lastErrorBody: Call["lastErrorBody"]

  constructor(
    request: ApiRequest.Request,
    config: ApiConfig.ApiConfig,
    timeouts: Timeouts.Timeouts,
    retry: RetryPolicy.Resolved,
    encoded: RequestEncoder.EncodedRequest,
    clock: Clock.Clock,
    deadline: number,
    middleware: ReadonlyArray<Middleware.Middleware> | undefined
  ) {
    this.request = request
    this.config = config
    this.timeouts = timeouts
    this.retry = retry
    this.encoded = encoded
    this.startedAt = clock.unsafeCurrentTimeMillis()
    this.deadline = deadline
    this.middleware = middleware === undefined ? config.middleware : [...config.middleware, ...middleware]
  }
}

/** A call with its ledger empty. */
export const make = (
  request: ApiRequest.Request,
  config: ApiConfig.ApiConfig,
  timeouts: Timeouts.Timeouts,
  retry: RetryPolicy.Resolved,
  encoded: RequestEncoder.EncodedRequest,
  clock: Clock.Clock,
  deadline: number = Monotonic.deadline(clock, timeouts.total),
  middleware?: ReadonlyArray<Middleware.Middleware>
): Call => new Begun(request, config, timeouts, retry, encoded, clock, deadline, middleware)

/** Goes back to the request that an attempt begins with. */
export const restart = (call: Call): void => {
  const { redirected } = call
  if (redirected === undefined) return
  call.encoded = redirected.first
  call.redirected = { ...redirected, hops: redirected.firstHops }
}

/**
 * Notes that a redirect asks for a GET in place of the request: a server has acted on the request, so it is never sent again.
 */
export const processed = (call: Call): void => {
  const { encoded, redirected } = call
  const hops = redirected?.hops ?? 0
  call.redirected = { first: encoded, firstHops: hops, hops, processed: true }
}

/**
 * Goes on to the next hop. Once a server has acted on the call's own request, a retry repeats the last hop.
 */
export const goOn = (call: Call, next: RequestEncoder.EncodedRequest): void => {
  const { first, firstHops, hops, processed } = call.redirected ?? notRedirected(call)
  call.redirected = processed
    ? { first: next, firstHops: hops + 1, hops: hops + 1, processed }
    : { first, firstHops, hops: hops + 1, processed }
  call.encoded = next
}

const notRedirected = ({ encoded }: Call): Redirected => ({
  first: encoded,
  firstHops: 0,
  hops: 0,
  processed: false
})

/**
 * Whether the request names an error of the caller's own for a status: to the caller that is an answer like any other, and so
 * it is to telemetry.
 */
export const isNamed = (call: Call, status: number | undefined): boolean =>
  status !== undefined && Object.hasOwn(call.request.failure, status)
