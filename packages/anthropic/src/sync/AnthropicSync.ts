/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The client for code that blocks: methods that return values and throw typed errors, and streams and lists for plain loops. It
 * runs on a `SyncClient` of `@effect-api/node`, of which it knows no more than {@link Blocking}.
 *
 * @since 3.2.0
 */
import { type ApiClient, ApiConfig, type PromiseClient } from "@effect-api/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"
import * as Anthropic from "../Anthropic.js"
import * as AnthropicConfig from "../config/AnthropicConfig.js"
import type { CallOptions } from "../config/CallOptions.js"
import { withEnvironment } from "../effect/environment.js"
import type * as Message from "../messages/Message.js"
import type * as OutputFormat from "../messages/OutputFormat.js"
import * as SyncMessageStream from "./SyncMessageStream.js"

/**
 * @since 3.2.0
 */
export type { SyncMessageStream } from "./SyncMessageStream.js"

/**
 * The part of a `SyncClient` that runs everything here.
 *
 * @since 3.2.0
 * @category models
 */
export interface Blocking extends Disposable {
  readonly run: <A, E>(use: (client: ApiClient.ApiClient) => Effect.Effect<A, E>) => A
  readonly iterate: <A, E>(use: (client: ApiClient.ApiClient) => Stream.Stream<A, E>) => Iterable<A>
  readonly close: () => void
}

/**
 * The settings of a client, and its logger. The function that makes the client sets the options of the transport.
 *
 * @since 3.2.0
 * @category models
 */
export interface Options
  extends Omit<AnthropicConfig.Options, "apiKey" | "authToken">,
    Pick<PromiseClient.Environment, "logger" | "logLevel"> {
  /** The API key, sent as a bearer token: see `apiKeyHeader`. A blank key counts as missing. */
  readonly apiKey?: string | Redacted.Redacted<string> | undefined
  /** An OAuth token, sent as a bearer token. */
  readonly authToken?: string | Redacted.Redacted<string> | undefined
}

/**
 * Settings that `withOptions` changes.
 *
 * @since 3.2.0
 * @category models
 */
export type Overrides = Omit<AnthropicConfig.Overrides, "apiKey" | "authToken"> &
  Pick<Options, "apiKey" | "authToken">

/**
 * The methods of a service, which return values in place of effects, and iterables in place of streams.
 *
 * @since 3.2.0
 * @category models
 */
export type Values<S> = {
  readonly [Name in keyof S]: S[Name] extends (...args: infer Args) => Effect.Effect<infer A, unknown>
    ? (...args: Args) => A
    : S[Name] extends (...args: infer Args) => Stream.Stream<infer A, unknown>
      ? (...args: Args) => Iterable<A>
      : Values<S[Name]>
}

/**
 * The methods of messages, and of batches of them.
 *
 * @since 3.2.0
 * @category models
 */
export interface SyncMessages
  extends Values<Pick<Anthropic.MessagesService, "create" | "countTokens" | "batches">> {
  /** Creates a message and decodes its output: see `OutputFormat.make` and `OutputFormat.parse`. */
  readonly parse: <A>(params: OutputFormat.Params<A>, options?: CallOptions) => OutputFormat.ParsedMessage<A>
  /** Creates a message as a stream. Reading it sends the request, and leaving the loop closes the connection. */
  readonly stream: (
    params: Message.MessageCreateParams,
    options?: CallOptions
  ) => SyncMessageStream.SyncMessageStream
}

/**
 * The client. Its methods throw the tagged errors: `error instanceof ApiError.RateLimitError`.
 *
 * @since 3.2.0
 * @category models
 */
export interface AnthropicSync extends Disposable {
  /** Messages, streams and batches. */
  readonly messages: SyncMessages
  /** The models that the key may use. */
  readonly models: Values<Anthropic.ModelsService>
  /** Files to use in messages, and files that tools created. */
  readonly files: Values<Anthropic.FilesService>
  /** Runs anything else of the client for effects, such as skills: `run((anthropic) => anthropic.skills.create(...))`. */
  readonly run: <A, E>(use: (anthropic: Anthropic.Anthropic) => Effect.Effect<A, E>) => A
  /** The values of a stream of the client for effects. */
  readonly iterate: <A, E>(use: (anthropic: Anthropic.Anthropic) => Stream.Stream<A, E>) => Iterable<A>
  /** The same client with changed settings, on the same connections: see `AnthropicConfig.Overrides`. */
  readonly withOptions: (options: Overrides) => AnthropicSync
  /** Closes the connections. */
  readonly close: () => void
}

