/** Messages as the conventions for generative AI write them: roles, and parts with a type. */
import * as Predicate from "effect/Predicate"
import type { Params, Seen } from "./seen.js"

/** A block as a part. Blocks of other types keep their type alone: they may hold whole files. */
const partOf = (block: unknown): object => {
  if (!Predicate.hasProperty(block, "type")) return { type: "unknown" }
  const field = (name: string): unknown => fieldOf(block, name)
  switch (block.type) {
    case "text":
      return { type: "text", content: field("text") }
    case "thinking":
      return { type: "reasoning", content: field("thinking") }
    case "tool_use":
    case "server_tool_use":
      return { type: "tool_call", id: field("id"), name: field("name"), arguments: field("input") }
    case "tool_result":
      return { type: "tool_call_response", id: field("tool_use_id"), response: resultOf(field("content")) }
    default:
      return { type: block.type }
  }
}

const fieldOf = (value: unknown, name: string): unknown =>
  Predicate.hasProperty(value, name) ? value[name] : undefined

const resultOf = (content: unknown): unknown => (Array.isArray(content) ? content.map(partOf) : content)

const partsOf = (content: unknown): ReadonlyArray<object> =>
  typeof content === "string"
    ? [{ type: "text", content }]
    : Array.isArray(content)
      ? content.map(partOf)
      : []

/** A value that JSON cannot hold is left out: a span must not fail a call. */
const json = (name: string, value: unknown): Readonly<Record<string, string>> => {
  try {
    return { [name]: JSON.stringify(value) }
  } catch {
    return {}
  }
}

/** The attributes with the content of a request. */
export const contentsOf = ({ messages, system }: Params): Readonly<Record<string, string>> => ({
  ...(system === undefined || system === null ? {} : json("gen_ai.system_instructions", partsOf(system))),
  ...(Array.isArray(messages)
    ? json(
        "gen_ai.input.messages",
        messages.map((message: unknown) => ({
          role: fieldOf(message, "role"),
          parts: partsOf(fieldOf(message, "content"))
        }))
      )
    : {})
})

/** The attributes with the content of a response, as far as it has come. */
export const outputsOf = ({ accumulator, content, stopReason }: Seen): Readonly<Record<string, string>> => {
  const blocks = content ?? accumulator?.snapshot()?.content
  return blocks === undefined
    ? {}
    : json("gen_ai.output.messages", [
        { role: "assistant", parts: partsOf(blocks), finish_reason: stopReason ?? null }
      ])
}
