/** The methods of batches. */
import type { ApiClient, ApiError, Polling } from "@effect-api/client"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { CallOptions } from "../config/CallOptions.js"
import * as Batches from "../resources/Batches.js"
import type * as Page from "../resources/Page.js"

/**
 * The methods of batches of messages: see `Batches`.
 *
 * @since 3.2.0
 * @category models
 */
export interface BatchesService {
  /** Starts a batch. */
  readonly create: (
    params: Batches.BatchCreateParams,
    options?: CallOptions
  ) => Effect.Effect<Batches.MessageBatch, ApiError.ApiError>
  /** Gets a batch and its progress. */
  readonly retrieve: (
    id: string,
    options?: CallOptions
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
    options?: CallOptions
  ) => Stream.Stream<Batches.MessageBatch, ApiError.ApiError>
  /** Cancels a batch. Requests that the model is already processing still finish. */
  readonly cancel: (
    id: string,
    options?: CallOptions
  ) => Effect.Effect<Batches.MessageBatch, ApiError.ApiError>
  /** Deletes a batch that has ended. */
  readonly del: (
    id: string,
    options?: CallOptions
  ) => Effect.Effect<Batches.DeletedMessageBatch, ApiError.ApiError>
  /** Streams the results of a batch that has ended, in any order. */
  readonly results: (
    id: string,
    options?: CallOptions
  ) => Stream.Stream<Batches.BatchResult, ApiError.ApiError>
}

/** Makes the methods on a client. */
export const make = (client: ApiClient.ApiClient): BatchesService => ({
  create: (params, options) => client.execute(Batches.create(params, options)),
  retrieve: (id, options) => client.execute(Batches.retrieve(id, options)),
  untilEnded: (id, options) => client.poll(Batches.untilEnded(id, options)),
  watch: (id, options) => client.watch(Batches.untilEnded(id, options)),
  list: (params, options) => client.items(Batches.list(params, options)),
  cancel: (id, options) => client.execute(Batches.cancel(id, options)),
  del: (id, options) => client.execute(Batches.del(id, options)),
  results: (id, options) => client.stream(Batches.results(id, options))
})
