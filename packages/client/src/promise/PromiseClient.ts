/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The same client for plain async code: promises that reject with the tagged errors themselves, and streams for `for
 * await`.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import type * as Stream from "effect/Stream"
import * as ApiClient from "../ApiClient.js"
import * as ResponseDecoder from "../arriving/ResponseDecoder.js"
import type * as ApiResponse from "../client/ApiResponse.js"
import * as ApiConfig from "../config/ApiConfig.js"
import type * as Overrides from "../config/Overrides.js"
import { resolveConfig } from "../config/resolveConfig.js"
import * as Turns from "../effect/turns.js"
import type * as ApiError from "../errors/ApiError.js"
import * as FetchTransport from "../native/FetchTransport.js"
import type * as Polling from "../polling/Polling.js"
import * as ApiRequest from "../request/ApiRequest.js"
import { verbsOf } from "../request/verbs.js"
import * as AsyncStream from "./AsyncStream.js"
import { signalOf } from "./abortSignal.js"
import { addCallerFrames } from "./callerFrames.js"
import * as ClientFetch from "./clientFetch.js"
import { rejectionOf } from "./FailureError.js"
import type { StreamResponse } from "./OpenStream.js"
import * as OpenStream from "./OpenStream.js"
import * as OpenTelemetry from "./openTelemetry.js"
import * as PlainLogger from "./plainLogger.js"
import { makeRunner, type Runner } from "./runner.js"
import type { CallOptions, Download, Verb, VerbWithBody } from "./verbs.js"

export type { AsyncStream } from "./AsyncStream.js"
export type { Fetch } from "./clientFetch.js"
export { FailureError } from "./FailureError.js"
export type { StreamResponse } from "./OpenStream.js"
export type { CallOptions, Download, Verb, VerbWithBody } from "./verbs.js"

/**
 * The settings of a client, with its transport and its logger.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends ApiConfig.Options<ApiConfig.Failures>, Environment {
  /**
   * Wraps the client of Effects under the promises, and each that `withOptions` makes: for spans and metrics around whole
   * calls. It may run more than once.
   *
   * @since 3.2.0
   */
  readonly instrument?: ((client: ApiClient.ApiClient) => ApiClient.ApiClient) | undefined
}

/**
 * The environment of a promise client: its transport, and where it logs.
 *
 * @since 0.1.0
 * @category models
 */
export interface Environment {
  /** The layer that sends requests (`FetchTransport.layer`). It may bring a logger of Effect along. */
  readonly transport?: Layer.Layer<HttpClient.HttpClient, unknown> | undefined
  /**
   * Where the client logs: retries at `info`; values that lenient validation lets pass, and tokens that cannot be
   * renewed, at `warn`. Any object with the functions of {@link Logger} works, `console` for one. Without a logger
   * the client logs nothing.
   */
  readonly logger?: Logger | undefined
  /**
   * The lowest level to log (`info`). `debug` writes a line with the headers for every attempt, and makes calls
   * slower.
   */
  readonly logLevel?: "debug" | "info" | "warn" | "error" | undefined
  /**
   * Write a span for every call where the program has registered a tracer provider with `@opentelemetry/api`, below the
   * span that is active (`true`). A tracer that the transport's layer brings takes precedence.
   */
  readonly openTelemetry?: boolean | undefined
}

/** A logger: functions that take a text, and an object of fields if there are any. @since 0.1.0 @category models */
export interface Logger extends PlainLogger.PlainLogger {}

/**
 * A client whose methods return promises. They reject with the error itself: `error instanceof
 * ApiError.RateLimitError`, or the caller's own `failure`, which is a {@link FailureError} where it is plain data. When the signal ends the call they reject with the
 * signal's reason, usually an `AbortError`.
 *
 * @since 0.1.0
 * @category models
 */
