/** A model of OpenAI that calls a tool, embeddings, and files. Its streams fail as real ones do. */
import { TestServer } from "@effect-api/testing"
import { gate } from "../fixtures/gate.js"

const headers = { "x-request-id": "req_1" }
const json = (value: unknown, more: TestServer.ReplyHeaders = {}) =>
  TestServer.json(value, { headers: { ...headers, ...more } })

const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`
const chunk = (delta: unknown) =>
  event({ id: "c1", object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: null }] })
const toolPart = (part: unknown) => chunk({ tool_calls: [part] })

const events = (...chunks: ReadonlyArray<string>) =>
  TestServer.chunks(chunks, { headers: { ...headers, "content-type": "text/event-stream" } })

/** What the model streams, by the question. */
const streams: Readonly<Record<string, TestServer.Reply>> = {
  weather: events(
    chunk({ role: "assistant", content: "" }),
    chunk({ content: "Hel" }),
    chunk({ content: "lo" }),
    toolPart({ index: 0, id: "call_1", type: "function", function: { name: "weather", arguments: "" } }),
    toolPart({ index: 1, id: "call_2", type: "function", function: { name: "time", arguments: "{}" } }),
    toolPart({ index: 0, function: { arguments: '{"ci' } }),
    toolPart({ index: 0, function: { arguments: 'ty":"Bern"}' } }),
    event({ id: "c1", choices: [], usage: { total_tokens: 21 } }),
    "data: [DONE]\n\n"
  ),
  error: events(
    chunk({ content: "He" }),
    event({ error: { message: "The server had an error", type: "server_error", code: null } })
  ),
  cut: events(chunk({ content: "He" })),
  reset: events(chunk({ content: "Hello" })).pipe(TestServer.resetAfter(40))
}

const completion = {
  id: "c1",
  choices: [
    {
      index: 0,
      finish_reason: "tool_calls",
      message: {
        role: "assistant",
        content: null,
        tool_calls: [
          { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Bern"}' } }
        ]
      }
    }
  ]
}

interface Input {
  readonly stream?: boolean
  readonly messages: ReadonlyArray<{ readonly content: string }>
}
const isInput = (value: unknown): value is Input =>
  typeof value === "object" && value !== null && "messages" in value
const isTexts = (value: unknown): value is { readonly input: ReadonlyArray<string> } =>
  typeof value === "object" && value !== null && "input" in value

export const fileSize = 300_000

/** Also counts how many embeddings are made at the same time. */
export const openai = () => {
  const { counted, pass } = gate(2)
  const routes: TestServer.Routes = {
    "POST /chat/completions": ({ json: input }) => {
      if (!isInput(input)) return TestServer.empty(400)
      return input.stream === true
        ? (streams[input.messages[0]?.content ?? ""] ?? TestServer.empty(400))
        : json(completion)
    },
    "POST /embeddings": ({ json: input }) => {
      if (!isTexts(input)) return TestServer.empty(400)
      const data = input.input.map((text, index) => ({ index, embedding: [text.length, 0.5] }))
      return pass(json({ data }))
    },
    "POST /files": ({ body }) => json({ id: "file-1", bytes: body.length, purpose: "batch" }),
    "GET /files/file-1/content": TestServer.bytes(new Uint8Array(fileSize).fill(120), { headers }),
    "*": TestServer.json(
      {
        error: { message: "The model does not exist", type: "invalid_request_error", code: "model_not_found" }
      },
      { status: 404, headers }
    )
  }
  return { busy: counted, routes }
}
