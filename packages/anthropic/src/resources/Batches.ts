/**
 * Batches of messages, processed within a day at half the price: https://docs.anthropic.com/en/docs/build-with-claude/batch-processing
 *
 * @since 0.1.0
 */
import { ApiRequest, EventStream, Polling } from "@effect-api/client"
import * as Schema from "effect/Schema"
import * as CallOptions from "../config/CallOptions.js"
import * as Message from "../messages/Message.js"
import { lazy } from "../shared/lazy.js"
import {
  asSent,
  kind,
  named,
  nullishString,
  open,
  openLiteral,
  type UnknownKind,
  unknownKind
} from "../shared/schema.js"
import * as Page from "./Page.js"

/** A batch and its progress. @since 0.1.0 @category models */
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
    ended_at: nullishString,
    archived_at: nullishString,
    cancel_initiated_at: nullishString,
    results_url: nullishString
  }),
  "MessageBatch"
)

/** A batch and its progress. @since 0.1.0 @category models */
export interface MessageBatch extends Schema.Schema.Type<typeof MessageBatch> {}

/** The id of a deleted batch. @since 0.1.0 @category models */
export const DeletedMessageBatch = open(
  Schema.Struct({ id: Schema.String, type: openLiteral("message_batch_deleted") }),
  "DeletedMessageBatch"
)

/** The id of a deleted batch. @since 0.1.0 @category models */
export interface DeletedMessageBatch extends Schema.Schema.Type<typeof DeletedMessageBatch> {}

/** The request succeeded. @since 0.1.0 @category results */
export const Succeeded = kind("succeeded", { message: named<Message.Message>(Message.Message) })

/** The request succeeded. @since 0.1.0 @category results */
export interface Succeeded extends Schema.Schema.Type<typeof Succeeded> {}

/** The request failed: the API rejected it, or had an error of its own. @since 0.1.0 @category results */
export const Errored = kind("errored", {
  error: Schema.Struct({
    type: openLiteral("error"),
    error: Schema.Struct({ type: Schema.String, message: Schema.String }),
    request_id: nullishString
  })
})

/** The request failed: the API rejected it, or had an error of its own. @since 0.1.0 @category results */
export interface Errored extends Schema.Schema.Type<typeof Errored> {}

/** The batch was canceled before the API processed this request. @since 0.1.0 @category results */
export const Canceled = kind("canceled", {})

/** The batch was canceled before the API processed this request. @since 0.1.0 @category results */
export interface Canceled extends Schema.Schema.Type<typeof Canceled> {}

/** The batch expired before the API processed this request. @since 0.1.0 @category results */
export const Expired = kind("expired", {})

/** The batch expired before the API processed this request. @since 0.1.0 @category results */
export interface Expired extends Schema.Schema.Type<typeof Expired> {}

const known = [Succeeded, Errored, Canceled, Expired] as const

/** A result of a type that this version does not know. @since 0.1.0 @category results */
export const UnknownResult: Schema.Schema<UnknownResult> = unknownKind(...known)

/** A result of a type that this version does not know. @since 0.1.0 @category results */
export interface UnknownResult extends UnknownKind {}

/** The result of one request of a batch. @since 0.1.0 @category results */
export const BatchResult = open(
  Schema.Struct({ custom_id: Schema.String, result: Schema.Union(...known, UnknownResult) }),
  "BatchResult"
)

/** The result of one request of a batch. @since 0.1.0 @category results */
export interface BatchResult {
  readonly custom_id: string
  readonly result: Succeeded | Errored | Canceled | Expired | UnknownResult
}

/** The requests of a new batch. @since 0.1.0 @category models */
export interface BatchCreateParams {
  readonly requests: ReadonlyArray<{
    /** An id of your own, unique within the batch, that identifies the result. */
    readonly custom_id: string
    readonly params: Message.MessageCreateParams
  }>
}

/**
 * The options of a wait for a batch: those of every call, and when to poll. The waits grow from 5 seconds to a minute, unless
 * changed.
 *
 * @since 3.1.0
 * @category models
 */
export interface WaitOptions extends CallOptions.CallOptions, PollingOptions {}

