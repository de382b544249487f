/**
 * The available models: https://docs.anthropic.com/en/api/models-list
 *
 * @since 0.1.0
 */
import { ApiRequest } from "@effect-api/client"
import * as Schema from "effect/Schema"
import * as CallOptions from "../config/CallOptions.js"
import { lazy } from "../shared/lazy.js"
import { asSent, nullish, nullishNumber, nullishString, open, openLiteral } from "../shared/schema.js"
import * as Page from "./Page.js"

/** A model, its capabilities, and the limits of its input and output. @since 0.1.0 @category models */
export const ModelInfo = open(
  Schema.Struct({
    id: Schema.String,
    type: openLiteral("model"),
    display_name: Schema.String,
    created_at: Schema.String,
    max_input_tokens: nullishNumber,
    max_tokens: nullishNumber,
    lifecycle: nullish(openLiteral("active", "deprecated", "retired")),
    deprecated_at: nullishString,
    retires_at: nullishString,
    capabilities: nullish(Schema.Record({ key: Schema.String, value: Schema.Unknown }))
  }),
  "ModelInfo"
)

/** A model, its capabilities, and the limits of its input and output. @since 0.1.0 @category models */
export interface ModelInfo extends Schema.Schema.Type<typeof ModelInfo> {}

/** Which models to list. @since 0.1.0 @category models */
export interface ModelListParams extends Page.PageParams {
  /** The stages of the models to list (all). */
  readonly lifecycle?: ReadonlyArray<"active" | "deprecated" | "retired"> | undefined
}

const model = lazy(() => asSent(ModelInfo))
const page = lazy(() => asSent(Page.of<ModelInfo>(ModelInfo)))

/**
 * Lists the models, the newest first.
 *
 * @example
 * ```ts
 * import { Anthropic, Models } from "@effect-api/anthropic"
 * import { Effect, Stream } from "effect"
 *
 * const firstPage = Effect.flatMap(Anthropic.Anthropic, ({ client }) =>
 *   client.pages(Models.list({ limit: 5 })).pipe(Stream.runHead)
 * )
 * ```
 * @since 0.1.0
 * @category requests
 */
export const list = (
  params: ModelListParams = {},
  options?: CallOptions.CallOptions
): ApiRequest.PageRequest<Page.Page<ModelInfo>, ModelInfo> =>
  ApiRequest.get("/v1/models", { ...CallOptions.toOverrides(options), success: page() }).pipe(
    ApiRequest.override({ query: params }),
    ApiRequest.paginate(Page.pagination<ModelInfo>())
  )

/** Gets a model by its id or an alias. @since 0.1.0 @category requests */
export const retrieve = (
  model_id: string,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<ModelInfo> =>
  ApiRequest.get("/v1/models/{model_id}", {
    ...CallOptions.toOverrides(options),
    path: { model_id },
    success: model()
  })
