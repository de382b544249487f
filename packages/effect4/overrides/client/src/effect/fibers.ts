/**
 * The running fiber and what it carries: clock, references, log level, tracer. This module hides where a fiber keeps them, how
 * it is interrupted without waiting for it, and how a reference of one's own is made.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"

/** A fiber whose result does not matter. */
export type AnyFiber = Fiber.Fiber<unknown, unknown>

/** Runs an effect that is made from the fiber that runs it. */
export const withFiber: <A, E, R>(
  use: (fiber: AnyFiber) => Effect.Effect<A, E, R>
) => Effect.Effect<A, E, R> = Effect.withFiber

/** The clock of a fiber. */
export const clockOf = (fiber: AnyFiber): Clock.Clock => fiber.getRef(Clock.Clock)

/** The value that a fiber has for a reference. */
export const get = <A>(fiber: AnyFiber, reference: Context.Reference<A>): A => fiber.getRef(reference)

/** Whether a fiber logs at debug level. */
export const isDebugged = (fiber: AnyFiber): boolean => {
  const { minimumLogLevel } = fiber.cache
  return minimumLogLevel === "Debug" || minimumLogLevel === "Trace" || minimumLogLevel === "All"
}

/** Whether a span of a fiber reaches anybody: a tracer other than the built-in one, or a parent span. */
export const isTraced = (fiber: AnyFiber): boolean => {
  // The built-in tracer is the one that is used where none is set.
  const { span, tracer, tracerEnabled } = fiber.cache
  return (tracer !== undefined || span !== undefined) && tracerEnabled
}

/** The time for a span of a fiber, in nanoseconds; 0 if spans have no times. */
export const spanTime = (fiber: AnyFiber): bigint =>
  fiber.getRef(References.TracerTimingEnabled) ? clockOf(fiber).currentTimeNanosUnsafe() : 0n

/** Whoever waits for a callback. `isDirect`: the fiber may go on within the code that calls back. */
export interface Waiter<A, E> {
  readonly register: (callback: (exit: Effect.Effect<A, E>) => void, isDirect: boolean) => void
}

/** Waits until a callback is called with what the fiber goes on with. A blocked thread has no microtasks. */
export const waiting = <A, E>(waiter: Waiter<A, E>): Effect.Effect<A, E> =>
  Effect.callback(function (callback) {
    waiter.register(callback, this.executionMode === "sync")
  })

/** Calls the callback that a fiber waits for. The fiber goes on after the code that calls this: by itself it would at once. */
export const resume = <A>(callback: (value: A) => void, value: A): void =>
  queueMicrotask(() => callback(value))

/** The key of a clock whose thread is blocked: nobody can wait for a promise. */
const blocking: unique symbol = Symbol.for("@effect-api/client/blocking")

/** Whether a fiber runs on a thread that is blocked. */
export const isBlocking = (fiber: AnyFiber): boolean => blocking in clockOf(fiber)

/** Interrupts a fiber without waiting for it. */
export const interrupt = (fiber: AnyFiber): void => fiber.interruptUnsafe()

/**
 * Starts an effect in a fiber that outlives the caller's, and that is interruptible where the caller is. In an uninterruptible
 * region nothing interrupts it before its first step.
 */
export const forkDetached = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<Fiber.Fiber<A, E>, never, R> =>
  // At once: a fiber that is interrupted before it starts does nothing at all.
  Effect.forkDetach(effect, { startImmediately: true, uninterruptible: "inherit" })

/** The same effect in a fiber of its own: whoever is interrupted while it runs interrupts it, and does not wait for it. */
export const disconnected = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkDetach(effect, { startImmediately: true }), (fiber) =>
      Effect.onInterrupt(restore(Fiber.join(fiber)), () => Effect.sync(() => interrupt(fiber)))
    )
  )

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
  const reference = Context.Reference<boolean>(name, { defaultValue: () => false })
  return {
    isSet: reference,
    within: (effect, restore) => restore(Effect.provideService(effect, reference, true))
  }
}

/** Runs an effect without its caller's parent span, scope, log annotations, log spans and metric labels. */
export const withoutCaller = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.updateContext(effect, withoutCallers)

const withoutCallers: (context: Context.Context<never>) => Context.Context<never> =
  /*#__PURE__*/ Context.omit(
    Tracer.ParentSpan,
    Scope.Scope,
    References.CurrentLogAnnotations,
    References.CurrentLogSpans,
    References.CurrentStackFrame,
    Metric.CurrentMetricAttributes
  )

export const makeDeferred = <A, E>(): Deferred.Deferred<A, E> => Deferred.makeUnsafe()

/** A scope that closes with its parent, if not before. Its finalizers run one after the other. */
export const forkScope = (parent: Scope.Scope): Effect.Effect<Scope.Closeable> =>
  Scope.fork(parent, "sequential")
