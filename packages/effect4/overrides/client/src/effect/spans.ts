/** Runs an effect in a span. This module hides how a span becomes the parent of those inside it. */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Tracer from "effect/Tracer"
import * as Fibers from "./fibers.js"

/**
 * Runs an effect in a new span, the parent of those inside it. `ending` runs before the span ends, and gives the exit that the
 * span ends with.
 */
export const within = <A, E, R>(
  name: string,
  options: Tracer.SpanOptions,
  run: (span: Tracer.Span) => Effect.Effect<A, E, R>,
  ending: (span: Tracer.Span, exit: Exit.Exit<A, E>) => Exit.Exit<unknown, unknown>
): Effect.Effect<A, E, R> =>
  Effect.useSpan(name, options, (span) =>
    Fibers.withFiber((fiber) =>
      Effect.onExit(inside(run(span), span), (exit) =>
        Effect.sync(() => {
          const ended = ending(span, exit)
          if (span.status._tag !== "Ended") span.end(Fibers.spanTime(fiber), ended)
        })
      )
    )
  )

/** A trace of the stack would cost more than the rest of the span. */
const inside = <A, E, R>(effect: Effect.Effect<A, E, R>, span: Tracer.Span): Effect.Effect<A, E, R> =>
  Effect.withParentSpan(effect, span, { captureStackTrace: false })
