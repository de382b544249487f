/**
 * The steps of a script for the mock transport.
 *
 * @since 0.1.0
 */
import { HttpClientError, type HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { Duration, Effect, Predicate, Stream } from "effect"
import { fromIterator, toBytes } from "../shared/bytes.js"
import { duration } from "../shared/mistakes.js"
import { isPromiseLike } from "../shared/promised.js"
import type { Attempt } from "./attempts.js"
import type { MockRequest } from "./MockRequest.js"
import { MockResponse } from "./mockResponse.js"

/**
 * The type id of steps.
 *
 * @since 0.1.0
 * @category type ids
 */
export const MockStepTypeId: unique symbol = Symbol.for("@effect-api/testing/MockStep")

/**
 * The type of {@link MockStepTypeId}.
 *
 * @since 0.1.0
 * @category type ids
 */
export type MockStepTypeId = typeof MockStepTypeId

/**
 * One step of a script: the response to one request, or a failure.
 *
 * @since 0.1.0
 * @category models
 */
export interface MockStep {
  readonly [MockStepTypeId]: MockStepTypeId
  /** The delay before the response, by the `Clock`. */
  readonly delay: Duration.Duration
  /** Whether the step repeats forever. */
  readonly forever: boolean
  /** Whether a streamed request body is run and recorded. */
  readonly collect: boolean
  /** @internal */
  readonly respond: (
    request: HttpClientRequest.HttpClientRequest,
    seen: MockRequest,
    attempt: Attempt
  ) => Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>
}

/**
 * The options of every step.
 *
 * @since 0.1.0
 * @category models
 */
export interface StepOptions {
  /** The delay before the response, by the `Clock` (none). */
  readonly delay?: Duration.DurationInput | undefined
  /** Whether a streamed request body is run and recorded (`true`, and `false` for `connectionError`). */
  readonly collect?: boolean | undefined
}

/**
 * The head of a response.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResponseOptions extends StepOptions {
  /** The status (200). */
  readonly status?: number | undefined
  /** The headers. An array sends a header several times. */
  readonly headers?: Readonly<Record<string, string | ReadonlyArray<string>>> | undefined
}

/**
 * A part of a streamed body: bytes, a delay by the `Clock` (`Infinity` never ends), or a failure that breaks the body off.
 *
 * @since 0.1.0
 * @category models
 */
export type BodyPart =
  | string
  | Uint8Array
  | { readonly delay: Duration.DurationInput }
  | { readonly fail: unknown }

/**
 * Whether a value is a step.
 *
 * @internal
 */
export const isStep = (u: unknown): u is MockStep => Predicate.hasProperty(u, MockStepTypeId)

const isAsync = <A>(body: object): body is AsyncIterable<A> =>
  Predicate.hasProperty(body, Symbol.asyncIterator)

const step = (respond: MockStep["respond"], options: StepOptions | undefined, collect = true): MockStep => ({
  [MockStepTypeId]: MockStepTypeId,
  delay: duration("MockTransport: delay", options?.delay ?? 0),
  forever: false,
  collect: options?.collect ?? collect,
  respond
})

const buffered = (
  body: Uint8Array | undefined,
  type: string | undefined,
  options: ResponseOptions | undefined
): MockStep =>
  step((request, _seen, attempt) => {
    const typed = type === undefined ? {} : { "content-type": type }
    const sized = body === undefined ? {} : { "content-length": String(body.length) }
    const headers: Record<string, string | ReadonlyArray<string>> = { ...typed, ...sized }
    for (const [name, value] of Object.entries(options?.headers ?? {})) headers[name.toLowerCase()] = value
    const head = { status: options?.status ?? 200, headers }
    attempt.complete()
    return Effect.succeed(
      new MockResponse(request, head, body === undefined ? undefined : Stream.succeed(body))
    )
  }, options)

/**
 * Responds with a value as JSON.
 *
 * @example
 * ```ts
 * import { MockTransport } from "@effect-api/testing"
 *
 * export const busy = MockTransport.json({ error: "busy" }, { status: 503, delay: "1 second" })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const json = (value: unknown, options?: ResponseOptions): MockStep =>
  buffered(toBytes(JSON.stringify(value) ?? ""), "application/json", options)

/**
 * Responds with UTF-8 text.
 *
 * @since 0.1.0
 * @category constructors
 */
export const text = (body: string, options?: ResponseOptions): MockStep =>
  buffered(toBytes(body), "text/plain; charset=utf-8", options)

/**
 * Responds with bytes, as `application/octet-stream` unless the headers set another type.
 *
 * @since 0.1.0
 * @category constructors
 */
export const bytes = (body: Uint8Array, options?: ResponseOptions): MockStep =>
  buffered(body, "application/octet-stream", options)

/**
 * Responds with a status and no body.
 *
 * @since 0.1.0
 * @category constructors
 */
export const empty = (status = 204, options?: Omit<ResponseOptions, "status">): MockStep =>
  buffered(undefined, undefined, { ...options, status })

