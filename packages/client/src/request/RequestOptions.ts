/** The options of every request constructor and method. */

import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type * as Compressing from "../config/compressing.js"
import type * as Middleware from "../config/Middleware.js"
import type * as OverridesOf from "../config/Overrides.js"
import type * as Timeouts from "../config/Timeouts.js"
import type * as Credentials from "../credentials/Credentials.js"
import type * as ApiError from "../errors/ApiError.js"
import type * as ByStatus from "../response/ByStatus.js"
import type * as ResponseDecoder from "../response/ResponseDecoder.js"
import type * as RetryPolicy from "../retry/RetryPolicy.js"
import type * as Headers from "../wire/headers.js"
import type * as PathTemplate from "../wire/pathTemplate.js"
import type * as Query from "../wire/query.js"
import type * as RequestBody from "../wire/RequestBody.js"
import type * as PageContract from "./PageContract.js"

/**
 * The client's settings that a request may override.
 *
 * @since 0.1.0
 * @category models
 */
export interface Overrides<Q = Query.QueryInput, H = Headers.HeadersInput> {
  /** Parameters of the URL. One replaces the client's of that name, `null` drops it. A function replaces them all. */
  readonly query?: Q | OverridesOf.Replace<"query", Query.QueryInput> | undefined
  /**
   * Headers of the request, merged over the client's; `null` removes one. A plain object, a `Headers`, a `Map` or
   * pairs. A function of the client's headers replaces them.
   */
  readonly headers?: H | OverridesOf.Replace<"headers", Headers.HeadersInput> | undefined
  /** The timeouts to change; the client's others still apply. A function of the client's replaces them. */
  readonly timeouts?: Laid<"timeouts", Timeouts.Options> | undefined
  /**
   * The changes to the client's retries: single settings, or a schedule, which decides when. A whole policy, or a
   * function of the client's retries, replaces them.
   */
  readonly retry?: Laid<"retry", RetryPolicy.Retry> | undefined
  /**
   * Sent in place of the client's credentials, such as those of a tenant; `Credentials.none` sends none. They take
   * precedence over the client's headers. Make them once for each tenant: a client keeps the token of a value.
   */
  readonly credentials?: Credentials.Credentials | undefined
  /** Compresses the body, in place of the client's compression; `false` sends it as it is. */
  readonly compression?: Compressing.Setting | undefined
  /**
   * Where limits of the client make calls wait, a higher number goes first (0). Calls of the same priority go in the
   * order in which they came.
   */
  readonly priority?: number | undefined
  /** Sent as the client's `idempotency.header`, or as `idempotency-key` if the client has none. */
  readonly idempotencyKey?: string | undefined
  /** Runs inside the client's own middleware. A function of the client's list replaces it. */
  readonly middleware?: Laid<"middleware", ReadonlyArray<Middleware.Middleware>> | undefined
}

type Laid<K, A> = OverridesOf.Override<K, A>

/**
 * The fields of an interface, which has no index signature: a type alias or a literal would fit without this. A field
 * that no query can hold (a function, a promise) does not compile.
 */
export type Fields<A, Value> = { readonly [K in keyof A]: FieldOf<A[K], Value> }

type FieldOf<A, Value> = A extends Value
  ? A
  : A extends ((...args: never) => unknown) | PromiseLike<unknown> | symbol
    ? never
    : A extends object
      ? Fields<A, Value>
      : never

/** The same for headers, whose values do not nest. */
export type HeadersOf<A> = object & {
  readonly [K in keyof A]: A extends Iterable<readonly [string, Headers.HeaderValue]>
    ? A[K]
    : A[K] extends Headers.HeaderValue
      ? A[K]
      : never
}

/** The type of a query or a form; of any object if a schema encodes it. */
export type QueryOf<A, QS = NotEncoded> = [QS] extends [NotEncoded]
  ? object & Fields<A, Query.QueryValue>
  : object

