/**
 * A small messages API: its schemas, and its requests as values. A model for an API module of your own.
 *
 * @since 0.1.0
 */
import { ApiRequest, EventStream, Pagination } from "@effect-api/client"
import { Schema } from "effect"

/** A model the API offers. */
export class Model extends Schema.Class<Model>("Model")({
  id: Schema.String
}) {}

/** A page of models, and what asks for the next. */
export class ModelList extends Schema.Class<ModelList>("ModelList")({
  data: Schema.Array(Model),
  has_more: Schema.optional(Schema.Boolean),
  last_id: Schema.optional(Schema.NullOr(Schema.String))
}) {}

/** What to send: camel case in the program, snake case on the wire. */
export const NewMessage = Schema.Struct({
  model: Schema.String,
  messages: Schema.Array(
    Schema.Struct({ role: Schema.Literal("user", "assistant"), content: Schema.String })
  ),
  maxTokens: Schema.propertySignature(Schema.Int).pipe(Schema.fromKey("max_tokens")),
  stream: Schema.optional(Schema.Boolean)
})

/** The answer to a {@link NewMessage}. */
export class Message extends Schema.Class<Message>("Message")({
  id: Schema.String,
  model: Schema.String,
  content: Schema.Array(Schema.Struct({ type: Schema.Literal("text"), text: Schema.String })),
  usage: Schema.Struct({
    inputTokens: Schema.propertySignature(Schema.Number).pipe(Schema.fromKey("input_tokens")),
    outputTokens: Schema.propertySignature(Schema.Number).pipe(Schema.fromKey("output_tokens"))
  })
}) {
  get text(): string {
    return this.content.map((block) => block.text).join("")
  }
}

/** The events of an answer that is told as it comes into being, by name; kinds of event without a schema are skipped. */
const messageEvents = {
  message_start: Schema.Struct({
    type: Schema.Literal("message_start"),
    message: Schema.Struct({ id: Schema.String, model: Schema.String })
  }),
  content_block_delta: Schema.Struct({
    type: Schema.Literal("content_block_delta"),
    // There are deltas of other kinds, which have no text.
    delta: Schema.Struct({ text: Schema.optional(Schema.String) })
  }),
  message_stop: Schema.Struct({ type: Schema.Literal("message_stop") })
}

/** One event of an answer to a {@link NewMessage} with `stream`. */
export type MessageEvent = EventStream.EventType<typeof messageEvents>

/** What an event adds to the text. */
export const textOf = (event: MessageEvent): string =>
  event.type === "content_block_delta" ? (event.delta.text ?? "") : ""

const messageStream: EventStream.EventStream<MessageEvent> = EventStream.make({
  event: messageEvents,
  ignore: ["ping"],
  terminal: ({ type }) => type === "message_stop",
  contentTimeout: "1 minute"
})

/** There is no model of this name: the body of a 404 as an error of our own. */
export class ModelMissing extends Schema.TaggedError<ModelMissing>()("ModelMissing", {
  error: Schema.Struct({ message: Schema.String })
}) {
  override get message(): string {
    return this.error.message
  }
}

/** `GET /v1/models`: the first page, or with `pages` and `items` all of them. */
export const listModels: ApiRequest.PageRequest<ModelList, Model> = ApiRequest.get("/v1/models", {
  success: ModelList
}).pipe(ApiRequest.paginate(Pagination.cursor({ items: (page) => page.data })))

/** `GET /v1/models/{id}` */
export const getModel = (id: string): ApiRequest.ApiRequest<Model, ModelMissing> =>
  ApiRequest.get("/v1/models/{id}", { path: { id }, success: Model, failure: { 404: ModelMissing } })

const newMessage = (model: string, question: string): typeof NewMessage.Type => ({
  model,
  messages: [{ role: "user", content: question }],
  maxTokens: 64
})

/** `POST /v1/messages` with a single question. */
export const ask = (model: string, question: string): ApiRequest.ApiRequest<Message> =>
  ApiRequest.post("/v1/messages", {
    body: newMessage(model, question),
    bodySchema: NewMessage,
    success: Message
  })

/** The same, answered event by event. */
export const askStreaming = (model: string, question: string): ApiRequest.StreamRequest<MessageEvent> =>
  ApiRequest.post("/v1/messages", {
    body: { ...newMessage(model, question), stream: true },
    bodySchema: NewMessage,
    events: messageStream
  })
