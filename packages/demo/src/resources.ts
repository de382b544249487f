/** The sections about models, batches and files, and about your own requests. */
import { inspect } from "node:util"
import { Anthropic, Message, Models } from "@effect-api/anthropic"
import { ApiError, ApiRequest } from "@effect-api/client"
import { AnthropicApi } from "@effect-api/testing"
import { Effect, Option, Redacted, Schema, Stream } from "effect"
import { ensure, type LocalApi, model, question, unexpected } from "./Section.js"

const names = (models: Iterable<{ readonly id: string }>) => Array.from(models, ({ id }) => id).join(", ")

export const pages = Effect.gen(function* () {
  const { client, models } = yield* Anthropic.Anthropic
  const pages = yield* Stream.runCollect(Stream.take(client.pages(Models.list({ limit: 2 })), 3))
  const items = yield* Stream.runCollect(Stream.take(models.list({ limit: 2 }), 5))
  return [
    ...Array.from(pages, ({ data }, index) => `page ${index + 1}: ${names(data)}`),
    `all items: ${names(items)}`
  ]
})

export const batch = (api: LocalApi) =>
  Effect.gen(function* () {
    yield* api.script("Bonjour!", AnthropicApi.failure("api_error"))
    const { batches } = (yield* Anthropic.Anthropic).messages
    const params = question(yield* model, "Good morning!")
    const { id } = yield* batches.create({
      requests: ["one", "two", "three"].map((custom_id) => ({ custom_id, params }))
    })
    const polled = yield* batches.untilEnded(id, { initialDelay: "20 millis", factor: 1 })
    const { errored, succeeded } = polled.request_counts
    const results = yield* Stream.runCollect(batches.results(id))
    return [
      `the batch ended: ${succeeded} succeeded, ${errored} errored`,
      ...Array.from(results, ({ custom_id, result }) =>
        result.type === "succeeded"
          ? `${custom_id}: ${inspect(Message.text(result.message))}`
          : `${custom_id}: ${result.type}${result.type === "errored" ? `, ${result.error.error.type}` : ""}`
      ).sort()
    ]
  })

export const files = (api: Option.Option<LocalApi>) =>
  Effect.gen(function* () {
    const { files } = yield* Anthropic.Anthropic
    const content = new TextEncoder().encode("Good morning, Zürich!")
    const file = yield* files.upload({
      file: { content, filename: "greeting.txt", contentType: "text/plain" }
    })
    const stored = yield* Effect.ensuring(files.retrieve(file.id), Effect.ignore(files.del(file.id)))
    const gone = yield* Effect.flip(files.retrieve(file.id))
    const lines = [
      `uploaded ${file.filename}: ${stored.size_bytes} bytes of ${stored.mime_type}`,
      `deleted it: retrieving it again fails with a ${gone._tag}`
    ]
    if (Option.isNone(api)) return lines
    const id = yield* api.value.addFile({ filename: "plot.svg", mimeType: "image/svg+xml", bytes: content })
    const text = yield* Stream.mkString(Stream.decodeText(files.download(id)))
    return [...lines, `downloaded a file that a tool created: ${inspect(text)}`]
  })

/** Your own class for the response, and your own error for a 404. */
class Model extends Schema.Class<Model>("Model")({
  id: Schema.String,
  display_name: Schema.String
}) {
  get name(): string {
    return this.display_name
  }
}

class ModelMissing extends Schema.TaggedError<ModelMissing>()("ModelMissing", {
  error: Schema.Struct({ message: Schema.String })
}) {
  override get message(): string {
    return this.error.message
  }
}

const getModel = (id: string): ApiRequest.ApiRequest<Model, ModelMissing> =>
  ApiRequest.get("/v1/models/{id}", { path: { id }, success: Model, failure: { 404: ModelMissing } })

export const ownRequest = Effect.gen(function* () {
  const { client } = yield* Anthropic.Anthropic
  const found = yield* client.execute(getModel(yield* model))
  const missing = yield* Effect.flip(client.execute(getModel("no-such-model")))
  yield* ensure(missing._tag === "ModelMissing", `the error is a ${missing._tag}`)
  return [
    `GET /v1/models/{id} returned your class Model: ${found.name}`,
    `its 404 failed with your error ${missing._tag}: ${missing.message}`
  ]
})

export const secret = (api: Option.Option<LocalApi>) =>
  Effect.gen(function* () {
    const token = "tok-4711-keep-me-hidden"
    const request = ApiRequest.get("/v1/models/{id}", {
      path: { id: "no-such-model" },
      query: { invitation: Redacted.make(token) },
      success: Model
    })
    if (Option.isSome(api)) {
      const message = `invalid invitation ${token}`
      yield* api.value.inject(AnthropicApi.failure("not_found_error", { message }))
    }
    const { client } = yield* Anthropic.Anthropic
    const error = yield* client
      .execute(request)
      .pipe(
        Effect.flatMap(unexpected("the API accepted an unknown model")),
        Effect.catchIf(ApiError.isStatusError, Effect.succeed)
      )
    const printed = [inspect(error, { depth: null }), JSON.stringify(error), String(error), error.stack]
    yield* ensure(!printed.some((text) => text?.includes(token)), "the printed error contains the secret")
    return [`request URL:   ${error.request.url}`, `error message: ${error.message}`]
  })
