/**
 * The client. A layer configures it; it runs and retries requests, and fails with tagged errors.
 *
 * @since 0.1.0
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as ApiResponse from "./client/ApiResponse.js"
import * as Core from "./client/Core.js"
import * as Encoding from "./client/Encoding.js"
import * as Execution from "./client/Execution.js"
import * as PlatformClient from "./client/PlatformClient.js"
import type * as ApiConfig from "./config/ApiConfig.js"
import * as ConfigReader from "./config/ConfigReader.js"
import * as Overrides from "./config/Overrides.js"
import { resolveConfig } from "./config/resolveConfig.js"
import { endBackground } from "./credentials/singleFlight.js"
import type { ConfigError } from "./effect/configNodes.js"
import * as Sync from "./effect/sync.js"
import type * as ApiError from "./errors/ApiError.js"
import type * as Pages from "./pages/Pages.js"
import type * as Polling from "./polling/Polling.js"
import type * as ApiRequest from "./request/ApiRequest.js"
import type * as RequestOptions from "./request/RequestOptions.js"
import { verbsOf } from "./request/verbs.js"
import { carried } from "./shared/carried.js"
import type * as Streaming from "./stream/Streaming.js"
import type * as StreamResponse from "./stream/StreamResponse.js"

export {
  type ChunksVerb,
  type ValueVerb,
  type ValueVerbs,
  type ValueVerbWithBody,
  valueVerbs
} from "./request/valueVerbs.js"

/**
 * Type id of {@link ApiClient}.
 *
 * @internal
 */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/ApiClient")

/**
 * A client whose calls may also fail with an `F`: an error of the settings' `failure`. Its methods need nothing from the
 * environment.
 *
 * @example
 * ```ts
 * import { ApiClient } from "@effect-api/client"
 * import { Context, Layer, Schema } from "effect"
 *
 * class PaymentError extends Schema.TaggedError<PaymentError>()("PaymentError", {
 *   error: Schema.Struct({ code: Schema.String, message: Schema.String })
 * }) {}
 *
 * export class Payments extends Context.Tag("Payments")<Payments, ApiClient.Client<PaymentError>>() {
 *   static readonly layer = Layer.scoped(
 *     Payments,
 *     ApiClient.make({ baseUrl: "https://api.example.com", failure: { default: PaymentError } })
 *   )
 * }
 * ```
 * @since 3.1.0
 * @category models
 */
export interface Client<out F> {
  /** Runs a request to its value. */
  readonly execute: <A, E>(
    request: ApiRequest.ApiRequest<A, E>
  ) => Effect.Effect<A, ApiError.ApiError | E | F>
  /** Runs a request to its value with status, headers, request id, URL and attempts. */
  readonly executeWithResponse: <A, E>(
    request: ApiRequest.ApiRequest<A, E>
  ) => Effect.Effect<ApiResponse.ApiResponse<A>, ApiError.ApiError | E | F>
  /** Runs a request with `events` and returns their stream. */
  readonly stream: <A, E>(
    request: ApiRequest.StreamRequest<A, E>
  ) => Stream.Stream<A, ApiError.ApiError | E | F>
  /**
   * Runs a request with `events` up to its first events, and returns its response with their stream. The scope closes
   * the connection if the stream has not ended before.
   */
  readonly streamWithResponse: <A, E>(
    request: ApiRequest.StreamRequest<A, E>
  ) => Effect.Effect<
    ApiResponse.StreamResponse<A, ApiError.ApiError | E | F>,
    ApiError.ApiError | E | F,
    Scope.Scope
  >
  /**
   * Runs a request with `pagination` and returns the stream of its pages. The client requests a page once the one
   * before has been consumed.
   */
  readonly pages: <Page, Item, E>(
    request: ApiRequest.PageRequest<Page, Item, E>
  ) => Stream.Stream<Page, ApiError.ApiError | E | F>
  /** The same pages, each with status, headers, request id, URL and attempts. */
  readonly pagesWithResponse: <Page, Item, E>(
    request: ApiRequest.PageRequest<Page, Item, E>
  ) => Stream.Stream<ApiResponse.ApiResponse<Page>, ApiError.ApiError | E | F>
  /** Runs a request with `pagination` and returns the stream of all items, one chunk a page. */
  readonly items: <Page, Item, E>(
    request: ApiRequest.PageRequest<Page, Item, E>
  ) => Stream.Stream<Item, ApiError.ApiError | E | F>
  /** Waits for work elsewhere: sends the polls of a `Polling`, and returns the last value. */
  readonly poll: <A, P, E>(
    polling: Polling.Polling<A, P, E>
  ) => Effect.Effect<A, ApiError.ApiError | Polling.PollingTimeoutError | E | F>
  /** Waits for work elsewhere, and returns the stream of its progress. Each run of the stream polls anew. */
  readonly watch: <A, P, E>(
    polling: Polling.Polling<A, P, E>
  ) => Stream.Stream<P, ApiError.ApiError | Polling.PollingTimeoutError | E | F>
  /** The request as it would be sent, without credentials and per-attempt headers. Sends nothing. */
  readonly prepare: (
    request: ApiRequest.Request
  ) => Effect.Effect<HttpClientRequest.HttpClientRequest, ApiError.InvalidRequestError>
  readonly get: RequestOptions.Verb<never, F>
  readonly head: RequestOptions.Verb<never, F>
  readonly post: RequestOptions.VerbWithBody<never, F>
  readonly put: RequestOptions.VerbWithBody<never, F>
  readonly patch: RequestOptions.VerbWithBody<never, F>
  readonly del: RequestOptions.VerbWithBody<never, F>
  /**
   * The same client with other settings. It shares connections, cached credentials and retry budgets with this one.
   * Headers, query, queryFormat, timeouts, retry, limits and redact merge by field, middleware is appended, the rest
   * is replaced. A function of the old value replaces it: `middleware: () => []`. With an invalid setting every call
   * fails with `InvalidRequestError`.
   */
  readonly withOptions: {
    (options: Overrides.Overrides): Client<F>
    <G extends ApiConfig.Failures>(options: Overrides.Overrides<G>): Client<F | RequestOptions.Failure<G>>
  }
  /** @internal The parts of the client. */
  readonly [TypeId]: Core.Core
}

