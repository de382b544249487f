/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The same API for plain async code: promises that reject with the errors themselves, streams and lists for `for await`.
 *
 * @since 0.1.0
 */
import { ApiConfig, type ApiError, PromiseClient } from "@effect-api/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as AnthropicConfig from "../config/AnthropicConfig.js"
import type * as Calls from "../config/CallOptions.js"
import { withClientTimeouts } from "../messages/longMessages.js"
import type * as Message from "../messages/Message.js"
import * as Messages from "../messages/Messages.js"
import * as Batches from "../resources/Batches.js"
import * as Files from "../resources/Files.js"
import * as Models from "../resources/Models.js"
import type * as Page from "../resources/Page.js"
import type * as Tool from "../tools/Tool.js"
import * as ToolRunner from "../tools/ToolRunner.js"
import * as AsyncMessageStream from "./AsyncMessageStream.js"
import * as AsyncTool from "./AsyncTool.js"

/**
 * What a single call may set, and a signal that ends it.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallOptions extends Calls.CallOptions, PromiseClient.CallOptions {}

/**
 * The settings, the layer to send with, and where log lines go.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options
  extends Omit<AnthropicConfig.Options, "apiKey" | "authToken">,
    PromiseClient.Environment {
  /** Sent as `x-api-key`. */
  readonly apiKey?: string | Redacted.Redacted<string> | undefined
  /** Sent as a bearer token; besides the key, if there are both. */
  readonly authToken?: string | Redacted.Redacted<string> | undefined
}

/**
 * What `withOptions` takes.
 *
 * @since 0.1.0
 * @category models
 */
export type Overrides = Omit<AnthropicConfig.OverrideOptions, "apiKey" | "authToken"> &
  Pick<Options, "apiKey" | "authToken">

/**
 * The API. Promises reject with the tagged errors themselves (`error instanceof ApiError.RateLimitError`), and with the
 * signal's reason where it ended the call.
 *
 * @since 0.1.0
 * @category models
 */
export interface AnthropicPromise extends AsyncDisposable {
  readonly messages: {
    /** A message, whole. */
    readonly create: (params: Message.MessageCreateParams, options?: CallOptions) => Promise<Message.Message>
    /** A message as it comes. Nothing is sent before it is read; leaving the loop closes the connection. */
    readonly stream: (
      params: Message.MessageCreateParams,
      options?: CallOptions
    ) => AsyncMessageStream.AsyncMessageStream
    /** The messages of a conversation with tools, which are run as the model calls them: see `AsyncTool.make`. */
    readonly run: (
      params: Message.MessageCreateParams,
      options: ToolRunner.Options<ReadonlyArray<Tool.Tool<never, unknown>>> & PromiseClient.CallOptions
    ) => AsyncTool.AsyncToolRun
    /** How many tokens the input of a message would be. */
    readonly countTokens: (
      params: Message.ConversationParams,
      options?: CallOptions
    ) => Promise<Message.MessageTokensCount>
    readonly batches: {
      readonly create: (
        params: Batches.BatchCreateParams,
        options?: CallOptions
      ) => Promise<Batches.MessageBatch>
      readonly retrieve: (id: string, options?: CallOptions) => Promise<Batches.MessageBatch>
      /** All batches, asked for page by page. */
      readonly list: (
        params?: Page.PageParams,
        options?: CallOptions
      ) => PromiseClient.AsyncStream<Batches.MessageBatch>
      readonly cancel: (id: string, options?: CallOptions) => Promise<Batches.MessageBatch>
      readonly del: (id: string, options?: CallOptions) => Promise<Batches.DeletedMessageBatch>
      /** The results of a batch that has ended, in any order. */
      readonly results: (id: string, options?: CallOptions) => PromiseClient.AsyncStream<Batches.BatchResult>
    }
  }
  readonly models: {
    readonly retrieve: (id: string, options?: CallOptions) => Promise<Models.ModelInfo>
    /** All models, asked for page by page. */
    readonly list: (
      params?: Models.ModelListParams,
      options?: CallOptions
    ) => PromiseClient.AsyncStream<Models.ModelInfo>
  }
  readonly files: {
    readonly upload: (params: Files.FileUploadParams, options?: CallOptions) => Promise<Files.FileMetadata>
    readonly retrieve: (id: string, options?: CallOptions) => Promise<Files.FileMetadata>
    /** All files, asked for page by page. */
    readonly list: (
      params?: Files.FileListParams,
      options?: CallOptions
    ) => PromiseClient.AsyncStream<Files.FileMetadata>
    /**
     * The content of a file, its body still on its way. The headers fit what is handed on: those of the connection are left
     * out, and those of a content coding where the transport has decoded the body.
     */
    readonly download: (id: string, options?: CallOptions) => Promise<Response>
    readonly del: (id: string, options?: CallOptions) => Promise<Files.DeletedFile>
  }
  /** Runs any request: with the response around its value, page by page, or one that this package does not have. */
  readonly client: PromiseClient.PromiseClient
  /** The same client with other settings, on the same connections: see `AnthropicConfig.OverrideOptions`. */
  readonly withOptions: (options: Overrides) => AnthropicPromise
  /** Ends what is on its way and closes the transport. */
  readonly close: () => Promise<void>
}

