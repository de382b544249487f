/**
 * The OpenTelemetry API that a program has registered, found where `@opentelemetry/api` 1.x registers it: under one global
 * symbol, so that any number of its copies meet. Nothing is imported for it.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import type * as Tracer from "effect/Tracer"
import type { Foreign, Start } from "../effect/bridgedSpan.js"
import * as Fibers from "../effect/fibers.js"
import * as Tracers from "../effect/tracers.js"

/** What the API registers, as far as a span needs it. */
interface Registered {
  readonly trace?: { readonly getTracer: (name: string) => OtelTracer }
  readonly context?: { readonly active: () => OtelContext }
}

interface OtelTracer {
  readonly startSpan: (name: string, options: object, context?: OtelContext) => OtelSpan
}

interface OtelContext {
  readonly getValue: (key: symbol) => unknown
  readonly setValue: (key: symbol, value: unknown) => OtelContext
  readonly deleteValue: (key: symbol) => OtelContext
}

interface OtelSpan {
  readonly spanContext: () => {
    readonly traceId: string
    readonly spanId: string
    readonly traceFlags: number
  }
  readonly setAttribute: (name: string, value: unknown) => unknown
  readonly addEvent: (name: string, attributes: object, time: HrTime) => unknown
  readonly setStatus: (status: { readonly code: number; readonly message?: string }) => unknown
  readonly end: (time: HrTime) => void
}

/** Seconds and nanoseconds since the epoch. */
type HrTime = readonly [seconds: number, nanos: number]

const api = Symbol.for("opentelemetry.js.api.1")
const spanKey = Symbol.for("OpenTelemetry Context Key SPAN")

const kinds: Readonly<Record<Tracer.SpanKind, number>> = {
  internal: 0,
  server: 1,
  client: 2,
  producer: 3,
  consumer: 4
}

const statusError = 2

/** The same effect with spans below the one that is active now, unless a tracer of Effect listens, or nothing is registered. */
export const watched = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  const registered: Registered | undefined = Reflect.get(globalThis, api)
  if (registered?.trace === undefined) return effect
  const tracer = registered.trace.getTracer("@effect-api/client")
  const context = registered.context?.active()
  return Fibers.withFiber((fiber) =>
    Fibers.isTraced(fiber)
      ? effect
      : Effect.withTracer(effect, Tracers.makeTracer(startBelow(tracer, context)))
  )
}

const startBelow =
  (tracer: OtelTracer, context: OtelContext | undefined): Start =>
  (name, kind, startTime) => {
    const options = { kind: kinds[kind], startTime: timeOf(startTime) }
    return new OtelForeign(tracer, context, tracer.startSpan(name, options, context))
  }

/** A context of one span, where no context manager is registered that could make one. */
class OneValue implements OtelContext {
  private readonly key: symbol | undefined
  private readonly value: unknown

  constructor(key?: symbol, value?: unknown) {
    this.key = key
    this.value = value
  }

  getValue(key: symbol): unknown {
    return key === this.key ? this.value : undefined
  }

  setValue(key: symbol, value: unknown): OtelContext {
    return new OneValue(key, value)
  }

  deleteValue(): OtelContext {
    return new OneValue()
  }
}

class OtelForeign implements Foreign {
  private readonly tracer: OtelTracer
  private readonly context: OtelContext | undefined
  private readonly span: OtelSpan

  constructor(tracer: OtelTracer, context: OtelContext | undefined, span: OtelSpan) {
    this.tracer = tracer
    this.context = context
    this.span = span
  }

  start(...asked: Parameters<Start>): Foreign {
    const below = (this.context ?? new OneValue()).setValue(spanKey, this.span)
    return startBelow(this.tracer, below)(...asked)
  }

  get traceId(): string {
    return this.span.spanContext().traceId
  }

  get spanId(): string {
    return this.span.spanContext().spanId
  }

  get isSampled(): boolean {
    return (this.span.spanContext().traceFlags & 1) === 1
  }

  attribute(name: string, value: unknown): void {
    this.span.setAttribute(name, plain(value))
  }

  event(name: string, time: bigint, attributes: Readonly<Record<string, unknown>>): void {
    // Only log lines have other values.
    const isPlain = Object.values(attributes).every((value) => typeof value !== "bigint")
    const values = isPlain
      ? attributes
      : Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, plain(value)]))
    this.span.addEvent(name, values, timeOf(time))
  }

  end(time: bigint, exit: Exit.Exit<unknown, unknown>): void {
    if (Exit.isFailure(exit) && !Cause.isInterruptedOnly(exit.cause)) {
      const error = Cause.squash(exit.cause)
      const message = Predicate.hasProperty(error, "message") ? String(error.message) : undefined
      this.span.setStatus({ code: statusError, ...(message === undefined ? {} : { message }) })
    }
    this.span.end(timeOf(time))
  }
}

/** A value that an attribute may have. */
const plain = (value: unknown): unknown => (typeof value === "bigint" ? Number(value) : value)

const timeOf = (nanos: bigint): HrTime => [Number(nanos / billion), Number(nanos % billion)]

const billion = 1_000_000_000n