/**
 * A client. Its methods need nothing from the environment.
 *
 * @since 0.1.0
 * @category models
 */
export interface ApiClient extends Client<never> {
  /** The same client with other settings: see {@link Client}. */
  readonly withOptions: {
    (options: Overrides.Overrides): ApiClient
    <G extends ApiConfig.Failures>(options: Overrides.Overrides<G>): Client<RequestOptions.Failure<G>>
  }
}

/**
 * The service. A program with several APIs gives each a tag of its own around {@link make}.
 *
 * @since 0.1.0
 * @category tags
 */
export const ApiClient: Context.Tag<ApiClient, ApiClient> = /*#__PURE__*/ Context.GenericTag<ApiClient>(
  "@effect-api/client/ApiClient"
)

/**
 * A client on the `HttpClient` of the environment. Fails with an `InvalidConfigError` that names the setting.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: {
  (options: ApiConfig.Options): Effect.Effect<ApiClient, ApiConfig.InvalidConfigError, HttpClient.HttpClient>
  <F extends ApiConfig.Failures>(
    options: ApiConfig.Options<F>
  ): Effect.Effect<Client<RequestOptions.Failure<F>>, ApiConfig.InvalidConfigError, HttpClient.HttpClient>
} = (options: ApiConfig.Options<ApiConfig.Failures>) => makeUntyped(options)

/**
 * The same without the types of the settings' `failure`, for promises. `ownError` makes the error of a `failure`.
 *
 * @internal
 */
export const makeUntyped = (
  options: ApiConfig.Options<ApiConfig.Failures>,
  ownError?: (own: unknown, error: ApiError.StatusError) => unknown
): Effect.Effect<ApiClient, ApiConfig.InvalidConfigError, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const config = yield* Sync.fromResult(resolveConfig(options))
    const init = Option.getOrUndefined(yield* Effect.serviceOption(FetchHttpClient.RequestInit))
    const core = Core.makeCore({ ...config, ownError }, yield* HttpClient.HttpClient, init)
    // The scope of a layer, or one that the caller opened: background work ends with it.
    const scope = Option.getOrUndefined(yield* Effect.serviceOption(Scope.Scope))
    if (scope !== undefined) yield* Scope.addFinalizer(scope, endBackground(core.background))
    return fromCore<never>(core)
  })

/**
 * `withOptions` in the same way.
 *
 * @internal
 */
export const withUntyped = (client: ApiClient, options: Overrides.Overrides<ApiConfig.Failures>): ApiClient =>
  fromCore<never>(Core.withOptions(client[TypeId], options))

