/** The methods of batches, for plain async code. */
import type { PromiseClient } from "@effect-api/client"
import * as Batches from "../resources/Batches.js"
import type * as Page from "../resources/Page.js"
import { type CallOptions, signalOf, type WaitOptions } from "./CallOptions.js"

/**
 * The methods of batches of messages: see `Batches`.
 *
 * @since 3.2.0
 * @category models
 */
export interface AsyncBatches {
  /** Starts a batch. */
  readonly create: (params: Batches.BatchCreateParams, options?: CallOptions) => Promise<Batches.MessageBatch>
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

/** Makes the methods on a client. */
export const make = (client: PromiseClient.PromiseClient): AsyncBatches => ({
  create: (params, options) => client.execute(Batches.create(params, options), signalOf(options)),
  retrieve: (id, options) => client.execute(Batches.retrieve(id, options), signalOf(options)),
  untilEnded: (id, options) => client.poll(Batches.untilEnded(id, options), signalOf(options)),
  watch: (id, options) => client.watch(Batches.untilEnded(id, options), signalOf(options)),
  list: (params, options) => client.items(Batches.list(params, options), signalOf(options)),
  cancel: (id, options) => client.execute(Batches.cancel(id, options), signalOf(options)),
  del: (id, options) => client.execute(Batches.del(id, options), signalOf(options)),
  results: (id, options) => client.stream(Batches.results(id, options), signalOf(options))
})
