/**
 * One span per call with an event per attempt, and log lines. Names are OpenTelemetry's for HTTP clients:
 * https://opentelemetry.io/docs/specs/semconv/http/
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Scope from "effect/Scope"
import type * as Tracer from "effect/Tracer"
import * as Fibers from "../effect/fibers.js"
import * as Spans from "../effect/spans.js"
import * as ApiError from "../errors/ApiError.js"
import * as Ledger from "../errors/Ledger.js"
import * as Call from "../request/Call.js"
import * as CallSecrets from "../request/CallSecrets.js"
import { nameOf } from "./callName.js"
import * as Metrics from "./Metrics.js"
import * as Measuring from "./measuring.js"
import { knownMethod, serverOf } from "./servers.js"

/**
 * The span of a call, and the span that goes on the wire. There is none on the wire if propagation is off
 * (`HttpClient.withTracerPropagation`), and no span at all without a listener.
 */
export interface CallSpan {
  readonly span: Tracer.Span | undefined
  readonly propagated: Tracer.Span | undefined
}

const unwatched: CallSpan = { span: undefined, propagated: undefined }

/**
 * Opens the span of a call until the scope closes: `METHOD template`, or `METHOD` for a URL. It does nothing without
 * a listener: a tracer other than the built-in one, or a parent span.
 */
export const openSpan = (call: Call.Call, scope: Scope.Scope): Effect.Effect<CallSpan> =>
  Fibers.withFiber((fiber) =>
    Fibers.isTraced(fiber) ? Scope.extend(opened(call, fiber), scope) : Effect.succeed(unwatched)
  )

const opened = (
  call: Call.Call,
  fiber: Fibers.AnyFiber
): Effect.Effect<{ readonly span: Tracer.Span } & CallSpan, never, Scope.Scope> => {
  const { name, options } = spanOf(call)
  return Effect.flatMap(Effect.makeSpanScoped(name, options), (span) =>
    Effect.as(
      // Runs before the finalizer that ends the span: finalizers run in reverse order.
      Effect.addFinalizer((exit) =>
        Effect.sync(() => {
          // A span that has ended ignores a second end.
          span.end(Fibers.spanTime(fiber), ending(call, span, exit))
        })
      ),
      { span, propagated: propagatedBy(fiber, span) }
    )
  )
}

/** A URL names no span: there is no limit to their number. */
const templateOf = (call: Call.Call): string | undefined =>
  /^https?:/i.test(call.request.template) ? undefined : nameOf(call)

const spanOf = (call: Call.Call): { readonly name: string; readonly options: Tracer.SpanOptions } => {
  const { method, origin, url } = call.encoded
  const { address, port } = serverOf(origin)
  const known = knownMethod(method)
  const template = templateOf(call)
  const service = call.config.name
  const attributes: Record<string, unknown> = { "http.request.method": known }
  if (known !== method) attributes["http.request.method_original"] = method
  attributes["server.address"] = address
  attributes["server.port"] = port
  attributes["url.full"] = CallSecrets.redactor(call).url(url)
  if (service !== undefined) attributes["peer.service"] = service
  if (template !== undefined) attributes["url.template"] = template
  const verb = known === method ? method : "HTTP"
  return {
    name: template === undefined ? verb : `${verb} ${template}`,
    options: { kind: "client", captureStackTrace: false, attributes }
  }
}

const propagatedBy = (fiber: Fibers.AnyFiber, span: Tracer.Span): Tracer.Span | undefined =>
  Fibers.get(fiber, HttpClient.currentTracerPropagation) ? span : undefined

/** Runs a call in its span, in the fiber that has begun it. */
export const withSpan = <A, E, R>(
  call: Call.Call,
  fiber: Fibers.AnyFiber,
  run: (propagated: Tracer.Span | undefined) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  if (!Fibers.isTraced(fiber)) return run(undefined)
  const { name, options } = spanOf(call)
  return Spans.within(
    fiber,
    name,
    options,
    (span) => run(propagatedBy(fiber, span)),
    (span, exit) => ending(call, span, exit)
  )
}

const failureTag = (cause: Cause.Cause<unknown>): string => {
  const failure = Option.getOrUndefined(Cause.failureOption(cause))
  if (Predicate.hasProperty(failure, "_tag")) return String(failure._tag)
  return Cause.isInterrupted(cause) ? "interrupted" : "defect"
}