const fromCore = <F>(core: Core.Core): Client<F> => {
  const execute = <A, E>(request: ApiRequest.ApiRequest<A, E>): Effect.Effect<A, ApiError.ApiError | E | F> =>
    Execution.execute(core, request)
  return {
    execute,
    executeWithResponse: (request) => Execution.executeWithResponse(core, request),
    stream: (request) => carried<typeof Streaming.stream>(request.events.run)(core, request),
    streamWithResponse: (request) =>
      carried<typeof StreamResponse.streamWithResponse>(request.events.runWithResponse)(core, request),
    pages: (request) => carried<typeof Pages.pages>(request.pagination.walk.pages)(core, request),
    pagesWithResponse: (request) =>
      carried<typeof Pages.pagesWithResponse>(request.pagination.walk.pagesWithResponse)(core, request),
    items: (request) => carried<typeof Pages.items>(request.pagination.walk.items)(core, request),
    poll: (polling) => polling.poll(core),
    watch: (polling) => polling.watch(core),
    prepare: (request) => Encoding.prepare(core, request),
    ...(verbsOf((make, template, options) => execute(make(template, options))) as Verbs<F>),
    // Only the types know which errors the settings add.
    withOptions: (options: Overrides.Overrides<ApiConfig.Failures>) =>
      fromCore<never>(Core.withOptions(core, options)),
    [TypeId]: core
  }
}

type Verbs<F> = Pick<Client<F>, "get" | "head" | "post" | "put" | "patch" | "del">

/**
 * A client as a layer, on any `HttpClient` layer.
 *
 * @example
 * ```ts
 * import { FetchHttpClient } from "@effect/platform"
 * import { ApiClient, Credentials, EventStream } from "@effect-api/client"
 * import { Layer, Redacted } from "effect"
 *
 * const Live = ApiClient.layer({
 *   baseUrl: "https://api.example.com/v1",
 *   credentials: Credentials.bearer(Redacted.make("secret")),
 *   timeouts: { response: "30 seconds", total: "2 minutes" },
 *   retry: { maxRetries: 3 }
 * }).pipe(Layer.provide(FetchHttpClient.layer))
 * ```
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: ApiConfig.Options
): Layer.Layer<ApiClient, ApiConfig.InvalidConfigError, HttpClient.HttpClient> =>
  Layer.scoped(ApiClient, make(options))

/**
 * A client as a layer that reads its settings from `Config`. Settings in `explicit` take precedence. A blank value
 * counts as unset: environments often have them.
 *
 * @example
 * ```ts
 * import { ApiClient, Credentials, EventStream } from "@effect-api/client"
 * import { Config } from "effect"
 *
 * const Live = ApiClient.layerConfig({
 *   baseUrl: Config.string("API_BASE_URL").pipe(Config.withDefault("https://api.example.com")),
 *   credentials: Config.redacted("API_KEY").pipe(
 *     Config.map((key) => Credentials.header("x-api-key", key)),
 *     Config.withDefault(Credentials.none)
 *   )
 * })
 * ```
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config: Config.Config.Wrap<ApiConfig.Options>,
  explicit: Overrides.Overrides = {}
): Layer.Layer<ApiClient, ApiConfig.InvalidConfigError | ConfigError, HttpClient.HttpClient> =>
  Layer.scoped(
    ApiClient,
    Effect.flatMap(
      ConfigReader.blankAsMissing(Config.unwrap(ConfigReader.omitExplicit(config, explicit))),
      (options) => make(Overrides.merge(options, explicit))
    )
  )

/**
 * A plain `HttpClient` with the client's credentials, retries, limits and telemetry. It returns responses of every
 * status. A path without an origin is joined to the base URL.
 *
 * @since 0.1.0
 * @category conversions
 */
export const httpClient = (client: Client<unknown>): HttpClient.HttpClient =>
  PlatformClient.make(client[TypeId])

/**
 * The client of the environment as a plain `HttpClient`, for libraries that need one: `HttpApiClient`, `@effect/rpc`,
 * `@effect/ai-anthropic`. See {@link httpClient}. Each use has the client that is provided to it, also in one layer with others.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerHttpClient: Layer.Layer<HttpClient.HttpClient, never, ApiClient> =
  /*#__PURE__*/ Layer.fresh(
    /*#__PURE__*/ Layer.effect(HttpClient.HttpClient, /*#__PURE__*/ Effect.map(ApiClient, httpClient))
  )

/**
 * Runs a request with the client of the environment.
 *
 * @example
 * ```ts
 * import { ApiClient, ApiRequest, Credentials, EventStream } from "@effect-api/client"
 * import { Effect, Schema } from "effect"
 *
 * const Todo = Schema.Struct({ id: Schema.Number, title: Schema.String })
 *
 * const program = ApiClient.execute(ApiRequest.get("/todos/{id}", { path: { id: 1 }, success: Todo })).pipe(
 *   Effect.catchTag("RateLimitError", (error) => Effect.logWarning(`asked to wait: ${error.retryAfter}`))
 * )
 * ```
 * @since 0.1.0
 * @category accessors
 */
