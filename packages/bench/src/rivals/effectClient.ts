/** A client that runs Effects on one runtime. */
import { Effect, type ManagedRuntime, Stream } from "effect"
import type { Client } from "./Rival.js"

export const effectClient = <R, E, A>(
  runtime: ManagedRuntime.ManagedRuntime<R, E>,
  options: {
    /** Sends a request and returns the text of the response. */
    readonly call: Effect.Effect<string, unknown, R>
    readonly page?: Effect.Effect<string, unknown, R>
    readonly events: Stream.Stream<A, unknown, R>
    /** The text of an event, or the texts of several. */
    readonly textOf: (event: A) => string | ReadonlyArray<string>
  }
): Client => {
  const { call, events, page, textOf } = options
  return {
    call: () => runtime.runPromise(call),
    calls: (more, onText) =>
      runtime.runPromise(Effect.whileLoop({ while: more, body: () => call, step: onText })),
    ...(page && { page: () => runtime.runPromise(page) }),
    stream: (onText) =>
      runtime.runPromise(
        Stream.runForEachChunk(events, (events) =>
          Effect.sync(() => {
            for (const event of events) {
              const text = textOf(event)
              if (typeof text === "string") onText(text)
              else text.forEach(onText)
            }
          })
        )
      )
  }
}
