/**
 * Watching a client: one span a call with an event per attempt, metrics and log lines. Names are OpenTelemetry's for HTTP
 * clients: https://opentelemetry.io/docs/specs/semconv/http/
 *
 * @since 0.1.0
 */
import { HttpClient } from "@effect/platform"
import {
  Cause,
  Context,
  DefaultServices,
  Duration,
  Effect,
  type Fiber,
  FiberRef,
  LogLevel,
  Metric,
  MetricBoundaries,
  MetricKey,
  Option,
  Predicate,
  Scope,
  Tracer
} from "effect"
import type * as ApiError from "./ApiError.js"
import * as Call from "./Call.js"
import { metricOf } from "./internal/taggedMetric.js"

const builtInTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/**
 * The span of a call, and what of it goes on the wire: nothing where propagation is off
 * (`HttpClient.withTracerPropagation`), neither where nobody listens.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallSpan {
  readonly span: Tracer.Span | undefined
  readonly propagated: Tracer.Span | undefined
}

const isListened = (fiber: Fiber.RuntimeFiber<unknown, unknown>): boolean =>
  (fiber.currentTracer !== builtInTracer || fiber.currentSpan !== undefined) &&
  fiber.getFiberRef(FiberRef.currentTracerEnabled)

/** Where a link was followed the template is a whole URL, with whatever its server put into it. */
const templateOf = (call: Call.Call): string => {
  const [path = ""] = call.request.template.split("?", 1)
  return Call.redactor(call).url(path)
}

const servers = new Map<string, { readonly address: string; readonly port: number }>()

/** Taken apart once: a program talks to few servers. */
const serverOf = (origin: string): { readonly address: string; readonly port: number } => {
  const known = servers.get(origin)
  if (known !== undefined) return known
  const { hostname, port, protocol } = new URL(origin)
  const server = { address: hostname, port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port) }
  servers.set(origin, server)
  return server
}

const unwatched: CallSpan = { span: undefined, propagated: undefined }

/**
 * Opens a span for a call, `METHOD template`, until the scope closes, where somebody listens: a tracer other than the
 * built-in one, or a parent span.
 *
 * @since 0.1.0
 * @category tracing
 */
export const openSpan = (call: Call.Call): Effect.Effect<CallSpan, never, Scope.Scope> =>
  Effect.withFiberRuntime((fiber) => {
    if (!isListened(fiber)) return Effect.succeed(unwatched)
    const { method, url } = call.encoded
    const { address, port } = serverOf(call.encoded.origin)
    const attributes = {
      "http.request.method": method,
      "server.address": address,
      "server.port": port,
      "url.full": Call.redactor(call).url(url),
      "url.template": templateOf(call)
    }
    const opened = Effect.makeSpanScoped(`${method} ${templateOf(call)}`, {
      kind: "client",
      captureStackTrace: false,
      attributes
    })
    return Effect.flatMap(opened, (span) =>
      Effect.as(
        // Runs before the finalizer that ends the span: the last to be added is the first to run.
        Effect.addFinalizer((exit) =>
          Effect.sync(() =>
            endAttributes(call, span, exit._tag === "Failure" ? failureTag(exit.cause) : undefined)
          )
        ),
        { span, propagated: fiber.getFiberRef(HttpClient.currentTracerPropagation) ? span : undefined }
      )
    )
  })

/**
 * Runs a call in its span.
 *
 * @since 0.1.0
 * @category tracing
 */
