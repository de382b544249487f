/** The small program on this project's client and `fetch`: a request, a validated response, retries. */
import { FetchHttpClient } from "@effect/platform"
import { ApiClient, ApiRequest, Credentials } from "@effect-api/client"
import { Effect, Redacted } from "effect"
import { Message, textOf } from "./message.js"

const request = (body: object) => ApiRequest.post("/v1/messages", { body, success: Message })

export const run = (baseUrl: string, apiKey: string, body: object): Promise<string> =>
  ApiClient.execute(request(body)).pipe(
    Effect.map(textOf),
    Effect.provide(
      ApiClient.layer({
        baseUrl,
        credentials: Credentials.header("x-api-key", Redacted.make(apiKey)),
        headers: { "anthropic-version": "2023-06-01" }
      })
    ),
    Effect.provide(FetchHttpClient.layer),
    Effect.runPromise
  )
