/** The methods of messages. */
import type { ApiClient, ApiError, ApiResponse } from "@effect-api/client"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as AnthropicConfig from "../config/AnthropicConfig.js"
import type { CallOptions } from "../config/CallOptions.js"
import { withClientTimeouts } from "../messages/longMessages.js"
import type * as Message from "../messages/Message.js"
import type * as MessageEvent from "../messages/MessageEvent.js"
import * as Messages from "../messages/Messages.js"
import * as OutputFormat from "../messages/OutputFormat.js"
import type * as Tool from "../tools/Tool.js"
import * as ToolRunner from "../tools/ToolRunner.js"
import * as BatchesService from "./BatchesService.js"

/**
 * The methods of messages, and of batches of them: see `Messages` and `ToolRunner`.
 *
 * @since 3.2.0
 * @category models
 */
export interface MessagesService {
  /** Creates a message. Fails for a long `max_tokens` without a timeout: see `Messages.create`. */
  readonly create: (
    params: Message.MessageCreateParams,
    options?: CallOptions
  ) => Effect.Effect<Message.Message, ApiError.ApiError>
  /** Creates a message and decodes its output: see `OutputFormat.make` and `OutputFormat.parse`. */
  readonly parse: <A>(
    params: OutputFormat.Params<A>,
    options?: CallOptions
  ) => Effect.Effect<OutputFormat.ParsedMessage<A>, ApiError.ApiError | OutputFormat.OutputError>
  /** Creates a message as a stream of events. Consume it with the functions of `MessageStream`. */
  readonly stream: (
    params: Message.MessageCreateParams,
    options?: CallOptions
  ) => Stream.Stream<MessageEvent.MessageEvent, ApiError.ApiError>
  /** Like `stream`, but waits for the first events, and returns the stream with the status, headers and request id. */
  readonly streamWithResponse: (
    params: Message.MessageCreateParams,
    options?: CallOptions
  ) => Effect.Effect<
    ApiResponse.StreamResponse<MessageEvent.MessageEvent, ApiError.ApiError>,
    ApiError.ApiError,
    Scope.Scope
  >
  /** Runs a conversation with tools, and emits each message of the model: see `ToolRunner.run`. `ToolRunner.stream` streams them. */
  readonly run: <const Tools extends ReadonlyArray<Tool.Any>>(
    params: Message.MessageCreateParams,
    options: ToolRunner.Options<Tools>
  ) => Stream.Stream<Message.Message, ApiError.ApiError, Tool.Context<Tools[number]>>
  /** Counts the input tokens of a message without creating it. */
  readonly countTokens: (
    params: Message.ConversationParams,
    options?: CallOptions
  ) => Effect.Effect<Message.MessageTokensCount, ApiError.ApiError>
  /** Many messages at half the price, within a day. */
  readonly batches: BatchesService.BatchesService
}

/** Makes the methods on a client with its settings. */
export const make = (client: ApiClient.ApiClient, settings: AnthropicConfig.Options): MessagesService => {
  const messages: MessagesService = {
    create: (params, options) =>
      client.execute(Messages.create(params, withClientTimeouts(settings, options))),
    parse: (params, options) =>
      Effect.flatMap(
        client.execute(Messages.createParsable(params, withClientTimeouts(settings, options))),
        (message) => OutputFormat.parse(message, params.output_config.format)
      ),
    stream: (params, options) => client.stream(Messages.stream(params, options)),
    streamWithResponse: (params, options) => client.streamWithResponse(Messages.stream(params, options)),
    run: (params, options) => ToolRunner.run(messages, params, options),
    countTokens: (params, options) => client.execute(Messages.countTokens(params, options)),
    batches: BatchesService.make(client)
  }
  return messages
}