export interface PromiseClient extends AsyncDisposable {
  /** Sends a GET: `client.get("/todos/{id}", { path: { id: 1 }, success: Todo, signal })`. */
  readonly get: Verb
  readonly head: Verb
  readonly post: VerbWithBody
  readonly put: VerbWithBody
  readonly patch: VerbWithBody
  readonly del: VerbWithBody
  /**
   * Gets a body as it arrives, in constant memory: a web `Response`, whose `body` is a stream for `for await`. The call,
   * with its retries, ends at the headers; a body that breaks off later fails its reader. The signal and the end of the
   * client close it, read or not.
   */
  readonly download: Download
  /** Sends a request, and resolves to its value. */
  readonly execute: <A, E>(request: ApiRequest.ApiRequest<A, E>, options?: CallOptions) => Promise<A>
  readonly executeWithResponse: <A, E>(
    request: ApiRequest.ApiRequest<A, E>,
    options?: CallOptions
  ) => Promise<ApiResponse.ApiResponse<A>>
  /**
   * The events of a request. The client sends nothing before the loop starts; leaving the loop closes the connection.
   */
  readonly stream: <A, E>(
    request: ApiRequest.StreamRequest<A, E>,
    options?: CallOptions
  ) => AsyncStream.AsyncStream<A>
  /**
   * The response of a request with its events. The client waits for the first ones. A loop over `stream` runs once, and
   * leaving it closes the connection; without a loop, `await using` or `close` does.
   */
  readonly streamWithResponse: <A, E>(
    request: ApiRequest.StreamRequest<A, E>,
    options?: CallOptions
  ) => Promise<StreamResponse<A>>
  readonly pages: <Page, Item, E>(
    request: ApiRequest.PageRequest<Page, Item, E>,
    options?: CallOptions
  ) => AsyncStream.AsyncStream<Page>
  /** The same pages, each with status, headers, request id, URL and attempts. */
  readonly pagesWithResponse: <Page, Item, E>(
    request: ApiRequest.PageRequest<Page, Item, E>,
    options?: CallOptions
  ) => AsyncStream.AsyncStream<ApiResponse.ApiResponse<Page>>
  readonly items: <Page, Item, E>(
    request: ApiRequest.PageRequest<Page, Item, E>,
    options?: CallOptions
  ) => AsyncStream.AsyncStream<Item>
  /** Waits for work elsewhere, and resolves to the last value: see `Polling`. */
  readonly poll: <A, P, E>(polling: Polling.Polling<A, P, E>, options?: CallOptions) => Promise<A>
  /** The progress of work elsewhere. Each loop polls anew. */
  readonly watch: <A, P, E>(
    polling: Polling.Polling<A, P, E>,
    options?: CallOptions
  ) => AsyncStream.AsyncStream<P>
  /** The same client with other settings, on the same connections: see `ApiClient.withOptions`. */
  readonly withOptions: (options: Overrides.Overrides<ApiConfig.Failures>) => PromiseClient
  /** Ends running calls and closes the transport. Clients made by `withOptions` close with it. */
  readonly close: () => Promise<void>
}

/**
 * Makes a client. Throws an `InvalidConfigError` that names the setting.
 *
 * @example
 * ```ts
 * import { ApiError, ApiRequest, Credentials, PromiseClient } from "@effect-api/client"
 * import { Redacted, Schema } from "effect"
 *
 * const Todo = Schema.Struct({ id: Schema.Number, title: Schema.String })
 * const getTodo = (id: number) => ApiRequest.get("/todos/{id}", { path: { id }, success: Todo })
 *
 * const main = async () => {
 *   await using client = PromiseClient.make({
 *     baseUrl: "https://api.example.com",
 *     credentials: Credentials.bearer(Redacted.make("secret"))
 *   })
 *   try {
 *     const todo = await client.execute(getTodo(1), { signal: AbortSignal.timeout(10_000) })
 *     console.log(todo.title)
 *   } catch (error) {
 *     if (error instanceof ApiError.NotFoundError) console.log("no such todo")
 *     else throw error
 *   }
 * }
 * ```
 * @since 0.1.0
 * @category constructors
 */
export const make = ({
  instrument,
  logLevel,
  logger,
  openTelemetry = true,
  transport,
  ...options
}: Options): PromiseClient => {
  const config = resolveConfig(options, ["transport", "logger", "logLevel", "instrument", "openTelemetry"])
  if (!config.ok) throw config.error
  if (instrument !== undefined && typeof instrument !== "function")
    throw invalid("instrument", "must be a function")
  if (typeof openTelemetry !== "boolean") throw invalid("openTelemetry", "must be true or false")
  const logging = layerLogger({ logger, logLevel })
  // Merged, because calls run with what the layers bring along besides: a tracer, a logger.
  const layer = Layer.scoped(ApiClient.ApiClient, makeThrowing(options)).pipe(
    Layer.provideMerge(transport ?? FetchTransport.layer),
    // Below the transport, so that a logger which comes with the transport takes precedence.
    Layer.provideMerge(logging),
    Layer.provideMerge(Turns.layer)
  )
  const watched = openTelemetry ? OpenTelemetry.watched : identity
  return fromRuntime(makeRunner(ManagedRuntime.make(layer), watched), (client) => client, instrument)
}

