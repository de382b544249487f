import { AnthropicApi } from "@effect-api/testing"
import { Effect } from "effect"

/** What every request needs; `null` leaves a header out. */
const headersOf = (headers: Readonly<Record<string, string | null>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ "x-api-key": "key", "anthropic-version": "2026-10-21", ...headers }).filter(
      (header): header is [string, string] => header[1] !== null
    )
  )

export interface Sent {
  readonly headers?: Readonly<Record<string, string | null>>
  readonly body?: unknown
}

/** A request by plain fetch: its answer, read to the end. */
export const ask = (api: AnthropicApi.AnthropicApi, method: string, path: string, sent: Sent = {}) =>
  Effect.promise(async () => {
    const { body } = sent
    const plain = typeof body === "string" || body instanceof FormData
    const response = await fetch(`${api.url}${path}`, {
      method,
      headers: headersOf(sent.headers ?? {}),
      ...(body === undefined ? {} : { body: plain ? body : JSON.stringify(body) })
    })
    const text = await response.text()
    return { status: response.status, headers: Object.fromEntries(response.headers), text }
  })

export const askJson = (api: AnthropicApi.AnthropicApi, method: string, path: string, sent?: Sent) =>
  Effect.map(ask(api, method, path, sent), (answer) => ({ ...answer, body: JSON.parse(answer.text) }))

export const hello = {
  model: "claude-opus-5-5",
  max_tokens: 64,
  messages: [{ role: "user" as const, content: "Hello there" }]
}

export const weather = {
  name: "weather",
  description: "The weather in a city",
  input_schema: { type: "object" as const, properties: { city: { type: "string" } } }
}

/** Blocks of every kind, split where it hurts: in an escape, in a surrogate pair, in the bytes of a character. */
export const everything = AnthropicApi.answer(
  [
    AnthropicApi.thinking("Zürich, or Bern?", { signature: "c2ln", pieces: 3 }),
    AnthropicApi.block({ type: "redacted_thinking", data: "ZGF0YQ==" }),
    AnthropicApi.text("The grass is grün 🌱.", {
      pieces: 1,
      citations: [
        {
          type: "char_location",
          cited_text: "grün",
          document_index: 0,
          document_title: null,
          start_char_index: 0,
          end_char_index: 4,
          file_id: null
        }
      ]
    }),
    AnthropicApi.toolUse(
      "weather",
      { city: "Zürich", note: 'a "quote", a \\, 🌱' },
      { json: '{"city":"Z\\u00fcrich","note":"a \\"quote\\", a \\\\, \\ud83c\\udf31"}', pieces: 1 }
    ),
    AnthropicApi.toolUse("now", {}, { id: "toolu_now", json: "", pieces: [] })
  ],
  { chunkBytes: 5, usage: { input_tokens: 12, output_tokens: 34 } }
)
