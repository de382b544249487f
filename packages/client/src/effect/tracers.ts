/** Tracers of another system. This module hides what a tracer is asked for, and which context a span has. */
import type * as Context from "effect/Context"
import * as Tracer from "effect/Tracer"
import { type Asked, BridgedSpan, type Foreign, type Start, started } from "./bridgedSpan.js"

/** A tracer whose spans are those of another system. */
export const makeTracer = (start: Start): Tracer.Tracer =>
  Tracer.make({
    context: (run) => run(),
    span: (name, parent, context, links, startTime, kind) => {
      const asked: Asked = { name, parent, links, startTime, kind }
      return new Span(started(asked, start), asked, context)
    }
  })

class Span extends BridgedSpan implements Tracer.Span {
  readonly context: Context.Context<never>

  constructor(foreign: Foreign, asked: Asked, context: Context.Context<never>) {
    super(foreign, asked)
    this.context = context
  }
}