const invalid = (key: string, reason: string): ApiConfig.InvalidConfigError =>
  new ApiConfig.InvalidConfigError({ key, reason })

/**
 * A client of effects for code that throws what they fail with, as this module does: an error of `failure` that is
 * plain data is a {@link FailureError}. Fails with an `InvalidConfigError` that names the setting.
 *
 * @since 3.2.0
 * @category constructors
 */
export const makeThrowing = (
  options: ApiConfig.Options<ApiConfig.Failures>
): Effect.Effect<ApiClient.ApiClient, ApiConfig.InvalidConfigError, HttpClient.HttpClient> =>
  ApiClient.makeUntyped(options, rejectionOf)

/**
 * Where the effects of a client log: for code that turns them into values, as this module does. Throws an
 * `InvalidConfigError` that names the setting.
 *
 * @since 3.2.0
 * @category layers
 */
export const layerLogger = ({
  logger,
  logLevel
}: Pick<Environment, "logger" | "logLevel">): Layer.Layer<never> => {
  if (logger !== undefined && !PlainLogger.isPlainLogger(logger))
    throw invalid("logger", "must have the functions debug, info, warn and error")
  if (logLevel !== undefined && !PlainLogger.plainLevels.includes(logLevel))
    throw invalid("logLevel", `must be one of ${PlainLogger.plainLevels.join(", ")}`)
  return PlainLogger.layer(logger, logLevel)
}

/**
 * Adds the async functions that await a promise to the stack of its error, on V8. For code that turns Effects into
 * promises: call it in a `catch` around an `await`. Returns the same error.
 *
 * @since 0.1.0
 * @category errors
 */
export const showCaller: <E>(error: E) => E = addCallerFrames

/**
 * A client as a `fetch`, for libraries that take one. It sends with the client's credentials, retries, limits and
 * telemetry, in the context of the effect that asks for it. It resolves with a response of any status but those that a
 * retry might change. For these, and where there is no response, it rejects with the tagged error itself.
 *
 * A body is read before it is sent. `redirect: "manual"` resolves with the redirect. Fields of a form that OAuth 2
 * names as secrets, such as `refresh_token`, are hidden in errors and go to no other origin.
 *
 * @example
 * ```ts
 * import { type ApiClient, PromiseClient } from "@effect-api/client"
 * import { Effect } from "effect"
 *
 * const program = (client: ApiClient.ApiClient) =>
 *   Effect.gen(function* () {
 *     const fetch = yield* PromiseClient.toFetch(client)
 *     return yield* Effect.promise(() => fetch("/todos"))
 *   })
 * ```
 * @since 3.1.0
 * @category conversions
 */
export const toFetch = (
  client: ApiClient.Client<unknown>,
  options?: {
    /** The status errors to reject with (`ApiError.isRetryable`). `() => false`: any status resolves. */
    readonly reject?: ((error: ApiError.StatusError) => boolean) | undefined
  }
): Effect.Effect<ClientFetch.Fetch> => ClientFetch.toFetch(client, options)

/**
 * Runs async code with a client as its `fetch`: see {@link toFetch}. Fails with what the code rejects with.
 *
 * @example
 * ```ts
 * import { type ApiClient, PromiseClient } from "@effect-api/client"
 *
 * const count = (client: ApiClient.ApiClient) =>
 *   PromiseClient.withFetch(client, async (fetch) => {
 *     const response = await fetch("/todos")
 *     return response.headers.get("x-total-count")
 *   })
 * ```
 * @since 3.1.0
 * @category conversions
 */
export const withFetch = <A>(
  client: ApiClient.Client<unknown>,
  use: (fetch: ClientFetch.Fetch) => Promise<A>
): Effect.Effect<A, unknown> =>
  Effect.flatMap(ClientFetch.toFetch(client), (fetch) =>
    Effect.tryPromise({ try: () => use(fetch), catch: (error) => error })
  )

// Named, because TypeScript infers a generic method only from a function that declares its own type parameters.
const execute = <A, E>(client: ApiClient.ApiClient, request: ApiRequest.ApiRequest<A, E>) =>
  client.execute(request)
const executeWithResponse = <A, E>(client: ApiClient.ApiClient, request: ApiRequest.ApiRequest<A, E>) =>
  client.executeWithResponse(request)
