/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The same client for plain async code: promises that reject with the errors themselves, streams for `for await`.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as ApiClient from "../ApiClient.js"
import type * as ApiResponse from "../client/ApiResponse.js"
import * as ApiConfig from "../config/ApiConfig.js"
import type * as Overrides from "../config/Overrides.js"
import type * as ApiRequest from "../request/ApiRequest.js"
import { LiveSet } from "../shared/liveSet.js"
import * as FetchTransport from "../transport/FetchTransport.js"
import * as AsyncStream from "./AsyncStream.js"
import { onAbort } from "./abortSignal.js"
import { addCallerFrames } from "./callerFrames.js"
import * as PlainLogger from "./plainLogger.js"

export type { AsyncStream } from "./AsyncStream.js"

/**
 * What a single call may be given: a signal that ends it.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallOptions {
  /** Ends the call when it aborts: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/**
 * The settings of a client, and the layer it sends with: `FetchTransport.layer` unless said otherwise.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends ApiConfig.Options, Environment {}

/**
 * What a client of promises lives in: the layer it sends with, and where its log lines go.
 *
 * @since 0.1.0
 * @category models
 */
export interface Environment {
  /** The layer to send with: `FetchTransport.layer` unless said otherwise. A logger of Effect may come with it. */
  readonly transport?: Layer.Layer<HttpClient.HttpClient, unknown> | undefined
  /**
   * Where log lines go: retries at `info`, what lenient validation lets pass and tokens that cannot be renewed at `warn`. Any
   * object with the functions of {@link Logger} will do, such as `console`. Nothing is logged without one.
   */
  readonly logger?: Logger | undefined
  /** The least of what is logged (`info`). `debug` has a line for every attempt, with its headers, and makes calls slower. */
  readonly logLevel?: "debug" | "info" | "warn" | "error" | undefined
}

/** Where log lines go: functions that take a text, and fields where there are any. @since 0.1.0 @category models */
export interface Logger extends PlainLogger.PlainLogger {}

/**
 * A client whose methods give promises. They reject with the very error (`error instanceof ApiError.RateLimitError`, or
 * the caller's own `failure`), and with the signal's reason, an `AbortError` as a rule, where the signal ended the call.
 *
 * @since 0.1.0
 * @category models
 */
export interface PromiseClient extends AsyncDisposable {
  readonly execute: <A, E>(request: ApiRequest.ApiRequest<A, E>, options?: CallOptions) => Promise<A>
  readonly executeWithResponse: <A, E>(
    request: ApiRequest.ApiRequest<A, E>,
    options?: CallOptions
  ) => Promise<ApiResponse.ApiResponse<A>>
  /** The events of a request. Nothing is sent before the loop starts; leaving it closes the connection. */
  readonly stream: <A, E>(
    request: ApiRequest.StreamRequest<A, E>,
    options?: CallOptions
  ) => AsyncStream.AsyncStream<A>
  readonly pages: <Page, Item, E>(
    request: ApiRequest.PageRequest<Page, Item, E>,
    options?: CallOptions
  ) => AsyncStream.AsyncStream<Page>
  readonly items: <Page, Item, E>(
    request: ApiRequest.PageRequest<Page, Item, E>,
    options?: CallOptions
  ) => AsyncStream.AsyncStream<Item>
  /** The same client with other settings, on the same connections: see `ApiClient.withOptions`. */
  readonly withOptions: (options: Overrides.Overrides) => PromiseClient
  /** Ends what is on its way and closes the transport. The clients made by `withOptions` are closed with it. */
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
export const make = ({ logLevel, logger, transport, ...options }: Options): PromiseClient => {
  const config = ApiConfig.make(options, ["transport", "logger", "logLevel"])
  if (Either.isLeft(config)) throw config.left
  if (logger !== undefined && !PlainLogger.isPlainLogger(logger))
    throw invalid("logger", "must have the functions debug, info, warn and error")
  if (logLevel !== undefined && !PlainLogger.plainLevels.includes(logLevel))
    throw invalid("logLevel", `must be one of ${PlainLogger.plainLevels.join(", ")}`)
  const layer = ApiClient.layer(options).pipe(
    Layer.provide(transport ?? FetchTransport.layer),
    // Beneath the transport: a logger that comes with that is heard.
    Layer.provide(PlainLogger.layer(logger, logLevel))
  )
  return fromRuntime(makeRunner(ManagedRuntime.make(layer)), (client) => client)
}

const invalid = (key: string, reason: string): ApiConfig.InvalidConfigError =>
  new ApiConfig.InvalidConfigError({ key, reason })

/**
 * Adds the async functions that wait for a promise to the stack of the error it rejects with, where the engine is V8. For code
 * that makes promises of Effects: to be called in a `catch` behind an `await`. It gives the very error back.
 *
 * @since 0.1.0
 * @category errors
 */
export const showCaller: <E>(error: E) => E = addCallerFrames

interface Runner extends AsyncStream.Runner {
  readonly close: () => Promise<void>
}

/** Runs on a runtime until it is closed. */
const makeRunner = (runtime: ManagedRuntime.ManagedRuntime<ApiClient.ApiClient, unknown>): Runner => {
  const running = new LiveSet<Fiber.RuntimeFiber<unknown, unknown>>()
  const scopes = new LiveSet<Scope.CloseableScope>()
  const bodies = new LiveSet<() => void>()
  let closed: Promise<void> | undefined

  const start = <A>(
    effect: Effect.Effect<A, unknown, ApiClient.ApiClient>,
    done: (value: A) => void,
    failed: (error: unknown) => void
  ): (() => void) => {
    if (closed !== undefined) {
      failed(new Error("the client is closed"))
      return () => {}
    }
    // Not by the exit of the fiber: Effect keeps its fibers in a `Set` (see Registry), and with them what they ended with.
    let outcome: Outcome<A> | undefined
    const fiber = runtime.runFork(
      Effect.map(effect, (value) => {
        outcome = { value }
      })
    )
    const leave = running.add(fiber)
    fiber.addObserver((exit) => {
      leave()
      const ended = outcome
      outcome = undefined
      if (ended !== undefined) return done(ended.value)
      const isClosed = closed !== undefined || Exit.isSuccess(exit)
      failed(isClosed ? new DOMException("The client was closed", "AbortError") : Cause.squash(exit.cause))
    })
    return () => fiber.unsafeInterruptAsFork(FiberId.none)
  }

  const run: AsyncStream.Runner["run"] = (effect, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason)
      let ended = false
      let unlisten = (): void => {}
      const end = (): void => {
        ended = true
        unlisten()
      }
      const interrupt = start(
        effect,
        (value) => {
          end()
          resolve(value)
        },
        (error) => {
          end()
          reject(signal?.aborted === true ? signal.reason : error)
        }
      )
      // What needs nothing of the network is over by now.
      if (!ended) unlisten = onAbort(signal, interrupt)
    })

  const close = (): Promise<void> => {
    // A step later: what ends here finds the client closed.
    closed ??= Promise.resolve().then(() =>
      settled(
        Fiber.interruptAll(running.values()).pipe(
          Effect.zipRight(
            Effect.suspend(() => {
              for (const end of bodies.values()) end()
              return Effect.forEach(scopes.values(), closing, { discard: true })
            })
          ),
          Effect.ensuring(runtime.disposeEffect)
        )
      )
    )
    return closed
  }
  const fork = Effect.tap(Scope.make(), (scope) => Scope.addFinalizer(scope, Effect.sync(scopes.add(scope))))
  const onEnd: AsyncStream.Runner["onEnd"] = (signal, end) => {
    if (closed !== undefined) end()
    const leave = bodies.add(end)
    const unlisten = onAbort(signal, end)
    return () => {
      leave()
      unlisten()
    }
  }
  return { run, start, onAbort, onEnd, fork, release: (scope) => settled(closing(scope)), close }
}

