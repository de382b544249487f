/** Tracers of another system. This module hides what a tracer is asked for, and which context a span has. */
import type * as Context from "effect/Context"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { type Asked, BridgedSpan, type Foreign } from "./bridgedSpan.js"

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
    span: (asked) => {
      const above = Option.getOrUndefined(asked.parent)
      const foreign = start(asked.name, asked.kind, asked.startTime, above && started.get(above))
      const span = new Span(foreign, asked, asked.annotations)
      started.set(span, foreign)
      return span
    }
  })
}

class Span extends BridgedSpan implements Tracer.Span {
  readonly annotations: Context.Context<never>

  constructor(foreign: Foreign, asked: Asked, annotations: Context.Context<never>) {
    super(foreign, asked)
    this.annotations = annotations
  }
}
