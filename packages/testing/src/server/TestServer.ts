/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A local HTTP/1.1 server for tests. Routes are functions, replies and faults are values, and tests can await everything that
 * a client does.
 *
 * @since 0.1.0
 */
import { Context, Effect, Layer, type Scope } from "effect"
import * as Promised from "../shared/promised.js"
import type { Routes } from "./Handler.js"
import type { ClosedBy, Exchange, SeenRequest } from "./SeenRequest.js"
import { freePort, run } from "./server.js"
import { clear, snapshot } from "./serverState.js"

/**
 * @since 0.1.0
 */
export * from "./Fault.js"

/**
 * @since 0.1.0
 */
export * from "./Handler.js"

/**
 * @since 0.1.0
 */
export * from "./Reply.js"

/**
 * @since 0.1.0
 */
export * from "./SeenRequest.js"

/**
 * A running server, and the log of its requests and connections.
 *
 * @since 0.1.0
 * @category models
 */
export interface TestServer {
  /** The base URL, `http://127.0.0.1:port`, without a trailing slash. */
  readonly url: string
  readonly port: number
  /** The requests that reached a handler, in order. They exclude requests whose socket `closeOnReuse` closed. */
  readonly requests: Effect.Effect<ReadonlyArray<SeenRequest>>
  /** The number of requests that reached a handler. */
  readonly requestCount: Effect.Effect<number>
  /** All exchanges so far, by index. */
  readonly exchanges: Effect.Effect<ReadonlyArray<Exchange>>
  /** The number of open connections. */
  readonly openSockets: Effect.Effect<number>
  /** The number of connections opened since the start or the last `reset`. */
  readonly socketsSeen: Effect.Effect<number>
  /** Waits until `count` requests have reached a handler, and returns all that have. */
  readonly awaitRequests: (count: number) => Effect.Effect<ReadonlyArray<SeenRequest>>
  /** Waits until the exchange with this index exists and satisfies the predicate. */
  readonly awaitExchange: (
    index: number,
    predicate: (exchange: Exchange) => boolean
  ) => Effect.Effect<Exchange>
  /**
   * Waits until the connection of the request with this index is closed, and returns the side that closed it: `client` after
   * an abort.
   */
  readonly awaitClosed: (index: number) => Effect.Effect<ClosedBy>
  /** Waits until the number of open connections satisfies the predicate, and returns that number. */
  readonly awaitOpenSockets: (predicate: (open: number) => boolean) => Effect.Effect<number>
  /** Clears the log and restarts every `sequence`. Open connections and running exchanges continue. */
  readonly reset: Effect.Effect<void>
}

/**
 * The tag of the server.
 *
 * @since 0.1.0
 * @category tags
 */
export const TestServer: Context.Tag<TestServer, TestServer> = Context.GenericTag<TestServer>(
  "@effect-api/testing/TestServer"
)

/**
 * Starts a server on 127.0.0.1, on a free port. Closing the scope closes the server: it destroys sockets, interrupts handlers
 * and clears timers.
 *
 * The server keeps idle connections for ten minutes and has no other timeout. A connection that closes earlier is a fault that
 * a test configured. Delays of replies are real time. Effects of handlers use the `Clock` of the fiber that made the
 * server. Dies if a route is malformed.
 *
 * @example
 * ```ts
 * import { TestServer } from "@effect-api/testing"
 * import { Effect } from "effect"
 *
 * export const program = Effect.gen(function* () {
 *   const server = yield* TestServer.make({
 *     "GET /todos/{id}": (request) => TestServer.json({ id: Number(request.params["id"]) }),
 *     "GET /flaky": TestServer.sequence(TestServer.empty(503), TestServer.reset, TestServer.json("ok"))
 *   })
 *   const response = yield* Effect.promise(() => fetch(`${server.url}/todos/1`))
 *   const [request] = yield* server.requests
 *   return [response.status, request?.path]
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <R = never>(routes: Routes<R>): Effect.Effect<TestServer, never, R | Scope.Scope> =>
  Effect.map(run(routes), ({ port, state }): TestServer => {
    const { changes } = state
    const awaitExchange: TestServer["awaitExchange"] = (index, predicate) =>
      changes.until(() => {
        const entry = state.entries[index]
        if (entry === undefined) return undefined
        const exchange = snapshot(entry)
        return predicate(exchange) ? exchange : undefined
      })
    return {
      url: `http://127.0.0.1:${port}`,
      port,
      requests: Effect.sync(() => [...state.handled]),
      requestCount: Effect.sync(() => state.handled.length),
      exchanges: Effect.sync(() => state.entries.map(snapshot)),
      openSockets: Effect.sync(() => state.connections.size),
      socketsSeen: Effect.sync(() => state.socketsSeen),
      awaitRequests: (count) =>
        changes.until(() => (state.handled.length >= count ? [...state.handled] : undefined)),
      awaitExchange,
      awaitClosed: (index) => changes.until(() => state.entries[index]?.connection.closed),
      awaitOpenSockets: (predicate) =>
        changes.until(() => (predicate(state.connections.size) ? state.connections.size : undefined)),
      reset: Effect.sync(() => clear(state))
    }
  })

/**
 * A running server for plain async code: a {@link TestServer} whose effects are functions and promises.
 *
 * @since 3.2.0
 * @category models
 */
