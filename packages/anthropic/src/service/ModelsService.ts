/** The methods of models. */
import type { ApiClient, ApiError } from "@effect-api/client"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { CallOptions } from "../config/CallOptions.js"
import * as Models from "../resources/Models.js"

/**
 * The methods of models: see `Models`.
 *
 * @since 3.2.0
 * @category models
 */
export interface ModelsService {
  /** Gets a model by its id or an alias. */
  readonly retrieve: (id: string, options?: CallOptions) => Effect.Effect<Models.ModelInfo, ApiError.ApiError>
  /** Lists all models. The stream requests the pages one by one. */
  readonly list: (
    params?: Models.ModelListParams,
    options?: CallOptions
  ) => Stream.Stream<Models.ModelInfo, ApiError.ApiError>
}

/** Makes the methods on a client. */
export const make = (client: ApiClient.ApiClient): ModelsService => ({
  retrieve: (id, options) => client.execute(Models.retrieve(id, options)),
  list: (params, options) => client.items(Models.list(params, options))
})
