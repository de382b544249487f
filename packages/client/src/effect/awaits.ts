/** Promises of a program, as effects. On a thread that is blocked nobody can wait for one: an effect fails at once with that reason. */
import * as Effect from "effect/Effect"
import * as Fibers from "./fibers.js"

/** Why a promise was not waited for. */
export class CannotAwaitError extends Error {
  override readonly name = "CannotAwaitError"
}

/** Fails if the thread is blocked. `what` names the work in the reason. */
export const awaitable = (what: string): Effect.Effect<void, CannotAwaitError> =>
  Fibers.withFiber((fiber) =>
    Fibers.isBlocking(fiber)
      ? Effect.fail(
          new CannotAwaitError(`${what} is asynchronous: a client that blocks its thread cannot wait for it`)
        )
      : Effect.void
  )

/** What a promise resolves to. Fails with what it rejects with, or at once if the thread is blocked. */
export const awaited = <A>(what: string, start: () => PromiseLike<A>): Effect.Effect<A, unknown> =>
  Effect.zipRight(awaitable(what), Effect.tryPromise({ try: start, catch: (cause) => cause }))
