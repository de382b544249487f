/**
 * Limits of time. A limit holds wherever a call stands: in a finalizer, in an `acquire`, in any other uninterruptible region,
 * where `Effect.timeout` and `Effect.race` wait for what they have interrupted.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type * as ApiError from "../errors/ApiError.js"
import type * as Call from "../request/Call.js"
import * as TransportError from "../request/TransportError.js"
import * as Monotonic from "../shared/monotonic.js"

/**
 * Runs work until it is done or `end` is, which is then interrupted and not waited for; `passed` stands in its place, and
 * `abandon` has what the work may still come to. The work has a fiber of its own, interruptible wherever the caller is, with
 * the caller's context. An interruption of the caller reaches the work and waits for it.
 */
export const until = <A, E, R, A2, E2>(
  work: Effect.Effect<A, E, R>,
  end: Effect.Effect<unknown>,
  passed: Effect.Effect<A2, E2>,
  abandon: (value: A) => void = nothing
): Effect.Effect<A | A2, E | E2, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(forked(Effect.exit(work)), (working) =>
      Effect.flatMap(forked(end), (ending) => {
        let isOver = false
        const waited = Effect.async<A | A2, E | E2>((resume) => {
          working.addObserver((exit) => {
            ending.unsafeInterruptAsFork(FiberId.none)
            const result = Exit.flatten(exit)
            if (isOver) {
              if (Exit.isSuccess(result)) abandon(result.value)
              return
            }
            isOver = true
            resume(Effect.zipRight(working.inheritAll, result))
          })
          ending.addObserver(() => {
            if (isOver) return
            isOver = true
            working.unsafeInterruptAsFork(FiberId.none)
            resume(passed)
          })
        })
        return Effect.onInterrupt(restore(waited), () => {
          isOver = true
          return Fiber.interrupt(working)
        })
      })
    )
  )

const nothing = (): void => undefined

const forked = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkDaemon(Effect.interruptible(effect))

/**
 * Runs work within so many milliseconds. Without any left it does not begin: what is there already would win against a timer.
 */
export const within = <A, E, R, A2, E2>(
  work: Effect.Effect<A, E, R>,
  millis: number,
  passed: Effect.Effect<A2, E2>,
  abandon?: (value: A) => void
): Effect.Effect<A | A2, E | E2, R> => {
  if (millis === Number.POSITIVE_INFINITY) return work
  return millis > 0 ? until(work, Effect.sleep(millis), passed, abandon) : passed
}

/** How many milliseconds a call has left until its deadline. */
export const left = (call: Call.Call): Effect.Effect<number> =>
  Effect.clockWith((clock) => Effect.succeed(call.deadline - Monotonic.now(clock)))

/** Runs a part of a call within what is left of its `total` limit. */
export const withinDeadline = <A, E, R, A2, E2>(
  call: Call.Call,
  work: Effect.Effect<A, E, R>,
  passed: Effect.Effect<A2, E2>,
  abandon?: (value: A) => void
): Effect.Effect<A | A2, E | E2, R> =>
  call.deadline === Number.POSITIVE_INFINITY
    ? work
    : Effect.flatMap(left(call), (millis) => within(work, millis, passed, abandon))

/**
 * Which limit runs, and since when, by the clock that only goes on. `deadline` is a moment that ends it besides.
 */
export interface Limit {
  phase: "response" | "idle"
  since: number
  readonly deadline: number
}

/** A watch that nothing has begun to run under. */
export const makeLimit = (
  phase: Limit["phase"],
  since: number = Number.POSITIVE_INFINITY,
  deadline: number = Number.POSITIVE_INFINITY
): Limit => ({ phase, since, deadline })

/**
 * Runs an effect under the limit that a watch tells of. One sleeping fiber looks after a whole attempt: a race for the
 * headers and another for every chunk cost more than the rest of it.
 */
export const expiring = <A, R>(
  call: Call.Call,
  limit: Limit,
  effect: Effect.Effect<A, ApiError.ApiError, R>
): Effect.Effect<A, ApiError.ApiError, R> => {
  const { idle, response } = call.timeouts
  if (Math.min(idle, response, limit.deadline) === Number.POSITIVE_INFINITY) return effect
  return Effect.clockWith((clock) => {
    const ends = (): number => Math.min(limit.since + call.timeouts[limit.phase], limit.deadline)
    const look: Effect.Effect<void> = Effect.suspend(() => {
      const millis = ends() - Monotonic.now(clock)
      if (millis <= 0) return Effect.void
      // An endless limit may be followed by another: the headers have none, the body may.
      return Effect.zipRight(Effect.sleep(Math.min(millis, idle, response)), look)
    })
    const passed = Effect.suspend(() => {
      const phase = ends() === limit.deadline ? "total" : limit.phase
      return Effect.fail(TransportError.timeout(call, phase, call.timeouts[phase]))
    })
    return until(effect, look, passed)
  })
}
