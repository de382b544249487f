/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The client for plain async code: promises that reject with typed errors, and streams and lists for `for await`.
 *
 * @since 0.1.0
 */
import { ApiConfig, PromiseClient } from "@effect-api/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as AnthropicConfig from "../config/AnthropicConfig.js"
import { withEnvironment } from "../effect/environment.js"
import * as AsyncFiles from "./AsyncFiles.js"
import * as AsyncMessages from "./AsyncMessages.js"
import * as AsyncModels from "./AsyncModels.js"
import * as AsyncSkills from "./AsyncSkills.js"
import * as AsyncUserProfiles from "./AsyncUserProfiles.js"

/**
 * @since 3.2.0
 */
export type { AsyncBatches } from "./AsyncBatches.js"
/**
 * @since 3.2.0
 */
export type { AsyncFiles } from "./AsyncFiles.js"
/**
 * @since 0.1.0
 */
/**
 * @since 3.2.0
 */
export type { AsyncMessageEvents, AsyncMessageResponse, AsyncMessageStream } from "./AsyncMessageStream.js"
/**
 * @since 3.2.0
 */
export type { AsyncMessages } from "./AsyncMessages.js"
/**
 * @since 3.2.0
 */
export type { AsyncModels } from "./AsyncModels.js"

/**
 * @since 3.2.0
 */
export type { AsyncSkills } from "./AsyncSkills.js"
/**
 * @since 0.1.0
 */
/**
 * @since 3.2.0
 */
export type { AsyncToolRun, AsyncToolStream, EditableRun, RunOptions, StreamOptions } from "./AsyncToolRun.js"
/**
 * @since 3.2.0
 */
export type { AsyncUserProfiles } from "./AsyncUserProfiles.js"
/**
 * @since 0.1.0
 */
export type { CallOptions, WaitOptions } from "./CallOptions.js"

/**
 * The settings of a client, its transport, and its logger.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options
  extends Omit<AnthropicConfig.Options, "apiKey" | "authToken">,
    PromiseClient.Environment {
  /** The API key, sent as a bearer token: see `apiKeyHeader`. A blank key counts as missing. */
  readonly apiKey?: string | Redacted.Redacted<string> | undefined
  /** An OAuth token, sent as a bearer token. */
  readonly authToken?: string | Redacted.Redacted<string> | undefined
}

/**
 * Settings that `withOptions` changes.
 *
 * @since 0.1.0
 * @category models
 */
export type Overrides = Omit<AnthropicConfig.Overrides, "apiKey" | "authToken"> &
  Pick<Options, "apiKey" | "authToken">

/**
 * The client. Promises reject with the tagged errors (`error instanceof ApiError.RateLimitError`), or with the reason of the
 * signal that aborted the call.
 *
 * @since 0.1.0
 * @category models
 */
export interface AnthropicPromise extends AsyncDisposable {
  /** Messages, streams, tools, and batches. */
  readonly messages: AsyncMessages.AsyncMessages
  /** The models that the key may use. */
  readonly models: AsyncModels.AsyncModels
  /** Files to use in messages, and files that tools created. */
  readonly files: AsyncFiles.AsyncFiles
  /** Skills and their versions. */
  readonly skills: AsyncSkills.AsyncSkills
  /** The end customers of a platform. */
  readonly userProfiles: AsyncUserProfiles.AsyncUserProfiles
  /** The client that runs any request: also page by page, with its `ApiResponse`, or to endpoints without a method here. */
  readonly client: PromiseClient.PromiseClient
  /** The same client with changed settings, on the same connections: see `AnthropicConfig.Overrides`. */
  readonly withOptions: (options: Overrides) => AnthropicPromise
  /** Aborts calls in flight and closes the transport. */
  readonly close: () => Promise<void>
}

/**
 * Makes a client. Settings that `options` omits come from environment variables, as with `Anthropic.layerConfig`. Throws an
 * `InvalidConfigError` if credentials are missing or a setting is invalid.
 *
 * @example
 * ```ts
 * import { AnthropicPromise } from "@effect-api/anthropic"
 * import { ApiConfig, ApiError, PromiseClient } from "@effect-api/client"
 *
 * const main = async () => {
 *   await using anthropic = AnthropicPromise.make({ apiKey: "sk-ant-..." })
 *   try {
 *     const stream = anthropic.messages.stream({
 *       model: "claude-sonnet-5-5",
 *       max_tokens: 1024,
 *       messages: [{ role: "user", content: "Hello" }]
 *     })
 *     for await (const text of stream.textDeltas()) process.stdout.write(text)
 *     console.log((await stream.finalMessage()).usage)
 *   } catch (error) {
 *     if (error instanceof ApiError.RateLimitError) console.log(`wait ${error.retryAfter}`)
 *     else throw error
 *   }
 * }
 * ```
 * @since 0.1.0
 * @category constructors
 */
export const make = ({
  logLevel,
  logger,
  openTelemetry,
  transport,
  ...options
}: Options = {}): AnthropicPromise => {
  const fromEnvironment = ApiConfig.blankAsMissing(AnthropicConfig.fromEnvironment)
  const environment = Effect.runSync(withEnvironment(fromEnvironment))
  const settings = AnthropicConfig.check(AnthropicConfig.merge(environment, hideSecrets(options)))
  if (Either.isLeft(settings)) throw settings.left
  const client = PromiseClient.make({
    ...AnthropicConfig.toClientOptions(settings.right),
    // Without telemetry nothing is around a call.
    ...(settings.right.telemetry === undefined
      ? {}
      : { instrument: (client) => AnthropicConfig.instrument(settings.right, client) }),
    transport,
    logger,
    logLevel,
    openTelemetry
  })
  return fromClient(client, settings.right)
}

const hideSecrets = ({ apiKey, authToken, ...rest }: Overrides): AnthropicConfig.Overrides => ({
  ...rest,
  apiKey: typeof apiKey === "string" ? Redacted.make(apiKey) : apiKey,
  authToken: typeof authToken === "string" ? Redacted.make(authToken) : authToken
})

const fromClient = (
  client: PromiseClient.PromiseClient,
  settings: AnthropicConfig.Options
): AnthropicPromise => ({
  messages: AsyncMessages.make(client, settings),
  models: AsyncModels.make(client),
  files: AsyncFiles.make(client),
  skills: AsyncSkills.make(client),
  userProfiles: AsyncUserProfiles.make(client),
  client,
  withOptions: (options) => {
    const overrides = hideSecrets(options)
    return fromClient(
      client.withOptions(AnthropicConfig.toOverrides(settings, overrides)),
      AnthropicConfig.merge(settings, overrides)
    )
  },
  close: client.close,
  [Symbol.asyncDispose]: client.close
})
