/** Effects as promises. This module hides what of a fiber another one needs to go on in its place, and how a fiber is started. */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as ManagedRuntime from "effect/ManagedRuntime"

/** Runs an effect that an abort of the signal interrupts. */
export type Run = <A, E>(
  effect: Effect.Effect<A, E>,
  options: { readonly signal?: AbortSignal }
) => Promise<Exit.Exit<A, E>>

/** Runs effects with all that the asking fiber carries: its services, its clock, its span, its marks. */
export const promised: Effect.Effect<Run> = /*#__PURE__*/ Effect.map(
  /*#__PURE__*/ Effect.context<never>(),
  (context): Run =>
    (effect, options) =>
      Effect.runPromiseExitWith(context)(effect, options)
)

/**
 * Starts an effect in a fiber of a runtime. Whoever starts it ends it before the runtime: the runtime's own list of its fibers,
 * a `WeakSet` and a scope, costs a twentieth of a call.
 */
export const start = <A, E, R, E2>(
  runtime: ManagedRuntime.ManagedRuntime<R, E2>,
  effect: Effect.Effect<A, E, R>
): Fiber.Fiber<A, E | E2> => {
  const { cachedContext } = runtime
  return cachedContext === undefined ? runtime.runFork(effect) : Effect.runForkWith(cachedContext)(effect)
}