export const execute = <A, E>(
  request: ApiRequest.ApiRequest<A, E>
): Effect.Effect<A, ApiError.ApiError | E, ApiClient> =>
  Effect.flatMap(ApiClient, (client) => client.execute(request))

/**
 * Runs a request to its value with status, headers, request id, URL and attempts.
 *
 * @since 0.1.0
 * @category accessors
 */
export const executeWithResponse = <A, E>(
  request: ApiRequest.ApiRequest<A, E>
): Effect.Effect<ApiResponse.ApiResponse<A>, ApiError.ApiError | E, ApiClient> =>
  Effect.flatMap(ApiClient, (client) => client.executeWithResponse(request))

/**
 * Runs a request with `events` and returns their stream, under the contract of the request.
 *
 * @example
 * ```ts
 * import { ApiClient, ApiRequest, Credentials, EventStream } from "@effect-api/client"
 * import { Console, Schema, Stream } from "effect"
 *
 * const Token = Schema.Struct({ text: Schema.String })
 * const answer = ApiRequest.post("/answers", {
 *   body: { question: "why?" },
 *   events: EventStream.make({ event: Token, terminal: "[DONE]" })
 * })
 *
 * const program = ApiClient.stream(answer).pipe(Stream.runForEach((token) => Console.log(token.text)))
 * ```
 * @since 0.1.0
 * @category accessors
 */
export const stream = <A, E>(
  request: ApiRequest.StreamRequest<A, E>
): Stream.Stream<A, ApiError.ApiError | E, ApiClient> =>
  Stream.unwrap(Effect.map(ApiClient, (client) => client.stream(request)))

/**
 * Runs a request with `events` up to its first events, and returns its response with their stream. Attempts are retried
 * up to that moment. The stream runs once; it closes the connection when it ends or is left. The scope closes it at the
 * latest, also if nobody runs the stream.
 *
 * @example
 * ```ts
 * import { ApiClient, ApiRequest, EventStream } from "@effect-api/client"
 * import { Console, Effect, Schema, Stream } from "effect"
 *
 * const Token = Schema.Struct({ text: Schema.String })
 * const answer = ApiRequest.post("/answers", {
 *   body: { question: "why?" },
 *   events: EventStream.make({ event: Token, terminal: "[DONE]" })
 * })
 *
 * const program = Effect.scoped(
 *   Effect.gen(function* () {
 *     const { headers, requestId, stream } = yield* ApiClient.streamWithResponse(answer)
 *     yield* Console.log(requestId, headers["x-ratelimit-remaining"])
 *     yield* Stream.runForEach(stream, (token) => Console.log(token.text))
 *   })
 * )
 * ```
 * @since 3.1.0
 * @category accessors
 */
export const streamWithResponse = <A, E>(
  request: ApiRequest.StreamRequest<A, E>
): Effect.Effect<
  ApiResponse.StreamResponse<A, ApiError.ApiError | E>,
  ApiError.ApiError | E,
  ApiClient | Scope.Scope
> => Effect.flatMap(ApiClient, (client) => client.streamWithResponse(request))

/** Runs a request with `pagination` and returns the stream of its pages. @since 0.1.0 @category accessors */
export const pages = <Page, Item, E>(
  request: ApiRequest.PageRequest<Page, Item, E>
): Stream.Stream<Page, ApiError.ApiError | E, ApiClient> =>
  Stream.unwrap(Effect.map(ApiClient, (client) => client.pages(request)))

/**
 * Runs a request with `pagination` and returns the stream of its pages, each with its response: status, headers, request
 * id, URL and attempts.
 *
 * @since 3.1.0
 * @category accessors
 */
export const pagesWithResponse = <Page, Item, E>(
  request: ApiRequest.PageRequest<Page, Item, E>
): Stream.Stream<ApiResponse.ApiResponse<Page>, ApiError.ApiError | E, ApiClient> =>
  Stream.unwrap(Effect.map(ApiClient, (client) => client.pagesWithResponse(request)))

/** Runs a request with `pagination` and returns the stream of all items. @since 0.1.0 @category accessors */
export const items = <Page, Item, E>(
  request: ApiRequest.PageRequest<Page, Item, E>
): Stream.Stream<Item, ApiError.ApiError | E, ApiClient> =>
  Stream.unwrap(Effect.map(ApiClient, (client) => client.items(request)))

