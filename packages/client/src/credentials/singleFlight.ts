/** One run of an effect, shared by all callers that ask for it meanwhile. */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fibers from "../effect/fibers.js"
import * as TimeLimits from "../effect/timeLimits.js"
import { LiveSet } from "../shared/liveSet.js"
import * as Monotonic from "../shared/monotonic.js"

/** The fibers of a client that belong to no call. They are interrupted when the client is released. */
export type Background = LiveSet<Fibers.AnyFiber>

/** An empty set of background fibers. */
export const makeBackground = (): Background => new LiveSet()

/** Interrupts the background fibers without waiting for them: an uninterruptible one must not delay the release. */
export const endBackground = (background: Background): Effect.Effect<void> =>
  Effect.sync(() => {
    for (const fiber of background.values()) Fibers.interrupt(fiber)
  })

interface Flight<A, E> {
  readonly outcome: Deferred.Deferred<A, E>
  /** No caller joins it from then on. */
  readonly endsAt: number
}

/** Runs an effect for all callers that ask for it. */
export interface SingleFlight<in out A, in out E> {
  /** Waits for the current run, or for a new one that may take this many milliseconds. */
  readonly join: (limitMillis: number) => Effect.Effect<A, E>
  /** Starts a run unless there is one, without waiting. */
  readonly start: (limitMillis: number) => Effect.Effect<void>
}

/**
 * One run of an effect at a time, shared by all callers. It belongs to none of them: a caller that leaves does not
 * end it, and it has a trace of its own and none of the first caller's annotations. Only its limit ends it: the run
 * is interrupted and abandoned, even if it is uninterruptible, and all callers fail.
 */
export const singleFlight = <A, E>(options: {
  readonly effect: Effect.Effect<A, E>
  /** The error of waiting callers when the limit passed or the run was interrupted. */
  readonly unfinished: (why: "late" | "interrupted") => E
  /** Runs after a run has ended, before the waiting callers continue. */
  readonly ended: (exit: Exit.Exit<A, E>) => Effect.Effect<void>
  readonly background: Background
}): SingleFlight<A, E> => {
  const { background, effect, ended, unfinished } = options
  const late = (): Effect.Effect<A, E> => Effect.fail(unfinished("late"))
  let current: Flight<A, E> | undefined

  /** Never fails: Effect logs the failure of a fiber that nobody awaits. */
  const run = (flight: Flight<A, E>, limitMillis: number): Effect.Effect<void> =>
    TimeLimits.settledWithin(Fibers.disconnected(Effect.exit(effect)), limitMillis, late).pipe(
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

  /** Found or made in one step: a fiber may yield between any two, and others run meanwhile. */
  const board = (limitMillis: number): Effect.Effect<Flight<A, E>> =>
    Fibers.withFiber((fiber) => {
      const now = Monotonic.now(Fibers.clockOf(fiber))
      if (current !== undefined && now < current.endsAt) return Effect.succeed(current)
      const flight: Flight<A, E> = {
        outcome: Fibers.makeDeferred(),
        endsAt: now + limitMillis
      }
      current = flight
      return Effect.map(Fibers.forkDetached(Fibers.withoutCaller(run(flight, limitMillis))), (fiber) => {
        const leave = background.add(fiber)
        fiber.addObserver(leave)
        return flight
      })
    })

  /** Every caller waits on its own timer: on Cloudflare a fiber of another request's context may never wake it. */
  const wait = (flight: Flight<A, E>): Effect.Effect<A, E> =>
    Fibers.withFiber((fiber) => {
      const now = Monotonic.now(Fibers.clockOf(fiber))
      const outcome = Effect.interruptible(Effect.exit(Deferred.await(flight.outcome)))
      return TimeLimits.settledWithin(outcome, Math.max(0, flight.endsAt - now), late)
    })

  return {
    join: (limitMillis) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(board(limitMillis), (flight) => restore(wait(flight)))
      ),
    start: (limitMillis) => Effect.uninterruptible(Effect.asVoid(board(limitMillis)))
  }
}
