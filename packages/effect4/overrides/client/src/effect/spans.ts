/** Runs an effect in a span. This module hides how a span becomes the parent of those inside it. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import * as Fibers from "./fibers.js"

/**
 * Runs an effect in a new span, the parent of those inside it. `ending` runs before the span ends, and gives the exit that the
 * span ends with. `fiber` is the one that runs it. The same as `Effect.withParentSpan` and `Effect.onExit` in half the steps.
 */
export const within = <A, E, R>(
  fiber: Fibers.AnyFiber,
  name: string,
  options: Tracer.SpanOptions,
  run: (span: Tracer.Span) => Effect.Effect<A, E, R>,
  ending: (span: Tracer.Span, exit: Exit.Exit<A, E>) => Exit.Exit<unknown, unknown>
): Effect.Effect<A, E, R> =>
  Effect.useSpan(name, options, (span) => {
    const outer = fiber.context
    const begun = Effect.suspend(() => {
      fiber.setContext(inside(outer, span))
      return run(span)
    })
    return Effect.onExit(begun, (exit) => {
      fiber.setContext(outer)
      const ended = ending(span, exit)
      if (span.status._tag !== "Ended") span.end(Fibers.spanTime(fiber), ended)
      return Effect.void
    })
  })

/** The line of the span in a printed cause has no location: a trace of the stack would cost more than the rest of the span. */
const inside = (outer: Context.Context<never>, span: Tracer.Span): Context.Context<never> => {
  const frame = {
    name: span.name,
    stack: noLocation,
    parent: Context.get(outer, References.CurrentStackFrame)
  }
  return Context.add(Context.add(outer, Tracer.ParentSpan, span), References.CurrentStackFrame, frame)
}

const noLocation = (): undefined => undefined
