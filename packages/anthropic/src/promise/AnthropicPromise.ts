/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The client for plain async code: promises that reject with typed errors, and streams and lists for `for await`.
 *
 * @since 0.1.0
 */
import { ApiConfig, PromiseClient } from "@effect-api/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as AnthropicConfig from "../config/AnthropicConfig.js"
import type * as Calls from "../config/CallOptions.js"
import { withEnvironment } from "../effect/environment.js"
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
import * as AsyncToolRun from "./AsyncToolRun.js"

/**
 * @since 0.1.0
 */
export type { AsyncMessageStream } from "./AsyncMessageStream.js"

/**
 * @since 0.1.0
 */
export type { AsyncToolRun } from "./AsyncToolRun.js"

/**
 * The options of a single call, and a signal that aborts it.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallOptions extends Calls.CallOptions, PromiseClient.CallOptions {}

/**
 * The options of a wait for a batch, and a signal that aborts it.
 *
 * @since 3.1.0
 * @category models
 */
export interface WaitOptions extends Batches.WaitOptions, PromiseClient.CallOptions {}

/**
 * The settings of a client, its transport, and its logger.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options
  extends Omit<AnthropicConfig.Options, "apiKey" | "authToken">,
    PromiseClient.Environment {
  /** The API key, sent as `x-api-key`. A blank key counts as missing. */
  readonly apiKey?: string | Redacted.Redacted<string> | undefined
  /** An OAuth token, sent as a bearer token. If there is an `apiKey` as well, the client sends both. */
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
  readonly messages: {
    /** Creates a message. Rejects for a long `max_tokens` without a timeout: see `Messages.create`. */
    readonly create: (params: Message.MessageCreateParams, options?: CallOptions) => Promise<Message.Message>
    /** Creates a message as a stream. Reading it sends the request, and leaving the loop closes the connection. */
    readonly stream: (
      params: Message.MessageCreateParams,
      options?: CallOptions
    ) => AsyncMessageStream.AsyncMessageStream
    /** Runs a conversation with tools, and iterates over the messages of the model: see `AsyncTool.make`. */
    readonly run: (
      params: Message.MessageCreateParams,
      options: ToolRunner.Options<ReadonlyArray<Tool.Tool<never, unknown>>> & PromiseClient.CallOptions
    ) => AsyncToolRun.AsyncToolRun
    /** Counts the input tokens of a message without creating it. */
    readonly countTokens: (
      params: Message.ConversationParams,
      options?: CallOptions
    ) => Promise<Message.MessageTokensCount>
    readonly batches: {
      /** Starts a batch. */
      readonly create: (
        params: Batches.BatchCreateParams,
        options?: CallOptions
      ) => Promise<Batches.MessageBatch>
      /** Gets a batch and its progress. */
      readonly retrieve: (id: string, options?: CallOptions) => Promise<Batches.MessageBatch>
      /** Polls a batch until it has ended: see `Batches.untilEnded`. */
      readonly untilEnded: (id: string, options?: WaitOptions) => Promise<Batches.MessageBatch>
      /** Iterates over a batch at each poll, until it has ended. */
      readonly watch: (id: string, options?: WaitOptions) => PromiseClient.AsyncStream<Batches.MessageBatch>
      /** Lists all batches. The iteration requests the pages one by one. */
      readonly list: (
        params?: Page.PageParams,
        options?: CallOptions
      ) => PromiseClient.AsyncStream<Batches.MessageBatch>
      /** Cancels a batch. Requests that the model is already processing still finish. */
      readonly cancel: (id: string, options?: CallOptions) => Promise<Batches.MessageBatch>
      /** Deletes a batch that has ended. */
      readonly del: (id: string, options?: CallOptions) => Promise<Batches.DeletedMessageBatch>
      /** Iterates over the results of a batch that has ended, in any order. */
      readonly results: (id: string, options?: CallOptions) => PromiseClient.AsyncStream<Batches.BatchResult>
    }
  }
  readonly models: {
    /** Gets a model by its id or an alias. */
    readonly retrieve: (id: string, options?: CallOptions) => Promise<Models.ModelInfo>
    /** Lists all models. The iteration requests the pages one by one. */
    readonly list: (
      params?: Models.ModelListParams,
      options?: CallOptions
    ) => PromiseClient.AsyncStream<Models.ModelInfo>
  }
  readonly files: {
    /** Uploads a file of at most 500 MB. */
    readonly upload: (params: Files.FileUploadParams, options?: CallOptions) => Promise<Files.FileMetadata>
    /** Gets the metadata of a file. */
    readonly retrieve: (id: string, options?: CallOptions) => Promise<Files.FileMetadata>
    /** Lists all files. The iteration requests the pages one by one. */
    readonly list: (
      params?: Files.FileListParams,
      options?: CallOptions
    ) => PromiseClient.AsyncStream<Files.FileMetadata>
    /**
     * Downloads a file that a tool created, as a `Response` whose body is still arriving. The headers describe that body: they
     * exclude those of the connection, and those of a content coding that the transport decoded.
     */
    readonly download: (id: string, options?: CallOptions) => Promise<Response>
    /** Deletes a file. */
    readonly del: (id: string, options?: CallOptions) => Promise<Files.DeletedFile>
  }
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
export const make = ({ logLevel, logger, transport, ...options }: Options = {}): AnthropicPromise => {
  const fromEnvironment = ApiConfig.blankAsMissing(AnthropicConfig.fromEnvironment)
  const environment = Effect.runSync(withEnvironment(fromEnvironment))
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

/** The headers that describe a single connection (RFC 9110, 7.6.1). Intermediaries do not forward them. */
const connectionHeaders: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

const endToEndHeaders = (headers: Readonly<Record<string, string>>): Record<string, string> => {
  const named = (headers["connection"] ?? "").split(",").map((name) => name.trim().toLowerCase())
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !connectionHeaders.has(name) && !named.includes(name))
  )
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
  messages: {
    create: (params, options) =>
      client.execute(Messages.create(params, withClientTimeouts(settings, options)), signalOf(options)),
    stream: (params, options) =>
      AsyncMessageStream.make(client.stream(Messages.stream(params, options), signalOf(options))),
    run: (params, { signal, ...options }) =>
      AsyncToolRun.make(ToolRunner.run({ create: asEffect(client, settings) }, params, options), signal),
    countTokens: (params, options) =>
      client.execute(Messages.countTokens(params, options), signalOf(options)),
    batches: {
      create: (params, options) => client.execute(Batches.create(params, options), signalOf(options)),
      retrieve: (id, options) => client.execute(Batches.retrieve(id, options), signalOf(options)),
      untilEnded: (id, options) => client.poll(Batches.untilEnded(id, options), signalOf(options)),
      watch: (id, options) => client.watch(Batches.untilEnded(id, options), signalOf(options)),
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
        headers: endToEndHeaders(headers)
      })
    },
    del: (id, options) => client.execute(Files.del(id, options), signalOf(options))
  },
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

/** The options that belong to the call and not to its request. */
const signalOf = (options: CallOptions | undefined): PromiseClient.CallOptions => ({
  signal: options?.signal
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
