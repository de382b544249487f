/**
 * A request as a value: what to send, and how to decode the response. Nothing happens until a client executes it.
 *
 * @since 0.1.0
 */

import { dual } from "effect/Function"
import type * as Pipeable from "effect/Pipeable"
import { pipeArguments } from "effect/Pipeable"
import * as Overrides from "../config/Overrides.js"
import * as ByStatus from "../response/ByStatus.js"
import * as ResponseDecoder from "../response/ResponseDecoder.js"
import type { InvalidInput } from "../shared/invalid.js"
import type * as Headers from "../wire/headers.js"
import { promisedBy, spellingProblem } from "../wire/methodRegistry.js"
import type { Promised } from "../wire/methods.js"
import type * as PathTemplate from "../wire/pathTemplate.js"
import type * as Query from "../wire/query.js"
import type * as RequestBody from "../wire/RequestBody.js"
import type * as PageContract from "./PageContract.js"
import type * as RequestOptions from "./RequestOptions.js"
import * as RequestShape from "./RequestShape.js"
import type * as StreamContract from "./StreamContract.js"

/** Type id of {@link ApiRequest}. @since 0.1.0 @category type ids */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/ApiRequest")

export type { FilePart } from "../wire/Multipart.js"
export { type BodyStream, type ByteSource, json as toJson } from "../wire/RequestBody.js"
export type { Overrides } from "./RequestOptions.js"

/**
 * The method of a request: any token of RFC 9110, 5.6.2, in the case of its definition.
 *
 * @since 0.1.0
 * @category models
 */
export type Method =
  | "GET"
  | "HEAD"
  | "POST"
  | "PUT"
  | "PATCH"
  | "DELETE"
  | "OPTIONS"
  | "QUERY"
  | (string & {})

/**
 * The common part of all requests.
 *
 * @since 0.1.0
 * @category models
 */
export interface Request<out E = unknown> extends Pipeable.Pipeable {
  readonly [TypeId]: typeof TypeId
  readonly method: Method
  /** What the method promises (RFC 9110, 9.2): the client retries what is safe or idempotent. */
  readonly promised: Promised
  /** Names the request in spans and logs, without values. */
  readonly template: string
  readonly path: PathTemplate.PathParams | undefined
  /** A complete URL, sent in place of template, path and query. */
  readonly url: string | undefined
  /** What the URL replaced: its secrets may also be part of the URL. */
  readonly replaced: unknown
  readonly options: RequestOptions.Overrides &
    RequestBody.Erased &
    RequestOptions.SchemaOptions<RequestOptions.Encoder, RequestOptions.Encoder> & {
      /** The parameters of the next page, as they are sent: no schema encodes them. */
      readonly nextQuery?: Query.QueryInput | undefined
    }
  readonly accept: string
  /** The caller's own errors by status, as given: a decoder is made only when it is needed. */
  readonly failure: RequestOptions.FailureOf<E>
  /** How to decode the response; none for a stream of events. */
  readonly success?: ResponseDecoder.ResponseDecoder<unknown>
  /** An unknown option, or one of the wrong kind: the request fails before it is sent. */
  readonly problem: InvalidInput | undefined
}

/**
 * A request that returns an `A`, or fails with the caller's own error `E` for the statuses in `failure`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ApiRequest<out A, out E = never> extends Request<E> {
  readonly success: ResponseDecoder.ResponseDecoder<A>
}

/**
 * A request for a stream of events of type `A`.
 *
 * @since 0.1.0
 * @category models
 */
export interface StreamRequest<out A, out E = never> extends Request<E> {
  readonly events: StreamContract.EventStream<A, E>
}

/**
 * A request for a page that also describes how to request the next one.
 *
 * @since 0.1.0
 * @category models
 */
export interface PageRequest<in out Page, out Item, out E = never> extends ApiRequest<Page, E> {
  readonly pagination: PageContract.Pagination<Page, Item>
}

/**
 * The type of request that a set of options makes.
 *
 * @since 0.1.0
 * @category models
 */
export type RequestFor<S, F, V, Item> = [V] extends [StreamContract.EventStream<infer A, infer E>]
  ? StreamRequest<A, E | RequestOptions.Failure<F>>
  : [Item] extends [RequestOptions.NotPaginated]
    ? ApiRequest<ResponseDecoder.Success<S>, RequestOptions.Failure<F>>
    : PageRequest<ResponseDecoder.Success<S>, Item, RequestOptions.Failure<F>>

