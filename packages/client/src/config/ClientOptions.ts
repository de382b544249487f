/** The settings of a client, as a program writes them. */
import type * as Credentials from "../credentials/Credentials.js"
import type * as Limiting from "../limits/limiting.js"
import type { ByStatus } from "../response/ByStatus.js"
import type { DecodableByStatus } from "../response/DecoderContract.js"
import type * as Breaking from "../retry/breaking.js"
import type * as RetryPolicy from "../retry/RetryPolicy.js"
import type * as Headers from "../wire/headers.js"
import type * as Query from "../wire/query.js"
import type * as Compressing from "./compressing.js"
import type * as Middleware from "./Middleware.js"
import type * as PlatformHeaders from "./PlatformHeaders.js"
import type * as Timeouts from "./Timeouts.js"

/**
 * The settings of a client. Only `baseUrl` is required. `withOptions` merges settings over these: headers, query,
 * queryFormat, timeouts, retry, limits and redact merge by field, middleware is appended, the rest is replaced. A
 * function of the old value replaces it: see `ApiConfig.Overrides`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<F extends Failures = NoFailures> {
  /**
   * What the program calls this API, such as `github`: the `client` of its errors, and `peer.service` of its spans and
   * metrics. It distinguishes the `RateLimitError`s of two APIs.
   */
  readonly name?: string | undefined
  /** The API's address, http or https. A path is kept (`https://api.example.com/v1`), and so is a query. */
  readonly baseUrl: string | URL
  /** Sent to the origin of the base URL and to `trustedOrigins` only. */
  readonly credentials?: Credentials.Credentials | undefined
  /** Sent with every request; `null` removes a default. A plain object, a `Headers`, a `Map` or pairs. */
  readonly headers?: Headers.HeadersInput | undefined
  /** Sent with every request. A request's own parameter replaces the one of that name. */
  readonly query?: Query.QueryInput | undefined
  /** How lists and objects are written in queries and forms (`a[]=1` and `a[b]=1`). */
  readonly queryFormat?: Partial<Query.QueryFormat> | undefined
  /** How long a call may take: `connect`, `response`, `idle` and `total`. */
  readonly timeouts?: Timeouts.Options | undefined
  /**
   * How to retry calls: single settings, a whole policy, or any schedule that takes the errors. A schedule decides
   * when; the policy still decides which errors.
   */
  readonly retry?: RetryPolicy.Retry | undefined
  /** Code around every attempt; the first in the list is the outermost. */
  readonly middleware?: ReadonlyArray<Middleware.Middleware> | undefined
  /** Compress the bodies of requests: `Compression.gzip()`. Off by default. */
  readonly compression?: Compressing.Setting | undefined
  /** Other origins that may receive the credentials when a request names an absolute URL. */
  readonly trustedOrigins?: ReadonlyArray<string> | undefined
  /** The most redirects that a call follows (5). */
  readonly redirects?: number | undefined
  /**
   * `strict` (default): a response must fit its schema. `lenient`: one that does not fit is returned as parsed, and
   * logged.
   */
  readonly validation?: "strict" | "lenient" | undefined
  /**
   * The client's own limits: `RateLimit.make({ concurrency: 16 })`. Without them, a 429 with a `retry-after` still makes
   * the calls of its origin wait until then; `false` turns that off. It replaces the client's in `withOptions`.
   */
  readonly rateLimit?: Limiting.Setting | undefined
  /**
   * Fail at once while a server is down: `CircuitBreaker.make()`. Off by default. It replaces the client's in
   * `withOptions`, where `false` turns it off.
   */
  readonly circuitBreaker?: Breaking.Setting | undefined
  /** Size limits in bytes. */
  readonly limits?: Limits | undefined
  /**
   * Send an idempotency key under this header's name, one per call, with every method that is not safe. Off by
   * default.
   */
  readonly idempotency?: Idempotency | undefined
  /** The `user-agent` (`effect-api/<version>`). Browsers set their own. */
  readonly userAgent?: string | undefined
  /** Send headers that describe the platform. Off by default. */
  readonly platformHeaders?: PlatformHeaders.PlatformHeaders | undefined
  /**
   * The response headers that may hold the request id; the first that is present counts (`request-id`,
   * `x-request-id`).
   */
  readonly requestIdHeaders?: ReadonlyArray<string> | undefined
  /**
   * The API's own errors by status, by range (`"4xx"`), or for all that are no success (`default`): the envelope that
   * all its requests share. A request's own `failure` comes first; a body that does not fit leaves the ordinary error.
   * They are retried by the table. A client with such errors has a type of its own: `ApiClient.Client<E>`.
   */
  readonly failure?: F | undefined
  /** Returns the API's own name for an error from its body (`body.error.type`). */
  readonly errorType?: ((body: unknown) => string | undefined) | undefined
  /** Headers and query parameters to hide by name, in addition to those that are always hidden. */
  readonly redact?: Redact | undefined
  /** Write bodies to the debug log. Off by default: bodies hold secrets that no header name reveals. */
  readonly logBodies?: boolean | undefined
}

/**
 * Errors of a program's own by status.
 *
 * @since 3.1.0
 * @category models
 */
export type Failures = DecodableByStatus

/**
 * No errors of a program's own.
 *
 * @since 3.1.0
 * @category models
 */
export type NoFailures = ByStatus<never>

/**
 * Size limits in bytes. Anything larger fails, except the body of an error, which is truncated.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limits {
  /** The largest response body to decode (256 MiB). */
  readonly responseBytes?: number | undefined
  /** How much of an error's body to keep (64 KiB). A longer one is truncated without a marker. */
  readonly errorBytes?: number | undefined
  /** The largest event of a stream (16 MiB). */
  readonly eventBytes?: number | undefined
}

/**
 * The header of idempotency keys.
 *
 * @since 0.1.0
 * @category models
 */
export interface Idempotency {
  /** The header that carries the key, such as `idempotency-key`. */
  readonly header: string
}

/**
 * What to hide by name in errors, logs and spans. Case does not matter.
 *
 * @since 0.1.0
 * @category models
 */
export interface Redact {
  /** Names of headers. */
  readonly headers?: ReadonlyArray<string> | undefined
  /** Names of query parameters. */
  readonly query?: ReadonlyArray<string> | undefined
}
