/** OpenAI as a service: it waits for its rate limits, embeds in batches, and puts streams together. */
import { ApiClient, Credentials, type Middleware } from "@effect-api/client"
import { rateLimit } from "@effect-api/client/RetryAfter"
import { Array, Clock, Context, Duration, Effect, Layer, type Redacted, Ref, Stream } from "effect"
import { type Chunk, embeddings, OpenAiError } from "./openai.js"

const limits = ["requests", "tokens"].map((kind) =>
  rateLimit({ reset: `x-ratelimit-reset-${kind}`, remaining: `x-ratelimit-remaining-${kind}` })
)
/** Waits until the limits are full again that a response reported as used up. */
const paced = Effect.map(
  Ref.make(0),
  (free): Middleware.Middleware =>
    (request, next) =>
      Effect.gen(function* () {
        yield* Effect.sleep(Math.max(0, (yield* Ref.get(free)) - (yield* Clock.currentTimeMillis)))
        const response = yield* next(request)
        const now = yield* Clock.currentTimeMillis
        const waits = limits.map((waitOf) => Duration.toMillis(waitOf(response.headers, now) ?? 0))
        yield* Ref.update(free, (until) => Math.max(until, now + Math.max(...waits)))
        return response
      })
)

export class OpenAi extends Context.Tag("OpenAi")<OpenAi, ApiClient.Client<OpenAiError>>() {
  static readonly layer = (key: Redacted.Redacted, baseUrl = "https://api.openai.com/v1") =>
    Effect.flatMap(paced, (limiter) =>
      ApiClient.make({
        name: "openai",
        baseUrl,
        credentials: Credentials.bearer(key),
        middleware: [limiter],
        failure: { default: OpenAiError }
      })
    ).pipe(Layer.scoped(OpenAi))
}

export const embed = (
  texts: ReadonlyArray<string>,
  options: { readonly size: number; readonly concurrency: number }
) =>
  Effect.flatMap(OpenAi, (client) =>
    Effect.forEach(Array.chunksOf(texts, options.size), (batch) => client.execute(embeddings(batch)), options)
  ).pipe(Effect.map((pages) => pages.flatMap(({ data }) => data.map(({ embedding }) => embedding))))

const none = { id: "", name: "", arguments: "" }
/** The message that the chunks of a stream add up to: its text, and the calls of tools. */
export const assembled = <E, R>(chunks: Stream.Stream<typeof Chunk.Type, E, R>) =>
  Stream.runFold(chunks, { text: "", calls: Array.empty<typeof none>() }, (message, { choices }) => {
    const calls = [...message.calls]
    for (const { function: part, id, index = 0 } of choices.flatMap(({ delta }) => delta.tool_calls ?? [])) {
      const call = calls[index] ?? none
      calls[index] = {
        id: call.id + (id ?? ""),
        name: call.name + (part.name ?? ""),
        arguments: call.arguments + (part.arguments ?? "")
      }
    }
    return { text: message.text + choices.map(({ delta }) => delta.content ?? "").join(""), calls }
  })