/**
 * Responds with a new web `Response` for each request, from a function that may be async. Its body does not use the `Clock`.
 *
 * @example
 * ```ts
 * import { MockTransport } from "@effect-api/testing"
 *
 * export const echo = MockTransport.response((request) => new Response(request.text, { status: 201 }))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const response = (
  make: (request: MockRequest) => Response | PromiseLike<Response>,
  options?: StepOptions
): MockStep =>
  step((request, seen, attempt) => {
    const respond = (response: Response): HttpClientResponse.HttpClientResponse => {
      attempt.complete()
      return HttpClientResponse.fromWeb(request, response)
    }
    return Effect.suspend(() => {
      const made = make(seen)
      return isPromiseLike(made)
        ? Effect.map(
            Effect.promise(async () => made),
            respond
          )
        : Effect.sync(() => respond(made))
    })
  }, options)

/**
 * Responds with a body that arrives in parts, by the `Clock`, or with an async iterable or an Effect stream of bytes.
 *
 * A `fail` part breaks the body off as a connection reset does: with a `ResponseError` of reason `Decode`, whose cause is the
 * value of `fail`.
 *
 * @example
 * ```ts
 * import { MockTransport } from "@effect-api/testing"
 *
 * export const events = MockTransport.stream(
 *   ["data: 1\n\n", { delay: "1 second" }, "data: 2\n\n", { fail: MockTransport.systemError("ECONNRESET") }],
 *   { headers: { "content-type": "text/event-stream" } }
 * )
 *
 * export const silent = MockTransport.stream(["data: 1\n\n", { delay: Infinity }])
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const stream = (
  body:
    | ReadonlyArray<BodyPart>
    | AsyncIterable<string | Uint8Array>
    | Stream.Stream<string | Uint8Array, unknown>,
  options?: ResponseOptions
): MockStep =>
  step((request, _seen, attempt) => {
    const part = (part: BodyPart): Stream.Stream<Uint8Array, unknown> => {
      if (typeof part === "string" || part instanceof Uint8Array) return Stream.succeed(toBytes(part))
      if ("fail" in part) return Stream.fail(part.fail)
      const delay = duration("MockTransport.stream: delay", part.delay)
      return Stream.execute(attempt.sleep(delay, (cause) => cause))
    }
    const parts =
      Stream.StreamTypeId in body
        ? Stream.map(body, toBytes)
        : isAsync(body)
          ? Stream.map(
              fromIterator(() => body[Symbol.asyncIterator]()),
              toBytes
            )
          : Stream.flatMap(Stream.fromIterable(body), part)
    const head = { status: options?.status ?? 200, headers: options?.headers ?? {} }
    return Effect.succeed(new MockResponse(request, head, attempt.track(parts)))
  }, options)

/**
 * Makes a system error with a `code`.
 *
 * @example
 * ```ts
 * import { MockTransport } from "@effect-api/testing"
 *
 * export const code = MockTransport.systemError("EPIPE").code
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const systemError = (code: string, message?: string): Error & { readonly code: string } =>
  Object.assign(new Error(message ?? code), { code })

/**
 * Fails before any response, as transports do: with a `RequestError` of reason `Transport`, whose cause has the code. A
 * streamed request body stays unread unless `collect` is set.
 *
 * @example
 * ```ts
 * import { MockTransport } from "@effect-api/testing"
 *
 * export const refused = MockTransport.connectionError({ code: "ECONNREFUSED", as: "fetch" })
 * ```
 *
 * @since 0.1.0
 * @category faults
 */
export const connectionError = (
  options: StepOptions & {
    /** The code of the system error, such as `ECONNRESET`. */
    readonly code: string
    /** The message of the system error (the code). */
    readonly message?: string | undefined
    /** The client whose errors to imitate (`node`). `fetch` wraps the system error in a `TypeError`. */
    readonly as?: "node" | "fetch" | undefined
  }
): MockStep =>
  step(
    (request) =>
      Effect.suspend(() => {
        const error = systemError(options.code, options.message)
        const cause = options.as === "fetch" ? new TypeError("fetch failed", { cause: error }) : error
        return Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport", cause }))
      }),
    options,
    false
  )

/**
 * Never responds.
 *
 * @since 0.1.0
 * @category faults
 */
export const never: MockStep = step(() => Effect.never, { delay: Duration.infinity })

/**
 * Dies with a defect, as a transport with a bug does.
 *
 * @since 0.1.0
 * @category faults
 */
export const die = (defect: unknown, options?: StepOptions): MockStep =>
  step(() => Effect.die(defect), options)

/**
 * Repeats a step for all further requests.
 *
 * @example
 * ```ts
 * import { MockTransport } from "@effect-api/testing"
 *
 * export const outage = [MockTransport.json("ok"), MockTransport.forever(MockTransport.empty(503))]
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const forever = (self: MockStep): MockStep => ({ ...self, forever: true })