/** The schemas that encode `path` and `query`. */
export interface SchemaOptions<PS, QS> {
  /**
   * Encodes `path`: the values of the template's names, as the schema's type has them. A value that does not fit fails with an
   * `InvalidRequestError` that names it, and nothing is sent.
   */
  readonly pathSchema?: PS | undefined
  /**
   * Encodes `query`, in the same way. It does not encode the client's own parameters, and those of the next page.
   */
  readonly querySchema?: QS | undefined
}

/** A schema that encodes without services. */
export type Encoder = Schema.Schema.AnyNoContext

/** The type parameter of a path or a query without a schema. */
export interface NotEncoded {
  readonly NoSchema: unique symbol
}

type TypeOf<S> = S extends Encoder ? Schema.Schema.Type<S> : never

/** The `query` option, as its schema has it. */
type QueryOption<QS> = [QS] extends [NotEncoded] ? unknown : { readonly query: TypeOf<QS> }

/** The options of a request. */
export interface Options<S, F, Q = Query.QueryInput, H = Headers.HeadersInput> extends Overrides<Q, H> {
  /**
   * How to decode the response: a schema of any kind, or a `ResponseDecoder`. Or these by status: `{ 200: Done, 202:
   * Pending }`, with ranges (`"2xx"`) and `default`; the value is their union. Any status may be named, 304 and 404
   * as well; a redirect that is named is not followed. Without it, unchecked JSON.
   */
  readonly success?: S | undefined
  /**
   * Your own errors by status, by range (`"4xx"`), or for all that are no success (`default`). The schema decodes the
   * body; a body that does not fit leaves the ordinary error. A 2xx status may be an error too, such as 202.
   *
   * An error of a single status is the end of the call, unless `retry.retryable` or the server asks for a retry. An
   * error of a range or of `default` is retried by the table.
   */
  readonly failure?: (F & NamesOf<F>) | undefined
}

/** A name that is no status and no range does not compile. */
type NamesOf<A> = { readonly [K in Exclude<keyof A, ByStatus.Names>]: never }

/** The options of a request that may have a body. */
export interface BodyOptions<S, F, B, I, Q = Query.QueryInput, H = Headers.HeadersInput, P = Query.QueryInput>
  extends Options<S, F, Q, H>,
    RequestBody.Options<B, I, P> {}

/** Makes a request one for a stream of events, or one for pages. */
export interface ResultOptions<S, V, Item> {
  /** The contract of a stream of events, from `EventStream`. */
  readonly events?: V | undefined
  /** How the list is split into pages, from `Pagination`. */
  readonly pagination?: PageContract.Pagination<NoInfer<ResponseDecoder.Success<S>>, Item> | undefined
}

/** The names in a path template: `"id"` for `/todos/{id}`, `"bucket" | "key"` for `/{bucket}/{+key}`. */
export type PathNames<Template extends string> = RequiredNames<Template> | OptionalNames<Template>

/** The names of `{name}`, `{a,b}` and `{+name}`. */
type RequiredNames<Template extends string> = Template extends `${string}{${infer Names}}${infer Rest}`
  ?
      | (Names extends `${Optional}${string}` ? never : Listed<Names extends `+${infer List}` ? List : Names>)
      | RequiredNames<Rest>
  : never

/** The names of `{/name}`, `{?name}`, `{&name}` and their lists. */
type OptionalNames<Template extends string> = Template extends `${string}{${infer Names}}${infer Rest}`
  ? (Names extends `${Optional}${infer List}` ? Listed<List> : never) | OptionalNames<Rest>
  : never

type Optional = "/" | "?" | "&"

type Listed<Names extends string> = Names extends `${infer Name},${infer Rest}`
  ? Unstarred<Name> | Listed<Rest>
  : Unstarred<Names>

type Unstarred<Name extends string> = Name extends `${infer Bare}*` ? Bare : Name