type PollingOptions = Omit<Polling.Options<MessageBatch, MessageBatch>, "progress">

const batch = lazy(() => asSent(MessageBatch))
const deleted = lazy(() => asSent(DeletedMessageBatch))
const page = lazy(() => asSent(Page.of<MessageBatch>(MessageBatch)))

// The documentation gives no media type, and servers send different ones.
const lines = lazy(
  (): EventStream.EventStream<BatchResult> => ({
    ...EventStream.jsonLines(asSent<BatchResult, BatchResult>(BatchResult)),
    accept: "application/binary",
    accepts: () => true
  })
)

/**
 * Starts a batch.
 *
 * @example
 * ```ts
 * import { Anthropic, Message } from "@effect-api/anthropic"
 * import { Console, Effect, Stream } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const { batches } = (yield* Anthropic.Anthropic).messages
 *   const { id } = yield* batches.create({
 *     requests: ["Bern", "Paris"].map((city) => ({
 *       custom_id: city,
 *       params: { model: "claude-sonnet-5-5", max_tokens: 1024, messages: [{ role: "user", content: `Describe ${city}` }] }
 *     }))
 *   })
 *   yield* batches.untilEnded(id)
 *   yield* batches.results(id).pipe(
 *     Stream.runForEach(({ custom_id, result }) =>
 *       Console.log(custom_id, result.type === "succeeded" ? Message.text(result.message) : result.type)
 *     )
 *   )
 * })
 * ```
 * @since 0.1.0
 * @category requests
 */
export const create = (
  params: BatchCreateParams,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<MessageBatch> =>
  ApiRequest.post("/v1/messages/batches", {
    ...CallOptions.toOverrides(options),
    body: params,
    success: batch()
  })

/** Gets a batch and its progress. @since 0.1.0 @category requests */
export const retrieve = (
  batch_id: string,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<MessageBatch> =>
  ApiRequest.get("/v1/messages/batches/{batch_id}", {
    ...CallOptions.toOverrides(options),
    path: { batch_id },
    success: batch()
  })

/**
 * Polls a batch until it has ended, which takes up to a day. `client.poll` returns the batch, `client.watch` emits it at each
 * poll. Fails with a `PollingTimeoutError` if it has not ended within `timeout`.
 *
 * @since 3.1.0
 * @category requests
 */
export const untilEnded = (
  batch_id: string,
  {
    factor,
    initialDelay = "5 seconds",
    jitter,
    maxDelay = "1 minute",
    schedule,
    timeout,
    ...options
  }: WaitOptions = {}
): Polling.Polling<MessageBatch> =>
  Polling.until(retrieve(batch_id, options), {
    done: ({ processing_status }) => processing_status === "ended",
    factor,
    initialDelay,
    jitter,
    maxDelay,
    schedule,
    timeout
  })

/** Lists the batches, the newest first. @since 0.1.0 @category requests */
export const list = (
  params: Page.PageParams = {},
  options?: CallOptions.CallOptions
): ApiRequest.PageRequest<Page.Page<MessageBatch>, MessageBatch> =>
  ApiRequest.get("/v1/messages/batches", { ...CallOptions.toOverrides(options), success: page() }).pipe(
    ApiRequest.override({ query: params }),
    ApiRequest.paginate(Page.pagination<MessageBatch>())
  )

/** Cancels a batch. Requests that the model is already processing still finish. @since 0.1.0 @category requests */
export const cancel = (
  batch_id: string,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<MessageBatch> =>
  ApiRequest.post("/v1/messages/batches/{batch_id}/cancel", {
    ...CallOptions.toOverrides(options),
    path: { batch_id },
    success: batch()
  })

/** Deletes a batch that has ended. @since 0.1.0 @category requests */
export const del = (
  batch_id: string,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<DeletedMessageBatch> =>
  ApiRequest.del("/v1/messages/batches/{batch_id}", {
    ...CallOptions.toOverrides(options),
    path: { batch_id },
    success: deleted()
  })

/**
 * Streams the results of a batch that has ended, in any order. The stream needs constant memory.
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
    events: lines()
  })
