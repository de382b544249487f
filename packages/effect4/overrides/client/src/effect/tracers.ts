/** Tracers of another system. This module hides what a tracer is asked for, and which context a span has. */
import type * as Context from "effect/Context"
import * as Tracer from "effect/Tracer"
import { type Asked, BridgedSpan, type Foreign, type Start, started } from "./bridgedSpan.js"

/** A tracer whose spans are those of another system. */
export const makeTracer = (start: Start): Tracer.Tracer =>
  Tracer.make({
    span: (asked) => new Span(started(asked, start), asked, asked.annotations)
  })

class Span extends BridgedSpan implements Tracer.Span {
  readonly annotations: Context.Context<never>

  constructor(foreign: Foreign, asked: Asked, annotations: Context.Context<never>) {
    super(foreign, asked)
    this.annotations = annotations
  }
}
