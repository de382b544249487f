/**
 * Many messages at half the price, within a day: https://docs.anthropic.com/en/docs/build-with-claude/batch-processing
 *
 * @since 0.1.0
 */
import { ApiRequest, ApiSchema, EventStream } from "@effect-api/client"
import * as Schema from "effect/Schema"
import * as CallOptions from "../config/CallOptions.js"
import * as Message from "../messages/Message.js"
import { kind, named, nullish, open, openLiteral, unknownKind } from "../shared/schema.js"
import * as Page from "./Page.js"

/** A batch and how far it has got. @since 0.1.0 @category models */
export const MessageBatch = open(
  Schema.Struct({
    id: Schema.String,
    type: openLiteral("message_batch"),
    processing_status: openLiteral("in_progress", "canceling", "ended"),
    request_counts: Schema.Struct({
      processing: Schema.Number,
      succeeded: Schema.Number,
      errored: Schema.Number,
      canceled: Schema.Number,
      expired: Schema.Number
    }),
    created_at: Schema.String,
    expires_at: Schema.String,
    ended_at: nullish(Schema.String),
    archived_at: nullish(Schema.String),
    cancel_initiated_at: nullish(Schema.String),
    results_url: nullish(Schema.String)
  }),
  "MessageBatch"
)

/** A batch and how far it has got. @since 0.1.0 @category models */
export interface MessageBatch extends Schema.Schema.Type<typeof MessageBatch> {}

/** A batch that is gone. @since 0.1.0 @category models */
export const DeletedMessageBatch = open(
  Schema.Struct({ id: Schema.String, type: openLiteral("message_batch_deleted") }),
  "DeletedMessageBatch"
)

/** A batch that is gone. @since 0.1.0 @category models */
export interface DeletedMessageBatch extends Schema.Schema.Type<typeof DeletedMessageBatch> {}

/** The message came. @since 0.1.0 @category results */
export const Succeeded = kind("succeeded", { message: named<Message.Message>(Message.Message) })

/** The message came. @since 0.1.0 @category results */
export interface Succeeded extends Schema.Schema.Type<typeof Succeeded> {}

/** The API refused the request, or failed. @since 0.1.0 @category results */
export const Errored = kind("errored", {
  error: Schema.Struct({
    type: openLiteral("error"),
    error: Schema.Struct({ type: Schema.String, message: Schema.String }),
    request_id: nullish(Schema.String)
  })
})

/** The API refused the request, or failed. @since 0.1.0 @category results */
export interface Errored extends Schema.Schema.Type<typeof Errored> {}

/** The batch was canceled before this request was sent to the model. @since 0.1.0 @category results */
export const Canceled = kind("canceled", {})

/** The batch was canceled before this request was sent to the model. @since 0.1.0 @category results */
export interface Canceled extends Schema.Schema.Type<typeof Canceled> {}

/** The batch expired before this request was sent to the model. @since 0.1.0 @category results */
export const Expired = kind("expired", {})

/** The batch expired before this request was sent to the model. @since 0.1.0 @category results */
export interface Expired extends Schema.Schema.Type<typeof Expired> {}

const known = [Succeeded, Errored, Canceled, Expired] as const

/** A kind of result that this version does not know. @since 0.1.0 @category results */
export const UnknownResult = unknownKind(...known)

/** A kind of result that this version does not know. @since 0.1.0 @category results */
export interface UnknownResult extends Schema.Schema.Type<typeof UnknownResult> {}

/** What became of one request of a batch. @since 0.1.0 @category results */
export const BatchResult = open(
  Schema.Struct({ custom_id: Schema.String, result: Schema.Union(...known, UnknownResult) }),
  "BatchResult"
)

/** What became of one request of a batch. @since 0.1.0 @category results */
export interface BatchResult {
  readonly custom_id: string
  readonly result: Succeeded | Errored | Canceled | Expired | UnknownResult
}

/** The requests of a batch, each with a name of its own by which its result is known. @since 0.1.0 @category models */
export interface BatchCreateParams {
  readonly requests: ReadonlyArray<{
    readonly custom_id: string
    readonly params: Message.MessageCreateParams
  }>
}

const batch = ApiSchema.asSent(MessageBatch)
const deleted = ApiSchema.asSent(DeletedMessageBatch)
const page = ApiSchema.asSent(Page.of<MessageBatch>(MessageBatch))

// The API names the media type neither in its documentation nor the same everywhere.
const lines: EventStream.EventStream<BatchResult> = {
  ...EventStream.jsonLines(ApiSchema.asSent<BatchResult, BatchResult>(BatchResult)),
  accept: "application/binary",
  accepts: () => true
}

/** Starts a batch. @since 0.1.0 @category requests */
export const create = (
  params: BatchCreateParams,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<MessageBatch> =>
  ApiRequest.post("/v1/messages/batches", {
    ...CallOptions.toOverrides(options),
    body: params,
    success: batch
  })

/** A batch as it stands. @since 0.1.0 @category requests */
export const retrieve = (
  batch_id: string,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<MessageBatch> =>
  ApiRequest.get("/v1/messages/batches/{batch_id}", {
    ...CallOptions.toOverrides(options),
    path: { batch_id },
    success: batch
  })

/** Lists the batches, the youngest first. @since 0.1.0 @category requests */
export const list = (
  params: Page.PageParams = {},
  options?: CallOptions.CallOptions
): ApiRequest.PageRequest<Page.Page<MessageBatch>, MessageBatch> =>
  ApiRequest.get("/v1/messages/batches", { ...CallOptions.toOverrides(options), success: page }).pipe(
    ApiRequest.override({ query: params }),
    ApiRequest.paginate(Page.pagination<MessageBatch>())
  )

/** Stops a batch: what the model is not at work on is canceled. @since 0.1.0 @category requests */
export const cancel = (
  batch_id: string,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<MessageBatch> =>
  ApiRequest.post("/v1/messages/batches/{batch_id}/cancel", {
    ...CallOptions.toOverrides(options),
    path: { batch_id },
    success: batch
  })

/** Deletes a batch that has ended. @since 0.1.0 @category requests */
export const del = (
  batch_id: string,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<DeletedMessageBatch> =>
  ApiRequest.del("/v1/messages/batches/{batch_id}", {
    ...CallOptions.toOverrides(options),
    path: { batch_id },
    success: deleted
  })

/**
 * The results of a batch that has ended, in any order and in constant memory.
 *
 * @since 0.1.0
 * @category requests
 */
export const results = (
  batch_id: string,
  options?: CallOptions.CallOptions
): ApiRequest.StreamRequest<BatchResult> =>
  ApiRequest.get("/v1/messages/batches/{batch_id}/results", {
    ...CallOptions.toOverrides(options),
    path: { batch_id },
    events: lines
  })