const closing = (scope: Scope.CloseableScope): Effect.Effect<void> => Scope.close(scope, Exit.void)

interface Outcome<A> {
  readonly value: A
}

/** Rejects with the defect itself: Effect's own promises wrap it. */
const settled = (effect: Effect.Effect<void>): Promise<void> =>
  Effect.runPromiseExit(effect).then((exit) => {
    if (Exit.isFailure(exit)) throw Cause.squash(exit.cause)
  })

type AnyRequest = ApiRequest.ApiRequest<unknown, unknown>

const fromRuntime = (
  runner: Runner,
  from: (client: ApiClient.ApiClient) => ApiClient.ApiClient
): PromiseClient => {
  const client = Effect.map(ApiClient.ApiClient, from)
  const promised =
    <B>(run: (client: ApiClient.ApiClient, request: AnyRequest) => Effect.Effect<B, unknown>) =>
    async (request: AnyRequest, options: CallOptions = {}): Promise<B> => {
      try {
        const { signal } = options
        const ending = AsyncStream.ending(runner, AsyncStream.checked(request, options), signal)
        return await runner.run(
          Effect.flatMap(client, (client) => run(client, ending)),
          signal
        )
      } catch (error) {
        throw addCallerFrames(error)
      }
    }
  const iterated =
    <A extends ApiRequest.Request, B>(
      run: (client: ApiClient.ApiClient, request: A) => Stream.Stream<B, unknown>
    ) =>
    (request: A, options: CallOptions = {}): AsyncStream.AsyncStream<B> =>
      AsyncStream.make(
        runner,
        Effect.map(client, (client) => run(client, AsyncStream.checked(request, options))),
        options.signal
      )
  return {
    execute: promised((client, request) => client.execute(request)) as PromiseClient["execute"],
    executeWithResponse: promised((client, request) =>
      client.executeWithResponse(request)
    ) as PromiseClient["executeWithResponse"],
    stream: iterated((client, request) => client.stream(request)) as PromiseClient["stream"],
    pages: iterated((client, request) => client.pages(request)) as PromiseClient["pages"],
    items: iterated((client, request) => client.items(request)) as PromiseClient["items"],
    withOptions: (options) => {
      // Made once: cached credentials live in it.
      let derived: ApiClient.ApiClient | undefined
      return fromRuntime(runner, (client) => {
        derived ??= from(client).withOptions(options)
        return derived
      })
    },
    close: runner.close,
    [Symbol.asyncDispose]: runner.close
  }
}
