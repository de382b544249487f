/**
 * The client of the Anthropic API, as a service.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import { ApiClient, ApiConfig, type ApiError, type Polling } from "@effect-api/client"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as AnthropicConfig from "./config/AnthropicConfig.js"
import type * as CallOptions from "./config/CallOptions.js"
import { withClientTimeouts } from "./messages/longMessages.js"
import type * as Message from "./messages/Message.js"
import type * as MessageEvent from "./messages/MessageEvent.js"
import * as Messages from "./messages/Messages.js"
import * as Batches from "./resources/Batches.js"
import * as Files from "./resources/Files.js"
import * as Models from "./resources/Models.js"
import type * as Page from "./resources/Page.js"
import type * as Tool from "./tools/Tool.js"
import * as ToolRunner from "./tools/ToolRunner.js"

/**
 * @since 0.1.0
 */
export type { CallOptions } from "./config/CallOptions.js"

type Options = CallOptions.CallOptions

/**
 * The client. All methods fail with an `ApiError`, which its `_tag` discriminates, and require no services. Waits for
 * a batch may also fail with a `PollingTimeoutError`.
 *
 * Every method runs a request of the module of the same name: `files.upload(...)` runs `Files.upload(...)`. With `client` you
 * can run the same request in other ways.
 *
 * @since 0.1.0
 * @category models
 */
export interface Anthropic {
  readonly messages: {
    /** Creates a message. Fails for a long `max_tokens` without a timeout: see `Messages.create`. */
    readonly create: (
      params: Message.MessageCreateParams,
      options?: Options
    ) => Effect.Effect<Message.Message, ApiError.ApiError>
    /** Creates a message as a stream of events. Consume it with the functions of `MessageStream`. */
    readonly stream: (
      params: Message.MessageCreateParams,
      options?: Options
    ) => Stream.Stream<MessageEvent.MessageEvent, ApiError.ApiError>
    /** Runs a conversation with tools, and emits each message of the model: see `ToolRunner.run`. */
    readonly run: <const Tools extends ReadonlyArray<Tool.Any>>(
      params: Message.MessageCreateParams,
      options: ToolRunner.Options<Tools>
    ) => Stream.Stream<Message.Message, ApiError.ApiError, Tool.Context<Tools[number]>>
    /** Counts the input tokens of a message without creating it. */
    readonly countTokens: (
      params: Message.ConversationParams,
      options?: Options
    ) => Effect.Effect<Message.MessageTokensCount, ApiError.ApiError>
    readonly batches: {
      /** Starts a batch. */
      readonly create: (
        params: Batches.BatchCreateParams,
        options?: Options
      ) => Effect.Effect<Batches.MessageBatch, ApiError.ApiError>
      /** Gets a batch and its progress. */
      readonly retrieve: (
        id: string,
        options?: Options
      ) => Effect.Effect<Batches.MessageBatch, ApiError.ApiError>
      /** Polls a batch until it has ended: see `Batches.untilEnded`. */
      readonly untilEnded: (
        id: string,
        options?: Batches.WaitOptions
      ) => Effect.Effect<Batches.MessageBatch, ApiError.ApiError | Polling.PollingTimeoutError>
      /** Emits a batch at each poll, until it has ended. */
      readonly watch: (
        id: string,
        options?: Batches.WaitOptions
      ) => Stream.Stream<Batches.MessageBatch, ApiError.ApiError | Polling.PollingTimeoutError>
      /** Lists all batches. The stream requests the pages one by one. */
      readonly list: (
        params?: Page.PageParams,
        options?: Options
      ) => Stream.Stream<Batches.MessageBatch, ApiError.ApiError>
      /** Cancels a batch. Requests that the model is already processing still finish. */
      readonly cancel: (
        id: string,
        options?: Options
      ) => Effect.Effect<Batches.MessageBatch, ApiError.ApiError>
      /** Deletes a batch that has ended. */
      readonly del: (
        id: string,
        options?: Options
      ) => Effect.Effect<Batches.DeletedMessageBatch, ApiError.ApiError>
      /** Streams the results of a batch that has ended, in any order. */
      readonly results: (
        id: string,
        options?: Options
      ) => Stream.Stream<Batches.BatchResult, ApiError.ApiError>
    }
  }
  readonly models: {
    /** Gets a model by its id or an alias. */
    readonly retrieve: (id: string, options?: Options) => Effect.Effect<Models.ModelInfo, ApiError.ApiError>
    /** Lists all models. The stream requests the pages one by one. */
    readonly list: (
      params?: Models.ModelListParams,
      options?: Options
    ) => Stream.Stream<Models.ModelInfo, ApiError.ApiError>
  }
  readonly files: {
    /** Uploads a file of at most 500 MB. */
    readonly upload: (
      params: Files.FileUploadParams,
      options?: Options
    ) => Effect.Effect<Files.FileMetadata, ApiError.ApiError>
    /** Gets the metadata of a file. */
    readonly retrieve: (id: string, options?: Options) => Effect.Effect<Files.FileMetadata, ApiError.ApiError>
    /** Lists all files. The stream requests the pages one by one. */
    readonly list: (
      params?: Files.FileListParams,
      options?: Options
    ) => Stream.Stream<Files.FileMetadata, ApiError.ApiError>
    /** Downloads the content of a file that a tool created, as a stream of bytes. */
    readonly download: (id: string, options?: Options) => Stream.Stream<Uint8Array, ApiError.ApiError>
    /** Deletes a file. */
    readonly del: (id: string, options?: Options) => Effect.Effect<Files.DeletedFile, ApiError.ApiError>
  }
  /** The client that runs any request: also page by page, with its `ApiResponse`, or to endpoints without a method here. */
  readonly client: ApiClient.ApiClient
  /** The same client with changed settings, on the same connections: see `AnthropicConfig.Overrides`. */
  readonly withOptions: (options: AnthropicConfig.Overrides) => Anthropic
}