/**
 * Makes a client; what `options` leave open comes from the environment, as with `Anthropic.layerConfig`. Throws an
 * `InvalidConfigError` where neither a key nor a token is given, or a setting makes no sense.
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
export const make = ({ logLevel, logger, transport, ...options }: Options = {}): AnthropicPromise => {
  const environment = Effect.runSync(ApiConfig.blankAsMissing(AnthropicConfig.fromEnvironment))
  const settings = AnthropicConfig.check(AnthropicConfig.merge(environment, hideSecrets(options)))
  if (Either.isLeft(settings)) throw settings.left
  const client = PromiseClient.make({
    ...AnthropicConfig.toClientOptions(settings.right),
    transport,
    logger,
    logLevel
  })
  return fromClient(client, settings.right)
}

/** Headers of the one connection that a message came over (RFC 9110, 7.6.1): whoever hands the message on sends their own. */
const ofConnection: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

const endToEnd = (headers: Readonly<Record<string, string>>): Record<string, string> => {
  const named = (headers["connection"] ?? "").split(",").map((name) => name.trim().toLowerCase())
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !ofConnection.has(name) && !named.includes(name))
  )
}

const hideSecrets = ({ apiKey, authToken, ...rest }: Overrides): AnthropicConfig.OverrideOptions => ({
  ...rest,
  apiKey: typeof apiKey === "string" ? Redacted.make(apiKey) : apiKey,
  authToken: typeof authToken === "string" ? Redacted.make(authToken) : authToken
})

const fromClient = (
  client: PromiseClient.PromiseClient,
  settings: AnthropicConfig.Options
): AnthropicPromise => ({
  messages: {
    create: (params, options) =>
      client.execute(Messages.create(params, withClientTimeouts(settings, options)), signalOf(options)),
    stream: (params, options) =>
      AsyncMessageStream.make(client.stream(Messages.stream(params, options), signalOf(options))),
    run: (params, { signal, ...options }) =>
      AsyncTool.run(ToolRunner.run({ create: asEffect(client, settings) }, params, options), signal),
    countTokens: (params, options) =>
      client.execute(Messages.countTokens(params, options), signalOf(options)),
    batches: {
      create: (params, options) => client.execute(Batches.create(params, options), signalOf(options)),
      retrieve: (id, options) => client.execute(Batches.retrieve(id, options), signalOf(options)),
      list: (params, options) => client.items(Batches.list(params, options), signalOf(options)),
      cancel: (id, options) => client.execute(Batches.cancel(id, options), signalOf(options)),
      del: (id, options) => client.execute(Batches.del(id, options), signalOf(options)),
      results: (id, options) => client.stream(Batches.results(id, options), signalOf(options))
    }
  },
  models: {
    retrieve: (id, options) => client.execute(Models.retrieve(id, options), signalOf(options)),
    list: (params, options) => client.items(Models.list(params, options), signalOf(options))
  },
  files: {
    upload: (params, options) => client.execute(Files.upload(params, options), signalOf(options)),
    retrieve: (id, options) => client.execute(Files.retrieve(id, options), signalOf(options)),
    list: (params, options) => client.items(Files.list(params, options), signalOf(options)),
    download: async (id, options) => {
      const { headers, status, value } = await client.executeWithResponse(
        Files.download(id, options),
        signalOf(options)
      )
      const signal = options?.signal
      const body = Stream.toReadableStream(value)
      return new Response(signal === undefined ? body : body.pipeThrough(new TransformStream(), { signal }), {
        status,
        headers: endToEnd(headers)
      })
    },
    del: (id, options) => client.execute(Files.del(id, options), signalOf(options))
  },
  client,
  withOptions: (options) => {
    const over = hideSecrets(options)
    return fromClient(
      client.withOptions(AnthropicConfig.toOverrides(settings, over)),
      AnthropicConfig.merge(settings, over)
    )
  },
  close: client.close,
  [Symbol.asyncDispose]: client.close
})

/** What a call takes beside its request; all else the request holds. */
const signalOf = (options: CallOptions | undefined): PromiseClient.CallOptions => ({
  signal: options?.signal
})

const asEffect =
  (client: PromiseClient.PromiseClient, settings: AnthropicConfig.Options): ToolRunner.Creator["create"] =>
  (params, options) =>
    Effect.tryPromise({
      try: (signal) =>
        client.execute(Messages.create(params, withClientTimeouts(settings, options)), { signal }),
      catch: (error) => error as ApiError.ApiError
    })