/**
 * Makes a client with what makes a `SyncClient`. Settings that `options` omits come from environment variables, as with
 * `Anthropic.layerConfig`. Throws an `InvalidConfigError` if credentials are missing or a setting is invalid.
 *
 * @example
 * ```ts
 * import { AnthropicSync } from "@effect-api/anthropic"
 * import { SyncClient } from "@effect-api/node"
 *
 * const main = () => {
 *   using anthropic = AnthropicSync.make(SyncClient.make, { apiKey: "sk-ant-..." })
 *   const stream = anthropic.messages.stream({
 *     model: "claude-sonnet-5-5",
 *     max_tokens: 1024,
 *     messages: [{ role: "user", content: "Hello" }]
 *   })
 *   for (const text of stream.textDeltas()) process.stdout.write(text)
 *   console.log(stream.finalMessage().usage)
 * }
 * ```
 * @since 3.2.0
 * @category constructors
 */
export const make = (
  makeClient: (
    options: ApiConfig.Options & Pick<PromiseClient.Environment, "logger" | "logLevel">
  ) => Blocking,
  { logLevel, logger, ...options }: Options = {}
): AnthropicSync => {
  const fromEnvironment = ApiConfig.blankAsMissing(AnthropicConfig.fromEnvironment)
  const environment = Effect.runSync(withEnvironment(fromEnvironment))
  const settings = AnthropicConfig.check(AnthropicConfig.merge(environment, hideSecrets(options)))
  if (Either.isLeft(settings)) throw settings.left
  const client = makeClient({ ...AnthropicConfig.toClientOptions(settings.right), logger, logLevel })
  const instrumented = client.run((effects) =>
    Effect.sync(() => AnthropicConfig.instrument(settings.right, effects))
  )
  return over(client, Anthropic.fromClient(instrumented, settings.right))
}

const hideSecrets = ({ apiKey, authToken, ...rest }: Overrides): AnthropicConfig.Overrides => ({
  ...rest,
  apiKey: typeof apiKey === "string" ? Redacted.make(apiKey) : apiKey,
  authToken: typeof authToken === "string" ? Redacted.make(authToken) : authToken
})

const over = (client: Blocking, anthropic: Anthropic.Anthropic): AnthropicSync => {
  const { files, messages, models } = anthropic
  const { batches } = messages
  const call =
    <Args extends ReadonlyArray<unknown>, A>(method: (...args: Args) => Effect.Effect<A, unknown>) =>
    (...args: Args): A =>
      client.run(() => method(...args))
  const loop =
    <Args extends ReadonlyArray<unknown>, A>(method: (...args: Args) => Stream.Stream<A, unknown>) =>
    (...args: Args): Iterable<A> =>
      client.iterate(() => method(...args))
  return {
    messages: {
      create: call(messages.create),
      parse: (params, options) => client.run(() => messages.parse(params, options)),
      stream: (params, options) =>
        SyncMessageStream.make(client.iterate(() => messages.stream(params, options))),
      countTokens: call(messages.countTokens),
      batches: {
        create: call(batches.create),
        retrieve: call(batches.retrieve),
        untilEnded: call(batches.untilEnded),
        watch: loop(batches.watch),
        list: loop(batches.list),
        cancel: call(batches.cancel),
        del: call(batches.del),
        results: loop(batches.results)
      }
    },
    models: { retrieve: call(models.retrieve), list: loop(models.list) },
    files: {
      upload: call(files.upload),
      retrieve: call(files.retrieve),
      list: loop(files.list),
      download: loop(files.download),
      del: call(files.del)
    },
    run: (use) => client.run(() => use(anthropic)),
    iterate: (use) => client.iterate(() => use(anthropic)),
    withOptions: (options) => over(client, anthropic.withOptions(hideSecrets(options))),
    close: client.close,
    [Symbol.dispose]: client.close
  }
}
