/** What schemas have made of bodies that they took their time for: nobody can look at it again without waiting. */
import * as Effect from "effect/Effect"
import * as Sync from "../effect/sync.js"

const kept = new WeakMap<object, unknown>()

/** Keeps what an encoder gives for these options, where it is not there at once. */
export const keepLate = <A, E>(options: object, encoding: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Sync.isSync(encoding)
    ? encoding
    : Effect.tap(encoding, (encoded) => Effect.sync(() => kept.set(options, encoded)))

/** What was made of the body of these options; `undefined` where it was there at once. */
export const encodedLate = (options: object): unknown => kept.get(options)
