/** Bodies that a schema encoded asynchronously, kept so that redaction can read them without waiting. */
import * as Effect from "effect/Effect"
import * as Sync from "../effect/sync.js"

const kept = new WeakMap<object, unknown>()

/** Keeps the result of an asynchronous encoder for these options. */
export const keepLate = <A, E>(options: object, encoding: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Sync.isSync(encoding)
    ? encoding
    : Effect.tap(encoding, (encoded) => Effect.sync(() => kept.set(options, encoded)))

/** The encoded body of these options; `undefined` if it was encoded synchronously. */
export const encodedLate = (options: object): unknown => kept.get(options)
