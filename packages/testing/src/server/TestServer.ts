/**
 * A local HTTP/1.1 server for tests: routes are functions, replies and faults are values, and everything a client does
 * can be awaited.
 *
 * @since 0.1.0
 */
import { Context, Effect, Layer, type Scope } from "effect"
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
 * A running server and the log of what its clients did.
 *
 * @since 0.1.0
 * @category models
 */
export interface TestServer {
  /** `http://127.0.0.1:port`, without a closing slash. */
  readonly url: string
  readonly port: number
  /** The requests given to a handler, in that order. A request killed by `closeOnReuse` is not among them. */
  readonly requests: Effect.Effect<ReadonlyArray<SeenRequest>>
  /** How many requests were given to a handler. */
  readonly requestCount: Effect.Effect<number>
  /** Everything that arrived, by index, with what became of it so far. */
  readonly exchanges: Effect.Effect<ReadonlyArray<Exchange>>
  /** Connections open now. */
  readonly openSockets: Effect.Effect<number>
  /** Connections opened since the start, or since `reset`. */
  readonly socketsSeen: Effect.Effect<number>
  /** Waits until `count` requests were given to a handler, and gives all that were. */
  readonly awaitRequests: (count: number) => Effect.Effect<ReadonlyArray<SeenRequest>>
  /** Waits until the exchange of this index exists and the predicate holds. */
  readonly awaitExchange: (
    index: number,
    predicate: (exchange: Exchange) => boolean
  ) => Effect.Effect<Exchange>
  /** Waits until the connection of this request is closed, and says by whom: the proof of an abort. */
  readonly awaitClosed: (index: number) => Effect.Effect<ClosedBy>
  /** Waits until the predicate holds for the number of open connections, and gives that number. */
  readonly awaitOpenSockets: (predicate: (open: number) => boolean) => Effect.Effect<number>
  /** Forgets all requests and starts every `sequence` again; connections and exchanges under way go on. */
  readonly reset: Effect.Effect<void>
}

/**
 * The server as a service.
 *
 * @since 0.1.0
 * @category tags
 */
export const TestServer: Context.Tag<TestServer, TestServer> = Context.GenericTag<TestServer>(
  "@effect-api/testing/TestServer"
)

/**
 * Starts a server on 127.0.0.1, on a port that the system chooses. It closes with the scope: sockets are destroyed,
 * handlers interrupted, timers cleared. Idle connections are kept for ten minutes, and no other timeout applies: what
 * closes early is a fault you asked for. The delays of replies are real time; handlers that are effects follow the
 * `Clock` of the place where the server was made. A route that does not parse is a defect.
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
      requests: Effect.sync(() => [...state.handed]),
      requestCount: Effect.sync(() => state.handed.length),
      exchanges: Effect.sync(() => state.entries.map(snapshot)),
      openSockets: Effect.sync(() => state.connections.size),
      socketsSeen: Effect.sync(() => state.socketsSeen),
      awaitRequests: (count) =>
        changes.until(() => (state.handed.length >= count ? [...state.handed] : undefined)),
      awaitExchange,
      awaitClosed: (index) => changes.until(() => state.entries[index]?.connection.closed),
      awaitOpenSockets: (predicate) =>
        changes.until(() => (predicate(state.connections.size) ? state.connections.size : undefined)),
      reset: Effect.sync(() => clear(state))
    }
  })

/**
 * A URL on 127.0.0.1 where nothing listens, so that connecting is refused.
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