export interface AsyncTestServer extends AsyncDisposable {
  /** The base URL, `http://127.0.0.1:port`, without a trailing slash. */
  readonly url: string
  readonly port: number
  /** The requests that reached a handler, in order. They exclude requests whose socket `closeOnReuse` closed. */
  readonly requests: () => ReadonlyArray<SeenRequest>
  /** The number of requests that reached a handler. */
  readonly requestCount: () => number
  /** All exchanges so far, by index. */
  readonly exchanges: () => ReadonlyArray<Exchange>
  /** The number of open connections. */
  readonly openSockets: () => number
  /** The number of connections opened since the start or the last `reset`. */
  readonly socketsSeen: () => number
  /** Waits until `count` requests have reached a handler, and returns all that have. */
  readonly awaitRequests: (count: number, options?: WaitOptions) => Promise<ReadonlyArray<SeenRequest>>
  /** Waits until the exchange with this index exists and satisfies the predicate. */
  readonly awaitExchange: (
    index: number,
    predicate: (exchange: Exchange) => boolean,
    options?: WaitOptions
  ) => Promise<Exchange>
  /**
   * Waits until the connection of the request with this index is closed, and returns the side that closed it: `client` after
   * an abort.
   */
  readonly awaitClosed: (index: number, options?: WaitOptions) => Promise<ClosedBy>
  /** Waits until the number of open connections satisfies the predicate, and returns that number. */
  readonly awaitOpenSockets: (predicate: (open: number) => boolean, options?: WaitOptions) => Promise<number>
  /** Clears the log and restarts every `sequence`. Open connections and running exchanges continue. */
  readonly reset: () => void
  /** Closes the server and ends running responses, once. Waits that are still open reject. */
  readonly close: () => Promise<void>
}

/**
 * The options of a wait. Without a signal, only the end of the server ends a wait for what does not happen.
 *
 * @since 3.2.0
 * @category models
 */
export interface WaitOptions extends Promised.WaitOptions {}

/**
 * A server for plain async code.
 *
 * @internal
 */
export const asAsync = ({ close, value: server, waits }: Promised.Opened<TestServer>): AsyncTestServer => {
  const log = (): string => `${Promised.now(server.requestCount)} request(s) reached a handler`
  const until = <A>(wait: Effect.Effect<A>, options: WaitOptions | undefined, what: string): Promise<A> =>
    waits.until(wait, options, () => `TestServer: closed before ${what}. ${log()}`)
  return {
    url: server.url,
    port: server.port,
    requests: () => Promised.now(server.requests),
    requestCount: () => Promised.now(server.requestCount),
    exchanges: () => Promised.now(server.exchanges),
    openSockets: () => Promised.now(server.openSockets),
    socketsSeen: () => Promised.now(server.socketsSeen),
    awaitRequests: (count, options) =>
      until(server.awaitRequests(count), options, `${count} request(s) arrived`),
    awaitExchange: (index, predicate, options) =>
      until(server.awaitExchange(index, predicate), options, `exchange ${index} satisfied the predicate`),
    awaitClosed: (index, options) =>
      until(server.awaitClosed(index), options, `the connection of request ${index} closed`),
    awaitOpenSockets: (predicate, options) =>
      until(server.awaitOpenSockets(predicate), options, "the open connections satisfied the predicate"),
    reset: () => Promised.now(server.reset),
    close,
    [Symbol.asyncDispose]: close
  }
}

/**
 * Starts a server for plain async code: see {@link make}. `await using` closes it at the end of the block, `close` at any time.
 * Handlers may be async functions. Rejects if a route is malformed.
 *
 * @example
 * ```ts
 * import { TestServer } from "@effect-api/testing"
 *
 * const main = async () => {
 *   await using server = await TestServer.start({
 *     "GET /todos/{id}": async (request) => TestServer.json({ id: Number(request.params["id"]) }),
 *     "GET /flaky": TestServer.sequence(TestServer.empty(503), TestServer.reset, TestServer.json("ok"))
 *   })
 *   const response = await fetch(`${server.url}/todos/1`)
 *   console.log(response.status, server.requests()[0]?.path)
 * }
 * ```
 *
 * @since 3.2.0
 * @category constructors
 */
export const start = async (routes: Routes): Promise<AsyncTestServer> =>
  asAsync(await Promised.open(make(routes)))

/**
 * A URL on 127.0.0.1 where nothing listens, so that connections are refused.
 *
 * @example
 * ```ts
 * import { TestServer } from "@effect-api/testing"
 * import { Effect } from "effect"
 *
 * export const refused = Effect.flatMap(TestServer.refusedUrl, (url) => Effect.tryPromise(() => fetch(url)))
 * ```
 *
 * @since 0.1.0
 * @category faults
 */
export const refusedUrl: Effect.Effect<string> = Effect.map(freePort, (port) => `http://127.0.0.1:${port}`)

/**
 * The same URL for plain async code.
 *
 * @example
 * ```ts
 * import { TestServer } from "@effect-api/testing"
 *
 * const main = async () => {
 *   await fetch(await TestServer.findRefusedUrl())
 * }
 * ```
 *
 * @since 3.2.0
 * @category faults
 */
export const findRefusedUrl = (): Promise<string> => Promised.promised(refusedUrl)

/**
 * A server as a layer.
 *
 * @example
 * ```ts
 * import { TestServer } from "@effect-api/testing"
 * import { Effect } from "effect"
 *
 * export const program = Effect.gen(function* () {
 *   const server = yield* TestServer.TestServer
 *   return yield* server.awaitRequests(1)
 * }).pipe(Effect.provide(TestServer.layer({ "*": TestServer.never })))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <R = never>(
  routes: Routes<R>
): Layer.Layer<TestServer, never, Exclude<R, Scope.Scope>> => Layer.scoped(TestServer, make(routes))