const stream = <A, E>(client: ApiClient.ApiClient, request: ApiRequest.StreamRequest<A, E>) =>
  client.stream(request)
const pages = <Page, Item, E>(client: ApiClient.ApiClient, request: ApiRequest.PageRequest<Page, Item, E>) =>
  client.pages(request)
const pagesWithResponse = <Page, Item, E>(
  client: ApiClient.ApiClient,
  request: ApiRequest.PageRequest<Page, Item, E>
) => client.pagesWithResponse(request)
const items = <Page, Item, E>(client: ApiClient.ApiClient, request: ApiRequest.PageRequest<Page, Item, E>) =>
  client.items(request)

const watch = <A, P, E>(client: ApiClient.ApiClient, polling: Polling.Polling<A, P, E>) =>
  client.watch(polling)

/** A download's options, without its request's. */
type Downloaded = CallOptions & Parameters<typeof ResponseDecoder.response>[0]

type Verbs = Pick<PromiseClient, "get" | "head" | "post" | "put" | "patch" | "del">

const fromRuntime = (
  runner: Runner,
  from: (client: ApiClient.ApiClient) => ApiClient.ApiClient,
  instrument: Options["instrument"]
): PromiseClient => {
  let known: ApiClient.ApiClient | undefined
  const client = Effect.map(ApiClient.ApiClient, (client) => {
    known ??= instrument === undefined ? from(client) : instrument(from(client))
    return known
  })
  /** An effect of the client, which the first one to run finds in the runtime. */
  const using = <A, E, R>(
    use: (client: ApiClient.ApiClient) => Effect.Effect<A, E, R>
  ): Effect.Effect<A, E, ApiClient.ApiClient | R> =>
    known === undefined ? Effect.flatMap(client, use) : use(known)
  const promised =
    <A, E, B>(
      run: (client: ApiClient.ApiClient, request: ApiRequest.ApiRequest<A, E>) => Effect.Effect<B, unknown>
    ) =>
    async (request: ApiRequest.ApiRequest<A, E>, options: CallOptions = {}): Promise<B> => {
      try {
        const signal = signalOf(options)
        const ending = AsyncStream.ending(runner, AsyncStream.checked(request, options), signal)
        return await runner.run(
          using((client) => run(client, ending)),
          signal
        )
      } catch (error) {
        throw addCallerFrames(error)
      }
    }
  const iterated =
    <A extends AsyncStream.Described, B>(
      run: (client: ApiClient.ApiClient, request: A) => Stream.Stream<B, unknown>
    ) =>
    (request: A, options: CallOptions = {}): AsyncStream.AsyncStream<B> =>
      AsyncStream.make(
        runner,
        Effect.map(client, (client) => run(client, AsyncStream.checked(request, options))),
        signalOf(options)
      )
  const executed = promised(execute)
  return {
    ...(verbsOf((make, template, options) => {
      const { signal, ...sent }: CallOptions = options ?? {}
      return executed(make(template, sent), { signal })
    }) as Verbs),
    download: (template, ...[options]) => {
      const { onDownload, signal, ...sent }: Downloaded = options ?? {}
      const success = ResponseDecoder.response({ onDownload })
      return executed(ApiRequest.get<string, typeof success>(template, { ...sent, success }), { signal })
    },
    execute: executed,
    executeWithResponse: promised(executeWithResponse),
    stream: iterated(stream),
    streamWithResponse: async (request, options = {}) => {
      try {
        const sent = AsyncStream.checked(request, options)
        const opening = using((client) => client.streamWithResponse(sent))
        return await OpenStream.open(runner, opening, signalOf(options))
      } catch (error) {
        throw addCallerFrames(error)
      }
    },
    pages: iterated(pages),
    pagesWithResponse: iterated(pagesWithResponse),
    items: iterated(items),
    poll: async (polling, options = {}) => {
      try {
        const checked = AsyncStream.checked(polling, options)
        return await runner.run(
          using((client) => client.poll(checked)),
          signalOf(options)
        )
      } catch (error) {
        throw addCallerFrames(error)
      }
    },
    watch: iterated(watch),
    withOptions: (options) => {
      // Made once, because it holds the cached credentials.
      let derived: ApiClient.ApiClient | undefined
      return fromRuntime(
        runner,
        (client) => {
          derived ??= ApiClient.withUntyped(from(client), options)
          return derived
        },
        instrument
      )
    },
    close: runner.close,
    [Symbol.asyncDispose]: runner.close
  }
}
