/**
 * The client of the Anthropic API as a service.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import { ApiClient, ApiConfig, type ApiError } from "@effect-api/client"
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

type Options = CallOptions.CallOptions

/**
 * The API. All methods fail with an `ApiError`, told apart by its `_tag`, and need nothing from the environment. A method
 * `f` of a resource `R` runs the request `R.f(...)`: with `client` it can be run in other ways too.
 *
 * @since 0.1.0
 * @category models
 */
export interface Anthropic {
  readonly messages: {
    /** A message, whole. */
    readonly create: (
      params: Message.MessageCreateParams,
      options?: Options
    ) => Effect.Effect<Message.Message, ApiError.ApiError>
    /** A message as it comes: see `MessageStream` for what to make of the events. */
    readonly stream: (
      params: Message.MessageCreateParams,
      options?: Options
    ) => Stream.Stream<MessageEvent.MessageEvent, ApiError.ApiError>
    /** The messages of a conversation with tools, which are run as the model calls them: see `ToolRunner.run`. */
    readonly run: <const Tools extends ReadonlyArray<Tool.Any>>(
      params: Message.MessageCreateParams,
      options: ToolRunner.Options<Tools>
    ) => Stream.Stream<Message.Message, ApiError.ApiError, Tool.Context<Tools[number]>>
    /** How many tokens the input of a message would be. */
    readonly countTokens: (
      params: Message.ConversationParams,
      options?: Options
    ) => Effect.Effect<Message.MessageTokensCount, ApiError.ApiError>
    readonly batches: {
      readonly create: (
        params: Batches.BatchCreateParams,
        options?: Options
      ) => Effect.Effect<Batches.MessageBatch, ApiError.ApiError>
      readonly retrieve: (
        id: string,
        options?: Options
      ) => Effect.Effect<Batches.MessageBatch, ApiError.ApiError>
      /** All batches, asked for page by page. */
      readonly list: (
        params?: Page.PageParams,
        options?: Options
      ) => Stream.Stream<Batches.MessageBatch, ApiError.ApiError>
      readonly cancel: (
        id: string,
        options?: Options
      ) => Effect.Effect<Batches.MessageBatch, ApiError.ApiError>
      readonly del: (
        id: string,
        options?: Options
      ) => Effect.Effect<Batches.DeletedMessageBatch, ApiError.ApiError>
      /** The results of a batch that has ended, in any order. */
      readonly results: (
        id: string,
        options?: Options
      ) => Stream.Stream<Batches.BatchResult, ApiError.ApiError>
    }
  }
  readonly models: {
    readonly retrieve: (id: string, options?: Options) => Effect.Effect<Models.ModelInfo, ApiError.ApiError>
    /** All models, asked for page by page. */
    readonly list: (
      params?: Models.ModelListParams,
      options?: Options
    ) => Stream.Stream<Models.ModelInfo, ApiError.ApiError>
  }
  readonly files: {
    readonly upload: (
      params: Files.FileUploadParams,
      options?: Options
    ) => Effect.Effect<Files.FileMetadata, ApiError.ApiError>
    readonly retrieve: (id: string, options?: Options) => Effect.Effect<Files.FileMetadata, ApiError.ApiError>
    /** All files, asked for page by page. */
    readonly list: (
      params?: Files.FileListParams,
      options?: Options
    ) => Stream.Stream<Files.FileMetadata, ApiError.ApiError>
    /** The content of a file, while it comes. */
    readonly download: (id: string, options?: Options) => Stream.Stream<Uint8Array, ApiError.ApiError>
    readonly del: (id: string, options?: Options) => Effect.Effect<Files.DeletedFile, ApiError.ApiError>
  }
  /** Runs any request: with the response around its value, page by page, or one that this package does not have. */
  readonly client: ApiClient.ApiClient
  /** The same client with other settings, on the same connections: see `AnthropicConfig.OverrideOptions`. */
  readonly withOptions: (options: AnthropicConfig.OverrideOptions) => Anthropic
}

/**
 * The service.
 *
 * @since 0.1.0
 * @category tags
 */
export const Anthropic: Context.Tag<Anthropic, Anthropic> = Context.GenericTag<Anthropic>(
  "@effect-api/anthropic/Anthropic"
)

/**
 * A client on the `HttpClient` of the environment. Fails with an `InvalidConfigError` that names the setting.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: AnthropicConfig.Options
): Effect.Effect<Anthropic, ApiConfig.InvalidConfigError, HttpClient.HttpClient> =>
  AnthropicConfig.check(options).pipe(
    Effect.flatMap((options) => ApiClient.make(AnthropicConfig.toClientOptions(options))),
    Effect.map((client) => fromClient(client, options))
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
  withOptions: (over) =>
    fromClient(
      client.withOptions(AnthropicConfig.toOverrides(settings, over)),
      AnthropicConfig.merge(settings, over)
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
      list: (params, options) => client.items(Batches.list(params, options)),
      cancel: (id, options) => client.execute(Batches.cancel(id, options)),
      del: (id, options) => client.execute(Batches.del(id, options)),
      results: (id, options) => client.stream(Batches.results(id, options))
    }
  }
  return messages
}

/**
 * A client as a layer, on any `HttpClient` layer. Fails with an `InvalidConfigError` where neither a key nor a token is
 * given, or a setting makes no sense.
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
 * A client as a layer whose settings come from the environment: see `AnthropicConfig.fromEnvironment`. What `explicit` sets
 * wins; a blank variable counts as unset.
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
 * The client of the environment as a plain `HttpClient`: credentials, retries, limits and telemetry for what is built on
 * that, such as `@effect/ai-anthropic`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerHttpClient: Layer.Layer<HttpClient.HttpClient, never, Anthropic> = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(Anthropic, ({ client }) => ApiClient.httpClient(client))
)
