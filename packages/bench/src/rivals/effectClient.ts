/** A client that runs Effects on one runtime. */
import { Effect, type ManagedRuntime, Stream } from "effect"
import type { Client } from "./Rival.js"

interface Calls<R> {
  /** Sends a request and returns the text of the response. */
  readonly call: Effect.Effect<string, unknown, R>
  readonly page?: Effect.Effect<string, unknown, R>
}

/** A client without streams. */
export const effectCalls = <R, E>(
  runtime: ManagedRuntime.ManagedRuntime<R, E>,
  { call, page }: Calls<R>
): Client => ({
  call: () => runtime.runPromise(call),
  calls: (more, onText) =>
    runtime.runPromise(Effect.whileLoop({ while: more, body: () => call, step: onText })),
  ...(page && { page: () => runtime.runPromise(page) })
})

export const effectClient = <R, E, A>(
  runtime: ManagedRuntime.ManagedRuntime<R, E>,
  options: Calls<R> & {
    readonly events: Stream.Stream<A, unknown, R>
    /** The text of an event. */
    readonly textOf: (event: A) => string
  }
): Client => {
  const { events, textOf } = options
  return {
    ...effectCalls(runtime, options),
    stream: (onText) =>
      runtime.runPromise(
        Stream.runForEachChunk(events, (events) =>
          Effect.sync(() => {
            for (const event of events) onText(textOf(event))
          })
        )
      )
  }
}
