/**
 * One call while it runs: what its errors say of it, and what they must not say.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type * as ApiConfig from "./ApiConfig.js"
import type * as ApiError from "./ApiError.js"
import type * as ApiRequest from "./ApiRequest.js"
import type * as Credentials from "./Credentials.js"
import * as Redaction from "./Redaction.js"
import * as RequestEncoder from "./RequestEncoder.js"
import type * as ResponseDecoder from "./ResponseDecoder.js"
import type * as Timeouts from "./Timeouts.js"

/**
 * A request on its way, with the client's settings and its own laid over each other. `attempts` is the ledger, `issued`
 * every credential that went out.
 *
 * @since 0.1.0
 * @category models
 */
export interface Call {
  readonly request: ApiRequest.Request
  readonly config: ApiConfig.ApiConfig
  readonly timeouts: Timeouts.Timeouts
  readonly retry: ApiConfig.ResolvedRetry
  readonly encoded: RequestEncoder.Encoded
  readonly startedAt: number
  attempts: Array<ApiError.Attempt>
  readonly issued: Array<Credentials.Resolved>
  /** The body of the last error answer, unredacted, for the caller's own `failure` schema. Never shown. */
  refused: { readonly status: number; readonly body: ResponseDecoder.Body } | undefined
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
  readonly retry: ApiConfig.ResolvedRetry
  readonly encoded: RequestEncoder.Encoded
  readonly startedAt: number
  attempts: Array<ApiError.Attempt> = []
  readonly issued: Array<Credentials.Resolved> = []
  refused: Call["refused"]

  constructor(
    request: ApiRequest.Request,
    config: ApiConfig.ApiConfig,
    timeouts: Timeouts.Timeouts,
    retry: ApiConfig.ResolvedRetry,
    encoded: RequestEncoder.Encoded,
    startedAt: number
  ) {
    this.request = request
    this.config = config
    this.timeouts = timeouts
    this.retry = retry
    this.encoded = encoded
    this.startedAt = startedAt
  }
}

/**
 * A call with its ledger empty.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  request: ApiRequest.Request,
  config: ApiConfig.ApiConfig,
  timeouts: Timeouts.Timeouts,
  retry: ApiConfig.ResolvedRetry,
  encoded: RequestEncoder.Encoded,
  startedAt: number
): Call => new Begun(request, config, timeouts, retry, encoded, startedAt)

const redactors = new WeakMap<Call, { readonly issued: number; readonly redactor: Redaction.Redactor }>()

/**
 * What may be shown of a call. Made only when an error, a span or a log line needs it, and anew for new credentials.
 *
 * @since 0.1.0
 * @category redaction
 */
export const redactor = (call: Call): Redaction.Redactor => {
  const made = redactors.get(call)
  if (made !== undefined && made.issued === call.issued.length) return made.redactor
  const secrets = call.issued.flatMap((resolved) => resolved.secrets)
  const redactor = makeRedactor(call.config, call.request, secrets)
  redactors.set(call, { issued: call.issued.length, redactor })
  return redactor
}

/**
 * What may be shown of a request that is not on its way yet.
 *
 * @since 0.1.0
 * @category redaction
 */
export const makeRedactor = (
  config: ApiConfig.ApiConfig,
  request: ApiRequest.Request,
  issued: ReadonlyArray<string> = []
): Redaction.Redactor =>
  Redaction.make({
    secrets: [...RequestEncoder.secrets(request, config), ...issued],
    headerNames: config.options.redact?.headers,
    queryNames: config.options.redact?.query
  })

/**
 * What every error of a call has in common. The message is shown redacted; the ledger is added when the call ends.
 *
 * @since 0.1.0
 * @category constructors
 */
export const common = (call: Call, message: string, delivery: ApiError.Delivery): ApiError.Common => {
  const shown = redactor(call)
  return {
    message: shown.text(message),
    request: { method: call.encoded.method, url: shown.url(call.encoded.url) },
    attempts: [],
    stoppedBy: "not-retryable",
    delivery,
    shouldRetry: undefined
  }
}

/**
 * When the call must be over, in milliseconds since the epoch.
 *
 * @since 0.1.0
 * @category accessors
 */
export const deadline = (call: Call): number => call.startedAt + call.timeouts.total

/**
 * One line of the ledger. The delay before the next attempt is in milliseconds.
 *
 * @since 0.1.0
 * @category constructors
 */
export const attempt = (
  startedAt: number,
  endedAt: number,
  tag: string | undefined,
  status: number | undefined,
  delay?: number
): ApiError.Attempt => ({
  startedAt,
  duration: Duration.millis(endedAt - startedAt),
  tag,
  status,
  delay: delay === undefined ? undefined : Duration.millis(delay)
})
