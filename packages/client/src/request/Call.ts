/** One call while it runs. */

import type * as Clock from "effect/Clock"
import type * as Middleware from "../config/Middleware.js"
import type { ResolvedConfig } from "../config/resolveConfig.js"
import type * as Timeouts from "../config/Timeouts.js"
import type * as Credentials from "../credentials/Credentials.js"
import * as Monotonic from "../effect/monotonic.js"
import type * as ApiError from "../errors/ApiError.js"
import * as StatusTag from "../errors/StatusTag.js"
import type * as Limiter from "../limits/Limiter.js"
import * as ByStatus from "../response/ByStatus.js"
import type * as ResponseDecoder from "../response/ResponseDecoder.js"
import type * as Attempts from "../retry/Attempts.js"
import type * as RetryPolicy from "../retry/RetryPolicy.js"
import type * as Redaction from "../secrets/Redaction.js"
import * as Lists from "../shared/lists.js"
import type * as RequestBody from "../wire/RequestBody.js"
import type * as ApiRequest from "./ApiRequest.js"
import type * as RequestEncoder from "./RequestEncoder.js"

/**
 * A request that is running. `encoded` is the request of the current hop, `attempts` the ledger, `omitted` the number
 * of ledger lines that were dropped, and `usedCredentials` every credential that was sent.
 */
export interface Call extends Attempts.Retried {
  readonly request: ApiRequest.Request
  readonly config: ResolvedConfig
  readonly timeouts: Timeouts.Timeouts
  readonly retry: RetryPolicy.Resolved
  /** The client's middleware, then the request's own; the outermost first. */
  readonly middleware: ReadonlyArray<Middleware.Middleware>
  encoded: RequestEncoder.EncodedRequest
  /** Where redirects have led; `undefined` before the first one. */
  redirected: Redirected | undefined
  readonly startedAt: number
  /** When the call must be over, by the monotonic clock. */
  readonly deadline: number
  /** When the last attempt began, by the monotonic clock. */
  begunAt: number
  /** Whether the attempt waits for its credentials: nothing of it is sent. */
  isUnsent: boolean
  attempts: Array<ApiError.Attempt>
  omitted: number
  readonly usedCredentials: Array<Credentials.Resolved>
  /** The headers of requests that middleware has changed: they may hold secrets. */
  sent: Array<Readonly<Record<string, string>>> | undefined
  /** The latest signatures that were sent, and the number of all. */
  signed: Signed | undefined
  /** The body that middleware set last. */
  otherBody: RequestBody.EncodedBody | undefined
  /** The last error body, for the caller's own `failure` schema. */
  lastError: ErrorBody | undefined
  /** The permit of the last attempt, if the client's limits take part. */
  permit: Limiter.Permit | undefined
  /** The redactor made last, and how many secrets were known then. */
  shown: { readonly known: number; readonly redactor: Redaction.Redactor } | undefined
}

/** An error body, unredacted: it is never shown. `own` is the caller's error, if the body has been decoded to one. */
export interface ErrorBody {
  readonly body: ResponseDecoder.Body
  readonly own?: { readonly value: unknown } | undefined
}

/** The secrets of the signatures that a call has sent; of many attempts, those of the latest. */
export interface Signed {
  readonly count: number
  readonly secrets: ReadonlyArray<string>
}

/**
 * Where redirects have led. A retry starts with `first`, after `firstHops` hops; `hops` counts the hops up to the
 * current request. `processed` means that a redirect asked for a GET instead of the request, so a server has acted on
 * it.
 */
export interface Redirected {
  readonly first: RequestEncoder.EncodedRequest
  readonly firstHops: number
  readonly hops: number
  readonly processed: boolean
}

/**
 * A new call. A class, like everything that lives as long as a call: V8 tracks how long the objects of a literal
 * survive. A program that warms up teaches it to allocate them in the old generation, where only a major GC frees
 * them and all they refer to.
 */
