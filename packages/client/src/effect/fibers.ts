/**
 * The running fiber and what it carries: clock, references, log level, tracer. This module hides where a fiber keeps them, how
 * it is interrupted without waiting for it, and how a reference of one's own is made.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as GlobalValue from "effect/GlobalValue"
import * as HashMap from "effect/HashMap"
import * as List from "effect/List"
import * as LogLevel from "effect/LogLevel"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { once } from "./once.js"

/** A fiber whose result does not matter. */
export type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>

/** Runs an effect that is made from the fiber that runs it. */
export const withFiber = <A, E, R>(
  use: (fiber: AnyFiber) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => Effect.withFiberRuntime<A, E, R>(use)

/** The clock of a fiber. */
export const clockOf = (fiber: AnyFiber): Clock.Clock =>
  Context.get(fiber.currentDefaultServices, Clock.Clock)

/** The value that a fiber has for a reference. */
export const get = <A>(fiber: AnyFiber, reference: FiberRef.FiberRef<A>): A => fiber.getFiberRef(reference)

/** Whether a fiber logs at debug level. */
export const isDebugged = (fiber: AnyFiber): boolean =>
  LogLevel.lessThanEqual(fiber.getFiberRef(FiberRef.currentMinimumLogLevel), LogLevel.Debug)

const builtInTracer = /*#__PURE__*/ Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** Whether a span of a fiber reaches anybody: a tracer other than the built-in one, or a parent span. */
export const isTraced = (fiber: AnyFiber): boolean =>
  (fiber.currentTracer !== builtInTracer || fiber.currentSpan !== undefined) &&
  fiber.getFiberRef(FiberRef.currentTracerEnabled)

/** The time for a span of a fiber, in nanoseconds; 0 if spans have no times. */
export const spanTime = (fiber: AnyFiber): bigint =>
  fiber.getFiberRef(FiberRef.currentTracerTimingEnabled) ? clockOf(fiber).unsafeCurrentTimeNanos() : 0n

/** Whoever waits for a callback. `isDirect`: the fiber may go on within the code that calls back. */
export interface Waiter<A, E> {
  readonly register: (callback: (exit: Effect.Effect<A, E>) => void, isDirect: boolean) => void
}

/** Waits until a callback is called with what the fiber goes on with. */
export const waiting = <A, E>(waiter: Waiter<A, E>): Effect.Effect<A, E> =>
  Effect.async((callback) => waiter.register(callback, true))

/** Calls the callback that a fiber waits for. The fiber goes on after the code that calls this. */
export const resume = <A>(callback: (value: A) => void, value: A): void => callback(value)

/** The key of a clock whose thread is blocked: nobody can wait for a promise. */
const blocking: unique symbol = Symbol.for("@effect-api/client/blocking")

/** Whether a fiber runs on a thread that is blocked. */
export const isBlocking = (fiber: AnyFiber): boolean => blocking in clockOf(fiber)

/** Interrupts a fiber without waiting for it. */
export const interrupt = (fiber: AnyFiber): void => fiber.unsafeInterruptAsFork(FiberId.none)

/**
 * Starts an effect in a fiber that outlives the caller's, and that is interruptible where the caller is. In an uninterruptible
 * region nothing interrupts it before its first step.
 */
export const forkDetached: <A, E, R>(
  effect: Effect.Effect<A, E, R>
) => Effect.Effect<Fiber.RuntimeFiber<A, E>, never, R> = Effect.forkDaemon

/** The same effect in a fiber of its own: whoever is interrupted while it runs interrupts it, and does not wait for it. */
export const disconnected: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> =
  Effect.disconnect

/** Makes an effect inside an uninterruptible region as interruptible as the region's surroundings. */
export type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** A mark that an effect leaves on all fibers inside it. */
export interface Mark {
  readonly isSet: Effect.Effect<boolean>
  /** Runs an effect that has the mark, inside `uninterruptibleMask`. */
  readonly within: <A, E, R>(effect: Effect.Effect<A, E, R>, restore: Restore) => Effect.Effect<A, E, R>
}

/** Makes a mark, one for each name even if this module is loaded twice. */
export const makeMark = (name: string): Mark => {
  const reference = GlobalValue.globalValue(name, () => FiberRef.unsafeMake(false))
  const on = FiberRef.set(reference, true)
  const off = FiberRef.set(reference, false)
  return {
    isSet: FiberRef.get(reference),
    // `Effect.locally` in half the steps: the region is there.
    within: (effect, restore) =>
      withFiber((fiber) =>
        fiber.getFiberRef(reference)
          ? restore(once(effect))
          : Effect.zipRight(
              on,
              Effect.matchCauseEffect(restore(once(effect)), {
                onFailure: (cause) => Effect.zipRight(off, Effect.failCause(cause)),
                onSuccess: (value) => Effect.as(off, value)
              })
            )
      )
  }
}

/** Runs an effect without its caller's parent span, scope, log annotations, log spans and metric labels. */
export const withoutCaller = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  effect.pipe(
    Effect.mapInputContext((context: Context.Context<never>) =>
      // A context holds more than its type lists: the caller's services.
      Context.omit(
        Tracer.ParentSpan,
        Scope.Scope
      )(context as Context.Context<Tracer.ParentSpan | Scope.Scope>)
    ),
    Effect.locally(FiberRef.currentLogAnnotations, HashMap.empty()),
    Effect.locally(FiberRef.currentLogSpan, List.empty()),
    Effect.locally(FiberRef.currentMetricLabels, [])
  )

export const makeDeferred = <A, E>(): Deferred.Deferred<A, E> => Deferred.unsafeMake(FiberId.none)

/** A scope that closes with its parent, if not before. Its finalizers run one after the other. */
export const forkScope = (parent: Scope.Scope): Effect.Effect<Scope.CloseableScope> =>
  Scope.fork(parent, ExecutionStrategy.sequential)
