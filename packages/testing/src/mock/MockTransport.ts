/**
 * A scripted `HttpClient.HttpClient` without sockets. Its delays and body chunks use the `Clock`, so tests of timeouts and
 * retries run on `TestClock`.
 *
 * @since 0.1.0
 */
import { HttpClient, HttpClientError, type HttpClientRequest } from "@effect/platform"
import { Clock, Context, Effect, Layer } from "effect"
import * as Changes from "../shared/changes.js"
import { shown } from "../shared/mistakes.js"
import { now, type WaitOptions, Waits } from "../shared/promised.js"
import * as Attempts from "./attempts.js"
import { MockRequest } from "./MockRequest.js"
import { isStep, type MockStep } from "./MockStep.js"
import { collectStream, readBody } from "./mockBody.js"

/**
 * @since 0.1.0
 */
export * from "./MockRequest.js"

/**
 * @since 0.1.0
 */
export * from "./MockStep.js"

/**
 * The script of a transport: a list of steps for successive requests, or a function of the request and its index.
 *
 * A request after the last step dies, unless a step is `forever`. When the function runs, a streamed request body is not read
 * yet.
 *
 * @since 0.1.0
 * @category models
 */
export type Script = ReadonlyArray<MockStep> | ((request: MockRequest, index: number) => MockStep)

/**
 * A scripted client and the log of its requests.
 *
 * @since 0.1.0
 * @category models
 */
export interface MockTransport {
  /** The scripted client. */
  readonly client: HttpClient.HttpClient
  /** All requests so far, in order of arrival. A request with a collected body is logged once the body is complete. */
  readonly requests: Effect.Effect<ReadonlyArray<MockRequest>>
  /** The number of requests so far. */
  readonly requestCount: Effect.Effect<number>
  /** Waits until `count` requests have arrived, and returns all that have. */
  readonly awaitRequests: (count: number) => Effect.Effect<ReadonlyArray<MockRequest>>
  /** The number of attempts that ended early: by interruption, or because the client left the body. */
  readonly interrupted: Effect.Effect<number>
  /** Waits until `count` attempts have ended early, and returns their number. */
  readonly awaitInterrupted: (count: number) => Effect.Effect<number>
  /** The number of attempts that have not ended, including those whose streamed body nobody reads or leaves. */
  readonly inFlight: Effect.Effect<number>
}

/**
 * The tag of the scripted transport.
 *
 * @since 0.1.0
 * @category tags
 */
export const MockTransport: Context.Tag<MockTransport, MockTransport> = Context.GenericTag<MockTransport>(
  "@effect-api/testing/MockTransport"
)

const wanted = "make it with json, text, stream, empty, response or another step of MockTransport"

const chooser = (script: Script): ((request: MockRequest) => MockStep) => {
  if (typeof script === "function")
    return (request) => {
      const step = script(request, request.index)
      if (isStep(step)) return step
      const { index, method, url } = request
      throw new Error(
        `MockTransport: the script returned ${shown(step)} for request ${index + 1} (${method} ${url}), which is no step: ${wanted}`
      )
    }
  if (!Array.isArray(script))
    throw new Error(
      `MockTransport: the script is ${shown(script)}: use a list of steps, or a function that returns one`
    )
  const wrong = script.findIndex((step) => !isStep(step))
  if (wrong !== -1)
    throw new Error(`MockTransport: step ${wrong + 1} of the script is ${shown(script[wrong])}: ${wanted}`)
  return ({ index, method, url }) => {
    const endless = script.findIndex((step) => step.forever)
    const step = script[endless === -1 ? index : Math.min(index, endless)]
    if (step !== undefined) return step
    throw new Error(
      `MockTransport: request ${index + 1} (${method} ${url}) has no step: the script has ${script.length} step(s)`
    )
  }
}

