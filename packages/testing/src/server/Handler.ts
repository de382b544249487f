/**
 * How the test server finds the answer to a request.
 *
 * @since 0.1.0
 */
import { Effect, Predicate, type Stream } from "effect"
import { isReply, type Reply } from "./Reply.js"
import type { SeenRequest } from "./SeenRequest.js"

/**
 * A reply, or an effect that finds one. A failure or a defect becomes a 500 with its message. The effect is
 * interrupted when the client closes the connection.
 *
 * @since 0.1.0
 * @category models
 */
export type Answer<R = never> = Reply | Effect.Effect<Reply, unknown, R>

/**
 * The mark of streaming handlers.
 *
 * @since 0.1.0
 * @category type ids
 */
export const StreamingTypeId: unique symbol = Symbol.for("@effect-api/testing/Streaming")

/**
 * The type of the mark of streaming handlers.
 *
 * @since 0.1.0
 * @category type ids
 */
export type StreamingTypeId = typeof StreamingTypeId

/**
 * A handler that takes the body as it arrives.
 *
 * @since 0.1.0
 * @category models
 */
export interface Streaming<R = never> {
  readonly [StreamingTypeId]: (request: SeenRequest, body: Stream.Stream<Uint8Array>) => Answer<R>
}

/**
 * One step of a handler: an answer, or a function of the request.
 *
 * @since 0.1.0
 * @category models
 */
export type Step<R = never> = Answer<R> | ((request: SeenRequest) => Answer<R>) | Streaming<R>

/**
 * What stands behind a route: one step, or steps given one after another of which the last repeats.
 *
 * @since 0.1.0
 * @category models
 */
export type Handler<R = never> = Step<R> | ReadonlyArray<Step<R>>

/**
 * Handlers by route, or one handler for every request. A route is a method (or `*`) and a path template:
 * `{name}` matches one segment, a closing `*` the rest. The first route that matches, in the order written, answers;
 * the key `"*"` answers what no other route does; without it that is a 404.
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
 * Whether a value is a handler rather than a record of them.
 *
 * @since 0.1.0
 * @category guards
 */
export const isHandler = <R>(routes: Routes<R>): routes is Handler<R> =>
  typeof routes === "function" ||
  Array.isArray(routes) ||
  isReply(routes) ||
  Effect.isEffect(routes) ||
  isStreaming(routes)

/**
 * Whether a value is a handler that takes the body as it arrives.
 *
 * @since 0.1.0
 * @category guards
 */
export const isStreaming = <R = never>(u: unknown): u is Streaming<R> =>
  Predicate.hasProperty(u, StreamingTypeId)

/**
 * Steps given one after another, in the order in which requests arrive; the last repeats. Each server counts for
 * itself, and `reset` starts again from the first.
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
 * A handler that takes the body as it arrives instead of having it collected first, for uploads of any size. The next
 * chunk is read when the stream is pulled; what it leaves unread is discarded once the reply has been sent. The bytes
 * are counted in the request's `Exchange`.
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
  handler: (request: SeenRequest, body: Stream.Stream<Uint8Array>) => Answer<R>
): Streaming<R> => ({ [StreamingTypeId]: handler })
