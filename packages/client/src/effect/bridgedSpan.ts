/** A span of Effect that is one of another system: what it has in every version of Effect. */
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"

/** Starts a span of another system. */
export type Start = (name: string, kind: Tracer.SpanKind, startTime: bigint) => Foreign

/** A span of another system. Times are in nanoseconds since the epoch. */
export interface Foreign {
  readonly traceId: string
  readonly spanId: string
  readonly isSampled: boolean
  /** Starts a span of the same system below this one. */
  readonly start: Start
  readonly attribute: (name: string, value: unknown) => void
  readonly event: (name: string, time: bigint, attributes: Readonly<Record<string, unknown>>) => void
  readonly end: (time: bigint, exit: Exit.Exit<unknown, unknown>) => void
}

/** What a tracer is asked for. */
export interface Asked {
  readonly name: string
  readonly parent: Option.Option<Tracer.AnySpan>
  readonly links: ReadonlyArray<Tracer.SpanLink>
  readonly startTime: bigint
  readonly kind: Tracer.SpanKind
}

/** Starts a span for one that is asked for: below its parent if that is one of another system, too. */
export const started = ({ kind, name, parent, startTime }: Asked, start: Start): Foreign => {
  const above = Option.getOrUndefined(parent)
  return above instanceof BridgedSpan
    ? above.foreign.start(name, kind, startTime)
    : start(name, kind, startTime)
}

export abstract class BridgedSpan {
  readonly _tag = "Span"
  readonly attributes = new Map<string, unknown>()
  status: Tracer.SpanStatus
  readonly name: string
  readonly parent: Option.Option<Tracer.AnySpan>
  readonly links: Array<Tracer.SpanLink>
  readonly kind: Tracer.SpanKind
  readonly foreign: Foreign

  constructor(foreign: Foreign, { kind, links, name, parent, startTime }: Asked) {
    this.foreign = foreign
    this.name = name
    this.parent = parent
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
