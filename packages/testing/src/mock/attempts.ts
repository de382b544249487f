import { Duration, Effect, Exit, Stream } from "effect"
import type { Changes } from "../shared/changes.js"

/** An attempt, from its request to the end of its response body. */
export interface Attempt {
  /** Marks the attempt as complete: the client has the whole response, or a scripted failure. */
  readonly complete: () => void
  /** Runs the attempt up to its response: a failure completes it, an interruption interrupts it. */
  readonly run: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Sleeps by the `Clock`. Fails if the client's signal aborts, as a transport with a socket does. */
  readonly sleep: <E>(delay: Duration.Duration, onAbort: (cause: unknown) => E) => Effect.Effect<void, E>
  /** Tracks a body: reading it to its end completes the attempt, leaving it early interrupts the attempt. */
  readonly track: <E>(body: Stream.Stream<Uint8Array, E>) => Stream.Stream<Uint8Array, E>
}

export interface Attempts {
  readonly begin: (signal: AbortSignal) => Attempt
  readonly interrupted: () => number
  readonly inFlight: () => number
}

/** Fails once the signal aborts, or succeeds once it is ended. */
const aborted = <E>(
  signal: AbortSignal,
  onAbort: (cause: unknown) => E,
  ended: (end: () => void) => void = () => {}
): Effect.Effect<void, E> =>
  Effect.async<void, E>((resume) => {
    const abort = (): void => resume(Effect.failSync(() => onAbort(signal.reason)))
    if (signal.aborted) return abort()
    signal.addEventListener("abort", abort, { once: true })
    const leave = (): void => signal.removeEventListener("abort", abort)
    ended(() => {
      leave()
      resume(Effect.void)
    })
    return Effect.sync(leave)
  })

/** In a region that cannot be interrupted a race waits for its loser, which therefore ends by itself. */
const within = <E>(
  delay: Duration.Duration,
  signal: AbortSignal,
  onAbort: (cause: unknown) => E
): Effect.Effect<void, E> =>
  Effect.suspend(() => {
    let end = (): void => {}
    const wait = Effect.tap(Effect.sleep(delay), () => Effect.sync(() => end()))
    const other = aborted(signal, onAbort, (ended) => {
      end = ended
    })
    return Effect.raceFirst(wait, other)
  })

export const make = (changes: Changes): Attempts => {
  let interrupted = 0
  let inFlight = 0

  const begin = (signal: AbortSignal): Attempt => {
    let open = true
    inFlight++
    const end = (): boolean => {
      if (!open) return false
      open = false
      inFlight--
      signal.removeEventListener("abort", interrupt)
      return true
    }
    const interrupt = (): void => {
      if (!end()) return
      interrupted++
      changes.notify()
    }
    const complete = (): void => {
      if (end()) changes.notify()
    }
    signal.addEventListener("abort", interrupt, { once: true })
    return {
      complete,
      run: (effect) =>
        Effect.onExit(effect, (exit) =>
          Effect.sync(() => {
            if (Exit.isInterrupted(exit)) interrupt()
            else if (Exit.isFailure(exit)) complete()
          })
        ),
      sleep: (delay, onAbort) => {
        if (signal.aborted) return aborted(signal, onAbort)
        if (Duration.equals(delay, Duration.zero)) return Effect.void
        return Duration.isFinite(delay) ? within(delay, signal, onAbort) : aborted(signal, onAbort)
      },
      track: (body) =>
        body.pipe(
          Stream.concat(Stream.execute(Effect.sync(complete))),
          Stream.tapError(() => Effect.sync(complete)),
          Stream.ensuring(Effect.sync(interrupt))
        )
    }
  }

  return { begin, interrupted: () => interrupted, inFlight: () => inFlight }
}