/**
 * Makes a scripted client. As with fetch, interruption and `HttpClient.withScope` abort an attempt.
 *
 * @example
 * ```ts
 * import { MockTransport } from "@effect-api/testing"
 * import { Effect, Fiber, TestClock } from "effect"
 *
 * export const program = Effect.gen(function* () {
 *   const transport = yield* MockTransport.make([
 *     MockTransport.connectionError({ code: "ECONNREFUSED" }),
 *     MockTransport.json({ id: 1 }, { delay: "3 seconds" })
 *   ])
 *   const fiber = yield* Effect.fork(Effect.retry(transport.client.get("https://api.test/todos/1"), { times: 1 }))
 *   yield* transport.awaitRequests(2)
 *   yield* TestClock.adjust("3 seconds")
 *   const response = yield* Fiber.join(fiber)
 *   return yield* response.json
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (script: Script): Effect.Effect<MockTransport> =>
  Effect.sync(() => {
    const changes = Changes.make()
    const attempts = Attempts.make(changes)
    const choose = chooser(script)
    const log: Array<MockRequest> = []
    let arrived = 0

    const receive = (
      request: HttpClientRequest.HttpClientRequest,
      url: URL
    ): Effect.Effect<readonly [MockRequest, MockStep], HttpClientError.RequestError> =>
      Effect.gen(function* () {
        const index = arrived++
        const at = yield* Clock.currentTimeMillis
        const { body, headers } = yield* readBody(request)
        const early = new MockRequest({
          index,
          method: request.method,
          url: `${url.origin}${url.pathname}${url.search}`,
          headers,
          body,
          at
        })
        const step = yield* Effect.sync(() => choose(early))
        const seen =
          request.body._tag === "Stream" && step.collect
            ? new MockRequest({ ...early, body: yield* collectStream(request, request.body.stream) })
            : early
        log.push(seen)
        changes.notify()
        return [seen, step] as const
      })

    const client = HttpClient.make((request, url, signal) => {
      const attempt = attempts.begin(signal)
      const responding = Effect.gen(function* () {
        const [seen, step] = yield* receive(request, url)
        yield* attempt.sleep(
          step.delay,
          (cause) => new HttpClientError.RequestError({ request, reason: "Transport", cause })
        )
        return yield* step.respond(request, seen, attempt)
      })
      return attempt.run(responding)
    })

    return {
      client,
      requests: Effect.sync(() => [...log]),
      requestCount: Effect.sync(() => log.length),
      awaitRequests: (count) => changes.until(() => (log.length >= count ? [...log] : undefined)),
      interrupted: Effect.sync(attempts.interrupted),
      awaitInterrupted: (count) =>
        changes.until(() => (attempts.interrupted() >= count ? attempts.interrupted() : undefined)),
      inFlight: Effect.sync(attempts.inFlight)
    }
  })

/**
 * A scripted transport for plain async code, and the log of its requests.
 *
 * @since 3.2.0
 * @category models
 */
export interface AsyncMockTransport {
  /** The `transport` of a promise client. */
  readonly transport: Layer.Layer<HttpClient.HttpClient>
  /** All requests so far, in order of arrival. A request with a collected body is logged once the body is complete. */
  readonly requests: () => ReadonlyArray<MockRequest>
  /** The number of requests so far. */
  readonly requestCount: () => number
  /** Waits until `count` requests have arrived, and returns all that have. */
  readonly awaitRequests: (count: number, options?: WaitOptions) => Promise<ReadonlyArray<MockRequest>>
  /** The number of attempts that ended early: by a signal, or because the client left the body. */
  readonly interrupted: () => number
  /** Waits until `count` attempts have ended early, and returns their number. */
  readonly awaitInterrupted: (count: number, options?: WaitOptions) => Promise<number>
  /** The number of attempts that have not ended, including those whose streamed body nobody reads or leaves. */
  readonly inFlight: () => number
}

/**
 * Makes a scripted transport for plain async code. It opens nothing, so there is nothing to close. Throws if a step is not one.
 *
 * Delays take real time, or that of fake timers (`vi.useFakeTimers()`, `jest.useFakeTimers()`, `mock.timers` of `node:test`).
 *
 * @example
 * ```ts
 * import { PromiseClient } from "@effect-api/client"
 * import { MockTransport } from "@effect-api/testing"
 *
 * const main = async () => {
 *   const mock = MockTransport.start([MockTransport.empty(503), MockTransport.json({ id: 1 })])
 *   await using client = PromiseClient.make({
 *     baseUrl: "https://api.test",
 *     transport: mock.transport,
 *     retry: { initialDelay: 1 }
 *   })
 *   await client.get("/todos/1")
 *   console.log(mock.requests().map((request) => request.url))
 * }
 * ```
 *
 * @since 3.2.0
 * @category constructors
 */
export const start = (script: Script): AsyncMockTransport => {
  const mock = now(make(script))
  const waits = new Waits()
  return {
    transport: Layer.succeed(HttpClient.HttpClient, mock.client),
    requests: () => now(mock.requests),
    requestCount: () => now(mock.requestCount),
    awaitRequests: (count, options) => waits.until(mock.awaitRequests(count), options),
    interrupted: () => now(mock.interrupted),
    awaitInterrupted: (count, options) => waits.until(mock.awaitInterrupted(count), options),
    inFlight: () => now(mock.inFlight)
  }
}

/**
 * A layer with the scripted client as `HttpClient` and its log as `MockTransport`.
 *
 * @example
 * ```ts
 * import { HttpClient } from "@effect/platform"
 * import { MockTransport } from "@effect-api/testing"
 * import { Effect } from "effect"
 *
 * export const program = Effect.gen(function* () {
 *   yield* HttpClient.get("https://api.test/todos")
 *   const transport = yield* MockTransport.MockTransport
 *   return yield* transport.requests
 * }).pipe(Effect.provide(MockTransport.layer([MockTransport.json([])])))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (script: Script): Layer.Layer<HttpClient.HttpClient | MockTransport> =>
  Layer.effectContext(
    Effect.map(make(script), (transport) =>
      Context.make(MockTransport, transport).pipe(Context.add(HttpClient.HttpClient, transport.client))
    )
  )
