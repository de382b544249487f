/** The methods of models, for plain async code. */
import type { PromiseClient } from "@effect-api/client"
import * as Models from "../resources/Models.js"
import { type CallOptions, signalOf } from "./CallOptions.js"

/**
 * The methods of models: see `Models`.
 *
 * @since 3.2.0
 * @category models
 */
export interface AsyncModels {
  /** Gets a model by its id or an alias. */
  readonly retrieve: (id: string, options?: CallOptions) => Promise<Models.ModelInfo>
  /** Lists all models. The iteration requests the pages one by one. */
  readonly list: (
    params?: Models.ModelListParams,
    options?: CallOptions
  ) => PromiseClient.AsyncStream<Models.ModelInfo>
}

/** Makes the methods on a client. */
export const make = (client: PromiseClient.PromiseClient): AsyncModels => ({
  retrieve: (id, options) => client.execute(Models.retrieve(id, options), signalOf(options)),
  list: (params, options) => client.items(Models.list(params, options), signalOf(options))
})
