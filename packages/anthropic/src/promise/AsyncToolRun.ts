/** The messages of a conversation with tools, for plain async code. */
import { PromiseClient } from "@effect-api/client"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as Streams from "../effect/streams.js"
import type * as Message from "../messages/Message.js"
import type * as MessageEvent from "../messages/MessageEvent.js"
import type * as OutputFormat from "../messages/OutputFormat.js"
import type * as Tool from "../tools/Tool.js"
import type * as ToolRunner from "../tools/ToolRunner.js"
import * as AsyncMessageStream from "./AsyncMessageStream.js"

/**
 * Changes the parameters of a run. The changes apply to the next request, once the results of the tools are in `messages`.
 *
 * @since 3.2.0
 * @category models
 */
export interface EditableRun {
  /** Replaces the parameters of the next request, and of those after it, by what a function makes of them. */
  readonly setParams: (change: (params: Message.MessageCreateParams) => Message.MessageCreateParams) => void
  /**
   * Adds turns to the conversation, after the results of the tools. If the last message called no tool, the run goes on with
   * them.
   */
  readonly pushMessages: (...messages: ReadonlyArray<Message.MessageParam>) => void
}

/**
 * The messages of the model, for a single loop. The tools of a message run when the loop requests the next message. Leaving
 * the loop ends the run.
 *
 * @since 0.1.0
 * @category models
 */
export interface AsyncToolRun extends AsyncIterable<Message.Message>, EditableRun {
  /** Runs the rest of the loop and returns the last message. */
  readonly finalMessage: () => Promise<Message.Message>
  /** Runs the rest of the loop and decodes the output of the last message: see `OutputFormat.parse`. */
  readonly finalParsed: <A>(format: OutputFormat.OutputFormat<A>) => Promise<OutputFormat.ParsedMessage<A>>
}

/**
 * The events of all messages of a conversation with tools. The tools of a message run when a loop requests the events of the next
 * one, or earlier: see `eager`.
 *
 * @since 3.2.0
 * @category models
 */
export interface AsyncToolStream extends AsyncMessageStream.AsyncMessageEvents, EditableRun {}

/**
 * The options of a run: those of `ToolRunner`, with an async `editParams`, and a signal that aborts the run.
 *
 * @since 3.2.0
 * @category models
 */
export interface RunOptions
  extends Omit<ToolRunner.Options<ReadonlyArray<Tool.Tool<never, unknown>>>, "editParams">,
    PromiseClient.CallOptions {
  /** Changes the next request: see `ToolRunner.Options`. What it throws ends the run. */
  readonly editParams?:
    | ((
        params: Message.MessageCreateParams,
        turn: ToolRunner.Turn
      ) => Message.MessageCreateParams | Promise<Message.MessageCreateParams>)
    | undefined
}

/**
 * The options of a run that streams its messages.
 *
 * @since 3.2.0
 * @category models
 */
export interface StreamOptions
  extends RunOptions,
    Pick<ToolRunner.StreamOptions<ReadonlyArray<Tool.Tool<never, unknown>>>, "eager"> {}

/** The options of `ToolRunner`, and the functions that change the run. */
export const editable = <A extends RunOptions>({ editParams, signal: _, ...options }: A) => {
  const edits: Array<(params: Message.MessageCreateParams) => Message.MessageCreateParams> = []
  const setParams: EditableRun["setParams"] = (change) => void edits.push(change)
  const run: EditableRun = {
    setParams,
    pushMessages: (...messages) =>
      setParams((params) => ({ ...params, messages: [...params.messages, ...messages] }))
  }
  const edit = (params: Message.MessageCreateParams, turn: ToolRunner.Turn) =>
    Effect.promise(async () => {
      const changed = editParams === undefined ? params : await editParams(params, turn)
      return edits.splice(0).reduce((params, change) => change(params), changed)
    })
  return { run, options: { ...options, editParams: edit } }
}

/** Makes a loop from the messages of a `ToolRunner`. */
export const make = (
  messages: Stream.Stream<Message.Message, unknown>,
  run: EditableRun,
  signal: AbortSignal | undefined
): AsyncToolRun => {
  let outcome: Exit.Exit<Message.Message, unknown> = Exit.fail(
    new Error("the loop was left before its first message")
  )
  const loop = (async function* () {
    try {
      for await (const message of iterate(messages, signal)) {
        outcome = Exit.succeed(message)
        yield message
      }
    } catch (error) {
      outcome = Exit.fail(error)
      throw error
    }
  })()
  const finalMessage = async (): Promise<Message.Message> => {
    for await (const _ of loop);
    return settle(outcome, undefined)
  }
  return {
    ...run,
    [Symbol.asyncIterator]: () => loop,
    finalMessage,
    finalParsed: async (format) => AsyncMessageStream.parsed(await finalMessage(), format)
  }
}

/** Makes a stream from the events of a `ToolRunner`. */
export const makeStream = (
  events: Stream.Stream<MessageEvent.MessageEvent, unknown>,
  run: EditableRun,
  signal: AbortSignal | undefined
): AsyncToolStream => ({
  ...AsyncMessageStream.fromEvents({ [Symbol.asyncIterator]: () => iterate(events, signal) }),
  ...run
})

/** Runs a stream for a single loop. Leaving the loop ends it. */
async function* iterate<A>(
  stream: Stream.Stream<A, unknown>,
  signal: AbortSignal | undefined
): AsyncGenerator<A, undefined> {
  const scope = Effect.runSync(Scope.make())
  try {
    const next = await settle(Streams.toNext(stream, scope), signal)
    for (;;) {
      const found = await settle(next, signal)
      if (found === undefined) return undefined
      yield* found
    }
  } finally {
    await Effect.runPromise(Scope.close(scope, Exit.void))
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
