/** One run of an effect for all who ask for it while it lasts. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as HashMap from "effect/HashMap"
import * as List from "effect/List"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { LiveSet } from "../shared/liveSet.js"
import * as Monotonic from "../shared/monotonic.js"

/** The fibers of a client that belong to none of its calls. They are interrupted when the client is released. */
export type Background = LiveSet<Fiber.RuntimeFiber<unknown, unknown>>

/** Nothing on its way yet. */
export const makeBackground = (): Background => new LiveSet()

/** Interrupts what is on its way, and waits for none of it: what cannot be interrupted holds up no release. */
export const endBackground = (background: Background): Effect.Effect<void> =>
  Effect.sync(() => {
    for (const fiber of background.values()) fiber.unsafeInterruptAsFork(FiberId.none)
  })

interface Flight<A, E> {
  readonly outcome: Deferred.Deferred<A, E>
  /** Nobody joins it from then on. */
  readonly endsAt: number
}

/** How to run an effect for all who ask for it. */
export interface SingleFlight<in out A, in out E> {
  /** Waits for the run that is on its way, or for a new one that may take so many milliseconds. */
  readonly join: (limitMillis: number) => Effect.Effect<A, E>
  /** Begins a run if there is none, and waits for nothing. */
  readonly start: (limitMillis: number) => Effect.Effect<void>
}

/**
 * One run of an effect at a time, shared by all who ask for it. It belongs to no caller: whoever leaves leaves it running, it
 * has a trace of its own, and nothing of the first caller's labels. Only its limit ends it: then it is interrupted and left
 * behind, even if it cannot be interrupted, and all who wait fail.
 */
export const singleFlight = <A, E>(options: {
  readonly effect: Effect.Effect<A, E>
  /** What those who wait fail with: the limit has passed, or the run was interrupted. */
  readonly unfinished: (why: "late" | "interrupted") => E
  /** Runs when a run has ended, before those who wait go on. */
  readonly ended: (exit: Exit.Exit<A, E>) => Effect.Effect<void>
  readonly background: Background
}): SingleFlight<A, E> => {
  const { background, effect, ended, unfinished } = options
  const late = (): Effect.Effect<A, E> => Effect.fail(unfinished("late"))
  /** Only here: a fiber of a race that fails is logged. */
  const settled = (exit: Exit.Exit<A, E>): Effect.Effect<A, E> => exit
  let current: Flight<A, E> | undefined

  /** Never fails: a fiber that nobody awaits is logged if it does. */
  const run = (flight: Flight<A, E>, limitMillis: number): Effect.Effect<void> =>
    Effect.disconnect(Effect.exit(effect)).pipe(
      Effect.timeoutTo({ duration: limitMillis, onSuccess: settled, onTimeout: late }),
      Effect.flatten,
      Effect.interruptible,
      Effect.exit,
      Effect.map((exit) =>
        Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause)
          ? Exit.fail(unfinished("interrupted"))
          : exit
      ),
      Effect.flatMap((exit) =>
        Effect.suspend(() => {
          if (current === flight) current = undefined
          return Effect.zipRight(ended(exit), Deferred.done(flight.outcome, exit))
        })
      ),
      Effect.asVoid,
      Effect.uninterruptible
    )

  /** Found or made in one step: a fiber may be made to yield between any two, and others run meanwhile. */
  const board = (limitMillis: number): Effect.Effect<Flight<A, E>> =>
    Effect.withFiberRuntime((fiber) => {
      const now = Monotonic.now(Context.get(fiber.currentDefaultServices, Clock.Clock))
      if (current !== undefined && now < current.endsAt) return Effect.succeed(current)
      const flight: Flight<A, E> = {
        outcome: Deferred.unsafeMake(FiberId.none),
        endsAt: now + limitMillis
      }
      current = flight
      return Effect.map(Effect.forkDaemon(ofNobody(run(flight, limitMillis))), (fiber) => {
        const leave = background.add(fiber)
        fiber.addObserver(leave)
        return flight
      })
    })

  /** Each waits by its own clock: on Cloudflare a flight of another request's context may never wake them. */
  const wait = (flight: Flight<A, E>): Effect.Effect<A, E> =>
    Effect.withFiberRuntime((fiber) => {
      const now = Monotonic.now(Context.get(fiber.currentDefaultServices, Clock.Clock))
      return Effect.interruptible(Effect.exit(Deferred.await(flight.outcome))).pipe(
        Effect.timeoutTo({
          duration: Duration.millis(Math.max(0, flight.endsAt - now)),
          onSuccess: settled,
          onTimeout: late
        }),
        Effect.flatten
      )
    })

  return {
    join: (limitMillis) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(board(limitMillis), (flight) => restore(wait(flight)))
      ),
    start: (limitMillis) => Effect.uninterruptible(Effect.asVoid(board(limitMillis)))
  }
}

/** Takes away what a fiber has of the caller that happened to come first. */
const ofNobody = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  effect.pipe(
    Effect.mapInputContext((context: Context.Context<never>) =>
      Context.omit(
        Tracer.ParentSpan,
        Scope.Scope
      )(context as Context.Context<Tracer.ParentSpan | Scope.Scope>)
    ),
    Effect.locally(FiberRef.currentLogAnnotations, HashMap.empty()),
    Effect.locally(FiberRef.currentLogSpan, List.empty()),
    Effect.locally(FiberRef.currentMetricLabels, [])
  )
