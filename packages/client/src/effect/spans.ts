/** Runs an effect in a span. This module hides how a span becomes the parent of those inside it. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Tracer from "effect/Tracer"
import * as Fibers from "./fibers.js"

/**
 * Runs an effect in a new span, the parent of those inside it. `ending` runs before the span ends, and gives the exit that the
 * span ends with. `fiber` is the one that runs it. The same as `Effect.useSpan` with `withParentSpan` and `onExit` in a third of the steps.
 */
export const within = <A, E, R>(
  fiber: Fibers.AnyFiber,
  name: string,
  options: Tracer.SpanOptions,
  run: (span: Tracer.Span) => Effect.Effect<A, E, R>,
  ending: (span: Tracer.Span, exit: Exit.Exit<A, E>) => Exit.Exit<unknown, unknown>
): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.makeSpan(name, options), (span) => {
      const outer = fiber.currentContext
      const end = (exit: Exit.Exit<A, E>): Effect.Effect<A, E> =>
        Effect.flatMap(parented(outer), () => {
          const ended = ending(span, exit)
          if (span.status._tag !== "Ended") span.end(Fibers.spanTime(fiber), ended)
          return exit
        })
      return Effect.zipRight(
        parented(Context.add(outer, Tracer.ParentSpan, span)),
        Effect.matchCauseEffect(restore(Effect.suspend(() => run(span))), {
          onFailure: (cause) => end(Exit.failCause(cause)),
          onSuccess: (value) => end(Exit.succeed(value))
        })
      )
    })
  )

const parented = (context: Context.Context<never>): Effect.Effect<void> =>
  FiberRef.set(FiberRef.currentContext, context)
