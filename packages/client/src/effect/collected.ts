/** The whole of a body, as far as a limit. */
import * as Effect from "effect/Effect"
import { Collector } from "../shared/bytes.js"
import * as Pulls from "./pulls.js"

/** A body as far as it was read. */
export interface Collected {
  readonly bytes: Uint8Array
  readonly complete: boolean
}

/** Reads bytes to their end, or until there are more than a limit. Reports every pull that returned bytes. */
export const collect = <E>(
  pull: Pulls.Pull<Uint8Array, E>,
  cap: number,
  onPulled: () => void
): Effect.Effect<Collected, E> =>
  Effect.suspend(() => {
    const collector = new Collector()
    const loop: Effect.Effect<Collected, E> = Pulls.match(pull, {
      onEnd: () => ended,
      onFailure: (error): Effect.Effect<Collected, E> => Effect.fail(error),
      onSuccess: (pulled) => {
        onPulled()
        for (const chunk of pulled) collector.add(chunk)
        return collector.size <= cap ? loop : ended
      }
    })
    const ended = Effect.sync(() => ({ bytes: collector.concat(cap), complete: collector.size <= cap }))
    return loop
  })
