/** One run of an effect, shared by all callers that ask for it meanwhile. */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fibers from "../effect/fibers.js"
import * as Monotonic from "../effect/monotonic.js"
import * as TimeLimits from "../effect/timeLimits.js"
import { LiveSet } from "../shared/liveSet.js"
import { isIoBound } from "../shared/runtime.js"
import { lookMillis } from "./oneAtATime.js"

/** The fibers of a client that belong to no call. They are interrupted when the client is released. */
export interface Background {
  fibers: LiveSet<Fibers.AnyFiber> | undefined
}

/** No background fibers yet. */
export const makeBackground = (): Background => ({ fibers: undefined })

/** Interrupts the background fibers without waiting for them: an uninterruptible one must not delay the release. */
export const endBackground = (background: Background): Effect.Effect<void> =>
  Effect.sync(() => {
    for (const fiber of background.fibers?.values() ?? []) Fibers.interrupt(fiber)
  })

interface Flight<A, E> {
  readonly outcome: Deferred.Deferred<A, E>
  /** No caller joins it from then on. */
  readonly endsAt: number
  /** How it ended, for callers that cannot be woken. */
  exit: Exit.Exit<A, E> | undefined
}

/** After how long a caller that waits for a run of another request starts one of its own. */
const patienceMillis = 2000

/** A run, and whether this caller has started it. */
interface Boarded<A, E> {
  readonly flight: Flight<A, E>
  readonly isOwn: boolean
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
 * is interrupted and abandoned, even if it is uninterruptible, and all callers fail. On Cloudflare a caller waits for
 * another's run for two seconds, and then starts its own.
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
  /** On Cloudflare: the last run that began, even if it has ended. */
  let latest: Flight<A, E> | undefined

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
          flight.exit = exit
          return Effect.zipRight(ended(exit), Deferred.done(flight.outcome, exit))
        })
      ),
      Effect.asVoid,
      Effect.uninterruptible
    )

  /** Found or made in one step: a fiber may yield between any two, and others run meanwhile. */
  const board = (limitMillis: number): Effect.Effect<Boarded<A, E>> =>
    Fibers.withFiber((fiber): Effect.Effect<Boarded<A, E>> => {
      const now = Monotonic.now(Fibers.clockOf(fiber))
      if (current !== undefined && now < current.endsAt)
        return Effect.succeed({ flight: current, isOwn: false })
      const flight: Flight<A, E> = {
        outcome: Fibers.makeDeferred(),
        endsAt: now + limitMillis,
        exit: undefined
      }
      current = flight
      if (isIoBound) latest = flight
      return Effect.map(Fibers.forkDetached(Fibers.withoutCaller(run(flight, limitMillis))), (fiber) => {
        background.fibers ??= new LiveSet()
        fiber.addObserver(background.fibers.add(fiber))
        return { flight, isOwn: true }
      })
    })

  const wait = (flight: Flight<A, E>): Effect.Effect<A, E> =>
    Fibers.withFiber((fiber) => {
      const now = Monotonic.now(Fibers.clockOf(fiber))
      const outcome = Effect.interruptible(Effect.exit(Deferred.await(flight.outcome)))
      return TimeLimits.settledWithin(outcome, Math.max(0, flight.endsAt - now), late)
    })

  /**
   * Waits for a run that may be another request's, by looking at it: its end cannot wake this caller. A run that has
   * lost its request never ends.
   */
  const watch = (flight: Flight<A, E>, limitMillis: number): Effect.Effect<A, E> =>
    Fibers.withFiber((fiber) => {
      const now = () => Monotonic.now(Fibers.clockOf(fiber))
      const until = Math.min(flight.endsAt, now() + patienceMillis)
      const look: Effect.Effect<A, E> = Effect.suspend(() => {
        if (flight.exit !== undefined) return flight.exit
        if (now() < until) return Effect.zipRight(Effect.sleep(lookMillis), look)
        if (latest !== undefined && latest !== flight) return watch(latest, limitMillis)
        if (current === flight) current = undefined
        return join(limitMillis)
      })
      return look
    })

  const join = (limitMillis: number): Effect.Effect<A, E> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(board(limitMillis), ({ flight, isOwn }) =>
        restore(isIoBound && !isOwn ? watch(flight, limitMillis) : wait(flight))
      )
    )

  return {
    join,
    start: (limitMillis) => Effect.uninterruptible(Effect.asVoid(board(limitMillis)))
  }
}
