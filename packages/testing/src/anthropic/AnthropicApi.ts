/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The Anthropic API on a loopback port. It stores batches, files, skills and user profiles, validates requests as the API does, and
 * responds with scripted messages or an echo of the request.
 *
 * @since 0.1.0
 */
import { Context, Effect, Layer, type Scope } from "effect"
import * as TestServer from "../server/TestServer.js"
import * as Promised from "../shared/promised.js"
import type { JsonObject } from "./AnthropicBlock.js"
import type { Ending, Fault, Step } from "./AnthropicResponse.js"
import * as Batches from "./batches.js"
import * as Files from "./files.js"
import { handler, notFound } from "./gate.js"
import * as Messages from "./messages.js"
import * as Models from "./models.js"
import * as Skills from "./skills.js"
import * as State from "./state.js"
import * as UserProfiles from "./userProfiles.js"

/**
 * @since 0.1.0
 */
export * from "./AnthropicBlock.js"
/**
 * @since 0.1.0
 */
export * from "./AnthropicResponse.js"

/**
 * The behaviour of the API. All options are optional.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * The responses to requests for messages (echoes of the requests). A list has one step per request, and echoes follow. A single
   * step responds to all requests.
   */
  readonly script?: Step | ReadonlyArray<Step> | undefined
  /** The available models, newest first, by their ids or fields (a built-in list). */
  readonly models?: ReadonlyArray<string | (JsonObject & { readonly id: string })> | undefined
  /** The valid keys, sent as `x-api-key` or as a bearer token (any key). */
  readonly apiKeys?: ReadonlyArray<string> | undefined
  /** How many times a batch is retrieved in progress before it ends (1). With `Infinity` only `endBatch` ends it. */
  readonly batchPolls?: number | undefined
  /** The largest accepted body, in bytes (32 MiB). */
  readonly maxBodyBytes?: number | undefined
}

/**
 * The running API, with the log of a {@link TestServer.TestServer}. `reset` also deletes what is stored, and restarts the
 * script.
 *
 * @since 0.1.0
 * @category models
 */
export interface AnthropicApi extends TestServer.TestServer {
  /** Appends steps to the script, one for each further request for a message. */
  readonly script: (...steps: ReadonlyArray<Step>) => Effect.Effect<void>
  /** Appends faults, one for each further request of any kind. */
  readonly inject: (...faults: ReadonlyArray<Fault>) => Effect.Effect<void>
  /** Ends a batch now. The script responds to requests without an ending here. Dies if the batch does not exist. */
  readonly endBatch: (id: string, endings?: Readonly<Record<string, Ending>>) => Effect.Effect<void>
  /** Adds a downloadable file, as a tool of the API creates it, and returns its id. */
  readonly addFile: (file: {
    readonly filename: string
    readonly mimeType: string
    readonly bytes: Uint8Array
  }) => Effect.Effect<string>
}

/**
 * The tag of the API.
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
    fallback: isList(script) ? Messages.echo : script,
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
  "POST /v1/skills": Skills.create,
  "GET /v1/skills": Skills.list,
  "GET /v1/skills/{id}": Skills.retrieve,
  "DELETE /v1/skills/{id}": Skills.remove,
  "POST /v1/skills/{id}/versions": Skills.createVersion,
  "GET /v1/skills/{id}/versions": Skills.listVersions,
  "GET /v1/skills/{id}/versions/{version}": Skills.retrieveVersion,
  "DELETE /v1/skills/{id}/versions/{version}": Skills.removeVersion,
  "POST /v1/user_profiles": UserProfiles.create,
  "GET /v1/user_profiles": UserProfiles.list,
  "GET /v1/user_profiles/{id}": UserProfiles.retrieve,
  "POST /v1/user_profiles/{id}": UserProfiles.update,
  "DELETE /v1/user_profiles/{id}": UserProfiles.remove,
  "POST /v1/user_profiles/{id}/action_urls": UserProfiles.createActionUrl,
  "*": () => notFound("Not Found")
}

/**
 * Starts the API on 127.0.0.1 until the scope closes. It supports messages with and without a stream, token counting, batches,
 * models, files, skills and user profiles, and it validates keys, versions and parameters as the API does.
 *
 * With `anthropic-beta: files-api-2025-04-14`, files have the fields of the beta, as in the API.
 *
 * @example
 * ```ts
 * import { AnthropicApi, TestServer } from "@effect-api/testing"
 * import { Effect } from "effect"
 *
 * export const program = Effect.gen(function* () {
 *   const api = yield* AnthropicApi.make({
 *     script: ["Let me see.", AnthropicApi.response(AnthropicApi.toolUse("weather", { city: "Bern" }))]
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
 * The running API for plain async code, with the log of a {@link TestServer.AsyncTestServer}.
 *
 * @since 3.2.0
 * @category models
 */
export interface AsyncAnthropicApi extends TestServer.AsyncTestServer {
  /** Appends steps to the script, one for each further request for a message. */
  readonly script: (...steps: ReadonlyArray<Step>) => void
  /** Appends faults, one for each further request of any kind. */
  readonly inject: (...faults: ReadonlyArray<Fault>) => void
  /** Ends a batch now. The script responds to requests without an ending here. Rejects if the batch does not exist. */
  readonly endBatch: (id: string, endings?: Readonly<Record<string, Ending>>) => Promise<void>
  /** Adds a downloadable file, as a tool of the API creates it, and returns its id. */
  readonly addFile: (...file: Parameters<AnthropicApi["addFile"]>) => Promise<string>
}

/**
 * Starts the API for plain async code: see {@link make}. `await using` closes it at the end of the block, `close` at any time.
 *
 * @example
 * ```ts
 * import { AnthropicApi } from "@effect-api/testing"
 *
 * const main = async () => {
 *   await using api = await AnthropicApi.start({ script: [async ({ text }) => `I heard: ${text}`] })
 *   api.inject(AnthropicApi.failure("overloaded_error"))
 *   console.log(api.url)
 * }
 * ```
 *
 * @since 3.2.0
 * @category constructors
 */
export const start = async (options: Options = {}): Promise<AsyncAnthropicApi> => {
  const opened = await Promised.open(make(options))
  const api = opened.value
  return {
    ...TestServer.asAsync(opened),
    script: (...steps) => Promised.now(api.script(...steps)),
    inject: (...faults) => Promised.now(api.inject(...faults)),
    endBatch: (id, endings) => Promised.promised(api.endBatch(id, endings)),
    addFile: (file) => Promised.promised(api.addFile(file))
  }
}

/**
 * The API as a layer.
 *
 * @example
 * ```ts
 * import { AnthropicApi } from "@effect-api/testing"
 * import { Effect } from "effect"
 *
 * export const program = Effect.gen(function* () {
 *   const api = yield* AnthropicApi.AnthropicApi
 *   yield* api.script("Hello!")
 *   return api.url
 * }).pipe(Effect.provide(AnthropicApi.layer()))
 * ```
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<AnthropicApi> =>
  Layer.scoped(AnthropicApi, make(options))
