/** Effects as promises. This module hides what of a fiber another one needs to go on in its place, and how a fiber is started. */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as ManagedRuntime from "effect/ManagedRuntime"
import * as Runtime from "effect/Runtime"

/** Runs an effect that an abort of the signal interrupts. */
export type Run = <A, E>(
  effect: Effect.Effect<A, E>,
  options: { readonly signal?: AbortSignal }
) => Promise<Exit.Exit<A, E>>

/** Runs effects with all that the asking fiber carries: its services, its clock, its span, its marks. */
export const promised: Effect.Effect<Run> = /*#__PURE__*/ Effect.map(
  /*#__PURE__*/ Effect.runtime<never>(),
  (runtime): Run =>
    (effect, options) =>
      Runtime.runPromiseExit(runtime)(effect, options)
)

/** Starts an effect in a fiber of a runtime. Whoever starts it ends it before the runtime. */
export const start = <A, E, R, E2>(
  runtime: ManagedRuntime.ManagedRuntime<R, E2>,
  effect: Effect.Effect<A, E, R>
): Fiber.RuntimeFiber<A, E | E2> => runtime.runFork(effect)