/**
 * The tag of the client.
 *
 * @since 0.1.0
 * @category tags
 */
export const Anthropic: Context.Tag<Anthropic, Anthropic> = Context.GenericTag<Anthropic>(
  "@effect-api/anthropic/Anthropic"
)

/**
 * Makes a client on the `HttpClient` of the context. Fails with an `InvalidConfigError` that names the invalid setting.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: AnthropicConfig.Options
): Effect.Effect<Anthropic, ApiConfig.InvalidConfigError, HttpClient.HttpClient> =>
  Effect.flatMap(AnthropicConfig.check(options), (checked) =>
    Effect.map(ApiClient.make(AnthropicConfig.toClientOptions(checked)), (client) =>
      fromClient(client, options)
    )
  )

const fromClient = (client: ApiClient.ApiClient, settings: AnthropicConfig.Options): Anthropic => ({
  messages: messagesOf(client, settings),
  models: {
    retrieve: (id, options) => client.execute(Models.retrieve(id, options)),
    list: (params, options) => client.items(Models.list(params, options))
  },
  files: {
    upload: (params, options) => client.execute(Files.upload(params, options)),
    retrieve: (id, options) => client.execute(Files.retrieve(id, options)),
    list: (params, options) => client.items(Files.list(params, options)),
    download: (id, options) => Stream.unwrap(client.execute(Files.download(id, options))),
    del: (id, options) => client.execute(Files.del(id, options))
  },
  client,
  withOptions: (overrides) =>
    fromClient(
      client.withOptions(AnthropicConfig.toOverrides(settings, overrides)),
      AnthropicConfig.merge(settings, overrides)
    )
})

const messagesOf = (
  client: ApiClient.ApiClient,
  settings: AnthropicConfig.Options
): Anthropic["messages"] => {
  const messages: Anthropic["messages"] = {
    create: (params, options) =>
      client.execute(Messages.create(params, withClientTimeouts(settings, options))),
    stream: (params, options) => client.stream(Messages.stream(params, options)),
    run: (params, options) => ToolRunner.run(messages, params, options),
    countTokens: (params, options) => client.execute(Messages.countTokens(params, options)),
    batches: {
      create: (params, options) => client.execute(Batches.create(params, options)),
      retrieve: (id, options) => client.execute(Batches.retrieve(id, options)),
      untilEnded: (id, options) => client.poll(Batches.untilEnded(id, options)),
      watch: (id, options) => client.watch(Batches.untilEnded(id, options)),
      list: (params, options) => client.items(Batches.list(params, options)),
      cancel: (id, options) => client.execute(Batches.cancel(id, options)),
      del: (id, options) => client.execute(Batches.del(id, options)),
      results: (id, options) => client.stream(Batches.results(id, options))
    }
  }
  return messages
}

/**
 * A client as a layer, on any `HttpClient` layer. Fails with an `InvalidConfigError` if credentials are missing or a setting
 * is invalid.
 *
 * @example
 * ```ts
 * import { Anthropic } from "@effect-api/anthropic"
 * import { NodeTransport } from "@effect-api/node"
 * import { Layer, Redacted } from "effect"
 *
 * const Live = Anthropic.layer({
 *   apiKey: Redacted.make("sk-ant-..."),
 *   timeouts: { total: "5 minutes" },
 *   retry: { maxRetries: 4 }
 * }).pipe(Layer.provide(NodeTransport.layer))
 * ```
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: AnthropicConfig.Options
): Layer.Layer<Anthropic, ApiConfig.InvalidConfigError, HttpClient.HttpClient> =>
  Layer.scoped(Anthropic, make(options))

/**
 * A client as a layer, with settings from environment variables: see `AnthropicConfig.fromEnvironment`. The settings in
 * `explicit` take precedence. A blank variable counts as unset.
 *
 * @example
 * ```ts
 * import { Anthropic, MessageStream } from "@effect-api/anthropic"
 * import { NodeTransport } from "@effect-api/node"
 * import { Console, Effect, Layer, Stream } from "effect"
 *
 * const Live = Anthropic.layerConfig().pipe(Layer.provide(NodeTransport.layer))
 *
 * const program = Effect.gen(function* () {
 *   const anthropic = yield* Anthropic.Anthropic
 *   yield* anthropic.messages
 *     .stream({ model: "claude-sonnet-5-5", max_tokens: 1024, messages: [{ role: "user", content: "Hello" }] })
 *     .pipe(MessageStream.textDeltas, Stream.runForEach(Console.log))
 * }).pipe(Effect.provide(Live))
 * ```
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  explicit: AnthropicConfig.Options = {}
): Layer.Layer<Anthropic, ApiConfig.InvalidConfigError | ConfigError.ConfigError, HttpClient.HttpClient> =>
  Layer.scoped(
    Anthropic,
    Effect.flatMap(ApiConfig.blankAsMissing(AnthropicConfig.fromEnvironment), (environment) =>
      make(AnthropicConfig.merge(environment, explicit))
    )
  )

/**
 * The client as a plain `HttpClient`. Libraries built on one, such as `@effect/ai-anthropic`, get its credentials, retries,
 * limits and telemetry.
 *
 * @example
 * ```ts
 * import { HttpClient } from "@effect/platform"
 * import { Anthropic } from "@effect-api/anthropic"
 * import { NodeTransport } from "@effect-api/node"
 * import { Effect, Layer } from "effect"
 *
 * const Live = Anthropic.layerHttpClient.pipe(
 *   Layer.provide(Anthropic.layerConfig()),
 *   Layer.provide(NodeTransport.layer)
 * )
 *
 * const program = Effect.flatMap(HttpClient.get("/v1/models"), (response) => response.json).pipe(
 *   Effect.provide(Live)
 * )
 * ```
 * @since 0.1.0
 * @category layers
 */
export const layerHttpClient: Layer.Layer<HttpClient.HttpClient, never, Anthropic> = Layer.fresh(
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(Anthropic, ({ client }) => ApiClient.httpClient(client))
  )
)