/** The `path` option of a template: as its schema has it, none, or exactly the template's names. */
export type PathOption<Template extends string, PS = NotEncoded> = [PS] extends [NotEncoded]
  ? PathOf<Template>
  : { readonly path: TypeOf<PS> }

type PathOf<Template extends string> = string extends Template
  ? { readonly path?: PathTemplate.PathParams | undefined }
  : [OptionalNames<Template>] extends [never]
    ? [RequiredNames<Template>] extends [never]
      ? { readonly path?: undefined }
      : { readonly path: RequiredValues<Template> }
    : [RequiredNames<Template>] extends [never]
      ? { readonly path?: OptionalValues<Template> | undefined }
      : { readonly path: RequiredValues<Template> & OptionalValues<Template> }

type RequiredValues<Template extends string> = {
  readonly [Name in RequiredNames<Template>]: PathTemplate.PathValue
}

type OptionalValues<Template extends string> = {
  readonly [Name in OptionalNames<Template>]?: PathTemplate.OptionalPathValue
}

/** What decodes a response: a schema, a decoder, or these by status. */
export type Successes = ResponseDecoder.Decodable | ResponseDecoder.DecodableByStatus

/** The caller's own errors by status. */
export type Failures = ResponseDecoder.DecodableByStatus

/** The caller's own errors by status, of which only the type `E` is known. */
export interface FailureOf<out E> extends Failures {
  readonly [failure]?: E
}

declare const failure: unique symbol

/** The arguments after a template: optional if it needs no values. */
export type RequestArguments<Template extends string, Options, PS = NotEncoded, QS = NotEncoded> = [
  RequiredNames<Template>
] extends [never]
  ? [options?: Options & SchemaOptions<PS, QS> & PathOption<Template, PS> & QueryOption<QS>]
  : [options: Options & SchemaOptions<PS, QS> & PathOption<Template, PS> & QueryOption<QS>]

/** The decoder of a request without `success`. */
export type Unchecked = ResponseDecoder.ResponseDecoder<unknown>

/** The types that `failure` decodes to. */
export type Failure<F> = ResponseDecoder.Type<F[keyof F]>

/** A client's method for requests without a body: template and options in, value out. */
export type Verb<R = never, E = never> = <
  const Template extends string,
  S extends Successes = Unchecked,
  F extends Failures = {},
  Q extends QueryOf<Q, QS> = Query.QueryInput,
  H extends HeadersOf<H> = Headers.HeadersInput,
  PS extends Encoder | NotEncoded = NotEncoded,
  QS extends Encoder | NotEncoded = NotEncoded
>(
  template: Template,
  ...args: RequestArguments<Template, Options<S, F, Q, H>, PS, QS>
) => Effect.Effect<ResponseDecoder.Success<S>, ApiError.ApiError | Failure<F> | E, R>

/** A client's method for requests that may have a body: template and options in, value out. */
export type VerbWithBody<R = never, E = never> = <
  const Template extends string,
  S extends Successes = Unchecked,
  F extends Failures = {},
  B = unknown,
  I = unknown,
  Q extends QueryOf<Q, QS> = Query.QueryInput,
  H extends HeadersOf<H> = Headers.HeadersInput,
  P extends QueryOf<P> = Query.QueryInput,
  PS extends Encoder | NotEncoded = NotEncoded,
  QS extends Encoder | NotEncoded = NotEncoded
>(
  template: Template,
  ...args: RequestArguments<Template, BodyOptions<S, F, B, I, Q, H, P>, PS, QS>
) => Effect.Effect<ResponseDecoder.Success<S>, ApiError.ApiError | Failure<F> | E, R>

/**
 * The type parameter of a request without events. Not `undefined`: without `strictNullChecks` every contract would
 * match that.
 */
export interface NotStreamed {
  readonly NoEvents: unique symbol
}

/** The type parameter of a request without pages. */
export interface NotPaginated {
  readonly NoPages: unique symbol
}
