/** The messages of a conversation with tools, for plain async code. */
import { PromiseClient } from "@effect-api/client"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as Streams from "../effect/streams.js"
import type * as Message from "../messages/Message.js"

/**
 * The messages of the model, for a single loop. The tools of a message run when the loop requests the next message. Leaving
 * the loop ends the run.
 *
 * @since 0.1.0
 * @category models
 */
export interface AsyncToolRun extends AsyncIterable<Message.Message> {
  /** Runs the rest of the loop and returns the last message. */
  readonly finalMessage: () => Promise<Message.Message>
}

/** Makes a loop from the messages of a `ToolRunner`. */
export const make = (
  messages: Stream.Stream<Message.Message, unknown>,
  signal: AbortSignal | undefined
): AsyncToolRun => {
  let outcome: Exit.Exit<Message.Message, unknown> = Exit.fail(
    new Error("the loop was left before its first message")
  )
  const loop = (async function* () {
    const scope = Effect.runSync(Scope.make())
    try {
      const next = await settle(Streams.toNext(messages, scope), signal)
      for (;;) {
        const found = await settle(next, signal)
        if (found === undefined) return
        for (const message of found) {
          outcome = Exit.succeed(message)
          yield message
        }
      }
    } catch (error) {
      outcome = Exit.fail(error)
      throw error
    } finally {
      await Effect.runPromise(Scope.close(scope, Exit.void))
    }
  })()
  return {
    [Symbol.asyncIterator]: () => loop,
    finalMessage: async () => {
      for await (const _ of loop);
      return settle(outcome, undefined)
    }
  }
}

/** Runs an effect. Rejects with its error, or with the reason of the signal. */
const settle = async <A>(effect: Effect.Effect<A, unknown>, signal: AbortSignal | undefined): Promise<A> => {
  signal?.throwIfAborted()
  const exit = await Effect.runPromiseExit(effect, signal === undefined ? {} : { signal })
  if (Exit.isSuccess(exit)) return exit.value
  signal?.throwIfAborted()
  throw PromiseClient.showCaller(Cause.squash(exit.cause))
}
