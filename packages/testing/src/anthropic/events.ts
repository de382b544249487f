import { Duration } from "effect"
import { chunks, json, type Reply, reply } from "../server/Reply.js"
import { toBytes } from "../shared/bytes.js"
import type { Answer, MessageParams } from "./AnthropicAnswer.js"
import type { Block, JsonObject } from "./AnthropicBlock.js"
import { failureBody } from "./gate.js"
import { byteSlices, tokens } from "./pieces.js"
import { nextId, type State } from "./state.js"

/** An answer with what only the server can add: ids and counts. */
export interface Rendered {
  readonly answer: Answer
  readonly content: ReadonlyArray<Block>
  readonly message: JsonObject
}

const isCall = ({ whole }: Block): boolean => whole["type"] === "tool_use"

const idPrefixes: Readonly<Record<string, string>> = { tool_use: "toolu", server_tool_use: "srvtoolu" }

const withId = (state: State, block: Block): Block => {
  const prefix = idPrefixes[String(block.whole["type"])]
  if (prefix === undefined || block.whole["id"] !== undefined) return block
  const id = nextId(state, prefix)
  return { ...block, whole: { ...block.whole, id }, start: { ...block.start, id } }
}

/** What the API counts as sent: all that the model reads. */
export const inputTokens = ({ messages, system, tools }: JsonObject): number =>
  tokens(system) + tokens(messages) + tokens(tools)

/** The message that an answer is, with every field that the API gives. */
export const render = (state: State, answer: Answer, params: MessageParams): Rendered => {
  const content = answer.content.map((block) => withId(state, block))
  const { message, stopDetails, stopReason, stopSequence } = answer
  const reason =
    stopSequence === undefined ? (content.some(isCall) ? "tool_use" : "end_turn") : "stop_sequence"
  return {
    answer,
    content,
    message: {
      model: params.model,
      id: nextId(state, "msg"),
      type: "message",
      role: "assistant",
      content: content.map(({ whole }) => whole),
      container: null,
      diagnostics: null,
      stop_reason: stopReason ?? reason,
      stop_sequence: stopSequence ?? null,
      stop_details: stopDetails ?? null,
      usage: {
        input_tokens: inputTokens(params),
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
        output_tokens: Math.max(1, tokens(content.flatMap(({ deltas }) => deltas.map(spoken)).join(""))),
        output_tokens_details: null,
        server_tool_use: null,
        service_tier: "standard",
        inference_geo: null,
        speed: null,
        ...answer.usage
      },
      ...message
    }
  }
}

const spoken = (delta: JsonObject): unknown =>
  delta["text"] ?? delta["thinking"] ?? delta["partial_json"] ?? ""

const totals = [
  "input_tokens",
  "cache_creation_input_tokens",
  "cache_read_input_tokens",
  "output_tokens",
  "output_tokens_details",
  "server_tool_use"
]

/** The events that tell a message: what ends it comes with `message_delta`, and is not known at the start. */
const eventsOf = ({ content, message }: Rendered): ReadonlyArray<JsonObject> => {
  const usage = message["usage"] as JsonObject
  const ends = ["stop_reason", "stop_sequence", "stop_details", "container"]
  const ping = { type: "ping" }
  const blocks = content.flatMap(({ deltas, start }, index) => [
    { type: "content_block_start", index, content_block: start },
    ...(index === 0 ? [ping] : []),
    ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
    { type: "content_block_stop", index }
  ])
  const unended = Object.fromEntries(ends.map((name) => [name, null]))
  return [
    {
      type: "message_start",
      message: { ...message, ...unended, content: [], usage: { ...usage, output_tokens: 1 } }
    },
    ...(content.length === 0 ? [ping] : []),
    ...blocks,
    {
      type: "message_delta",
      delta: Object.fromEntries(ends.map((name) => [name, message[name]])),
      usage: Object.fromEntries(totals.map((name) => [name, usage[name]]))
    },
    { type: "message_stop" }
  ]
}

const sse = (event: JsonObject): string => `event: ${event["type"]}\ndata: ${JSON.stringify(event)}\n\n`

/** The answer as it goes on the wire. */
export const toReply = (rendered: Rendered, stream: boolean, requestId: string): Reply => {
  if (!stream) return json(rendered.message)
  const { chunkBytes, delay = 0, failsAfter } = rendered.answer
  const events = eventsOf(rendered)
  const told = failsAfter === undefined ? events : events.slice(0, failsAfter.events)
  const failure = failsAfter?.failure
  const writes = [...told, ...(failure === undefined ? [] : [failureBody(failure, requestId)])].map(sse)
  return reply({
    ...chunks(chunkBytes === undefined ? writes : byteSlices(toBytes(writes.join("")), chunkBytes), {
      headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" }
    }),
    chunkDelay: Duration.decode(delay)
  })
}
