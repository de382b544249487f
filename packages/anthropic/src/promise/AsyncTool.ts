/**
 * Tools that are plain async functions, and the loop of a conversation with them.
 *
 * @since 0.1.0
 */
import { PromiseClient } from "@effect-api/client"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as ContentBlock from "../content/ContentBlock.js"
import type * as Message from "../messages/Message.js"
import * as Tool from "../tools/Tool.js"

/**
 * A tool from an async function: see `Tool.make`. What it throws is told to the model. `signal` says that nobody waits for it
 * any more.
 *
 * @example
 * ```ts
 * import { AnthropicPromise, AsyncTool } from "@effect-api/anthropic"
 * import { Schema } from "effect"
 *
 * const getWeather = AsyncTool.make({
 *   name: "get_weather",
 *   description: "The weather in a city, now.",
 *   input: Schema.Struct({ city: Schema.String }),
 *   run: async ({ city }, { signal }) => (await fetch(`https://weather.example/${city}`, { signal })).text()
 * })
 *
 * const ask = async (anthropic: AnthropicPromise.AnthropicPromise) => {
 *   const messages = anthropic.messages.run(
 *     { model: "claude-sonnet-5-5", max_tokens: 1024, messages: [{ role: "user", content: "Weather in Paris?" }] },
 *     { tools: [getWeather], maxIterations: 10 }
 *   )
 *   for await (const message of messages) console.log(message.stop_reason)
 *   return messages.finalMessage()
 * }
 * ```
 * @since 0.1.0
 * @category constructors
 */
export const make = <A, I>(
  options: Tool.Settings & {
    /** What the model calls the tool by. */
    readonly name: string
    /** What the tool does and when to use it, for the model. */
    readonly description?: string
    /** What the model has to send. Its JSON Schema goes to the model, descriptions included. */
    readonly input: Schema.Schema<A, I>
    /** Runs the tool on an input that fits. What it throws is told to the model. `signal` aborts when nobody waits any more. */
    readonly run: (
      input: A,
      context: { readonly call: ContentBlock.ToolUseBlock; readonly signal: AbortSignal }
    ) => unknown
  }
): Tool.Tool<A, unknown> =>
  Tool.make({
    ...options,
    run: (input, call) =>
      Effect.tryPromise({ try: async (signal) => options.run(input, { call, signal }), catch: identity })
  })

/**
 * The messages of the model, for one loop. The tools of one run when the next is asked for; leaving the loop ends it.
 *
 * @since 0.1.0
 * @category models
 */
export interface AsyncToolRun extends AsyncIterable<Message.Message> {
  /** The last message: runs what is left of the loop. */
  readonly finalMessage: () => Promise<Message.Message>
}

/**
 * A loop from the messages of a `ToolRunner`.
 *
 * @since 0.1.0
 * @category running
 */
export const run = (
  messages: Stream.Stream<Message.Message, unknown>,
  signal: AbortSignal | undefined
): AsyncToolRun => {
  let outcome: Exit.Exit<Message.Message, unknown> = Exit.fail(new Error("the loop was left at its start"))
  const loop = (async function* () {
    const scope = Effect.runSync(Scope.make())
    try {
      const pull = await settle(Scope.extend(Stream.toPull(messages), scope), signal)
      for (;;) {
        const chunk = await settle(orEnd(pull), signal)
        if (Option.isNone(chunk)) return
        for (const message of chunk.value) {
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

/** The end of a stream is no failure. */
const orEnd = <A>(pull: Effect.Effect<A, Option.Option<unknown>>): Effect.Effect<Option.Option<A>, unknown> =>
  Effect.matchEffect(pull, {
    onSuccess: Effect.succeedSome,
    onFailure: Option.match({ onNone: () => Effect.succeedNone, onSome: Effect.fail })
  })

/** Rejects with the error itself, or with the signal's reason. */
const settle = async <A>(effect: Effect.Effect<A, unknown>, signal: AbortSignal | undefined): Promise<A> => {
  signal?.throwIfAborted()
  const exit = await Effect.runPromiseExit(effect, signal === undefined ? {} : { signal })
  if (Exit.isSuccess(exit)) return exit.value
  signal?.throwIfAborted()
  throw PromiseClient.showCaller(Cause.squash(exit.cause))
}
