/** The small program on this project's client of the Anthropic API and `fetch`. */
import { FetchHttpClient } from "@effect/platform"
import { Anthropic, Message } from "@effect-api/anthropic"
import { Effect, Redacted } from "effect"

export const run = (baseUrl: string, apiKey: string, body: object): Promise<string> =>
  Effect.gen(function* () {
    const { messages } = yield* Anthropic.Anthropic
    return Message.text(yield* messages.create(body as Message.MessageCreateParams))
  }).pipe(
    Effect.provide(Anthropic.layer({ baseUrl, apiKey: Redacted.make(apiKey) })),
    Effect.provide(FetchHttpClient.layer),
    Effect.runPromise
  )
