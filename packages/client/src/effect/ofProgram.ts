/** What code of a program gives: an effect, a promise, or the value itself. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import { awaitable, type CannotAwaitError } from "./awaits.js"

/** Waits for a promise. On a thread that is blocked it fails at once, with a reason that names the work. */
export const waiting = <A>(
  promise: PromiseLike<A>,
  what = "the program's function"
): Effect.Effect<A, unknown> => Effect.zipRight(waitable(promise, what), settled<A, unknown>(promise))

/** The same where the types know what the promise rejects with. On a thread that is blocked it dies at once. */
const fromPromise = <A, E>(promise: PromiseLike<A>): Effect.Effect<A, E> =>
  Effect.zipRight(Effect.orDie(waitable(promise, "the program's function")), settled<A, E>(promise))

const settled = <A, E>(promise: PromiseLike<A>): Effect.Effect<A, E> =>
  Effect.async((resume) => {
    promise.then(
      (value) => resume(Effect.succeed(value)),
      (error) => resume(Effect.fail(error))
    )
  })

/** Fails if nobody can wait for a promise. It may still reject, which is nobody's concern then. */
const waitable = (promise: PromiseLike<unknown>, what: string): Effect.Effect<void, CannotAwaitError> =>
  Effect.catchAll(awaitable(what), (error) => {
    promise.then(undefined, () => undefined)
    return Effect.fail(error)
  })

/** What was given, as an effect. */
export const asEffect = <A, E>(given: Effect.Effect<A, E> | PromiseLike<A> | A): Effect.Effect<A, E> => {
  if (Effect.isEffect(given)) return given
  return Predicate.isPromiseLike(given) ? fromPromise(given) : Exit.succeed(given)
}
