import { ApiClient, type ApiError, ApiRequest, EventStream } from "@effect-api/client"
import { Context, Effect, ExecutionPlan, Layer, Schema, Stream } from "effect"

/** One of the places that can do the work: a provider, a region or a model. */
export class Model extends Context.Tag("app/Model")<
  Model,
  { readonly name: string; readonly client: ApiClient.ApiClient }
>() {}

export const model = (name: string, baseUrl: string) =>
  Layer.scoped(
    Model,
    // The plan decides what is tried next: the client itself retries only briefly.
    Effect.map(ApiClient.make({ baseUrl, retry: { maxRetries: 1 } }), (client) => ({ name, client }))
  )

/** Another place may do better. It would refuse a wrong request or a wrong key as well. */
export const mayBeBetterElsewhere = (error: ApiError.ApiError): boolean => {
  switch (error._tag) {
    case "OverloadedError":
    case "RateLimitError":
    case "InternalServerError":
    case "ServiceUnavailableError":
    case "CircuitOpenError":
    case "ConnectionError":
    case "TimeoutError":
      return true
    default:
      return false
  }
}

/** A step is taken if the error of the step before it makes it useful. */
const step = (name: string, baseUrl: string) => ({
  provide: model(name, baseUrl),
  while: mayBeBetterElsewhere
})

export const plan = ExecutionPlan.make(
  step("large", "https://eu.api.test"),
  step("large", "https://us.api.test"),
  step("small", "https://other.test")
)

const Answer = Schema.Struct({ text: Schema.String })

/** Written once, for any model. */
export const ask = (question: string) =>
  Effect.flatMap(Model, ({ client, name }) =>
    client.execute(ApiRequest.post("/answers", { body: { model: name, question }, success: Answer }))
  )

const tokens = (model: string, question: string) =>
  ApiRequest.post("/answers", {
    body: { model, question, stream: true },
    events: EventStream.make({ event: Answer, terminal: "[DONE]" })
  })

export const askInParts = (question: string) =>
  Stream.unwrap(Effect.map(Model, ({ client, name }) => client.stream(tokens(name, question))))

export const answer = (question: string) => Effect.withExecutionPlan(ask(question), plan)

/** Falls back as long as no part has come: a second answer would not go on where the first one ended. */
export const answerInParts = (question: string) =>
  Stream.withExecutionPlan(askInParts(question), plan, { preventFallbackOnPartialStream: true })
