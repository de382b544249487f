/**
 * What the scripted transport does with one request.
 *
 * @since 0.1.0
 */
import { HttpClientError, type HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { Duration, Effect, Stream } from "effect"
import { toBytes } from "../shared/bytes.js"
import type { Attempt } from "./attempts.js"
import type { MockRequest } from "./MockRequest.js"
import { MockResponse } from "./mockResponse.js"

/**
 * The mark of the steps of a script.
 *
 * @since 0.1.0
 * @category type ids
 */
export const MockStepTypeId: unique symbol = Symbol.for("@effect-api/testing/MockStep")

/**
 * The type of the mark of the steps of a script.
 *
 * @since 0.1.0
 * @category type ids
 */
export type MockStepTypeId = typeof MockStepTypeId

/**
 * One step of a script.
 *
 * @since 0.1.0
 * @category models
 */
export interface MockStep {
  readonly [MockStepTypeId]: MockStepTypeId
  /** Waited, by the `Clock`, before the answer. */
  readonly delay: Duration.Duration
  /** Whether the step repeats for ever. */
  readonly forever: boolean
  /** Whether a streamed request body is run and logged. */
  readonly collect: boolean
  /** @internal */
  readonly answer: (
    request: HttpClientRequest.HttpClientRequest,
    seen: MockRequest,
    attempt: Attempt
  ) => Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>
}

/**
 * What every step can be told.
 *
 * @since 0.1.0
 * @category models
 */
export interface StepOptions {
  /** Waited, by the `Clock`, before the answer; none by default. */
  readonly delay?: Duration.DurationInput | undefined
  /** Whether a streamed request body is run and logged: true, but for `connectionError`. */
  readonly collect?: boolean | undefined
}

/**
 * The head of a response; the status defaults to 200.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResponseOptions extends StepOptions {
  /** The status (200). */
  readonly status?: number | undefined
  /** The headers; a list sends one several times. */
  readonly headers?: Readonly<Record<string, string | ReadonlyArray<string>>> | undefined
}

/**
 * One element of a streamed body: bytes, a wait by the `Clock` (`Infinity` never ends), or the failure that breaks
 * the body off.
 *
 * @since 0.1.0
 * @category models
 */
export type BodyPart =
  | string
  | Uint8Array
  | { readonly delay: Duration.DurationInput }
  | { readonly fail: unknown }

const step = (answer: MockStep["answer"], options: StepOptions | undefined, collect = true): MockStep => ({
  [MockStepTypeId]: MockStepTypeId,
  delay: Duration.decode(options?.delay ?? 0),
  forever: false,
  collect: options?.collect ?? collect,
  answer
})

const whole = (
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
 * Answers with a value as JSON.
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
  whole(toBytes(JSON.stringify(value) ?? ""), "application/json", options)

/**
 * Answers with UTF-8 text.
 *
 * @since 0.1.0
 * @category constructors
 */
export const text = (body: string, options?: ResponseOptions): MockStep =>
  whole(toBytes(body), "text/plain; charset=utf-8", options)

/**
 * Answers with bytes, as `application/octet-stream` unless the headers name another type.
 *
 * @since 0.1.0
 * @category constructors
 */
export const bytes = (body: Uint8Array, options?: ResponseOptions): MockStep =>
  whole(body, "application/octet-stream", options)

/**
 * Answers with a status and no body.
 *
 * @since 0.1.0
 * @category constructors
 */
export const empty = (status = 204, options?: Omit<ResponseOptions, "status">): MockStep =>
  whole(undefined, undefined, { ...options, status })

/**
 * Answers with a web `Response`, made anew for each request. Its body is the platform's, outside the `Clock`.
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
export const response = (make: (request: MockRequest) => Response, options?: StepOptions): MockStep =>
  step(
    (request, seen, attempt) =>
      Effect.sync(() => {
        const made = HttpClientResponse.fromWeb(request, make(seen))
        attempt.complete()
        return made
      }),
    options
  )

/**
 * Answers with a body that arrives in parts by the `Clock`. A `fail` part breaks it off as a connection reset does:
 * with a `ResponseError` of reason `Decode` whose cause is the given value. An Effect stream of bytes is taken as well.
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
  body: ReadonlyArray<BodyPart> | Stream.Stream<string | Uint8Array, unknown>,
  options?: ResponseOptions
): MockStep =>
  step((request, _seen, attempt) => {
    const part = (part: BodyPart): Stream.Stream<Uint8Array, unknown> => {
      if (typeof part === "string" || part instanceof Uint8Array) return Stream.succeed(toBytes(part))
      if ("fail" in part) return Stream.fail(part.fail)
      return Stream.execute(attempt.sleep(Duration.decode(part.delay), (cause) => cause))
    }
    const parts =
      Stream.StreamTypeId in body
        ? Stream.map(body, toBytes)
        : Stream.flatMap(Stream.fromIterable(body), part)
    const head = { status: options?.status ?? 200, headers: options?.headers ?? {} }
    return Effect.succeed(new MockResponse(request, head, attempt.follow(parts)))
  }, options)

/**
 * An error as the system gives it, with its `code`.
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
 * Fails before any answer, as transports do: a `RequestError` of reason `Transport` whose cause carries the code.
 * `as: "fetch"` puts the code one cause deeper, under a `TypeError`, where fetch has it. A streamed request body is
 * left unread unless `collect` is set.
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
    /** The system's code, such as `ECONNRESET`. */
    readonly code: string
    /** What the error says (what Node says for the code). */
    readonly message?: string | undefined
    /** Which client's errors it looks like (`node`). */
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
 * Never answers.
 *
 * @since 0.1.0
 * @category faults
 */
export const never: MockStep = step(() => Effect.never, { delay: Duration.infinity })

/**
 * Dies with a defect: a transport with a bug.
 *
 * @since 0.1.0
 * @category faults
 */
export const die = (defect: unknown, options?: StepOptions): MockStep =>
  step(() => Effect.die(defect), options)

/**
 * Repeats a step for every request from here on.
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
