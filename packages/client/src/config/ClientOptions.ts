/** The settings of a client, as a program writes them. */
import type * as Credentials from "../credentials/Credentials.js"
import type * as RetryPolicy from "../retry/RetryPolicy.js"
import type * as Headers from "../wire/headers.js"
import type * as Query from "../wire/query.js"
import type * as Middleware from "./Middleware.js"
import type * as PlatformHeaders from "./PlatformHeaders.js"
import type * as Timeouts from "./Timeouts.js"

/**
 * The settings of a client. Only `baseUrl` is required. `withOptions` lays settings over these: headers, query, queryFormat,
 * timeouts, retry, limits and redact merge by field, middleware is appended, all else is replaced. A function of the old
 * value replaces it: see `Overrides.Overrides`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Where the API lives, http or https; a path is kept (`https://api.example.com/v1`), and so is a query. */
  readonly baseUrl: string | URL
  /** Sent to the base URL's origin and to `trustedOrigins`, nowhere else. */
  readonly credentials?: Credentials.Credentials | undefined
  /** Sent with every request; `null` removes a default. A plain object, a `Headers`, a `Map` or pairs. */
  readonly headers?: Headers.HeadersInput | undefined
  /** Sent with every request. A parameter of the request's own takes the place of the one of that name. */
  readonly query?: Query.QueryInput | undefined
  /** How lists and objects are spelt in queries and forms: `a[]=1` and `a[b]=1` unless set. */
  readonly queryFormat?: Partial<Query.QueryFormat> | undefined
  /** How long a call may take: `connect`, `response`, `idle` and `total`. */
  readonly timeouts?: Timeouts.Options | undefined
  /**
   * How calls are retried: single settings, a whole policy, or any schedule that takes the errors. A schedule decides when;
   * which errors are retried stays with the policy.
   */
  readonly retry?: RetryPolicy.Retry | undefined
  /** Code around every attempt; the first of the list is the outermost. */
  readonly middleware?: ReadonlyArray<Middleware.Middleware> | undefined
  /** Other origins that may see the credentials when a request names an absolute URL. */
  readonly trustedOrigins?: ReadonlyArray<string> | undefined
  /** How many redirects a call follows (5). */
  readonly redirects?: number | undefined
  /** `strict` (default): the schema decides. `lenient`: a response that does not fit is handed on as parsed, and logged. */
  readonly validation?: "strict" | "lenient" | undefined
  /** Size limits in bytes. */
  readonly limits?: Limits | undefined
  /** Send an idempotency key of this header's name, one per call, with every method but GET and HEAD. Off by default. */
  readonly idempotency?: Idempotency | undefined
  /** What the client calls itself (`effect-api/<version>`); not sent from browsers. */
  readonly userAgent?: string | undefined
  /** Send headers that describe the platform. Off by default. */
  readonly platformHeaders?: PlatformHeaders.PlatformHeaders | undefined
  /** The response headers that hold the request's id, the first that is there (`request-id`, `x-request-id`). */
  readonly requestIdHeaders?: ReadonlyArray<string> | undefined
  /** Reads the API's own name for an error from its body (`body.error.type`). */
  readonly errorType?: ((body: unknown) => string | undefined) | undefined
  /** Headers and query parameters to hide by name, besides those that are always hidden. */
  readonly redact?: Redact | undefined
  /** Write bodies into the debug log. Off by default: bodies hold secrets that no header name gives away. */
  readonly logBodies?: boolean | undefined
}

/**
 * Size limits in bytes. What is larger fails, but for an error's body, which is cut.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limits {
  /** The body of a response that is decoded (256 MiB). */
  readonly responseBytes?: number | undefined
  /** How much is kept of the body of an error (64 KiB). */
  readonly errorBytes?: number | undefined
  /** One event of a stream (16 MiB). */
  readonly eventBytes?: number | undefined
}

/**
 * How a client names its idempotency keys.
 *
 * @since 0.1.0
 * @category models
 */
export interface Idempotency {
  /** The header that carries the key, such as `idempotency-key`. */
  readonly header: string
}

/**
 * What to hide by name in errors, logs and spans. Names are compared without regard to case.
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
