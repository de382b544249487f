/** The verbs of a client for plain async code, as their types have them. */
import type * as RequestOptions from "../request/RequestOptions.js"
import type * as ResponseDecoder from "../response/ResponseDecoder.js"
import type * as Headers from "../wire/headers.js"
import type * as Progress from "../wire/Progress.js"
import type * as Query from "../wire/query.js"

/**
 * The options of a single call.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallOptions {
  /** Ends the call when it aborts: the promise rejects with the signal's reason. `null` is none, as in `fetch`. */
  readonly signal?: AbortSignal | null | undefined
}

/**
 * A method for requests without a body: path template and options in, promise of the value out.
 *
 * @since 3.2.0
 * @category models
 */
export type Verb = <
  const Template extends string,
  S extends RequestOptions.Successes = RequestOptions.Unchecked,
  F extends RequestOptions.Failures = {},
  Q extends RequestOptions.QueryOf<Q, QS> = Query.QueryInput,
  H extends RequestOptions.HeadersOf<H> = Headers.HeadersInput,
  PS extends RequestOptions.Encoder | RequestOptions.NotEncoded = RequestOptions.NotEncoded,
  QS extends RequestOptions.Encoder | RequestOptions.NotEncoded = RequestOptions.NotEncoded
>(
  template: Template,
  ...args: RequestOptions.RequestArguments<Template, RequestOptions.Options<S, F, Q, H> & CallOptions, PS, QS>
) => Promise<ResponseDecoder.Success<S>>

/**
 * A method for requests that may have a body: path template and options in, promise of the value out.
 *
 * @since 3.2.0
 * @category models
 */
export type VerbWithBody = <
  const Template extends string,
  S extends RequestOptions.Successes = RequestOptions.Unchecked,
  F extends RequestOptions.Failures = {},
  B = unknown,
  I = unknown,
  Q extends RequestOptions.QueryOf<Q, QS> = Query.QueryInput,
  H extends RequestOptions.HeadersOf<H> = Headers.HeadersInput,
  P extends RequestOptions.QueryOf<P> = Query.QueryInput,
  PS extends RequestOptions.Encoder | RequestOptions.NotEncoded = RequestOptions.NotEncoded,
  QS extends RequestOptions.Encoder | RequestOptions.NotEncoded = RequestOptions.NotEncoded
>(
  template: Template,
  ...args: RequestOptions.RequestArguments<
    Template,
    RequestOptions.BodyOptions<S, F, B, I, Q, H, P> & CallOptions,
    PS,
    QS
  >
) => Promise<ResponseDecoder.Success<S>>

/** The options of a download. */
export interface DownloadOptions<F, Q, H>
  extends Omit<RequestOptions.Options<never, F, Q, H>, "success">,
    CallOptions {
  /** Called as the body arrives, with the total if it is known. */
  readonly onDownload?: ((progress: Progress.Progress) => void) | undefined
}

/**
 * A method that gets a body as it arrives: path template and options in, promise of a web `Response` out.
 *
 * @since 3.2.0
 * @category models
 */
export type Download = <
  const Template extends string,
  F extends RequestOptions.Failures = {},
  Q extends RequestOptions.QueryOf<Q, QS> = Query.QueryInput,
  H extends RequestOptions.HeadersOf<H> = Headers.HeadersInput,
  PS extends RequestOptions.Encoder | RequestOptions.NotEncoded = RequestOptions.NotEncoded,
  QS extends RequestOptions.Encoder | RequestOptions.NotEncoded = RequestOptions.NotEncoded
>(
  template: Template,
  ...args: RequestOptions.RequestArguments<Template, DownloadOptions<F, Q, H>, PS, QS>
) => Promise<Response>
