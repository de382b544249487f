/** OpenAI as a service in plain async code: its twin is ../openaiService.ts. */
import { Credentials, Middleware, PromiseClient } from "@effect-api/client"
import { rateLimit } from "@effect-api/client/RetryAfter"
import { inParallel } from "./inParallel.js"
import { type Chunk, embeddings, failure } from "./openai.js"
import type { Target } from "./target.js"

const limits = ["requests", "tokens"].map((kind) =>
  rateLimit({ reset: `x-ratelimit-reset-${kind}`, remaining: `x-ratelimit-remaining-${kind}` })
)
/** Waits until the limits are full again that a response reported as used up. */
const paced = () => {
  let free = 0
  return Middleware.fromAsync(async (request, next) => {
    const wait = free - Date.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    const response = await next(request)
    const now = Date.now()
    const headers = Object.fromEntries(response.headers)
    free = Math.max(free, ...limits.map((waitOf) => now + (waitOf(headers, now) ?? 0)))
    return response
  })
}

export const connect = (
  key: string,
  { baseUrl = "https://api.openai.com/v1", ...environment }: Target = {}
) =>
  PromiseClient.make({
    ...environment,
    name: "openai",
    baseUrl,
    credentials: Credentials.bearer(key),
    middleware: [paced()],
    failure: { default: failure }
  })

export const embed = async (
  client: Pick<PromiseClient.PromiseClient, "execute">,
  texts: ReadonlyArray<string>,
  { concurrency, size }: { readonly size: number; readonly concurrency: number }
) => {
  const starts = Array.from({ length: Math.ceil(texts.length / size) }, (_, i) => i * size)
  const batches = await inParallel(starts, concurrency, async (start) => {
    const { data } = await client.execute(embeddings(texts.slice(start, start + size)))
    return data.map(({ embedding }) => embedding)
  })
  return batches.flat()
}

const none = { id: "", name: "", arguments: "" }
/** The message that the chunks of a stream add up to: its text, and the calls of tools. */
export const assembled = async (chunks: AsyncIterable<Chunk>) => {
  const message = { text: "", calls: Array<typeof none>() }
  for await (const { choices } of chunks) {
    message.text += choices.map(({ delta }) => delta.content ?? "").join("")
    for (const { function: part, id, index = 0 } of choices.flatMap(({ delta }) => delta.tool_calls ?? [])) {
      const call = (message.calls[index] ??= { ...none })
      call.id += id ?? ""
      call.name += part.name ?? ""
      call.arguments += part.arguments ?? ""
    }
  }
  return message
}
