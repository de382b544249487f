/** The methods of messages, for plain async code. */
import type { PromiseClient } from "@effect-api/client"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Stream from "effect/Stream"
import type * as AnthropicConfig from "../config/AnthropicConfig.js"
import { withClientTimeouts } from "../messages/longMessages.js"
import type * as Message from "../messages/Message.js"
import * as Messages from "../messages/Messages.js"
import type * as OutputFormat from "../messages/OutputFormat.js"
import * as ToolRunner from "../tools/ToolRunner.js"
import * as AsyncBatches from "./AsyncBatches.js"
import * as AsyncMessageStream from "./AsyncMessageStream.js"
import * as AsyncToolRun from "./AsyncToolRun.js"
import { type CallOptions, signalOf } from "./CallOptions.js"

/**
 * The methods of messages, and of batches of them: see `Messages` and `ToolRunner`.
 *
 * @since 3.2.0
 * @category models
 */
export interface AsyncMessages {
  /** Creates a message. Rejects for a long `max_tokens` without a timeout: see `Messages.create`. */
  readonly create: (params: Message.MessageCreateParams, options?: CallOptions) => Promise<Message.Message>
  /**
   * Creates a message and decodes its output: see `OutputFormat.make`. Rejects with an `OutputError` if the message has no output
   * that fits.
   */
  readonly parse: <A>(
    params: OutputFormat.Params<A>,
    options?: CallOptions
  ) => Promise<OutputFormat.ParsedMessage<A>>
  /** Creates a message as a stream. Reading it sends the request, and leaving the loop closes the connection. */
  readonly stream: (
    params: Message.MessageCreateParams,
    options?: CallOptions
  ) => AsyncMessageStream.AsyncMessageStream
  /** Runs a conversation with tools, and iterates over the messages of the model: see `AsyncTool.define`. */
  readonly run: (
    params: Message.MessageCreateParams,
    options: AsyncToolRun.RunOptions
  ) => AsyncToolRun.AsyncToolRun
  /** Runs a conversation with tools, and iterates over the events of all messages. */
  readonly runStream: (
    params: Message.MessageCreateParams,
    options: AsyncToolRun.StreamOptions
  ) => AsyncToolRun.AsyncToolStream
  /** Counts the input tokens of a message without creating it. */
  readonly countTokens: (
    params: Message.ConversationParams,
    options?: CallOptions
  ) => Promise<Message.MessageTokensCount>
  /** Many messages at half the price, within a day. */
  readonly batches: AsyncBatches.AsyncBatches
}

/** Makes the methods on a client with its settings. */
export const make = (
  client: PromiseClient.PromiseClient,
  settings: AnthropicConfig.Options
): AsyncMessages => ({
  create: (params, options) =>
    client.execute(Messages.create(params, withClientTimeouts(settings, options)), signalOf(options)),
  parse: async (params, options) =>
    AsyncMessageStream.parsed(
      await client.execute(
        Messages.createParsable(params, withClientTimeouts(settings, options)),
        signalOf(options)
      ),
      params.output_config.format
    ),
  stream: (params, options) => {
    const request = Messages.stream(params, options)
    const signal = signalOf(options)
    return AsyncMessageStream.make(client.stream(request, signal), () =>
      client.streamWithResponse(request, signal)
    )
  },
  run: (params, given) => {
    const { options, run } = AsyncToolRun.editable(given)
    return AsyncToolRun.make(
      ToolRunner.run({ create: asEffect(client, settings) }, params, options),
      run,
      given.signal ?? undefined
    )
  },
  runStream: (params, given) => {
    const { options, run } = AsyncToolRun.editable(given)
    return AsyncToolRun.makeStream(
      ToolRunner.stream({ stream: asStream(client) }, params, options),
      run,
      given.signal ?? undefined
    )
  },
  countTokens: (params, options) => client.execute(Messages.countTokens(params, options), signalOf(options)),
  batches: AsyncBatches.make(client)
})

const asEffect =
  (
    client: PromiseClient.PromiseClient,
    settings: AnthropicConfig.Options
  ): ToolRunner.Creator<unknown>["create"] =>
  (params, options) =>
    Effect.tryPromise({
      try: (signal) =>
        client.execute(Messages.create(params, withClientTimeouts(settings, options)), { signal }),
      catch: identity
    })

const asStream =
  (client: PromiseClient.PromiseClient): ToolRunner.Streamer<unknown>["stream"] =>
  (params, options) =>
    Stream.fromAsyncIterable(client.stream(Messages.stream(params, options)), identity)
