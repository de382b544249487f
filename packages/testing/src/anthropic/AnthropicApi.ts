/**
 * The Anthropic API on a loopback port: it remembers batches and files, refuses what the API refuses, and answers what
 * a script says, or what it was asked.
 *
 * @since 0.1.0
 */
import { Context, Effect, Layer, type Scope } from "effect"
import type { Reply } from "../server/Reply.js"
import * as TestServer from "../server/TestServer.js"
import type { Failure, Step } from "./AnthropicAnswer.js"
import type { JsonObject } from "./AnthropicBlock.js"
import * as Batches from "./batches.js"
import * as Files from "./files.js"
import { handler, notFound } from "./gate.js"
import * as Messages from "./messages.js"
import * as Models from "./models.js"
import * as State from "./state.js"

/**
 * @since 0.1.0
 */
export * from "./AnthropicAnswer.js"

/**
 * @since 0.1.0
 */
export * from "./AnthropicBlock.js"

/**
 * What takes the place of one answer, or changes it: a failure of the API, a reply or fault of the test server, or one
 * of its combinators, such as `TestServer.truncateAfter(200)`.
 *
 * @since 0.1.0
 * @category models
 */
export type Fault = Reply | Failure | ((reply: Reply) => Reply)

/**
 * What becomes of one request of a batch.
 *
 * @since 0.1.0
 * @category models
 */
export type Ending = "canceled" | "expired" | Step

/**
 * How the API behaves; all of it may be left out.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Who answers requests for messages: a list gives one step to each and then the echo, anything else answers all.
   */
  readonly script?: Step | ReadonlyArray<Step> | undefined
  /** The models there are, newest first: ids, or fields of the models themselves. */
  readonly models?: ReadonlyArray<string | (JsonObject & { readonly id: string })> | undefined
  /** The keys that are known, as `x-api-key` or as a bearer; any key by default. */
  readonly apiKeys?: ReadonlyArray<string> | undefined
  /** How often a batch is seen in progress before it ends: once by default; `Infinity` leaves it to `endBatch`. */
  readonly batchPolls?: number | undefined
  /** Larger requests are refused; 32 MiB by default. */
  readonly maxBodyBytes?: number | undefined
}

/**
 * The running API, with the log and the awaiting of every {@link TestServer.TestServer}. `reset` makes it forget its
 * batches and files too, and starts the script again.
 *
 * @since 0.1.0
 * @category models
 */
export interface AnthropicApi extends TestServer.TestServer {
  /** What it says to the next requests for messages, one step each, after what was scripted before. */
  readonly script: (...steps: ReadonlyArray<Step>) => Effect.Effect<void>
  /** What goes wrong with the next requests of any kind, one fault each. */
  readonly inject: (...faults: ReadonlyArray<Fault>) => Effect.Effect<void>
  /** Ends a batch now; what is not named here is answered by the script. Dies if there is no such batch. */
  readonly endBatch: (id: string, endings?: Readonly<Record<string, Ending>>) => Effect.Effect<void>
  /** A file as the API's own tools make them, which is what can be downloaded. Gives its id. */
  readonly addFile: (file: {
    readonly filename: string
    readonly mimeType: string
    readonly bytes: Uint8Array
  }) => Effect.Effect<string>
}

/**
 * The API as a service.
 *
 * @since 0.1.0
 * @category tags
 */
export const AnthropicApi: Context.Tag<AnthropicApi, AnthropicApi> = Context.GenericTag<AnthropicApi>(
  "@effect-api/testing/AnthropicApi"
)

const isList = (script: Step | ReadonlyArray<Step>): script is ReadonlyArray<Step> => Array.isArray(script)

const settings = (options: Options): State.Settings => {
  const { apiKeys, batchPolls = 1, maxBodyBytes = 32 * 1024 * 1024, models, script = [] } = options
  return {
    script: isList(script) ? script : [],
    otherwise: isList(script) ? Messages.echo : script,
    models:
      models?.map((each) =>
        typeof each === "string" ? Models.model(each) : { ...Models.model(each.id), ...each }
      ) ?? Models.catalogue,
    apiKeys,
    batchPolls,
    maxBodyBytes
  }
}

const endpoints: Readonly<Record<string, State.Endpoint>> = {
  "POST /v1/messages": Messages.create,
  "POST /v1/messages/count_tokens": Messages.countTokens,
  "POST /v1/messages/batches": Batches.create,
  "GET /v1/messages/batches": Batches.list,
  "GET /v1/messages/batches/{id}": Batches.retrieve,
  "DELETE /v1/messages/batches/{id}": Batches.remove,
  "POST /v1/messages/batches/{id}/cancel": Batches.cancel,
  "GET /v1/messages/batches/{id}/results": Batches.results,
  "GET /v1/models": Models.list,
  "GET /v1/models/{id}": Models.retrieve,
  "POST /v1/files": Files.upload,
  "GET /v1/files": Files.list,
  "GET /v1/files/{id}": Files.retrieve,
  "DELETE /v1/files/{id}": Files.remove,
  "GET /v1/files/{id}/content": Files.download,
  "*": () => notFound("Not Found")
}

/**
 * Starts the API on 127.0.0.1 for as long as the scope is open. It knows messages, whole and streamed, the count of
 * tokens, batches, models over pages, and files; it checks keys, versions and parameters as the API does.
 *
 * Files have the shapes of today; with `anthropic-beta: files-api-2025-04-14` those of the beta, as at the API.
 *
 * @example
 * ```ts
 * import { AnthropicApi, TestServer } from "@effect-api/testing"
 * import { Effect } from "effect"
 *
 * export const program = Effect.gen(function* () {
 *   const api = yield* AnthropicApi.make({
 *     script: ["Let me see.", AnthropicApi.answer(AnthropicApi.toolUse("weather", { city: "Bern" }))]
 *   })
 *   yield* api.inject(AnthropicApi.failure("overloaded_error"), TestServer.reset, TestServer.truncateAfter(100))
 *   return api.url
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<AnthropicApi, never, Scope.Scope> =>
  Effect.gen(function* () {
    const state = State.make(settings(options))
    const server = yield* TestServer.make(
      Object.fromEntries(
        Object.entries(endpoints).map(([route, endpoint]) => [route, handler(state, endpoint)])
      )
    )
    return {
      ...server,
      script: (...steps) => Effect.sync(() => void state.script.push(...steps)),
      inject: (...faults) => Effect.sync(() => void state.faults.push(...faults)),
      endBatch: (id, endings) =>
        Effect.suspend(() => {
          const batch = state.batches.get(id)
          return batch === undefined
            ? Effect.dieMessage(`AnthropicApi: there is no batch ${id}`)
            : Batches.end(batch, endings)
        }),
      addFile: (file) =>
        Effect.map(Files.add(state, { ...file, downloadable: true, expiresAt: undefined }), ({ id }) => id),
      reset: Effect.zipRight(
        server.reset,
        Effect.sync(() => State.clear(state))
      )
    }
  })

/**
 * The API as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<AnthropicApi> =>
  Layer.scoped(AnthropicApi, make(options))
