/**
 * A request as a value: what to send and what comes back. Nothing happens until a client executes it.
 *
 * @since 0.1.0
 */
import { type Pipeable, Predicate, type Schema } from "effect"
import { dual } from "effect/Function"
import { pipeArguments } from "effect/Pipeable"
import type * as ApiConfig from "./ApiConfig.js"
import type * as Headers from "./internal/headers.js"
import type * as Query from "./internal/query.js"
import type * as Url from "./internal/url.js"
import type * as Middleware from "./Middleware.js"
import * as ResponseDecoder from "./ResponseDecoder.js"
import type * as Timeouts from "./Timeouts.js"

/**
 * Type id of {@link ApiRequest}.
 *
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/ApiRequest")

/**
 * The methods a request may have.
 *
 * @since 0.1.0
 * @category models
 */
export type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS"

/**
 * A request that gives an `A`, or the caller's own error `E` for the statuses named in `failure`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ApiRequest<out A, out E = never> extends Pipeable.Pipeable {
  readonly [TypeId]: typeof TypeId
  readonly method: Method
  readonly template: string
  readonly path: Url.PathParams | undefined
  readonly options: Overrides &
    Partial<Record<BodyKind, unknown>> & { readonly bodySchema?: Schema.Schema.AnyNoContext | undefined }
  readonly success: ResponseDecoder.ResponseDecoder<A>
  readonly failure: { readonly [status: number]: ResponseDecoder.ResponseDecoder<E> }
}

/**
 * The ways to give a body; a request has at most one.
 *
 * @since 0.1.0
 * @category models
 */
export type BodyKind = "body" | "form" | "text" | "bytes"

/**
 * What a request may set over its client's settings.
 *
 * @since 0.1.0
 * @category models
 */
export interface Overrides {
  readonly query?: Query.QueryInput | undefined
  readonly headers?: Headers.HeadersInput | undefined
  readonly timeouts?: Timeouts.Options | undefined
  readonly retry?: ApiConfig.Retry | undefined
  /** Sent as the client's `idempotency.header`; without one there, as `idempotency-key`. */
  readonly idempotencyKey?: string | undefined
  /** Runs inside the client's own middleware. */
  readonly middleware?: ReadonlyArray<Middleware.Middleware> | undefined
}

/**
 * The options of a request. `success` says what the answer is (JSON, unchecked, where it is left out); `failure` maps
 * statuses to the caller's own errors.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<S, F> extends Overrides {
  readonly success?: S | undefined
  readonly failure?: F | undefined
}

/**
 * The options of a request that may have a body: `body` (any JSON value, encoded by `bodySchema` where there is one),
 * `form` (urlencoded), `text` or `bytes`.
 *
 * @since 0.1.0
 * @category models
 */