class Begun implements Call {
  readonly request: ApiRequest.Request
  readonly config: ResolvedConfig
  readonly timeouts: Timeouts.Timeouts
  readonly retry: RetryPolicy.Resolved
  readonly middleware: ReadonlyArray<Middleware.Middleware>
  encoded: RequestEncoder.EncodedRequest
  redirected: Call["redirected"]
  readonly startedAt: number
  readonly deadline: number
  begunAt = 0
  isUnsent = false
  attempts: Array<ApiError.Attempt> = Lists.freshArray()
  omitted = 0
  readonly usedCredentials: Array<Credentials.Resolved> = Lists.freshArray()
  sent: Call["sent"]
  signed: Call["signed"]
  otherBody: Call["otherBody"]
  lastError: Call["lastError"]
  permit: Call["permit"]
  shown: Call["shown"]

  constructor(
    request: ApiRequest.Request,
    config: ResolvedConfig,
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

/** Makes a call with an empty ledger. */
export const make = (
  request: ApiRequest.Request,
  config: ResolvedConfig,
  timeouts: Timeouts.Timeouts,
  retry: RetryPolicy.Resolved,
  encoded: RequestEncoder.EncodedRequest,
  clock: Clock.Clock,
  deadline: number = Monotonic.deadline(clock, timeouts.total),
  middleware?: ReadonlyArray<Middleware.Middleware>
): Call => new Begun(request, config, timeouts, retry, encoded, clock, deadline, middleware)

/** Goes back to the request that an attempt starts with. */
export const restart = (call: Call): void => {
  const { redirected } = call
  if (redirected === undefined) return
  call.encoded = redirected.first
  call.redirected = { ...redirected, hops: redirected.firstHops }
}

/**
 * Notes that a redirect asked for a GET instead of the request. A server has acted on the request, so it is never
 * sent again.
 */
export const processed = (call: Call): void => {
  const { encoded, redirected } = call
  const hops = redirected?.hops ?? 0
  call.redirected = { first: encoded, firstHops: hops, hops, processed: true }
}

/** Goes on to the next hop. After a server has acted on the original request, a retry repeats the last hop. */
export const goOn = (call: Call, next: RequestEncoder.EncodedRequest): void => {
  const { first, firstHops, hops, processed } = call.redirected ?? notRedirected(call)
  call.redirected = processed
    ? { first: next, firstHops: hops + 1, hops: hops + 1, processed }
    : { first, firstHops, hops: hops + 1, processed }
  call.encoded = next
}

/** Whether the credentials of a call may go to an origin, which middleware may have chosen. */
export const isTrusted = ({ config, encoded }: Call, origin: string): boolean =>
  encoded.trusted &&
  (origin === encoded.origin || origin === config.base.origin || config.trustedOrigins.has(origin))

/** Notes a signature. A stream that resumes for days sends any number. */
export const noteSignature = (call: Call, secrets: ReadonlyArray<string>): void => {
  const before = call.signed ?? { count: 0, secrets: [] }
  call.signed = { count: before.count + 1, secrets: [...before.secrets, ...secrets].slice(-maxSignatures) }
}

const maxSignatures = 100

const notRedirected = ({ encoded }: Call): Redirected => ({
  first: encoded,
  firstHops: 0,
  hops: 0,
  processed: false
})

/**
 * Whether the request's `failure` names this very status. The caller expects such a response, so telemetry does not
 * count it as an error.
 */
export const isNamed = (call: Call, status: number | undefined): boolean =>
  status !== undefined && ByStatus.rank(call.request.failure, status) === 3

/**
 * Whether a status is an error of this call: any but 2xx, unless the request's `success` or `failure` names it more
 * exactly.
 */
export const isFailure = ({ request: { failure, success } }: Call, status: number): boolean => {
  const isSuccess = StatusTag.isSuccess(status)
  const statuses = success?.statuses
  if (failure === ByStatus.none && statuses === undefined) return !isSuccess
  const wanted = statuses === undefined ? (isSuccess ? 2 : 0) : ByStatus.rank(statuses, status)
  const refused = ByStatus.rank(failure, status)
  return wanted === refused ? !isSuccess : refused > wanted
}
