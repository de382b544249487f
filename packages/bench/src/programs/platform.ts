/** The small program on `@effect/platform` and `fetch`, with its own retry and headers. */
import { FetchHttpClient, HttpClient, HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { Effect, Redacted } from "effect"
import { Message, textOf } from "./message.js"
import { retrying } from "./retrying.js"

const request = (baseUrl: string, apiKey: Redacted.Redacted<string>, body: object) =>
  Effect.gen(function* () {
    const client = retrying(HttpClient.filterStatusOk(yield* HttpClient.HttpClient))
    const response = yield* HttpClientRequest.post("/v1/messages").pipe(
      HttpClientRequest.prependUrl(baseUrl),
      HttpClientRequest.acceptJson,
      HttpClientRequest.setHeaders({
        "x-api-key": Redacted.value(apiKey),
        "anthropic-version": "2023-06-01"
      }),
      HttpClientRequest.bodyUnsafeJson(body),
      client.execute
    )
    return yield* HttpClientResponse.schemaBodyJson(Message)(response)
  })

export const run = (baseUrl: string, apiKey: string, body: object): Promise<string> =>
  request(baseUrl, Redacted.make(apiKey), body).pipe(
    Effect.map(textOf),
    Effect.provide(FetchHttpClient.layer),
    Effect.runPromise
  )