export const withSpan = <A, E, R>(
  call: Call.Call,
  run: (
    propagated: Tracer.Span | undefined,
    fiber: Fiber.RuntimeFiber<unknown, unknown>
  ) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.withFiberRuntime<A, E, R>((fiber) =>
    isListened(fiber)
      ? Effect.scopedWith((scope) =>
          Effect.flatMap(Scope.extend(openSpan(call), scope), ({ propagated, span }) =>
            span === undefined ? run(propagated, fiber) : Effect.withParentSpan(run(propagated, fiber), span)
          )
        )
      : run(undefined, fiber)
  )

const failureTag = (cause: Cause.Cause<unknown>): string => {
  const failure = Option.getOrUndefined(Cause.failureOption(cause))
  if (Predicate.hasProperty(failure, "_tag")) return String(failure._tag)
  return Cause.isInterrupted(cause) ? "interrupted" : "defect"
}

const endAttributes = (call: Call.Call, span: Tracer.Span, failure: string | undefined): void => {
  call.attempts.forEach((attempt, index) => {
    span.event("http.client.attempt", BigInt(Math.round(attempt.startedAt * 1e6)), {
      "http.request.resend_count": index,
      "http.client.attempt.duration": Duration.toSeconds(attempt.duration),
      ...(attempt.status === undefined ? {} : { "http.response.status_code": attempt.status }),
      ...(attempt.tag === undefined ? {} : { "error.type": attempt.tag })
    })
  })
  const last = call.attempts[call.attempts.length - 1]
  if (last?.status !== undefined) span.attribute("http.response.status_code", last.status)
  if (call.attempts.length > 1) span.attribute("http.request.resend_count", call.attempts.length - 1)
  if (failure !== undefined) span.attribute("error.type", failure)
}

const durationKey = MetricKey.histogram(
  "http.client.request.duration",
  MetricBoundaries.fromIterable([0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]),
  "Duration of HTTP client requests, in seconds"
)

const activeKey = MetricKey.counter("http.client.active_requests", {
  description: "Number of HTTP requests on their way"
})

const retriesKey = MetricKey.counter("http.client.retries", {
  description: "Number of retried HTTP requests, by cause",
  incremental: true
})

/**
 * How long an attempt took, in seconds, by method, server, status and error.
 *
 * @since 0.1.0
 * @category metrics
 */
export const requestDuration: Metric.Metric.Histogram<number> = Metric.fromMetricKey(durationKey)

/**
 * Attempts on their way right now.
 *
 * @since 0.1.0
 * @category metrics
 */
export const activeRequests: Metric.Metric.Counter<number> = Metric.fromMetricKey(activeKey)

/**
 * Retries, by the error that caused them.
 *
 * @since 0.1.0
 * @category metrics
 */
export const retries: Metric.Metric.Counter<number> = Metric.fromMetricKey(retriesKey)

/**
 * Answers that did not fit their schema and were handed on, because validation is lenient.
 *
 * @since 0.1.0
 * @category metrics
 */
export const misfits: Metric.Metric.Counter<number> = Metric.counter("http.client.lenient_misfits", {
  description: "Number of answers handed on although they do not fit their schema",
  incremental: true
})

/**
 * Tells of an answer that lenient validation hands on.
 *
 * @since 0.1.0
 * @category logging
 */
export const misfit = (error: ApiError.ResponseValidationError): Effect.Effect<void> =>
  Effect.zipRight(Metric.increment(misfits), Effect.logWarning(error.message))

/**
 * Events that streams have handed out.
 *
 * @since 0.1.0
 * @category metrics
 */
export const streamEvents: Metric.Metric.Counter<number> = Metric.counter("http.client.stream.events", {
  description: "Number of events handed out by streams",
  incremental: true
})

/**
 * Counts events handed out.
 *
 * @since 0.1.0
 * @category metrics
 */
export const streamed = (count: number): Effect.Effect<void> => Metric.incrementBy(streamEvents, count)

/** The metrics of the attempts with one server by one method. */
interface Instruments {
  readonly active: Metric.Metric.Counter<number>
  readonly durations: Map<string, Metric.Metric.Histogram<number>>
  readonly where: ReadonlyArray<readonly [name: string, value: string]>
}

const instruments = new Map<string, Instruments>()

const instrumentsOf = ({ encoded: { method, origin } }: Call.Call): Instruments => {
  const id = `${method} ${origin}`
  const known = instruments.get(id)
  if (known !== undefined) return known
  const { address, port } = serverOf(origin)
  const where = [
    ["http.request.method", method],
    ["server.address", address],
    ["server.port", String(port)]
  ] as const
  const made: Instruments = { active: metricOf(activeKey, where), durations: new Map(), where }
  instruments.set(id, made)
  return made
}

/**
 * Tells the metrics that an attempt has ended: how long it took, in milliseconds, its status and its error.
 *
 * @since 0.1.0
 * @category models
 */
export type Measured = (millis: number, status: number | undefined, tag: string | undefined) => void

/**
 * Counts an attempt as on its way. Whoever asks calls what it gives back when the attempt has ended, however it did.
 *
 * @since 0.1.0
 * @category metrics
 */
export const attempting = (call: Call.Call, fiber: Fiber.RuntimeFiber<unknown, unknown>): Measured => {
  const labels = fiber.getFiberRef(FiberRef.currentMetricLabels)
  const { active, durations, where } = instrumentsOf(call)
  active.unsafeUpdate(1, labels)
  return (millis, status, tag) => {
    active.unsafeUpdate(-1, labels)
    const id = `${status ?? ""} ${tag ?? ""}`
    let duration = durations.get(id)
    if (duration === undefined) {
      duration = metricOf(durationKey, [
        ...where,
        ["http.response.status_code", `${status ?? ""}`],
        ["error.type", tag ?? ""]
      ])
      durations.set(id, duration)
    }
    duration.unsafeUpdate(millis / 1000, labels)
  }
}

/**
 * Whether anybody hears what is told at debug.
 *
 * @since 0.1.0
 * @category logging
 */
export const isDebugged = (fiber: Fiber.RuntimeFiber<unknown, unknown>): boolean =>
  LogLevel.lessThanEqual(fiber.getFiberRef(FiberRef.currentMinimumLogLevel), LogLevel.Debug)

/**
 * Tells of a retry: one line at info and the counter, by cause.
 *
 * @since 0.1.0
 * @category logging
 */
export const retrying = (
  call: Call.Call,
  error: ApiError.ApiError,
  delayMillis: number
): Effect.Effect<void> => {
  const { method } = call.encoded
  const cause = "status" in error ? `${error._tag} ${error.status}` : error._tag
  return Effect.zipRight(
    Metric.increment(metricOf(retriesKey, [["error.type", error._tag]])),
    Effect.logInfo(
      `retrying ${method} ${templateOf(call)} in ${Duration.format(Duration.millis(Math.ceil(delayMillis)))}: ${cause} (retry ${call.attempts.length + 1})`
    )
  )
}

/**
 * Tells of an attempt at debug, its headers redacted. Costs a comparison where nobody listens.
 *
 * @since 0.1.0
 * @category logging
 */
export const attempted = (
  call: Call.Call,
  sent: Readonly<Record<string, string>>,
  answer: { readonly status: number; readonly headers: Readonly<Record<string, string>> } | ApiError.ApiError
): Effect.Effect<void> =>
  Effect.withFiberRuntime((fiber) => {
    if (!isDebugged(fiber)) return Effect.void
    const shown = Call.redactor(call)
    const { body, method, url } = call.encoded
    const outcome = "_tag" in answer ? answer._tag : String(answer.status)
    return Effect.logDebug(`${method} ${shown.url(url)} -> ${outcome}`).pipe(
      Effect.annotateLogs({
        "http.request.headers": shown.headers(sent),
        ...("headers" in answer ? { "http.response.headers": shown.headers(answer.headers) } : {}),
        ...(call.config.options.logBodies === true && body._tag === "Uint8Array"
          ? { "http.request.body": shown.text(new TextDecoder().decode(body.body)) }
          : {})
      })
    )
  })
