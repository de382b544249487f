/** Tracers of another system. This module hides what a tracer is asked for, and what a span of Effect must have. */
import type * as Context from "effect/Context"
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"

/** A span of another system. Times are in nanoseconds since the epoch. */
export interface Foreign {
  readonly traceId: string
  readonly spanId: string
  readonly isSampled: boolean
  readonly attribute: (name: string, value: unknown) => void
  readonly event: (name: string, time: bigint, attributes: Readonly<Record<string, unknown>>) => void
  readonly end: (time: bigint, exit: Exit.Exit<unknown, unknown>) => void
}

/** Starts a span below another one of the same system; `undefined` if there is none. */
export type Start<A extends Foreign> = (
  name: string,
  kind: Tracer.SpanKind,
  startTime: bigint,
  parent: A | undefined
) => A

/** A tracer whose spans are those of another system. */
export const makeTracer = <A extends Foreign>(start: Start<A>): Tracer.Tracer => {
  const started = new WeakMap<Tracer.AnySpan, A>()
  return Tracer.make({
    span: ({ annotations, kind, links, name, parent, startTime }) => {
      const above = Option.getOrUndefined(parent)
      const foreign = start(name, kind, startTime, above && started.get(above))
      const span = new BridgedSpan(foreign, name, parent, annotations, links, startTime, kind)
      started.set(span, foreign)
      return span
    }
  })
}

class BridgedSpan implements Tracer.Span {
  readonly _tag = "Span"
  readonly attributes = new Map<string, unknown>()
  status: Tracer.SpanStatus
  private readonly foreign: Foreign
  readonly name: string
  readonly parent: Option.Option<Tracer.AnySpan>
  readonly annotations: Context.Context<never>
  readonly links: Array<Tracer.SpanLink>
  readonly kind: Tracer.SpanKind

  constructor(
    foreign: Foreign,
    name: string,
    parent: Option.Option<Tracer.AnySpan>,
    annotations: Context.Context<never>,
    links: ReadonlyArray<Tracer.SpanLink>,
    startTime: bigint,
    kind: Tracer.SpanKind
  ) {
    this.foreign = foreign
    this.name = name
    this.parent = parent
    this.annotations = annotations
    this.links = [...links]
    this.status = { _tag: "Started", startTime }
    this.kind = kind
  }

  get traceId(): string {
    return this.foreign.traceId
  }

  get spanId(): string {
    return this.foreign.spanId
  }

  get sampled(): boolean {
    return this.foreign.isSampled
  }

  attribute(name: string, value: unknown): void {
    this.attributes.set(name, value)
    this.foreign.attribute(name, value)
  }

  event(name: string, time: bigint, attributes: Record<string, unknown> = {}): void {
    this.foreign.event(name, time, attributes)
  }

  addLinks(links: ReadonlyArray<Tracer.SpanLink>): void {
    this.links.push(...links)
  }

  end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
    if (this.status._tag === "Ended") return
    const { startTime } = this.status
    this.status = { _tag: "Ended", startTime, endTime, exit }
    this.foreign.end(endTime, exit)
  }
}
