import { ApiClient, FetchTransport } from "@effect-api/client"
import { Effect, Layer, Schema } from "effect"
import { HttpApi, HttpApiClient, HttpApiEndpoint, HttpApiGroup } from "effect/http-api"

const Todos = HttpApi.make("todos").add(
  HttpApiGroup.make("todos").add(
    HttpApiEndpoint.get("list", "/todos", {
      success: Schema.Array(Schema.Struct({ title: Schema.String }))
    })
  )
)

const Local = ApiClient.layerHttpClient.pipe(
  Layer.provide(ApiClient.layer({ baseUrl: "http://localhost:3000", retry: { maxRetries: 5 } })),
  Layer.provide(FetchTransport.layer)
)

export const titles = HttpApiClient.make(Todos).pipe(
  Effect.flatMap((client) => client.todos.list()),
  Effect.provide(Local)
)
