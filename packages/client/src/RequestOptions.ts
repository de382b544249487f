/**
 * What a request may say: the options of every constructor and method.
 *
 * @since 0.1.0
 */
import type * as Headers from "./internal/headers.js"
import type * as Query from "./internal/query.js"
import type * as Url from "./internal/url.js"
import type * as Middleware from "./Middleware.js"
import type * as OverridesOf from "./Overrides.js"
import type * as PageContract from "./PageContract.js"
import type * as RequestBody from "./RequestBody.js"
import type * as ResponseDecoder from "./ResponseDecoder.js"
import type * as RetrySettings from "./RetrySettings.js"
import type * as Timeouts from "./Timeouts.js"

/**
 * What a request may set over its client's settings.
 *
 * @since 0.1.0
 * @category models
 */
export interface Overrides {
  /** Parameters of the URL; one takes the place of the client's of that name, `null` drops it. A function replaces them all. */
  readonly query?: Laid<"query", Query.QueryInput> | undefined
  /**
   * Headers of the request, over the client's; `null` removes one. A plain object, a `Headers`, a `Map` or pairs. A function
   * of the client's headers replaces them.
   */
  readonly headers?: Laid<"headers", Headers.HeadersInput> | undefined
  /** The limits to set anew, the client's others hold. A function of the client's replaces them. */
  readonly timeouts?: Laid<"timeouts", Timeouts.Options> | undefined
  /**
   * What to change of the client's retries: single settings, or a schedule, which decides when. A whole policy, or a
   * function of the client's retries, replaces them.
   */
  readonly retry?: Laid<"retry", RetrySettings.Retry> | undefined
  /** Sent as the client's `idempotency.header`; without one there, as `idempotency-key`. */
  readonly idempotencyKey?: string | undefined
  /** Runs inside the client's own middleware. A function of the client's list replaces it. */
  readonly middleware?: Laid<"middleware", ReadonlyArray<Middleware.Middleware>> | undefined
}

type Laid<K, A> = OverridesOf.Override<K, A>

/**
 * The options of a request. `success` says what the answer is (JSON, unchecked, where it is left out); `failure` maps
 * statuses to the caller's own errors.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<S, F> extends Overrides {
  readonly success?: S | undefined
  readonly failure?: (F & { readonly [K in Exclude<keyof F, number>]: never }) | undefined
}

/**
 * The options of a request that may have a body.
 *
 * @since 0.1.0
 * @category models
 */
export interface BodyOptions<S, F, B, I> extends Options<S, F>, RequestBody.Options<B, I> {}

/**
 * What makes a request one for a stream of events, or one for pages.
 *
 * @since 0.1.0
 * @category models
 */
export interface Kind<S, V, Item> {
  readonly events?: V | undefined
  readonly pagination?: PageContract.Pagination<NoInfer<ResponseDecoder.Type<S>>, Item> | undefined
}

/**
 * The names in a path template: `"id"` for `/todos/{id}`.
 *
 * @since 0.1.0
 * @category models
 */
export type PathNames<Template extends string> = Template extends `${string}{${infer Name}}${infer Rest}`
  ? Name | PathNames<Rest>
  : never

/**
 * The `path` option that a template asks for: none, or exactly its names.
 *
 * @since 0.1.0
 * @category models
 */
export type PathOption<Template extends string> = string extends Template
  ? { readonly path?: Url.PathParams | undefined }
  : [PathNames<Template>] extends [never]
    ? { readonly path?: undefined }
    : { readonly path: { readonly [Name in PathNames<Template>]: Url.PathValue } }

/**
 * The caller's own errors by status.
 *
 * @since 0.1.0
 * @category models
 */
export interface Failures {
  readonly [status: number]: ResponseDecoder.Decodable
}

/**
 * The caller's own errors by status, of which all that is known is that they give an `E`.
 *
 * @since 0.1.0
 * @category models
 */
export interface FailureOf<out E> extends Failures {
  readonly [failure]?: E
}

declare const failure: unique symbol

/**
 * The arguments after a template: optional where it has no names.
 *
 * @since 0.1.0
 * @category models
 */
export type Args<Template extends string, Options> = [PathNames<Template>] extends [never]
  ? [options?: Options & PathOption<Template>]
  : [options: Options & PathOption<Template>]

/**
 * The decoder of a request without `success`.
 *
 * @since 0.1.0
 * @category models
 */
export type Unchecked = ResponseDecoder.ResponseDecoder<unknown>

/**
 * The caller's own errors among what `failure` maps to.
 *
 * @since 0.1.0
 * @category models
 */
export type Failure<F> = ResponseDecoder.Type<F[keyof F]>

/**
 * Stands for the items of a request that has no pages.
 *
 * @since 0.1.0
 * @category models
 */
export interface NoPages {
  readonly NoPages: unique symbol
}
