/**
 * Fills in the fields that servers other than Anthropic's leave out of messages and events: those that are empty, zero or
 * not known yet. The `type` and the absence of a field decide, never the values of other fields.
 */
import * as Predicate from "effect/Predicate"

interface Fields {
  readonly [name: string]: unknown
}

const isFields = (value: unknown): value is Fields => Predicate.isObject(value) && !Array.isArray(value)

const isMissing = (value: unknown): boolean => value === undefined || value === null

/** Adds a default for each field that is missing or null. Returns the same object if there is nothing to add. */
const fill = <A extends Fields>(value: A, defaults: Fields): A => {
  let added: Record<string, unknown> | undefined
  for (const name in defaults) {
    if (isMissing(value[name])) (added ??= {})[name] = defaults[name]
  }
  return added === undefined ? value : { ...value, ...added }
}

/** Applies `change` to one field if it holds an object. Returns the same object if nothing changed. */
const mapField = <A extends Fields>(value: A, name: string, change: (inner: Fields) => Fields): A => {
  const inner: unknown = value[name]
  if (!isFields(inner)) return value
  const changed = change(inner)
  return changed === inner ? value : { ...value, [name]: changed }
}

interface DefaultsByType {
  readonly [type: string]: Fields
}

const fillByType =
  (defaults: DefaultsByType) =>
  <A extends object>(value: A): A => {
    if (!isFields(value)) return value
    const type: unknown = value["type"]
    return typeof type === "string" && Object.hasOwn(defaults, type)
      ? fill(value, defaults[type] ?? {})
      : value
  }

const noInput = { input: {} }

const blockDefaults: DefaultsByType = {
  text: { text: "" },
  thinking: { thinking: "", signature: "" },
  redacted_thinking: { data: "" },
  tool_use: noInput,
  server_tool_use: noInput,
  mcp_tool_use: noInput
}

/** The fields that a finished block may lack. The others must be there. */
const finishedBlockDefaults: DefaultsByType = {
  thinking: { signature: "" },
  tool_use: noInput,
  server_tool_use: noInput,
  mcp_tool_use: noInput
}

const deltaDefaults: DefaultsByType = {
  text_delta: { text: "" },
  thinking_delta: { thinking: "" },
  signature_delta: { signature: "" },
  input_json_delta: { partial_json: "" }
}

const outputDefaults = { output_tokens: 0 }
const inputDefaults = { input_tokens: 0 }
const cacheDefaults = { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 }
const detailDefaults = { thinking_tokens: 0 }

const messageDefaults = {
  id: "",
  type: "message",
  role: "assistant",
  model: "",
  content: [],
  stop_sequence: null,
  usage: {}
}

const indexDefaults = { index: 0 }
const messageDeltaDefaults = { delta: {}, usage: {} }

const fillUsage = (usage: Fields): Fields =>
  mapField(
    mapField(fill(usage, outputDefaults), "cache_creation", (cached) => fill(cached, cacheDefaults)),
    "output_tokens_details",
    (details) => fill(details, detailDefaults)
  )

/** Fills in a block that has just started. */
export const fillBlock = fillByType(blockDefaults)

const fillFinishedBlock = fillByType(finishedBlockDefaults)
const fillDelta = fillByType(deltaDefaults)

const fillContent = (content: unknown, change: (block: Fields) => Fields): unknown => {
  if (!Array.isArray(content)) return isMissing(content) ? [] : content
  return content.map((block) => (isFields(block) ? change(block) : block))
}

/** Fills in a message that has just started. */
export const fillMessage = <A extends object>(value: A): A => {
  if (!isFields(value)) return value
  const message = fill(value, messageDefaults)
  const usage: unknown = message["usage"]
  return {
    ...message,
    // Null is a valid value of `stop_reason`.
    stop_reason: message["stop_reason"] ?? null,
    content: fillContent(message["content"], fillBlock),
    usage: isFields(usage) ? fillUsage(fill(usage, inputDefaults)) : usage
  }
}

/** Fills in a finished message. Its type, content and usage must be there. */
export const fillFinishedMessage = (value: unknown): unknown =>
  isFields(value) && value["type"] === "message" && "content" in value
    ? {
        ...value,
        role: value["role"] ?? "assistant",
        stop_reason: value["stop_reason"] ?? null,
        content: fillContent(value["content"], fillFinishedBlock)
      }
    : value

/** Fills in an event. A server that omits zeros omits the first `index`. */
export const fillEvent = (value: unknown): unknown => {
  if (!isFields(value)) return value
  switch (value["type"]) {
    case "message_start":
      return mapField(value, "message", fillMessage)
    case "content_block_start":
      return mapField(fill(value, indexDefaults), "content_block", fillBlock)
    case "content_block_delta":
      return mapField(fill(value, indexDefaults), "delta", fillDelta)
    case "content_block_stop":
      return fill(value, indexDefaults)
    case "message_delta":
      return mapField(fill(value, messageDeltaDefaults), "usage", fillUsage)
    default:
      return value
  }
}
