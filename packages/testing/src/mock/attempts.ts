import { Duration, Effect, Stream } from "effect"
import type { Changes } from "../shared/changes.js"

/** One attempt, from its request to the end of its body. */
export interface Attempt {
  /** The answer was given whole, or was a failure of the script. */
  readonly complete: () => void
  /** The client went away first. */
  readonly cutOff: () => void
  /** Waits by the `Clock`; fails where the client's signal is aborted, as a transport with a socket does. */
  readonly sleep: <E>(delay: Duration.Duration, onAbort: (cause: unknown) => E) => Effect.Effect<void, E>
  /** Follows a body: read to its end it completes the attempt, left early it cuts it off. */
  readonly follow: <E>(body: Stream.Stream<Uint8Array, E>) => Stream.Stream<Uint8Array, E>
}

export interface Attempts {
  readonly begin: (signal: AbortSignal) => Attempt
  readonly interrupted: () => number
  readonly inFlight: () => number
}

const aborted = <E>(signal: AbortSignal, onAbort: (cause: unknown) => E): Effect.Effect<never, E> =>
  Effect.async((resume) => {
    const abort = (): void => resume(Effect.failSync(() => onAbort(signal.reason)))
    if (signal.aborted) return abort()
    signal.addEventListener("abort", abort, { once: true })
    return Effect.sync(() => signal.removeEventListener("abort", abort))
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
      signal.removeEventListener("abort", cutOff)
      return true
    }
    const cutOff = (): void => {
      if (!end()) return
      interrupted++
      changes.notify()
    }
    const complete = (): void => {
      if (end()) changes.notify()
    }
    signal.addEventListener("abort", cutOff, { once: true })
    return {
      complete,
      cutOff,
      sleep: (delay, onAbort) => {
        if (signal.aborted) return aborted(signal, onAbort)
        if (Duration.equals(delay, Duration.zero)) return Effect.void
        const wait = Duration.isFinite(delay) ? Effect.sleep(delay) : Effect.never
        return Effect.raceFirst(wait, aborted(signal, onAbort))
      },
      follow: (body) =>
        body.pipe(
          Stream.concat(Stream.execute(Effect.sync(complete))),
          Stream.tapError(() => Effect.sync(complete)),
          Stream.ensuring(Effect.sync(cutOff))
        )
    }
  }

  return { begin, interrupted: () => interrupted, inFlight: () => inFlight }
}
