/** The body of a response as a pull. This module hides what a pull returns and how it ends. */
import type { NativeTransport } from "@effect-api/client"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

export type Pull = NativeTransport.Pull<Uint8Array, unknown>

/** Returns the next chunks of the body, at least one. Nobody changes the array any more. */
export const chunks = (next: ReadonlyArray<Uint8Array>): Pull => Effect.succeed(Chunk.unsafeFromArray(next))

/** The body is over. */
export const over: Pull = Effect.fail(Option.none())

/** The body broke off. */
export const failed = (cause: unknown): Pull => Effect.fail(Option.some(cause))

/** Waits until `wake` is called, and then pulls. The reader runs after the code that wakes it. */
export const waiting = (onWait: (wake: () => void) => void, pull: Pull): Pull =>
  Effect.async((resume) => onWait(() => resume(pull)))

/** A body for a single reader. `onOpen` runs when it starts, `onLeave` when it is done. */
export const toStream = (
  pull: Pull,
  onOpen: () => void,
  onLeave: () => void
): Stream.Stream<Uint8Array, unknown> =>
  Stream.fromPull(
    Effect.acquireRelease(
      Effect.sync(() => {
        onOpen()
        return pull
      }),
      () => Effect.sync(onLeave)
    )
  )