export interface BodyOptions<S, F, B, I> extends Options<S, F> {
  readonly body?: NoInfer<B> | undefined
  readonly bodySchema?: Schema.Schema<B, I> | undefined
  readonly form?: Query.QueryInput | undefined
  readonly text?: string | undefined
  readonly bytes?: Uint8Array | undefined
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
 * Makes a request without a body from a path template and options.
 *
 * @since 0.1.0
 * @category models
 */
export type Make = <
  const Template extends string,
  S extends ResponseDecoder.Decodable = Unchecked,
  F extends Failures = {}
>(
  template: Template,
  ...args: Args<Template, Options<S, F>>
) => ApiRequest<ResponseDecoder.Type<S>, ResponseDecoder.Type<F[keyof F]>>

/**
 * Makes a request that may have a body from a path template and options.
 *
 * @since 0.1.0
 * @category models
 */
export type MakeWithBody = <
  const Template extends string,
  S extends ResponseDecoder.Decodable = Unchecked,
  F extends Failures = {},
  B = unknown,
  I = unknown
>(
  template: Template,
  ...args: Args<Template, BodyOptions<S, F, B, I>>
) => ApiRequest<ResponseDecoder.Type<S>, ResponseDecoder.Type<F[keyof F]>>

const Proto = {
  [TypeId]: TypeId,
  pipe() {
    // biome-ignore lint/complexity/noArguments: pipeArguments reads them without a copy
    return pipeArguments(this, arguments)
  }
}

const make =
  (method: Method) =>
  (
    template: string,
    options: Options<ResponseDecoder.Decodable, Failures> & {
      readonly path?: Url.PathParams | undefined
    } = {}
  ) => {
    const { failure, path, success, ...rest } = options
    const request = Object.create(Proto)
    request.method = method
    request.template = template
    request.path = path
    request.options = rest
    request.success = success === undefined ? ResponseDecoder.auto : ResponseDecoder.from(success)
    request.failure = {}
    for (const [status, decodable] of Object.entries(failure ?? {})) {
      request.failure[status] = ResponseDecoder.from(decodable)
    }
    return request
  }

/**
 * A GET request. Names in braces stand for path segments; a missing or misspelt one does not compile.
 *
 * @example
 * ```ts
 * import { ApiRequest } from "@effect-api/client"
 * import { Schema } from "effect"
 *
 * class Todo extends Schema.Class<Todo>("Todo")({ id: Schema.Number, title: Schema.String }) {}
 * class TodoMissing extends Schema.TaggedError<TodoMissing>()("TodoMissing", { message: Schema.String }) {}
 *
 * // ApiRequest<Todo, TodoMissing>
 * const getTodo = (id: number) =>
 *   ApiRequest.get("/todos/{id}", { path: { id }, success: Todo, failure: { 404: TodoMissing } })
 * ```
 * @since 0.1.0
 * @category constructors
 */
export const get: Make = make("GET")

/**
 * A HEAD request.
 *
 * @since 0.1.0
 * @category constructors
 */
export const head: Make = make("HEAD")

/**
 * A POST request.
 *
 * @since 0.1.0
 * @category constructors
 */
export const post: MakeWithBody = make("POST")

/**
 * A PUT request.
 *
 * @since 0.1.0
 * @category constructors
 */
export const put: MakeWithBody = make("PUT")

/**
 * A PATCH request.
 *
 * @since 0.1.0
 * @category constructors
 */
export const patch: MakeWithBody = make("PATCH")

/**
 * A DELETE request.
 *
 * @since 0.1.0
 * @category constructors
 */
export const del: MakeWithBody = make("DELETE")

/**
 * A request for a URL that is complete as it stands; what it sends besides is said elsewhere.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromUrl = (method: ApiRequest<unknown>["method"], url: string): ApiRequest<unknown> =>
  make(method)(url.split("?", 1)[0] ?? url)

/**
 * Whether a value is an {@link ApiRequest}.
 *
 * @since 0.1.0
 * @category guards
 */
export const isApiRequest = (u: unknown): u is ApiRequest<unknown, unknown> =>
  Predicate.hasProperty(u, TypeId)

/**
 * The same request with more set over the client's settings: headers and query merge, the rest is replaced.
 *
 * @example
 * ```ts
 * import { ApiRequest } from "@effect-api/client"
 *
 * const request = ApiRequest.get("/todos").pipe(
 *   ApiRequest.override({ headers: { "x-trace": "on" }, timeouts: { total: "5 seconds" } })
 * )
 * ```
 * @since 0.1.0
 * @category combinators
 */
export const override: {
  (overrides: Overrides): <A, E>(self: ApiRequest<A, E>) => ApiRequest<A, E>
  <A, E>(self: ApiRequest<A, E>, overrides: Overrides): ApiRequest<A, E>
} = dual(
  2,
  <A, E>(self: ApiRequest<A, E>, overrides: Overrides): ApiRequest<A, E> =>
    Object.assign(Object.create(Proto), self, {
      options: {
        ...self.options,
        ...overrides,
        headers: { ...self.options.headers, ...overrides.headers },
        query: { ...self.options.query, ...overrides.query }
      }
    })
)
