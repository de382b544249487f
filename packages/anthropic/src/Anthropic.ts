/**
 * The client of the Anthropic API, as a service.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import { ApiClient, ApiConfig } from "@effect-api/client"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as AnthropicConfig from "./config/AnthropicConfig.js"
import * as FilesService from "./service/FilesService.js"
import * as MessagesService from "./service/MessagesService.js"
import * as ModelsService from "./service/ModelsService.js"
import * as SkillsService from "./service/SkillsService.js"
import * as UserProfilesService from "./service/UserProfilesService.js"

/**
 * @since 0.1.0
 */
export type { CallOptions } from "./config/CallOptions.js"

/**
 * @since 3.2.0
 */
export type { BatchesService } from "./service/BatchesService.js"

/**
 * @since 3.2.0
 */
export type { FilesService } from "./service/FilesService.js"

/**
 * @since 3.2.0
 */
export type { MessagesService } from "./service/MessagesService.js"

/**
 * @since 3.2.0
 */
export type { ModelsService } from "./service/ModelsService.js"

/**
 * @since 3.2.0
 */
export type { SkillsService } from "./service/SkillsService.js"

/**
 * @since 3.2.0
 */
export type { UserProfilesService } from "./service/UserProfilesService.js"

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
  /** Messages, streams, tools, and batches. */
  readonly messages: MessagesService.MessagesService
  /** The models that the key may use. */
  readonly models: ModelsService.ModelsService
  /** Files to use in messages, and files that tools created. */
  readonly files: FilesService.FilesService
  /** Skills and their versions. */
  readonly skills: SkillsService.SkillsService
  /** The end customers of a platform. */
  readonly userProfiles: UserProfilesService.UserProfilesService
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
      fromClient(AnthropicConfig.instrument(options, client), options)
    )
  )

/**
 * The methods on a client.
 *
 * @internal
 */
export const fromClient = (client: ApiClient.ApiClient, settings: AnthropicConfig.Options): Anthropic => ({
  messages: MessagesService.make(client, settings),
  models: ModelsService.make(client),
  files: FilesService.make(client),
  skills: SkillsService.make(client),
  userProfiles: UserProfilesService.make(client),
  client,
  withOptions: (overrides) =>
    fromClient(
      client.withOptions(AnthropicConfig.toOverrides(settings, overrides)),
      AnthropicConfig.merge(settings, overrides)
    )
})

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
