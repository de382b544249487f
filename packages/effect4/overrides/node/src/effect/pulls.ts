/** The body of a response as a pull. This module hides what a pull returns and how it ends. */
import type { NativeTransport } from "@effect-api/client"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

export type Pull = NativeTransport.Pull<Uint8Array, unknown>

/** The body is over. */
export const over: Pull = Cause.done()

/** Returns the next chunks of the body, at least one. Nobody changes the array any more. */
export const chunks = (next: ReadonlyArray<Uint8Array>): Pull =>
  Arr.isReadonlyArrayNonEmpty(next) ? Effect.succeed(next) : over

/** The body broke off. */
export const failed = (cause: unknown): Pull => Effect.fail(cause)

/**
 * Waits until `wake` is called, and then pulls. The reader runs after the code that wakes it: `resume` would run it at once. On a
 * blocked thread it does: there are no microtasks, and nothing follows the code that wakes it.
 */
export const waiting = (onWait: (wake: () => void) => void, pull: Pull): Pull =>
  Effect.callback(function (resume) {
    const proceed = (): void => resume(pull)
    onWait(this.executionMode === "sync" ? proceed : () => queueMicrotask(proceed))
  })

/** A body for a single reader. `onOpen` runs when it starts, `onLeave` when it is done. */
export const toStream = (
  pull: Pull,
  onOpen: () => void,
  onLeave: () => void
): Stream.Stream<Uint8Array, unknown> =>
  Stream.fromChannel(
    Channel.fromTransform((_, scope) =>
      Effect.map(Scope.addFinalizer(scope, Effect.sync(onLeave)), () => {
        onOpen()
        return pull
      })
    )
  )