/**
 * Makes a request without a body from a path template and options.
 *
 * @since 0.1.0
 * @category models
 */
export type RequestConstructor = <
  const Template extends string,
  S extends RequestOptions.Successes = RequestOptions.Unchecked,
  F extends RequestOptions.Failures = {},
  V extends
    | StreamContract.EventStream<unknown, unknown>
    | RequestOptions.NotStreamed = RequestOptions.NotStreamed,
  Item = RequestOptions.NotPaginated,
  Q extends RequestOptions.QueryOf<Q, QS> = Query.QueryInput,
  H extends RequestOptions.HeadersOf<H> = Headers.HeadersInput,
  PS extends RequestOptions.Encoder | RequestOptions.NotEncoded = RequestOptions.NotEncoded,
  QS extends RequestOptions.Encoder | RequestOptions.NotEncoded = RequestOptions.NotEncoded
>(
  template: Template,
  ...args: RequestOptions.RequestArguments<
    Template,
    RequestOptions.Options<S, F, Q, H> & RequestOptions.ResultOptions<S, V, Item>,
    PS,
    QS
  >
) => RequestFor<S, F, V, Item>

/**
 * Makes a request that may have a body from a path template and options.
 *
 * @since 0.1.0
 * @category models
 */
export type BodyRequestConstructor = <
  const Template extends string,
  S extends RequestOptions.Successes = RequestOptions.Unchecked,
  F extends RequestOptions.Failures = {},
  V extends
    | StreamContract.EventStream<unknown, unknown>
    | RequestOptions.NotStreamed = RequestOptions.NotStreamed,
  Item = RequestOptions.NotPaginated,
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
    RequestOptions.BodyOptions<S, F, B, I, Q, H, P> & RequestOptions.ResultOptions<S, V, Item>,
    PS,
    QS
  >
) => RequestFor<S, F, V, Item>

const Proto = {
  [TypeId]: TypeId,
  pipe() {
    // biome-ignore lint/complexity/noArguments: pipeArguments reads them without a copy
    return pipeArguments(this, arguments)
  }
}

/** The request that any of the options make. */
type Value = {
  -readonly [K in keyof (Request & Fields)]: (Request & Fields)[K]
}

interface Fields {
  readonly success?: ResponseDecoder.ResponseDecoder<unknown>
  readonly events?: StreamContract.EventStream<unknown, unknown>
  readonly pagination?: unknown
}

// The type of the result follows from the options; here they have lost their types.
const constructing = (method: Method, promised: Promised, unsendable?: InvalidInput) =>
  ((template: string, options: RequestShape.Erased = {}) => {
    const { events, failure, pagination, path, success: decodable, ...rest } = options
    const problem = unsendable ?? RequestShape.problemOfAll(options)
    const success =
      decodable === undefined || problem !== undefined
        ? ResponseDecoder.auto
        : ResponseDecoder.fromSuccess(decodable)
    const request: Value = Object.create(Proto)
    request.method = method
    request.promised = promised
    request.template = template
    request.path = path
    request.options = rest
    request.accept = events?.accept ?? success.accept
    request.failure = problem === undefined ? (failure ?? ByStatus.none) : ByStatus.none
    request.problem = problem
    if (events === undefined) request.success = success
    else request.events = events
    if (pagination !== undefined) request.pagination = pagination
    return request
  }) as RequestConstructor & BodyRequestConstructor

/**
 * A GET request. Names in braces stand for path segments; a missing or misspelt one does not compile. Of RFC 6570, templates
 * also have `{+path}`, which keeps slashes, `{/optional}`, `{/list*}`, `{?query}` and `{&query}`.
 *
 * @example
 * ```ts
 * import { ApiRequest, Pagination } from "@effect-api/client"
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
export const get: RequestConstructor = /*#__PURE__*/ constructing("GET", "safe")

/** A HEAD request. @since 0.1.0 @category constructors */
export const head: RequestConstructor = /*#__PURE__*/ constructing("HEAD", "safe")

/** A POST request. @since 0.1.0 @category constructors */
export const post: BodyRequestConstructor = /*#__PURE__*/ constructing("POST", "nothing")

/** A PUT request. @since 0.1.0 @category constructors */
export const put: BodyRequestConstructor = /*#__PURE__*/ constructing("PUT", "idempotent")

/** A PATCH request. @since 0.1.0 @category constructors */
export const patch: BodyRequestConstructor = /*#__PURE__*/ constructing("PATCH", "nothing")

