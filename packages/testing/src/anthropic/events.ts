import { Predicate } from "effect"
import { chunks, json, type Reply, reply } from "../server/Reply.js"
import { toBytes } from "../shared/bytes.js"
import { duration } from "../shared/mistakes.js"
import type { Block, JsonObject } from "./AnthropicBlock.js"
import type { MessageParams, MessageResponse } from "./AnthropicResponse.js"
import { failureBody } from "./gate.js"
import { nextId, type State } from "./state.js"
import { byteSlices, countTokens } from "./text.js"

/** A response with the fields that the server generates, such as ids and counts. */
export interface Rendered {
  readonly response: MessageResponse
  readonly content: ReadonlyArray<Block>
  readonly message: JsonObject
}

const isToolUse = ({ block }: Block): boolean => block["type"] === "tool_use"

const idPrefixes: Readonly<Record<string, string>> = { tool_use: "toolu", server_tool_use: "srvtoolu" }

const withId = (state: State, content: Block): Block => {
  const { block, start } = content
  const prefix = idPrefixes[String(block["type"])]
  if (prefix === undefined || block["id"] !== undefined) return content
  const id = nextId(state, prefix)
  return { ...content, block: { ...block, id }, start: { ...start, id } }
}

/** The number of input tokens: those of everything that the model reads. */
export const inputTokens = ({ messages, system, tools }: JsonObject): number =>
  countTokens(system) + countTokens(messages) + countTokens(tools)

/** Generates the message of a response, with every field of the API. */
export const render = (state: State, response: MessageResponse, params: MessageParams): Rendered => {
  const content = response.content.map((block) => withId(state, block))
  const { message, stopDetails, stopReason, stopSequence } = response
  const reason =
    stopSequence === undefined ? (content.some(isToolUse) ? "tool_use" : "end_turn") : "stop_sequence"
  return {
    response,
    content,
    message: {
      model: params.model,
      id: nextId(state, "msg"),
      type: "message",
      role: "assistant",
      content: content.map(({ block }) => block),
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
        output_tokens: Math.max(1, countTokens(content.flatMap(({ deltas }) => deltas.map(textOf)).join(""))),
        output_tokens_details: null,
        server_tool_use: null,
        service_tier: "standard",
        inference_geo: null,
        speed: null,
        ...response.usage
      },
      ...message
    }
  }
}

const textOf = (delta: JsonObject): unknown =>
  delta["text"] ?? delta["thinking"] ?? delta["partial_json"] ?? ""

const totals = [
  "input_tokens",
  "cache_creation_input_tokens",
  "cache_read_input_tokens",
  "output_tokens",
  "output_tokens_details",
  "server_tool_use"
]

/** The events of a message. Fields that are unknown at the start, such as the stop reason, arrive with `message_delta`. */
const eventsOf = ({ content, message }: Rendered): ReadonlyArray<JsonObject> => {
  const usage: JsonObject = Predicate.isRecord(message["usage"]) ? message["usage"] : {}
  const lateFields = ["stop_reason", "stop_sequence", "stop_details", "container"]
  const ping = { type: "ping" }
  const blocks = content.flatMap(({ deltas, start }, index) => [
    { type: "content_block_start", index, content_block: start },
    ...(index === 0 ? [ping] : []),
    ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
    { type: "content_block_stop", index }
  ])
  const unknown = Object.fromEntries(lateFields.map((name) => [name, null]))
  return [
    {
      type: "message_start",
      message: { ...message, ...unknown, content: [], usage: { ...usage, output_tokens: 1 } }
    },
    ...(content.length === 0 ? [ping] : []),
    ...blocks,
    {
      type: "message_delta",
      delta: Object.fromEntries(lateFields.map((name) => [name, message[name]])),
      usage: Object.fromEntries(totals.map((name) => [name, usage[name]]))
    },
    { type: "message_stop" }
  ]
}

const sse = (event: JsonObject): string => `event: ${event["type"]}\ndata: ${JSON.stringify(event)}\n\n`

/** The reply of the server, as JSON or as a stream. */
export const toReply = (rendered: Rendered, stream: boolean, requestId: string): Reply => {
  if (!stream) return json(rendered.message)
  const { chunkBytes, delay = 0, failsAfter } = rendered.response
  const events = eventsOf(rendered)
  const sent = failsAfter === undefined ? events : events.slice(0, failsAfter.events)
  const failure = failsAfter?.failure
  const writes = [...sent, ...(failure === undefined ? [] : [failureBody(failure, requestId)])].map(sse)
  return reply({
    ...chunks(chunkBytes === undefined ? writes : byteSlices(toBytes(writes.join("")), chunkBytes), {
      headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" }
    }),
    chunkDelay: duration("AnthropicApi.response: delay", delay)
  })
}