/** Whether a call ended with the error that the caller named for its status. */
const isOwn = (call: Call.Call, cause: Cause.Cause<unknown>): boolean => {
  const failure = Cause.failureOption(cause)
  return (
    Option.isSome(failure) &&
    !ApiError.isApiError(failure.value) &&
    Call.isNamed(call, call.attempts.at(-1)?.status)
  )
}

/**
 * Writes what a call has come to. Returns the exit for its span: a status that the caller names is no error. Spans wait for
 * their exporter, so a success leaves its value out: they would keep each response.
 */
const ending = (
  call: Call.Call,
  span: Tracer.Span,
  exit: Exit.Exit<unknown, unknown>
): Exit.Exit<unknown, unknown> => {
  call.attempts.forEach(({ duration, startedAt, status, tag }, index) => {
    const attributes: Record<string, unknown> = {
      "http.request.resend_count": index,
      "http.client.attempt.duration": Duration.toSeconds(duration)
    }
    if (status !== undefined) attributes["http.response.status_code"] = status
    if (tag !== undefined && !Call.isNamed(call, status)) attributes["error.type"] = tag
    span.event("http.client.attempt", BigInt(Math.round(startedAt * 1e6)), attributes)
  })
  const last = call.attempts[call.attempts.length - 1]
  if (last?.status !== undefined) span.attribute("http.response.status_code", last.status)
  const tries = Ledger.tries(call)
  if (tries > 1) span.attribute("http.request.resend_count", tries - 1)
  // The status is that of the last hop, so the URL is too.
  if (call.redirected !== undefined) {
    const { address, port } = serverOf(call.encoded.origin)
    span.attribute("url.full", CallSecrets.redactor(call).url(call.encoded.url))
    span.attribute("server.address", address)
    span.attribute("server.port", port)
  }
  if (Exit.isSuccess(exit)) return Exit.void
  if (isOwn(call, exit.cause)) return Exit.void
  span.attribute("error.type", failureTag(exit.cause))
  return exit
}

/**
 * Counts what lenient validation passes on, a response or events of a stream, and logs the error. A stream logs the
 * first event and counts the rest.
 */
export const decodeFailure = (
  error: { readonly message: string } | undefined,
  count = 1
): Effect.Effect<void> =>
  Effect.zipRight(
    Metric.update(Metrics.misfits, count),
    error === undefined ? Effect.void : Effect.logWarning(error.message)
  )

/** Logs a retry at info level, and counts it by its cause. */
export const retrying = (
  call: Call.Call,
  error: ApiError.ApiError,
  delayMillis: number
): Effect.Effect<void> => {
  const { method } = call.encoded
  const cause = "status" in error ? `${error._tag} ${error.status}` : error._tag
  return Effect.zipRight(
    Measuring.retried(error._tag),
    Effect.logInfo(
      `retrying ${method} ${nameOf(call)} in ${Duration.format(Duration.millis(Math.ceil(delayMillis)))}: ${cause} (retry ${Ledger.tries(call) + 1})`
    )
  )
}

/** Logs an attempt at debug level, with its headers redacted. Without a listener it costs one comparison. */
export const attempted = (
  call: Call.Call,
  sent: Readonly<Record<string, string>>,
  outcome: { readonly status: number; readonly headers: Readonly<Record<string, string>> } | ApiError.ApiError
): Effect.Effect<void> =>
  Fibers.withFiber((fiber) => {
    if (!Fibers.isDebugged(fiber)) return Effect.void
    const redactor = CallSecrets.redactor(call)
    const { body, method, url } = call.encoded
    const result = "_tag" in outcome ? outcome._tag : String(outcome.status)
    return Effect.logDebug(`${method} ${redactor.url(url)} -> ${result}`).pipe(
      Effect.annotateLogs({
        "http.request.headers": redactor.headers(sent),
        ...("headers" in outcome ? { "http.response.headers": redactor.headers(outcome.headers) } : {}),
        ...(call.config.options.logBodies === true && body._tag === "Uint8Array"
          ? { "http.request.body": redactor.text(new TextDecoder().decode(body.body)) }
          : {})
      })
    )
  })