/** A DELETE request. @since 0.1.0 @category constructors */
export const del: BodyRequestConstructor = /*#__PURE__*/ constructing("DELETE", "idempotent")

/**
 * A constructor of requests with any method, which may have a body: QUERY (RFC 10008), OPTIONS, PROPFIND or one of the
 * API's own. The client retries a method like GET or PUT if the IANA HTTP Method Registry calls it idempotent, and like
 * POST otherwise. A method that no transport sends as it is fails the request with an `InvalidRequestError` when it
 * runs: one that is no token (RFC 9110, 5.6.2), `query` for `QUERY`, and CONNECT, TRACE and TRACK, which fetch forbids.
 *
 * @example
 * ```ts
 * import { ApiClient, ApiRequest } from "@effect-api/client"
 * import { Schema } from "effect"
 *
 * const Hits = Schema.Array(Schema.Struct({ id: Schema.Number }))
 * const query = ApiRequest.make("QUERY")
 *
 * const program = ApiClient.execute(query("/contacts", { body: { name: "Ann" }, success: Hits }))
 * ```
 * @since 3.1.0
 * @category constructors
 */
export const make = (method: Method): BodyRequestConstructor => {
  const problem = spellingProblem(method)
  return constructing(problem === undefined ? method : "(invalid)", promisedBy(method), problem)
}

/**
 * The same request with pagination. The type of the page comes from the request, so `items` needs no annotation.
 *
 * @example
 * ```ts
 * import { ApiRequest, Pagination } from "@effect-api/client"
 * import { Schema } from "effect"
 *
 * const Page = Schema.Struct({ data: Schema.Array(Schema.Struct({ id: Schema.String })), has_more: Schema.Boolean })
 *
 * const models = ApiRequest.get("/v1/models", { success: Page }).pipe(
 *   ApiRequest.paginate(Pagination.cursor({ items: (page) => page.data }))
 * )
 * ```
 * @since 0.1.0
 * @category combinators
 */
export const paginate: {
  <Page, Item>(
    pagination: PageContract.Pagination<Page, Item>
  ): <E>(self: ApiRequest<Page, E>) => PageRequest<Page, Item, E>
  <Page, Item, E>(
    self: ApiRequest<Page, E>,
    pagination: PageContract.Pagination<Page, Item>
  ): PageRequest<Page, Item, E>
} = /*#__PURE__*/ dual(
  2,
  <Page, Item, E>(
    self: ApiRequest<Page, E>,
    pagination: PageContract.Pagination<Page, Item>
  ): PageRequest<Page, Item, E> => Object.assign(Object.create(Proto), self, { pagination })
)

/**
 * A request for a complete URL, such as a link to the next page: it replaces template, path and query.
 *
 * @since 0.1.0
 * @category combinators
 */
export const atUrl: {
  (url: string): <R extends Request>(self: R) => R
  <R extends Request>(self: R, url: string): R
} = /*#__PURE__*/ dual(
  2,
  <R extends Request>(self: R, url: string): R =>
    change(self, {
      url,
      replaced: self.replaced ?? [self.path, self.options.query],
      options: { ...self.options, query: undefined, nextQuery: undefined }
    })
)

/**
 * The same request with more options merged over it and over the client's settings. Headers, query, timeouts and
 * retry merge by field, middleware is appended, the rest is replaced. A function of the old value, the client's
 * included, replaces it.
 *
 * @example
 * ```ts
 * import { ApiRequest, Pagination } from "@effect-api/client"
 *
 * const request = ApiRequest.get("/todos").pipe(
 *   ApiRequest.override({ headers: { "x-trace": "on" }, timeouts: { total: "5 seconds" } })
 * )
 * ```
 * @since 0.1.0
 * @category combinators
 */
export const override: {
  <Q extends RequestOptions.QueryOf<Q> = Query.QueryInput>(
    overrides: RequestOptions.Overrides<Q>
  ): <R extends Request>(self: R) => R
  <R extends Request>(self: R, overrides: RequestOptions.Overrides<object>): R
} = /*#__PURE__*/ dual(
  2,
  <R extends Request>(self: R, overrides: RequestOptions.Overrides<object>): R =>
    change(self, {
      options: Overrides.composeAll(self.options, overrides),
      problem: self.problem ?? RequestShape.problem(overrides)
    })
)

const change = <R extends Request>(self: R, fields: Partial<Request>): R =>
  Object.assign(Object.create(Proto), self, fields)
