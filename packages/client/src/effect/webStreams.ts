/** Streams of Effect as web streams. */
import * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Run } from "./promised.js"
import * as Streams from "./streams.js"

/**
 * A stream as a web stream. Nothing is pulled before somebody reads. Cancelling it ends the stream; if nobody has read, it
 * calls `leave`.
 */
export const toReadable = <A, E>(
  run: Run,
  stream: Stream.Stream<A, E>,
  leave: () => void
): ReadableStream<A> => toEndable(run, stream, leave).readable

/** A web stream, and a function that ends it whoever reads it: of two halves of a `tee` neither can. */
export interface Endable<A> {
  readonly readable: ReadableStream<A>
  /** A reader fails with the reason. */
  readonly end: (reason?: unknown) => void
}

export const toEndable = <A, E>(run: Run, stream: Stream.Stream<A, E>, leave: () => void): Endable<A> => {
  const ending = new AbortController()
  let scope: Scope.CloseableScope | undefined
  let next: Streams.Next<A, E> | undefined

  const settled = async <B, E2>(effect: Effect.Effect<B, E2>, signal?: AbortSignal): Promise<B> => {
    const exit = await run(effect, signal === undefined ? {} : { signal })
    if (Exit.isSuccess(exit)) return exit.value
    throw Cause.squash(exit.cause)
  }
  const close = async (): Promise<void> => {
    const open = scope
    scope = undefined
    if (open !== undefined) await settled(Scope.close(open, Exit.void))
  }
  const cancel = async (): Promise<void> => {
    ending.abort()
    if (next === undefined) leave()
    await close()
  }
  let fail = (_reason: unknown): void => {}
  const readable = new ReadableStream<A>(
    {
      start(controller) {
        fail = (reason) => controller.error(reason)
      },
      async pull(controller) {
        try {
          scope ??= await settled(Scope.make())
          next ??= await settled(Streams.toNext(stream, scope), ending.signal)
          const values = await settled(next, ending.signal)
          if (values !== undefined) return values.forEach((value) => controller.enqueue(value))
        } catch (error) {
          await close()
          throw error
        }
        await close()
        controller.close()
      },
      cancel
    },
    { highWaterMark: 0 }
  )
  const end = (reason: unknown = new DOMException("The body was left", "AbortError")): void => {
    fail(reason)
    cancel().catch(() => {})
  }
  return { readable, end }
}
