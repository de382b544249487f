/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The same client for code that cannot wait for promises: its methods block the thread and return values.
 *
 * @since 3.2.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import {
  ApiClient,
  type ApiConfig,
  ApiRequest,
  type ApiResponse,
  type Polling,
  PromiseClient,
  ResponseDecoder
} from "@effect-api/client"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Options as TransportOptions } from "./config/TransportOptions.js"
import { open } from "./sync/open.js"
import { iterable } from "./sync/SyncIterable.js"
import type { SyncRunner } from "./sync/SyncRunner.js"

export { AsyncWorkError } from "./sync/AsyncWorkError.js"

/**
 * The settings of a client, with its logger and the options of its transport.
 *
 * @since 3.2.0
 * @category models
 */
export interface Options
  extends ApiConfig.Options<ApiConfig.Failures>,
    Pick<PromiseClient.Environment, "logger" | "logLevel"> {
  /**
   * The options of the Node transport, which runs in a worker thread. `lookup` is a function, which cannot get there: it is an
   * `InvalidConfigError`.
   */
  readonly transport?: Omit<TransportOptions, "lookup"> | undefined
}

/**
 * A client whose methods block the thread until the response is there. They throw the error itself:
 * `error instanceof ApiError.RateLimitError`, or the caller's own `failure`, which is a `PromiseClient.FailureError`
 * where it is plain data.
 *
 * @since 3.2.0
 * @category models
 */
export interface SyncClient extends ApiClient.ValueVerbs, Disposable {
  /** Runs a request to its value. */
  readonly execute: <A, E>(request: ApiRequest.ApiRequest<A, E>) => A
  /** Runs a request to its value with status, headers, request id, URL and attempts. */
  readonly executeWithResponse: <A, E>(request: ApiRequest.ApiRequest<A, E>) => ApiResponse.ApiResponse<A>
  /**
   * The events of a request. The client sends nothing before a loop starts, and each loop sends it anew. Leaving the loop closes
   * the connection.
   */
  readonly stream: <A, E>(request: ApiRequest.StreamRequest<A, E>) => Iterable<A>
  /** The pages of a request. Each loop begins at the first. */
  readonly pages: <Page, Item, E>(request: ApiRequest.PageRequest<Page, Item, E>) => Iterable<Page>
  /** The same pages, each with status, headers, request id, URL and attempts. */
  readonly pagesWithResponse: <Page, Item, E>(
    request: ApiRequest.PageRequest<Page, Item, E>
  ) => Iterable<ApiResponse.ApiResponse<Page>>
  /** The items of all pages. */
  readonly items: <Page, Item, E>(request: ApiRequest.PageRequest<Page, Item, E>) => Iterable<Item>
  /**
   * Gets a body as it arrives, in constant memory: a loop takes its chunks. Each loop sends the request anew, with its retries;
   * a body that breaks off later fails the loop. Leaving the loop closes the connection.
   */
  readonly download: ApiClient.ChunksVerb
  /** Waits for work elsewhere, and returns the last value: see `Polling`. */
  readonly poll: <A, P, E>(polling: Polling.Polling<A, P, E>) => A
  /** The progress of work elsewhere. Each loop polls anew. */
  readonly watch: <A, P, E>(polling: Polling.Polling<A, P, E>) => Iterable<P>
  /** Runs an effect on the same client for effects, and blocks until it is done. Its sleeps block as well. */
  readonly run: <A, E>(use: (client: ApiClient.ApiClient) => Effect.Effect<A, E>) => A
  /** The values of a stream on the same client for effects. Each loop runs it anew. */
  readonly iterate: <A, E>(use: (client: ApiClient.ApiClient) => Stream.Stream<A, E>) => Iterable<A>
  /** The same client with other settings, on the same connections: see `ApiClient.withOptions`. */
  readonly withOptions: (options: ApiConfig.Overrides<ApiConfig.Failures>) => SyncClient
  /** Closes the connections and ends the worker thread. Clients made by `withOptions` close with it. */
  readonly close: () => void
}

/**
 * Makes a client. Throws an `InvalidConfigError` that names the setting.
 *
 * Its worker thread starts with the first request and does not keep the process alive. A promise cannot be waited for while
 * the thread is blocked: a call that needs one fails with an error that names it.
 *
 * @example
 * ```ts
 * import { ApiError, ApiRequest, Credentials } from "@effect-api/client"
 * import { SyncClient } from "@effect-api/node"
 * import { Redacted, Schema } from "effect"
 *
 * const Todo = Schema.Struct({ id: Schema.Number, title: Schema.String })
 *
 * const main = () => {
 *   using client = SyncClient.make({
 *     baseUrl: "https://api.example.com",
 *     credentials: Credentials.bearer(Redacted.make("secret"))
 *   })
 *   try {
 *     const todo = client.get("/todos/{id}", { path: { id: 1 }, success: Todo })
 *     console.log(todo.title)
 *   } catch (error) {
 *     if (error instanceof ApiError.NotFoundError) console.log("no such todo")
 *     else throw error
 *   }
 * }
 * ```
 * @since 3.2.0
 * @category constructors
 */
export const make = ({ logLevel, logger, transport = {}, ...options }: Options): SyncClient => {
  const { httpClient, runner } = open(transport, PromiseClient.layerLogger({ logger, logLevel }))
  const made = PromiseClient.makeThrowing(options).pipe(
    Effect.provideService(HttpClient.HttpClient, httpClient)
  )
  return over(runner, runner.run(Effect.provideService(made, Scope.Scope, runner.openScope())))
}

const over = (runner: SyncRunner, client: ApiClient.ApiClient): SyncClient => {
  const { run } = runner
  return {
    ...ApiClient.valueVerbs(client, run),
    execute: (request) => run(client.execute(request)),
    executeWithResponse: (request) => run(client.executeWithResponse(request)),
    stream: (request) => iterable(runner, () => client.stream(request)),
    pages: (request) => iterable(runner, () => client.pages(request)),
    pagesWithResponse: (request) => iterable(runner, () => client.pagesWithResponse(request)),
    items: (request) => iterable(runner, () => client.items(request)),
    download: (template: string, ...[options]) => {
      const { onDownload, ...sent }: Downloaded = { ...options }
      const request = ApiRequest.get(template, { ...sent, success: ResponseDecoder.stream({ onDownload }) })
      return iterable(runner, () => Stream.unwrap(client.execute(request)))
    },
    poll: (polling) => run(client.poll(polling)),
    watch: (polling) => iterable(runner, () => client.watch(polling)),
    run: (use) => run(Effect.suspend(() => use(client))),
    iterate: (use) => iterable(runner, () => use(client)),
    withOptions: (options) => over(runner, client.withOptions(options)),
    close: runner.close,
    [Symbol.dispose]: runner.close
  }
}

interface Downloaded {
  readonly onDownload?: ((progress: ResponseDecoder.Progress) => void) | undefined
}
