/**
 * What servers other than the vendor's leave out of events: a message or a block that has only begun says little of itself,
 * and some write no field that is empty or zero. What is missing is filled with nothing: no text, no tokens, no reason to stop.
 *
 * Which fields there are decides, and `type`; never what else stands in them.
 */
import * as Predicate from "effect/Predicate"

export interface Fields {
  readonly [name: string]: unknown
}

const isFields = (value: unknown): value is Fields => Predicate.isObject(value) && !Array.isArray(value)

const isMissing = (value: unknown): boolean => value === undefined || value === null

/** The same fields, and the defaults of those that are missing. */
const filled = (value: Fields, defaults: Fields): Fields => {
  let made: Record<string, unknown> | undefined
  for (const name in defaults) {
    if (!isMissing(value[name])) continue
    made ??= { ...value }
    made[name] = defaults[name]
  }
  return made ?? value
}

/** The same fields, one of them made anew where it is an object. */
const within = (value: Fields, name: string, make: (inner: Fields) => Fields): Fields => {
  const inner = value[name]
  const made = isFields(inner) ? make(inner) : inner
  return made === inner ? value : { ...value, [name]: made }
}

const noTokens = { output_tokens: 0 }
const noInput = { input: {} }

const usageOf = (usage: Fields): Fields =>
  within(
    within(filled(usage, noTokens), "cache_creation", (cached) =>
      filled(cached, { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 })
    ),
    "output_tokens_details",
    (details) => filled(details, { thinking_tokens: 0 })
  )

/** What a block of a kind has at its beginning. */
const emptyBlocks: { readonly [type: string]: Fields } = {
  text: { text: "" },
  thinking: { thinking: "", signature: "" },
  redacted_thinking: { data: "" },
  tool_use: noInput,
  server_tool_use: noInput,
  mcp_tool_use: noInput
}

/** What a whole block may lack of what the vendor says. */
const unsaid: { readonly [type: string]: Fields } = {
  thinking: { signature: "" },
  tool_use: noInput,
  server_tool_use: noInput,
  mcp_tool_use: noInput
}

const emptyDeltas: { readonly [type: string]: Fields } = {
  text_delta: { text: "" },
  thinking_delta: { thinking: "" },
  signature_delta: { signature: "" },
  input_json_delta: { partial_json: "" }
}

const ofKind =
  (kinds: { readonly [type: string]: Fields }) =>
  (value: Fields): Fields => {
    const { type } = value
    return typeof type === "string" && Object.hasOwn(kinds, type) ? filled(value, kinds[type] ?? {}) : value
  }

/** A block that has begun, whole. */
export const block = ofKind(emptyBlocks)

const finishedBlock = ofKind(unsaid)
const delta = ofKind(emptyDeltas)

const blocks = (content: unknown, make: (block: Fields) => Fields): unknown => {
  if (!Array.isArray(content)) return isMissing(content) ? [] : content
  return content.map((inner) => (isFields(inner) ? make(inner) : inner))
}

/** A message that has begun, whole. */
export const message = (value: Fields): Fields => {
  const whole = filled(value, {
    id: "",
    type: "message",
    role: "assistant",
    model: "",
    content: [],
    stop_sequence: null,
    usage: {}
  })
  return {
    ...whole,
    // Null is a value of these, and not a missing one.
    stop_reason: whole["stop_reason"] ?? null,
    content: blocks(whole["content"], block),
    usage: isFields(whole["usage"]) ? usageOf(filled(whole["usage"], { input_tokens: 0 })) : whole["usage"]
  }
}

/**
 * A whole message that a server says little of: why it stopped, the signature of what it thought. What it is, what it holds and
 * what it has cost must be there.
 */
export const finished = (value: unknown): unknown =>
  isFields(value) && value["type"] === "message" && "content" in value
    ? {
        ...value,
        role: value["role"] ?? "assistant",
        stop_reason: value["stop_reason"] ?? null,
        content: blocks(value["content"], finishedBlock)
      }
    : value

const first = { index: 0 }

/** An event as the vendor would write it. A server that leaves out what is zero leaves out the first index. */
export const event = (value: unknown): unknown => {
  if (!isFields(value)) return value
  switch (value["type"]) {
    case "message_start":
      return within(value, "message", message)
    case "content_block_start":
      return within(filled(value, first), "content_block", block)
    case "content_block_delta":
      return within(filled(value, first), "delta", delta)
    case "content_block_stop":
      return filled(value, first)
    case "message_delta":
      return within(filled(value, { delta: {}, usage: {} }), "usage", usageOf)
    default:
      return value
  }
}
