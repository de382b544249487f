/**
 * Handlers and routes, which give the test server its replies.
 *
 * @since 0.1.0
 */
import { Effect, Predicate, Stream } from "effect"
import { shown } from "../shared/mistakes.js"
import { isPromiseLike } from "../shared/promised.js"
import { isReply, type Reply } from "./Reply.js"
import type { SeenRequest } from "./SeenRequest.js"

/**
 * A reply, or an effect or a promise of one. The server sends a 500 with the message of a failure, a defect or a rejection. It
 * interrupts the effect when the client closes the connection.
 *
 * @since 0.1.0
 * @category models
 */
export type ReplyEffect<R = never> = Reply | PromiseLike<Reply> | Effect.Effect<Reply, unknown, R>

/**
 * The type id of streaming handlers.
 *
 * @since 0.1.0
 * @category type ids
 */
export const StreamingTypeId: unique symbol = Symbol.for("@effect-api/testing/Streaming")

/**
 * The type of {@link StreamingTypeId}.
 *
 * @since 0.1.0
 * @category type ids
 */
export type StreamingTypeId = typeof StreamingTypeId

/**
 * A handler that consumes the request's body as it arrives.
 *
 * @since 0.1.0
 * @category models
 */
export interface Streaming<R = never> {
  readonly [StreamingTypeId]: (
    request: SeenRequest,
    body: Stream.Stream<Uint8Array>,
    signal: AbortSignal
  ) => ReplyEffect<R>
}

/**
 * One step of a handler: a reply, or a function of the request, which may be async. Its signal aborts when the connection closes.
 *
 * @since 0.1.0
 * @category models
 */
export type Step<R = never> =
  | ReplyEffect<R>
  | ((request: SeenRequest, signal: AbortSignal) => ReplyEffect<R>)
  | Streaming<R>

/**
 * The handler of a route: one step, or a list of steps for successive requests. The last step repeats.
 *
 * @since 0.1.0
 * @category models
 */
export type Handler<R = never> = Step<R> | ReadonlyArray<Step<R>>

/**
 * Handlers by route, or one handler for every request.
 *
 * A route is a method (or `*`) and a path template, in which `{name}` matches one segment and a final `*` matches the rest. The
 * first matching route handles a request. The route `"*"` handles requests that no other route matches, which otherwise get a
 * 404.
 *
 * @example
 * ```ts
 * import { TestServer } from "@effect-api/testing"
 *
 * export const routes: TestServer.Routes = {
 *   "GET /todos/{id}": (request) => TestServer.json({ id: request.params["id"] }),
 *   "* /files/*": TestServer.text("any method, any path below"),
 *   "*": TestServer.empty(410)
 * }
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export type Routes<R = never> = Handler<R> | { readonly [route: string]: Handler<R> }

/**
 * Whether a value is a handler rather than a record of handlers.
 *
 * @internal
 */
export const isHandler = <R>(routes: Routes<R>): routes is Handler<R> =>
  Array.isArray(routes) || isStep(routes)

const isStep = (u: unknown): boolean =>
  typeof u === "function" || isReply(u) || Effect.isEffect(u) || isStreaming(u) || isPromiseLike(u)

/**
 * Throws if a handler of a program without types is none.
 *
 * @internal
 */
export const checkHandler = (route: string, handler: unknown): void => {
  const of = `the route ${JSON.stringify(route)}`
  const list: ReadonlyArray<unknown> = Array.isArray(handler) ? handler : [handler]
  for (const [at, step] of list.entries()) {
    if (isStep(step)) continue
    const what = Array.isArray(handler) ? `step ${at + 1} of ${of}` : of
    throw new Error(`TestServer: ${what} is ${shown(step)}: ${wanted}`)
  }
}

const wanted = "use a reply such as TestServer.json(value), or a function that returns one"

/**
 * The reply that a handler made, or a failure that names the request.
 *
 * @internal
 */
export const checkReply = ({ method, path }: SeenRequest, made: unknown): Effect.Effect<Reply, Error> =>
  isReply(made)
    ? Effect.succeed(made)
    : Effect.fail(
        new Error(`the handler of ${method} ${path} returned ${shown(made)}, which is no reply: ${wanted}`)
      )

/**
 * Whether a value is a streaming handler.
 *
 * @internal
 */
export const isStreaming = <R = never>(u: unknown): u is Streaming<R> =>
  Predicate.hasProperty(u, StreamingTypeId)

/**
 * A handler with a list of steps for successive requests, in order of arrival. The last step repeats. Every server counts
 * separately, and `reset` starts over with the first step.
 *
 * @example
 * ```ts
 * import { TestServer } from "@effect-api/testing"
 *
 * const busy = TestServer.json({ error: "busy" }, { status: 503 })
 *
 * export const routes = { "GET /todos": TestServer.sequence(busy, TestServer.reset, TestServer.json([])) }
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const sequence = <R = never>(
  first: Step<R>,
  ...rest: ReadonlyArray<Step<R>>
): ReadonlyArray<Step<R>> => [first, ...rest]

/**
 * A handler that consumes the body as it arrives, for uploads of any size. Other handlers get the collected body.
 *
 * Pulling the stream reads the next chunk. The server discards unread bytes after the reply. The request's `Exchange` counts
 * the bytes.
 *
 * @example
 * ```ts
 * import { TestServer } from "@effect-api/testing"
 * import { Effect, Stream } from "effect"
 *
 * export const upload = TestServer.streaming((_request, body) =>
 *   Stream.runFold(body, 0, (size, bytes) => size + bytes.length).pipe(
 *     Effect.map((size) => TestServer.json({ size }))
 *   )
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const streaming = <R = never>(
  handler: (request: SeenRequest, body: Stream.Stream<Uint8Array>, signal: AbortSignal) => ReplyEffect<R>
): Streaming<R> => ({ [StreamingTypeId]: handler })

/**
 * A handler for plain async code that consumes the body as it arrives, for uploads of any size: see {@link streaming}.
 *
 * @example
 * ```ts
 * import { TestServer } from "@effect-api/testing"
 *
 * export const upload = TestServer.streamingAsync(async (request, body) => {
 *   let size = 0
 *   for await (const bytes of body) size += bytes.length
 *   return TestServer.json({ name: request.params["name"], size })
 * })
 * ```
 *
 * @since 3.2.0
 * @category constructors
 */
export const streamingAsync = (
  handler: (
    request: SeenRequest,
    body: AsyncIterable<Uint8Array>,
    signal: AbortSignal
  ) => Reply | PromiseLike<Reply>
): Streaming => ({
  [StreamingTypeId]: (request, body, signal) => handler(request, Stream.toAsyncIterable(body), signal)
})