/**
 * Waits for work elsewhere: sends the polls of a `Polling`, and returns the last value.
 *
 * @since 3.1.0
 * @category accessors
 */
export const poll = <A, P, E>(
  polling: Polling.Polling<A, P, E>
): Effect.Effect<A, ApiError.ApiError | Polling.PollingTimeoutError | E, ApiClient> =>
  Effect.flatMap(ApiClient, (client) => client.poll(polling))

/**
 * Waits for work elsewhere, and returns the stream of its progress: what `progress` of the `Polling` returns for each
 * poll, the last one included. Each run of the stream polls anew.
 *
 * @since 3.1.0
 * @category accessors
 */
export const watch = <A, P, E>(
  polling: Polling.Polling<A, P, E>
): Stream.Stream<P, ApiError.ApiError | Polling.PollingTimeoutError | E, ApiClient> =>
  Stream.unwrap(Effect.map(ApiClient, (client) => client.watch(polling)))

/**
 * The request as it would be sent. Sends nothing.
 *
 * @since 0.1.0
 * @category accessors
 */
export const prepare = (
  request: ApiRequest.Request
): Effect.Effect<HttpClientRequest.HttpClientRequest, ApiError.InvalidRequestError, ApiClient> =>
  Effect.flatMap(ApiClient, (client) => client.prepare(request))

/**
 * The client of the environment with other settings.
 *
 * @since 0.1.0
 * @category accessors
 */
export const withOptions = (options: Overrides.Overrides): Effect.Effect<ApiClient, never, ApiClient> =>
  Effect.map(ApiClient, (client) => client.withOptions(options))

// Inference does not see through the arguments, so the type parameters are passed on by name.
const verb =
  (name: "get" | "head"): RequestOptions.Verb<ApiClient> =>
  <
    const Template extends string,
    S extends RequestOptions.Successes,
    F extends RequestOptions.Failures,
    Q extends RequestOptions.QueryOf<Q, QS>,
    H extends RequestOptions.HeadersOf<H>,
    PS extends RequestOptions.Encoder | RequestOptions.NotEncoded,
    QS extends RequestOptions.Encoder | RequestOptions.NotEncoded
  >(
    template: Template,
    ...args: RequestOptions.RequestArguments<Template, RequestOptions.Options<S, F, Q, H>, PS, QS>
  ) =>
    Effect.flatMap(ApiClient, (client) => client[name]<Template, S, F, Q, H, PS, QS>(template, ...args))

const verbWithBody =
  (name: "post" | "put" | "patch" | "del"): RequestOptions.VerbWithBody<ApiClient> =>
  <
    const Template extends string,
    S extends RequestOptions.Successes,
    F extends RequestOptions.Failures,
    B,
    I,
    Q extends RequestOptions.QueryOf<Q, QS>,
    H extends RequestOptions.HeadersOf<H>,
    P extends RequestOptions.QueryOf<P>,
    PS extends RequestOptions.Encoder | RequestOptions.NotEncoded,
    QS extends RequestOptions.Encoder | RequestOptions.NotEncoded
  >(
    template: Template,
    ...args: RequestOptions.RequestArguments<
      Template,
      RequestOptions.BodyOptions<S, F, B, I, Q, H, P>,
      PS,
      QS
    >
  ) =>
    Effect.flatMap(ApiClient, (client) =>
      client[name]<Template, S, F, B, I, Q, H, P, PS, QS>(template, ...args)
    )

/** Runs a GET request. @since 0.1.0 @category accessors */
export const get: RequestOptions.Verb<ApiClient> = /*#__PURE__*/ verb("get")

/** Runs a HEAD request. @since 0.1.0 @category accessors */
export const head: RequestOptions.Verb<ApiClient> = /*#__PURE__*/ verb("head")

/** Runs a POST request. @since 0.1.0 @category accessors */
export const post: RequestOptions.VerbWithBody<ApiClient> = /*#__PURE__*/ verbWithBody("post")

/** Runs a PUT request. @since 0.1.0 @category accessors */
export const put: RequestOptions.VerbWithBody<ApiClient> = /*#__PURE__*/ verbWithBody("put")

/** Runs a PATCH request. @since 0.1.0 @category accessors */
export const patch: RequestOptions.VerbWithBody<ApiClient> = /*#__PURE__*/ verbWithBody("patch")

/** Runs a DELETE request. @since 0.1.0 @category accessors */
export const del: RequestOptions.VerbWithBody<ApiClient> = /*#__PURE__*/ verbWithBody("del")
