/**
 * A small messages API: its schemas, and its requests as values. A model for an API module of your own.
 *
 * @since 0.1.0
 */
import { ApiRequest } from "@effect-api/client"
import { Schema } from "effect"

/** A model the API offers. */
export class Model extends Schema.Class<Model>("Model")({
  id: Schema.String
}) {}

/** All models. */
export class ModelList extends Schema.Class<ModelList>("ModelList")({
  data: Schema.Array(Model)
}) {}

/** What to send: camel case in the program, snake case on the wire. */
export const NewMessage = Schema.Struct({
  model: Schema.String,
  messages: Schema.Array(
    Schema.Struct({ role: Schema.Literal("user", "assistant"), content: Schema.String })
  ),
  maxTokens: Schema.propertySignature(Schema.Int).pipe(Schema.fromKey("max_tokens"))
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

/** There is no model of this name: the body of a 404 as an error of our own. */
export class ModelMissing extends Schema.TaggedError<ModelMissing>()("ModelMissing", {
  error: Schema.Struct({ message: Schema.String })
}) {
  override get message(): string {
    return this.error.message
  }
}

/** `GET /v1/models` */
export const listModels: ApiRequest.ApiRequest<ModelList> = ApiRequest.get("/v1/models", {
  success: ModelList
})

/** `GET /v1/models/{id}` */
export const getModel = (id: string): ApiRequest.ApiRequest<Model, ModelMissing> =>
  ApiRequest.get("/v1/models/{id}", { path: { id }, success: Model, failure: { 404: ModelMissing } })

/** `POST /v1/messages` with a single question. */
export const ask = (model: string, question: string): ApiRequest.ApiRequest<Message> =>
  ApiRequest.post("/v1/messages", {
    body: { model, messages: [{ role: "user", content: question }], maxTokens: 64 },
    bodySchema: NewMessage,
    success: Message
  })
